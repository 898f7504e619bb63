// Who is there, as announcers know each other: old heartbeats, a node on the link by two
// interfaces, nodes whose controller is away.
package e2e

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// beats has one heartbeat of each node, as the client's end of the link sees them.
func (s *segment) beats() (frames [][]byte) {
	s.t.Helper()
	port := []byte{7947 >> 8, 7947 & 255}
	seen := map[string]bool{}
	if err := s.within(s.client, func() error {
		fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, etherProtocols)
		if err != nil {
			return err
		}
		defer syscall.Close(fd)
		if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 100000}); err != nil {
			return err
		}
		buffer := make([]byte, 2048)
		for end := time.Now().Add(5 * time.Second); len(seen) < len(s.nodes); {
			if time.Now().After(end) {
				return fmt.Errorf("heartbeats of %d nodes in 5 s", len(seen))
			}
			length, _, err := syscall.Recvfrom(fd, buffer, 0)
			if err != nil || length < 42 || buffer[23] != syscall.IPPROTO_UDP || !bytes.Equal(buffer[36:38], port) {
				continue
			}
			if from := string(buffer[6:12]); !seen[from] {
				seen[from] = true
				frames = append(frames, bytes.Clone(buffer[:length]))
			}
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return frames
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
		s.eventually(n.name+" can be asked", func() error {
			conn, err := net.Dial("unix", n.announcer.socket)
			if err == nil {
				conn.Close()
			}
			return err
		})
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
	s := newSegment(t, 3)
	s.startAll()
	s.settled()
	beats := s.beats()
	for _, n := range s.nodes {
		n.announcer.stop()
		n.announce()
		s.awaitOwner(claimed)
	}
	s.settled()
	for _, beat := range beats {
		copy(beat[40:42], []byte{0, 0}) // the sum was left to the card
	}
	if err := s.send(beats...); err != nil {
		t.Fatal(err)
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
