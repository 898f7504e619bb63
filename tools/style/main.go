// Style holds the tree against the rules that a compiler does not know: which
// room may include which, how long a function, a file and a header may be, what
// is banned. The rules themselves stand in tables at the head of their files.
//
// What may not rise is kept in tools/style/ratchet.json; -update writes it anew,
// and the commit that does so says why.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// A violation is one place that breaks one rule.
type violation struct {
	file    string // from the root
	line    int    // 0: the whole file
	message string
}

func (v violation) String() string {
	if v.line == 0 {
		return fmt.Sprintf("%s: %s", v.file, v.message)
	}
	return fmt.Sprintf("%s:%d: %s", v.file, v.line, v.message)
}

func main() {
	root := flag.String("root", ".", "the project's root")
	update := flag.Bool("update", false, "write the ratchets as the tree is now")
	compiler := flag.String("cc", "gcc", "compiles each header alone; empty: leave that out")
	flag.Parse()
	if err := run(*root, *update, *compiler); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string, update bool, compiler string) error {
	t, err := readTree(root)
	if err != nil {
		return err
	}
	now := measure(t)
	found := check(t)
	found = append(found, headersAlone(root, t, compiler)...)
	found = append(found, architecture(root, t)...)
	path := filepath.Join(root, ratchetPath)
	if update {
		if err := writeRatchet(path, now); err != nil {
			return err
		}
	}
	before, err := readRatchet(path)
	if err != nil {
		return fmt.Errorf("%w (-update writes it)", err)
	}
	found = append(found, before.hold(now)...)
	sort.SliceStable(found, func(i, j int) bool {
		if found[i].file != found[j].file {
			return found[i].file < found[j].file
		}
		return found[i].line < found[j].line
	})

	fmt.Println(now)
	for _, v := range found {
		fmt.Println(v)
	}
	if len(found) > 0 {
		return fmt.Errorf("style: %d violations", len(found))
	}
	return nil
}

// check applies every rule that looks at the text alone.
func check(t *tree) []violation {
	var found []violation
	for _, f := range t.files {
		if !f.isC() {
			found = append(found, unfinished(f)...)
			continue
		}
		found = append(found, includes(t, f)...)
		found = append(found, lengths(f)...)
		found = append(found, banned(f)...)
		found = append(found, conditionals(f)...)
		found = append(found, idea(f)...)
		found = append(found, unfinished(f)...)
	}
	found = append(found, staleSwitches(t)...)
	return append(found, headerCycles(t)...)
}
