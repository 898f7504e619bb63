// Black-box tests: a yumen process, files, sockets. YUMEN names the program.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// slow is true under sanitizers: loads are smaller.
func slow() bool { return os.Getenv("YUMEN_SLOW") != "" }

func program(t testing.TB) string {
	t.Helper()
	path := os.Getenv("YUMEN")
	if path == "" {
		path = "../../build/yumen"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no yumen to test: %v (make build, or set YUMEN)", err)
	}
	return path
}

// ports are handed out below the kernel's ephemeral range, once each.
var ports struct {
	sync.Mutex
	next int
}

func freePort(t testing.TB) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = 20000 + (os.Getpid()%100)*100
	}
	for tries := 0; tries < 1000; tries++ {
		ports.next++
		if ports.next > 32000 {
			ports.next = 20000
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next))
		if err == nil {
			listener.Close()
			return ports.next
		}
	}
	t.Fatal("no free port")
	return 0
}

// gate is a running `yumen run` on a folder of files.
type gate struct {
	t      testing.TB
	cmd    *exec.Cmd
	dir    string
	port   int // of the Gateway that basics made
	socket string
	admin  string
	// inside comes before the program: what runs it elsewhere.
	inside []string
	mu     sync.Mutex
	out    bytes.Buffer
	err    bytes.Buffer
	done   chan struct{}
	exit   error
}

type lockedWriter struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

func (g *gate) stdout() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.out.String()
}

func (g *gate) stderr() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err.String()
}

// start runs yumen on files (name -> content) and waits until it is ready.
func start(t testing.TB, port int, files map[string]string, args ...string) *gate {
	t.Helper()
	g := prepare(t, port, files)
	g.launch(args...)
	g.waitReady()
	return g
}

func prepare(t testing.TB, port int, files map[string]string) *gate {
	t.Helper()
	dir := t.TempDir()
	g := &gate{t: t, dir: filepath.Join(dir, "objects"), port: port, done: make(chan struct{})}
	g.socket = filepath.Join(os.TempDir(), "yumen-e2e-"+randomHex()+".sock")
	t.Cleanup(func() { os.Remove(g.socket + ".addresses") })
	g.admin = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		g.write(name, content)
	}
	return g
}

func randomHex() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func (g *gate) launch(args ...string) {
	g.t.Helper()
	all := append([]string{"run", "-f", g.dir, "--socket", g.socket, "--admin", g.admin}, args...)
	if !contains(args, "--workers") {
		all = append(all, "--workers", "2")
	}
	if !contains(args, "--access-log") {
		all = append(all, "--access-log", "off")
	}
	g.spawn(all)
}

// spawn starts yumen with these arguments; it ends with the test.
func (g *gate) spawn(all []string) {
	g.t.Helper()
	g.spawnWith(nil, all)
}

// spawnWith is spawn with a standard input.
func (g *gate) spawnWith(input io.Reader, all []string) {
	g.t.Helper()
	all = append(append(g.inside[:len(g.inside):len(g.inside)], program(g.t)), all...)
	g.cmd = exec.Command(all[0], all[1:]...)
	g.cmd.Stdin = input
	g.cmd.Stdout = lockedWriter{&g.mu, &g.out}
	g.cmd.Stderr = lockedWriter{&g.mu, &g.err}
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	go func() {
		g.exit = g.cmd.Wait()
		close(g.done)
	}()
	g.t.Cleanup(g.stop)
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// stop ends yumen and fails the test when it did not end well: under sanitizers
// that is where leaks show.
func (g *gate) stop() {
	select {
	case <-g.done:
	default:
		g.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-g.done:
		case <-time.After(2 * time.Second):
			g.cmd.Process.Signal(syscall.SIGTERM) // the second one: at once
		}
		select {
		case <-g.done:
		case <-time.After(20 * time.Second):
			g.cmd.Process.Kill()
			<-g.done
			g.t.Errorf("yumen did not end on SIGTERM\n%s", g.stderr())
			return
		}
	}
	os.Remove(g.socket)
	if g.exit != nil {
		g.t.Errorf("yumen: %v\n%s", g.exit, g.stderr())
	}
}

