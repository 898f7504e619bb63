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
