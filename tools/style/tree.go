package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// searched are the folders with files of ours; corpora and golden files are data.
var searched = []string{"src", "test", "tools", "bench", "deploy", "examples"}

var skipped = map[string]bool{"corpus": true, "golden": true, "testdata": true, "node_modules": true}

// extensions that are read; those of C get all rules.
var extensions = map[string]bool{".c": true, ".h": true, ".def": true,
	".go": false, ".sh": false, ".build": false, ".yaml": false, ".py": false}

type file struct {
	path  string   // from the root, with slashes
	lines []string // as they are
	// The same lines with comments blanked, and with the contents of strings
	// blanked too. What is left stands where it stood.
	bare, code []string
	includes   []include
	functions  []function
}

type include struct {
	line   int
	path   string
	system bool
}

type function struct {
	name        string
	first, last int // the lines of its braces
}

func (f function) length() int { return f.last - f.first + 1 }

type tree struct {
	files  []*file
	byPath map[string]*file
}

func (f *file) isC() bool       { return extensions[filepath.Ext(f.path)] }
func (f *file) isSource() bool  { return filepath.Ext(f.path) == ".c" }
func (f *file) isHeader() bool  { return filepath.Ext(f.path) == ".h" }
func (f *file) isPrivate() bool { return strings.HasSuffix(f.path, "_priv.h") }

// room is the room under src that the file is in, or "".
func (f *file) room() string {
	parts := strings.Split(f.path, "/")
	if len(parts) < 3 || parts[0] != "src" {
		return ""
	}
	return parts[1]
}

func readTree(root string) (*tree, error) {
	t := &tree{byPath: map[string]*file{}}
	for _, folder := range searched {
		top := filepath.Join(root, folder)
		if _, err := os.Stat(top); os.IsNotExist(err) {
			continue
		}
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (skipped[d.Name()] || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			if _, known := extensions[filepath.Ext(path)]; !known || !d.Type().IsRegular() {
				return nil
			}
			return t.read(root, path)
		})
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tree) read(root, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	f := &file{path: filepath.ToSlash(name), lines: splitLines(string(text))}
	if f.isC() {
		bare, code := blank(string(text))
		f.bare, f.code = splitLines(bare), splitLines(code)
		f.includes = findIncludes(f.bare)
		f.functions = findFunctions(f.code)
	}
	t.files = append(t.files, f)
	t.byPath[f.path] = f
	return nil
}

func splitLines(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// blank returns C text twice: without comments, and also without what is inside
// of strings and character constants. Line ends stay.
func blank(text string) (bare, code string) {
	const (
		plain = iota
		lineComment
		blockComment
		quoted
	)
	b, c := []byte(text), []byte(text)
	state, quote := plain, byte(0)
	hide := func(i int, inCode bool) {
		if text[i] == '\n' {
			return
		}
		c[i] = ' '
		if !inCode {
			b[i] = ' '
		}
	}
	for i := 0; i < len(text); i++ {
		two := ""
		if i+1 < len(text) {
			two = text[i : i+2]
		}
		switch state {
		case plain:
			switch {
			case two == "//" || two == "/*":
				state = lineComment
				if two == "/*" {
					state = blockComment
				}
				hide(i, false)
				i++
				hide(i, false)
			case text[i] == '"' || text[i] == '\'':
				state, quote = quoted, text[i]
			}
		case lineComment:
			if text[i] == '\n' {
				state = plain
			}
			hide(i, false)
		case blockComment:
			hide(i, false)
			if two == "*/" {
				i++
				hide(i, false)
				state = plain
			}
		case quoted:
			switch {
			case text[i] == '\\' && i+1 < len(text):
				hide(i, true)
				i++
				hide(i, true)
			case text[i] == quote || text[i] == '\n':
				state = plain
			default:
				hide(i, true)
			}
		}
	}
	return string(b), string(c)
}

var includeLine = regexp.MustCompile(`^\s*#\s*include\s*(?:"([^"]*)"|<([^>]*)>)`)

func findIncludes(bare []string) []include {
	var found []include
	for i, line := range bare {
		if m := includeLine.FindStringSubmatch(line); m != nil {
			found = append(found, include{i + 1, m[1] + m[2], m[2] != ""})
		}
	}
	return found
}

// The layout puts the name of a function first on its line and both braces of its
// body alone in the first column.
var functionName = regexp.MustCompile(`^([A-Za-z_]\w*)\(`)

func findFunctions(code []string) []function {
	var found []function
	name, open := "", 0
	for i, line := range code {
		line = strings.TrimRight(line, " \t\r")
		switch {
		case open == 0 && line == "{":
			open = i + 1
		case open > 0 && line == "}":
			found = append(found, function{name, open, i + 1})
			name, open = "", 0
		case open == 0:
			if m := functionName.FindStringSubmatch(line); m != nil && m[1] != "__attribute__" {
				name = m[1]
			}
		}
	}
	return found
}
