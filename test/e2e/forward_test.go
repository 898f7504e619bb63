// Announcers that lead what comes for an address to pods of their node, where nobody
// else does: no kube-proxy is anywhere in these nodes.
package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	servicesList = "/api/v1/services"
	slicesList   = "/apis/discovery.k8s.io/v1/endpointslices"
	podPort      = 8080
)

// pods are a segment's nodes with a pod on each, and a cluster's controller.
type pods struct {
	*segment
	api *api
	all []*gate // by node
}

// pod is a network of its own that only its node leads to, and what serves in it.
func (p *pods) pod(n *node) *gate {
	p.t.Helper()
	name := fmt.Sprintf("pod%d-%s", n.number, randomHex())
	if _, err := p.run("netns", "add", name); err != nil {
		p.t.Skipf("needs network namespaces: %v", err)
	}
	p.t.Cleanup(func() { p.run("netns", "del", name) })
	p.ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", "veth0", "netns", n.name)
	p.ip("-n", n.name, "link", "set", "veth0", "up")
	p.ip("-n", name, "link", "set", "lo", "up")
	p.ip("-n", name, "link", "set", "eth0", "up")
	for _, family := range []string{"10.79.%d.%d/24", "fd79:%d::%d/64"} {
		node, pod := fmt.Sprintf(family, n.number, 1), fmt.Sprintf(family, n.number, 2)
		p.ip("-n", n.name, "addr", "add", node, "dev", "veth0", "nodad")
		p.ip("-n", name, "addr", "add", pod, "dev", "eth0", "nodad")
		p.ip("-n", name, "route", "add", "default", "via", strings.Split(node, "/")[0])
	}
	p.set(n.name, "net/ipv4/ip_forward", "1")
	p.set(n.name, "net/ipv6/conf/all/forwarding", "1")
	file := p.file("pod-"+n.name+".yaml", strings.NewReplacer("addresses: []", "", "port: 80", fmt.Sprint("port: ", podPort)).Replace(gatewayAt()))
	g := p.gateIn(name)
	g.spawn([]string{"run", "-f", file, "--socket", g.socket, "--workers", "1", "--access-log", "json"})
	g.waitReady()
	return g
}

// service has the addresses, and an endpoint on these nodes.
func (p *pods) service(nodes ...*node) { p.serviceBeside(nil, nodes...) }

// serviceBeside has an endpoint on one node more, which is about to end.
func (p *pods) serviceBeside(ending *node, nodes ...*node) {
	p.t.Helper()
	for i, family := range []string{"10.79.%d.2", "fd79:%d::2"} {
		endpoints := []string{}
		for _, n := range nodes {
			endpoints = append(endpoints, fmt.Sprintf(`{"addresses": [%q], "nodeName": %q, "conditions": {"ready": true}}`,
				fmt.Sprintf(family, n.number), n.name))
		}
		if ending != nil {
			endpoints = append(endpoints, fmt.Sprintf(`{"addresses": [%q], "nodeName": %q, "conditions": {"ready": false, "serving": true, "terminating": true}}`,
				fmt.Sprintf(family, ending.number), ending.name))
		}
		kind := []string{"IPv4", "IPv6"}[i]
		p.api.put(slicesList, fmt.Sprintf(`{"metadata": {"name": "web-%s", "namespace": "default",
			"labels": {"kubernetes.io/service-name": "web"}}, "addressType": %q, "ports": [{"name": "http", "port": %d, "protocol": "TCP"}],
			"endpoints": [%s]}`, strings.ToLower(kind), kind, podPort, strings.Join(endpoints, ",")))
	}
}

