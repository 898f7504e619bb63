package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// scanner builds the program that only reads YAML, and returns the command that
// has it read all files of a folder.
func (b *bench) scanner(folder string) ([]string, error) {
	out, err := exec.Command("gcc", "-O2", "-o", b.path("scan"), "scan/scan.c", "-lyaml").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	files, err := filepath.Glob(b.path(folder) + "/*.yaml")
	return append([]string{b.path("scan")}, files...), err
}

// userTime is what a command that ends well took of the processor in user mode, and
// by the clock.
func userTime(args []string) (user, clock time.Duration, err error) {
	cmd := exec.Command(args[0], args[1:]...)
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("%s: %w: %s", args[0], err, out)
	}
	return cmd.ProcessState.UserTime(), time.Since(start), nil
}

var collected = regexp.MustCompile(`Collected : (\d+)`)

// userInstructions counts those of a command, by callgrind.
func userInstructions(args []string) (float64, error) {
	valgrind := append([]string{"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"}, args...)
	out, err := exec.Command(valgrind[0], valgrind[1:]...).CombinedOutput()
	match := collected.FindSubmatch(out)
	if err != nil || match == nil {
		return 0, fmt.Errorf("callgrind: %v: %s", err, out)
	}
	return strconv.ParseFloat(string(match[1]), 64)
}

// check: what judging 10,000 objects costs against reading their YAML alone.
func (b *bench) check() error {
	const folder = "check"
	if err := b.routesIn(folder, 100, true); err != nil {
		return err
	}
	scan, err := b.scanner(folder)
	if err != nil {
		return err
	}
	commands := [2][]string{scan, {b.yumen, "check", b.path(folder)}}
	var least [2]time.Duration
	var instructions [2]float64
	for round := 0; round <= b.slices; round++ {
		for i, command := range commands {
			user, _, err := userTime(command)
			if err != nil {
				return err
			}
			if least[i] == 0 || user < least[i] {
				least[i] = user
			}
		}
	}
	for i, command := range commands {
		if instructions[i], err = userInstructions(command); err != nil {
			return err
		}
	}
	b.add(row{what: fmt.Sprintf("`check` of 10,000 objects against libyaml's bare scan: user time (ratio of minima, %d runs); instructions", b.slices),
		must: "3", goal: "2", yumen: fmt.Sprintf("%.2f; %.2f", float64(least[1])/float64(least[0]), instructions[1]/instructions[0])})
	return nil
}

var micro = regexp.MustCompile(`memory +([\d.]+) MiB, of which units ([\d.]+) MiB`)

// index: what a set of 100,000 routes on as many hosts weighs besides its units.
func (b *bench) index() error {
	const program = "test/unit/snap/snap_decide"
	build := filepath.Dir(b.yumen)
	if out, err := exec.Command("ninja", "-C", build, program).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	out, err := exec.Command(filepath.Join(build, program), "hosts", "100000", "1000").CombinedOutput()
	match := micro.FindSubmatch(out)
	if err != nil || match == nil {
		return fmt.Errorf("%s: %v: %s", program, err, out)
	}
	all, _ := strconv.ParseFloat(string(match[1]), 64)
	units, _ := strconv.ParseFloat(string(match[2]), 64)
	b.add(row{what: "100,000 routes on 100,000 hosts: the index, MiB (with its units)", must: "60",
		yumen: fmt.Sprintf("%.1f (%.1f)", all-units, all)})
	return nil
}

// large: 100,000 routes on 100,000 hosts: what a process holds once it serves them,
// and how soon it does, from the start of the process and by the clock.
func (b *bench) large() error {
	if err := b.index(); err != nil {
		return err
	}
	const folder = "large"
	if err := b.routesIn(folder, 1000, true); err != nil {
		return err
	}
	scan, err := b.scanner(folder)
	if err != nil {
		return err
	}
	return b.withBackend(func() error {
		var leastScan, leastServed time.Duration
		var memory int64
		for round := 0; round < 3; round++ {
			_, clock, err := userTime(scan)
			if err != nil {
				return err
			}
			served, anonymous, err := b.serveLarge(folder)
			if err != nil {
				return err
			}
			if round == 0 || clock < leastScan {
				leastScan = clock
			}
			if round == 0 || served < leastServed {
				leastServed = served
			}
			memory = anonymous
		}
		b.add(row{what: "the same: all of `run`, RssAnon MiB", must: "160",
			yumen: fmt.Sprintf("%.1f", float64(memory)/1024)})
		b.add(row{what: "the same: from start to serving against libyaml's bare scan (ratio of minima by the clock, 3 runs)", must: "3",
			yumen: fmt.Sprintf("%.2f", float64(leastServed)/float64(leastScan))})
		return nil
	})
}

func (b *bench) serveLarge(folder string) (served time.Duration, anonymous int64, err error) {
	start := time.Now()
	p, err := b.start(-1, proxyPort, append(b.yumenRun(b.path(folder), proxyPort), "off")...)
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	if err = waitServed(proxyPort); err != nil {
		return 0, 0, err
	}
	served = time.Since(start)
	anonymous, err = restingMemory(p)
	return served, anonymous, err
}
