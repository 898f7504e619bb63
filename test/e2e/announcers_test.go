// Announcers of many nodes. What goes wrong with the node that has an address, the
// clients count.
package e2e

import (
	"fmt"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// wrong is what goes wrong: before the nodes start, while clients look, and what must
// be seen then.
type wrong struct {
	name   string
	length time.Duration // that clients look for afterwards
	event  func(s *segment, owner *node)
	after  func(s *segment, owner *node)
	before func(s *segment)
}

// suffer prints what clients see of each row; what is asserted is that it goes on, with
// one owner.
func suffer(t *testing.T, rows []wrong) {
	table := "| what happens | IPv4, on the link | IPv4, behind a router | IPv6, on the link | IPv6, behind a router |\n" +
		"| --- | --- | --- | --- | --- |\n"
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := newSegment(t, 3)
			if row.before != nil {
				row.before(s)
			}
			s.startAll()
			owner := s.settled()
			clients := s.probe(sight{s.client, claimed}, sight{s.far, claimed}, sight{s.client, s.six}, sight{s.far, s.six})
			results := clients.during(row.length, func() { row.event(s, owner) })
			now := s.awaitOwner(claimed)
			table += "| " + row.name
			for _, result := range results {
				table += " | " + result.String()
				if !result.last.good {
					t.Errorf("at the end nothing is answered; %s has it\n%s", now.name, s.logs())
				}
			}
			table += " |\n"
			if row.after != nil {
				row.after(s, owner)
			}
		})
	}
	t.Logf("a new connection every %v\n%s", proberEvery, table)
}

// Something goes wrong with the node that has the addresses, or with its neighbours.
func TestAnnouncers(t *testing.T) {
	suffer(t, []wrong{
		{name: "node killed", length: 2 * time.Second, event: func(_ *segment, owner *node) { owner.kill() }},
		{name: "link unplugged", length: 2 * time.Second, event: func(_ *segment, owner *node) { owner.plug("down") }},
		{name: "process frozen for 2 s", length: 4 * time.Second, event: func(_ *segment, owner *node) {
			owner.signal(syscall.SIGSTOP)
			time.AfterFunc(2*time.Second, func() { owner.signal(syscall.SIGCONT) })
		}},
		{name: "link flaps 5 times", length: 7 * time.Second, event: func(_ *segment, owner *node) {
			for i := 0; i < 5; i++ {
				owner.plug("down")
				time.Sleep(500 * time.Millisecond)
				owner.plug("up")
				time.Sleep(500 * time.Millisecond)
			}
		}},
		{name: "announcer ends (drain)", length: 2 * time.Second, event: func(_ *segment, owner *node) { owner.announcer.stop() }},
		{name: "nodes cut from each other for 2 s, then healed", length: 5 * time.Second, event: func(s *segment, _ *node) {
			began := time.Now()
			s.isolate("on")
			s.eventually("all nodes have it", func() error {
				if got := len(s.owners(claimed)); got != len(s.nodes) {
					return fmt.Errorf("%d have it", got)
				}
				return nil
			})
			time.Sleep(time.Until(began.Add(2 * time.Second)))
			s.isolate("off")
			began = time.Now()
			s.awaitOwner(claimed)
			s.t.Logf("healed: one owner after %v", time.Since(began).Round(time.Millisecond))
		}},
		{name: "heartbeats held up by a firewall for 10 s", length: 6 * time.Second, event: func(s *segment, _ *node) {
			s.alone(10*time.Second, func() { s.muffle(true) })
			s.muffle(false)
		}},
		{name: "rival answers, and is asked for 4 times", length: 4 * time.Second, event: func(s *segment, _ *node) {
			rival := s.rival()
			s.takes(rival)
			if err := s.sendFrom(rival, 0, arpFrame(1, rivalHardware, claimed, claimed)); err != nil {
				s.t.Error(err)
			}
			for i := 0; i < 4; i++ {
				s.forgetNeighbours()
				time.Sleep(500 * time.Millisecond)
			}
		}, after: func(s *segment, owner *node) {
			if !s.told(rivalHardware) {
				s.t.Errorf("the rival is not named\n%s", s.logs())
			}
			if conflicts := counter(owner.announcer, "yumen_announce_conflicts_total"); conflicts == "" || conflicts == "0" {
				s.t.Errorf("conflicts: %q", conflicts)
			}
		}},
		{name: "neighbour spoofs 50 times a second for 2 s", length: 2 * time.Second, event: func(s *segment, owner *node) { s.spoof(owner, 20*time.Millisecond, 100) }},
		{name: "neighbour spoofs 50 times a second for 20 s", length: 2 * time.Second, event: func(s *segment, owner *node) { s.spoof(owner, 20*time.Millisecond, 1000) }},
		{name: "neighbour spoofs 500 times a second for 10 s", length: 2 * time.Second, event: func(s *segment, owner *node) { s.spoof(owner, 2*time.Millisecond, 5000) }},
	})
}

