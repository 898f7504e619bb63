// Addresses that answer: a client and a host on one link, in network namespaces
// of the test's own.
package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	sysSetns        = 308
	addressFour     = "10.77.0.50"
	addressSix      = "fd77::50"
	etherProtocols  = 0x0300 // ETH_P_ALL, in network order
	hostHardware    = "02:00:00:00:77:02"
	clientHardware  = "02:00:00:00:77:01"
	announceGateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: own}
spec: {controllerName: yumen.dev/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: own
  addresses: [%s]
  listeners: [{name: http, port: 80, protocol: HTTP}]
`
)

func gatewayAt(addresses ...string) string {
	for i, address := range addresses {
		addresses[i] = fmt.Sprintf("{value: %q}", address)
	}
	return fmt.Sprintf(announceGateway, strings.Join(addresses, ", "))
}

// lan is a link with a client on the one end and the host that yumen runs on
// at the other.
type lan struct {
	t            *testing.T
	client, host string // namespaces
}

func (l *lan) run(args ...string) (string, error) {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func (l *lan) ip(args ...string) string {
	l.t.Helper()
	out, err := l.run(args...)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func newLan(t *testing.T) *lan {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to make network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8), to make network namespaces")
	}
	l := &lan{t: t, client: "yumen-client-" + randomHex(), host: "yumen-host-" + randomHex()}
	for _, name := range []string{l.client, l.host} {
		if _, err := l.run("netns", "add", name); err != nil {
			t.Skipf("needs network namespaces: %v", err)
		}
		t.Cleanup(func() { l.run("netns", "del", name) })
	}
	for _, name := range []string{l.client, l.host} {
		l.ip("-n", name, "link", "set", "lo", "up")
	}
	l.join()
	return l
}

// join makes the link between the two; more says what else the host's end of it is.
func (l *lan) join(more ...string) {
	l.t.Helper()
	l.ip(append([]string{"link", "add", "eth0", "netns", l.client, "address", clientHardware,
		"type", "veth", "peer", "name", "eth0", "netns", l.host, "address", hostHardware}, more...)...)
	for i, name := range []string{l.client, l.host} {
		l.ip("-n", name, "addr", "add", fmt.Sprintf("10.77.0.%d/24", i+1), "dev", "eth0")
		l.ip("-n", name, "addr", "add", fmt.Sprintf("fd77::%d/64", i+1), "dev", "eth0", "nodad")
		l.ip("-n", name, "link", "set", "eth0", "up")
	}
}

// within runs do in a namespace, on a thread that ends with it.
func (l *lan) within(name string, do func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		file, err := os.Open("/run/netns/" + name)
		if err != nil {
			result <- err
			return
		}
		defer file.Close()
		if _, _, errno := syscall.RawSyscall(sysSetns, file.Fd(), syscall.CLONE_NEWNET, 0); errno != 0 {
			result <- errno
			return
		}
		result <- do()
	}()
	return <-result
}

// ask is a GET from the client, on a connection of its own.
func (l *lan) ask(address, path string) (int, error) { return l.askFrom(l.client, address, path) }

func (l *lan) askFrom(namespace, address, path string) (int, error) {
	var conn net.Conn
	err := l.within(namespace, func() (err error) {
		dialer := net.Dialer{Timeout: time.Second}
		conn, err = dialer.DialContext(context.Background(), "tcp", net.JoinHostPort(address, "80"))
		return err
	})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", path)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	response.Body.Close()
	return response.StatusCode, nil
}

func (l *lan) answers(g *gate, address string, status int) {
	l.t.Helper()
	g.eventually(address, func() error {
		got, err := l.ask(address, "/")
		if err == nil && got != status {
			err = fmt.Errorf("status %d, not %d", got, status)
		}
		return err
	})
}

func (l *lan) gate(files map[string]string, args ...string) *gate {
	l.t.Helper()
	g := prepare(l.t, 80, files)
	g.admin = "127.0.0.1:9911" // nobody else is in that namespace
	g.inside = append([]string{"ip", "netns", "exec", l.host}, g.inside...)
	g.launch(append([]string{"--announce", "eth0"}, args...)...)
	return g
}

// programmed is the reason and the message of the Gateway's condition.
func programmed(g *gate) (string, string) {
	for _, gateway := range g.get("gateways") {
		status, _ := gateway["status"].(map[string]any)
		conditions, _ := status["conditions"].([]any)
		for _, one := range conditions {
			condition := one.(map[string]any)
			if condition["type"] == "Programmed" {
				return condition["reason"].(string), condition["message"].(string)
			}
		}
	}
	return "", ""
}

func (g *gate) awaitProgrammed(reason, part string) {
	g.t.Helper()
	g.eventually("Programmed is "+reason, func() error {
		if got, message := programmed(g); got != reason || !strings.Contains(message, part) {
			return fmt.Errorf("Programmed is %s: %s", got, message)
		}
		return nil
	})
}

// awaitConflict waits until this is what the Gateway says of another machine that has its
// address; "" is nothing.
func (g *gate) awaitConflict(reason, part string) {
	g.t.Helper()
	g.eventually("AddressConflict is "+reason, func() error {
		for _, gateway := range g.get("gateways") {
			status, _ := gateway["status"].(map[string]any)
			told := condition(status["conditions"], "yumen.dev/AddressConflict")
			got, _ := told["reason"].(string)
			if message, _ := told["message"].(string); got != reason || !strings.Contains(message, part) {
				return fmt.Errorf("AddressConflict is %q: %s", got, message)
			}
		}
		return nil
	})
}

// counter is a metric's value, asked for at the admin socket.
func counter(g *gate, name string) string {
	g.t.Helper()
	client := http.Client{Transport: &http.Transport{Dial: func(string, string) (net.Conn, error) {
		return net.Dial("unix", g.socket)
	}}}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://admin/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\d+)$`).FindSubmatch(body)
	if found == nil {
		return ""
	}
	return string(found[1])
}

