package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Every way that files change, while yumen runs.
func TestFilesAreWatched(t *testing.T) {
	t.Parallel()
	a, b := serve(t, "a"), serve(t, "b")
	port := freePort(t)
	route := func(service string) string { return routeYAML("app", "", prefixRule("/", service)) }
	g := start(t, port, map[string]string{
		"gateway.yaml":  gatewayYAML(port, ""),
		"services.yaml": serviceYAML("a", a.port) + "---\n" + serviceYAML("b", b.port),
		"route.yaml":    route("a"),
	})
	served := func(want string) {
		t.Helper()
		g.eventually("served by "+want, func() error {
			_, body, err := g.tryFetch("GET", "a.test", "/")
			if err != nil || body != want {
				return fmt.Errorf("%q %v", body, err)
			}
			return nil
		})
	}
	served("a")
	g.write("route.yaml", route("b")) // a plain write
	served("b")
	g.write(".route.yaml.swp", route("a")) // an editor: a dot file, then a rename
	if err := os.Rename(filepath.Join(g.dir, ".route.yaml.swp"), filepath.Join(g.dir, "route.yaml")); err != nil {
		t.Fatal(err)
	}
	served("a")
	g.write("route.yaml", "kind: HTTPRoute\n  bad: [indent\n") // does not parse: the last good stays
	g.eventually("the broken file is reported", func() error {
		if !strings.Contains(g.stderr(), "route.yaml:2:") {
			return fmt.Errorf("no line names route.yaml:2:")
		}
		return nil
	})
	served("a")
	g.write("other.yaml", routeYAML("other", `["other.test"]`, prefixRule("/", "b"))) // another file goes on
	g.expect(200, "GET", "other.test", "/")
	os.Remove(filepath.Join(g.dir, "other.yaml"))
	g.eventually("other.test is gone", func() error {
		if _, body, _ := g.tryFetch("GET", "other.test", "/"); body != "a" {
			return fmt.Errorf("%q", body)
		}
		return nil
	})
	g.write("route.yaml", route("b"))
	served("b")
	os.Remove(filepath.Join(g.dir, "route.yaml"))
	g.expect(404, "GET", "a.test", "/")
}

