package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

const (
	architecturePath  = "ARCHITECTURE.md"
	architectureLines = 200
)

var (
	roomRow  = regexp.MustCompile(`^    L(\d+) (\w+)  +(.*)$`)
	tableRow = regexp.MustCompile(`\b\w+/\w+\.def\b`)
)

// architecture holds ARCHITECTURE.md against the tree: its length, a row for each
// room at its level, with the rooms that it includes, and every table of facts.
func architecture(root string, t *tree) []violation {
	text, err := os.ReadFile(filepath.Join(root, architecturePath))
	if err != nil {
		return []violation{{architecturePath, 0, err.Error()}}
	}
	var found []violation
	complain := func(line int, format string, args ...any) {
		found = append(found, violation{architecturePath, line, fmt.Sprintf(format, args...)})
	}
	lines := splitLines(string(text))
	if len(lines) > architectureLines {
		complain(0, "%d lines, %d at most", len(lines), architectureLines)
	}
	told, tables := map[string]bool{}, map[string]bool{}
	for i, line := range lines {
		for _, name := range tableRow.FindAllString(line, -1) {
			tables[name] = true
		}
		row := roomRow.FindStringSubmatch(line)
		if row == nil {
			continue
		}
		told[row[2]] = true
		for _, what := range roomIs(t, row[1], row[2], words(row[3])) {
			complain(i+1, "%s", what)
		}
	}
	for _, missing := range untold(t, told, tables) {
		complain(0, "%s is not there", missing)
	}
	return found
}

// roomIs finds what is wrong in a room's row: its level, or an arrow that is there
// and not told ("+ what they use" tells those of the layers below).
func roomIs(t *tree, level, name string, told map[string]bool) []string {
	var found []string
	known := false
	for _, r := range rooms {
		if r.name == name {
			known = true
			if strconv.Itoa(r.level) != level {
				found = append(found, fmt.Sprintf("%s is on level %d", name, r.level))
			}
		}
	}
	if !known {
		return []string{name + " is no room"}
	}
	if told["all"] || told["+"] {
		return found
	}
	for _, arrow := range arrows(t) {
		if from, to, _ := strings.Cut(arrow, " -> "); from == name && !told[to] {
			found = append(found, fmt.Sprintf("%s includes %s", name, to))
		}
	}
	return found
}

// untold are the rooms and tables of the tree that it does not name.
func untold(t *tree, told, tables map[string]bool) []string {
	missing := map[string]bool{}
	for _, f := range t.files {
		if f.room() == "" {
			continue
		}
		if !told[f.room()] {
			missing["the room "+f.room()] = true
		}
		if table := strings.TrimPrefix(f.path, "src/"); strings.HasSuffix(table, ".def") && !tables[table] {
			missing["the table "+table] = true
		}
	}
	var list []string
	for one := range missing {
		list = append(list, one)
	}
	sort.Strings(list)
	return list
}
