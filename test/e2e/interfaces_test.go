// Interfaces that go, are made anew, or are none of the host's own, while addresses are
// announced on them.
package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// awaitLog waits until the process has logged so often what contains all of these.
func (g *gate) awaitLog(times int, parts ...string) {
	g.t.Helper()
	g.eventually(strings.Join(parts, " "), func() error {
		found := 0
		for _, line := range strings.Split(g.stderr(), "\n") {
			all := true
			for _, part := range parts {
				all = all && strings.Contains(line, part)
			}
			if all {
				found++
			}
		}
		if found < times {
			return fmt.Errorf("logged %d times of %d:\n%s", found, times, g.stderr())
		}
		return nil
	})
}

func (l *lan) awaitGroup(g *gate) {
	l.t.Helper()
	g.eventually("the group of "+addressSix, func() error {
		if groups := l.ip("-n", l.host, "-6", "maddr", "show", "dev", "eth0"); !strings.Contains(groups, "ff02::1:ff00:50") {
			return fmt.Errorf("not joined:\n%s", groups)
		}
		return nil
	})
}

// An interface that is deleted and made again is the same to clients, whatever of it is
// as before, and whatever had its name meanwhile. For the address of IPv6 the kernel
// does not answer: it is on no interface.
func TestAnnounceMadeAgain(t *testing.T) {
	const marker = "10.77.0.52"
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour, addressSix, marker)})
	g.waitReady()
	l.answers(g, addressSix, 404)
	l.awaitGroup(g)
	for i, again := range []struct {
		index     string
		meanwhile func()
	}{
		{index: "77", meanwhile: func() {}},
		{index: "77", meanwhile: func() {}},
		{index: "78", meanwhile: func() { // no Ethernet: it does not open
			l.ip("-n", l.host, "tuntap", "add", "mode", "tun", "name", "eth0")
			l.ip("-n", l.host, "link", "set", "eth0", "up")
			l.ip("-n", l.host, "addr", "add", marker+"/32", "dev", "lo")
			g.awaitLog(1, "announce.own ", marker)
			l.ip("-n", l.host, "link", "del", "eth0")
		}},
	} {
		l.ip("-n", l.host, "link", "del", "eth0")
		g.awaitLog(1+i, "announce.link ", "is=down")
		again.meanwhile()
		l.join("index", again.index)
		l.answers(g, addressSix, 404)
		l.answers(g, addressFour, 404)
		l.awaitGroup(g)
	}
}

// The kernel of a node whose interface was made again does not answer in the announcer's
// place.
func TestAnnouncersMadeAgain(t *testing.T) {
	s := newSegment(t, 1)
	s.startAll()
	n := s.settled()
	hushed := func() error {
		out, err := exec.Command("ip", "netns", "exec", n.name, "cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore").CombinedOutput()
		if err == nil && string(out) != "1\n" {
			err = fmt.Errorf("arp_ignore is %s", out)
		}
		return err
	}
	s.eventually("hushed", hushed)
	s.ip("-n", n.name, "link", "del", "eth0")
	n.announcer.awaitLog(1, "announce.link ", "is=down")
	s.wire(n.name, n.hardware(), n.port(), 10+n.number)
	s.eventually("hushed again", hushed)
	s.awaitOwner(claimed)
	s.answers(n.announcer, claimed, 404)
	s.answers(n.announcer, s.six, 404)
}

// The kernel of a node is kept from answering ARP in the announcer's place, unless it is
// already, as long as there is one or its route stays; where it cannot be none stays.
func TestAnnouncersHush(t *testing.T) {
	s := newSegment(t, 1)
	n := s.nodes[0]
	n.serve()
	fixed := []string{"unshare", "--mount", "sh", "-c",
		`mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"`, "sh"}
	for _, one := range []struct {
		inside           []string
		all, own         string // before
		meanwhile, after string
		told             bool
	}{
		{all: "0", own: "0", meanwhile: "1", after: "0"},
		{all: "0", own: "1", meanwhile: "1", after: "1"},
		{all: "0", own: "2", meanwhile: "2", after: "2"},
		{all: "1", own: "0", meanwhile: "0", after: "0"},
		{inside: fixed, all: "0", own: "1", meanwhile: "1", after: "1"},
		{inside: fixed, all: "0", own: "0", meanwhile: "0", after: "0", told: true},
	} {
		for _, held := range []bool{false, true} {
			s.set(n.name, "net/ipv4/conf/all/arp_ignore", one.all)
			s.set(n.name, "net/ipv4/conf/eth0/arp_ignore", one.own)
			is := func() string {
				return strings.TrimSpace(s.ip("netns", "exec", n.name, "cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore"))
			}
			n.announceInside(one.inside, "--take")
			n.announcer.ready()
			if held {
				n.announcer.awaitLog(1, "announce.held ", claimed)
			}
			if got := is(); got != one.meanwhile {
				t.Errorf("%+v: it is %s", one, got)
			}
			n.announcer.stop()
			// A route that stays is answered for by nobody.
			after, stays := one.after, n.has(claimed)
			if stays {
				after = one.meanwhile
			}
			if held && stays == one.told {
				t.Errorf("%+v: its route is there: %v", one, stays)
			}
			if got := is(); got != after {
				t.Errorf("%+v, held %v: at last it is %s", one, held, got)
			}
			if told := strings.Contains(n.announcer.stderr(), "announce.not_hushed "); told != one.told {
				t.Errorf("%+v: %s", one, n.announcer.stderr())
			}
		}
	}
}

