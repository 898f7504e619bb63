package main

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// object is a JSON object as it was decoded.
type object = map[string]any

// Bits of node.types; the engine's enum gw_schema_type has the same.
const (
	typeBool = 1 << iota
	typeInteger
	typeNumber
	typeText
	typeList
	typeMap
)

var typeBits = map[string]int{"boolean": typeBool, "integer": typeInteger, "number": typeNumber,
	"string": typeText, "array": typeList, "object": typeMap}

// limitNone stands for a limit that is not there.
const limitLow, limitHigh = math.MinInt64, math.MaxInt64

type property struct {
	name     string
	node     int
	required bool
	fallback any // the default, or nil
}

type rule struct{ name, message string }

// node is one sub-schema; equal ones are one. Node 0 takes anything and keeps what
// is in it.
type node struct {
	types      int
	keep       bool // x-kubernetes-preserve-unknown-fields
	native     bool // of Kubernetes itself: what Go's types hold
	zero       bool // an empty text, 0 and false say nothing
	format     string
	low, high  int64 // of a number, of the length of a text, of a list's or map's count
	pattern    string
	choices    []string
	properties []property
	items      int // of lists; what a map takes beyond its properties; -1: none
	unique     string
	keys       []string // unique is "map"
	rules      []rule
	all        []int
	any        []int
	one        []int
	not        []int
	where      string // the first place that has it, for the reader
}

type builder struct {
	nodes    []*node
	index    map[string]int
	rules    map[string][]string // text to its name
	patterns map[string][]string // text to its names
	missing  []string
	used     map[string]bool // names of rules and patterns
}

func newBuilder(rules, patterns map[string][]string) *builder {
	b := &builder{index: map[string]int{}, rules: rules, patterns: patterns, used: map[string]bool{}}
	b.intern(&node{keep: true, items: -1, low: limitLow, high: limitHigh, where: "anything"})
	return b
}

func (b *builder) intern(n *node) int {
	where := n.where
	n.where = ""
	key := fmt.Sprintf("%#v", *n)
	n.where = where
	if at, known := b.index[key]; known {
		return at
	}
	b.nodes = append(b.nodes, n)
	b.index[key] = len(b.nodes) - 1
	return len(b.nodes) - 1
}

func (b *builder) fail(where, format string, args ...any) {
	b.missing = append(b.missing, where+": "+fmt.Sprintf(format, args...))
}

// problems says what was found that no table can hold, and what has no name.
func (b *builder) problems() []string {
	for text, names := range b.rules {
		if !b.used[text] || len(names) > 1 {
			b.fail("src/gw/cel.def", "%v: no CRD has this rule any more, or twice: %s", names, text)
		}
	}
	for text, names := range b.patterns {
		if !b.used[text] {
			b.fail("src/gw/pattern.def", "%v: no CRD has this pattern any more: %s", names, text)
		}
	}
	sort.Strings(b.missing)
	return b.missing
}

// known are the keywords that add reads; descriptions and what concerns merging,
// documentation and number formats says nothing about validity.
var known = map[string]bool{"type": true, "format": true, "nullable": true, "properties": true, "required": true,
	"items": true, "additionalProperties": true, "enum": true, "pattern": true, "minimum": true, "maximum": true,
	"minLength": true, "maxLength": true, "minItems": true, "maxItems": true, "minProperties": true,
	"maxProperties": true, "allOf": true, "anyOf": true, "oneOf": true, "not": true, "default": true,
	"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true,
	"x-kubernetes-list-type": true, "x-kubernetes-list-map-keys": true, "x-kubernetes-validations": true,
	"description": true, "title": true, "x-kubernetes-map-type": true, "example": true,
	"x-native": true, "x-zero": true, "x-kubernetes-patch-strategy": true, "x-kubernetes-patch-merge-key": true}

// add makes the node of a structural schema and of all below it.
func (b *builder) add(schema object, where string) int {
	n := &node{items: -1, low: limitLow, high: limitHigh, where: where}
	for key := range schema {
		if !known[key] {
			b.fail(where, "the keyword %s is not known", key)
		}
	}
	if text(schema, "type") != "" {
		n.types = typeBits[text(schema, "type")]
	}
	if isSet(schema, "x-kubernetes-int-or-string") {
		n.types = typeInteger | typeText
	}
	if isSet(schema, "nullable") {
		b.fail(where, "nullable fields are not handled")
	}
	n.keep = isSet(schema, "x-kubernetes-preserve-unknown-fields")
	n.native, n.zero = isSet(schema, "x-native"), isSet(schema, "x-zero")
	b.addForms(n, schema, where)
	b.addLimits(n, schema, where)
	b.addFields(n, schema, where)
	b.addRules(n, schema, where)
	n.all = b.addAll(schema, "allOf", where)
	n.any = b.addAll(schema, "anyOf", where)
	n.one = b.addAll(schema, "oneOf", where)
	if not, ok := schema["not"].(object); ok {
		n.not = []int{b.add(not, where+"/not")}
	}
	return b.intern(n)
}

