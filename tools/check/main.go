// Check runs all of yumen's tests, in order from the cheapest to the dearest, and
// closes with their counts. It builds with both compilers, one of them with
// sanitizers. With -fuzz it runs the fuzz targets for a while instead.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type counts struct{ passed, failed, skipped int }

func (c *counts) add(o counts) {
	c.passed += o.passed
	c.failed += o.failed
	c.skipped += o.skipped
}

type step struct {
	name string
	run  func(root string) (counts, error)
}

// steps in order; each counts what it ran.
var steps = []step{
	{"style", style},
	{"layout", func(root string) (counts, error) { return single(layout(root)) }},
	{"tools", func(root string) (counts, error) {
		var total counts
		var failed error
		for _, folder := range []string{"tools/style", "tools/check", "tools/crds"} {
			one, err := goTest(root, folder, nil)
			total.add(one)
			failed = errors.Join(failed, err)
		}
		return total, failed
	}},
	{"gcc", func(root string) (counts, error) { return mesonTest(root, "build", "build") }},
	{"clang+sanitizers", func(root string) (counts, error) { return mesonTest(root, "debug", "build-debug") }},
	{"black box", func(root string) (counts, error) {
		return goTest(root, "test/e2e", []string{"YUMEN=" + filepath.Join(root, "build/yumen")})
	}},
	{"black box+sanitizers", func(root string) (counts, error) {
		return goTest(root, "test/e2e", []string{"YUMEN=" + filepath.Join(root, "build-debug/yumen"), "YUMEN_SLOW=1"})
	}},
	{"judge", judge},
	{"cluster", cluster},
	{"conformance", conformance},
}

