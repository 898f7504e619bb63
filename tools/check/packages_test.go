package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// As somebody who is not root, what is missing is told as the line that installs it,
// of the targets named only; with nothing missing nothing is said.
func TestPackagesWithoutRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("another user can be played by root only")
	}
	script, err := os.ReadFile("../packages.sh")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.MkdirTemp("", "packages")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	write("tools/packages.sh", string(script))
	write("tools/packages.txt", "# a list\nbuild dpkg # there\nbuild no-such-one # a\ncheck no-such-two # b\nnone dpkg\n")
	for _, row := range []struct {
		targets, want string
	}{
		{"build", "  sudo apt-get install -y --no-install-recommends no-such-one\n"},
		{"build check", "  sudo apt-get install -y --no-install-recommends no-such-one no-such-two\n"},
		{"none", ""},
	} {
		cmd := exec.Command("sh", append([]string{filepath.Join(root, "tools/packages.sh")}, strings.Fields(row.targets)...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		if (err == nil) != (row.want == "") || !strings.HasSuffix(string(out), row.want) || (row.want == "" && len(out) > 0) {
			t.Errorf("%s: %v\n%s", row.targets, err, out)
		}
	}
}
