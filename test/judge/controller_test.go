// The controller against a real API server: what it reads, what it writes, and what
// becomes of both when connections, servers and leaders go.
package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const gatewayRoot = "/apis/gateway.networking.k8s.io/v1"

// relay passes connections on to the API server, until they are cut.
type relay struct {
	listener net.Listener
	target   string
	mutex    sync.Mutex
	open     map[net.Conn]bool
	away     bool
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, target: strings.TrimPrefix(world.server.base, "https://"), open: map[net.Conn]bool{}}
	t.Cleanup(func() { listener.Close(); r.cut() })
	go r.serve()
	return r
}

func (r *relay) serve() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil {
			client.Close()
			continue
		}
		r.mutex.Lock()
		if r.away {
			client.Close()
			server.Close()
		}
		r.open[client], r.open[server] = true, true
		r.mutex.Unlock()
		pass := func(to, from net.Conn) {
			_, _ = io.Copy(to, from)
			to.Close()
			from.Close()
			r.mutex.Lock()
			delete(r.open, from)
			r.mutex.Unlock()
		}
		go pass(server, client)
		go pass(client, server)
	}
}

// cut ends every connection, and returns how many there were.
func (r *relay) cut() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	count := len(r.open) / 2
	for connection := range r.open {
		connection.Close()
	}
	return count
}

func (r *relay) setAway(away bool) {
	r.mutex.Lock()
	r.away = away
	r.mutex.Unlock()
	r.cut()
}

// controller is one `yumen controller` of the API server behind a relay.
type controller struct {
	t       *testing.T
	folder  string
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

func startController(t *testing.T, r *relay, args ...string) *controller {
	t.Helper()
	folder := t.TempDir()
	program, err := filepath.Abs(yumen())
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: judge
contexts: [{name: judge, context: {cluster: judge, user: judge, namespace: default}}]
clusters:
- name: judge
  cluster: {server: "https://%s", certificate-authority: %s/ca.crt, tls-server-name: 127.0.0.1}
users:
- name: judge
  user: {client-certificate: %s/admin.crt, client-key: %s/admin.key}
`, r.listener.Addr(), world.server.folder, world.server.folder, world.server.folder)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("kubeconfig", config)
	write("tokens", "")
	ports, err := freePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	c := &controller{t: t, folder: folder, log: filepath.Join(folder, "log"), ended: make(chan struct{})}
	log, err := os.Create(c.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	c.command = exec.Command(program, append([]string{"controller", "--kubeconfig", filepath.Join(folder, "kubeconfig"),
		"--stream-listen", "127.0.0.1:" + ports[0], "--stream-authority", folder,
		"--stream-tokens", filepath.Join(folder, "tokens"), "--admin", "off",
		"--socket", filepath.Join(folder, "socket")}, args...)...)
	c.command.Stdout, c.command.Stderr = log, log
	if err := c.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.command.Wait(); close(c.ended) }()
	t.Cleanup(func() {
		c.stop(syscall.SIGTERM)
		if t.Failed() {
			text, _ := os.ReadFile(c.log)
			t.Logf("the controller said:\n%s", text)
		}
	})
	return c
}

func (c *controller) stop(signal os.Signal) {
	_ = c.command.Process.Signal(signal)
	select {
	case <-c.ended:
	case <-time.After(10 * time.Second):
		c.t.Error("the controller does not stop")
		_ = c.command.Process.Kill()
	}
}

func (c *controller) said(text string) bool {
	log, _ := os.ReadFile(c.log)
	return bytes.Contains(log, []byte(text))
}

func waitFor(t *testing.T, what string, limit time.Duration, try func() error) time.Duration {
	t.Helper()
	began := time.Now()
	for {
		err := try()
		if err == nil {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			t.Fatalf("%s, within %v: %v", what, limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func send(t *testing.T, method, path, body string, want int) object {
	t.Helper()
	kind := "application/json"
	if method == "PATCH" {
		kind = "application/merge-patch+json"
	}
	code, _, answer, err := world.server.send(method, path, kind, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if code != want {
		t.Fatalf("%s %s: %d %s", method, path, code, answer)
	}
	var o object
	_ = json.Unmarshal(answer, &o)
	return o
}

// drop removes what a test made, also what another run left.
func drop(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		_, _, _, _ = world.server.send("DELETE", path, "", nil)
	}
	for _, path := range paths {
		waitFor(t, path+" to be gone", 10*time.Second, func() error {
			code, _, _, err := world.server.send("GET", path, "", nil)
			if err == nil && code != http.StatusNotFound {
				err = fmt.Errorf("%d", code)
			}
			return err
		})
	}
}

func classOf(name, controller string) string {
	return fmt.Sprintf(`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GatewayClass","metadata":{"name":%q},`+
		`"spec":{"controllerName":%q}}`, name, controller)
}

