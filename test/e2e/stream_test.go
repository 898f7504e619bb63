package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A controller from files, and its proxies.
type fleet struct {
	t          testing.TB
	dir        string // objects, authority, tokens
	streamPort int
	controller *gate
}

// twoGateways are web and other, each on a port of its own, with routes to app and
// to spare; both use the service shared.
func twoGateways(web, other, app, spare, shared int) map[string]string {
	gateway := func(name string, port int) string {
		return fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: %s, namespace: default}
spec:
  gatewayClassName: eg
  addresses: [{type: IPAddress, value: 127.0.0.1}]
  listeners: [{name: http, protocol: HTTP, port: %d}]
`, name, port)
	}
	return map[string]string{
		"class.yaml": "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: eg}\n" +
			"spec: {controllerName: yumen.dev/gateway-controller}\n",
		"web.yaml":      gateway("web", web),
		"other.yaml":    gateway("other", other),
		"services.yaml": serviceYAML("app", app) + "---\n" + serviceYAML("spare", spare) + "---\n" + serviceYAML("shared", shared),
		"r-web.yaml":    routeAt("web", prefixRule("/", "app")+prefixRule("/shared", "shared")),
		"r-other.yaml":  routeAt("other", prefixRule("/", "spare")+prefixRule("/shared", "shared")),
	}
}

func routeAt(gateway, rules string) string {
	return strings.Replace(routeYAML("at-"+gateway, "", rules), "{name: eg}", "{name: "+gateway+"}", 1)
}

func startFleet(t testing.TB, files map[string]string) *fleet {
	t.Helper()
	f := &fleet{t: t, dir: t.TempDir(), streamPort: freePort(t)}
	if err := os.Mkdir(f.path("objects"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		f.write("objects/"+name, content)
	}
	f.write("tokens", "# who may\nsecret-web default/web\nsecret-other\tdefault/other\n")
	f.write("secret-web", "secret-web\n")
	f.write("secret-other", "secret-other")
	f.write("secret-none", "secret-nobody")
	f.startController()
	return f
}

func (f *fleet) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fleet) write(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) member(port int) *gate {
	return &gate{t: f.t, dir: f.dir, port: port, done: make(chan struct{}),
		socket: filepath.Join(os.TempDir(), "yumen-e2e-"+randomHex()+".sock"),
		admin:  fmt.Sprintf("127.0.0.1:%d", freePort(f.t))}
}

func (f *fleet) startController() {
	f.t.Helper()
	c := f.member(0)
	c.spawn([]string{"controller", "-f", f.path("objects"), "--socket", c.socket, "--admin", c.admin,
		"--stream-listen", fmt.Sprintf("127.0.0.1:%d", f.streamPort),
		"--stream-authority", f.path("authority"), "--stream-tokens", f.path("tokens")})
	c.eventually("the controller is ready", c.tryReady)
	f.controller = c
}

// proxy starts one of a Gateway; more are further flags.
func (f *fleet) proxy(gateway, name string, port int, more ...string) *gate {
	f.t.Helper()
	p := f.member(port)
	args := []string{"proxy", "--controller", fmt.Sprintf("localhost:%d", f.streamPort), "--gateway", "default/" + gateway,
		"--name", name, "--socket", p.socket, "--admin", p.admin, "--workers", "2", "--access-log", "off"}
	if !contains(more, "--ca") {
		args = append(args, "--ca", f.path("authority/ca.pem"))
	}
	if !contains(more, "--token-file") {
		args = append(args, "--token-file", f.path("secret-"+gateway))
	}
	p.spawn(append(args, more...))
	return p
}

func (g *gate) tryReady() error {
	select {
	case <-g.done:
		g.t.Fatalf("yumen ended: %v\n%s", g.exit, g.stderr())
	default:
	}
	response, err := http.Get("http://" + g.admin + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		body, _ := io.ReadAll(response.Body)
		return fmt.Errorf("/readyz: %d %s", response.StatusCode, body)
	}
	return nil
}

func (g *gate) kill() {
	g.t.Helper()
	g.cmd.Process.Kill()
	<-g.done
	g.exit = nil
}

// says fetches a path until the body is want.
func (g *gate) says(path, want string) {
	g.t.Helper()
	g.eventually(path+" says "+want, func() error {
		_, body, err := g.tryFetch("GET", "a.test", path)
		if err != nil || body != want {
			return fmt.Errorf("%q %v", body, err)
		}
		return nil
	})
}

// metric is the value of a line without labels.
func (g *gate) metric(name string) int64 {
	g.t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\d+)$`).FindStringSubmatch(g.metrics())
	if found == nil {
		g.t.Fatalf("no %s in /metrics", name)
	}
	n, _ := strconv.ParseInt(found[1], 10, 64)
	return n
}