// Something happens to who says what is to be announced.
func TestAnnouncersController(t *testing.T) {
	pool := func(addresses ...string) string {
		return strings.Replace(poolOf(strings.Join(addresses, ", ")), "name: loop", "name: link", 1)
	}
	asks := strings.ReplaceAll(gatewayAt("", ""), `{value: ""}`, "{type: IPAddress}")
	pooled := func(s *segment) {
		s.file("objects/pool.yaml", pool(claimed+"/32", s.six+"/128"))
		s.file("objects/gateway.yaml", asks)
	}
	suffer(t, []wrong{
		{name: "controller killed", length: 2 * time.Second, event: func(s *segment, _ *node) { s.control.kill() }},
		{name: "controller killed, then the node", length: 2 * time.Second, event: func(s *segment, owner *node) {
			s.control.kill()
			owner.kill()
		}},
		{name: "controller killed, and started after 2 s", length: 2 * time.Second, event: func(s *segment, _ *node) {
			s.control.kill()
			time.Sleep(2 * time.Second)
			s.control = s.gateIn(s.name)
			s.runController()
		}},
		{name: "pool full: a second Gateway gets nothing", length: 2 * time.Second, before: pooled, event: func(s *segment, _ *node) {
			s.file("objects/other.yaml", strings.Replace(strings.Split(asks, "---\n")[1], "name: edge", "name: other", 1))
			s.control.eventually("the second one gets nothing", func() error {
				for _, gateway := range s.control.get("gateways") {
					status, _ := gateway["status"].(map[string]any)
					reason := condition(status["conditions"], "Programmed")["reason"]
					if gateway["metadata"].(map[string]any)["name"] == "other" && reason == "AddressNotAssigned" {
						return nil
					}
				}
				return fmt.Errorf("not yet")
			})
		}},
		{name: "pool with other addresses for 2 s, then these again", length: 3 * time.Second, before: pooled, event: func(s *segment, _ *node) {
			began := time.Now()
			s.file("objects/pool.yaml", pool("10.78.0.60/32", "fd78::60/128"))
			for _, address := range []string{"10.78.0.60", "fd78::60"} {
				s.control.eventually(address, func() error {
					_, err := s.ask(address, "/")
					return err
				})
			}
			s.t.Logf("the pool's new addresses answer after %v", time.Since(began).Round(time.Millisecond))
			if owners := append(s.owners(claimed), s.owners(s.six)...); len(owners) > 0 {
				s.t.Errorf("the old addresses are still on %s", owners[0].name)
			}
			time.Sleep(time.Until(began.Add(2 * time.Second)))
			s.file("objects/pool.yaml", pool(claimed+"/32", s.six+"/128"))
		}},
	})
}

