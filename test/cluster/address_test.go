package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// outsider is a host beside the node, on the same network: a namespace of its own at
// the switch. It is told by its name.
func outsider(t *testing.T, p place) string {
	t.Helper()
	name := fmt.Sprintf("yumen-outsider-%d", os.Getpid())
	run := func(arguments ...string) {
		t.Helper()
		if out, err := exec.Command(arguments[0], arguments[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", arguments, err, out)
		}
	}
	lan := fmt.Sprintf("--net=/proc/%d/root/run/netns/lan", first(p))
	run("ip", "netns", "add", name)
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
	run("nsenter", lan, "ip", "link", "add", "outsider", "type", "veth", "peer", "name", "eth0", "netns", name)
	run("nsenter", lan, "ip", "link", "set", "outsider", "master", "switch", "up")
	run("ip", "-n", name, "address", "add", "192.168.50.2/24", "dev", "eth0")
	run("ip", "-n", name, "link", "set", "eth0", "up")
	return name
}

// fetches waits until wget of a host says this, and tells all that it said.
func fetches(t *testing.T, host, url, want string) string {
	t.Helper()
	var out []byte
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		out, _ = exec.Command("ip", "netns", "exec", host, "wget", "--tries=1", "--timeout=3", "-O-", url).CombinedOutput()
		if strings.Contains(string(out), want) {
			return "$ wget " + url + "\n" + string(out)
		}
	}
	t.Fatalf("wget %s: no %q\n%s", url, want, out)
	return ""
}

// The article's second example, both ways, its manifests as they are: a host outside
// the cluster reaches the Gateway's address.
func TestExampleTwo(t *testing.T) {
	if _, err := exec.LookPath("wget"); err != nil {
		t.Skip(err)
	}
	p, version := fresh(t)
	host := outsider(t, p)
	ask(t, p, `{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "envoy-gateway-system"}}`, "apply", "-f", "-")
	ask(t, p, `{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "metallb-system"}}`, "apply", "-f", "-")
	tell(t, p, "--controller-name=gateway.envoyproxy.io/gatewayclass-controller")
	ask(t, p, fmt.Sprintf(echoManifest, version), "apply", "-f", "-")
	for _, name := range []string{"gatewayclass", "example-2-metallb-ippool"} {
		ask(t, p, "", "apply", "-f", p.in("test/golden/cases/seed-"+name+"/input.yaml"))
	}
	serviceAlone(t, p, host)
	rivalOfAlone(t, p, host)
	for _, way := range []string{"example-2-metallb-gateway", "example-2-addresses"} {
		ask(t, p, "", "apply", "-f", p.in("test/golden/cases/seed-"+way+"/input.yaml"))
		answer := fetches(t, host, "http://192.168.50.150/", "404 Not Found")
		ask(t, p, fleetRoute, "apply", "-f", "-")
		answer += fetches(t, host, "http://192.168.50.150/hello", `"path":"/hello"`)
		if !strings.Contains(answer, `["X-Forwarded-For","192.168.50.2"]`) {
			t.Errorf("the client's address is lost: %s", answer)
		}
		fmt.Printf("%s:\n%s%s\n", way, ask(t, p, "", "get", "gateway", "eg"), "\n"+answer)
		announcedBy(t, p, "envoy-gateway-system", "envoy-default-eg-e41e7b31", nodeName+" node0")
		ask(t, p, "", "-n", "proof", "delete", "httproute", "echo")
		ask(t, p, "", "delete", "gateway", "eg")
	}
	aloneNoMore(t, p, host)
}

// announcedBy waits until this is what there is of ServiceL2Status for a Service: nodes
// and interfaces of each, in order of names.
func announcedBy(t *testing.T, p place, namespace, service, want string) {
	t.Helper()
	becomes(t, p, want, "-n", "yumen-system", "get", "servicel2statuses",
		"-l", "metallb.io/service-namespace="+namespace+",metallb.io/service-name="+service,
		"-o", "jsonpath={range .items[*]}{.status.node} {.status.interfaces[*].name}{end}")
}

