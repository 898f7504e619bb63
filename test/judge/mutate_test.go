package judge

import (
	"encoding/json"
	"math/rand"
	"strings"
)

// mutator changes valid objects, guided by their schemas: one to four changes an
// object, each at a random place. The same seed gives the same objects.
type mutator struct {
	random *rand.Rand
	// values seen in the corpus, by the last name of their path, and by the path.
	byName, byPath map[string][]any
}

// site is a place in an object: its container, and how its value is changed.
type site struct {
	path   string
	schema object
	value  any
	set    func(value any)
	remove func()
	parent any
}

func newMutator(seed int64, corpus []object) *mutator {
	m := &mutator{rand.New(rand.NewSource(seed)), map[string][]any{}, map[string][]any{}}
	for _, one := range corpus {
		m.remember(one["kind"].(string), one)
	}
	return m
}

func (m *mutator) remember(path string, value any) {
	name := path[strings.LastIndexByte(path, '.')+1:]
	m.byPath[path] = append(m.byPath[path], value)
	m.byName[name] = append(m.byName[name], value)
	switch v := value.(type) {
	case object:
		for _, key := range sortedKeys(v) {
			m.remember(path+"."+key, v[key])
		}
	case []any:
		for _, one := range v {
			m.remember(path+"[]", one)
		}
	}
}

func (m *mutator) chance(percent int) bool { return m.random.Intn(100) < percent }

func pick[T any](m *mutator, list []T) T { return list[m.random.Intn(len(list))] }