func gatewayOf(name, class string) string {
	return fmt.Sprintf(`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"name":%q,"namespace":"default"},`+
		`"spec":{"gatewayClassName":%q,"listeners":[{"name":"http","port":8080,"protocol":"HTTP"}]}}`, name, class)
}

func routeOf(name string, parents ...string) string {
	var references []string
	for _, parent := range parents {
		references = append(references, fmt.Sprintf(`{"name":%q}`, parent))
	}
	return fmt.Sprintf(`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":%q,"namespace":"default"},`+
		`"spec":{"parentRefs":[%s],"rules":[{"backendRefs":[{"name":"nobody","port":80}]}]}}`, name, strings.Join(references, ","))
}

// conditions are "Type=Status/Reason" of a list.
func conditions(holder any) map[string]string {
	all := map[string]string{}
	list, _ := holder.(object)["conditions"].([]any)
	for _, item := range list {
		c := item.(object)
		all[c["type"].(string)] = fmt.Sprintf("%v/%v/%v", c["status"], c["reason"], c["observedGeneration"])
	}
	return all
}

func statusAt(path string) (object, object, error) {
	var o object
	if err := world.server.get(path, &o); err != nil {
		return nil, nil, err
	}
	status, _ := o["status"].(object)
	if status == nil {
		status = object{}
	}
	return o, status, nil
}

// hasCondition waits until the object says so of itself.
func hasCondition(path, kind, want string) func() error {
	return func() error {
		_, status, err := statusAt(path)
		if err != nil {
			return err
		}
		if got := conditions(status)[kind]; !strings.HasPrefix(got, want) {
			return fmt.Errorf("%s is %q, not %q", kind, got, want)
		}
		return nil
	}
}

// entryOf is the controller's entry in a route's status.
func entryOf(path, controller string) (object, error) {
	_, status, err := statusAt(path)
	if err != nil {
		return nil, err
	}
	parents, _ := status["parents"].([]any)
	for _, parent := range parents {
		if parent.(object)["controllerName"] == controller {
			return parent.(object), nil
		}
	}
	return nil, fmt.Errorf("no entry of %s in %v", controller, parents)
}

func hasEntry(path, controller, kind, want string) func() error {
	return func() error {
		entry, err := entryOf(path, controller)
		if err != nil {
			return err
		}
		if got := conditions(entry)[kind]; !strings.HasPrefix(got, want) {
			return fmt.Errorf("%s is %q, not %q", kind, got, want)
		}
		return nil
	}
}

const ours = "yumen.dev/gateway-controller"

