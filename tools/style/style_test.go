package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// plant writes a small tree and returns its root; a file is given as its text.
func plant(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func planted(t *testing.T, files map[string]string) *tree {
	t.Helper()
	tr, err := readTree(plant(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func many(n int, line string) string { return strings.Repeat(line+"\n", n) }

// TestRules: each case is a tree and the one violation that it has, or none.
func TestRules(t *testing.T) {
	const idea = "/* An idea. */\n"
	cases := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a lower room", map[string]string{"src/wire/a.c": idea + "#include \"core/text.h\"\n"}, ""},
		{"a higher room", map[string]string{"src/wire/a.c": idea + "#include \"net/loop.h\"\n"},
			"src/wire/a.c:2: wire may not include net"},
		{"a table of a higher room", map[string]string{"src/http/a.h": idea + "#include \"snap/reason.def\"\n"},
			"src/http/a.h:2: http may not include snap"},
		{"ctl and agent", map[string]string{"src/ctl/a.c": idea + "#include \"agent/agent.h\"\n"},
			"src/ctl/a.c:2: ctl may not include agent"},
		{"an unknown room", map[string]string{"src/util/a.c": idea},
			"src/util/a.c: room util is not in the table of tools/style/layers.go"},
		{"an include in a comment", map[string]string{"src/wire/a.c": idea + "/*\n#include \"net/loop.h\"\n*/\n"}, ""},
		{"without a path", map[string]string{"src/wire/a.c": idea + "#include \"a_table.h\"\n"},
			"src/wire/a.c:2: include by path: \"wire/a_table.h\""},
		{"its own private header", map[string]string{"src/net/a.c": idea + "#include \"net/b_priv.h\"\n"}, ""},
		{"a private header of another room", map[string]string{"src/http/a.c": idea + "#include \"net/b_priv.h\"\n"},
			"src/http/a.c:2: net/b_priv.h is private to room net"},
		{"a unit test's own room", map[string]string{"test/unit/net/a_test.c": "#include \"net/b_priv.h\"\n"}, ""},
		{"a unit test's other room", map[string]string{"test/unit/http/a_test.c": "#include \"net/b_priv.h\"\n"},
			"test/unit/http/a_test.c:1: net/b_priv.h is private to room net"},
		{"the simulated loop", map[string]string{"test/sim/a.c": "#include \"sim/b_priv.h\"\n#include \"net/b_priv.h\"\n"}, ""},
		{"own header first", map[string]string{
			"src/net/a.c": idea + "#include \"net/a.h\"\n#include <stdio.h>\n", "src/net/a.h": idea}, ""},
		{"own private header first", map[string]string{
			"src/net/a.c": idea + "#include \"net/a_priv.h\"\n", "src/net/a.h": idea, "src/net/a_priv.h": idea}, ""},
		{"own header later", map[string]string{
			"src/net/a.c": idea + "#include <stdio.h>\n#include \"net/a.h\"\n", "src/net/a.h": idea},
			"src/net/a.c:1: own header first"},
		{"own header missing", map[string]string{"src/net/a.c": idea, "src/net/a.h": idea},
			"src/net/a.c:1: own header first"},
		{"headers in a circle", map[string]string{
			"src/net/a.h": idea + "#include \"net/b.h\"\n", "src/net/b.h": idea + "\n#include \"net/c.h\"\n",
			"src/net/c.h": idea + "#include \"net/a.h\"\n"},
			"src/net/c.h:2: includes \"net/a.h\", which includes this file"},
		{"headers in a diamond", map[string]string{
			"src/net/a.h": idea + "#include \"net/b.h\"\n#include \"net/c.h\"\n", "src/net/b.h": idea + "#include \"net/d.h\"\n",
			"src/net/c.h": idea + "#include \"net/d.h\"\n", "src/net/d.h": idea}, ""},
		{"openssl in crypt", map[string]string{"src/crypt/a.c": idea + "#include <openssl/evp.h>\n"}, ""},
		{"openssl elsewhere", map[string]string{"src/http/a.c": idea + "#include <openssl/evp.h>\n"},
			"src/http/a.c:2: <openssl/evp.h> is for src/crypt/ src/net/tls alone"},
		{"a socket in a pure room", map[string]string{"src/gw/a.c": idea + "#include <sys/socket.h>\n"},
			"src/gw/a.c:2: gw is pure: no <sys/socket.h>"},
		{"the log in a pure room", map[string]string{"src/snap/a.c": idea + "#include \"core/log.h\"\n"},
			"src/snap/a.c:2: snap is pure: no \"core/log.h\""},
		{"a clock in a pure room", map[string]string{"src/gw/a.c": idea + many(1, "int64_t now = clock_wall_ms();")},
			"src/gw/a.c:2: gw is pure: no clock_wall_ms()"},
		{"a slot named like a call", map[string]string{"src/gw/a.c": idea + "x = ops->read(ops) + ops.write(1);\n"}, ""},
		{"a long function", map[string]string{"src/net/a.c": idea + "int\nlong_one(int a,\n    int b)\n{\n" + many(69, "\ta++;") + "}\n"},
			"src/net/a.c:5: long_one has 71 lines, 70 is the limit of a function"},
		{"a full function", map[string]string{"src/net/a.c": idea + "int\nlong_one(int a)\n{\n" + many(68, "\ta++;") + "}\n"}, ""},
		{"a long table", map[string]string{"src/net/a.c": idea + "static const int t[] = {\n" + many(100, "\t1,") + "};\n"}, ""},
		{"a long file", map[string]string{"src/net/a.c": idea + many(800, "int a;")},
			"src/net/a.c: 801 lines, 800 is the limit of a file"},
		{"a long public header", map[string]string{"src/net/a.h": idea + many(150, "int a;")},
			"src/net/a.h: 151 lines, 150 is the limit of a public header"},
		{"a long private header", map[string]string{"src/net/a_priv.h": idea + many(150, "int a;")}, ""},
		{"sprintf", map[string]string{"src/net/a.c": idea + "\tsprintf(a, b);\n"},
			"src/net/a.c:2: sprintf is banned: text, slice or snprintf"},
		{"snprintf", map[string]string{"src/net/a.c": idea + "\tsnprintf(a, 1, b);\n"}, ""},
		{"sprintf in a string", map[string]string{"src/net/a.c": idea + "\tputs(\"a \\\" sprintf(\");\n"}, ""},
		{"sprintf in a comment", map[string]string{"src/net/a.c": idea + "// sprintf(a)\nint a; /* strcpy(b)\natoi(c) */\n"}, ""},
		{"code behind a quote character", map[string]string{"src/net/a.c": idea + "int q = '\"'; int n = atoi(\"1\");\n"},
			"src/net/a.c:2: atoi is banned: slice_to_number"},
		{"strtol", map[string]string{"src/net/a.c": idea + "\tn = strtoul(a, b, 10);\n"},
			"src/net/a.c:2: strtoul is for core/slice.c alone: slice_to_number"},
		{"strtol where it may be", map[string]string{"src/core/slice.c": idea + "\tn = strtoul(a, b, 10);\n"}, ""},
		{"a ban in a test", map[string]string{"test/unit/net/a_test.c": "\tn = atoi(a);\n"},
			"test/unit/net/a_test.c:1: atoi is banned: slice_to_number"},
		{"goto out", map[string]string{"src/net/a.c": idea + "\tgoto out;\n"}, ""},
		{"goto elsewhere", map[string]string{"src/net/a.c": idea + "\tgoto again;\n"},
			"src/net/a.c:2: the one label is out:, for cleaning up"},
		{"a typedef of a struct", map[string]string{"src/net/a.h": idea + "typedef struct a {\n"},
			"src/net/a.h:2: a struct is not typedef'd"},
		{"a typedef of a function", map[string]string{"src/net/a.h": idea + "typedef void (*net_a_fn)(struct a *a);\n"}, ""},
		{"a choice inside a function", map[string]string{"src/net/a.c": idea + "int\nf(void)\n{\n#ifdef A\n}\n"},
			"src/net/a.c:5: #ifdef inside function f: the choice is a file, or a constant above it"},
		{"a choice above a function", map[string]string{"src/net/a.c": idea + "#ifdef A\n#endif\nint\nf(void)\n{\n#define B\n}\n"}, ""},
		{"no idea", map[string]string{"src/net/a.h": "#ifndef A\n"},
			"src/net/a.h:1: the first comment says what the file is, owns, and never does"},
		{"left undone", map[string]string{"src/net/a.c": idea + "/* " + "TO" + "DO: later */\n"},
			"src/net/a.c:2: TO" + "DO: do it, or make it an issue"},
		{"left undone in Go", map[string]string{"test/e2e/a.go": "// FIX" + "ME\n"},
			"test/e2e/a.go:1: FIX" + "ME: do it, or make it an issue"},
		{"a template", map[string]string{"src/net/a.c": idea + "\tmkdtemp(\"/tmp/aXX" + "XXXX\");\n"}, ""},
		{"data is not read", map[string]string{"test/fuzz/corpus/a/b.yaml": "TO" + "DO\n"}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for _, v := range check(planted(t, c.files)) {
				got += v.String() + "\n"
			}
			want := ""
			if c.want != "" {
				want = c.want + "\n"
			}
			if got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestLongSwitches(t *testing.T) {
	defer func(before map[string]bool) { longSwitches = before }(longSwitches)
	longSwitches = words("src/net/a.c:step src/net/a.c:gone")
	tr := planted(t, map[string]string{
		"src/net/a.c": "/* A. */\nint\nstep(int a)\n{\n" + many(100, "\ta++;") + "}\n"})
	got := fmt.Sprint(check(tr))
	want := "[tools/style/rules.go: src/net/a.c:gone is listed as a long switch and is none]"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if now := measure(tr); now.LongestFunction != 0 {
		t.Errorf("a listed function counts in the ratchet: %d", now.LongestFunction)
	}
}

// TestTable holds the table of rooms itself: known names, arrows down, no twin.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rooms {
		if seen[r.name] {
			t.Errorf("%s is there twice", r.name)
		}
		seen[r.name] = true
		for _, name := range strings.Fields(r.may) {
			lower := roomNamed(name)
			// proxy stands beside announce, agent above both.
			if lower == nil || lower.level >= r.level {
				t.Errorf("%s may include %s, which is not below it", r.name, name)
			}
		}
	}
	for name := range pure {
		for _, lower := range strings.Fields(roomNamed(name).may) {
			if lower != "core" && !pure[lower] {
				t.Errorf("%s is pure and includes %s, which is not", name, lower)
			}
		}
	}
}

func TestFunctions(t *testing.T) {
	text := `static const struct row rows[] = {
	{1},
};

__attribute__((constructor)) static void
first(void)
{
	if (a) {
	}
}

struct a {
	int b;
};

static int
second(
    int a, int b)
{
}
`
	want := []function{{"first", 7, 10}, {"second", 19, 20}}
	if got := findFunctions(splitLines(text)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBlank(t *testing.T) {
	cases := []struct{ text, bare, code string }{
		{"a // b\nc", "a     \nc", "a     \nc"},
		{"a /* b\n'\" */ c", "a     \n      c", "a     \n      c"},
		{`a "/* b */" c`, `a "/* b */" c`, `a "       " c`},
		{`"\"" + '\''`, `"\"" + '\''`, `"  " + '  '`},
		{"a / b * c", "a / b * c", "a / b * c"},
	}
	for _, c := range cases {
		if bare, code := blank(c.text); bare != c.bare || code != c.code {
			t.Errorf("%q: got %q and %q, want %q and %q", c.text, bare, code, c.bare, c.code)
		}
	}
}

func TestRatchet(t *testing.T) {
	before := ratchet{LongestFunction: 10, LongestFile: 100, Arrows: []string{"wire -> core"}}
	same := ratchet{LongestFunction: 10, LongestFile: 99, Arrows: []string{}}
	if found := before.hold(same); len(found) != 0 {
		t.Errorf("what did not rise is reported: %v", found)
	}
	more := ratchet{LongestFunction: 11, LongestFile: 101, Unfinished: 1, Arrows: []string{"net -> core", "wire -> core"}}
	if found := before.hold(more); len(found) != 4 {
		t.Errorf("four things rose: %v", found)
	}
	path := filepath.Join(t.TempDir(), "ratchet.json")
	if err := writeRatchet(path, before); err != nil {
		t.Fatal(err)
	}
	if after, err := readRatchet(path); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("written %v, read %v, %v", before, after, err)
	}
}

func TestRun(t *testing.T) {
	root := plant(t, map[string]string{
		"src/net/a.c":        "/* A. */\n#include \"core/text.h\"\n\nint\nf(void)\n{\n}\n",
		"tools/style/x.go":   "package x\n",
		"src/net/words.yaml": "a: 1\n",
		"ARCHITECTURE.md":    "    L2 net    core crypt\n",
	})
	if err := run(root, false, ""); err == nil || !strings.Contains(err.Error(), "-update") {
		t.Errorf("without a ratchet: %v", err)
	}
	if err := run(root, true, ""); err != nil {
		t.Error(err)
	}
	if err := run(root, false, ""); err != nil {
		t.Error(err)
	}
	text := "/* A. */\n#include \"crypt/digest.h\"\n\nint\nf(void)\n{\n}\n"
	if err := os.WriteFile(filepath.Join(root, "src/net/a.c"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(root, false, ""); err == nil || err.Error() != "style: 1 violations" {
		t.Errorf("a new arrow: %v", err)
	}
}

func TestHeadersAlone(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
	files := map[string]string{
		"src/net/good.h":            "#ifndef A\n#define A\n#include <stdint.h>\nuint8_t a(void);\n#endif\n",
		"src/net/bad.h":             "#ifndef B\n#define B\nuint8_t b(void);\n#endif\n",
		"src/core/record_structs.h": "#include RECORD_FILE\n",
	}
	root := plant(t, files)
	tr, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	found := headersAlone(root, tr, "gcc")
	if len(found) != 1 || found[0].file != "src/net/bad.h" || found[0].line != 3 {
		t.Errorf("got %v, want src/net/bad.h:3 alone", found)
	}
	if found := headersAlone(root, tr, ""); len(found) != 0 {
		t.Errorf("left out, and yet %v", found)
	}
}

func TestArchitecture(t *testing.T) {
	files := map[string]string{
		"src/net/a.c":     "/* A. */\n#include \"core/text.h\"\n",
		"src/cmd/a.c":     "/* A. */\n#include \"net/a.h\"\n",
		"src/net/odd.def": "",
	}
	cases := []struct {
		text string
		want []string
	}{
		{"    L2 net   core crypt   sockets\n    L6 cmd   all\n| net/odd.def |\n", nil},
		{"    L2 net   crypt\n    L6 cmd   + what it uses\n| net/odd.def |\n", []string{"net includes core"}},
		{"    L3 net   core\n    L6 cmd   all\n| net/odd.def |\n", []string{"net is on level 2"}},
		{"    L2 net   core\n    L6 cmd   all\n    L1 attic   x\n", []string{"attic is no room", "the table net/odd.def is not there"}},
		{"    L2 net   core\n| net/odd.def |\n" + many(199, "x"), []string{"201 lines, 200 at most", "the room cmd is not there"}},
	}
	for _, c := range cases {
		files["ARCHITECTURE.md"] = c.text
		root := plant(t, files)
		tr, err := readTree(root)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range architecture(root, tr) {
			got = append(got, v.message)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}