func newPods(t *testing.T, nodes int) *pods {
	t.Helper()
	p := &pods{segment: newSegment(t, nodes)}
	var listener net.Listener
	if err := p.within(p.name, func() (err error) {
		listener, err = net.Listen("tcp", "127.0.0.1:6443")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	p.api = newAPI(t, listener, servicesList, slicesList, "/api/v1/nodes", "/api/v1/namespaces",
		"/apis/metallb.io/v1beta1/ipaddresspools", "/apis/metallb.io/v1beta1/l2advertisements")
	p.api.put("/api/v1/namespaces", `{"metadata": {"name": "default"}}`)
	p.api.put("/apis/metallb.io/v1beta1/ipaddresspools", fmt.Sprintf(`{"metadata": {"name": "link", "namespace": "metallb-system"},
		"spec": {"addresses": ["%s/32", "%s/128"]}}`, claimed, p.six))
	p.api.put("/apis/metallb.io/v1beta1/l2advertisements", `{"metadata": {"name": "link", "namespace": "metallb-system"}, "spec": {}}`)
	p.api.put(servicesList, fmt.Sprintf(`{"metadata": {"name": "web", "namespace": "default",
		"annotations": {"metallb.io/loadBalancerIPs": "%s,%s"}}, "spec": {"type": "LoadBalancer", "loadBalancerClass": "yumen.dev/lb",
		"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd96::9"], "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack",
		"externalTrafficPolicy": "Cluster", "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": %d}]}}`, claimed, p.six, podPort))
	for _, n := range p.nodes {
		p.api.put("/api/v1/nodes", fmt.Sprintf(`{"metadata": {"name": %q}, "status": {"addresses": [{"type": "InternalIP", "address": "10.78.0.%d"}]}}`,
			n.name, 10+n.number))
		p.all = append(p.all, p.pod(n))
	}
	p.service(p.nodes...)
	p.control.stop()
	config := p.file("kubeconfig", `{"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:6443"}}],
		"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "users": [{"name": "u", "user": {}}], "current-context": "c"}`)
	p.control = p.gateIn(p.name)
	p.control.spawn([]string{"controller", "--kubeconfig", config, "--lease", "off", "--announcers-forward", "--socket", p.control.socket,
		"--stream-listen", "10.78.0.254:9443", "--stream-name", "10.78.0.254",
		"--stream-authority", filepath.Join(p.dir, "authority"), "--stream-tokens", filepath.Join(p.dir, "tokens")})
	return p
}

// served waits until the pod of a node, and no other, has answered this client.
func (p *pods) served(by *node, namespace, address, client string) {
	p.t.Helper()
	path := "/" + randomHex()
	p.control.eventually(address+" answers "+client, func() error {
		status, err := p.askFrom(namespace, address, path)
		if err == nil && status != 404 {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	for i, pod := range p.all {
		pod := pod
		if p.nodes[i] != by {
			if strings.Contains(pod.stdout(), path) {
				p.t.Errorf("%s served what came to %s", p.nodes[i].name, by.name)
			}
			continue
		}
		pod.eventually("the pod's log", func() error {
			for _, line := range strings.Split(pod.stdout(), "\n") {
				if strings.Contains(line, path) && strings.Contains(line, `"`+client+`"`) {
					return nil
				}
			}
			return fmt.Errorf("no %s from %s: %s", path, client, pod.stdout())
		})
	}
}

// Without kube-proxy what comes for an address goes to the pod of the node that has it,
// with its sender's address; the address goes where such a pod is.
func TestForward(t *testing.T) {
	p := newPods(t, 2)
	for _, n := range p.nodes {
		n.announce()
	}
	for _, address := range []string{claimed, p.six} {
		owner := p.settled()
		client, far := "10.78.0.1", "10.80.0.1"
		if address == p.six {
			client, far = "fd78::1", "fd80::1"
		}
		p.served(owner, p.client, address, client)
		p.served(owner, p.far, address, far)
	}

	// The pod of the owner ends, and is gone later: it is another's address before.
	owner := p.settled()
	other := p.besides(owner)
	clients := p.probe(sight{p.client, claimed}, sight{p.far, claimed}, sight{p.client, p.six}, sight{p.far, p.six})
	for i, result := range clients.during(2*time.Second, func() {
		p.serviceBeside(owner, other)
		time.Sleep(time.Second)
		p.served(other, p.client, claimed, "10.78.0.1")
		p.service(other)
	}) {
		t.Logf("the pod ends: %v", result)
		if !result.last.good || result.lost > 2 {
			t.Errorf("%d: %v", i, result)
		}
	}
	p.served(other, p.client, claimed, "10.78.0.1")
	if left := p.ip("netns", "exec", owner.name, "nft", "list", "table", "inet", "yumen"); strings.Contains(left, "dnat") {
		t.Errorf("rules are left: %s", left)
	}

	// No pod at all: nobody has it.
	p.service()
	p.control.eventually("nobody has it", func() error {
		if owners := p.owners(claimed); len(owners) > 0 {
			return fmt.Errorf("%s has it", owners[0].name)
		}
		return nil
	})
	p.service(p.nodes...)
	owner = p.settled()
	clients = p.probe(sight{p.client, claimed}, sight{p.client, p.six})
	for i, result := range clients.during(2*time.Second, owner.fall) {
		t.Logf("node killed: %v", result)
		if !result.last.good {
			t.Errorf("%d: at the end nothing is answered\n%s", i, p.logs())
		}
	}
}

// fall is kill of a node that has pods, which nothing can reach then.
func (n *node) fall() {
	n.dead = true
	n.s.ip("-n", n.s.name, "link", "set", n.port(), "down")
	n.announcer.kill()
}

// Rules that another program has taken away with all others, as a restart of nftables
// does, are set again; so are they when their pods change just then.
func TestForwardFlushed(t *testing.T) {
	p := newPods(t, 2)
	for _, n := range p.nodes {
		n.announce()
	}
	owner := p.settled()
	p.served(owner, p.client, claimed, "10.78.0.1")
	for _, change := range []bool{false, true} {
		p.flush(owner)
		if change {
			p.service(owner)
		}
		p.served(owner, p.client, claimed, "10.78.0.1")
		p.served(owner, p.client, p.six, "fd78::1")
	}
	if !strings.Contains(owner.announcer.stderr(), "announce.rules_lost") {
		t.Errorf("nothing is told of it: %s", owner.announcer.stderr())
	}
}

func (p *pods) flush(n *node) {
	p.t.Helper()
	p.ip("netns", "exec", n.name, "nft", "flush", "ruleset")
	if left := p.ip("netns", "exec", n.name, "nft", "list", "ruleset"); strings.Contains(left, "dnat") {
		p.t.Logf("so soon there are rules again: %s", left)
	}
}

// keepOut has another program own the table of a node, which keeps others out of it until
// that one ends.
func (p *pods) keepOut(n *node) (release func()) {
	p.t.Helper()
	other := exec.Command("ip", "netns", "exec", n.name, "nft", "-i")
	in, err := other.StdinPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { other.Process.Kill(); other.Wait() })
	fmt.Fprint(in, "flush ruleset\nadd table inet yumen { flags owner; }\n")
	return func() { in.Close() }
}

// A node that cannot lead an address leaves it to one that can, and has it again when it
// can; that is told only where no other does.
func TestForwardRefusedBeside(t *testing.T) {
	p := newPods(t, 2)
	for _, n := range p.nodes {
		n.announce()
	}
	owner := p.settled()
	p.served(owner, p.client, claimed, "10.78.0.1")
	release := p.keepOut(owner)
	other := p.besides(owner)
	p.awaitOnly(other)
	p.served(other, p.client, claimed, "10.78.0.1")
	p.served(other, p.client, p.six, "fd78::1")
	told := func(wanted bool) {
		p.control.eventually(fmt.Sprint("it is told that it cannot be led: ", wanted), func() error {
			text := fmt.Sprint(p.api.status(servicesList, "default/web"))
			if strings.Contains(text, "cannot lead it to its pods") != wanted {
				return fmt.Errorf("%s", text)
			}
			return nil
		})
	}
	told(false)
	releaseOther := p.keepOut(other)
	told(true)
	releaseOther()
	p.awaitOnly(other)
	told(false)
	release()
	p.awaitOnly(owner)
	p.served(owner, p.client, claimed, "10.78.0.1")
	p.served(owner, p.client, p.six, "fd78::1")
}

// A stop of the only announcer takes no rules away; the next start swaps them for those that
// hold then.
func TestForwardStopped(t *testing.T) {
	p := newPods(t, 1)
	n := p.nodes[0]
	n.announceInside(nil)
	rules := func() string { return p.ip("netns", "exec", n.name, "nft", "list", "ruleset") }
	sights := []sight{{p.client, claimed}, {p.far, claimed}, {p.client, p.six}, {p.far, p.six}}
	p.seen(sights...)
	for i, result := range p.probe(sights...).during(3*time.Second, func() {
		for i := 0; i < 3; i++ {
			n.announcer.stop()
			if left := rules(); strings.Count(left, "dnat") < 2 {
				t.Errorf("what nobody takes is gone: %s", left)
			}
			n.announceInside(nil)
			n.announcer.ready()
		}
		n.announcer.awaitLog(1, "announce.held ", claimed)
		n.announcer.awaitLog(1, "announce.held ", p.six)
	}) {
		if result.lost > 0 || !result.last.good {
			t.Errorf("%v: %v\n%s", sights[i], result, p.logs())
		}
	}
	n.announcer.stop()
	p.service()
	p.control.eventually("nothing is led any more", func() error {
		n.announceInside(nil)
		n.announcer.ready()
		n.announcer.stop()
		if left := rules(); strings.Contains(left, "dnat") {
			return fmt.Errorf("%s", left)
		}
		return nil
	})
}

// What the next one turns out not to be able to serve stays as well.
func TestForwardStoppedBeside(t *testing.T) {
	p := newPods(t, 2)
	for _, n := range p.nodes {
		n.announce()
	}
	owner := p.settled()
	p.served(owner, p.client, claimed, "10.78.0.1")
	p.served(owner, p.client, p.six, "fd78::1") // the client knows where both are
	other := p.besides(owner)
	p.keepOut(other)
	other.announcer.awaitLog(1, "announce.not_led ", claimed)
	owner.announcer.stop()
	if !owner.hasBoth() {
		t.Errorf("what nobody can take is gone: %s", owner.routes())
	}
	p.served(owner, p.client, claimed, "10.78.0.1")
	p.served(owner, p.client, p.six, "fd78::1")
}

// While the kernel does not take the rules nobody announces the address; once it does,
// it is announced again.
func TestForwardRetried(t *testing.T) {
	p := newPods(t, 1)
	n := p.nodes[0]
	n.announce()
	p.settled()
	release := p.keepOut(n)
	p.control.eventually("nobody has it", func() error {
		if owners := append(p.owners(claimed), p.owners(p.six)...); len(owners) > 0 {
			return fmt.Errorf("%s has it\n%s", owners[0].name, p.logs())
		}
		return nil
	})
	release()
	p.served(n, p.client, claimed, "10.78.0.1")
	p.served(n, p.client, p.six, "fd78::1")
}

// A flow of UDP that begins while the rules are away is led once they are back, though it
// never pauses; one that others have led to another node's pod stays there.
func TestForwardFlow(t *testing.T) {
	p := newPods(t, 2)
	n, other := p.nodes[0], p.nodes[1]
	p.api.put(servicesList, fmt.Sprintf(`{"metadata": {"name": "web", "namespace": "default",
		"annotations": {"metallb.io/loadBalancerIPs": "%s,%s"}}, "spec": {"type": "LoadBalancer", "loadBalancerClass": "yumen.dev/lb",
		"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9", "fd96::9"], "ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack",
		"externalTrafficPolicy": "Cluster", "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": %d},
		{"name": "echo", "port": 5353, "protocol": "UDP", "targetPort": 5353}]}}`, claimed, p.six, podPort))
	p.echoes()
	p.leadElsewhere(n, other, 40003)
	n.announce()
	p.settled()
	for _, to := range []string{claimed, p.six} {
		p.control.eventually("it is led", func() error { return p.flow(to, 40001, "1", n) })
		// Without rules, and without the announcer that would set them again.
		n.announcer.kill()
		p.ip("netns", "exec", n.name, "nft", "delete", "table", "inet", "yumen")
		if p.flow(to, 40002, "3", n) == nil {
			t.Fatal("it is led without rules")
		}
		if err := p.flow(to, 40003, "20", other); err != nil {
			t.Fatalf("others do not lead it: %v", err)
		}
		n.announce()
		if err := p.flow(to, 40002, "400", n); err != nil {
			t.Errorf("a flow that began without rules: %v\n%s", err, p.logs())
		}
		if err := p.flow(to, 40003, "20", other); err != nil {
			t.Errorf("a flow that others have led: %v\n%s", err, p.logs())
		}
	}
	// Another of the node is ready, and answers nothing.
	p.echoing(n)
	port := 40010
	p.control.eventually("new flows are led elsewhere", func() error {
		port++
		if p.flow(p.six, port, "2", n) == nil {
			return fmt.Errorf("that of %d is not\n%s", port, p.logs())
		}
		return nil
	})
	for _, to := range []string{claimed, p.six} {
		if err := p.flow(to, 40002, "20", n); err != nil {
			t.Errorf("a flow of a pod that ends: %v\n%s", err, p.logs())
		}
	}
}

// leadElsewhere is what kube-proxy does on a node with what comes from one port, as it
// leads all of it: to another node's pod, as of the node itself.
func (p *pods) leadElsewhere(n, other *node, port int) {
	p.t.Helper()
	for _, family := range []string{"10.79.%d.0/24 10.78.0.1%[1]d", "fd79:%d::/64 fd78::1%[1]d"} {
		way := strings.Fields(fmt.Sprintf(family, other.number))
		p.ip("-n", n.name, "route", "add", way[0], "via", way[1])
	}
	p.ip("netns", "exec", n.name, "nft", fmt.Sprintf(`add table inet other
		add chain inet other c { type nat hook prerouting priority dstnat; }
		add rule inet other c udp sport %[1]d udp dport 5353 dnat ip to 10.79.%[2]d.2
		add rule inet other c udp sport %[1]d udp dport 5353 dnat ip6 to fd79:%[2]d::2
		add chain inet other d { type nat hook postrouting priority srcnat; }
		add rule inet other d udp dport 5353 ct status dnat masquerade`, port, other.number))
}

// echoing is what is told of the pods that answer datagrams; that of ending ends, beside one
// that is ready.
func (p *pods) echoing(ending *node) {
	p.t.Helper()
	for i, family := range []string{"10.79.%d.", "fd79:%d::"} {
		kind := []string{"IPv4", "IPv6"}[i]
		endpoints := []string{}
		for _, n := range p.nodes {
			one := func(last, conditions string) {
				endpoints = append(endpoints, fmt.Sprintf(`{"addresses": [%q], "nodeName": %q, "conditions": {%s}}`,
					fmt.Sprintf(family, n.number)+last, n.name, conditions))
			}
			if n == ending {
				one("2", `"ready": false, "serving": true, "terminating": true`)
				one("3", `"ready": true`)
			} else {
				one("2", `"ready": true`)
			}
		}
		p.api.put(slicesList, fmt.Sprintf(`{"metadata": {"name": "web-%s", "namespace": "default",
			"labels": {"kubernetes.io/service-name": "web"}}, "addressType": %q,
			"ports": [{"name": "http", "port": %d, "protocol": "TCP"}, {"name": "echo", "port": 5353, "protocol": "UDP"}],
			"endpoints": [%s]}`, strings.ToLower(kind), kind, podPort, strings.Join(endpoints, ",")))
	}
}

// echoes makes the pods answer datagrams with the names of their nodes, and endpoints.
func (p *pods) echoes() {
	p.t.Helper()
	p.echoing(nil)
	for i, n := range p.nodes {
		inside := p.all[i].inside
		echo := exec.Command("ip", "netns", "exec", inside[len(inside)-1], "python3", "-c", `
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", 5353))
while True:
    d, a = s.recvfrom(99); s.sendto(sys.argv[1].encode(), a)
`, n.name)
		if err := echo.Start(); err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { echo.Process.Kill(); echo.Wait() })
	}
}

// flow sends datagrams from one port of the client until one is answered, so many at most,
// and by this node's pod.
func (p *pods) flow(to string, port int, most string, by *node) error {
	out, err := p.run("netns", "exec", p.client, "python3", "-c", fmt.Sprintf(`
import socket, sys
to = socket.getaddrinfo("%s", 5353, type=socket.SOCK_DGRAM)[0]
s = socket.socket(to[0], to[1]); s.bind(("", %d)); s.settimeout(0.05)
for i in range(%s):
    try:
        s.sendto(b"x", to[4]); print(s.recvfrom(99)[0].decode()); sys.exit(0)
    except OSError:
        pass
sys.exit("no answer to %s datagrams")
`, to, port, most, most))
	if err == nil && strings.TrimSpace(out) != by.name {
		err = fmt.Errorf("not by %s", by.name)
	}
	if err != nil {
		return fmt.Errorf("%v: %s", err, out)
	}
	return nil
}

// A pod reaches the address also where that leads to itself; it sees its node then.
func TestForwardItself(t *testing.T) {
	p := newPods(t, 1)
	n := p.nodes[0]
	n.announce()
	p.settled()
	inside := p.all[0].inside
	pod := inside[len(inside)-1]
	p.served(n, pod, claimed, fmt.Sprintf("10.79.%d.1", n.number))
	p.served(n, pod, p.six, fmt.Sprintf("fd79:%d::1", n.number))
	p.served(n, p.client, claimed, "10.78.0.1")
}

// An announcer that may not change the node's rules says so, and announces nothing.
func TestForwardDenied(t *testing.T) {
	p := newPods(t, 1)
	n := p.nodes[0]
	n.announceInside(notAdmin)
	p.control.eventually("the Service says why", func() error {
		text := fmt.Sprint(p.api.status(servicesList, "default/web"))
		if !strings.Contains(text, "CAP_NET_ADMIN is needed") {
			return fmt.Errorf("%s\n%s", text, p.logs())
		}
		return nil
	})
	if held := counter(n.announcer, "yumen_announced_addresses"); held != "" && held != "0" {
		t.Errorf("%s addresses are announced", held)
	}
}

// Of two L2Advertisements that differ in nodes and interfaces each node announces on the
// interfaces of the one that selects it.
func TestForwardInterfaces(t *testing.T) {
	p := newPods(t, 2)
	for i, n := range p.nodes {
		p.api.put("/api/v1/nodes", fmt.Sprintf(`{"metadata": {"name": %q, "labels": {"rack": "%d"}}}`, n.name, i))
		n.announce()
	}
	p.settled()
	advertise := func(interfaces ...string) {
		for i, name := range interfaces {
			p.api.put("/apis/metallb.io/v1beta1/l2advertisements", fmt.Sprintf(`{"metadata": {"name": "rack%d", "namespace": "metallb-system"},
				"spec": {"nodeSelectors": [{"matchLabels": {"rack": "%d"}}], "interfaces": [%q]}}`, i, i, name))
		}
	}
	// What is there now is for the first rack alone.
	p.api.put("/apis/metallb.io/v1beta1/l2advertisements", `{"metadata": {"name": "link", "namespace": "metallb-system"},
		"spec": {"nodeSelectors": [{"matchLabels": {"rack": "none"}}]}}`)
	for i := 0; i < 4; i++ {
		names := []string{"eth0", "eth0"}
		names[(i+1)%2] = "eth7" // which no node has
		advertise(names...)
		wanted := p.nodes[i%2]
		p.control.eventually("the node whose interface is named has both", func() error {
			if owners := append(p.owners(claimed), p.owners(p.six)...); len(owners) != 2 || owners[0] != wanted || owners[1] != wanted {
				return fmt.Errorf("%d: %v\n%s", len(owners), owners, p.logs())
			}
			return nil
		})
		p.served(wanted, p.client, claimed, "10.78.0.1")
	}
	advertise("eth7", "eth7")
	p.says("node " + p.nodes[0].name + ": it is to be announced on eth7 (interfaces of an L2Advertisement), and the announcer here has eth0 alone")
	// A node that is not selected says nothing: it would come first.
	p.api.put("/apis/metallb.io/v1beta1/l2advertisements", `{"metadata": {"name": "rack0", "namespace": "metallb-system"},
		"spec": {"nodeSelectors": [{"matchLabels": {"rack": "none"}}]}}`)
	p.says("; " + claimed + ": node " + p.nodes[1].name + ": it is to be announced on eth7")
}

// says waits until the Service's condition does.
func (p *pods) says(want string) {
	p.t.Helper()
	p.control.eventually("the Service says why", func() error {
		if text := fmt.Sprint(p.api.status(servicesList, "default/web")); !strings.Contains(text, want) {
			return fmt.Errorf("%s\n%s", text, p.logs())
		}
		return nil
	})
}

// Of all interfaces that lead out of the node an announcer has each, and none that leads
// to pods, or is part of another.
func TestForwardEveryInterface(t *testing.T) {
	p := newPods(t, 1)
	n := p.nodes[0]
	for _, name := range []string{"eth7", "veth7", "cali7", "br7"} {
		p.ip("-n", n.name, "link", "add", name, "type", "bridge")
		p.ip("-n", n.name, "link", "set", name, "up")
	}
	// A bridge can be part of no other.
	p.ip("-n", n.name, "link", "add", "bond7", "type", "veth", "peer", "name", "veth8")
	p.ip("-n", n.name, "link", "set", "bond7", "master", "br7")
	n.announceOn("*", nil, "--take")
	p.served(n, p.client, claimed, "10.78.0.1")
	p.api.put("/apis/metallb.io/v1beta1/l2advertisements", `{"metadata": {"name": "link", "namespace": "metallb-system"},
		"spec": {"interfaces": ["eth9"]}}`)
	p.says("it is to be announced on eth9 (interfaces of an L2Advertisement), and the announcer here has eth0, eth7, br7 alone")
}

// An address that a node has on an interface of its own is its kernel's to answer for:
// nobody announces it, who had it gives it up, and who it is says so.
func TestForwardOwn(t *testing.T) {
	p := newPods(t, 2)
	for _, n := range p.nodes {
		n.announce()
	}
	owner := p.settled()
	other := p.nodes[0]
	if other == owner {
		other = p.nodes[1]
	}
	for i, n := range []*node{other, owner} {
		// The one that has it not, and then the one that has it.
		n.serve()
		p.ip("-n", n.name, "addr", "add", claimed+"/24", "dev", "eth0")
		p.control.eventually("nobody announces it", func() error {
			if owners := p.owners(claimed); len(owners) > 0 {
				return fmt.Errorf("%s has it\n%s", owners[0].name, p.logs())
			}
			return nil
		})
		p.control.eventually("the Service says why", func() error {
			text := fmt.Sprint(p.api.status(servicesList, "default/web"))
			if want := claimed + ": node " + n.name + ": the node has it on an interface of its own"; !strings.Contains(text, want) {
				return fmt.Errorf("%s", text)
			}
			return nil
		})
		p.forgetNeighbours()
		before := frames(t, p.nodes)
		p.control.eventually("the kernel has answered", func() error {
			_, err := p.ask(claimed, "/")
			if at := p.ip("-n", p.client, "neigh", "show", claimed); !strings.Contains(at, n.hardware()) {
				return fmt.Errorf("it is at %s (%v)", at, err)
			}
			return err
		})
		time.Sleep(500 * time.Millisecond)
		if after := frames(t, p.nodes); after > before+2 {
			t.Errorf("%d: announcers have sent %d frames about it", i, after-before)
		}
		p.ip("-n", n.name, "addr", "del", claimed+"/24", "dev", "eth0")
		p.settled()
		p.served(owner, p.client, claimed, "10.78.0.1")
		n.proxy.stop()
	}
}

// frames are those that announcers have sent.
func frames(t *testing.T, nodes []*node) (sum int) {
	t.Helper()
	for _, n := range nodes {
		sum += parsed(t, counter(n.announcer, `yumen_announce_sent_total{result="ok"}`))
	}
	return sum
}