func (l *lan) routes() string {
	return l.ip("-n", l.host, "route", "show", "table", "local", "proto", "199") +
		l.ip("-n", l.host, "-6", "route", "show", "table", "local", "proto", "199")
}

func TestAnnounce(t *testing.T) {
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour, addressSix)})
	g.waitReady()
	l.answers(g, addressFour, 404)
	l.answers(g, addressSix, 404)
	g.awaitProgrammed("Programmed", "programmed")
	if neighbours := l.ip("-n", l.client, "neigh", "show"); strings.Count(neighbours, hostHardware) < 2 {
		t.Errorf("the client's neighbours: %s", neighbours)
	}
	if held := counter(g, "yumen_announced_addresses"); held != "2" {
		t.Errorf("%s addresses are announced", held)
	}

	// The link goes and comes back.
	l.ip("-n", l.host, "link", "set", "eth0", "down")
	l.ip("-n", l.host, "link", "set", "eth0", "up")
	l.answers(g, addressFour, 404)

	// Another address: the old one is given back.
	g.write("gateway.yaml", gatewayAt("10.77.0.51"))
	l.answers(g, "10.77.0.51", 404)
	g.eventually("the old addresses are gone", func() error {
		if routes := l.routes(); strings.Contains(routes, addressFour) || strings.Contains(routes, addressSix) {
			return fmt.Errorf("%s", routes)
		}
		return nil
	})
	if _, err := l.ask(addressFour, "/"); err == nil {
		t.Error("the old address still answers")
	}
	g.stop()
	if routes := l.routes(); routes != "" {
		t.Errorf("routes are left: %s", routes)
	}
}

// What a killed yumen leaves, the next one takes away.
func TestAnnounceKilled(t *testing.T) {
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour)})
	g.waitReady()
	l.answers(g, addressFour, 404)
	g.cmd.Process.Kill()
	<-g.done
	g.exit = nil
	if !strings.Contains(l.routes(), addressFour) {
		t.Fatal("nothing was left, so nothing is tested")
	}
	second := l.gate(map[string]string{"gateway.yaml": gatewayAt("10.77.0.51")})
	second.waitReady()
	l.answers(second, "10.77.0.51", 404)
	if strings.Contains(l.routes(), addressFour) {
		t.Errorf("routes are left: %s", l.routes())
	}
}

