package main

import (
	"bytes"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

const heading = "/* Made by tools/crds from"

// writer collects the arrays of a table file.
type writer struct {
	out     bytes.Buffer
	pool    bytes.Buffer // all texts, each with its NUL
	offsets map[string]int

	limits, properties, words, rules, parts, members, values rows
	err                                                      error
}

// rows is one array; equal runs of rows are shared.
type rows struct {
	lines []string
	runs  map[string]int
}

// put appends a run of rows unless it is there, and returns its first index.
func (r *rows) put(run ...string) int {
	if len(run) == 0 {
		return 0
	}
	key := strings.Join(run, "\n")
	if at, known := r.runs[key]; known {
		return at
	}
	if r.runs == nil {
		r.runs = map[string]int{}
	}
	r.runs[key] = len(r.lines)
	r.lines = append(r.lines, run...)
	return r.runs[key]
}

func (w *writer) text(s string) int {
	if at, known := w.offsets[s]; known {
		return at
	}
	at := w.pool.Len()
	w.offsets[s] = at
	w.pool.WriteString(s)
	w.pool.WriteByte(0)
	if at > 0xffff {
		w.err = fmt.Errorf("more than 64 KiB of texts")
	}
	return at
}

func writeSchemas(b *builder, kinds []kind) ([]byte, error) {
	w := &writer{offsets: map[string]int{}}
	w.text("")
	w.limits.put("{INT64_MIN, INT64_MAX}")
	w.parts.put("{0, 0, 0, 0, 0}")
	w.values.put("{0, 0, 0, 0, 0}")
	var nodes, heads []string
	for _, n := range b.nodes {
		nodes = append(nodes, w.node(n))
	}
	for _, k := range kinds {
		heads = append(heads, fmt.Sprintf("{%d, %d, %d, %d, %d, %d, %t}, /* %s */", w.text(k.group), w.text(k.version),
			w.text(k.name), w.text(k.plural), w.text(k.short), k.root, k.namespaced, k.name+" "+k.version))
	}
	w.heading("schemas of every kind and version that is judged")
	w.array("struct kind_row", "kinds", heads)
	w.array("struct node", "nodes", nodes)
	w.array("struct property", "properties", closed(w.properties.lines))
	w.array("struct limits", "limits", closed(w.limits.lines))
	w.array("struct rule_use", "rules", closed(w.rules.lines))
	w.array("struct parts", "parts", closed(w.parts.lines))
	w.array("struct value", "values", closed(w.values.lines))
	w.array("uint16_t", "members", closed(w.members.lines))
	w.array("uint16_t", "words", closed(w.words.lines))
	w.texts()
	return w.out.Bytes(), w.err
}

func closed(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = line + ","
	}
	return out
}

func (w *writer) heading(what string) {
	fmt.Fprintf(&w.out, "%s the modules below (`make tables`): %s.\n * Not to be edited.\n", heading, what)
	for _, s := range sources {
		fmt.Fprintf(&w.out, " *\t%s %s\n", s.module, s.version)
	}
	w.out.WriteString(" */\n")
}

func (w *writer) array(kind, name string, lines []string) {
	fmt.Fprintf(&w.out, "static const %s %s[] = {\n", kind, name)
	for _, line := range lines {
		w.out.WriteString("\t" + line + "\n")
	}
	w.out.WriteString("};\n")
	if len(lines) > 0xffff {
		w.err = fmt.Errorf("%s has more than 65536 rows", name)
	}
}

func (w *writer) texts() {
	w.out.WriteString("static const char texts[] =\n")
	for _, one := range strings.SplitAfter(strings.TrimSuffix(w.pool.String(), "\x00"), "\x00") {
		w.out.WriteString("\t" + quote(strings.TrimSuffix(one, "\x00")) + " \"\\0\"\n")
	}
	w.out.WriteString("\t;\n")
}

// quote writes a string literal of C.
func quote(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c == '\n':
			out.WriteString("\\n")
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&out, "\\%03o", c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}

var formats = map[string]string{"": "0", "byte": "FORMAT_BYTE", "base64": "FORMAT_BASE64", "ipv4": "FORMAT_IPV4", "ipv6": "FORMAT_IPV6",
	"date-time": "FORMAT_DATE_TIME"}
var uniques = map[string]string{"": "0", "set": "UNIQUE_SET", "map": "UNIQUE_MAP"}

