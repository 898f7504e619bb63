// Nodes on one link: a client, a switch, a router with a client behind it, and nodes
// that announce, in network namespaces of the test's own.
package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	claimed       = "10.78.0.50"
	rivalHardware = "02:00:00:00:78:66"
)

// segment is a switch with a client, a controller, a router and nodes on it, and a
// client behind the router.
type segment struct {
	lan
	name    string // of the switch's namespace, where the controller is
	router  string
	far     string // the client behind it
	six     string // announced by whoever announces claimed
	dir     string
	nodes   []*node
	control *gate
}

type node struct {
	s         *segment
	number    int
	name      string // of its namespace, and as announcers know it
	proxy     *gate
	announcer *gate
	dead      bool // its routes are nobody's
}

func (n *node) hardware() string { return fmt.Sprintf("02:00:00:00:78:%02x", 10+n.number) }
func (n *node) port() string     { return fmt.Sprintf("port%d", n.number) }

// attach makes a namespace on the switch.
func (s *segment) attach(name, hardware, port string, number int) {
	s.t.Helper()
	if _, err := s.run("netns", "add", name); err != nil {
		s.t.Skipf("needs network namespaces: %v", err)
	}
	s.t.Cleanup(func() { s.run("netns", "del", name) })
	s.ip("-n", name, "link", "set", "lo", "up")
	s.wire(name, hardware, port, number)
}

// wire makes the link between a namespace and the switch.
func (s *segment) wire(name, hardware, port string, number int) {
	s.t.Helper()
	s.ip("link", "add", "eth0", "netns", name, "address", hardware,
		"type", "veth", "peer", "name", port, "netns", s.name)
	s.ip("-n", s.name, "link", "set", port, "master", "switch", "up")
	s.ip("-n", name, "addr", "add", fmt.Sprintf("10.78.0.%d/24", number), "dev", "eth0")
	s.ip("-n", name, "addr", "add", fmt.Sprintf("fd78::%d/64", number), "dev", "eth0", "nodad")
	s.ip("-n", name, "link", "set", "eth0", "up")
}

// route makes a router to another link, on which is a client that reaches the switch
// through it alone.
func (s *segment) route() {
	s.t.Helper()
	s.attach(s.router, "02:00:00:00:78:fd", "router", 253)
	if _, err := s.run("netns", "add", s.far); err != nil {
		s.t.Skipf("needs network namespaces: %v", err)
	}
	s.t.Cleanup(func() { s.run("netns", "del", s.far) })
	s.ip("link", "add", "eth0", "netns", s.far, "type", "veth", "peer", "name", "eth1", "netns", s.router)
	for i, name := range []string{s.far, s.router} {
		device := fmt.Sprintf("eth%d", i)
		s.ip("-n", name, "addr", "add", fmt.Sprintf("10.80.0.%d/24", i+1), "dev", device)
		s.ip("-n", name, "addr", "add", fmt.Sprintf("fd80::%d/64", i+1), "dev", device, "nodad")
		s.ip("-n", name, "link", "set", device, "up")
	}
	s.ip("-n", s.far, "link", "set", "lo", "up")
	s.ip("-n", s.far, "route", "add", "default", "via", "10.80.0.2")
	s.ip("-n", s.far, "-6", "route", "add", "default", "via", "fd80::2")
	s.set(s.router, "net/ipv4/ip_forward", "1")
	s.set(s.router, "net/ipv6/conf/all/forwarding", "1")
}

// set writes a setting of a namespace's kernel.
func (s *segment) set(namespace, name, value string) {
	s.t.Helper()
	out, err := exec.Command("ip", "netns", "exec", namespace, "sh", "-c", "echo "+value+" > /proc/sys/"+name).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v: %s", name, err, out)
	}
}

// electedWith is an IPv6 address that the node is elected for that is elected for
// claimed: by the smallest digest of its name and the address.
func (s *segment) electedWith(claimed string) string {
	elected := func(address string) (first *node) {
		var smallest [sha256.Size]byte
		for _, n := range s.nodes {
			digest := sha256.Sum256([]byte(n.name + "#" + address))
			if first == nil || bytes.Compare(digest[:], smallest[:]) < 0 {
				first, smallest = n, digest
			}
		}
		return first
	}
	for i := 0x50; ; i++ {
		if six := fmt.Sprintf("fd78::%x", i); elected(six) == elected(claimed) {
			return six
		}
	}
}

