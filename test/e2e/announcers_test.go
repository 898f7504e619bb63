// Announcers of many nodes: a client, a switch and three nodes, in network
// namespaces of the test's own. What goes wrong with the node that has an address,
// the client counts.
package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	claimed     = "10.78.0.50"
	proberEvery = 10 * time.Millisecond
	proberWaits = 400 * time.Millisecond // no SYN is sent again by then
)

// segment is a switch with a client, a controller and nodes on it.
type segment struct {
	lan
	name    string // of the switch's namespace, where the controller is
	dir     string
	nodes   []*node
	objects map[string]string
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
	s.ip("link", "add", "eth0", "netns", name, "address", hardware,
		"type", "veth", "peer", "name", port, "netns", s.name)
	s.ip("-n", s.name, "link", "set", port, "master", "switch", "up")
	s.ip("-n", name, "addr", "add", fmt.Sprintf("10.78.0.%d/24", number), "dev", "eth0")
	s.ip("-n", name, "link", "set", "lo", "up")
	s.ip("-n", name, "link", "set", "eth0", "up")
}

func newSegment(t *testing.T, nodes int, addresses ...string) *segment {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8), to make network namespaces")
	}
	unique := randomHex()
	s := &segment{lan: lan{t: t, client: "yumen-client-" + unique}, name: "yumen-switch-" + unique, dir: t.TempDir()}
	if _, err := s.run("netns", "add", s.name); err != nil {
		t.Skipf("needs network namespaces: %v", err)
	}
	t.Cleanup(func() { s.run("netns", "del", s.name) })
	s.ip("-n", s.name, "link", "set", "lo", "up")
	s.ip("-n", s.name, "link", "add", "switch", "type", "bridge")
	s.ip("-n", s.name, "addr", "add", "10.78.0.254/24", "dev", "switch")
	s.ip("-n", s.name, "link", "set", "switch", "up")
	s.attach(s.client, "02:00:00:00:78:01", "client", 1)
	s.controller(addresses...)
	for i := 1; i <= nodes; i++ {
		n := &node{s: s, number: i, name: fmt.Sprintf("node%d-%s", i, unique)}
		s.attach(n.name, n.hardware(), n.port(), 10+i)
		s.nodes = append(s.nodes, n)
	}
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

func (s *segment) controller(addresses ...string) {
	s.t.Helper()
	if err := os.Mkdir(filepath.Join(s.dir, "objects"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.file("objects/gateway.yaml", gatewayAt(addresses...))
	s.file("tokens", "secret-announcers _/announcers\n")
	s.file("token", "secret-announcers\n")
	s.file("key", "a key that all the nodes of the test have\n")
	s.control = s.gateIn(s.name)
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
	a := n.s.gateIn(n.name)
	a.spawn(append([]string{"announcer", "--controller", "10.78.0.254:9443", "--node", n.name, "--interface", "eth0",
		"--ca", filepath.Join(n.s.dir, "authority/ca.pem"), "--token-file", filepath.Join(n.s.dir, "token"),
		"--key-file", filepath.Join(n.s.dir, "key"), "--socket", a.socket, "--admin", "off", "--take"}, more...))
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
	s.control.eventually("one owner of "+address, func() error {
		if owners = s.owners(address); len(owners) != 1 {
			return fmt.Errorf("%d owners\n%s", len(owners), s.logs())
		}
		return nil
	})
	return owners[0]
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
		if now := s.awaitOwner(claimed); now != owner {
			owner, since = now, time.Now()
		}
	}
	return owner
}

// try is one request of the prober: a new connection.
type try struct {
	began, ended time.Time
	good         bool
}

type prober struct {
	s     *segment
	cmd   *exec.Cmd
	out   chan try // closed at its end
	stop  func()
	tries []try
}

// TestProber is what the prober runs in the client's namespace.
func TestProber(t *testing.T) {
	address := os.Getenv("YUMEN_PROBE")
	if address == "" {
		t.Skip("a part of other tests")
	}
	stop := make(chan struct{})
	go func() {
		bufio.NewReader(os.Stdin).ReadString('\n')
		close(stop)
	}()
	results := make(chan try, 1024)
	going := 0
	ticker := time.NewTicker(proberEvery)
	defer ticker.Stop()
	for running := true; running || going > 0; {
		select {
		case <-stop:
			running, stop = false, nil
		case one := <-results:
			going--
			fmt.Printf("TRY %d %d %v\n", one.began.UnixNano(), one.ended.UnixNano(), one.good)
		case <-ticker.C:
			if running {
				going++
				go func() {
					one := try{began: time.Now()}
					one.good = probeOnce(address)
					one.ended = time.Now()
					results <- one
				}()
			}
		}
	}
}

func probeOnce(address string) bool {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort(address, "80"), proberWaits)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(proberWaits))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == 404
}

