package e2e

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func yumen(t *testing.T, args ...string) (string, int) {
	t.Helper()
	out, err := exec.Command(program(t), args...).CombinedOutput()
	if exit, ok := err.(*exec.ExitError); ok {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

func TestFlags(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	rows := []struct {
		args   string
		status int
		want   string
	}{
		{"", 2, "Usage: yumen COMMAND"},
		{"--help", 0, "Usage: yumen COMMAND"},
		{"version", 0, "yumen 0."},
		{"--version", 0, "yumen 0."},
		{"help run", 0, "--access-log off|FORMAT[:FILE]"},
		{"run --help", 0, "--drain-timeout SECONDS"},
		{"help --man", 0, ".SH SYNOPSIS"},
		{"frobnicate", 2, "no command 'frobnicate'"},
		{"help frobnicate", 2, "no command"},
		{"run", 2, "run -f PATH"},
		{"run -f", 2, "a value is missing after -f"},
		{"run -f /nonexistent/yumen", 1, "/nonexistent/yumen"},
		{"run -f . --workers 0", 2, "--workers 0: a whole number from 1"},
		{"run -f . --workers x", 2, "--workers x: a whole number"},
		{"run -f . --colour", 2, "unknown flag --colour"},
		{"run -f . --admin nowhere", 2, "--admin nowhere: an address and a port are wanted"},
		{"run -f . --log-level loud", 2, "debug, info, warning or error"},
		{"run -f . --access-log xml", 2, "off, text or json is wanted"},
		{"run -f . --access-log json:/", 1, "--access-log json:/: cannot open it: is a folder"},
		{"run -f . --acess-log off", 2, "did you mean --access-log?"},
		{"run .", 2, "files and folders are named by -f: -f ."},
		{"run -f . --admin off --socket /", 1, "--socket /: what is there is no socket"},
		{"run -f . --admin off --socket /" + strings.Repeat("a", 200), 2, "longer than a socket's path may be (107 bytes)"},
		{"run -f . --admin 192.0.2.1:1 --socket " + socket, 1, "--admin 192.0.2.1:1: this host has no such address"},
		{"run -f . --admin 127.0.0.1:0", 2, "an address and a port are wanted"},
		{"run -f . --drain-timeout -1", 2, "a whole number from 0"},
		{"run -f nobody.yaml -f . --admin off --socket " + socket, 1, "path=nobody.yaml"},
		{"version x", 2, "one argument too many: x"},
		{"echo x", 2, "one argument too many: x"},
		{"echo --listen 192.0.2.1:1", 1, "cannot listen on 192.0.2.1:1"},
		{"get gatewys", 2, "did you mean gateways?"},
		{"get gateways A", 2, "'A' is no name"},
		{"get gateways --socket /", 1, "Is yumen running?"},
		{"run -f . --access-log json:/nonexistent/log", 1, "/nonexistent/log"},
		{"get", 2, "name a kind"},
		{"get frobs", 2, "no kind 'frobs'"},
		{"get gateways -o xml", 2, "table, wide, name, yaml, json, jsonpath=TEMPLATE or custom-columns="},
		{"get gateways -o jsonpath={.a[}", 2, "-o jsonpath: in brackets there is"},
		{"get gateways -o custom-columns=A:.a,B:.b..c", 2, "-o custom-columns: column B: '..' is not known here"},
		{"get proxies -f .", 2, "proxies are a running yumen's, not of files"},
		{"get proxies -o name", 2, "proxies are shown as table, yaml, json or jsonpath="},
		{"get certificates -w", 2, "certificates are not watched"},
		{"help YM9999", 2, "no problem has the code YM9999"},
		{"get gateways --socket /nonexistent.sock", 1, "Is yumen running?"},
		{"echo --listen x", 2, "an address and a port are wanted"},
	}
	for _, row := range rows {
		out, status := yumen(t, strings.Fields(row.args)...)
		if status != row.status || !strings.Contains(out, row.want) {
			t.Errorf("yumen %s: status %d, %q; want %d, %q", row.args, status, out, row.status, row.want)
		}
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	g.expect(200, "GET", "a.test", "/")
	gateways := g.get("gateways", "eg")
	if len(gateways) != 1 {
		t.Fatalf("%v", gateways)
	}
	status := gateways[0]["status"].(map[string]any)
	for _, kind := range []string{"Accepted", "Programmed"} {
		if got := condition(status["conditions"], kind); got["status"] != "True" || got["lastTransitionTime"] == nil || got["observedGeneration"] == nil {
			t.Errorf("%s: %v", kind, got)
		}
	}
	listener := status["listeners"].([]any)[0].(map[string]any)
	if listener["attachedRoutes"] != 1.0 {
		t.Errorf("listener: %v", listener)
	}
	routes := g.get("httproutes")
	parent := routes[0]["status"].(map[string]any)["parents"].([]any)[0].(map[string]any)
	for _, kind := range []string{"Accepted", "ResolvedRefs"} {
		if got := condition(parent["conditions"], kind); got["status"] != "True" {
			t.Errorf("%s: %v", kind, got)
		}
	}
	table, code := yumen(t, "get", "gateways", "--socket", g.socket)
	if code != 0 || !strings.Contains(table, "PROGRAMMED") || !strings.Contains(table, "127.0.0.1") || !strings.Contains(table, "1/1") {
		t.Errorf("%d\n%s", code, table)
	}
	text, code := yumen(t, "get", "httproutes", "app", "-n", "default", "-o", "yaml", "--socket", g.socket)
	if code != 0 || !strings.Contains(text, "kind: HTTPRoute") || !strings.Contains(text, "type: ResolvedRefs") {
		t.Errorf("%d\n%s", code, text)
	}
	if out, code := yumen(t, "get", "httproutes", "nobody", "--socket", g.socket); code != 1 || !strings.Contains(out, "there is no HTTPRoute nobody") {
		t.Errorf("%d %q", code, out)
	}
}

func condition(list any, kind string) map[string]any {
	conditions, _ := list.([]any)
	for _, one := range conditions {
		if c := one.(map[string]any); c["type"] == kind {
			return c
		}
	}
	return nil
}

// What is not there: nothing in a table, a list all the same in JSON.
func TestGetNothing(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	out, err := exec.Command(program(t), "get", "xbackends", "-o", "json", "--socket", g.socket).Output()
	var list struct{ Items []any }
	if err != nil || json.Unmarshal(out, &list) != nil || list.Items == nil || len(list.Items) > 0 {
		t.Errorf("%v %q", err, out)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	cmd := exec.Command(program(t), "get", "gateways", "--socket", g.socket)
	cmd.Stdout = full
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("nothing could be written: %v", err)
	}
}

// A second yumen on the first one's socket or address ends and says why; the first
// one stays. A socket whose yumen was killed is taken over.
func TestSecondYumen(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	dir := t.TempDir()
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"--admin", "off", "--socket", g.socket}, "another yumen answers there"},
		{[]string{"--admin", g.admin, "--socket", filepath.Join(dir, "s")}, "another program listens there"},
	} {
		out, status := yumen(t, append([]string{"run", "-f", dir}, row.args...)...)
		if status != 1 || !strings.Contains(out, row.want) {
			t.Errorf("%v: %d %s", row.args, status, out)
		}
	}
	g.get("gateways")
	g.cmd.Process.Kill()
	<-g.done
	g.exit = nil
	if _, err := os.Stat(g.socket); err != nil {
		t.Fatal("the killed one left no socket: ", err)
	}
	again := exec.Command(program(t), "run", "-f", dir, "--admin", "off", "--socket", g.socket)
	again.Stderr = os.Stderr
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { again.Process.Signal(syscall.SIGTERM); again.Wait() }()
	g.eventually("the socket answers again", func() error {
		if out, status := yumen(t, "get", "gateways", "--socket", g.socket); status != 0 {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
}

// A listener whose address cannot be bound says so and is not Programmed; what can be
// served is served.
func TestNotProgrammed(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := freePort(t)
	gateway := gatewayYAML(port, "") + fmt.Sprintf("  - {name: taken, protocol: HTTP, port: %d}\n", taken.Addr().(*net.TCPAddr).Port)
	g := start(t, port, map[string]string{
		"gateway.yaml": gateway,
		"service.yaml": serviceYAML("app", serve(t, "app").port),
		"route.yaml":   routeYAML("app", "", prefixRule("/", "app")),
	})
	g.expect(200, "GET", "a.test", "/")
	if out := g.stdout(); !strings.Contains(out, "NOT serving") || !strings.Contains(out, "address in use") {
		t.Errorf("what is not served is not told:\n%s", out)
	}
	g.eventually("the taken listener says why", func() error {
		for _, one := range g.get("gateways")[0]["status"].(map[string]any)["listeners"].([]any) {
			listener := one.(map[string]any)
			programmed := condition(listener["conditions"], "Programmed")
			want := "True"
			if listener["name"] == "taken" {
				want = "False"
			}
			if programmed["status"] != want {
				return fmt.Errorf("%v: %v", listener["name"], programmed)
			}
		}
		return nil
	})
	taken.Close()
	other := &gate{t: t, port: taken.Addr().(*net.TCPAddr).Port}
	other.eventually("it is served once the port is free", func() error {
		_, body, err := other.tryFetch("GET", "a.test", "/")
		if err != nil || body != "app" {
			return fmt.Errorf("%q %v", body, err)
		}
		return nil
	})
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	g.expect(200, "GET", "a.test", "/")
	for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/": "/metrics", "/api/v1/proxies": `"worker":1`, "/api/v1/units": "default"} {
		response, err := http.Get("http://" + g.admin + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
	// A request is counted when its answer is out, which the client may have before.
	for _, want := range []string{
		`yumen_http_requests_total{gateway="default/eg",listener="http",route_kind="HTTPRoute",route_namespace="default",route="app"`,
		"yumen_connections_accepted_total ", "process_resident_memory_bytes ", "yumen_build_info{"} {
		g.eventually("/metrics", func() error {
			if !strings.Contains(g.metrics(), want) {
				return fmt.Errorf("it lacks %s", want)
			}
			return nil
		})
	}
	request, _ := http.NewRequest("GET", "http://"+g.admin+"/metrics", nil)
	request.Host = "evil.example"
	if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != 403 {
		t.Errorf("a name that is not ours: %v %v", response, err)
	}
	if response, err := http.Post("http://"+g.admin+"/metrics", "text/plain", nil); err != nil || response.StatusCode != 405 {
		t.Errorf("POST: %v %v", response, err)
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	file := filepath.Join(t.TempDir(), "access.log")
	g := basics(t, b, "--access-log", "json:"+file)
	g.fetch("GET", "a.test", "/x?secret=1", "User-Agent: te\"st", "X-Request-Id: id-1")
	raw(t, g.address(), "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
	var lines []map[string]any
	g.eventually("two lines", func() error {
		text, err := os.ReadFile(file)
		if err != nil || strings.Count(string(text), "\n") < 2 {
			return fmt.Errorf("%q %v", text, err)
		}
		lines = nil
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			var one map[string]any
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				return fmt.Errorf("%q: %v", line, err)
			}
			lines = append(lines, one)
		}
		return nil
	})
	ok, bad := lines[0], lines[1]
	if ok["status"] == 400.0 {
		ok, bad = bad, ok
	}
	for key, want := range map[string]any{"method": "GET", "host": "a.test", "path": "/x", "status": 200.0, "request_id": "id-1",
		"user_agent": "te\"st", "listener": "http", "route": "HTTPRoute/default/app", "gateway": "default/eg"} {
		if ok[key] != want {
			t.Errorf("%s: %v, want %v (%v)", key, ok[key], want, ok)
		}
	}
	if bad["status"] != 400.0 || bad["reason"] == nil {
		t.Errorf("the malformed request: %v", bad)
	}
}

func TestAccessLogText(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "access.log")
	g := basics(t, serve(t, "app"), "--access-log", "text:"+file)
	g.fetch("GET", "a.test", "/line")
	g.eventually("a line", func() error {
		text, _ := os.ReadFile(file)
		if !strings.Contains(string(text), "/line") || !strings.Contains(string(text), "200") {
			return fmt.Errorf("%q", text)
		}
		return nil
	})
	os.Rename(file, file+".1")
	g.cmd.Process.Signal(syscall.SIGHUP)
	g.eventually("a new file after SIGHUP", func() error {
		g.fetch("GET", "a.test", "/after")
		text, _ := os.ReadFile(file)
		if !strings.Contains(string(text), "/after") {
			return fmt.Errorf("%q", text)
		}
		return nil
	})
}

// From standard input, and from JSON.
func TestStandardInput(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	port := freePort(t)
	g := prepare(t, port, nil)
	list := fmt.Sprintf(`{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":"eg"},"spec":{"gatewayClassName":"yumen","addresses":[{"value":"127.0.0.1"}],"listeners":[{"name":"http","port":%d,"protocol":"HTTP"}]}},
{"apiVersion":"v1","kind":"Service","metadata":{"name":"app"},"spec":{"ports":[{"port":80}]}},
{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"app-1","labels":{"kubernetes.io/service-name":"app"}},"addressType":"IPv4","ports":[{"port":%d}],"endpoints":[{"addresses":["127.0.0.1"]}]},
{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"app"},"spec":{"parentRefs":[{"name":"eg"}],"rules":[{"backendRefs":[{"name":"app","port":80}]}]}}]}`, port, b.port)
	g.spawnWith(strings.NewReader(list), []string{"run", "-f", "-", "--socket", g.socket, "--admin", "off", "--access-log", "off"})
	g.waitReady()
	if body := g.expect(200, "GET", "a.test", "/"); body != "app" {
		t.Errorf("%q", body)
	}
}

// The article's Gateway: 404 with no route, 200 with one, 404 again outside its match;
// its HTTPS listener waits for the Secret in another namespace and the grant.
func TestArticle(t *testing.T) {
	t.Parallel()
	port, secure := freePort(t), freePort(t)
	g := start(t, port, map[string]string{
		"class.yaml": "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata:\n  name: eg\nspec:\n  controllerName: gateway.envoyproxy.io/gatewayclass-controller\n",
		"gateway.yaml": fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: eg
  namespace: default
spec:
  gatewayClassName: eg
  listeners:
    - name: http
      protocol: HTTP
      port: %d
      allowedRoutes:
        namespaces:
          from: All
    - name: https
      protocol: HTTPS
      port: %d
      tls:
        mode: Terminate
        certificateRefs:
          - kind: Secret
            group: ""
            name: example-cert
            namespace: envoy-gateway-system
      allowedRoutes:
        namespaces:
          from: All
`, port, secure),
	})
	if response, _ := g.fetch("GET", "any.test", "/"); response.StatusCode != 404 {
		t.Errorf("no route: %d", response.StatusCode)
	}
	g.write("service.yaml", serviceYAML("app", serve(t, "app").port))
	g.write("route.yaml", routeYAML("app", "", prefixRule("/app", "app")))
	g.expect(200, "GET", "any.test", "/app/x")
	if response, _ := g.fetch("GET", "any.test", "/other"); response.StatusCode != 404 {
		t.Errorf("outside the match: %d", response.StatusCode)
	}
	listeners := g.get("gateways")[0]["status"].(map[string]any)["listeners"].([]any)
	if got := condition(listeners[1].(map[string]any)["conditions"], "ResolvedRefs"); got["reason"] != "RefNotPermitted" {
		t.Errorf("the HTTPS listener: %v", got)
	}
	authority := makePair(t, "", nil)
	pair := makePair(t, "rsa", authority, "www.example.com")
	address, config := fmt.Sprintf("127.0.0.1:%d", secure), &tls.Config{RootCAs: rootsOf(authority), ServerName: "www.example.com"}
	if _, err := shake(address, config); err == nil {
		t.Error("a handshake without the Secret")
	}
	g.write("secret.yaml", strings.Replace(pair.secret(t, "example-cert"), "namespace: default", "namespace: envoy-gateway-system", 1))
	g.write("grant.yaml", `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: certs, namespace: envoy-gateway-system}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}]
  to: [{group: "", kind: Secret}]
`)
	g.eventually("HTTPS by the Secret and the grant", func() error {
		response, body, err := ask(address, config, "www.example.com", "/app/x")
		if err != nil || response.StatusCode != 200 || body != "app" {
			return fmt.Errorf("%v %v %q", err, response, body)
		}
		return nil
	})
}

func TestEcho(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	cmd := exec.Command(program(t), "echo", "--listen", fmt.Sprintf("127.0.0.1:%d", port), "--name", "me")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	e := &gate{t: t, port: port}
	var answer struct {
		Name, Method, Path, Host string
		Headers                  [][]string
	}
	if err := json.Unmarshal([]byte(e.expect(200, "GET", "h.test", "/p?q=1", "X-A: b")), &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Name != "me" || answer.Method != "GET" || answer.Path != "/p?q=1" || answer.Host != "h.test" {
		t.Errorf("%+v", answer)
	}
	e.expect(418, "GET", "h.test", "/status/418")
	if body := e.expect(200, "GET", "h.test", "/bytes/100000"); len(body) != 100000 {
		t.Errorf("%d bytes", len(body))
	}
	response, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/", port), "text/plain", strings.NewReader("mirror"))
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); string(body) != "mirror" {
		t.Errorf("%q", body)
	}
}