// Another machine has the address; it goes; one comes later.
func TestAnnounceRival(t *testing.T) {
	l := newLan(t)
	l.ip("-n", l.client, "addr", "add", addressFour+"/32", "dev", "eth0")
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour)})
	g.waitReady()
	g.awaitProgrammed("AddressNotUsable", "another machine has it: "+clientHardware+" on eth0")
	g.awaitConflict("AddressTaken", "another machine has it: "+clientHardware+" on eth0")
	if routes := l.routes(); routes != "" {
		t.Errorf("it was taken all the same: %s", routes)
	}
	l.ip("-n", l.client, "addr", "del", addressFour+"/32", "dev", "eth0")
	g.awaitProgrammed("Programmed", "programmed")
	g.awaitConflict("", "")
	l.answers(g, addressFour, 404)

	// A gratuitous ARP that claims it: answered, told, and not given in to.
	claim := arpFrame(1, clientHardware, addressFour, addressFour)
	if err := l.send(claim); err != nil {
		t.Fatal(err)
	}
	g.awaitConflict("AddressContested", addressFour+": another machine claims it too: "+clientHardware+" on eth0")
	g.awaitProgrammed("Programmed", "programmed")
	if conflicts := counter(g, "yumen_announce_conflicts_total"); conflicts == "" || conflicts == "0" {
		t.Errorf("conflicts: %q", conflicts)
	}
	l.answers(g, addressFour, 404)

	// Who claims it then is the one that is named.
	const other = "02:00:00:00:aa:02"
	if err := l.send(arpFrame(1, other, addressFour, addressFour)); err != nil {
		t.Fatal(err)
	}
	g.awaitConflict("AddressContested", other)
	if !strings.Contains(g.stderr(), "hardware="+other) {
		t.Error("the log does not name it")
	}
}

// Another machine claims an address on the second of two links: told as on the first. What
// bears the tag of a VLAN is of another link.
func TestAnnounceSecondLink(t *testing.T) {
	l := newLan(t)
	l.ip("link", "add", "name", "eth1", "netns", l.host, "type", "veth", "peer", "name", "eth1", "netns", l.client)
	for _, namespace := range []string{l.host, l.client} {
		l.ip("-n", namespace, "link", "set", "eth1", "up")
	}
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour)}, "--announce", "eth1")
	g.waitReady()
	l.answers(g, addressFour, 404)
	const rival = "02:00:00:00:aa:01"
	claim := arpFrame(1, rival, addressFour, addressFour)
	tagged := slices.Concat(claim[:12], []byte{0x81, 0, 0, 20}, claim[12:])
	for _, device := range []string{"eth0", "eth1"} {
		if err := l.sendOn(l.client, device, 0, tagged); err != nil {
			t.Fatal(err)
		}
	}
	l.answers(g, addressFour, 404)
	if conflicts := counter(g, "yumen_announce_conflicts_total"); conflicts != "0" {
		t.Errorf("conflicts: %q", conflicts)
	}
	if err := l.sendOn(l.client, "eth1", 0, claim); err != nil {
		t.Fatal(err)
	}
	g.awaitConflict("AddressContested", addressFour+": another machine claims it too: "+rival+" on eth1")
	g.awaitProgrammed("Programmed", "programmed")
}

func hardware(text string) []byte {
	address, err := net.ParseMAC(text)
	if err != nil {
		panic(err)
	}
	return address
}

func arpFrame(operation byte, sender, senderIP, targetIP string) []byte {
	frame := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, hardware(sender)...)
	frame = append(frame, 8, 6, 0, 1, 8, 0, 6, 4, 0, operation)
	frame = append(append(frame, hardware(sender)...), net.ParseIP(senderIP).To4()...)
	return append(append(frame, 0, 0, 0, 0, 0, 0), net.ParseIP(targetIP).To4()...)
}

// send puts frames on the link from the client's side.
func (l *lan) send(frames ...[]byte) error { return l.sendFrom(l.client, 0, frames...) }

func (l *lan) sendFrom(namespace string, pause time.Duration, frames ...[]byte) error {
	return l.sendOn(namespace, "eth0", pause, frames...)
}

func (l *lan) sendOn(namespace, name string, pause time.Duration, frames ...[]byte) error {
	return l.within(namespace, func() error {
		device, err := net.InterfaceByName(name)
		if err != nil {
			return err
		}
		fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, etherProtocols)
		if err != nil {
			return err
		}
		defer syscall.Close(fd)
		to := syscall.SockaddrLinklayer{Ifindex: device.Index, Protocol: etherProtocols}
		for _, frame := range frames {
			if err := syscall.Sendto(fd, frame, 0, &to); err != nil {
				return err
			}
			time.Sleep(pause)
		}
		return nil
	})
}

