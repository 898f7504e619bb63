// What an announcer that cannot announce, or cannot reach its controller, says of it.
package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// without is a command that runs another one without these capabilities.
func without(t *testing.T, capabilities string) []string {
	t.Helper()
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv(1)")
	}
	return []string{"setpriv", "--bounding-set", capabilities, "--inh-caps", capabilities}
}

// What keeps it from starting: which flag is missing, which capability, which interface.
func TestAnnouncerRefused(t *testing.T) {
	s := newSegment(t, 1)
	all := s.flags()
	all["--interface"] = "eth0"
	for _, c := range []struct {
		name         string
		flag, value  string // another value than in all; none: it is not given
		capabilities string // that it lacks
		more         []string
		want         string
	}{
		{"no controller", "--controller", "", "", nil, "yumen announcer: name the controller, by an address of its --stream-listen: --controller HOST:PORT\n"},
		{"no port", "--controller", "here", "", nil, "--controller here: a host and a port are wanted"},
		{"no authority", "--ca", "", "", nil, "the ca.pem of its --stream-authority: --ca FILE\n"},
		{"no token", "--token-file", "", "", nil, "one of its --stream-tokens or of a ServiceAccount: --token-file FILE\n"},
		{"no key", "--key-file", "", "", nil, "--key-file FILE\n"},
		{"no such interface", "--interface", "eth7", "", nil, "--interface eth7: this host has no such interface"},
		{"no such address", "--interface", "10.78.0.99", "", nil, "--interface 10.78.0.99: no interface has this address"},
		{"no packet sockets", "", "", "-net_raw", nil, "--interface eth0: CAP_NET_RAW is missing\n"},
		{"no packet sockets, though it may administer", "", "", "-net_raw", []string{"--take"}, "--interface eth0: CAP_NET_RAW is missing\n"},
		{"neither", "", "", "-net_raw,-net_admin", []string{"--take"}, "--interface eth0: CAP_NET_RAW and CAP_NET_ADMIN are missing\n"},
		{"neither, and the one is not wanted", "", "", "-net_raw,-net_admin", nil, "--interface eth0: CAP_NET_RAW is missing\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"netns", "exec", s.nodes[0].name}
			if c.capabilities != "" {
				args = append(args, without(t, c.capabilities)...)
			}
			args = append(args, program(t), "announcer", "--admin", "off", "--socket", s.control.socket+"2")
			for flag, value := range all {
				if flag == c.flag {
					value = c.value
				}
				if value != "" {
					args = append(args, flag, value)
				}
			}
			out, err := exec.Command("ip", append(args, c.more...)...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), c.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// What keeps it from its controller; once that is there but refuses, that is said too.
func TestAnnouncerUncontrolled(t *testing.T) {
	s := newSegment(t, 1)
	n := s.nodes[0]
	s.file("others", "secret-nobody\n")
	for _, c := range []struct{ flag, value, want string }{
		{"--controller", "nowhere.invalid:9443", `event=stream.down controller=nowhere.invalid port=9443 why="its name could not be looked up: `},
		{"--ca", "/nowhere", `event=stream.down controller=10.78.0.254 port=9443 why="the file of the controller's authority, /nowhere: not found"`},
		{"--token-file", "/nowhere", `why="the file of the token, /nowhere: not found"`},
		{"--token-file", s.dir + "/others", `event=stream.refused controller=10.78.0.254 port=9443 why="the token is not known: none of the controller's --stream-tokens"`},
	} {
		n.announce(c.flag, c.value)
		s.eventually(c.value, func() error {
			if !strings.Contains(n.announcer.stderr(), c.want) {
				return fmt.Errorf("not told")
			}
			return nil
		})
		n.announcer.stop()
	}
	s.control.kill()
	n.announce("--token-file", s.dir+"/others")
	for i, event := range []string{"event=stream.down", "event=stream.refused"} {
		if i == 1 {
			s.control = s.gateIn(s.name)
			s.runController()
		}
		s.eventually(event, func() error {
			if !strings.Contains(n.announcer.stderr(), event) {
				return fmt.Errorf("not told")
			}
			return nil
		})
	}
	time.Sleep(2 * time.Second)
	if log := n.announcer.stderr(); strings.Count(log, "event=stream.") != 2 {
		t.Errorf("not once each\n%s", log)
	}
}

// Another program has the port of the heartbeats when it starts, and again when its link
// comes back: it goes on trying, and announces once it has it.
func TestAnnouncersPortTaken(t *testing.T) {
	s := newSegment(t, 2)
	n := s.nodes[0]
	take := func() (taken net.PacketConn) {
		s.eventually("the port is free", func() error {
			return s.within(n.name, func() (err error) {
				taken, err = net.ListenPacket("udp4", ":7947")
				return err
			})
		})
		return taken
	}
	taken := take()
	for _, one := range s.nodes {
		one.announce()
		one.announcer.ready()
	}
	for i := 1; i <= 2; i++ {
		n.announcer.awaitLog(i, "event=announce.no_peers interface=eth0", "address in use")
		taken.Close()
		n.announcer.awaitLog(i, "event=announce.peers interface=eth0")
		s.hearAll()
		if i == 1 {
			n.plug("down")
			n.announcer.awaitLog(1, "event=announce.link interface=eth0 is=down")
			taken = take()
			n.plug("up")
		}
	}
	s.awaitOwner(claimed)
}