// A ConfigMap as kubelet mounts it: files are links through ..data, which is swapped.
func TestConfigMapSwap(t *testing.T) {
	t.Parallel()
	a, b := serve(t, "a"), serve(t, "b")
	port := freePort(t)
	g := prepare(t, port, nil)
	version := func(name, service string) {
		folder := filepath.Join(g.dir, "..version_"+name)
		os.Mkdir(folder, 0o755)
		text := gatewayYAML(port, "") + "---\n" + serviceYAML("a", a.port) + "---\n" + serviceYAML("b", b.port) +
			routeYAML("app", "", prefixRule("/", service))
		if err := os.WriteFile(filepath.Join(folder, "all.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		os.Symlink("..version_"+name, filepath.Join(g.dir, "..data_tmp"))
		if err := os.Rename(filepath.Join(g.dir, "..data_tmp"), filepath.Join(g.dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	version("1", "a")
	os.Symlink("..data/all.yaml", filepath.Join(g.dir, "all.yaml"))
	g.launch()
	g.waitReady()
	if body := g.expect(200, "GET", "a.test", "/"); body != "a" {
		t.Fatalf("%q", body)
	}
	version("2", "b")
	os.RemoveAll(filepath.Join(g.dir, "..version_1"))
	g.eventually("the swapped version is served", func() error {
		if _, body, err := g.tryFetch("GET", "a.test", "/"); err != nil || body != "b" {
			return fmt.Errorf("%q %v", body, err)
		}
		return nil
	})
}

// load sends keep-alive requests on n connections; each connection's answers go to a
// judge of its own, in order. It returns how many were sent; any failure fails the
// test.
func load(t *testing.T, address string, n int, requests int64, judge func() func(answer) error) (wait func() int64) {
	var sent atomic.Int64
	var group sync.WaitGroup
	for i := 0; i < n; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReaderSize(conn, 4096)
			check := judge()
			for sent.Add(1) <= requests {
				if _, err := io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n"); err != nil {
					t.Errorf("write: %v", err)
					return
				}
				got, err := readAnswer(r)
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				if err := check(got); err != nil {
					t.Errorf("%+v: %v", got, err)
					return
				}
			}
		}()
	}
	return func() int64 { group.Wait(); return min(sent.Load(), requests) }
}

type answer struct {
	status, version int // version: the field X-Version, 0 without one
	body            string
}

// readAnswer is a cheap parser of answers with a Content-Length.
func readAnswer(r *bufio.Reader) (answer, error) {
	var got answer
	line, err := r.ReadSlice('\n')
	if err != nil {
		return got, err
	}
	if len(line) < 12 {
		return got, fmt.Errorf("status line %q", line)
	}
	if got.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return got, err
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return got, err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 16 && strings.EqualFold(string(line[:15]), "content-length:") {
			length, _ = strconv.Atoi(strings.TrimSpace(string(line[15:])))
		}
		if len(line) > 11 && strings.EqualFold(string(line[:10]), "x-version:") {
			got.version, _ = strconv.Atoi(strings.TrimSpace(string(line[10:])))
		}
	}
	body := make([]byte, length)
	_, err = io.ReadFull(r, body)
	got.body = string(body)
	return got, err
}

// 1,000 edits of routes, weights and endpoints under load: nothing is lost, and
// nothing is answered otherwise than by the old or the new configuration. Each
// version of the route signs its answers: a connection, which one worker serves,
// must see versions that were written and never an older one again, and a backend
// that its version allows.
func TestChangeWithoutLoss(t *testing.T) {
	requests, edits := int64(1000000), 1000
	if slow() {
		requests, edits = 60000, 300
	}
	if testing.Short() {
		requests, edits = 50000, 100
	}
	quick := func(name string) *backend {
		return answerAll(t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"+name)
	}
	a, b, c := quick("a"), quick("b"), quick("c")
	port := freePort(t)
	allowed := []string{"ab", "c", "abc"} // by version % 3
	route := func(version int) string {
		weights := [][2]int{{1, 0}, {0, 1}, {1 + version%9, 3}}[version%3]
		return routeYAML("app", "", fmt.Sprintf(`  - matches: [{path: {type: PathPrefix, value: /}}]
    filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Version, value: "%d"}]}}]
    backendRefs: [{name: ab, port: 80, weight: %d}, {name: c, port: 80, weight: %d}]
`, version, weights[0], weights[1])) +
			routeYAML(fmt.Sprintf("extra-%d", version%7), fmt.Sprintf(`["extra-%d.test"]`, version), prefixRule("/", "c"))
	}
	service := func(i int) string {
		switch i % 3 {
		case 0:
			return serviceYAML("ab", a.port)
		case 1:
			return serviceYAML("ab", b.port)
		default:
			return serviceYAML("ab", b.port, a.port)
		}
	}
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"ab.yaml":      service(0),
		"c.yaml":       serviceYAML("c", c.port),
		"route.yaml":   route(1),
	})
	var written, seen atomic.Int64 // the newest version
	written.Store(1)
	wait := load(t, g.address(), 32, requests, func() func(answer) error {
		last := 1
		return func(got answer) error {
			switch {
			case got.status != 200:
				return fmt.Errorf("status")
			case got.version < last || got.version > int(written.Load()):
				return fmt.Errorf("want a version from %d to %d", last, written.Load())
			case got.body == "" || !strings.Contains(allowed[got.version%3], got.body):
				return fmt.Errorf("want a backend of %q", allowed[got.version%3])
			}
			last = got.version
			if old := seen.Load(); int64(last) > old {
				seen.CompareAndSwap(old, int64(last))
			}
			return nil
		}
	})
	var group sync.WaitGroup
	group.Add(1)
	applied, version := 0, 1
	finished := make(chan struct{})
	go func() {
		defer group.Done()
		for i := 1; i <= edits; i++ {
			name, text := "ab.yaml", service(i/3)
			if i%3 != 0 {
				version++
				name, text = "route.yaml", route(version)
				written.Store(int64(version))
			}
			g.write(name+".tmp", text)
			os.Rename(filepath.Join(g.dir, name+".tmp"), filepath.Join(g.dir, name))
			applied++
			select {
			case <-finished:
				if i < edits {
					t.Errorf("the load was over after %d edits", i)
				}
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	sent := wait()
	close(finished)
	group.Wait()
	t.Logf("%d requests, %d edits, %d versions of the route, the newest that an answer bore: %d", sent, applied, version, seen.Load())
	if seen.Load() < int64(version)/2 {
		t.Errorf("of %d versions answers bore no newer than %d", version, seen.Load())
	}
	g.expect(200, "GET", fmt.Sprintf("extra-%d.test", version), "/")
}

// A listener that is removed drains: open requests finish, new connections are
// refused.
func TestRemovedListenerDrains(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := serveWith(t, &backend{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-release
		}
		io.WriteString(w, "ok")
	}))
	port, other := freePort(t), freePort(t)
	gateway := gatewayYAML(port, "")
	g := start(t, port, map[string]string{
		"gateway.yaml": gateway + fmt.Sprintf("  - {name: second, protocol: HTTP, port: %d}\n", other),
		"service.yaml": serviceYAML("app", b.port),
		"route.yaml":   routeYAML("app", "", prefixRule("/", "app")),
	})
	address := fmt.Sprintf("127.0.0.1:%d", other)
	busy, idle := dial(t, address), dial(t, address)
	defer busy.Close()
	defer idle.Close()
	io.WriteString(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
	io.WriteString(idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	idleReader := bufio.NewReader(idle)
	if got, err := readAnswer(idleReader); got.status != 200 {
		t.Fatalf("%+v %v", got, err)
	}
	time.Sleep(100 * time.Millisecond)
	g.write("gateway.yaml", gateway)
	g.eventually("new connections are refused", func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return fmt.Errorf("still open")
		}
		return nil
	})
	g.expect(200, "GET", "a.test", "/")
	idle.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := idleReader.ReadByte(); err != io.EOF {
		t.Errorf("the idle connection: %v, want EOF", err)
	}
	close(release)
	busy.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer, err := io.ReadAll(busy)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.Contains(strings.ToLower(string(answer)), "connection: close") {
		t.Errorf("the open request: %q %v", answer, err)
	}
}

func TestSigtermDrains(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	b := serveWith(t, &backend{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-release
		}
		io.WriteString(w, "ok")
	}))
	g := basics(t, b)
	busy, idle := dial(t, g.address()), dial(t, g.address())
	io.WriteString(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
	io.WriteString(idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if got, err := readAnswer(bufio.NewReader(idle)); got.status != 200 {
		t.Fatalf("%+v %v", got, err)
	}
	time.Sleep(100 * time.Millisecond)
	g.cmd.Process.Signal(os.Interrupt)
	idle.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the idle connection: %v, want EOF", err)
	}
	if response, err := http.Get("http://" + g.admin + "/readyz"); err != nil || response.StatusCode != 503 {
		t.Errorf("/readyz while draining: %v %v", response, err)
	}
	select {
	case <-g.done:
		t.Error("it ended with a request open")
	case <-time.After(300 * time.Millisecond):
	}
	if conn, err := net.Dial("tcp", g.address()); err == nil {
		conn.Close()
		t.Error("a new connection was taken while draining")
	}
	close(release)
	answer, _ := io.ReadAll(busy)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.Contains(strings.ToLower(string(answer)), "connection: close") {
		t.Errorf("the open request: %q", answer)
	}
	select {
	case <-g.done:
	case <-time.After(10 * time.Second):
		t.Error("it did not end when the last request was done")
	}
}

func TestDrainDeadline(t *testing.T) {
	t.Parallel()
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		readHead(r)
		time.Sleep(time.Minute)
	})
	g := basics(t, b, "--drain-timeout", "1")
	busy := dial(t, g.address())
	defer busy.Close()
	io.WriteString(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
	time.Sleep(200 * time.Millisecond)
	g.cmd.Process.Signal(os.Interrupt)
	select {
	case <-g.done:
	case <-time.After(15 * time.Second):
		t.Error("it did not end at the deadline")
	}
}

// Killed half-way and started again: the socket of the one before does not hinder.
func TestKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	g := basics(t, b)
	again := &gate{t: t, dir: g.dir, port: g.port, socket: g.socket, admin: g.admin, done: make(chan struct{})}
	g.cmd.Process.Kill()
	<-g.done
	g.exit = nil
	again.launch()
	again.waitReady()
	again.expect(200, "GET", "a.test", "/")
	again.get("gateways")
}