func (g *gate) waitReady() {
	g.t.Helper()
	g.eventually("ready", func() error {
		select {
		case <-g.done:
			g.t.Fatalf("yumen ended: %v\n%s\n%s", g.exit, g.stdout(), g.stderr())
		default:
		}
		if !strings.Contains(g.stdout(), "ready in") {
			return fmt.Errorf("no ready line yet: %s%s", g.stdout(), g.stderr())
		}
		return nil
	})
}

// eventually tries until it works; yumen itself needs milliseconds, the machine
// under load may need more.
func (g *gate) eventually(what string, try func() error) {
	g.t.Helper()
	var err error
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if err = try(); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	g.t.Fatalf("%s: %v\n%s", what, err, g.stderr())
}

func (g *gate) write(name, content string) {
	g.t.Helper()
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gate) address() string { return fmt.Sprintf("127.0.0.1:%d", g.port) }

// get runs `yumen get ... -o json` and returns the items.
func (g *gate) get(args ...string) []map[string]any {
	g.t.Helper()
	all := append([]string{"get"}, args...)
	all = append(all, "-o", "json", "--socket", g.socket)
	out, err := exec.Command(program(g.t), all...).Output()
	if err != nil {
		g.t.Fatalf("yumen get %v: %v", args, err)
	}
	var list struct {
		Kind  string
		Items []map[string]any
	}
	var one map[string]any
	if err := json.Unmarshal(out, &list); err != nil {
		g.t.Fatalf("yumen get %v: %v\n%s", args, err, out)
	}
	if list.Kind == "List" {
		return list.Items
	}
	// Who names one gets that one.
	if err := json.Unmarshal(out, &one); err != nil {
		g.t.Fatal(err)
	}
	return []map[string]any{one}
}

// metrics returns the text of /metrics.
func (g *gate) metrics() string {
	g.t.Helper()
	response, err := http.Get("http://" + g.admin + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(body)
}

// client dials the gate's address whatever the URL's host says.
func (g *gate) client() *http.Client {
	return clientTo(g.address())
}

func clientTo(address string) *http.Client {
	return &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			Dial: func(network, _ string) (net.Conn, error) {
				return net.Dial(network, address)
			},
			DisableCompression:  true,
			MaxIdleConnsPerHost: 64,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetch is one request by path and host; headers as "Name: value". What explain says of
// it is held against the answer.
func (g *gate) fetch(method, host, path string, headers ...string) (*http.Response, string) {
	g.t.Helper()
	response, body, err := g.tryFetch(method, host, path, headers...)
	if err != nil {
		g.t.Fatalf("%s %s%s: %v", method, host, path, err)
	}
	if head, err := httputil.DumpRequestOut(response.Request.Clone(context.Background()), false); err != nil {
		g.t.Error(err)
	} else {
		g.explained(string(head), response)
	}
	return response, body
}

func (g *gate) tryFetch(method, host, path string, headers ...string) (*http.Response, string, error) {
	client := g.client()
	defer client.CloseIdleConnections()
	request, err := http.NewRequest(method, "http://"+host+path, nil)
	if err != nil {
		return nil, "", err
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Add(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

// expect fetches until the status is wanted.
func (g *gate) expect(status int, method, host, path string, headers ...string) string {
	g.t.Helper()
	var text string
	g.eventually(fmt.Sprintf("%s %s%s: %d", method, host, path, status), func() error {
		response, body, err := g.tryFetch(method, host, path, headers...)
		if err != nil {
			return err
		}
		if response.StatusCode != status {
			return fmt.Errorf("status %d (%s)", response.StatusCode, response.Header.Get("Proxy-Status"))
		}
		text = body
		return nil
	})
	return text
}

// raw sends bytes on a new connection and reads until the end or the time is over.
func raw(t testing.TB, address, send string) string {
	t.Helper()
	conn := dial(t, address)
	defer conn.Close()
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer, err := io.ReadAll(conn)
	if err != nil && len(answer) == 0 {
		t.Fatalf("%q: %v", send, err)
	}
	return string(answer)
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// backend is a server of the test that notes what it was asked.
type backend struct {
	port int
	name string
	mu   sync.Mutex
	seen []*seenRequest
	hits int
}

type seenRequest struct {
	Method, Target, Host string
	Header               http.Header
	Body                 []byte
	Trailer              http.Header
}

func (b *backend) last(t testing.TB) *seenRequest {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) == 0 {
		t.Fatalf("backend %s saw no request", b.name)
	}
	return b.seen[len(b.seen)-1]
}

func (b *backend) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hits
}

// serve starts an HTTP backend that answers with its name.
func serve(t testing.TB, name string) *backend {
	b := &backend{name: name}
	return serveWith(t, b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		b.hits++
		if b.hits < 1000 {
			b.seen = append(b.seen, &seenRequest{r.Method, r.RequestURI, r.Host, r.Header.Clone(), body, r.Trailer.Clone()})
		}
		b.mu.Unlock()
		w.Header().Set("X-Backend", name)
		io.WriteString(w, name)
	}))
}

func serveWith(t testing.TB, b *backend, handler http.Handler) *backend {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.port = listener.Addr().(*net.TCPAddr).Port
	server := &http.Server{Handler: handler, DisableGeneralOptionsHandler: true}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return b
}

// script serves each connection by fn, which speaks raw bytes.
func script(t testing.TB, fn func(conn net.Conn, r *bufio.Reader)) *backend {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fn(conn, bufio.NewReader(conn))
			}()
		}
	}()
	return &backend{port: listener.Addr().(*net.TCPAddr).Port}
}

