// The key of the heartbeats: one that differs is named, and it is changed while all
// announcers run.
package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	oldKey = "the key that was here first"
	newKey = "the key that comes after it"
)

func (n *node) key(lines ...string) string {
	return n.s.file(n.name+".key", strings.Join(lines, "\n")+"\n")
}

func (n *node) forged() int {
	n.s.t.Helper()
	return parsed(n.s.t, counter(n.announcer, `yumen_announce_beats_heard_total{result="forged"}`))
}

// Who has another key is named by those that hear it, and names them; once, though its
// heartbeats come ten times a second.
func TestAnnouncersOtherKey(t *testing.T) {
	s := newSegment(t, 2)
	first, second := s.nodes[0], s.nodes[1]
	first.announce("--key-file", first.key(oldKey))
	second.announce("--key-file", second.key(newKey))
	first.announcer.ready()
	second.announcer.ready()
	for i, n := range s.nodes {
		other := s.nodes[1-i]
		want := fmt.Sprintf("event=announce.other_key address=10.78.0.%d:7947 node=%s hardware=%s interface=eth0\n",
			10+other.number, other.name, other.hardware())
		s.eventually(n.name+" names the other", func() error {
			if !strings.Contains(n.announcer.stderr(), want) || n.forged() < 30 {
				return fmt.Errorf("not yet: %d\n%s", n.forged(), want)
			}
			return nil
		})
		if log := n.announcer.stderr(); strings.Count(log, "announce.other_key") != 1 || strings.Contains(log, "namesake") {
			t.Errorf("not once\n%s", log)
		}
	}
	second.key(oldKey)
	s.hearAll()
}

// A key is changed on one node after the other, in three steps, and no heartbeat is
// refused meanwhile: the address stays where it is, and no request is lost.
func TestAnnouncersKeyChanged(t *testing.T) {
	s := newSegment(t, 3)
	for _, n := range s.nodes {
		n.serve()
		n.announce("--key-file", n.key(oldKey))
	}
	owner := s.settled()
	told := strings.Count(s.logs(), "announce.held") + strings.Count(s.logs(), "announce.given_up")
	clients := s.probe(sight{s.client, claimed}, sight{s.client, s.six})
	for i, result := range clients.during(0, func() {
		for step, lines := range [][]string{{oldKey, newKey}, {newKey, oldKey}, {newKey}} {
			for _, n := range s.nodes {
				n.key(lines...)
				s.eventually("it is taken", func() error {
					if count := strings.Count(n.announcer.stderr(), "event=announce.keys "); count != step+1 {
						return fmt.Errorf("%d times", count)
					}
					return nil
				})
			}
		}
	}) {
		t.Logf("%d: %v", i, result)
		if !result.last.good {
			t.Errorf("at the end nothing is answered\n%s", s.logs())
		}
	}
	s.hearAll()
	for _, n := range s.nodes {
		if n.forged() > 0 {
			t.Errorf("%s refused %d heartbeats", n.name, n.forged())
		}
	}
	now := strings.Count(s.logs(), "announce.held") + strings.Count(s.logs(), "announce.given_up")
	if at := s.awaitOwner(claimed); at != owner || now != told {
		t.Errorf("it was at %s, and is at %s\n%s", owner.name, at.name, s.logs())
	}
}

// What cannot be used is told once, and the keys that are known stay.
func TestAnnouncersKeySpoilt(t *testing.T) {
	s := newSegment(t, 2)
	for _, n := range s.nodes {
		n.announce("--key-file", n.key(oldKey))
		n.announcer.ready()
	}
	s.hearAll()
	n := s.nodes[0]
	n.key("short")
	s.eventually("it is told", func() error {
		if !strings.Contains(n.announcer.stderr(), `event=announce.keys_failed file=`+s.dir+"/"+n.name+`.key why="a key of 16 bytes`) {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	time.Sleep(2 * time.Second)
	s.hearAll()
	if log := n.announcer.stderr(); strings.Count(log, "announce.keys") != 1 {
		t.Errorf("not once\n%s", log)
	}
}