func TestControllerWritesStatuses(t *testing.T) {
	const (
		class   = gatewayRoot + "/gatewayclasses/c-ours"
		foreign = gatewayRoot + "/gatewayclasses/c-foreign"
		gate    = gatewayRoot + "/namespaces/default/gateways/c-gate"
		strange = gatewayRoot + "/namespaces/default/gateways/c-strange"
		route   = gatewayRoot + "/namespaces/default/httproutes/c-route"
	)
	drop(t, route, strange, gate, foreign, class)
	t.Cleanup(func() { drop(t, route, strange, gate, foreign, class) })
	startController(t, newRelay(t))
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("c-ours", ours), 201)
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("c-foreign", "example.com/other"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("c-gate", "c-ours"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("c-strange", "c-foreign"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/httproutes", routeOf("c-route", "c-gate", "c-strange"), 201)
	waitFor(t, "the class to be accepted", 20*time.Second, hasCondition(class, "Accepted", "True/Accepted/1"))
	waitFor(t, "the Gateway to be accepted", 10*time.Second, hasCondition(gate, "Accepted", "True/Accepted/1"))
	waitFor(t, "the route to be accepted", 10*time.Second, hasEntry(route, ours, "Accepted", "True/Accepted/1"))
	waitFor(t, "the backend to be missed", 10*time.Second, hasEntry(route, ours, "ResolvedRefs", "False/BackendNotFound/1"))
	_, status, _ := statusAt(route)
	if parents := status["parents"].([]any); len(parents) != 1 {
		t.Errorf("entries for Gateways that are not ours: %v", parents)
	}
	// What others say stays; what is ours comes back.
	patch := `{"status":{"parents":[{"controllerName":"example.com/other","parentRef":{"name":"c-strange"},"conditions":[` +
		`{"type":"Accepted","status":"True","reason":"Accepted","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}]}}`
	send(t, "PATCH", route+"/status", patch, 200)
	waitFor(t, "our entry to come back", 10*time.Second, hasEntry(route, ours, "Accepted", "True"))
	if entry, err := entryOf(route, "example.com/other"); err != nil {
		t.Error(err)
	} else if got := conditions(entry)["Accepted"]; !strings.HasPrefix(got, "True/Accepted") {
		t.Errorf("the other's entry is %q", got)
	}
	// A change of spec is observed, and times stay where statuses do.
	before, _ := entryOf(route, ours)
	send(t, "PATCH", route, `{"spec":{"hostnames":["a.test"]}}`, 200)
	waitFor(t, "the change to be observed", 10*time.Second, hasEntry(route, ours, "Accepted", "True/Accepted/2"))
	after, _ := entryOf(route, ours)
	timeOf := func(entry object) any { return entry["conditions"].([]any)[0].(object)["lastTransitionTime"] }
	if timeOf(before) != timeOf(after) {
		t.Errorf("lastTransitionTime went from %v to %v", timeOf(before), timeOf(after))
	}
	// Foreign classes, and all that hangs on them alone, have not been written to.
	for _, path := range []string{foreign, strange} {
		o, _, err := statusAt(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range o["metadata"].(object)["managedFields"].([]any) {
			if manager := field.(object)["manager"]; manager != "Go-http-client" {
				t.Errorf("%s was written to by %v", path, manager)
			}
		}
	}
	// What leaves us has nothing of us any more.
	send(t, "PATCH", route, `{"spec":{"parentRefs":[{"name":"c-strange"}]}}`, 200)
	waitFor(t, "our entry to go", 10*time.Second, func() error {
		if _, err := entryOf(route, ours); err == nil {
			return fmt.Errorf("it is still there")
		}
		_, err := entryOf(route, "example.com/other")
		return err
	})
}

// Whatever happens to connections, what changes meanwhile is known soon after.
func TestControllerComesBack(t *testing.T) {
	const (
		class = gatewayRoot + "/gatewayclasses/b-ours"
		gate  = gatewayRoot + "/namespaces/default/gateways/b-gate"
		route = gatewayRoot + "/namespaces/default/httproutes/b-route"
	)
	drop(t, route, gate, class)
	t.Cleanup(func() { drop(t, route, gate, class) })
	r := newRelay(t)
	c := startController(t, r)
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("b-ours", ours), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("b-gate", "b-ours"), 201)
	waitFor(t, "the Gateway to be accepted", 20*time.Second, hasCondition(gate, "Accepted", "True/Accepted/1"))
	for i := range 3 {
		if count := r.cut(); count < 10 {
			t.Errorf("only %d connections were there to be cut", count)
		}
		drop(t, route)
		send(t, "POST", gatewayRoot+"/namespaces/default/httproutes", routeOf("b-route", "b-gate"), 201)
		took := waitFor(t, "a route after a cut", 10*time.Second, hasEntry(route, ours, "Accepted", "True/Accepted/1"))
		fmt.Printf("controller: all connections cut (%d): a new route is accepted after %d ms\n", i+1, took.Milliseconds())
	}
	// The API is away: what is changed meanwhile is known when it is back.
	r.setAway(true)
	send(t, "PATCH", route, `{"spec":{"hostnames":["b.test"]}}`, 200)
	waitFor(t, "the outage to be told", 5*time.Second, func() error {
		if !c.said("event=kube.down") {
			return fmt.Errorf("the log does not say it")
		}
		return nil
	})
	time.Sleep(8 * time.Second)
	r.setAway(false)
	took := waitFor(t, "the change to be observed", 10*time.Second, hasEntry(route, ours, "Accepted", "True/Accepted/2"))
	fmt.Printf("controller: 8 s without the API: a change is observed %d ms after it is back\n", took.Milliseconds())
	// A restart writes nothing: all is as it was.
	before, _, err := statusAt(route)
	if err != nil {
		t.Fatal(err)
	}
	c.stop(syscall.SIGTERM)
	again := startController(t, r)
	waitFor(t, "the next one to lead", 20*time.Second, func() error {
		if !again.said("event=kube.leads ") {
			return fmt.Errorf("it does not")
		}
		return nil
	})
	time.Sleep(4 * time.Second)
	after, _, err := statusAt(route)
	if err != nil {
		t.Fatal(err)
	}
	version := func(o object) any { return o["metadata"].(object)["resourceVersion"] }
	if version(before) != version(after) {
		t.Errorf("a restart wrote the route's status:\n%v\n%v", before["status"], after["status"])
	}
}

// Of two controllers one writes; when it is killed, the other takes over.
func TestControllerLeads(t *testing.T) {
	const (
		class = gatewayRoot + "/gatewayclasses/l-ours"
		lease = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l-lease"
	)
	drop(t, class, lease)
	t.Cleanup(func() { drop(t, class, lease) })
	leads := func(c *controller) func() error {
		return func() error {
			if !c.said("event=kube.leads ") {
				return fmt.Errorf("it does not lead")
			}
			return nil
		}
	}
	first := startController(t, newRelay(t), "--lease", "l-lease")
	waitFor(t, "the first to lead", 20*time.Second, leads(first))
	second := startController(t, newRelay(t), "--lease", "l-lease")
	time.Sleep(3 * time.Second)
	if second.said("event=kube.leads ") {
		t.Fatal("two lead")
	}
	first.stop(syscall.SIGKILL)
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("l-ours", ours), 201)
	took := waitFor(t, "the second to take over", 15*time.Second, hasCondition(class, "Accepted", "True/Accepted/1"))
	fmt.Printf("controller: leader killed: the standby's first status after %.1f s\n", took.Seconds())
	// One that stops gives the lease back.
	third := startController(t, newRelay(t), "--lease", "l-lease")
	time.Sleep(2 * time.Second)
	second.stop(syscall.SIGTERM)
	took = waitFor(t, "the third to take over", 5*time.Second, leads(third))
	fmt.Printf("controller: leader stopped: the standby leads after %.1f s\n", took.Seconds())
}

// A class of the name that yumen was told to take over, and no other.
func TestControllerTakesOver(t *testing.T) {
	const (
		envoy = "gateway.envoyproxy.io/gatewayclass-controller"
		class = gatewayRoot + "/gatewayclasses/t-envoy"
		own   = gatewayRoot + "/gatewayclasses/t-ours"
	)
	drop(t, class, own)
	t.Cleanup(func() { drop(t, class, own) })
	startController(t, newRelay(t), "--controller-name", envoy, "--lease", "t-lease")
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("t-ours", ours), 201)
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("t-envoy", envoy), 201)
	waitFor(t, "the class to be accepted", 20*time.Second, hasCondition(class, "Accepted", "True/Accepted/1"))
	if err := hasCondition(own, "Accepted", "Unknown/Pending")(); err != nil {
		t.Error("the class of another name was written to:", err)
	}
}