func (s *segment) probe(address string) *prober {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	p := &prober{s: s, cmd: exec.Command("ip", "netns", "exec", s.client, self, "-test.run", "^TestProber$", "-test.v")}
	p.cmd.Env = append(os.Environ(), "YUMEN_PROBE="+address)
	in, err := p.cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { in.Close() })
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	p.out = make(chan try, 1<<16) // it is never held up
	go p.read(out)
	s.t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	p.stop = func() { in.Write([]byte("\n")) }
	p.take(func() bool { return len(p.tries) >= 50 })
	return p
}

func (p *prober) read(out io.Reader) {
	defer close(p.out)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var began, ended int64
		var good bool
		if n, _ := fmt.Sscanf(lines.Text(), "TRY %d %d %t", &began, &ended, &good); n == 3 {
			p.out <- try{time.Unix(0, began), time.Unix(0, ended), good}
		}
	}
}

// take takes results until it is enough.
func (p *prober) take(enough func() bool) {
	p.s.t.Helper()
	for !enough() {
		one, ok := <-p.out
		if !ok {
			return
		}
		p.tries = append(p.tries, one)
	}
}

// suffered is what a client saw of an event: the longest time without an answer, and
// the requests that were lost.
type suffered struct {
	gap         time.Duration
	lost, tries int
	last        try
}

func (p *prober) during(length time.Duration, event func()) suffered {
	p.s.t.Helper()
	event()
	end := time.Now().Add(length)
	p.take(func() bool { return p.tries[len(p.tries)-1].began.After(end) })
	p.stop()
	p.take(func() bool { return false })
	var answers []time.Time
	result := suffered{tries: len(p.tries), last: p.tries[len(p.tries)-1]}
	for _, one := range p.tries {
		if one.good {
			answers = append(answers, one.ended)
		} else {
			result.lost++
		}
	}
	sort.Slice(answers, func(i, j int) bool { return answers[i].Before(answers[j]) })
	for i := 1; i < len(answers); i++ {
		if gap := answers[i].Sub(answers[i-1]); gap > result.gap {
			result.gap = gap
		}
	}
	if len(answers) == 0 {
		p.s.t.Fatalf("no answer at all\n%s", p.s.logs())
	}
	return result
}

