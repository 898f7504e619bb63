package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// programs and the Debian packages that bring them.
var programs = []struct{ name, from string }{
	{"etcd", "etcd-server"},
	{"containerd", "containerd"},
	{"containerd-shim-runc-v2", "containerd"},
	{"ctr", "containerd"},
	{"runc", "runc"},
	{"nft", "nftables"},
	{"ip", "iproute2"},
	{"gcc", "gcc"},
	{"strip", "binutils"},
	{"go", "Go 1.26 or later, https://go.dev/dl"},
	{filepath.Join(pluginFolder, "ptp"), "containernetworking-plugins"},
	{filepath.Join(pluginFolder, "host-local"), "containernetworking-plugins"},
}

const pluginFolder = "/usr/lib/cni"

// need tells everything that is missing at once.
func need(p place) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: it must be root", errLacks)
	}
	var missing []string
	for _, program := range programs {
		if _, err := exec.LookPath(program.name); err != nil {
			missing = append(missing, fmt.Sprintf("%s (%s)", program.name, program.from))
		}
	}
	for _, controller := range []string{"cpu", "memory", "pids"} {
		if !hasController(controller) {
			missing = append(missing, "the cgroup controller "+controller)
		}
	}
	filesystems, _ := os.ReadFile("/proc/filesystems")
	if !strings.Contains(string(filesystems), "\toverlay\n") && exec.Command("modprobe", "overlay").Run() != nil {
		missing = append(missing, "the file system overlay")
	}
	if len(missing) == 0 {
		if out, err := apart("probe").CombinedOutput(); err != nil {
			missing = append(missing, fmt.Sprintf("namespaces with networks in them (%v %s)", err, strings.TrimSpace(string(out))))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: %s", errLacks, strings.Join(missing, ", "))
	}
	return nil
}

// hasController looks in /proc/cgroups (version 1) and in the one tree of version 2.
func hasController(name string) bool {
	text, _ := os.ReadFile("/proc/cgroups")
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) == 4 && fields[0] == name && fields[3] == "1" {
			return true
		}
	}
	text, _ = os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
	return strings.Contains(" "+strings.TrimSpace(string(text))+" ", " "+name+" ")
}

// apart is this program again, in namespaces of its own.
func apart(arguments ...string) *exec.Cmd {
	c := exec.Command("/proc/self/exe", arguments...)
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Setsid: true,
	}
	return c
}

// probe makes what the cluster will make of networks, where it ends with the process.
func probe() error {
	for _, line := range []string{
		"ip link add one type veth peer name two",
		"nft add table ip probe",
		"nft add chain ip probe nat { type nat hook output priority 0 ; }",
	} {
		arguments := strings.Fields(line)
		if out, err := exec.Command(arguments[0], arguments[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %v %s", line, err, out)
		}
	}
	return nil
}
