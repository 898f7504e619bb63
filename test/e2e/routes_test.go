// The local routes by which a host takes what comes for its addresses: beside those of
// others, kept, tried again, and taken away at last.
package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// notAdmin starts what may not change what is the host's.
var notAdmin = []string{"setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"}

// taken is all that the host takes for its own, but for what its interfaces may still
// look whether they have it alone.
func (l *lan) taken() string {
	l.t.Helper()
	all := l.ip("-n", l.host, "route", "show", "table", "local") + l.ip("-n", l.host, "-6", "route", "show", "table", "local")
	return regexp.MustCompile(`local fe80.*\n`).ReplaceAllString(all, "")
}

// The addresses that are the host's in another way stay what they are, and say so.
func TestRoutesOfOthers(t *testing.T) {
	l := newLan(t)
	l.ip("-n", l.host, "link", "add", "kube-ipvs0", "type", "bridge")
	l.ip("-n", l.host, "link", "set", "kube-ipvs0", "up")
	l.ip("-n", l.host, "addr", "add", addressFour+"/32", "dev", "kube-ipvs0")
	l.ip("-n", l.host, "addr", "add", addressSix+"/128", "dev", "kube-ipvs0", "nodad")
	l.ip("-n", l.host, "-6", "route", "add", "anycast", "fd77::60", "dev", "eth0", "table", "local")
	before := l.taken()
	for _, address := range []string{"10.77.0.255", "fd77::60"} {
		g := l.gate(map[string]string{"gateway.yaml": gatewayAt(address)})
		g.waitReady()
		g.awaitProgrammed("AddressNotUsable", "the host cannot take it: exists already (as the broadcast or anycast address")
		g.stop()
	}
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour, addressSix)})
	g.waitReady()
	g.awaitProgrammed("Programmed", "programmed")
	l.answers(g, addressFour, 404)
	l.answers(g, addressSix, 404)
	// What of theirs goes leaves ours.
	l.ip("-n", l.host, "addr", "del", addressFour+"/32", "dev", "kube-ipvs0")
	l.answers(g, addressFour, 404)
	l.ip("-n", l.host, "addr", "add", addressFour+"/32", "dev", "kube-ipvs0")
	g.stop()
	if after := l.taken(); before != after {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// A route that is taken away is put back.
func TestRoutesAreKept(t *testing.T) {
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour, addressSix)})
	g.waitReady()
	l.answers(g, addressFour, 404)
	l.answers(g, addressSix, 404)
	l.ip("-n", l.host, "route", "del", "local", addressFour, "dev", "lo", "table", "local")
	l.answers(g, addressFour, 404)
	g.awaitLog(1, "announce.route_lost ", addressFour)
	// The kernel keeps that of IPv4.
	l.ip("-n", l.host, "link", "set", "lo", "down")
	l.ip("-n", l.host, "link", "set", "lo", "up")
	l.answers(g, addressSix, 404)
	l.answers(g, addressFour, 404)
	g.awaitLog(1, "announce.route_lost ", addressSix)
	g.awaitProgrammed("Programmed", "programmed")
	if lost := strings.Count(g.stderr(), "announce.route_lost "); lost != 2 {
		t.Errorf("%d were lost:\n%s", lost, g.stderr())
	}
}

// A route that the kernel does not take is told, and taken once it does.
func TestRoutesAreTriedAgain(t *testing.T) {
	const later = "fd77::51" // what IPv4 has the kernel takes all the same
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour)})
	g.waitReady()
	l.answers(g, addressFour, 404)
	l.ip("-n", l.host, "link", "set", "lo", "down")
	g.write("gateway.yaml", gatewayAt(addressFour, later))
	g.awaitProgrammed("AddressNotUsable", later+": the host cannot take it")
	l.ip("-n", l.host, "link", "set", "lo", "up")
	g.awaitProgrammed("Programmed", "programmed")
	l.answers(g, later, 404)
	g.awaitLog(1, "announce.failed ", later)
}

// An address that the host may not take is not announced: nothing would serve what comes
// for it.
func TestRoutesNotAllowed(t *testing.T) {
	l := newLan(t)
	g := prepare(t, 80, map[string]string{"gateway.yaml": gatewayAt(addressFour, addressSix)})
	g.admin = "127.0.0.1:9911"
	g.inside = append([]string{"ip", "netns", "exec", l.host}, notAdmin...)
	g.launch("--announce", "eth0")
	g.waitReady()
	g.awaitLog(1, "announce.failed ", addressFour)
	g.awaitLog(1, "announce.failed ", addressSix)
	g.awaitProgrammed("Invalid", "CAP_NET_ADMIN")
	if held := counter(g, "yumen_announced_addresses"); held != "0" {
		t.Errorf("%s addresses are announced that the host does not have", held)
	}
	if sent := counter(g, `yumen_announce_sent_total{result="ok"}`); sent != "6" {
		t.Errorf("%s frames were sent beside those that ask for two addresses", sent)
	}
}

