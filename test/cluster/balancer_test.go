package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

const balancerPools = `apiVersion: v1
kind: Namespace
metadata: {name: metallb-system}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: first, namespace: metallb-system}
spec: {addresses: [192.168.50.170-192.168.50.179]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: all, namespace: metallb-system}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: yumen}
spec: {controllerName: yumen.dev/gateway-controller}
`

// balanced is a Service of type LoadBalancer in namespace proof, with more of its spec
// and annotations.
func balanced(name string, port int, spec, annotations string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: %s, namespace: proof, annotations: {%s}}
spec: {type: LoadBalancer, selector: {app: echo}, ports: [{port: %d, targetPort: 8080}]%s}
`, name, annotations, port, spec)
}

const (
	ofYumen = ", loadBalancerClass: yumen.dev/lb"
	sharing = "metallb.io/allow-shared-ip: key"
)

// A MetalLB, as far as anybody can see who does not ask it: its controller's Deployment.
const fakeMetalLB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: controller, namespace: metallb-system, labels: {app: metallb, component: controller}}
spec:
  replicas: 1
  selector: {matchLabels: {app: metallb, component: controller}}
  template:
    metadata: {labels: {app: metallb, component: controller}}
    spec:
      containers:
      - name: controller
        image: yumen.dev/yumen:%s
        args: [echo, --listen, "0.0.0.0:9443"]
`

func balancerGateway(name, annotations string) string {
	return fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %s, namespace: proof}
spec:
  gatewayClassName: yumen
  infrastructure: {annotations: {%s}}
  listeners: [{name: http, protocol: HTTP, port: 80}]
`, name, annotations)
}

// yumen as the cluster's load balancer: Services without a class, that share an address,
// and that get none; and what becomes of it while a MetalLB runs.
func TestBalancer(t *testing.T) {
	if _, err := exec.LookPath("wget"); err != nil {
		t.Skip(err)
	}
	p, version := fresh(t)
	host := outsider(t, p)
	ask(t, p, balancerPools, "apply", "-f", "-")
	tell(t, p, "--services-without-class")
	ask(t, p, fmt.Sprintf(echoManifest, version), "apply", "-f", "-")
	has := func(service, address string) {
		t.Helper()
		becomes(t, p, address, "-n", "proof", "get", "service", service, "-o", "jsonpath={.status.loadBalancer.ingress[*].ip}")
	}
	// It has no class.
	has("echo", "192.168.50.170")
	fetches(t, host, "http://192.168.50.170/plain", `"path":"/plain"`)
	described(t, p, "echo", `Normal IPAllocated Assigned IP ["192.168.50.170"]`,
		`Normal nodeAssigned announcing from node "node" with protocol "layer2"`)

	// Two share one address; a third one's port clashes.
	ask(t, p, balanced("share-a", 80, "", sharing), "apply", "-f", "-")
	ask(t, p, balanced("share-b", 81, ofYumen, sharing), "apply", "-f", "-")
	has("share-a", "192.168.50.171")
	has("share-b", "192.168.50.171")
	ask(t, p, balanced("share-c", 80, ofYumen, sharing), "apply", "-f", "-")
	has("share-c", "192.168.50.172")
	fetches(t, host, "http://192.168.50.171/a", `"path":"/a"`)
	fetches(t, host, "http://192.168.50.171:81/b", `"path":"/b"`)
	for _, service := range []string{"share-a", "share-b", "share-c"} {
		announcedBy(t, p, "proof", service, nodeName+" node0")
	}
	fmt.Println(ask(t, p, "", "-n", "proof", "get", "services"))
	fmt.Println(ask(t, p, "", "get", "servicel2statuses", "-A"))

	// One that gets none says why.
	ask(t, p, balanced("refused", 80, ofYumen, "metallb.io/loadBalancerIPs: 203.0.113.1"), "apply", "-f", "-")
	described(t, p, "refused", `Warning AllocationFailed Failed to allocate IP for "proof/refused": metadata.annotations: `+
		`metallb.io/loadBalancerIPs: 203.0.113.1 is in no pool; add it to the addresses of an IPAddressPool, or name one that is in a pool`)
	besideMetalLB(t, p, version, has)
}

// described waits until these are the Events of a Service: type, reason and message.
func described(t *testing.T, p place, service string, want ...string) {
	t.Helper()
	become := strings.Join(want, "\n")
	becomes(t, p, become, "-n", "proof", "get", "events", "--field-selector=involvedObject.kind=Service,involvedObject.name="+service,
		"--sort-by=.reason", "-o", `jsonpath={range .items[*]}{.type} {.reason} {.message}{"\n"}{end}`)
}

// besideMetalLB: of a MetalLB's pools only who names yumen gets an address, and all others
// again when it is gone.
func besideMetalLB(t *testing.T, p place, version string, has func(service, address string)) {
	t.Helper()
	programmed := func(gateway string) string {
		return ask(t, p, "", "-n", "proof", "get", "gateway", gateway, "-o",
			`jsonpath={.status.conditions[?(@.type=="Programmed")].status} {.status.conditions[?(@.type=="Programmed")].message}`)
	}
	ask(t, p, fmt.Sprintf(fakeMetalLB, version), "apply", "-f", "-")
	ask(t, p, balancerGateway("plain", ""), "apply", "-f", "-")
	const seen = "Deployment metallb-system/controller"
	eventually(t, "the MetalLB to be named", func() bool {
		said := programmed("plain")
		return strings.HasPrefix(said, "False MetalLB runs in this cluster ("+seen+")")
	})
	// Services without a class are the MetalLB's from now on.
	announcedBy(t, p, "proof", "echo", "")
	announcedBy(t, p, "proof", "share-a", "")
	announcedBy(t, p, "proof", "share-b", nodeName+" node0")
	ask(t, p, balanced("late", 80, "", ""), "apply", "-f", "-")
	ask(t, p, balanced("late-of-yumen", 80, ofYumen, ""), "apply", "-f", "-")
	has("late-of-yumen", "192.168.50.173")
	ask(t, p, balancerGateway("named", `yumen.dev/lb: "true"`), "apply", "-f", "-")
	eventually(t, "the Gateway that names yumen", func() bool {
		return strings.HasPrefix(programmed("named"), "True ")
	})
	fmt.Println(programmed("plain"))
	fmt.Println(programmed("named"))
	if said := programmed("named"); !strings.Contains(said, `192.168.50.174 is of pool "first"; MetalLB (`+seen+`)`) {
		t.Error(said)
	}
	has("late", "")

	ask(t, p, "", "-n", "metallb-system", "delete", "deployment", "controller")
	has("late", "192.168.50.176")
	eventually(t, "the Gateway that names nobody", func() bool {
		return strings.HasPrefix(programmed("plain"), "True ")
	})
	if said := programmed("named"); strings.Contains(said, "MetalLB") {
		t.Error(said)
	}
	announcedBy(t, p, "proof", "echo", nodeName+" node0")
	has("echo", "192.168.50.170")
}
