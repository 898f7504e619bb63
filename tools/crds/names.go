package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// readNames reads rows MACRO(NAME, "text", ...) of a .def file: text to each NAME.
func readNames(path, macro string) (map[string][]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	row := regexp.MustCompile(`^` + macro + `\((\w+), ("(?:[^"\\]|\\.)*")`)
	names := map[string][]string{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		found := row.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		words, err := strconv.Unquote(found[2])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, found[1], err)
		}
		names[words] = append(names[words], found[1])
	}
	return names, lines.Err()
}

// A string literal of CEL as the first argument of matches().
var matchesCall = regexp.MustCompile(`matches\((r?)("""(.*?)"""|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\)`)

// patternOf is the last pattern that a CEL rule matches with, or "".
func patternOf(rule string) string {
	pattern := ""
	for _, call := range matchesCall.FindAllStringSubmatch(rule, -1) {
		pattern = call[3] + call[4] + call[5]
		if call[1] == "" {
			pattern = regexp.MustCompile(`\\(.)`).ReplaceAllString(pattern, "$1")
		}
	}
	return pattern
}