// Each change is one Event, and what is good from the start is none but of Gateways.
func TestControllerTellsEvents(t *testing.T) {
	const (
		class = gatewayRoot + "/gatewayclasses/e-ours"
		gate  = gatewayRoot + "/namespaces/default/gateways/e-gate"
		route = gatewayRoot + "/namespaces/default/httproutes/e-route"
	)
	drop(t, route, gate, class)
	t.Cleanup(func() { drop(t, route, gate, class) })
	startController(t, newRelay(t), "--lease", "off")
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("e-ours", ours), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("e-gate", "e-ours"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/httproutes", routeOf("e-route", "e-gate"), 201)
	events := func(name string) (found []string) {
		var list struct{ Items []object }
		if err := world.server.get("/api/v1/namespaces/default/events?limit=500", &list); err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			if item["involvedObject"].(object)["name"] == name {
				found = append(found, fmt.Sprintf("%v %v", item["type"], item["reason"]))
			}
		}
		return found
	}
	waitFor(t, "the Events", 20*time.Second, func() error {
		if got := events("e-route"); len(got) != 1 || got[0] != "Warning BackendNotFound" {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	time.Sleep(3 * time.Second)
	if got := events("e-route"); len(got) != 1 {
		t.Errorf("Events of the route: %q", got)
	}
	if got := events("e-gate"); len(got) < 2 {
		t.Errorf("Events of the Gateway: %q", got)
	}
}