func clone(value any) any {
	switch v := value.(type) {
	case object:
		out := object{}
		for key, one := range v {
			out[key] = clone(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = clone(one)
		}
		return out
	}
	return value
}

// mutate returns a changed copy of an object of the kind.
func (m *mutator) mutate(k *kind, base object, name string) object {
	out := clone(base).(object)
	if metadata, ok := out["metadata"].(object); ok {
		metadata["name"] = name
	}
	changes := 1
	for changes < 4 && m.chance(40) {
		changes++
	}
	for range changes {
		sites := m.sites(k, out)
		if len(sites) > 0 {
			m.change(pick(m, sites))
		}
	}
	return out
}

// sites of what may be changed: not what kind of object it is; metadata seldom.
func (m *mutator) sites(k *kind, document object) []site {
	var found []site
	properties, _ := k.schema["properties"].(object)
	for _, key := range sortedKeys(document) {
		switch {
		case key == "apiVersion" || key == "kind" || key == "status":
			continue
		case key == "metadata" && !m.chance(10):
			continue
		}
		schema, _ := properties[key].(object)
		if key == "metadata" {
			schema = metadataSchema
		}
		collectSites(&found, site{
			path: k.name + "." + key, schema: schema, value: document[key],
			set:    func(value any) { document[key] = value },
			remove: func() { delete(document, key) },
			parent: document,
		})
	}
	return found
}

var metadataSchema = object{"type": "object", "properties": object{
	"name": object{"type": "string"}, "namespace": object{"type": "string"},
	"labels":      object{"type": "object", "additionalProperties": object{"type": "string"}},
	"annotations": object{"type": "object", "additionalProperties": object{"type": "string"}},
	"finalizers":  object{"type": "array", "items": object{"type": "string"}},
}}

func collectSites(found *[]site, at site) {
	*found = append(*found, at)
	switch v := at.value.(type) {
	case object:
		properties, _ := at.schema["properties"].(object)
		for _, key := range sortedKeys(v) {
			schema, ok := properties[key].(object)
			if !ok {
				schema, _ = at.schema["additionalProperties"].(object)
			}
			collectSites(found, site{
				path: at.path + "." + key, schema: schema, value: v[key],
				set:    func(value any) { v[key] = value },
				remove: func() { delete(v, key) },
				parent: v,
			})
		}
	case []any:
		items, _ := at.schema["items"].(object)
		for i := range v {
			collectSites(found, site{
				path: at.path + "[]", schema: items, value: v[i],
				set: func(value any) { v[i] = value },
				remove: func() {
					at.set(append(append([]any{}, v[:i]...), v[i+1:]...))
				},
				parent: v,
			})
		}
	}
}

func (m *mutator) change(at site) {
	changes := []func(site){
		m.drop, m.retype, m.nothing, m.otherValue, m.otherValue, m.otherValue,
		m.strangeName, m.addField, m.addField, m.addField, m.bend, m.bend, m.bend, m.repeat,
	}
	pick(m, changes)(at)
}

func (m *mutator) drop(at site) { at.remove() }

func (m *mutator) retype(at site) {
	at.set(pick(m, []any{"text", "", 7, -1, 1.5, true, false, nil, object{}, []any{}, []any{"text"},
		[]any{nil}, object{"a": "b"}, []any{object{}}, "80", "true"}))
}

// nothing makes the value empty.
func (m *mutator) nothing(at site) {
	switch at.value.(type) {
	case object:
		at.set(pick(m, []any{object{}, nil}))
	case []any:
		at.set(pick(m, []any{[]any{}, nil}))
	case string:
		at.set(pick(m, []any{"", nil}))
	default:
		at.set(pick(m, []any{0, nil}))
	}
}

// otherValue takes what another object has at this path, or under this name.
func (m *mutator) otherValue(at site) {
	values := m.byPath[at.path]
	name := at.path[strings.LastIndexByte(at.path, '.')+1:]
	if len(values) < 3 || m.chance(15) {
		values = m.byName[name]
	}
	if len(values) > 0 {
		at.set(clone(pick(m, values)))
	}
}

// strangeName adds a field that the schema may not have.
func (m *mutator) strangeName(at site) {
	v, ok := at.value.(object)
	if !ok {
		m.addField(at)
		return
	}
	name := pick(m, []string{"unknown", "Name", "typ", "group ", "", "a.b", "spec", "0", "x-y", "hostname", "ports"})
	if len(v) > 0 && m.chance(60) {
		name = pick(m, sortedKeys(v)) + pick(m, []string{"s", "", "_", "X"})
	}
	v[name] = pick(m, []any{"text", 1, nil, object{"a": "b"}, []any{"a"}})
}

// addField adds an optional field, or an item, as the schema describes it.
func (m *mutator) addField(at site) {
	switch v := at.value.(type) {
	case object:
		properties, _ := at.schema["properties"].(object)
		if names := sortedKeys(properties); len(names) > 0 {
			name := pick(m, names)
			v[name] = m.grow(at.path+"."+name, properties[name].(object), 0)
		} else if schema, ok := at.schema["additionalProperties"].(object); ok {
			v[m.text()] = m.grow(at.path+".*", schema, 0)
		}
	case []any:
		if items, ok := at.schema["items"].(object); ok {
			at.set(append(append([]any{}, v...), m.grow(at.path+"[]", items, 0)))
		}
	default:
		m.bend(at)
	}
}

// repeat doubles an item, once or past every limit.
func (m *mutator) repeat(at site) {
	v, ok := at.value.([]any)
	if !ok || len(v) == 0 {
		m.bend(at)
		return
	}
	out := append([]any{}, v...)
	count := 1
	if most, ok := number(at.schema["maxItems"]); ok && most < 300 && m.chance(50) {
		count = int(most) - len(v) + m.random.Intn(2)
	}
	for range count {
		one := clone(pick(m, v))
		if fields, ok := one.(object); ok && m.chance(60) {
			for _, key := range []string{"name", "port", "value", "hostname"} {
				if _, ok := fields[key]; ok && m.chance(60) {
					fields[key] = m.bent(fields[key], nil)
				}
			}
		}
		out = append(out, one)
	}
	at.set(out)
}

func (m *mutator) bend(at site) {
	switch at.value.(type) {
	case object, []any:
		m.otherValue(at)
	default:
		at.set(m.bent(at.value, at.schema))
	}
}

// bent is a scalar a little or much beside the old one.
func (m *mutator) bent(value any, schema object) any {
	if choices, ok := schema["enum"].([]any); ok && m.chance(70) {
		return pick(m, choices)
	}
	switch v := value.(type) {
	case string:
		return m.bentText(v, schema)
	case bool:
		return !v
	case nil:
		return m.text()
	}
	if least, ok := number(schema["minimum"]); ok && m.chance(30) {
		return json.Number(decimal(least - float64(m.random.Intn(2))))
	}
	if most, ok := number(schema["maximum"]); ok && m.chance(30) {
		return json.Number(decimal(most + float64(m.random.Intn(2))))
	}
	return json.Number(pick(m, []string{"0", "1", "-1", "80", "443", "8080", "65535", "65536", "2147483647", "2147483648",
		"4294967296", "9223372036854775807", "9223372036854775808", "1.5", "1e3", "80.0", "-0", "1e400", "100", "503"}))
}

func (m *mutator) bentText(v string, schema object) any {
	if most, ok := number(schema["maxLength"]); ok && most < 5000 && m.chance(20) {
		fill := "a"
		if m.chance(30) {
			fill = "é"
		}
		return strings.Repeat(fill, int(most)+m.random.Intn(2))
	}
	switch m.random.Intn(8) {
	case 0:
		return v + pick(m, []string{".", "-", "/", "a", " ", "\n", "*", "#", "%2F", ":80", "_", "é", "\u0000", "0"})
	case 1:
		return pick(m, []string{".", "-", "/", "A", " ", "*.", "_", "%", "/a", "0"}) + v
	case 2:
		return strings.ToUpper(v)
	case 3:
		return strings.ToLower(v)
	case 4:
		if len(v) > 1 {
			cut := 1 + m.random.Intn(len(v)-1)
			return v[:cut] + pick(m, []string{"", "//", ".", "..", "/./", "/../", " ", "-.", ";"}) + v[cut:]
		}
	}
	return m.text()
}

var texts = []string{
	"", "a", "A", "-a", "a-", "a.b", "a..b", ".a", "a_b", "a b", " ", "é", "日本", "\t", "a\nb", "*", "*.", "*.example.com",
	"*.com", "*example.com", "a.*.com", "example.com", "Example.com", "example.com.", "example.com:80", "1.2.3.4", "1.2.3",
	"1.2.3.256", "01.2.3.4", "::1", "2001:db8::1", "fe80::1%eth0", "1.2.3.4/24", "10.0.0.1-10.0.0.9", "10.0.0.0/33",
	"2001:db8::/64", "/", "//", "/a", "/a/../b", "/a/./b", "/a/..", "/a#b", "/a%2Fb", "/a%2fb", "/a?b=c", "a/b", "/[a-z]+",
	"(", "[a", "a{2,1}", "10s", "0s", "0", "1h", "1h30m", "1m1m1m1m1m", "100ms", "-1s", "1.5s", "99999h", "100000h", "1d",
	"50%", "100", "http", "https", "HTTP", "http://a.example", "https://*.example.com:8443", "*://a", "GET", "get", "Service",
	"Secret", "Gateway", "gateway.networking.k8s.io", "networking.x-k8s.io", "yumen.dev/thing", "yumen.dev/", "/thing",
	"k8s.io/thing", "X-Header", "x-header", "x header", "x:header", "true", "True", "0x10", "null", "~",
	"64512:100", "large:1:2:3", "1s", "IPAddress", "Hostname", "NamedAddress", "IPv4", "IPv6", "FQDN", "TCP", "UDP", "SCTP",
	"ClusterIP", "ExternalName", "LoadBalancer", "NodePort", "None", "Always", "2026-01-02T03:04:05Z", "2026-13-02T03:04:05Z",
}

func (m *mutator) text() string {
	switch m.random.Intn(12) {
	case 0:
		return strings.Repeat("a", pick(m, []int{62, 63, 64, 252, 253, 254, 256, 257, 1024, 1025}))
	case 1:
		return strings.TrimSuffix(strings.Repeat("abcdefg.", pick(m, []int{8, 31, 32})), ".")
	}
	return pick(m, texts)
}

// grow makes a value of a schema: fields that must be there and some others.
func (m *mutator) grow(path string, schema object, depth int) any {
	name := path[strings.LastIndexByte(path, '.')+1:]
	if values := m.byPath[path]; len(values) > 0 && m.chance(40) {
		return clone(pick(m, values))
	}
	if choices, ok := schema["enum"].([]any); ok && !m.chance(5) {
		return pick(m, choices)
	}
	switch schema["type"] {
	case "object":
		return m.growMap(path, schema, depth)
	case "array":
		items, _ := schema["items"].(object)
		least, _ := number(schema["minItems"])
		list := []any{}
		for range int(least) + m.random.Intn(3) {
			if depth < 6 {
				list = append(list, m.grow(path+"[]", items, depth+1))
			}
		}
		return list
	case "boolean":
		return m.chance(50)
	case "integer", "number":
		return m.bent(1, schema)
	}
	if values := m.byName[name]; len(values) > 0 && m.chance(60) {
		return clone(pick(m, values))
	}
	return m.bentText("text", schema)
}

func (m *mutator) growMap(path string, schema object, depth int) any {
	out := object{}
	properties, _ := schema["properties"].(object)
	required := map[string]bool{}
	list, _ := schema["required"].([]any)
	for _, one := range list {
		required[one.(string)] = true
	}
	share := 50 / (1 + len(properties)/4)
	for _, name := range sortedKeys(properties) {
		if !required[name] && !m.chance(share) || m.chance(3) {
			continue
		}
		if depth < 6 {
			out[name] = m.grow(path+"."+name, properties[name].(object), depth+1)
		}
	}
	if sub, ok := schema["additionalProperties"].(object); ok {
		for range m.random.Intn(3) {
			out[m.text()] = m.grow(path+".*", sub, depth+1)
		}
	}
	return out
}

func number(value any) (float64, bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

func decimal(value float64) string {
	text, _ := json.Marshal(int64(value))
	return string(text)
}
