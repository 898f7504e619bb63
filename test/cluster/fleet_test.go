package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const fleetPool = `apiVersion: v1
kind: Namespace
metadata: {name: envoy-gateway-system, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: first-pool, namespace: metallb-system}
spec: {addresses: [192.168.50.100-192.168.50.200]}
`

const fleetRoute = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: echo, namespace: proof}
spec:
  parentRefs: [{name: eg, namespace: default}]
  rules: [{backendRefs: [{name: echo, port: 80}]}]
`

// becomes waits until kubectl prints this.
func becomes(t *testing.T, p place, want string, arguments ...string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		out, err := kubectl(p, nil, arguments...)
		if got = strings.TrimSpace(string(out)); err == nil && got == want {
			return
		}
	}
	t.Fatalf("kubectl %v: %q, not %q", arguments, got, want)
}

// answerOf is the status that a request of the cluster's network is answered with.
func answerOf(p place, url string) string {
	out, _ := exec.Command(p.built("cluster"), "-root", p.root, "enter", "curl", "-s", "-o", os.DevNull,
		"--max-time", "5", "-w", "%{http_code}", url).CombinedOutput()
	return string(out)
}

// answers waits until a request of the cluster's network is answered with this status.
func answers(t *testing.T, p place, url, want string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got = answerOf(p, url); got == want {
			return
		}
	}
	t.Fatalf("%s: %s, not %s", url, got, want)
}

// flows waits until that is so ten times in a row: kube-proxy leads to pods when it has
// its turn, once a second, whatever is ready before.
func flows(t *testing.T, p place, url, want string) {
	t.Helper()
	row, got := 0, ""
	for deadline := time.Now().Add(time.Minute); row < 10; row++ {
		if got = answerOf(p, url); got == want {
			continue
		}
		if row = -1; time.Now().After(deadline) {
			t.Fatalf("%s: %s, not %s", url, got, want)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// killProxies kills the program in each pod of a Gateway, and nothing else of this
// machine: it is one of the cluster's processes. It tells how many there were.
func killProxies(t *testing.T, p place, gateway string) int {
	t.Helper()
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	killed := 0
	for _, entry := range entries {
		text, _ := os.ReadFile(entry)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		if !bytes.Contains(text, []byte("\x00--gateway="+gateway+"\x00")) || !below(pid, first(p)) {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed++
	}
	return killed
}

// below tells whether a process descends from another.
func below(pid, ancestor int) bool {
	for steps := 0; pid > 1 && steps < 64; steps++ {
		if pid == ancestor {
			return true
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return false
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		pid, _ = strconv.Atoi(fields[1])
	}
	return false
}

// The article's first example, unchanged, and what its pods do without a controller.
func TestFleet(t *testing.T) {
	p, version := fresh(t)
	ask(t, p, fleetPool, "apply", "-f", "-")
	tell(t, p, "--controller-name=gateway.envoyproxy.io/gatewayclass-controller")

	example, err := os.ReadFile(p.in("test/golden/cases/seed-example-1-replicas/input.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ask(t, p, string(example), "apply", "-f", "-")
	ready := []string{"-n", "envoy-gateway-system", "get", "deployments.apps", "envoy-default-eg-e41e7b31",
		"-o", "jsonpath={.status.readyReplicas}/{.status.replicas}"}
	becomes(t, p, "2/2", ready...)
	fmt.Println(ask(t, p, "", "-n", "envoy-gateway-system", "get", "deployments.apps", "envoy-default-eg-e41e7b31"))
	becomes(t, p, "True", "get", "gateway", "eg", "-o", `jsonpath={.status.conditions[?(@.type=="Programmed")].status}`)
	url := "http://" + ask(t, p, "", "get", "gateway", "eg", "-o", "jsonpath={.status.addresses[0].value}")
	answers(t, p, url, "404")
	ask(t, p, fmt.Sprintf(echoManifest, version), "apply", "-f", "-")
	ask(t, p, fleetRoute, "apply", "-f", "-")
	ask(t, p, "", "patch", "gateway", "eg", "--type=json", "-p",
		`[{"op":"add","path":"/spec/listeners/0/allowedRoutes","value":{"namespaces":{"from":"All"}}}]`)
	answers(t, p, url, "200")

	// Without a controller, containers that start again serve from their copies, and a
	// new pod is not ready.
	ask(t, p, "", "-n", "yumen-system", "scale", "deployment", "yumen-controller", "--replicas=0")
	becomes(t, p, "", "-n", "yumen-system", "get", "pods", "-l", "app.kubernetes.io/component=controller", "-o", "name")
	if killed := killProxies(t, p, "default/eg"); killed != 2 {
		t.Fatalf("%d proxies were there to be killed", killed)
	}
	becomes(t, p, "1 1", "-n", "envoy-gateway-system", "get", "pods", "-o",
		"jsonpath={.items[*].status.containerStatuses[0].restartCount}")
	becomes(t, p, "2/2", ready...)
	answers(t, p, url, "200")
	ask(t, p, "", "-n", "envoy-gateway-system", "scale", "deployment", "envoy-default-eg-e41e7b31", "--replicas=3")
	becomes(t, p, "Running Running Running", "-n", "envoy-gateway-system", "get", "pods", "-o", "jsonpath={.items[*].status.phase}")
	becomes(t, p, "2/3", ready...)
	answers(t, p, url, "200")

	// When it is back it mends that; a Gateway that goes takes all of it along, though no
	// owner reference can.
	ask(t, p, "", "-n", "yumen-system", "scale", "deployment", "yumen-controller", "--replicas=1")
	becomes(t, p, "2/2", ready...)
	ask(t, p, "", "delete", "gateway", "eg")
	becomes(t, p, "", "-n", "envoy-gateway-system", "get", "deployments,services,pods", "-o", "name")
}