type streamPeer struct {
	Gateway, Name, Generation string
	Ready, Current            bool
}

func (f *fleet) peers() (list []streamPeer) {
	f.t.Helper()
	response, err := http.Get("http://" + f.controller.admin + "/api/v1/proxies")
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	var page struct{ Proxies []streamPeer }
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		f.t.Fatal(err)
	}
	return page.Proxies
}

// current waits until so many proxies serve what they were told last.
func (f *fleet) current(n int) {
	f.t.Helper()
	f.controller.eventually(fmt.Sprintf("%d current proxies", n), func() error {
		count := 0
		for _, peer := range f.peers() {
			if peer.Current {
				count++
			}
		}
		if count != n {
			return fmt.Errorf("%d: %v", count, f.peers())
		}
		return nil
	})
}

// programmed waits for the condition of a Gateway; message is a part of it.
func (f *fleet) programmed(gateway, status, message string) {
	f.t.Helper()
	f.controller.eventually(gateway+" is Programmed="+status, func() error {
		for _, item := range f.controller.get("gateway", gateway) {
			text, _ := json.Marshal(item["status"])
			var parsed struct {
				Conditions []struct{ Type, Status, Message string }
			}
			json.Unmarshal(text, &parsed)
			for _, c := range parsed.Conditions {
				if c.Type == "Programmed" && c.Status == status && strings.Contains(c.Message, message) {
					return nil
				}
			}
			return fmt.Errorf("%s", text)
		}
		return fmt.Errorf("no Gateway")
	})
}

func (g *gate) units() string {
	g.t.Helper()
	response, err := http.Get("http://" + g.admin + "/api/v1/units")
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// Each proxy gets its own Gateway's units and no other's; statuses wait for it.
func TestStreamGivesEachItsOwn(t *testing.T) {
	t.Parallel()
	app, spare, shared := serve(t, "app"), serve(t, "spare"), serve(t, "shared")
	web, other := freePort(t), freePort(t)
	f := startFleet(t, twoGateways(web, other, app.port, spare.port, shared.port))
	f.programmed("web", "False", "no proxy of this Gateway is connected")
	a := f.proxy("web", "web-1", web)
	b := f.proxy("other", "other-1", other)
	a.says("/", "app")
	a.says("/shared", "shared")
	b.says("/", "spare")
	b.says("/shared", "shared")
	f.current(2)
	f.programmed("web", "True", "")
	f.programmed("other", "True", "")
	for _, c := range []struct {
		g          *gate
		has, lacks string
	}{{a, "service/default/app", "spare"}, {b, "service/default/spare", "default/app"}} {
		units := c.g.units()
		if !strings.Contains(units, c.has) || strings.Contains(units, c.lacks) {
			t.Errorf("wants %s, not %s:\n%s", c.has, c.lacks, units)
		}
	}
	// A change of one Gateway costs its own size, and nothing at the other.
	f.settle(a)
	sentA, sentB := a.metric("yumen_stream_received_bytes_total"), b.metric("yumen_stream_received_bytes_total")
	f.write("objects/r-web.yaml", routeAt("web", prefixRule("/", "app")+prefixRule("/shared", "shared")+prefixRule("/new", "shared")))
	a.says("/new", "shared")
	f.current(2)
	sentA, sentB = a.metric("yumen_stream_received_bytes_total")-sentA, b.metric("yumen_stream_received_bytes_total")-sentB
	t.Logf("one route edited: %d bytes to its proxy, %d to the other", sentA, sentB)
	if sentA > 1024 || sentB > 64 {
		t.Errorf("%d and %d bytes for one small route", sentA, sentB)
	}
	// A unit that both use goes to both.
	f.write("objects/services.yaml", serviceYAML("app", app.port)+"---\n"+serviceYAML("spare", spare.port)+"---\n"+serviceYAML("shared", app.port))
	a.says("/shared", "app")
	b.says("/shared", "app")
	// What the port is taken for is told by the proxy that could not have it.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f.write("objects/web.yaml", strings.Replace(twoGateways(web, other, 1, 1, 1)["web.yaml"], fmt.Sprintf("port: %d", web),
		fmt.Sprintf("port: %d", taken.Addr().(*net.TCPAddr).Port), 1))
	f.programmed("web", "False", "")
}

