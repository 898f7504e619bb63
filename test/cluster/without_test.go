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

// Two Gateways: what comes for the one kube-proxy gives to pods of the node that it came
// to; of the other's Service kube-proxy is told to keep its hands off.
const withoutManifest = `apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: pool, namespace: metallb-system}
spec: {addresses: [192.168.50.100-192.168.50.200]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: all, namespace: metallb-system}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: own}
spec: {controllerName: yumen.dev/gateway-controller}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: local, namespace: proof}
spec: {provider: {type: Kubernetes, kubernetes: {envoyService: {externalTrafficPolicy: Local}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: kept, namespace: proof}
spec:
  gatewayClassName: own
  infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: local}}
  addresses: [{value: 192.168.50.171}]
  listeners: [{name: http, protocol: HTTP, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: alone, namespace: proof}
spec:
  gatewayClassName: own
  infrastructure: {labels: {service.kubernetes.io/service-proxy-name: nobody}}
  addresses: [{value: 192.168.50.172}]
  listeners: [{name: http, protocol: HTTP, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: both, namespace: proof}
spec:
  parentRefs: [{name: kept}, {name: alone}]
  rules: [{backendRefs: [{name: echo, port: 80}]}]
`

// seen fetches from a host, and wants the host's address in what the backend was told
// and in the log of the Gateway's proxy.
func seen(t *testing.T, p place, host, gateway, address string) {
	t.Helper()
	path := fmt.Sprintf("/seen-%d", time.Now().UnixNano())
	answer := fetches(t, host, "http://"+address+path, `"path":"`+path+`"`)
	fmt.Println(answer)
	if !strings.Contains(answer, `["X-Forwarded-For","192.168.50.2"]`) {
		t.Errorf("the client's address is lost: %s", answer)
	}
	eventually(t, "the proxy's log", func() bool {
		for _, line := range strings.Split(ask(t, p, "", "-n", "proof", "logs", "deployment/"+gateway+"-own"), "\n") {
			if strings.Contains(line, path) {
				fmt.Println(line)
				return strings.Contains(line, "192.168.50.2")
			}
		}
		return false
	})
}

// The client's address is kept under externalTrafficPolicy Local; and without kube-proxy
// an address leads to the node's own proxies.
func TestWithoutKubeProxy(t *testing.T) {
	if _, err := exec.LookPath("wget"); err != nil {
		t.Skip(err)
	}
	p, version := fresh(t)
	host := outsider(t, p)
	ask(t, p, fmt.Sprintf(echoManifest, version), "apply", "-f", "-")
	ask(t, p, withoutManifest, "apply", "-f", "-")
	for _, gateway := range []string{"kept", "alone"} {
		becomes(t, p, "True", "-n", "proof", "get", "gateway", gateway, "-o", `jsonpath={.status.conditions[?(@.type=="Programmed")].status}`)
	}
	seen(t, p, host, "kept", "192.168.50.171")
	out, err := exec.Command("ip", "netns", "exec", host, "wget", "--tries=1", "--timeout=2", "-O-", "http://192.168.50.172/").CombinedOutput()
	if err == nil {
		t.Fatalf("it answers before anything leads to it: %s", out)
	}

	ask(t, p, "", "-n", "yumen-system", "patch", "deployment", "yumen-controller", "--type=json", "-p",
		`[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--announcers-forward"}]`)
	ask(t, p, "", "-n", "yumen-system", "patch", "daemonset", "yumen-announcer", "--type=json", "-p",
		`[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--take"},
		{"op":"add","path":"/spec/template/spec/containers/0/securityContext/capabilities/add/-","value":"NET_ADMIN"}]`)
	for _, what := range []string{"deployment/yumen-controller", "daemonset/yumen-announcer"} {
		ask(t, p, "", "-n", "yumen-system", "rollout", "status", what, "--timeout=90s")
	}
	seen(t, p, host, "alone", "192.168.50.172")
	for _, pid := range proxiesOfKube(t, p) {
		syscall.Kill(pid, syscall.SIGSTOP)
		defer syscall.Kill(pid, syscall.SIGCONT)
	}
	seen(t, p, host, "alone", "192.168.50.172")
	seen(t, p, host, "kept", "192.168.50.171")
	// New pods are led to as well, though kube-proxy does not hear of them.
	ask(t, p, "", "-n", "proof", "delete", "pods", "-l", "gateway.networking.k8s.io/gateway-name=alone", "--wait")
	seen(t, p, host, "alone", "192.168.50.172")
}

// proxiesOfKube are the cluster's kube-proxies.
func proxiesOfKube(t *testing.T, p place) (found []int) {
	t.Helper()
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, entry := range entries {
		text, _ := os.ReadFile(entry)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		if bytes.Contains(text, []byte("\x00kube-proxy\x00")) && below(pid, first(p)) {
			found = append(found, pid)
		}
	}
	if len(found) == 0 {
		t.Fatal("no kube-proxy runs")
	}
	return found
}