// A node that may not take addresses leaves them to one that may, which loses nothing by
// it; where there is no other they are not announced.
func TestRoutesNotAllowedBeside(t *testing.T) {
	s := newSegment(t, 2)
	s.startAll()
	first := s.settled()
	second := s.besides(first)
	first.announcer.stop()
	s.awaitOnly(second)
	s.alone(5*time.Second, func() {
		first.announceInside(notAdmin, "--take")
		first.announcer.awaitLog(1, "announce.failed ", claimed)
		first.announcer.awaitLog(1, "announce.failed ", s.six)
	})
	s.awaitOnly(second)
	second.announcer.stop()
	time.Sleep(3 * time.Second) // first is elected
	if held := counter(first.announcer, "yumen_announced_addresses"); held != "0" {
		t.Errorf("%s addresses are announced that the node cannot take", held)
	}
}

// What a killed announcer has left the next one takes away, though it takes nothing
// itself, unless it may not.
func TestRoutesOfKilled(t *testing.T) {
	s := newSegment(t, 1)
	s.startAll()
	n := s.settled()
	n.announcer.kill()
	if !n.hasBoth() {
		t.Fatal("nothing was left, so nothing is tested")
	}
	n.announceInside(notAdmin)
	n.announcer.ready()
	n.announcer.kill()
	n.announceInside(nil)
	n.announcer.ready()
	if routes := n.routes(); routes != "" {
		t.Errorf("routes are left: %s", routes)
	}
}

// What was left does not hide that the host has got the address itself meanwhile.
func TestRoutesOfStoppedOwn(t *testing.T) {
	s := newSegment(t, 1)
	n := s.nodes[0]
	n.serve()
	n.announce()
	n.announcer.awaitLog(1, "announce.held ", claimed)
	n.announcer.stop()
	if !strings.Contains(n.routes(), claimed) {
		t.Errorf("what nobody takes is gone: %s", n.routes())
	}
	s.ip("-n", n.name, "address", "add", claimed+"/32", "dev", "lo")
	n.announce()
	n.announcer.awaitLog(1, "announce.own ", claimed)
	n.announcer.eventually("our route is gone", func() error {
		if routes := n.routes(); strings.Contains(routes, claimed) {
			return fmt.Errorf("%s", routes)
		}
		return nil
	})
}

// A stop of the only announcer is no outage: what no other takes the kernel serves on, until
// the next start has put it in order.
func TestRoutesOfStopped(t *testing.T) {
	s := newSegment(t, 2)
	n, other := s.nodes[0], s.nodes[1]
	n.serve()
	n.announce()
	sights := []sight{{s.client, claimed}, {s.far, claimed}, {s.client, s.six}, {s.far, s.six}}
	s.seen(sights...)
	for i, result := range s.probe(sights...).during(3*time.Second, func() {
		n.announcer.stop()
		if !n.hasBoth() {
			t.Errorf("what nobody takes is gone: %s", n.routes())
		}
		n.announce()
		n.announcer.ready()
		// So soon again that nothing is held yet.
		n.announcer.stop()
		n.announce()
		n.announcer.awaitLog(1, "announce.held ", claimed)
		n.announcer.awaitLog(1, "announce.held ", s.six)
	}) {
		if result.lost > 0 || !result.last.good {
			t.Errorf("%v: %v\n%s", sights[i], result, s.logs())
		}
	}

	// What is not wanted any more goes, and what another has taken.
	n.announcer.stop()
	other.serve()
	other.announce()
	if owners := s.owners(claimed); len(owners) != 1 || owners[0] != n {
		t.Fatalf("%d have it", len(owners))
	}
	other.announcer.awaitLog(1, "announce.held ", claimed)
	other.announcer.awaitLog(1, "announce.held ", s.six)
	s.forgetNeighbours()
	s.answers(other.announcer, claimed, 404)
	if at := s.ip("-n", s.client, "neigh", "show", claimed); !strings.Contains(at, other.hardware()) {
		t.Errorf("%s does not have it: %s", other.name, at)
	}
	n.announce()
	n.announcer.eventually("it has left both", func() error {
		if routes := n.routes(); routes != "" {
			return fmt.Errorf("%s\n%s", routes, s.logs())
		}
		return nil
	})
	// What another takes is not left.
	other.announcer.stop()
	if routes := other.routes(); routes != "" {
		t.Errorf("left, though another has it: %s", routes)
	}
	s.awaitOwner(claimed)
	s.awaitOwner(s.six)
	n.announcer.stop()
	s.file("objects/gateway.yaml", gatewayAt(claimed))
	n.announce()
	n.announcer.ready()
	if n.has(s.six) {
		t.Errorf("nobody wants it any more: %s", n.routes())
	}
	n.announcer.awaitLog(1, "announce.held ", claimed)
	s.answers(n.announcer, claimed, 404)
}