// burst gives the host's lo so many other addresses, and takes them away where there is
// one: a message each to whoever hears of addresses.
func (l *lan) burst(verb string, count int) {
	l.t.Helper()
	var lines strings.Builder
	for i := 0; i < count; i++ {
		fmt.Fprintf(&lines, "addr %s 10.99.%d.%d/32 dev lo\n", verb, i/250, 1+i%250)
	}
	batch := exec.Command("ip", "-n", l.host, "-batch", "-")
	batch.Stdin = strings.NewReader(lines.String())
	if out, err := batch.CombinedOutput(); err != nil {
		l.t.Fatalf("%v: %s", err, out)
	}
}

// asleep does something while the process stands still, so that it has all the news of
// it at once.
func (g *gate) asleep(do func()) {
	g.cmd.Process.Signal(syscall.SIGSTOP)
	do()
	g.cmd.Process.Signal(syscall.SIGCONT)
}

// drops are the messages of the kernel that a namespace's processes have missed.
func (l *lan) drops() (total int) {
	l.t.Helper()
	out := l.ip("netns", "exec", l.host, "cat", "/proc/net/netlink")
	for _, line := range strings.Split(out, "\n")[1:] {
		if fields := strings.Fields(line); len(fields) > 8 {
			total += parsed(l.t, fields[8])
		}
	}
	return total
}

// Of much news at once the last counts as well, and of more than the kernel keeps what
// it comes to.
func TestAnnounceBurst(t *testing.T) {
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour)})
	g.waitReady()
	l.answers(g, addressFour, 404)
	own := func(verb string) { l.ip("-n", l.host, "addr", verb, addressFour+"/32", "dev", "lo") }
	g.asleep(func() {
		l.burst("add", 200)
		own("add")
	})
	g.awaitLog(1, "announce.own ", addressFour)
	if drops := l.drops(); drops > 0 {
		t.Fatalf("%d messages were lost, so it is not tested", drops)
	}
	l.burst("del", 200)
	for i, verb := range []string{"del", "add", "del"} {
		before := l.drops()
		g.asleep(func() {
			l.burst("add", 1000)
			own(verb)
			l.burst("del", 1000)
		})
		if l.drops() == before {
			t.Fatal("no message was lost, so nothing is tested")
		}
		if verb == "add" {
			g.awaitLog(2, "announce.own ", addressFour)
		} else {
			g.awaitLog(1+i/2, "announce.own_no_more ", addressFour)
		}
	}
}

// What was lost is made good also while addresses go on changing, which interrupts what
// the kernel tells of them.
func TestAnnounceBurstInterrupted(t *testing.T) {
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour)})
	g.waitReady()
	l.answers(g, addressFour, 404)
	l.burst("add", 2000) // that much is told in many parts
	var changes strings.Builder
	for i := 0; i < 3000; i++ {
		fmt.Fprintf(&changes, "addr add 10.98.1.%d/32 dev lo\naddr del 10.98.1.%d/32 dev lo\n", 1+i%250, 1+i%250)
	}
	for i := 1; i <= 6; i++ {
		others := exec.Command("ip", "-n", l.host, "-batch", "-")
		others.Stdin = strings.NewReader(changes.String())
		before := l.drops()
		g.asleep(func() {
			l.burst("del", 1000)
			l.ip("-n", l.host, "addr", "add", addressFour+"/32", "dev", "lo")
			l.burst("add", 1000)
			if err := others.Start(); err != nil {
				t.Fatal(err)
			}
		})
		if l.drops() == before {
			t.Fatal("no message was lost, so nothing is tested")
		}
		if err := others.Wait(); err != nil {
			t.Fatal(err)
		}
		g.awaitLog(i, "announce.own ", addressFour)
		l.ip("-n", l.host, "addr", "del", addressFour+"/32", "dev", "lo")
		g.awaitLog(i, "announce.own_no_more ", addressFour)
	}
}

// kube-proxy in IPVS mode puts the addresses of load balancers on an interface of every
// node, which is down: they are announced all the same.
func TestAnnounceServicesInterface(t *testing.T) {
	const marker = "10.77.0.52"
	l := newLan(t)
	l.ip("-n", l.host, "link", "add", "kube-ipvs0", "type", "bridge")
	l.ip("-n", l.host, "addr", "add", addressFour+"/32", "dev", "kube-ipvs0")
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour, "10.77.0.51", addressSix, marker)})
	g.waitReady()
	held := func(count string) {
		g.eventually("held", func() error {
			if got := counter(g, "yumen_announced_addresses"); got != count {
				return fmt.Errorf("%s are", got)
			}
			return nil
		})
	}
	held("4")
	l.ip("-n", l.host, "link", "set", "kube-ipvs0", "up")
	l.ip("-n", l.host, "addr", "add", "10.77.0.51/32", "dev", "kube-ipvs0")
	l.ip("-n", l.host, "addr", "add", addressSix+"/128", "dev", "kube-ipvs0", "nodad")
	l.ip("-n", l.host, "addr", "del", addressFour+"/32", "dev", "kube-ipvs0")
	l.ip("-n", l.host, "addr", "add", marker+"/32", "dev", "lo")
	g.awaitLog(1, "announce.own ", marker) // what was told before is heard
	held("3")
	if log := g.stderr(); strings.Count(log, "announce.own ") != 1 {
		t.Errorf("another is the host's own:\n%s", log)
	}
}