// Nodes that do not hear each other any more: the controller says who has an address,
// and who else may have it when that one is gone.
func TestAnnouncersFence(t *testing.T) {
	s := newSegment(t, 3)
	s.startAll()
	s.settled()
	parted := time.Now()
	owner := s.alone(3*time.Second, func() { s.muffle(true) })
	if !strings.Contains(s.logs(), "announce.fenced address="+claimed) {
		t.Errorf("nobody says so\n%s", s.logs())
	}
	t.Logf("two had it for %v", s.both(parted))
	owner.kill()
	began := time.Now()
	for len(s.owners(claimed)) == 0 && time.Since(began) < 20*time.Second {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("killed: another has it after %v", time.Since(began).Round(time.Millisecond))
	s.alone(3*time.Second, func() {})
	if os.Getenv("YUMEN_LONG") == "" {
		return
	}
	// Nobody could lift a fence any more: it is none.
	s.control.kill()
	began = time.Now()
	s.eventually("both have it", func() error {
		if got := len(s.owners(claimed)); got != 2 {
			return fmt.Errorf("%d have it", got)
		}
		return nil
	})
	t.Logf("controller killed: both have it after %v", time.Since(began).Round(time.Millisecond))
	s.muffle(false)
	began = time.Now()
	s.awaitOwner(claimed)
	t.Logf("heard again: one owner after %v", time.Since(began).Round(time.Millisecond))
}

// Nodes that never heard each other: who comes later finds the address taken, and has it
// when that one is gone.
func TestAnnouncersDeaf(t *testing.T) {
	s := newSegment(t, 3)
	s.muffle(true)
	s.startAll()
	s.awaitOwner(claimed)
	owner := s.alone(3*time.Second, func() {})
	if both := s.both(time.Time{}); both > 0 {
		t.Errorf("two had it for %v\n%s", both, s.logs())
	}
	s.answers(s.control, claimed, 404)
	owner.kill()
	began := time.Now()
	s.awaitOwner(claimed)
	t.Logf("killed: another has it after %v", time.Since(began).Round(time.Millisecond))
}

// An address of IPv6 among machines that look whether it is free (DAD, RFC 4862 5.4):
// one that looks is told that it is not, and one that has it is not outdone.
func TestAnnouncersDuplicate(t *testing.T) {
	s := newSegment(t, 3)
	rival := s.rival()
	s.ip("-n", rival, "addr", "add", s.six+"/64", "dev", "eth0", "nodad")
	s.startAll()
	s.awaitOwner(claimed)
	s.control.eventually("the rival is named", func() error {
		if !s.told(rivalHardware) {
			return fmt.Errorf("not yet\n%s", s.logs())
		}
		return nil
	})
	if owners := s.owners(s.six); len(owners) > 0 {
		t.Errorf("%s has what is another's", owners[0].name)
	}
	s.ip("-n", rival, "addr", "del", s.six+"/64", "dev", "eth0")
	s.awaitOwner(s.six)
	s.forgetNeighbours()
	for _, from := range []string{s.client, s.far} {
		s.control.eventually("it answers "+from, func() error {
			status, err := s.askFrom(from, s.six, "/") // cut if it moves just then
			if err == nil && status != 404 {
				err = fmt.Errorf("status %d", status)
			}
			return err
		})
	}
	s.ip("-n", rival, "addr", "add", s.six+"/64", "dev", "eth0")
	s.control.eventually("the rival's look finds it taken", func() error {
		if got := s.ip("-n", rival, "-6", "addr", "show", "dev", "eth0"); !strings.Contains(got, "dadfailed") {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
	s.awaitOwner(s.six)
	s.answers(s.control, s.six, 404)
}

// An L2Advertisement names the interfaces that a pool's addresses are announced on.
func TestAnnouncersInterfaces(t *testing.T) {
	s := newSegment(t, 2)
	on := func(name string) {
		s.file("objects/l2.yaml", "apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n"+
			"metadata: {name: link, namespace: metallb-system}\nspec: {interfaces: ["+name+"]}\n")
	}
	on("eth0")
	s.file("objects/pool.yaml", poolOf(claimed+"/32, "+s.six+"/128"))
	s.startAll()
	for _, name := range []string{"eth0", "eth7", "eth0"} {
		on(name)
		if name == "eth0" {
			owner := s.settled()
			s.forgetNeighbours()
			s.answers(s.control, claimed, 404)
			if at := s.ip("-n", s.client, "neigh", "show", claimed); !strings.Contains(at, owner.hardware()) {
				t.Errorf("%s has it: %s", owner.name, at)
			}
			continue
		}
		s.control.eventually("it is announced nowhere", func() error {
			if owners := s.owners(claimed); len(owners) > 0 {
				return fmt.Errorf("%s has it", owners[0].name)
			}
			return nil
		})
	}
}

// Datagrams that are no heartbeats, or nobody's with the key, and frames that are too
// long, are counted and harm nothing.
func TestAnnouncersGarbage(t *testing.T) {
	s := newSegment(t, 2)
	s.startAll()
	owner := s.settled()
	rival := s.rival()
	s.ip("-n", rival, "route", "add", "224.0.0.0/4", "dev", "eth0")
	random := rand.New(rand.NewSource(1))
	if err := s.within(rival, func() error {
		conn, err := net.Dial("udp", "224.0.0.254:7947")
		if err != nil {
			return err
		}
		defer conn.Close()
		for i := 0; i < 2000; i++ {
			datagram := make([]byte, random.Intn(3000)) // some are longer than a frame
			random.Read(datagram)
			copy(datagram, "ymb\x02\x02")
			if _, err := conn.Write(datagram); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	long := append(arpFrame(1, rivalHardware, "10.78.0.66", claimed), make([]byte, 1400)...)
	short := arpFrame(1, rivalHardware, "10.78.0.66", claimed)[:30]
	if err := s.sendFrom(rival, 0, long, short, long, short); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`yumen_announce_beats_heard_total{result="forged"}`, `yumen_announce_heard_total{result="malformed"}`} {
		s.control.eventually(name, func() error {
			if count := counter(owner.announcer, name); count == "" || count == "0" {
				return fmt.Errorf("%q", count)
			}
			return nil
		})
	}
	if now := s.awaitOwner(claimed); now != owner {
		t.Errorf("%s had it, %s has it\n%s", owner.name, now.name, s.logs())
	}
	s.answers(s.control, claimed, 404)
}

// Nodes that have no address of IPv4 hear each other all the same.
func TestAnnouncersWithoutIPv4(t *testing.T) {
	s := newSegment(t, 3)
	s.startAll()
	owner := s.settled()
	for _, n := range s.nodes {
		s.ip("-n", n.name, "-4", "addr", "flush", "dev", "eth0")
	}
	clients := s.probe(sight{s.client, s.six}, sight{s.far, s.six})
	for i, result := range clients.during(2*time.Second, owner.kill) {
		t.Logf("node killed: %v", result)
		if !result.last.good {
			t.Errorf("%d: at the end nothing is answered\n%s", i, s.logs())
		}
	}
}

// ready waits until an announcer knows all that is to be announced.
func (g *gate) ready() {
	g.t.Helper()
	g.eventually("announcing", func() error {
		if !strings.Contains(g.stderr(), "announce.ready") {
			return fmt.Errorf("not yet")
		}
		return nil
	})
}

// manyGateways have a thousand addresses together, sixteen each at most.
func manyGateways(count int) (string, []string) {
	var addresses []string
	for i := 0; i < count; i++ {
		addresses = append(addresses, fmt.Sprintf("10.79.%d.%d", i/250, 1+i%250))
	}
	all := strings.Split(gatewayAt(), "---\n")[0]
	for i := 0; i < count; i += 16 {
		some := append([]string{}, addresses[i:min(i+16, count)]...)
		one := strings.Split(gatewayAt(some...), "---\n")[1]
		all += "---\n" + strings.Replace(one, "name: edge", fmt.Sprintf("name: edge%d", i), 1)
	}
	return all, addresses
}

// spent is the CPU time of a process so far.
func spent(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

func parsed(t *testing.T, text string) int {
	t.Helper()
	value, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// A thousand addresses on one node: what they cost, which is printed, and how long
// another takes to have them all.
func TestAnnouncersMany(t *testing.T) {
	const count = 1000
	s := newSegment(t, 2)
	objects, addresses := manyGateways(count)
	s.file("objects/gateway.yaml", objects)
	s.ip("-n", s.client, "route", "add", "10.79.0.0/16", "dev", "eth0")
	first, second := s.nodes[0], s.nodes[1]
	first.serve()
	first.announce()
	all := func(n *node) func() error {
		return func() error {
			if held := counter(n.announcer, "yumen_announced_addresses"); held != strconv.Itoa(count) {
				return fmt.Errorf("%s are held", held)
			}
			return nil
		}
	}
	first.announcer.ready()
	first.announcer.eventually("all are held", all(first))
	for _, address := range []string{addresses[0], addresses[count-1]} {
		if status, err := s.ask(address, "/"); err != nil || status != 404 {
			t.Errorf("%s: %d %v", address, status, err)
		}
	}
	window := 2 * time.Second
	if os.Getenv("YUMEN_LONG") != "" {
		window = 30 * time.Second // as long as it takes to tell all again
		time.Sleep(5 * time.Second)
	}
	frames := func() int { return parsed(t, counter(first.announcer, `yumen_announce_sent_total{result="ok"}`)) }
	beats := func() int { return parsed(t, counter(first.announcer, `yumen_announce_beats_sent_total{result="ok"}`)) }
	sent, beaten, cpu := frames(), beats(), spent(t, first.announcer.cmd.Process.Pid)
	time.Sleep(window)
	t.Logf("in %v: %d frames, %d heartbeats, %v of CPU", window, frames()-sent, beats()-beaten,
		spent(t, first.announcer.cmd.Process.Pid)-cpu)

	second.serve()
	second.announce()
	second.announcer.ready()
	time.Sleep(4 * time.Second) // it settles, and has its share
	began := time.Now()
	first.kill()
	second.announcer.eventually("all are held", all(second))
	t.Logf("killed: the other one has all %d after %v", count, time.Since(began).Round(time.Millisecond))
	// The first packet may have gone to the dead one before the client heard.
	s.answers(second.announcer, addresses[0], 404)
}
