package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

var errNotUp = errors.New("the cluster does not run: make cluster")

// setns is the number of the system call, which the package syscall does not name.
var setns = map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]

// The first thread stays with the first goroutine: what /proc tells of a process is
// told of that thread, which no join of another goroutine may take elsewhere.
func init() { runtime.LockOSThread() }

// join puts this thread, and what it starts, into the cluster's network. Files and
// processes stay the machine's.
func join(p place) error {
	pid := first(p)
	if pid == 0 || !exists(p.run("ready")) {
		return errNotUp
	}
	network, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return err
	}
	defer network.Close()
	runtime.LockOSThread()
	if _, _, failed := syscall.RawSyscall(setns, network.Fd(), syscall.CLONE_NEWNET, 0); failed != 0 {
		return fmt.Errorf("enter the cluster's network: %w", failed)
	}
	return nil
}

func (p place) environment() []string {
	return append(os.Environ(), "KUBECONFIG="+p.kubeconfig())
}

// enter becomes the command.
func enter(p place, arguments []string) error {
	path, err := exec.LookPath(arguments[0])
	if err != nil {
		return err
	}
	if err := join(p); err != nil {
		return err
	}
	return syscall.Exec(path, arguments, p.environment())
}

func enterKubectl(p place, arguments []string) error {
	return enter(p, append([]string{p.built("kube"), "kubectl"}, arguments...))
}

// within starts a command in the cluster's network and waits for it.
func within(p place, prepare func(c *exec.Cmd), arguments ...string) error {
	failed := make(chan error)
	go func() {
		// The thread is not let go, so that it ends with this function and nothing else
		// ever runs on it.
		if err := join(p); err != nil {
			failed <- err
			return
		}
		c := exec.Command(arguments[0], arguments[1:]...)
		c.Env = p.environment()
		prepare(c)
		failed <- c.Run()
	}()
	return <-failed
}

// kubectl returns what it printed; on failure that is told with what was asked.
func kubectl(p place, input io.Reader, arguments ...string) ([]byte, error) {
	var out, problems bytes.Buffer
	err := within(p, func(c *exec.Cmd) {
		c.Stdin, c.Stdout, c.Stderr = input, &out, &problems
	}, append([]string{p.built("kube"), "kubectl"}, arguments...)...)
	if err != nil {
		err = fmt.Errorf("kubectl %v: %w\n%s%s", arguments, err, out.Bytes(), problems.Bytes())
	}
	return out.Bytes(), err
}

func kubectlJSON(p place, into any, arguments ...string) error {
	text, err := kubectl(p, nil, append(arguments, "-o", "json")...)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
