package main

import (
	"math/rand"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Texts near a pattern: bits of it, and of what the CRDs' fields hold.
func nearTexts(random *rand.Rand, pattern string, count int) []string {
	bits := []string{"a", "z", "A", "0", "9", "-", ".", "/", "*", "*.", ":", "_", " ", "\t", "\n", "é", "世", "😀", "%2f",
		"%", "http", "https", "https://a", "://", "Hostname", "IPAddress", "System", "ms", "1h", "65535", "Mi", "1e3", "+", "",
		"example.com", "a-b", "foo/bar", "k8s.io/x", "HTTP", "@sha256:", "255.", "10.0.0.1", ".mmdb", strings.Repeat("a", 62)}
	for i := 0; i < 8; i++ {
		from := random.Intn(len(pattern) + 1)
		bits = append(bits, strings.ToValidUTF8(pattern[from:min(from+1+random.Intn(3), len(pattern))], ""))
	}
	texts := []string{""}
	for len(texts) < count {
		var text strings.Builder
		for n := random.Intn(7); n >= 0; n-- {
			text.WriteString(bits[random.Intn(len(bits))])
		}
		texts = append(texts, text.String())
	}
	return texts
}

// An automaton says what Go's regexp says, of every pattern in the tables and of some
// that are not.
func TestAutomataAreTheirPatterns(t *testing.T) {
	patterns, err := readNames("../../src/gw/pattern.def", "GW_PATTERN")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"a|b", "^a|b$", "", "^$", "(?i)^straße$", "[^a-c]", "^.{2,3}$", "(?s)^.*x$", "ab*c", "^[^\\x00-\\x{7ff}]+$"}
	for pattern := range patterns {
		all = append(all, pattern)
	}
	for _, pattern := range all {
		random := rand.New(rand.NewSource(1))
		automaton, err := compile(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		expression := regexp.MustCompile(pattern)
		accepted := 0
		for _, text := range nearTexts(random, pattern, 4000) {
			wanted := expression.MatchString(text)
			if wanted {
				accepted++
			}
			if got := automaton.matches(text); got != wanted {
				t.Errorf("%s of %q: got %t, want %t", pattern, text, got, wanted)
				break
			}
		}
		if accepted == 0 && pattern != "^[a-f0-9]{64}$" && pattern != "(?i)^straße$" {
			t.Errorf("%s: no text was accepted", pattern)
		}
	}
}

func TestAssertionsThatNoTableHolds(t *testing.T) {
	for _, pattern := range []string{`\bword\b`, `(?m)^a$`} {
		if _, err := compile(pattern); err == nil {
			t.Errorf("%s was taken", pattern)
		}
	}
}

// What the builder must refuse, so that no rule of a new CRD is passed over.
func TestWhatHasNoTable(t *testing.T) {
	for _, c := range []struct {
		schema object
		wanted string
	}{
		{object{"type": "string", "x-kubernetes-validations": []any{object{"rule": "self != 'a'"}}}, "GW_CEL"},
		{object{"type": "string", "pattern": "^new$"}, "GW_PATTERN"},
		{object{"type": "string", "format": "uuid"}, "format"},
		{object{"type": "string", "nullable": true}, "nullable"},
		{object{"type": "object", "dependencies": object{}}, "keyword"},
		{object{"type": "object", "required": []any{"a"}}, "required"},
		{object{"minimum": 1.0, "maxLength": 2.0}, "limits"},
		{object{"x-kubernetes-validations": []any{object{"rule": "known", "reason": "x"}}}, "reason"},
	} {
		b := newBuilder(map[string][]string{"known": {"KNOWN"}}, nil)
		b.used["known"] = true
		b.add(c.schema, "spec")
		problems := strings.Join(b.problems(), "\n")
		if !strings.Contains(problems, c.wanted) {
			t.Errorf("%v: got %q, want %q", c.schema, problems, c.wanted)
		}
	}
}

func TestEqualSchemasAreOne(t *testing.T) {
	b := newBuilder(nil, nil)
	port := object{"type": "integer", "minimum": 1.0, "maximum": 65535.0}
	b.add(object{"type": "object", "properties": object{"a": port, "b": port, "c": object{"type": "string"}}}, "spec")
	if len(b.nodes) != 4 { // anything, the port, the text, the map
		t.Errorf("%d nodes", len(b.nodes))
	}
}

func TestPatternsInRules(t *testing.T) {
	for rule, wanted := range map[string]string{
		`self.matches('^a\\.b$')`:                          `^a\.b$`,
		`self.matches(r"^a\.b$")`:                          `^a\.b$`,
		`self.all(k, k.matches(r"""^"x"$"""))`:             `^"x"$`,
		`self.matches('^one$') && self.matches('^two$')`:   `^two$`,
		`has(self.matches) ? self.matches.size() > 0 : no`: ``,
	} {
		if got := patternOf(rule); got != wanted {
			t.Errorf("%s: got %s, want %s", rule, got, wanted)
		}
	}
}

// The tables in the tree are what the modules say. Where the modules cannot be had,
// this is skipped.
func TestTablesAreCurrent(t *testing.T) {
	for i := range sources {
		archive, err := sources[i].open()
		if err != nil {
			t.Skip(err)
		}
		archive.Close()
	}
	if err := run("../..", true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("../../src/gw/schema_tables.inc"); err != nil {
		t.Error(err)
	}
}