func (n *node) kill() {
	n.s.t.Helper()
	n.dead = true
	n.s.ip("-n", n.s.name, "link", "set", n.port(), "down")
	for _, g := range []*gate{n.announcer, n.proxy} {
		g.cmd.Process.Kill()
		<-g.done
		g.exit = nil
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

// rival is a machine that has the address as well.
func (s *segment) rival() string {
	s.t.Helper()
	name := "rival-" + randomHex()
	s.attach(name, rivalHardware, "rival", 66)
	s.ip("-n", name, "addr", "add", claimed+"/32", "dev", "eth0")
	return name
}

// spoof has a machine claim the address again and again, each time from somewhere else.
func (s *segment) spoof(owner *node, every time.Duration, times int) {
	s.t.Helper()
	var frames [][]byte
	for i := 0; i < times; i++ {
		frames = append(frames, arpFrame(byte(1+i%2), fmt.Sprintf("02:00:00:00:99:%02x", i%256), claimed, claimed))
	}
	rival := s.rival()
	s.ip("-n", rival, "addr", "del", claimed+"/32", "dev", "eth0")
	if err := s.sendFrom(rival, every, frames...); err != nil {
		s.t.Error(err)
	}
	said := parsed(s.t, counter(owner.announcer, "yumen_announce_defences_total"))
	s.t.Logf("%d claims were answered %d times", times, said)
	if said == 0 {
		s.t.Error("nothing was answered")
	}
}

// told is whether the owner's log names the rival.
func (s *segment) told(hardware string) bool { return strings.Contains(s.logs(), "hardware="+hardware) }

func (s *segment) forgetNeighbours() { s.run("-n", s.client, "neigh", "flush", "all") }

const rivalHardware = "02:00:00:00:78:66"

// What the client sees when something goes wrong with the node that has the
// address, or with its neighbours. The figures are printed; what is asserted is
// that it goes on, with one owner.
func TestAnnouncers(t *testing.T) {
	rows := []struct {
		name   string
		length time.Duration
		event  func(s *segment, owner *node)
		after  func(s *segment, owner *node)
	}{
		{"node killed", 2 * time.Second, func(_ *segment, owner *node) { owner.kill() }, nil},
		{"link unplugged", 2 * time.Second, func(_ *segment, owner *node) { owner.plug("down") }, nil},
		{"process frozen for 2 s", 4 * time.Second, func(_ *segment, owner *node) {
			owner.signal(syscall.SIGSTOP)
			time.AfterFunc(2*time.Second, func() { owner.signal(syscall.SIGCONT) })
		}, nil},
		{"link flaps 5 times", 7 * time.Second, func(_ *segment, owner *node) {
			for i := 0; i < 5; i++ {
				owner.plug("down")
				time.Sleep(500 * time.Millisecond)
				owner.plug("up")
				time.Sleep(500 * time.Millisecond)
			}
		}, nil},
		{"announcer ends (drain)", 2 * time.Second, func(_ *segment, owner *node) { owner.announcer.stop() }, nil},
		{"nodes cut from each other for 2 s, then healed", 5 * time.Second, func(s *segment, _ *node) {
			s.isolate("on")
			s.control.eventually("all nodes have it", func() error {
				if got := len(s.owners(claimed)); got != len(s.nodes) {
					return fmt.Errorf("%d have it", got)
				}
				return nil
			})
			s.isolate("off")
			began := time.Now()
			s.awaitOwner(claimed)
			s.t.Logf("healed: one owner after %v", time.Since(began).Round(time.Millisecond))
		}, nil},
		{"rival answers, and is asked for 4 times", 4 * time.Second, func(s *segment, _ *node) {
			rival := s.rival()
			if err := s.sendFrom(rival, 0, arpFrame(1, rivalHardware, claimed, claimed)); err != nil {
				s.t.Error(err)
			}
			for i := 0; i < 4; i++ {
				s.forgetNeighbours()
				time.Sleep(500 * time.Millisecond)
			}
		}, func(s *segment, owner *node) {
			if !s.told(rivalHardware) {
				s.t.Errorf("the rival is not named\n%s", s.logs())
			}
			if conflicts := counter(owner.announcer, "yumen_announce_conflicts_total"); conflicts == "" || conflicts == "0" {
				s.t.Errorf("conflicts: %q", conflicts)
			}
		}},
		{"neighbour spoofs 50 times a second for 2 s", 2 * time.Second, func(s *segment, owner *node) { s.spoof(owner, 20*time.Millisecond, 100) }, nil},
		{"neighbour spoofs 50 times a second for 20 s", 2 * time.Second, func(s *segment, owner *node) { s.spoof(owner, 20*time.Millisecond, 1000) }, nil},
		{"neighbour spoofs 500 times a second for 10 s", 2 * time.Second, func(s *segment, owner *node) { s.spoof(owner, 2*time.Millisecond, 5000) }, nil},
	}
	table := "| what happens | longest time without an answer | requests lost |\n| --- | --- | --- |\n"
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := newSegment(t, 3, claimed)
			s.startAll()
			owner := s.settled()
			result := s.probe(claimed).during(row.length, func() { row.event(s, owner) })
			table += fmt.Sprintf("| %s | %d ms | %d of %d |\n", row.name, result.gap.Milliseconds(), result.lost, result.tries)
			owners := s.awaitOwner(claimed)
			if last := result.last; !last.good {
				t.Errorf("at the end nothing is answered; %s has it\n%s", owners.name, s.logs())
			}
			if row.after != nil {
				row.after(s, owner)
			}
		})
	}
	t.Logf("a new connection every %v\n%s", proberEvery, table)
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
	s := newSegment(t, 2, claimed)
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
	if status, err := s.ask(addresses[0], "/"); err != nil || status != 404 {
		t.Errorf("%s: %d %v", addresses[0], status, err)
	}
}
