package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func root(t *testing.T) place {
	t.Helper()
	absolute, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return place{absolute}
}

func step(t *testing.T, p place, target string) {
	t.Helper()
	if out, err := exec.Command("make", "--no-print-directory", "-C", p.root, target).CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", target, err, out)
	}
}

// possible skips where there can be no cluster; else it tells where it is, and yumen's
// version.
func possible(t *testing.T) (p place, version string) {
	t.Helper()
	p = root(t)
	if err := need(p); err != nil {
		t.Skip(err)
	}
	version, err := p.version()
	if err != nil {
		t.Fatal(err)
	}
	return p, version
}

// nothing runs when the test begins, or when it has ended.
func nothing(t *testing.T) (p place, version string) {
	t.Helper()
	p, version = possible(t)
	if err := down(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := down(p); err != nil {
			t.Error(err)
		}
	})
	return p, version
}

// fresh is a cluster that nobody has used; it ends with the test.
func fresh(t *testing.T) (p place, version string) {
	t.Helper()
	p, version = nothing(t)
	step(t, p, "cluster")
	return p, version
}

// tell gives the controllers one more argument, and waits until they all have it.
func tell(t *testing.T, p place, argument string) {
	t.Helper()
	ask(t, p, "", "-n", "yumen-system", "patch", "deployment", "yumen-controller", "--type=json", "-p",
		`[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"`+argument+`"}]`)
	ask(t, p, "", "-n", "yumen-system", "rollout", "status", "deployment", "yumen-controller", "--timeout=60s")
}
