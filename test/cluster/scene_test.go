package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// scene is a Gateway with an address of a pool, two proxies, a route, and two backends.
const scene = `apiVersion: v1
kind: Namespace
metadata: {name: scene}
---
apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: scene, namespace: metallb-system}
spec: {addresses: [192.0.2.128/28]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: scene}
spec: {controllerName: yumen.dev/gateway-controller}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo, namespace: scene}
spec:
  replicas: 2
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      containers:
      - name: echo
        image: yumen.dev/yumen:%s
        args: [echo, --listen, "0.0.0.0:8080"]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: scene}
spec:
  selector: {app: echo}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: two, namespace: scene}
spec: {provider: {type: Kubernetes, kubernetes: {envoyDeployment: {replicas: 2}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: scene}
spec:
  gatewayClassName: scene
  infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: two}}
  listeners: [{name: http, protocol: HTTP, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: all, namespace: scene}
spec:
  parentRefs: [{name: web}]
  rules: [{backendRefs: [{name: echo, port: 80}]}]
`

// raiseScene starts the cluster and the scene in it, and waits until all of it is there
// and requests are answered; it returns the Gateway's address.
func raiseScene(t *testing.T, p place) string {
	t.Helper()
	_, version := possible(t)
	step(t, p, "cluster")
	t.Cleanup(func() {
		if os.Getenv("KEEP") == "" {
			step(t, p, "cluster-down")
		}
	})
	ask(t, p, fmt.Sprintf(scene, version), "apply", "--server-side", "-f", "-")
	ask(t, p, "", "-n", "scene", "rollout", "status", "deployment/echo", "--timeout=120s")
	ask(t, p, "", "-n", "scene", "wait", "--for=condition=Programmed", "gateway/web", "--timeout=120s")
	address := ask(t, p, "", "-n", "scene", "get", "gateway", "web", "-o", "jsonpath={.status.addresses[0].value}")
	if address == "" {
		t.Fatal("the Gateway has no address")
	}
	rolledOut(t, p)
	flows(t, p, "http://"+address+"/", "200")
	return address
}

// ask is kubectl, which must do as it is told.
func ask(t *testing.T, p place, input string, arguments ...string) string {
	t.Helper()
	out, err := kubectl(p, strings.NewReader(input), arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// eventually waits until something is so, for two minutes.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// processes of this program, with this as their first argument, in the cluster's pods
// and beside them.
func processes(t *testing.T, p place, program, argument string) []int {
	t.Helper()
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", first(p)))
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := filepath.Glob("/proc/[0-9]*")
	var found []int
	for _, entry := range entries {
		line, _ := os.ReadFile(entry + "/cmdline")
		words := strings.Split(string(line), "\x00")
		if len(words) < 2 || filepath.Base(words[0]) != program || words[1] != argument {
			continue
		}
		groups, _ := os.ReadFile(entry + "/cgroup")
		its, _ := os.Readlink(entry + "/ns/pid")
		if its != space && !strings.Contains(string(groups), "/"+p.group()+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(entry)); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