func newSegment(t *testing.T, nodes int) *segment {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8), to make network namespaces")
	}
	unique := randomHex()
	s := &segment{lan: lan{t: t, client: "yumen-client-" + unique}, name: "yumen-switch-" + unique,
		router: "yumen-router-" + unique, far: "yumen-far-" + unique, dir: t.TempDir()}
	if _, err := s.run("netns", "add", s.name); err != nil {
		t.Skipf("needs network namespaces: %v", err)
	}
	t.Cleanup(func() { s.run("netns", "del", s.name) })
	s.ip("-n", s.name, "link", "set", "lo", "up")
	s.ip("-n", s.name, "link", "add", "switch", "type", "bridge")
	s.ip("-n", s.name, "addr", "add", "10.78.0.254/24", "dev", "switch")
	s.ip("-n", s.name, "link", "set", "switch", "up")
	s.attach(s.client, "02:00:00:00:78:01", "client", 1)
	s.route()
	for i := 1; i <= nodes; i++ {
		n := &node{s: s, number: i, name: fmt.Sprintf("node%d-%s", i, unique)}
		s.attach(n.name, n.hardware(), n.port(), 10+i)
		s.ip("-n", n.name, "route", "add", "10.80.0.0/24", "via", "10.78.0.253")
		s.ip("-n", n.name, "-6", "route", "add", "fd80::/64", "via", "fd78::253")
		s.nodes = append(s.nodes, n)
	}
	s.six = s.electedWith(claimed)
	s.controller()
	return s
}

func (s *segment) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *segment) gateIn(namespace string) *gate {
	return &gate{t: s.t, dir: s.dir, port: 80, done: make(chan struct{}), admin: "127.0.0.1:9911",
		socket: filepath.Join(os.TempDir(), "yumen-e2e-"+randomHex()+".sock"),
		inside: []string{"ip", "netns", "exec", namespace}}
}

