// Who is there, as announcers know each other: old heartbeats, a node on the link by two
// interfaces, nodes whose controller is away.
package e2e

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// python runs a script in a namespace, with a socket of frames bound there.
func (s *segment) python(from, protocol, script string) string {
	s.t.Helper()
	out, err := exec.Command("ip", "netns", "exec", from, "python3", "-c", `
import socket
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,0); s.bind(("eth0",`+protocol+`)); s.settimeout(5)
`+script).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// proven is how many heartbeats an announcer has heard that prove their sender.
func (n *node) proven() int {
	n.s.t.Helper()
	return parsed(n.s.t, counter(n.announcer, `yumen_announce_beats_heard_total{result="ok"}`))
}

// hearAll waits until each node hears each other.
func (s *segment) hearAll() {
	s.t.Helper()
	for _, n := range s.nodes {
		before := n.proven()
		s.eventually(n.name+" hears the others", func() error {
			if now := n.proven(); now < before+20 {
				return fmt.Errorf("%d heartbeats prove somebody", now-before)
			}
			return nil
		})
	}
}

// One old heartbeat of each, said again by who has no key after all have started anew,
// parts nobody: one fails over to another at once, though there is no controller.
func TestAnnouncersReplayed(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("needs python3, to say frames again")
	}
	s := newSegment(t, 3)
	s.startAll()
	s.settled()
	beats := s.python(s.client, "0x0800", `
seen={}
while len(seen)<3:
    d=s.recv(2048)
    if d[23]==17 and d[36:38]==bytes([7947>>8,7947&255]): seen[d[6:12]]=d
print("\n".join(d.hex() for d in seen.values()))
`)
	for _, n := range s.nodes {
		n.announcer.stop()
		n.announce()
		s.awaitOwner(claimed)
	}
	s.settled()
	for _, beat := range strings.Fields(beats) {
		frame, err := hex.DecodeString(beat)
		if err != nil {
			t.Fatal(err)
		}
		copy(frame[40:42], []byte{0, 0}) // the sum was left to the card
		s.python(s.client, "0x0800", `s.send(bytes.fromhex("`+hex.EncodeToString(frame)+`"))`)
	}
	s.hearAll()
	owner := s.settled()
	s.control.kill()
	owner.kill()
	began := time.Now()
	s.awaitOwner(claimed)
	t.Logf("owner killed: another has it after %v", time.Since(began).Round(time.Millisecond))
	s.alone(15*time.Second, func() {})
}

// A node that is on the link by two interfaces is no rival, and its ends are not taken
// for each other: nothing is announced without end.
func TestAnnouncersTwoEnds(t *testing.T) {
	s := newSegment(t, 2)
	two, one := s.nodes[0], s.nodes[1]
	s.ip("link", "add", "eth1", "netns", two.name, "address", "02:00:00:00:78:99",
		"type", "veth", "peer", "name", "second", "netns", s.name)
	s.ip("-n", s.name, "link", "set", "second", "master", "switch", "up")
	s.ip("-n", two.name, "link", "set", "eth1", "up")
	for _, n := range s.nodes {
		n.serve()
	}
	two.announce("--interface", "eth1")
	one.announce()
	s.settled()
	s.hearAll()
	sent := func() int {
		return parsed(t, counter(two.announcer, `yumen_announce_sent_total{result="ok"}`)) +
			parsed(t, counter(one.announcer, `yumen_announce_sent_total{result="ok"}`))
	}
	before := sent()
	s.alone(10*time.Second, func() {})
	if frames := sent() - before; frames > 200 {
		t.Errorf("%d frames of two addresses in 10 s", frames)
	}
	if logs := s.logs(); strings.Contains(logs, "announce.rival") || strings.Contains(logs, "announce.namesake") {
		t.Errorf("a node's other end is no other machine\n%s", logs)
	}
}

// Who has no claims, as there is no controller any more, is not waited for.
func TestAnnouncersClaimless(t *testing.T) {
	s := newSegment(t, 3)
	s.startAll()
	owner := s.settled()
	// The one that comes next.
	owner.announcer.stop()
	next := s.awaitOwner(claimed)
	owner.announce()
	s.settled()
	s.control.kill()
	next.announcer.kill()
	next.announce()
	s.hearAll()
	time.Sleep(3 * time.Second) // it has settled
	owner.kill()
	began := time.Now()
	if now := s.awaitOwner(claimed); now == next {
		t.Errorf("%s has it, without a claim\n%s", now.name, s.logs())
	}
	t.Logf("killed: another has it after %v", time.Since(began).Round(time.Millisecond))
	s.forgetNeighbours()
	s.eventually("it answers", func() error {
		_, err := s.ask(claimed, "/")
		return err
	})
}

// A node that its controller does not reach leaves an address to the one that has it by
// what the controller says now, and has it again when that one is gone.
func TestAnnouncersOldClaims(t *testing.T) {
	p := newPods(t, 2)
	first, second := p.nodes[0], p.nodes[1]
	p.service(first)
	for _, n := range p.nodes {
		n.announce()
	}
	if owner := p.settled(); owner != first {
		t.Fatalf("%s has it, which may not", owner.name)
	}
	p.ip("netns", "exec", first.name, "nft", "add table inet apart; add chain inet apart out { type filter hook output priority 0; }; "+
		"add rule inet apart out tcp dport 9443 reject with tcp reset")
	p.control.eventually("its claims are old", func() error {
		if !strings.Contains(first.announcer.stderr(), "stream.down") {
			return fmt.Errorf("its stream is up")
		}
		return nil
	})
	time.Sleep(3 * time.Second)
	p.service(second)
	owns := func(n *node) func() error {
		return func() error {
			for _, address := range []string{claimed, p.six} {
				if owners := p.owners(address); len(owners) != 1 || owners[0] != n {
					return fmt.Errorf("%s: %d\n%s", address, len(owners), p.logs())
				}
			}
			return nil
		}
	}
	p.control.eventually("the second has it alone", owns(second))
	if owner := p.alone(10*time.Second, func() {}); owner != second {
		t.Errorf("%s has it", owner.name)
	}
	p.served(second, p.client, claimed, "10.78.0.1")
	second.kill()
	p.control.eventually("the first has it again", owns(first))
	p.forgetNeighbours()
	p.served(first, p.client, claimed, "10.78.0.1")
}