// The keys of session tickets are the Gateway's: who comes to another of its proxies,
// or to one that was started anew, is known there; no other Gateway's proxy has them.
func TestStreamTickets(t *testing.T) {
	t.Parallel()
	app := serve(t, "app")
	authority := makePair(t, "", nil)
	web, other := freePort(t), freePort(t)
	files := twoGateways(web, other, app.port, app.port, app.port)
	for _, name := range []string{"web", "other"} {
		files[name+".yaml"] = strings.Replace(files[name+".yaml"], "protocol: HTTP,",
			"protocol: HTTPS, tls: {certificateRefs: [{name: s}]},", 1)
	}
	files["secret.yaml"] = makePair(t, "", authority, "a.example").secret(t, "s")
	f := startFleet(t, files)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example", MaxVersion: version,
			ClientSessionCache: tls.NewLRUClientSessionCache(8)}
		for i := 0; i < 2; i++ {
			p := f.proxy("web", fmt.Sprintf("web-%d", i), web)
			p.eventually("it is ready", p.tryReady)
			if units := p.units(); !strings.Contains(units, "tickets/default/web") || strings.Contains(units, "tickets/default/other") {
				t.Errorf("whose tickets?\n%s", units)
			}
			conn, err := shake(fmt.Sprintf("127.0.0.1:%d", web), config)
			if err != nil {
				t.Fatal(err)
			}
			if response, _, err := over(conn, "a.example", "/"); err != nil || response.StatusCode != 200 {
				t.Fatal(response, err)
			}
			if resumed := conn.ConnectionState().DidResume; resumed != (i > 0) {
				t.Errorf("%x, proxy %d: resumed %v", version, i, resumed)
			}
			conn.Close()
			p.kill()
		}
	}
}

// settle waits until nothing more comes.
func (f *fleet) settle(g *gate) {
	f.t.Helper()
	last := int64(-1)
	g.eventually("nothing more comes", func() error {
		now := g.metric("yumen_stream_received_bytes_total")
		if now != last {
			last = now
			time.Sleep(50 * time.Millisecond)
			return fmt.Errorf("%d bytes", now)
		}
		return nil
	})
}

// Traffic flows while routes change, the controller is killed and comes back, and a
// second proxy comes and goes: not one request is lost.
func TestStreamLosesNothing(t *testing.T) {
	t.Parallel()
	app, spare, shared := serve(t, "app"), serve(t, "spare"), serve(t, "shared")
	web, other := freePort(t), freePort(t)
	files := twoGateways(web, other, app.port, spare.port, shared.port)
	var many strings.Builder
	for i := 0; i < 300; i++ {
		many.WriteString(strings.Replace(routeAt("web", prefixRule(fmt.Sprintf("/n%d", i), "app")), "at-web", fmt.Sprintf("n%d", i), 1))
	}
	files["many.yaml"] = many.String()
	f := startFleet(t, files)
	a := f.proxy("web", "web-1", web)
	a.says("/", "app")
	f.current(1)
	whole := a.metric("yumen_stream_received_bytes_total")
	var stop atomic.Bool
	var done = make(chan int)
	go func() {
		count := 0
		client := a.client()
		for !stop.Load() {
			response, err := client.Get("http://a.test/x")
			if err != nil {
				t.Errorf("request %d: %v", count, err)
				break
			}
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode != 200 {
				t.Errorf("request %d: %s", count, response.Status)
				break
			}
			count++
		}
		client.CloseIdleConnections()
		done <- count
	}()
	edit := func(to string) {
		f.write("objects/r-web.yaml", routeAt("web", prefixRule("/", "app")+prefixRule("/edited", to)))
		a.says("/edited", to)
	}
	edit("shared")
	edit("app")
	f.controller.kill()
	f.write("objects/r-web.yaml", routeAt("web", prefixRule("/", "app")+prefixRule("/edited", "shared")))
	if err := a.tryReady(); err != nil {
		t.Error(err)
	}
	before := a.metric("yumen_stream_received_bytes_total")
	f.startController()
	a.says("/edited", "shared")
	f.current(1)
	again := a.metric("yumen_stream_received_bytes_total") - before
	t.Logf("300 routes: %d bytes at first, %d to catch up with one edited while away", whole, again)
	if again > whole/20 {
		t.Errorf("%d bytes to catch up, %d at first", again, whole)
	}
	f.programmed("web", "True", "")
	f.controller.kill()
	before = a.metric("yumen_stream_received_bytes_total")
	f.startController()
	f.current(1)
	if same := a.metric("yumen_stream_received_bytes_total") - before; same > 256 {
		t.Errorf("%d bytes though nothing changed", same)
	}
	stop.Store(true)
	t.Logf("%d requests", <-done)
}

