package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

const ratchetPath = "tools/style/ratchet.json"

// A ratchet is what the tree measures and may not come to measure more of. Only
// src counts: a test's table may be long.
type ratchet struct {
	LongestFunction int      `json:"longest function"`
	LongestFile     int      `json:"longest file"`
	Unfinished      int      `json:"left to do"`
	Arrows          []string `json:"arrows"`

	functionAt, fileAt string
	files, functions   int
}

func measure(t *tree) ratchet {
	r := ratchet{Arrows: arrows(t)}
	for _, f := range t.files {
		r.Unfinished += len(unfinished(f))
		if f.room() == "" || !f.isC() {
			continue
		}
		r.files++
		if n := len(f.lines); n > r.LongestFile && (f.isSource() || f.isHeader()) {
			r.LongestFile, r.fileAt = n, f.path
		}
		for _, fn := range f.functions {
			r.functions++
			if n := fn.length(); n > r.LongestFunction && !longSwitches[f.path+":"+fn.name] {
				r.LongestFunction, r.functionAt = n, fmt.Sprintf("%s:%d: %s", f.path, fn.first, fn.name)
			}
		}
	}
	return r
}

func (r ratchet) String() string {
	return fmt.Sprintf("style: %d files, %d functions, %d arrows between rooms: %s\n"+
		"style: longest function %d lines (%s)\nstyle: longest file %d lines (%s)\nstyle: %d left to do",
		r.files, r.functions, len(r.Arrows), r.targets(), r.LongestFunction, r.functionAt,
		r.LongestFile, r.fileAt, r.Unfinished)
}

// targets is the arrows, a room and all that it includes at once.
func (r ratchet) targets() string {
	var text strings.Builder
	last := ""
	for _, arrow := range r.Arrows {
		from, to, _ := strings.Cut(arrow, " -> ")
		if from != last {
			if last != "" {
				text.WriteString("; ")
			}
			text.WriteString(from + " ->")
		}
		last = from
		text.WriteString(" " + to)
	}
	return text.String()
}

// hold finds what rose from r to now.
func (r ratchet) hold(now ratchet) []violation {
	var found []violation
	rose := func(what string, before, after int, at string) {
		if after > before {
			found = append(found, violation{ratchetPath, 0,
				fmt.Sprintf("the %s rose from %d to %d lines (%s); where it must, -update and say why", what, before, after, at)})
		}
	}
	rose("longest function", r.LongestFunction, now.LongestFunction, now.functionAt)
	rose("longest file", r.LongestFile, now.LongestFile, now.fileAt)
	if now.Unfinished > r.Unfinished {
		found = append(found, violation{ratchetPath, 0,
			fmt.Sprintf("what is left to do rose from %d to %d places", r.Unfinished, now.Unfinished)})
	}
	known := map[string]bool{}
	for _, arrow := range r.Arrows {
		known[arrow] = true
	}
	for _, arrow := range now.Arrows {
		if !known[arrow] {
			found = append(found, violation{ratchetPath, 0, "a new arrow between rooms: " + arrow + "; where it must be, -update and say why"})
		}
	}
	return found
}

func readRatchet(path string) (ratchet, error) {
	var r ratchet
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

func writeRatchet(path string, r ratchet) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(r); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text.String()), 0o644)
}