func (b *builder) addAll(schema object, keyword, where string) []int {
	list, _ := schema[keyword].([]any)
	var nodes []int
	for _, one := range list {
		nodes = append(nodes, b.add(one.(object), where+"/"+keyword))
	}
	// Two equal ones in allOf say the same once.
	if keyword == "allOf" && len(nodes) == 2 && nodes[0] == nodes[1] {
		nodes = nodes[:1]
	}
	return nodes
}

func (b *builder) addForms(n *node, schema object, where string) {
	// An API server looks at formats of texts alone, and only at these.
	switch format := text(schema, "format"); format {
	case "byte", "base64", "ipv4", "ipv6", "date-time":
		n.format = format
	case "", "int32", "int64", "int-or-string", "float", "double":
	default:
		b.fail(where, "the format %s is not handled", format)
	}
	if pattern := text(schema, "pattern"); pattern != "" {
		n.pattern = b.patternName(pattern, where)
	}
	list, _ := schema["enum"].([]any)
	for _, one := range list {
		choice, ok := one.(string)
		if !ok {
			choice = strconv.FormatInt(whole(one), 10)
		}
		n.choices = append(n.choices, choice)
	}
}

// patternName is the name of a pattern that the field at where is held against.
func (b *builder) patternName(pattern, where string) string {
	names := b.patterns[pattern]
	b.used[pattern] = true
	if len(names) == 0 {
		b.fail(where, "GW_PATTERN(..., %s, ...) is missing in src/gw/pattern.def", quote(pattern))
		return ""
	}
	field := where[strings.LastIndexByte(where, '.')+1:]
	for _, name := range names {
		if strings.EqualFold(name, strings.TrimSuffix(field, "[]")) {
			return name
		}
	}
	return names[0]
}

// addLimits finds the one pair of limits that a node can have.
func (b *builder) addLimits(n *node, schema object, where string) {
	for _, pair := range [][2]string{{"minimum", "maximum"}, {"minLength", "maxLength"},
		{"minItems", "maxItems"}, {"minProperties", "maxProperties"}} {
		low, hasLow := schema[pair[0]]
		high, hasHigh := schema[pair[1]]
		if !hasLow && !hasHigh {
			continue
		}
		if n.low != limitLow || n.high != limitHigh {
			b.fail(where, "limits of two sorts")
		}
		if hasLow {
			n.low = whole(low)
		}
		if hasHigh {
			n.high = whole(high)
		}
	}
}

func (b *builder) addFields(n *node, schema object, where string) {
	required := map[string]bool{}
	list, _ := schema["required"].([]any)
	for _, one := range list {
		required[one.(string)] = true
	}
	properties, _ := schema["properties"].(object)
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		sub := properties[name].(object)
		n.properties = append(n.properties, property{name, b.add(sub, join(where, name)), required[name], sub["default"]})
		delete(required, name)
	}
	for name := range required {
		b.fail(where, "%s is required and not there", name)
	}
	if len(n.properties) > 64 {
		b.fail(where, "%d properties: the engine counts them in 64 bits", len(n.properties))
	}
	if items, ok := schema["items"].(object); ok {
		n.items = b.add(items, where+"[]")
	}
	switch more := schema["additionalProperties"].(type) {
	case object:
		n.items = b.add(more, join(where, "*"))
	case bool:
		n.keep = n.keep || more
	}
	switch n.unique = text(schema, "x-kubernetes-list-type"); n.unique {
	case "map":
		keys, _ := schema["x-kubernetes-list-map-keys"].([]any)
		for _, key := range keys {
			n.keys = append(n.keys, key.(string))
		}
		if len(n.keys) > 4 {
			b.fail(where, "more than four keys")
		}
	case "set":
	default:
		n.unique = ""
	}
}

func (b *builder) addRules(n *node, schema object, where string) {
	list, _ := schema["x-kubernetes-validations"].([]any)
	for _, one := range list {
		fields := one.(object)
		for key := range fields {
			if key != "rule" && key != "message" {
				b.fail(where, "%s of a CEL rule is not handled", key)
			}
		}
		words := text(fields, "rule")
		names := b.rules[words]
		if len(names) == 0 {
			b.fail(where, "GW_CEL(..., %s, ...) is missing in src/gw/cel.def", quote(words))
			continue
		}
		b.used[words] = true
		if pattern := patternOf(words); pattern != "" {
			b.patternName(pattern, where)
		}
		n.rules = append(n.rules, rule{names[0], strings.TrimSpace(text(fields, "message"))})
	}
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}

func text(schema object, key string) string {
	s, _ := schema[key].(string)
	return s
}

func isSet(schema object, key string) bool {
	b, _ := schema[key].(bool)
	return b
}

func whole(value any) int64 {
	number, ok := value.(float64)
	if !ok || number != math.Trunc(number) {
		panic(fmt.Sprintf("%v is no whole number", value))
	}
	return int64(number)
}