// A restarted proxy serves from its copy without a controller; a new one is not ready.
func TestStreamCopy(t *testing.T) {
	t.Parallel()
	app, spare, shared := serve(t, "app"), serve(t, "spare"), serve(t, "shared")
	web, other := freePort(t), freePort(t)
	f := startFleet(t, twoGateways(web, other, app.port, spare.port, shared.port))
	a := f.proxy("web", "web-1", web, "--copy", f.path("copy"))
	a.says("/", "app")
	f.write("objects/r-web.yaml", routeAt("web", prefixRule("/", "shared")))
	a.says("/", "shared")
	f.current(1)
	if facts, err := os.Stat(f.path("copy")); err != nil || facts.Mode().Perm() != 0o600 {
		t.Fatalf("copy: %v %v", facts, err)
	}
	f.controller.kill()
	a.kill()
	fresh := f.proxy("other", "other-1", other, "--copy", f.path("copy-other"))
	a = f.proxy("web", "web-1", web, "--copy", f.path("copy"))
	a.says("/", "shared")
	a.eventually("ready from its copy", a.tryReady)
	if err := fresh.tryReady(); err == nil {
		t.Error("a new proxy without a controller is ready")
	}
	// A copy of another Gateway is not taken, nor is one that is spoilt.
	a.kill()
	content, err := os.ReadFile(f.path("copy"))
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	f.write("copy", string(content))
	a = f.proxy("web", "web-1", web, "--copy", f.path("copy"))
	a.eventually("the copy is refused", func() error {
		if !strings.Contains(a.stderr(), "copy.unusable") {
			return fmt.Errorf("not told")
		}
		return nil
	})
	if err := a.tryReady(); err == nil {
		t.Error("ready from a spoilt copy")
	}
	f.startController()
	a.says("/", "shared")
	fresh.says("/", "spare")
	fresh.eventually("ready", fresh.tryReady)
}

