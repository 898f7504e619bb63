package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// lateScene is a Gateway whose pods no node may run.
const lateScene = `apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: late, namespace: scene}
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment: {strategy: {type: Recreate}, pod: {nodeSelector: {test: nowhere}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: late, namespace: scene}
spec:
  gatewayClassName: scene
  infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: late}}
  listeners: [{name: http, protocol: HTTP, port: 80}]
`

// What its status says: its address, and whether it is programmed.
const lateAddress = `jsonpath={.status.addresses[*].value}`

var lateTold = []string{"-n", "scene", "get", "gateway", "late", "-o",
	lateAddress + ` {.status.conditions[?(@.type=="Programmed")]['status','reason']}`}

func moveLate(t *testing.T, p place, selector string) {
	t.Helper()
	ask(t, p, "", "-n", "scene", "patch", "envoyproxy", "late", "--type=merge", "-p",
		`{"spec":{"provider":{"kubernetes":{"envoyDeployment":{"pod":{"nodeSelector":`+selector+`}}}}}}`)
}

// newTold makes a Gateway and asks its address once, at once when that is told.
func newTold(t *testing.T, p place, name string) {
	t.Helper()
	start := time.Now()
	ask(t, p, strings.ReplaceAll(otherGateway, "name: other,", "name: "+name+","), "apply", "--server-side", "-f", "-")
	told := ask(t, p, "", "-n", "scene", "wait", "gateway", name, "--timeout=60s",
		`--for=condition=Programmed`, "-o", "jsonpath={.status.addresses[*].value}")
	took := time.Since(start)
	got := answerOf(p, "http://"+told+"/")
	fmt.Printf("cluster: %s had %s after %.2f s, and answered %s %.2f s after that\n", name, told, took.Seconds(),
		got, (time.Since(start) - took).Seconds())
	if got != "404" {
		t.Errorf("%s is told, and answers %q", told, got)
	}
}

// An address is told once a pod of the Gateway's own is ready and it answers; it is not
// taken back, whatever becomes of pods, the Service, or controllers.
func TestAddressIsToldOnceItAnswers(t *testing.T) {
	p := root(t)
	raiseScene(t, p)
	for n := range 5 {
		newTold(t, p, fmt.Sprintf("new-%d", n))
	}
	ask(t, p, lateScene, "apply", "--server-side", "-f", "-")
	var address string
	eventually(t, "the Service's address", func() bool {
		out, err := kubectl(p, nil, "-n", "scene", "get", "service", "late-scene", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
		address = strings.TrimSpace(string(out))
		return err == nil && address != ""
	})
	becomes(t, p, "False Pending", lateTold...)
	fmt.Println(ask(t, p, "", "-n", "scene", "get", "gateway", "late", "-o",
		`jsonpath={.status.conditions[?(@.type=="Programmed")].message}`))
	time.Sleep(3 * time.Second)
	if got := ask(t, p, "", lateTold...); got != "False Pending" {
		t.Errorf("without a pod: %s", got)
	}

	moveLate(t, p, "null")
	becomes(t, p, address+" True Programmed", lateTold...)
	if got := answerOf(p, "http://"+address+"/"); got != "404" {
		t.Errorf("it is told, and answers %s", got)
	}

	changed := stays(p, address+" True Programmed", lateTold...)
	moved := stays(p, address, append(slices.Clone(lateTold[:len(lateTold)-1]), lateAddress)...)
	ready := []string{"-n", "scene", "get", "deployment", "late-scene", "-o", "jsonpath={.status.readyReplicas}/{.status.updatedReplicas}"}
	ask(t, p, "", "-n", "scene", "rollout", "restart", "deployment", "late-scene")
	ask(t, p, "", "-n", "scene", "rollout", "status", "deployment", "late-scene", "--timeout=60s")
	becomes(t, p, "1/1", ready...)
	ask(t, p, "", "-n", "scene", "delete", "service", "late-scene")
	becomes(t, p, address, "-n", "scene", "get", "service", "late-scene", "--ignore-not-found", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
	moveLate(t, p, `{"test":"nowhere"}`)
	becomes(t, p, "/1", ready...)
	if seen := changed(); len(seen) > 0 {
		t.Errorf("while pods and the Service were others: %v", seen)
	}
	// One that starts where no pod is left cannot know that they served: it tells of
	// them, and of the address what the status remembers.
	ask(t, p, "", "-n", "yumen-system", "delete", "pods", "-l", "app.kubernetes.io/component=controller")
	ask(t, p, "", "-n", "yumen-system", "rollout", "status", "deployment", "yumen-controller", "--timeout=60s")
	changeIsServed(t, p, ask(t, p, "", "-n", "scene", "get", "gateway", "web", "-o", "jsonpath={.status.addresses[0].value}"))
	becomes(t, p, address+" False Pending", lateTold...)
	moveLate(t, p, "null")
	becomes(t, p, address+" True Programmed", lateTold...)
	if seen := moved(); len(seen) > 0 {
		t.Errorf("the address was another: %v", seen)
	}
}
