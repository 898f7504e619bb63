package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// poolOf is a pool, and pooled a Gateway that asks for what rest says.
func poolOf(addresses string) string {
	return "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: loop, namespace: metallb-system}\n" +
		"spec: {addresses: [" + addresses + "]}\n"
}

func pooled(name string, port int, rest string) string {
	return fmt.Sprintf("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: %s}\n"+
		"spec:\n  gatewayClassName: yumen\n  listeners: [{name: http, protocol: HTTP, port: %d}]\n%s", name, port, rest)
}

// addresses of a Gateway, and why it is not Programmed.
func (g *gate) addresses(name string) (addresses, reason string) {
	for _, gateway := range g.get("gateways") {
		if gateway["metadata"].(map[string]any)["name"] != name {
			continue
		}
		status, _ := gateway["status"].(map[string]any)
		list, _ := status["addresses"].([]any)
		for _, one := range list {
			addresses += fmt.Sprint(one.(map[string]any)["value"])
		}
		reason, _ = condition(status["conditions"], "Programmed")["reason"].(string)
	}
	return addresses, reason
}

func (g *gate) awaitAddresses(name, addresses, reason string) {
	g.t.Helper()
	g.eventually(name+" has "+addresses, func() error {
		if a, r := g.addresses(name); a != addresses || r != reason {
			return fmt.Errorf("%s has %q: %s", name, a, r)
		}
		return nil
	})
}