// Who cannot prove itself gets nothing, and does no harm.
func TestStreamStrangers(t *testing.T) {
	t.Parallel()
	app, spare, shared := serve(t, "app"), serve(t, "spare"), serve(t, "shared")
	web, other := freePort(t), freePort(t)
	f := startFleet(t, twoGateways(web, other, app.port, spare.port, shared.port))
	foreign := startFleet(t, map[string]string{"class.yaml": twoGateways(1, 1, 1, 1, 1)["class.yaml"]})
	told := func(g *gate, what string) {
		t.Helper()
		g.eventually("says "+what, func() error {
			if !strings.Contains(g.stderr(), what) {
				return fmt.Errorf("not told: %s", g.stderr())
			}
			return nil
		})
		if err := g.tryReady(); err == nil {
			t.Error("ready")
		}
		g.stop()
	}
	told(f.proxy("web", "thief", web, "--token-file", f.path("secret-none")), "the token is not known")
	told(f.proxy("web", "thief", web, "--token-file", f.path("secret-other")), "another Gateway")
	told(f.proxy("web", "thief", web, "--token-file", f.path("nowhere")), "not found")
	told(f.proxy("web", "lost", web, "--ca", foreign.path("authority/ca.pem")), "stream.down")
	told(f.proxy("web", "lost", web, "--server-name", "elsewhere.test"), "stream.down")

	address := fmt.Sprintf("127.0.0.1:%d", f.streamPort)
	raw := func(bytes []byte) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		conn.Write(bytes)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	raw([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	raw(bytes.Repeat([]byte{0xff}, 100000))
	s := f.dialStream()
	s.conn.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	s.ended()
	s = f.dialStream()
	s.send(0x8005, field(1, "service/default/a"), field(2, "x")) // a put, before hello
	s.ended()
	// A flood of connections that say nothing: a proxy comes through all the same.
	for i := 0; i < 600; i++ {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	a := f.proxy("web", "web-1", web)
	a.says("/", "app")
	f.current(1)
}

// Statuses wait for all proxies of their Gateway, and name those that are late.
func TestStreamLaggards(t *testing.T) {
	t.Parallel()
	app, spare, shared := serve(t, "app"), serve(t, "spare"), serve(t, "shared")
	web, other := freePort(t), freePort(t)
	f := startFleet(t, twoGateways(web, other, app.port, spare.port, shared.port))
	b := f.proxy("other", "other-1", other)
	// A proxy that is ready once, and then confirms nothing more.
	s := f.dialStream()
	s.hello("default/web", "secret-web", "slow-1")
	generation := s.untilCommit()
	s.send(0x8008, field(1, generation))
	f.programmed("web", "True", "")
	f.write("objects/web.yaml", twoGateways(freePort(t), other, 1, 1, 1)["web.yaml"])
	generation = s.untilCommit()
	f.programmed("web", "False", "proxy slow-1 does not serve it yet")
	// The other Gateway waits for nobody.
	f.write("objects/r-other.yaml", routeAt("other", prefixRule("/", "shared")))
	b.says("/", "shared")
	f.programmed("other", "True", "")
	s.send(0x8008, field(1, generation))
	f.programmed("web", "True", "")
}

// What a proxy says of another Gateway's units is not believed.
func TestStreamForeignReport(t *testing.T) {
	t.Parallel()
	app, spare, shared := serve(t, "app"), serve(t, "spare"), serve(t, "shared")
	web, other := freePort(t), freePort(t)
	f := startFleet(t, twoGateways(web, other, app.port, spare.port, shared.port))
	f.proxy("other", "other-1", other)
	s := f.dialStream()
	s.hello("default/web", "secret-web", "liar")
	s.send(0x8008, field(1, s.untilCommit()))
	f.programmed("web", "True", "")
	f.programmed("other", "True", "")
	s.send(10, field(1, "listener/default/other/http"), field(2, "in_use"), field(3, "a lie"))
	s.send(9, field(1, "listener/default/other/http"), field(2, "invalid"), field(3, "a lie"))
	// What is its own comes after: when that is seen, so would the lie be.
	s.send(10, field(1, "listener/default/web/http"), field(2, "in_use"), field(3, "a truth"))
	f.programmed("web", "False", "a truth")
	f.programmed("other", "True", "")
}

// One minor version apart, either way: what is not known is passed over.
func TestStreamVersionSkew(t *testing.T) {
	t.Parallel()
	app, spare, shared := serve(t, "app"), serve(t, "spare"), serve(t, "shared")
	web, other := freePort(t), freePort(t)
	f := startFleet(t, twoGateways(web, other, app.port, spare.port, shared.port))
	// A newer proxy: an unknown field and an unknown message.
	s := f.dialStream()
	s.send(0x8001, append(helloFields("default/web", "secret-web", "newer"), field(77, "news"))...)
	s.send(0x0123, field(1, "a message that nobody knows"))
	generation := s.untilCommit()
	s.send(0x8008, field(1, generation), field(50, "more"))
	f.programmed("web", "True", "")
	s.conn.Close()
	// An older one, which does not know services: it gets none, and is whole.
	s = f.dialStream()
	older := helloFields("default/web", "secret-web", "older")
	older[len(older)-1] = list(7, "listener", "route")
	s.send(0x8001, older...)
	names := s.namesUntilCommit()
	if len(names) != 2 || strings.Contains(strings.Join(names, " "), "service/") {
		t.Errorf("an older proxy got %v", names)
	}
	s.conn.Close()
	// A critical message, and another major version.
	s = f.dialStream()
	s.hello("default/web", "secret-web", "newest")
	s.untilCommit()
	s.send(0x8123, field(1, "without this nothing makes sense"))
	s.ended()
	s = f.dialStream()
	s.send(0x8001, number(1, 2, true), field(4, "default/web"), field(6, "secret-web"))
	if why := s.bye(); !strings.Contains(why, "another protocol") {
		t.Errorf("bye: %q", why)
	}
}

// ---- the stream, by hand ----

type handStream struct {
	f    *fleet
	conn net.Conn
}

func (f *fleet) dialStream() *handStream {
	f.t.Helper()
	pem, err := os.ReadFile(f.path("authority/ca.pem"))
	if err != nil {
		f.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", f.streamPort), &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err != nil {
		f.t.Fatal(err)
	}
	if v := conn.ConnectionState().Version; v != tls.VersionTLS13 {
		f.t.Errorf("TLS version %x", v)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	f.t.Cleanup(func() { conn.Close() })
	return &handStream{f, conn}
}

func varint(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func block(b []byte) []byte { return append(varint(uint64(len(b))), b...) }

// Fields of records: wire/record_binary.h.
func field(id int, text string) []byte { return append(varint(uint64(id)<<4), block([]byte(text))...) }

func number(id int, n uint64, critical bool) []byte {
	tag := uint64(id)<<4 | 1<<1
	if critical {
		tag |= 1
	}
	return append(varint(tag), varint(n*2)...)
}

func list(id int, texts ...string) []byte {
	content := varint(uint64(len(texts)))
	for _, text := range texts {
		content = append(content, block([]byte(text))...)
	}
	return append(varint(uint64(id)<<4|4<<1), block(content)...)
}

func helloFields(gateway, token, name string) [][]byte {
	return [][]byte{number(1, 1, true), number(2, 1, false), field(3, "0.2.0"), field(4, gateway), field(5, name), field(6, token),
		list(7, "listener", "route", "service", "endpoints", "external", "certificate", "authority", "telepathy")}
}

func (s *handStream) send(kind uint16, fields ...[]byte) {
	record := bytes.Join(fields, nil)
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(record)+2))
	frame = binary.BigEndian.AppendUint16(frame, kind)
	if _, err := s.conn.Write(append(frame, record...)); err != nil {
		s.f.t.Fatal(err)
	}
}

func (s *handStream) hello(gateway, token, name string) {
	s.send(0x8001, helloFields(gateway, token, name)...)
}

func (s *handStream) take() (uint16, []byte, error) {
	var head [6]byte
	if _, err := io.ReadFull(s.conn, head[:]); err != nil {
		return 0, nil, err
	}
	record := make([]byte, binary.BigEndian.Uint32(head[:])-2)
	_, err := io.ReadFull(s.conn, record)
	return binary.BigEndian.Uint16(head[4:]), record, err
}

// texts are a record's fields of text by number; numbers are passed over.
func texts(record []byte) map[uint64]string {
	out := map[uint64]string{}
	for len(record) > 0 {
		tag, n := binary.Uvarint(record)
		record = record[n:]
		length, n := binary.Uvarint(record)
		record = record[n:]
		if tag>>1&7 == 1 || tag>>1&7 == 2 {
			continue
		}
		out[tag>>4] = string(record[:length])
		record = record[length:]
	}
	return out
}

func (s *handStream) namesUntilCommit() (names []string) {
	s.f.t.Helper()
	for {
		kind, record, err := s.take()
		if err != nil {
			s.f.t.Fatalf("no commit: %v", err)
		}
		switch kind {
		case 0x8005:
			names = append(names, texts(record)[1])
		case 0x8007:
			return names
		}
	}
}

func (s *handStream) untilCommit() string {
	s.f.t.Helper()
	for {
		kind, record, err := s.take()
		if err != nil {
			s.f.t.Fatalf("no commit: %v", err)
		}
		if kind == 0x8007 {
			return texts(record)[1]
		}
	}
}

// bye waits for the last message.
func (s *handStream) bye() string {
	s.f.t.Helper()
	for {
		kind, record, err := s.take()
		if err != nil {
			s.f.t.Fatalf("no bye: %v", err)
		}
		if kind == 12 {
			return texts(record)[2]
		}
	}
}

// ended waits until the other end has closed.
func (s *handStream) ended() {
	s.f.t.Helper()
	for {
		if _, _, err := s.take(); err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				s.f.t.Error("the stream goes on")
			}
			s.conn.Close()
			return
		}
	}
}