func (s *segment) controller() {
	s.t.Helper()
	if err := os.Mkdir(filepath.Join(s.dir, "objects"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.file("objects/gateway.yaml", gatewayAt(claimed, s.six))
	s.file("tokens", "secret-announcers _/announcers\n")
	s.file("token", "secret-announcers\n")
	s.file("key", "a key that all the nodes of the test have\n")
	s.control = s.gateIn(s.name)
	s.runController()
}

func (s *segment) runController() {
	s.t.Helper()
	s.control.spawn([]string{"controller", "-f", filepath.Join(s.dir, "objects"), "--socket", s.control.socket,
		"--stream-listen", "10.78.0.254:9443", "--stream-name", "10.78.0.254",
		"--stream-authority", filepath.Join(s.dir, "authority"), "--stream-tokens", filepath.Join(s.dir, "tokens")})
	s.control.eventually("the controller's authority", func() error {
		_, err := os.Stat(filepath.Join(s.dir, "authority/ca.pem"))
		return err
	})
}

// serve starts a node's proxy, on every address of the node: it answers 404.
func (n *node) serve() {
	n.s.t.Helper()
	n.s.file(n.name+".yaml", strings.Replace(gatewayAt(), "addresses: []", "", 1))
	n.proxy = n.s.gateIn(n.name)
	n.proxy.spawn([]string{"run", "-f", filepath.Join(n.s.dir, n.name+".yaml"), "--socket", n.proxy.socket,
		"--workers", "1", "--access-log", "off"})
	n.proxy.waitReady()
}

func (n *node) announce(more ...string) {
	n.s.t.Helper()
	n.announceInside(nil, append([]string{"--take"}, more...)...)
}

// flags are what announcers are told unless a test tells them otherwise.
func (s *segment) flags() map[string]string {
	return map[string]string{"--controller": "10.78.0.254:9443", "--ca": filepath.Join(s.dir, "authority/ca.pem"),
		"--token-file": filepath.Join(s.dir, "token"), "--key-file": filepath.Join(s.dir, "key")}
}

// announceInside starts the announcer by a command that restricts it.
func (n *node) announceInside(inside []string, more ...string) {
	n.s.t.Helper()
	n.announceOn("eth0", inside, more...)
}

func (n *node) announceOn(name string, inside []string, more ...string) {
	n.s.t.Helper()
	a := n.s.gateIn(n.name)
	a.inside = append(a.inside, inside...)
	args := []string{"announcer", "--node", n.name, "--interface", name, "--socket", a.socket, "--admin", "off"}
	for flag, value := range n.s.flags() {
		if !contains(more, flag) {
			args = append(args, flag, value)
		}
	}
	a.spawn(append(args, more...))
	n.announcer = a
}

func (s *segment) startAll() {
	s.t.Helper()
	for _, n := range s.nodes {
		n.serve()
		n.announce()
	}
}

// routesOf are the addresses that a node has taken.
func (n *node) routes() string {
	n.s.t.Helper()
	return n.s.ip("-n", n.name, "route", "show", "table", "local", "proto", "199") +
		n.s.ip("-n", n.name, "-6", "route", "show", "table", "local", "proto", "199")
}

func (n *node) has(address string) bool {
	n.s.t.Helper()
	return strings.Contains(n.routes(), "local "+address+" ")
}

func (n *node) hasBoth() bool {
	n.s.t.Helper()
	routes := n.routes()
	return strings.Contains(routes, "local "+claimed+" ") && strings.Contains(routes, "local "+n.s.six+" ")
}

func (s *segment) owners(address string) (found []*node) {
	s.t.Helper()
	for _, n := range s.nodes {
		if !n.dead && n.has(address) {
			found = append(found, n)
		}
	}
	return found
}

func (s *segment) awaitOwner(address string) *node {
	s.t.Helper()
	var owners []*node
	s.eventually("one owner of "+address, func() error {
		if owners = s.owners(address); len(owners) != 1 {
			return fmt.Errorf("%d owners\n%s", len(owners), s.logs())
		}
		return nil
	})
	return owners[0]
}

// awaitOnly waits until this node has both addresses, and no other has any.
func (s *segment) awaitOnly(n *node) {
	s.t.Helper()
	s.eventually("only "+n.name+" has them", func() error {
		four, six := s.owners(claimed), s.owners(s.six)
		if len(four) != 1 || four[0] != n || len(six) != 1 || six[0] != n {
			return fmt.Errorf("%d and %d have them\n%s", len(four), len(six), s.logs())
		}
		return nil
	})
}

// besides is the other one of two nodes.
func (s *segment) besides(n *node) *node {
	if s.nodes[0] == n {
		return s.nodes[1]
	}
	return s.nodes[0]
}

func (s *segment) logs() (all string) {
	for _, n := range s.nodes {
		if n.announcer != nil {
			all += n.name + ":\n" + n.announcer.stderr()
		}
	}
	return all
}

// settled waits until all announcers have settled, so that nothing moves any more.
func (s *segment) settled() *node {
	s.t.Helper()
	owner := s.awaitOwner(claimed)
	for since := time.Now(); time.Since(since) < 3*time.Second; time.Sleep(20 * time.Millisecond) {
		if now := s.awaitOwner(claimed); now != owner || !now.hasBoth() {
			owner, since = now, time.Now()
		}
	}
	return owner
}

func (n *node) kill() {
	n.s.t.Helper()
	n.dead = true
	n.s.ip("-n", n.s.name, "link", "set", n.port(), "down")
	n.announcer.kill()
	if n.proxy != nil {
		n.proxy.kill()
	}
}

func (n *node) plug(state string) {
	n.s.t.Helper()
	n.s.ip("-n", n.s.name, "link", "set", n.port(), state)
}

func (n *node) signal(signal syscall.Signal) {
	n.announcer.cmd.Process.Signal(signal)
	n.proxy.cmd.Process.Signal(signal)
}

// isolate cuts the nodes off from each other, not from the client.
func (s *segment) isolate(state string) {
	s.t.Helper()
	for _, n := range s.nodes {
		s.ip("-n", s.name, "link", "set", "dev", n.port(), "type", "bridge_slave", "isolated", state)
	}
}

// muffle holds up what announcers say to each other, and nothing else.
func (s *segment) muffle(on bool) {
	s.t.Helper()
	rules := "delete table inet wall"
	if on {
		rules = "add table inet wall; add chain inet wall in { type filter hook input priority 0; }; add rule inet wall in udp dport 7947 drop"
	}
	for _, n := range s.nodes {
		s.ip("netns", "exec", n.name, "nft", rules)
	}
}

// alone makes something happen and looks whether, but for a second, one node has the
// address, the same for so long.
func (s *segment) alone(length time.Duration, event func()) (owner *node) {
	s.t.Helper()
	event()
	began := time.Now()
	time.Sleep(time.Second)
	for time.Since(began) < length {
		owners := s.owners(claimed)
		if len(owners) != 1 || (owner != nil && owner != owners[0]) {
			s.t.Fatalf("after %v %d have it\n%s", time.Since(began), len(owners), s.logs())
		}
		owner = owners[0]
		time.Sleep(50 * time.Millisecond)
	}
	return owner
}

// both is for how long two had the address since then, as announcers' logs say.
func (s *segment) both(since time.Time) (both time.Duration) {
	s.t.Helper()
	type change struct {
		at time.Time
		by int
	}
	var changes []change
	for _, n := range s.nodes {
		for _, line := range strings.Split(n.announcer.stderr(), "\n") {
			by := map[bool]int{strings.Contains(line, "event=announce.held address="+claimed): 1,
				strings.Contains(line, "event=announce.given_up address="+claimed): -1}[true]
			stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
			if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil && by != 0 {
				changes = append(changes, change{at, by})
			}
		}
	}
	sort.Slice(changes, func(i, j int) bool { return changes[i].at.Before(changes[j].at) })
	holders := 0
	for i, one := range changes {
		if holders > 1 && one.at.After(since) {
			both += one.at.Sub(changes[i-1].at)
		}
		holders += one.by
	}
	return both
}

// eventually is of whoever is there.
func (s *segment) eventually(what string, try func() error) {
	s.t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	s.t.Fatalf("%s: %v\n%s", what, err, s.logs())
}

// rival is a machine that has the addresses as well, or says so.
func (s *segment) rival() string {
	s.t.Helper()
	name := "rival-" + randomHex()
	s.attach(name, rivalHardware, "rival", 66)
	return name
}

func (s *segment) takes(rival string) {
	s.t.Helper()
	s.ip("-n", rival, "addr", "add", claimed+"/32", "dev", "eth0")
	s.ip("-n", rival, "addr", "add", s.six+"/128", "dev", "eth0", "nodad")
}

// spoof has a machine claim the addresses again and again, each time from somewhere
// else: so often each.
func (s *segment) spoof(owner *node, every time.Duration, times int) {
	s.t.Helper()
	var frames [][]byte
	for i := 0; i < times; i++ {
		from := fmt.Sprintf("02:00:00:00:99:%02x", i%256)
		frames = append(frames, arpFrame(byte(1+i%2), from, claimed, claimed), advertisement(from, s.six))
	}
	if err := s.sendFrom(s.rival(), every/2, frames...); err != nil {
		s.t.Error(err)
	}
	said := parsed(s.t, counter(owner.announcer, "yumen_announce_defences_total"))
	s.t.Logf("%d claims were answered %d times", len(frames), said)
	if said == 0 {
		s.t.Error("nothing was answered")
	}
}

// advertisement tells all nodes that an IPv6 address is at the sender, whatever they
// knew before.
func advertisement(sender, address string) []byte {
	group := net.ParseIP("ff02::1")
	message := append([]byte{136, 0, 0, 0, 0x20, 0, 0, 0}, net.ParseIP(address)...)
	message = append(append(message, 2, 1), hardware(sender)...)
	pseudo := append(append(append([]byte{}, net.ParseIP(address)...), group...), 0, 0, 0, byte(len(message)), 0, 0, 0, 58)
	sum := uint32(0)
	for _, part := range [][]byte{pseudo, message} {
		for i := 0; i < len(part); i += 2 {
			sum += uint32(part[i])<<8 | uint32(part[i+1])
		}
	}
	for sum>>16 > 0 {
		sum = sum&0xffff + sum>>16
	}
	message[2], message[3] = byte(^sum>>8), byte(^sum)
	frame := append([]byte{0x33, 0x33, 0, 0, 0, 1}, hardware(sender)...)
	frame = append(frame, 0x86, 0xdd, 0x60, 0, 0, 0, 0, byte(len(message)), 58, 255)
	return append(append(append(frame, net.ParseIP(address)...), group...), message...)
}

// told is whether the owner's log names the rival.
func (s *segment) told(hardware string) bool { return strings.Contains(s.logs(), "hardware="+hardware) }

func (s *segment) forgetNeighbours() {
	s.run("-n", s.client, "neigh", "flush", "all")
	s.run("-n", s.router, "neigh", "flush", "all")
}