func (w *writer) node(n *node) string {
	limits, pattern, items := 0, "0", "NONE"
	if n.low != limitLow || n.high != limitHigh {
		limits = w.limits.put(fmt.Sprintf("{%s, %s}", limit(n.low), limit(n.high)))
	}
	if n.pattern != "" {
		pattern = "GW_PATTERN_" + n.pattern + " + 1"
	}
	if n.items >= 0 {
		items = strconv.Itoa(n.items)
	}
	var properties, rules []string
	wanted := uint64(0)
	for i, p := range n.properties {
		properties = append(properties, fmt.Sprintf("{%d, %d, %t, %d, %d}", w.text(p.name), len(p.name), p.required, p.node,
			w.fallback(p.fallback)))
		if p.required || p.fallback != nil {
			wanted |= 1 << i
		}
	}
	for _, r := range n.rules {
		rules = append(rules, fmt.Sprintf("{GW_CEL_%s, %d}", r.name, w.text(r.message)))
	}
	parts := 0
	if len(n.all)+len(n.any)+len(n.one)+len(n.not) > 0 {
		parts = w.parts.put(fmt.Sprintf("{%d, %d, %d, %d, %d}", len(n.all), len(n.any), len(n.one), len(n.not),
			w.members.put(numbers(n.all, n.any, n.one, n.not)...)))
	}
	return fmt.Sprintf("{%#x, %#x, %t, %t, %t, %s, %s, %d, %d, %d, %d, %d, %s, %d, %d, %d, %d, %s, %d}, /* %s */",
		wanted, n.types, n.keep, n.native, n.zero, formats[n.format], uniques[n.unique],
		len(n.properties), len(n.choices), len(n.rules), len(n.keys),
		limits, pattern, w.properties.put(properties...), w.words.put(w.list(n.choices)...), w.rules.put(rules...),
		w.words.put(w.list(n.keys)...), items, parts, n.where)
}

func limit(value int64) string {
	switch value {
	case limitLow:
		return "INT64_MIN"
	case limitHigh:
		return "INT64_MAX"
	}
	return strconv.FormatInt(value, 10)
}

func numbers(lists ...[]int) []string {
	var out []string
	for _, list := range lists {
		for _, one := range list {
			out = append(out, strconv.Itoa(one))
		}
	}
	return out
}

func (w *writer) list(words []string) []string {
	var out []string
	for _, one := range words {
		out = append(out, strconv.Itoa(w.text(one)))
	}
	return out
}

// fallback returns the index of a default among the values, 0 for none.
func (w *writer) fallback(value any) int {
	if value == nil {
		return 0
	}
	return w.values.put(w.value("", value)...)
}

// value lists a JSON value in pre-order: {kind, key, text, number, values below it}.
func (w *writer) value(key string, value any) []string {
	at := w.text(key)
	switch v := value.(type) {
	case string:
		return []string{fmt.Sprintf("{TREE_TEXT, %d, %d, 0, 0}", at, w.text(v))}
	case bool:
		number := 0
		if v {
			number = 1
		}
		return []string{fmt.Sprintf("{TREE_BOOL, %d, %d, %d, 0}", at, w.text(strconv.FormatBool(v)), number)}
	case float64:
		return []string{fmt.Sprintf("{TREE_INTEGER, %d, %d, %d, 0}", at, w.text(strconv.FormatInt(whole(v), 10)), whole(v))}
	}
	var below []string
	kind := "TREE_LIST"
	if list, ok := value.([]any); ok {
		for _, one := range list {
			below = append(below, w.value("", one)...)
		}
	} else {
		fields := value.(object)
		names := make([]string, 0, len(fields))
		for name := range fields {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			below = append(below, w.value(name, fields[name])...)
		}
		kind = "TREE_MAP"
	}
	return append([]string{fmt.Sprintf("{%s, %d, 0, 0, %d}", kind, at, len(below))}, below...)
}

// writePatterns writes one automaton a pattern.
func writePatterns(patterns map[string][]string) ([]byte, error) {
	w := &writer{offsets: map[string]int{}}
	var classes, moves rows
	var heads []string
	texts := make([]string, 0, len(patterns))
	for text := range patterns {
		texts = append(texts, text)
	}
	sort.Slice(texts, func(i, j int) bool { return patterns[texts[i]][0] < patterns[texts[j]][0] })
	for _, text := range texts {
		d, err := compile(text)
		if err != nil {
			return nil, err
		}
		var row strings.Builder
		for c, class := range d.classes {
			fmt.Fprintf(&row, "%d,", class)
			if c%64 == 63 && c < 255 {
				row.WriteString("\n\t ")
			}
		}
		var next []string
		for _, to := range d.next {
			next = append(next, numbers(to)...)
		}
		for _, name := range patterns[text] {
			heads = append(heads, fmt.Sprintf("[GW_PATTERN_%s] = {%d, %d, %d, %d, %d}, /* %d states */", name,
				moves.put(next...), classes.put("{"+row.String()+"}"), d.columns, d.start, d.accepting, len(d.next)))
		}
	}
	var lines []string
	for at := 0; at < len(moves.lines); at += 32 {
		lines = append(lines, strings.Join(moves.lines[at:min(at+32, len(moves.lines))], ",")+",")
	}
	w.heading("the patterns of src/gw/pattern.def, as automata over bytes")
	w.array("struct automaton", "automata", heads)
	w.array("uint8_t", "classes[][256]", closed(classes.lines))
	w.array("uint16_t", "moves", lines)
	return bytes.ReplaceAll(w.out.Bytes(), []byte("[][256][]"), []byte("[][256]")), w.err
}