func main() {
	root := flag.String("root", ".", "the project's root")
	fuzz := flag.Int("fuzz", 0, "run each fuzz target for so many seconds instead")
	flag.Parse()
	absolute, err := filepath.Abs(*root)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if *fuzz > 0 {
		if err := fuzzAll(absolute, *fuzz); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(check(absolute, flag.Args()))
}

// check runs the steps (those named only, when any is named) and prints the counts.
func check(root string, only []string) int {
	var total counts
	status := 0
	for _, s := range steps {
		if len(only) > 0 && !contains(only, s.name) {
			continue
		}
		fmt.Printf("== %s\n", s.name)
		start := time.Now()
		c, err := s.run(root)
		total.add(c)
		fmt.Printf("== %s: %d passed, %d failed, %d skipped in %.0f s\n", s.name,
			c.passed, c.failed, c.skipped, time.Since(start).Seconds())
		if err != nil {
			fmt.Printf("== %s FAILED: %v\n", s.name, err)
			if c.failed == 0 {
				total.failed++
			}
			status = 1
		}
	}
	for _, reason := range reasons {
		fmt.Println("failed:", reason)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped)
	return status
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

func command(root string, environment []string, name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = root
	c.Env = append(os.Environ(), environment...)
	return c
}

func run(root string, environment []string, name string, args ...string) error {
	c := command(root, environment, name, args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c.Run()
}

// single counts one check that has no counts of its own.
func single(err error) (counts, error) {
	if err != nil {
		return counts{failed: 1}, err
	}
	return counts{passed: 1}, nil
}

// style holds the tree against its rules, and every Go module against go vet.
func style(root string) (counts, error) {
	total, failed := single(run(root, nil, "go", "-C", "tools/style", "run", ".", "-root", "../.."))
	out, err := command(root, nil, "git", "ls-files", "go.mod", "*/go.mod").Output()
	if err != nil {
		return total, err
	}
	for _, file := range strings.Fields(string(out)) {
		// As make kube and make conformance build, so that the cache serves both; a module
		// that wants a newer Go gets it.
		environment := []string{"GOTOOLCHAIN=auto", "CGO_ENABLED=0", "GOFLAGS=-trimpath"}
		one, err := single(run(filepath.Join(root, filepath.Dir(file)), environment, "go", "vet", "./..."))
		total.add(one)
		failed = errors.Join(failed, err)
	}
	return total, failed
}

// layout holds every C file against .clang-format. The record headers are macros
// that it cannot lay out.
func layout(root string) error {
	out, err := command(root, nil, "git", "ls-files", "*.c", "*.h").Output()
	if err != nil {
		return err
	}
	args := []string{"--dry-run", "-Werror"}
	for _, file := range strings.Fields(string(out)) {
		if !strings.HasPrefix(filepath.Base(file), "record_structs") &&
			!strings.HasPrefix(filepath.Base(file), "record_tables") {
			args = append(args, file)
		}
	}
	return run(root, nil, "clang-format", args...)
}

var (
	mesonOK   = regexp.MustCompile(`(?m)^Ok:\s+(\d+)`)
	mesonFail = regexp.MustCompile(`(?m)^(?:Fail|Timeout|Unexpected Pass):\s+(\d+)`)
	mesonSkip = regexp.MustCompile(`(?m)^Skipped:\s+(\d+)`)
	cmockaRun = regexp.MustCompile(`(?m)^\[  PASSED  \] (\d+) test`)
	ran       = regexp.MustCompile(`(?m)^(?:sim|fuzz|golden|property) .*$`)
)

// mesonTest builds everything by a make target and runs meson's tests. A program
// with several cases counts each of them.
func mesonTest(root, target, folder string) (counts, error) {
	if err := run(root, nil, "make", "--no-print-directory", target); err != nil {
		return counts{}, err
	}
	// A folder that was made for `make run` may have been without what tests need.
	c := command(root, nil, "meson", "configure", folder, "-Dtests=enabled")
	if out, err := c.CombinedOutput(); err != nil {
		os.Stdout.Write(out)
		return counts{}, err
	}
	if err := run(root, nil, "ninja", "-C", folder, "--quiet"); err != nil {
		return counts{}, err
	}
	var out bytes.Buffer
	c = command(root, []string{"ASAN_OPTIONS=detect_leaks=1", "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1"},
		"meson", "test", "-C", folder, "--print-errorlogs",
		"--timeout-multiplier", "10") // of what hangs, not of what is slow
	c.Stdout = io.MultiWriter(os.Stdout, &out)
	c.Stderr = os.Stderr
	err := c.Run()
	text := out.String()
	result := counts{sum(mesonOK, text), sum(mesonFail, text), sum(mesonSkip, text)}
	log, readErr := os.ReadFile(filepath.Join(root, folder, "meson-logs/testlog.txt"))
	if readErr == nil {
		programs := len(cmockaRun.FindAllString(string(log), -1))
		result.passed += sum(cmockaRun, string(log)) - programs
		for _, line := range ran.FindAllString(string(log), -1) {
			fmt.Println("  ", line)
		}
	}
	return result, err
}

func sum(pattern *regexp.Regexp, text string) int {
	total := 0
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(match[1])
		total += n
	}
	return total
}

// goTest runs the Go tests of a folder and counts tests and subtests.
func goTest(root, folder string, environment []string) (counts, error) {
	c := command(filepath.Join(root, folder), environment, "go", "test", "-count=1", "-json", "-timeout=25m", "./...")
	c.Stderr = os.Stderr
	pipe, err := c.StdoutPipe()
	if err != nil {
		return counts{}, err
	}
	if err := c.Start(); err != nil {
		return counts{}, err
	}
	result := readEvents(pipe)
	err = c.Wait()
	if err == nil && result.passed == 0 {
		err = errors.New("no test ran")
	}
	return result, err
}

// judge holds admission against a real API server, where one can be had: it wants
// etcd, which root can install, and minutes to build Kubernetes the first time.
func judge(root string) (counts, error) {
	if err := run(root, nil, "tools/packages.sh", "judge"); err != nil {
		fmt.Println("   not run: without etcd there is no API server to judge by:", err)
		return counts{skipped: 1}, nil
	}
	if err := run(root, nil, "make", "--no-print-directory", "kube"); err != nil {
		return counts{}, err
	}
	return goTest(root, "test/judge", []string{
		"KUBE=" + filepath.Join(root, "build-cluster/kube"),
		"YUMEN=" + filepath.Join(root, "build/yumen"),
	})
}

// cluster starts a Kubernetes of one node and ends it again, where the machine allows it.
func cluster(root string) (counts, error) {
	if can, err := canCluster(root); !can {
		return counts{skipped: 1}, err
	}
	return goTest(root, "test/cluster", nil)
}

// canCluster tells why not.
func canCluster(root string) (bool, error) {
	if err := run(root, nil, "tools/packages.sh", "cluster"); err != nil {
		fmt.Println("   not run: packages are missing:", err)
		return false, nil
	}
	if err := run(root, nil, "make", "--no-print-directory", "cluster-tool"); err != nil {
		return false, err
	}
	var lacks *exec.ExitError
	err := run(root, nil, "build-cluster/cluster", "need")
	if errors.As(err, &lacks) && lacks.ExitCode() == 3 {
		fmt.Println("   not run, for the reason above")
		return false, nil
	}
	return err == nil, err
}

var (
	conformancePassed = regexp.MustCompile(`(?m)^passed (\w+)$`)
	conformanceCounts = regexp.MustCompile(`(?m)^\d+ tests: (\d+) passed, (\d+) failed, (\d+) not yet$`)
)

// conformance runs the upstream suite in that cluster; what passed is counted, not told.
func conformance(root string) (counts, error) {
	if can, err := canCluster(root); !can {
		return counts{skipped: 1}, err
	}
	c := command(root, nil, "make", "--no-print-directory", "conformance")
	out, err := c.CombinedOutput()
	result := counts{sum(conformanceCounts, string(out)), 0, 0}
	for _, match := range conformanceCounts.FindAllStringSubmatch(string(out), -1) {
		fmt.Println("  ", match[0])
		result.failed, _ = strconv.Atoi(match[2])
		result.skipped, _ = strconv.Atoi(match[3])
	}
	if err == nil && result.passed == 0 {
		err = errors.New("no test ran")
	}
	if err != nil {
		os.Stdout.Write(conformancePassed.ReplaceAll(out, nil))
	}
	return result, errors.Join(err, run(root, nil, "make", "--no-print-directory", "cluster-down"))
}

// reasons tell at the end which of Go's tests failed, and the first that each said.
var (
	reasons     []string
	firstReason = regexp.MustCompile(`(?m)^\s+\w+\.go:\d+: .*`)
)

// readEvents prints the output of what failed, the figures that the judge tells, and
// counts.
func readEvents(from io.Reader) counts {
	var result counts
	output := map[string][]string{}
	decoder := json.NewDecoder(from)
	for {
		var event struct{ Action, Package, Test, Output string }
		if decoder.Decode(&event) != nil {
			return result
		}
		key := event.Package + "/" + event.Test
		switch event.Action {
		case "output":
			output[key] = append(output[key], event.Output)
			if strings.HasPrefix(event.Output, "judge ") {
				fmt.Print("   ", event.Output)
			}
		case "build-output":
			fmt.Print(event.Output)
		case "pass", "fail", "skip":
			if event.Action != "pass" {
				fmt.Print(strings.Join(output[key], ""))
			}
			if event.Action == "fail" && event.Test != "" {
				first := firstReason.FindString(strings.Join(output[key], ""))
				reasons = append(reasons, event.Test+": "+strings.TrimSpace(first))
			}
			delete(output, key)
			if event.Test == "" {
				// Where its program died, what its tests had said until then.
				if event.Action == "fail" {
					for _, said := range output {
						fmt.Print(strings.Join(said, ""))
					}
				}
				clear(output)
				continue
			}
			switch event.Action {
			case "pass":
				result.passed++
			case "fail":
				result.failed++
			default:
				result.skipped++
			}
		}
	}
}

var executions = regexp.MustCompile(`stat::number_of_executed_units:\s+(\d+)`)

// fuzzAll builds the targets for libFuzzer and runs each; new inputs go to a folder
// of the build, crashes stop it.
func fuzzAll(root string, seconds int) error {
	folder := filepath.Join(root, "build-fuzz")
	if _, err := os.Stat(filepath.Join(folder, "build.ninja")); err != nil {
		err := run(root, []string{"CC=clang"}, "meson", "setup", folder, "-Dbuildtype=debugoptimized",
			"-Dfuzzer=true", "-Db_sanitize=address,undefined", "-Db_lundef=false")
		if err != nil {
			return err
		}
	}
	if err := run(root, nil, "ninja", "-C", folder, "--quiet", "fuzz"); err != nil {
		return err
	}
	programs, err := filepath.Glob(filepath.Join(folder, "test/fuzz/fuzz_*"))
	if err != nil {
		return err
	}
	total := 0
	for _, program := range programs {
		info, err := os.Stat(program)
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			continue
		}
		name := strings.TrimPrefix(filepath.Base(program), "fuzz_")
		found := filepath.Join(folder, "found", name)
		if err := os.MkdirAll(found, 0o755); err != nil {
			return err
		}
		out, err := command(folder, nil, program, found, filepath.Join(root, "test/fuzz/corpus", name),
			fmt.Sprintf("-max_total_time=%d", seconds), "-print_final_stats=1", "-timeout=10",
			"-rss_limit_mb=2048", "-artifact_prefix="+found+"/crash-").CombinedOutput()
		n := sum(executions, string(out))
		total += n
		fmt.Printf("fuzz %s: %d executions\n", name, n)
		if err != nil {
			os.Stdout.Write(out)
			return fmt.Errorf("fuzz %s: %w", name, err)
		}
	}
	fmt.Printf("fuzz: %d executions in all, no crash\n", total)
	return nil
}