// Gateways get addresses of a pool and are served there alone; who has one keeps it
// while others come and go, and who gets none is served nowhere.
func TestAddressesOfPools(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g := prepare(t, port, map[string]string{
		"pool.yaml": poolOf("127.88.0.1-127.88.0.2"),
		"b.yaml":    pooled("b", port, ""),
		"c.yaml":    pooled("c", port, "  infrastructure: {annotations: {metallb.io/loadBalancerIPs: 127.88.0.2}}\n"),
	})
	g.launch()
	g.waitReady()
	await := func(name, addresses, reason string) {
		t.Helper()
		g.awaitAddresses(name, addresses, reason)
	}
	answers := func(address string) bool {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("%s:%d", address, port), time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	await("b", "127.88.0.1", "Programmed")
	await("c", "127.88.0.2", "Programmed")
	g.awaitPool(2, 0)
	for address, want := range map[string]bool{"127.88.0.1": true, "127.88.0.2": true, "127.0.0.1": false} {
		if answers(address) != want {
			t.Errorf("%s answers: %v", address, !want)
		}
	}
	// One that comes first by name takes nothing, and is not on every address instead.
	g.write("a.yaml", pooled("a", port, ""))
	await("a", "", "AddressNotAssigned")
	await("b", "127.88.0.1", "Programmed")
	if answers("127.0.0.1") {
		t.Error("a Gateway without an address answers")
	}
	// What another gives back is its.
	if err := os.Remove(g.dir + "/c.yaml"); err != nil {
		t.Fatal(err)
	}
	await("a", "127.88.0.2", "Programmed")
	await("b", "127.88.0.1", "Programmed")
	g.write("pool.yaml", poolOf("127.88.0.1-127.88.0.2, 127.88.0.4/30"))
	g.awaitPool(2, 4)
	// No pool any more: who had an address of one is nowhere, not on every address; it
	// has one again when a pool is there again.
	if err := os.Remove(g.dir + "/pool.yaml"); err != nil {
		t.Fatal(err)
	}
	await("a", "", "AddressNotAssigned")
	await("b", "", "AddressNotAssigned")
	if answers("127.0.0.1") {
		t.Error("a Gateway whose pool went answers on every address")
	}
	g.write("pool.yaml", poolOf("127.88.0.1-127.88.0.2"))
	await("a", "127.88.0.1", "Programmed")
	if err := os.Remove(g.dir + "/pool.yaml"); err != nil {
		t.Fatal(err)
	}
	// Every address is for who never had one, or names it.
	await("a", "", "AddressNotAssigned")
	g.write("a.yaml", pooled("a", port, "  addresses: [{value: 0.0.0.0}]\n"))
	await("a", "0.0.0.0", "Programmed")
	if !answers("127.0.0.1") {
		t.Error("a Gateway that names every address does not answer")
	}
	if err := os.Remove(g.dir + "/a.yaml"); err != nil {
		t.Fatal(err)
	}
	g.write("d.yaml", pooled("d", port, ""))
	await("d", "0.0.0.0", "Programmed")
	g.eventually("no metric of a pool", func() error {
		if got := counter(g, poolMetric+`,state="assigned"}`); got != "" {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
}

// Who had an address of a pool that is no more is on no other address after a restart
// either, nor after the next.
func TestAddressesAreWaitedFor(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g := prepare(t, port, map[string]string{
		"pool.yaml": poolOf("127.88.3.1-127.88.3.9"),
		"m.yaml":    pooled("m", port, ""),
	})
	g.launch()
	g.waitReady()
	g.awaitAddresses("m", "127.88.3.1", "Programmed")
	g.stop()
	if err := os.Remove(g.dir + "/pool.yaml"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		g.again()
		g.awaitAddresses("m", "", "AddressNotAssigned")
		g.kill()
		text, err := os.ReadFile(g.socket + ".addresses")
		if err != nil || !strings.HasSuffix(string(text), "\ndefault/m -\n") {
			t.Errorf("the file: %v\n%s", err, text)
		}
	}
	g.write("pool.yaml", poolOf("127.88.3.2-127.88.3.2"))
	g.again()
	g.awaitAddresses("m", "127.88.3.2", "Programmed")
}

const poolMetric = `yumen_pool_addresses{namespace="metallb-system",pool="loop",family="IPv4"`

// awaitPool waits until so many of the pool's addresses are said to be assigned and
// available: by its status, in the table, by metrics.
func (g *gate) awaitPool(assigned, available int) {
	g.t.Helper()
	g.eventually("what the pool says of itself", func() error {
		for _, pool := range g.get("ipaddresspools") {
			status, _ := pool["status"].(map[string]any)
			if got, want := fmt.Sprint(status), fmt.Sprintf("map[assignedIPv4:%d assignedIPv6:0 availableIPv4:%d availableIPv6:0]",
				assigned, available); got != want {
				return fmt.Errorf("%s, not %s", got, want)
			}
		}
		for state, want := range map[string]int{"assigned": assigned, "available": available} {
			if got := counter(g, poolMetric+`,state="`+state+`"}`); got != fmt.Sprint(want) {
				return fmt.Errorf("%s: %q, not %d", state, got, want)
			}
		}
		return nil
	})
	out, err := exec.Command(program(g.t), "get", "ipaddresspools", "-n", "metallb-system", "-o", "wide", "--socket", g.socket).Output()
	lines := strings.Split(string(out), "\n")
	if err != nil || len(lines) < 2 {
		g.t.Fatalf("%v\n%s", err, out)
	}
	if fields := strings.Fields(lines[1]); !strings.Contains(lines[0], "ASSIGNED") || !slices.Contains(fields, fmt.Sprint(assigned)) ||
		!slices.Contains(fields, fmt.Sprint(available)) {
		g.t.Errorf("the table:\n%s", out)
	}
}

// What a Gateway has it has again after a restart, though another that comes first by
// name has come meanwhile, or a lower address is free; also when its file is good only
// later, if nobody has got it. A file that cannot be written is told of, and nothing
// else comes of it.
func TestAddressesAreRemembered(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g := prepare(t, port, map[string]string{
		"pool.yaml":  poolOf("127.88.1.1-127.88.1.9"),
		"m.yaml":     pooled("m", port, ""),
		"o.yaml":     pooled("o", port, ""),
		"named.yaml": pooled("named", port, "  addresses: [{value: 127.88.2.1}]\n"),
	})
	g.launch()
	g.waitReady()
	g.awaitAddresses("m", "127.88.1.1", "Programmed")
	g.awaitAddresses("o", "127.88.1.2", "Programmed")
	g.stop()
	g.write("a.yaml", pooled("a", port, ""))
	g.write("o.yaml", "no: object\n")
	g.again()
	g.awaitAddresses("a", "127.88.1.2", "Programmed")
	g.awaitAddresses("m", "127.88.1.1", "Programmed")
	// Its address was given away while it could not be read.
	g.write("o.yaml", pooled("o", port, ""))
	g.awaitAddresses("o", "127.88.1.3", "Programmed")
	g.write("b.yaml", pooled("b", port, ""))
	g.awaitAddresses("b", "127.88.1.4", "Programmed")
	os.Remove(g.dir + "/a.yaml")
	g.awaitAddresses("a", "", "")
	g.kill()
	g.write("o.yaml", "no: object\n")
	g.again()
	g.awaitAddresses("b", "127.88.1.4", "Programmed")
	g.write("o.yaml", pooled("o", port, ""))
	g.awaitAddresses("o", "127.88.1.3", "Programmed")
	text, err := os.ReadFile(g.socket + ".addresses")
	if err != nil || !strings.HasSuffix(string(text), "\ndefault/b 127.88.1.4\n"+
		"default/m 127.88.1.1\ndefault/o 127.88.1.3\n") {
		t.Errorf("the file: %v\n%s", err, text)
	}
	g.stop()

	os.Remove(g.socket + ".addresses")
	g.again("--addresses", "off")
	g.awaitAddresses("m", "127.88.1.2", "Programmed")
	if _, err := os.Stat(g.socket + ".addresses"); err == nil || strings.Contains(g.stderr(), "event=addresses.failed") {
		t.Errorf("a file is there (%v), or told of:\n%s", err, g.stderr())
	}
	g.stop()
	g.again("--addresses", g.dir+"/none/addresses")
	g.awaitAddresses("m", "127.88.1.2", "Programmed")
	if !strings.Contains(g.stderr(), "event=addresses.failed") {
		t.Errorf("nothing is told:\n%s", g.stderr())
	}
	g.stop()

	// What is no line of ours is told of by its place, and the others count.
	g.write("odd", "# a remark\ndefault/m 127.88.1.300\nnonsense\ndefault/m 127.88.1.7\n")
	g.again("--addresses", g.dir+"/odd")
	g.awaitAddresses("m", "127.88.1.7", "Programmed")
	if !strings.Contains(g.stderr(), "odd:2 ") {
		t.Errorf("not told where:\n%s", g.stderr())
	}
}

// again starts it anew, after its end.
func (g *gate) again(args ...string) {
	g.t.Helper()
	before := strings.Count(g.stdout(), "ready in")
	g.done = make(chan struct{})
	g.launch(args...)
	g.eventually("ready again", func() error {
		if strings.Count(g.stdout(), "ready in") == before {
			return fmt.Errorf("not yet: %s", g.stderr())
		}
		return nil
	})
}

// The article's example 2 on one host, both ways, its manifests unchanged but for the
// addresses: a client on the link gets 404 from what the Gateway asked for.
func TestAnnouncePool(t *testing.T) {
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile("../golden/cases/seed-" + name + "/input.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), "192.168.50.", "10.77.0.")
	}
	l := newLan(t)
	g := l.gate(map[string]string{
		"class.yaml":   read("gatewayclass"),
		"pool.yaml":    read("example-2-metallb-ippool"),
		"gateway.yaml": read("example-2-metallb-gateway"),
	})
	g.waitReady()
	l.answers(g, "10.77.0.150", 404)
	g.write("gateway.yaml", read("example-2-addresses"))
	l.answers(g, "10.77.0.150", 404)
	// What names nothing any more keeps it; another one gets the pool's first.
	class := func(gateway string) string { return strings.Replace(gateway, "yumen", "eg", 1) }
	g.write("gateway.yaml", class(pooled("eg", 80, "")))
	g.write("other.yaml", class(pooled("other", 80, "")))
	l.answers(g, "10.77.0.100", 404)
	l.answers(g, "10.77.0.150", 404)
}
