// Crds writes the tables that admission judges objects by, from the CRDs and the
// OpenAPI documents of the Go modules named in module.go:
//
//	go run . -root ../..
//
// It reads the names of CEL rules from src/gw/cel.def and of patterns from
// src/gw/pattern.def, and writes src/gw/schema_tables.inc and
// src/gw/pattern_tables.inc. A rule without a name is listed and fails the run. It
// also writes deploy/metallb-crds.yaml. With -check nothing is written, and a
// difference fails.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	root := flag.String("root", ".", "the project's root")
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	rules, err := readNames(filepath.Join(root, "src/gw/cel.def"), "GW_CEL")
	if err != nil {
		return err
	}
	patterns, err := readNames(filepath.Join(root, "src/gw/pattern.def"), "GW_PATTERN")
	if err != nil {
		return err
	}
	b := newBuilder(rules, patterns)
	kinds, err := readKinds(b)
	if err != nil {
		return err
	}
	if problems := b.problems(); len(problems) > 0 {
		return fmt.Errorf("%s", strings.Join(problems, "\n"))
	}
	files := map[string][]byte{}
	if files["src/gw/schema_tables.inc"], err = writeSchemas(b, kinds); err != nil {
		return err
	}
	if files["src/gw/pattern_tables.inc"], err = writePatterns(patterns); err != nil {
		return err
	}
	if files["deploy/metallb-crds.yaml"], err = writeManifest(); err != nil {
		return err
	}
	for name, text := range files {
		if err := put(filepath.Join(root, name), text, check); err != nil {
			return err
		}
	}
	return nil
}

func put(path string, text []byte, check bool) error {
	if !check {
		return os.WriteFile(path, text, 0o644)
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, text) {
		return fmt.Errorf("%s is not what the modules say: make tables", path)
	}
	return nil
}