// readHead reads up to the empty line.
func readHead(r *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return head.String(), err
		}
		head.WriteString(line)
		if line == "\r\n" {
			return head.String(), nil
		}
	}
}

// answerAll answers every request (without bodies) with the same bytes.
func answerAll(t testing.TB, answer string) *backend {
	return script(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
	})
}

// Objects as YAML.

func gatewayYAML(port int, hostname string) string {
	text := fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: eg}
spec: {controllerName: yumen.dev/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: eg, namespace: default}
spec:
  gatewayClassName: eg
  addresses: [{type: IPAddress, value: 127.0.0.1}]
  listeners:
  - {name: http, protocol: HTTP, port: %d`, port)
	if hostname != "" {
		text += fmt.Sprintf(", hostname: %q", hostname)
	}
	return text + "}\n"
}

func serviceYAML(name string, ports ...int) string {
	text := fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: %s, namespace: default}
spec: {ports: [{name: http, port: 80, protocol: TCP}]}
`, name)
	for i, port := range ports {
		text += sliceYAML(fmt.Sprintf("%s-%d", name, i), name, port, "ready: true")
	}
	return text
}

func sliceYAML(name, service string, port int, conditions string) string {
	return fmt.Sprintf(`---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s, namespace: default, labels: {kubernetes.io/service-name: %s}}
addressType: IPv4
ports: [{name: http, port: %d, protocol: TCP}]
endpoints: [{addresses: ["127.0.0.1"], conditions: {%s}}]
`, name, service, port, conditions)
}

// routeYAML is an HTTPRoute at the Gateway eg; rules is YAML in flow or block form
// indented by two.
func routeYAML(name, hostnames, rules string) string {
	text := fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: %s, namespace: default}
spec:
  parentRefs: [{name: eg}]
`, name)
	if hostnames != "" {
		text += "  hostnames: " + hostnames + "\n"
	}
	return text + "  rules:\n" + rules
}

func prefixRule(path, service string) string {
	return fmt.Sprintf("  - matches: [{path: {type: PathPrefix, value: %q}}]\n    backendRefs: [{name: %s, port: 80}]\n", path, service)
}

// basics is a gate with one route of everything to one backend.
func basics(t testing.TB, b *backend, args ...string) *gate {
	t.Helper()
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"service.yaml": serviceYAML("app", b.port),
		"route.yaml":   routeYAML("app", "", prefixRule("/", "app")),
	}, args...)
	return g
}
