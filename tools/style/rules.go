package main

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	functionLinesMax = 70
	fileLinesMax     = 800
	headerLinesMax   = 150
)

// longSwitches are the state machines that are one switch and may be longer than
// a function: "path:function".
var longSwitches = map[string]bool{}

func lengths(f *file) []violation {
	var found []violation
	if n := len(f.lines); n > fileLinesMax {
		found = append(found, violation{f.path, 0,
			fmt.Sprintf("%d lines, %d is the limit of a file", n, fileLinesMax)})
	}
	if n := len(f.lines); f.room() != "" && f.isHeader() && !f.isPrivate() && n > headerLinesMax {
		found = append(found, violation{f.path, 0,
			fmt.Sprintf("%d lines, %d is the limit of a public header", n, headerLinesMax)})
	}
	for _, fn := range f.functions {
		if n := fn.length(); n > functionLinesMax && !longSwitches[f.path+":"+fn.name] {
			found = append(found, violation{f.path, fn.first,
				fmt.Sprintf("%s has %d lines, %d is the limit of a function", fn.name, n, functionLinesMax)})
		}
	}
	return found
}

// staleSwitches finds entries of longSwitches that nothing needs any more.
func staleSwitches(t *tree) []violation {
	needed := map[string]bool{}
	for _, f := range t.files {
		for _, fn := range f.functions {
			if fn.length() > functionLinesMax {
				needed[f.path+":"+fn.name] = true
			}
		}
	}
	var found []violation
	for name := range longSwitches {
		if !needed[name] {
			found = append(found, violation{"tools/style/rules.go", 0,
				name + " is listed as a long switch and is none"})
		}
	}
	return found
}

// bans are what C text outside of comments and strings may not have, and the
// files where it may stand all the same.
var bans = []struct {
	pattern *regexp.Regexp
	except  string
	message string
}{
	{call(`strcpy|strcat|stpcpy|strncat|strncpy|sprintf|vsprintf|gets`), "",
		"%s is banned: text, slice or snprintf"},
	{call(`strtok|strtok_r|strsep`), "", "%s is banned: slice_cut"},
	{call(`atoi|atol|atoll|atof`), "", "%s is banned: slice_to_number"},
	{call(`strtol|strtoll|strtoul|strtoull|strtoimax|strtoumax`), "src/core/slice.c",
		"%s is for core/slice.c alone: slice_to_number"},
	{call(`alloca`), "", "%s is banned: an arena"},
	{regexp.MustCompile(`\btypedef\s+(?:struct|union)\s+\w*\s*\{`), "",
		"a struct is not typedef'd"},
	{regexp.MustCompile(`\bgoto\s+(?:[^o]|o[^u]|ou[^t]|out\w)`), "",
		"the one label is out:, for cleaning up"},
}

func call(names string) *regexp.Regexp {
	return regexp.MustCompile(`\b(` + names + `)\s*\(`)
}

func banned(f *file) []violation {
	var found []violation
	for i, line := range f.code {
		for _, ban := range bans {
			m := ban.pattern.FindStringSubmatch(line)
			if m == nil || f.path == ban.except {
				continue
			}
			message := ban.message
			if len(m) > 1 {
				message = fmt.Sprintf(message, m[1])
			}
			found = append(found, violation{f.path, i + 1, message})
		}
		if !pure[f.room()] {
			continue
		}
		for _, m := range anyCall.FindAllStringSubmatch(line, -1) {
			if impureCalls[m[2]] && m[1] != "." && m[1] != ">" {
				found = append(found, violation{f.path, i + 1,
					fmt.Sprintf("%s is pure: no %s()", f.room(), m[2])})
			}
		}
	}
	return found
}

var anyCall = regexp.MustCompile(`(^|.)\b([a-z_][a-z0-9_]*)\(`)

var conditional = regexp.MustCompile(`^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b`)

func conditionals(f *file) []violation {
	var found []violation
	for _, fn := range f.functions {
		for i := fn.first; i < fn.last; i++ {
			if m := conditional.FindStringSubmatch(f.code[i]); m != nil {
				found = append(found, violation{f.path, i + 1,
					fmt.Sprintf("#%s inside function %s: the choice is a file, or a constant above it", m[1], fn.name)})
			}
		}
	}
	return found
}

// idea holds that a file of a room begins with the comment that says what it is.
func idea(f *file) []violation {
	if f.room() == "" || strings.HasPrefix(f.lines[0], "/*") {
		return nil
	}
	return []violation{{f.path, 1, "the first comment says what the file is, owns, and never does"}}
}

// The words are put together here so that this file does not have them.
var unfinishedWords = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b`)

func unfinished(f *file) []violation {
	var found []violation
	for i, line := range f.lines {
		if m := unfinishedWords.FindString(line); m != "" {
			found = append(found, violation{f.path, i + 1, m + ": do it, or make it an issue"})
		}
	}
	return found
}
