package main

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// expanded are headers that a room includes after it has defined what they expand.
var expanded = words("src/core/record_structs.h src/core/record_tables.h")

var compilerError = regexp.MustCompile(`(?m)^(\S+?):(\d+):\d+: (?:fatal )?error: (.*)$`)

// headersAlone compiles each header of src by itself: one that needs another
// must include it.
func headersAlone(root string, t *tree, compiler string) []violation {
	if compiler == "" {
		return nil
	}
	args := []string{"-fsyntax-only", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Werror",
		"-Wno-unused-function", "-Wno-unused-const-variable", "-Isrc", "-x", "c"}
	count := 0
	for _, f := range t.files {
		if f.room() != "" && f.isHeader() && !expanded[f.path] {
			args = append(args, f.path)
			count++
		}
	}
	if count == 0 {
		return nil
	}
	command := exec.Command(compiler, args...)
	command.Dir = root
	out, err := command.CombinedOutput()
	if err == nil {
		return nil
	}
	var found []violation
	for _, m := range compilerError.FindAllStringSubmatch(string(out), -1) {
		line, _ := strconv.Atoi(m[2])
		found = append(found, violation{m[1], line, "does not compile alone: " + m[3]})
	}
	if len(found) == 0 {
		found = append(found, violation{"src", 0, err.Error() + ": " + strings.TrimSpace(string(out))})
	}
	return found
}
