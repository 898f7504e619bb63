package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// group names the pods' control group, one a tree, so that clusters of two trees do not
// meet.
func (p place) group() string {
	sum := sha256.Sum256([]byte(p.root))
	return "yumen-cluster-" + hex.EncodeToString(sum[:4])
}

// up starts the cluster where it does not run and installs what is new of yumen.
func up(p place) error {
	if err := need(p); err != nil {
		return err
	}
	unlock, err := lock(p)
	if err != nil {
		return err
	}
	defer unlock()
	start := time.Now()
	if first(p) == 0 || !exists(p.run("ready")) {
		if err := sweep(p); err != nil {
			return err
		}
		if err := launch(p); err != nil {
			return errors.Join(err, sweep(p))
		}
		fmt.Printf("a node is ready after %.0f s\n", time.Since(start).Seconds())
	}
	if err := install(p); err != nil {
		return err
	}
	fmt.Printf("the cluster runs; make kubectl ARGS='get pods -A' asks it, make cluster-down ends it\n")
	return nil
}

func down(p place) error {
	unlock, err := lock(p)
	if err != nil {
		return err
	}
	defer unlock()
	return sweep(p)
}

// lock holds off a second up or down; the lock ends with the process, however that ends.
func lock(p place) (func(), error) {
	if err := os.MkdirAll(p.built(""), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(p.built("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() {
		os.Remove(file.Name())
		file.Close()
	}, nil
}

// launch starts the first process and waits until it says that the node is ready.
func launch(p place) error {
	if err := os.MkdirAll(p.run("log"), 0o700); err != nil {
		return err
	}
	if err := makeGroups(p.group()); err != nil {
		return err
	}
	if err := lay(p, p.group()); err != nil {
		return err
	}
	log, err := os.Create(p.run("log/inside.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	c := apart("inside")
	c.Dir = p.run()
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	started, err := startTime(c.Process.Pid)
	if err == nil {
		err = os.WriteFile(p.run("first"), fmt.Appendf(nil, "%d %s\n", c.Process.Pid, started), 0o600)
	}
	if err != nil {
		c.Process.Kill()
		return err
	}
	for !exists(p.run("ready")) {
		select {
		case err := <-ended:
			return fmt.Errorf("the cluster did not come up: %v\n%s", err, tail(p.run("log/inside.log")))
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// first is the cluster's first process, or 0 where it does not run. A process is known
// by when it started too, as its number may be another's by now.
func first(p place) int {
	text, err := os.ReadFile(p.run("first"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return 0
	}
	pid, err := strconv.Atoi(fields[0])
	if err != nil {
		return 0
	}
	if started, err := startTime(pid); err != nil || started != fields[1] {
		return 0
	}
	return pid
}

// startTime is when a process started, in ticks since the machine did. One that is over
// and only not waited for has none.
func startTime(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The name, in parentheses, may hold anything.
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", fs.ErrNotExist
	}
	return fields[19], nil
}

// sweep ends the cluster and takes away whatever is left of it, also of one that crashed.
func sweep(p place) error {
	if pid := first(p); pid != 0 {
		// With the first process of a namespace all others end, and its mounts and
		// interfaces with them.
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
			return err
		}
		for deadline := time.Now().Add(patience); first(p) != 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				return fmt.Errorf("process %d does not end", pid)
			}
		}
	}
	if err := removeGroups(p.group()); err != nil {
		return err
	}
	if mounts, err := mountsBelow(p.run()); err != nil || len(mounts) > 0 {
		return errors.Join(err, fmt.Errorf("mounts are left: %v", mounts))
	}
	return os.RemoveAll(p.run())
}

// hierarchies are the mounted trees of control groups: several of version 1, or one.
func hierarchies() ([]string, error) {
	var found []string
	err := eachMount(func(path, kind string) {
		if kind == "cgroup" || kind == "cgroup2" {
			found = append(found, path)
		}
	})
	return found, err
}

func mountsBelow(folder string) ([]string, error) {
	var found []string
	err := eachMount(func(path, _ string) {
		if strings.HasPrefix(path, folder+"/") {
			found = append(found, path)
		}
	})
	return found, err
}

func eachMount(fn func(path, kind string)) error {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		before, after, found := strings.Cut(lines.Text(), " - ")
		if fields := strings.Fields(before); found && len(fields) > 4 {
			fn(fields[4], strings.Fields(after)[0])
		}
	}
	return lines.Err()
}

func makeGroups(name string) error {
	paths, err := hierarchies()
	for _, path := range paths {
		err = errors.Join(err, os.MkdirAll(filepath.Join(path, name), 0o755))
	}
	return err
}

// removeGroups removes groups from the leaves up; the kernel lets go of those whose last
// process has just ended a moment later.
func removeGroups(name string) error {
	paths, err := hierarchies()
	if err != nil {
		return err
	}
	for _, path := range paths {
		var folders []string
		filepath.WalkDir(filepath.Join(path, name), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				folders = append(folders, path)
			}
			return nil
		})
		sort.Sort(sort.Reverse(sort.StringSlice(folders)))
		for _, folder := range folders {
			deadline := time.Now().Add(patience)
			for {
				err := os.Remove(folder)
				if err == nil || errors.Is(err, fs.ErrNotExist) {
					break
				}
				if time.Now().After(deadline) {
					return err
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
	return nil
}