// Frames that are cut, changed or made up harm nothing and are counted.
func TestAnnounceGarbage(t *testing.T) {
	l := newLan(t)
	g := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour, addressSix)})
	g.waitReady()
	l.answers(g, addressFour, 404)
	random := rand.New(rand.NewSource(1))
	solicitation := append(append([]byte{0x33, 0x33, 0xff, 0, 0, 0x50}, hardware(clientHardware)...),
		0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 58, 255)
	solicitation = append(solicitation, net.ParseIP("fd77::1")...)
	solicitation = append(solicitation, net.ParseIP("ff02::1:ff00:50")...)
	solicitation = append(solicitation, 135, 0, 0, 0, 0, 0, 0, 0)
	solicitation = append(solicitation, net.ParseIP(addressSix)...)
	seeds := [][]byte{arpFrame(1, clientHardware, "10.77.0.1", addressFour), solicitation}
	var frames [][]byte
	for i := 0; i < 5000; i++ {
		frame := append([]byte{}, seeds[i%2]...)
		for changes := random.Intn(4); changes >= 0; changes-- {
			frame[12+random.Intn(len(frame)-12)] = byte(random.Intn(256))
		}
		if random.Intn(4) == 0 {
			frame = frame[:14+random.Intn(len(frame)-14)]
		}
		frames = append(frames, frame)
	}
	if err := l.send(frames...); err != nil {
		t.Fatal(err)
	}
	l.answers(g, addressFour, 404)
	l.answers(g, addressSix, 404)
	if malformed := counter(g, `yumen_announce_heard_total{result="malformed"}`); malformed == "" || malformed == "0" {
		t.Errorf("malformed frames: %q", malformed)
	}
}

// What --announce cannot have, it says.
func TestAnnounceRefused(t *testing.T) {
	l := newLan(t)
	first := l.gate(map[string]string{"gateway.yaml": gatewayAt(addressFour)})
	first.waitReady()
	for _, c := range []struct {
		name, want string
		before     []string
		args       []string
		exit       int
	}{
		{"another announces", "another yumen announces on this host", nil, nil, 1},
		{"no such interface", "this host has no such interface", nil, []string{"--announce", "eth7"}, 1},
		{"no Ethernet", "it is no Ethernet", nil, []string{"--announce", "lo"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.args != nil {
				first.stop()
			}
			args := []string{"netns", "exec", l.host, program(t), "run", "-f", first.dir, "--admin", "off", "--socket", first.socket + "2"}
			if c.args == nil {
				args = append(args, "--announce", "eth0")
			}
			out, err := exec.Command("ip", append(args, c.args...)...).CombinedOutput()
			exit, ok := err.(*exec.ExitError)
			if !ok || exit.ExitCode() != c.exit || !strings.Contains(string(out), c.want) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// Without privileges it serves on what the host has, and says what is missing.
func TestAnnounceUnprivileged(t *testing.T) {
	l := newLan(t)
	for capabilities, want := range map[string]string{"-all": "CAP_NET_RAW and CAP_NET_ADMIN are missing", "-net_raw": "CAP_NET_RAW is missing"} {
		g := prepare(t, 80, map[string]string{"gateway.yaml": gatewayAt(addressFour),
			"own.yaml": strings.NewReplacer("edge", "own", "80", "8080").Replace(strings.Split(gatewayAt("10.77.0.2"), "---\n")[1])})
		g.admin = "127.0.0.1:9911"
		g.inside = append([]string{"ip", "netns", "exec", l.host}, without(t, capabilities)...)
		g.launch("--announce", "eth0")
		g.waitReady()
		if !strings.Contains(g.stderr(), "--announce eth0: not announcing: "+want+";") {
			t.Errorf("it did not say what is missing: %s", g.stderr())
		}
		if err := l.within(l.client, func() error {
			conn, err := net.DialTimeout("tcp", "10.77.0.2:8080", 5*time.Second)
			if err == nil {
				conn.Close()
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		g.stop()
	}
}
