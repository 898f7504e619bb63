package e2e

import (
	"fmt"
	"net"
	"os"
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
	// has: the addresses of a Gateway, and why it is not Programmed.
	has := func(name string) (addresses, reason string) {
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
	await := func(name, addresses, reason string) {
		t.Helper()
		g.eventually(name+" has "+addresses, func() error {
			if a, r := has(name); a != addresses || r != reason {
				return fmt.Errorf("%s has %q: %s", name, a, r)
			}
			return nil
		})
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
	// No pool any more: every address, for nobody asked for more.
	if err := os.Remove(g.dir + "/pool.yaml"); err != nil {
		t.Fatal(err)
	}
	await("a", "0.0.0.0", "Programmed")
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