const aloneService = `apiVersion: v1
kind: Service
metadata: {name: alone, namespace: proof, annotations: {metallb.io/loadBalancerIPs: 192.168.50.160}}
spec:
  type: LoadBalancer
  loadBalancerClass: yumen.dev/lb
  externalTrafficPolicy: Local
  selector: {app: echo}
  ports: [{port: 80, targetPort: 8080}]
`

// serviceAlone: a Service of our class gets an address that a host outside reaches, and
// that is announced while a node has endpoints for it.
func serviceAlone(t *testing.T, p place, host string) {
	ask(t, p, aloneService, "apply", "-f", "-")
	fmt.Print(fetches(t, host, "http://192.168.50.160/alone", `"path":"/alone"`))
	fmt.Println(ask(t, p, "", "-n", "proof", "get", "service", "alone"))
	announcedBy(t, p, "proof", "alone", nodeName+" node0")
	fmt.Println(ask(t, p, "", "get", "servicel2statuses", "-A"))
}

// conflict is what the Service says of a rival.
func conflict(t *testing.T, p place) string {
	return ask(t, p, "", "-n", "proof", "get", "service", "alone", "-o",
		`jsonpath={.status.conditions[?(@.type=="yumen.dev/AddressConflict")]}`)
}

// rivalOfAlone: a rival that comes, and goes, is named to whoever has the address.
func rivalOfAlone(t *testing.T, p place, host string) {
	hardware, err := exec.Command("ip", "netns", "exec", host, "cat", "/sys/class/net/eth0/address").Output()
	if err != nil {
		t.Fatal(err)
	}
	exec.Command("ip", "-n", host, "address", "add", "192.168.50.160/32", "dev", "eth0").Run()
	// It asks for a neighbour in that address' name, by which it is known at once; one that
	// only answers is found when it is looked for, every 30 s.
	exec.Command("ip", "-n", host, "neigh", "flush", "all").Run()
	exec.Command("ip", "netns", "exec", host, "wget", "--bind-address=192.168.50.160", "--tries=1", "--timeout=1", "-O-",
		"http://192.168.50.3/").Run()
	eventually(t, "the rival's hardware address", func() bool {
		said := conflict(t, p)
		return strings.Contains(said, strings.TrimSpace(string(hardware))) && strings.Contains(said, `"status":"True"`)
	})
	fmt.Println(conflict(t, p))
	exec.Command("ip", "-n", host, "address", "del", "192.168.50.160/32", "dev", "eth0").Run()
}

// aloneNoMore: the rival is told of no more (for a while it may only be silent, in which
// the rest of the test is done), and nobody announces what has no endpoints, or is gone.
func aloneNoMore(t *testing.T, p place, host string) {
	eventually(t, "no rival", func() bool { return conflict(t, p) == "" })
	ask(t, p, "", "-n", "proof", "scale", "deployment", "echo", "--replicas=0")
	eventually(t, "nobody to announce it", func() bool {
		exec.Command("ip", "-n", host, "neigh", "flush", "all").Run()
		out, _ := exec.Command("ip", "netns", "exec", host, "wget", "--tries=1", "--timeout=2", "-O-",
			"http://192.168.50.160/").CombinedOutput()
		return strings.Contains(string(out), "No route to host") || strings.Contains(string(out), "timed out")
	})
	announcedBy(t, p, "proof", "alone", "")
	ask(t, p, "", "-n", "proof", "scale", "deployment", "echo", "--replicas=1")
	fetches(t, host, "http://192.168.50.160/again", `"path":"/again"`)
	announcedBy(t, p, "proof", "alone", nodeName+" node0")
	ask(t, p, "", "-n", "proof", "delete", "service", "alone")
	announcedBy(t, p, "proof", "alone", "")
}
