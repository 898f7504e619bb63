// The controller against a real API server: what it reads, what it writes, and what
// becomes of both when connections, servers and leaders go.
package judge

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
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
func (r *relay) count() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.open) / 2
}

func (r *relay) cut() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for connection := range r.open {
		connection.Close()
	}
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
	port    string // where proxies connect to
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

// startController starts one that makes no proxies: authority and tokens are files.
func startController(t *testing.T, r *relay, args ...string) *controller {
	t.Helper()
	folder := t.TempDir()
	return startIn(t, r, folder, append([]string{"--stream-authority", folder,
		"--stream-tokens", filepath.Join(folder, "tokens")}, args...)...)
}

func startIn(t *testing.T, r *relay, folder string, args ...string) *controller {
	t.Helper()
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
	c := &controller{t: t, folder: folder, port: ports[0], log: filepath.Join(folder, "log"), ended: make(chan struct{})}
	log, err := os.Create(c.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if !slices.Contains(args, "--kubeconfig") {
		args = append(args, "--kubeconfig", filepath.Join(folder, "kubeconfig"))
	}
	c.command = exec.Command(program, append([]string{"controller",
		"--stream-listen", "127.0.0.1:" + c.port, "--admin", "off",
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
		killed := c.command.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if !killed && !c.command.ProcessState.Success() {
			c.t.Errorf("the controller ended with %v", c.command.ProcessState)
		}
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
		waitFor(t, "the connections to be there again", 20*time.Second, func() error {
			if count := r.count(); count < 10 {
				return fmt.Errorf("there are %d", count)
			}
			return nil
		})
		r.cut()
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
		for _, event := range eventsOf(t, name) {
			found = append(found, strings.SplitN(event, ": ", 2)[0])
		}
		return found
	}
	waitFor(t, "the Events", 20*time.Second, func() error {
		if got := events("e-route"); len(got) != 1 || got[0] != "Warning BackendNotFound" {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	// No proxy is there to wait for; who has just come to lead waits for them.
	waitFor(t, "the Events of the Gateway", 20*time.Second, func() error {
		if got := events("e-gate"); len(got) < 2 {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	time.Sleep(3 * time.Second)
	if got := events("e-route"); len(got) != 1 {
		t.Errorf("Events of the route: %q", got)
	}
	got := events("e-gate")
	slices.Sort(got)
	if repeated := len(got) - len(slices.Compact(slices.Clone(got))); repeated > 0 {
		t.Errorf("Events of the Gateway: %q", got)
	}
}

// eventsOf are the Events that yumen wrote of an object of namespace default: "Type Reason: message".
func eventsOf(t *testing.T, name string) (found []string) {
	t.Helper()
	var list struct{ Items []object }
	if err := world.server.get("/api/v1/namespaces/default/events?limit=500", &list); err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		// The API server's own repairs tell of Services as well.
		if !strings.HasPrefix(fmt.Sprint(item["reportingComponent"]), "yumen.dev/") {
			continue
		}
		if about := item["involvedObject"].(object); about["name"] == name && about["uid"] != "" {
			found = append(found, fmt.Sprintf("%v %v: %v", item["type"], item["reason"], item["message"]))
		}
	}
	return found
}

// Credentials as kubeconfigs have them: each proves who we are, or it is said why not.
func TestControllerProvesItself(t *testing.T) {
	var answer struct{ Status struct{ Token string } }
	send(t, "POST", "/api/v1/namespaces/default/serviceaccounts", `{"metadata":{"name":"p-yumen"}}`, 201)
	t.Cleanup(func() { drop(t, "/api/v1/namespaces/default/serviceaccounts/p-yumen") })
	code, _, body, err := world.server.send("POST", "/api/v1/namespaces/default/serviceaccounts/p-yumen/token",
		"application/json", []byte(`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}`))
	if err != nil || code != 201 {
		t.Fatalf("%d %v %s", code, err, body)
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(world.server.folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	credential := func(status object) string {
		text, err := json.Marshal(object{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write("token", answer.Status.Token+"\n")
	write("token.json", credential(object{"token": answer.Status.Token, "expirationTimestamp": "2099-01-01T00:00:00Z"}))
	write("pair.json", credential(object{"clientCertificateData": read("admin.crt"), "clientKeyData": read("admin.key")}))
	plugin := write("plugin", "#!/bin/sh\ncase $KUBERNETES_EXEC_INFO in *ExecCredential*) exec cat \"$FILE\";; esac\nexit 1\n")
	encoded := base64.StdEncoding.EncodeToString([]byte(read("ca.crt")))
	good := fmt.Sprintf("certificate-authority-data: %s, tls-server-name: 127.0.0.1", encoded)
	other, err := newAuthority(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct{ name, cluster, user, want string }{
		{"a token in a file", good, "tokenFile: " + filepath.Join(folder, "token"), "event=kube.read"},
		{"a token", good, "token: " + answer.Status.Token, "event=kube.read"},
		{"a plugin's token", good, "exec: {command: " + plugin + ", env: [{name: FILE, value: " +
			filepath.Join(folder, "token.json") + "}]}", "event=kube.read"},
		{"a plugin's certificate", good, "exec: {command: " + plugin + ", env: [{name: FILE, value: " +
			filepath.Join(folder, "pair.json") + "}]}", "event=kube.read"},
		{"a plugin that fails", good, "exec: {command: " + plugin + ", env: [{name: FILE, value: /nowhere}]}", "event=kube.plugin_failed"},
		{"a wrong token", good, "token: nonsense", "event=kube.kind_denied"},
		{"another authority", "certificate-authority: " + other.path("ca.crt") + ", tls-server-name: 127.0.0.1",
			"token: " + answer.Status.Token, "of no authority that is believed"},
		{"another name", "certificate-authority-data: " + encoded + ", tls-server-name: other.test",
			"token: " + answer.Status.Token, "has no name that it must have"},
	} {
		r := newRelay(t)
		config := write("config", fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a,
contexts: [{name: a, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: "https://%s", %s}}],
users: [{name: u, user: {%s}}]}`, r.listener.Addr(), one.cluster, one.user))
		c := startController(t, r, "--kubeconfig", config, "--lease", "off")
		waitFor(t, one.name, 15*time.Second, func() error {
			if !c.said(one.want) {
				return fmt.Errorf("the log has no %q", one.want)
			}
			return nil
		})
		c.stop(syscall.SIGTERM)
	}
}

// A kind whose CRD comes later is taken up then.
func TestControllerTakesUpCRDs(t *testing.T) {
	const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	k := world.known["gateway.networking.x-k8s.io/v1alpha1 XBackend"]
	if k == nil {
		t.Fatal("no XBackend")
	}
	drop(t, path+"/xbackends.gateway.networking.x-k8s.io")
	c := startController(t, newRelay(t), "--lease", "off")
	said := func(text string) func() error {
		return func() error {
			if !c.said(text) {
				return fmt.Errorf("the log has no %q", text)
			}
			return nil
		}
	}
	waitFor(t, "the missing kind to be told", 15*time.Second, said("event=kube.kind_missing kind=XBackend"))
	waitFor(t, "the others to be read", 15*time.Second, said("event=kube.read"))
	if err := world.server.install([]kind{*k}); err != nil {
		t.Fatal(err)
	}
	took := waitFor(t, "the kind to be taken up", 20*time.Second, said("event=kube.kind_found kind=XBackend"))
	fmt.Printf("controller: a CRD that comes later is taken up after %.1f s\n", took.Seconds())
}

// The API server ends and another one begins where it was.
func TestControllerOutlivesTheServer(t *testing.T) {
	const class = gatewayRoot + "/gatewayclasses/r-ours"
	drop(t, class)
	t.Cleanup(func() { drop(t, class) })
	c := startController(t, newRelay(t), "--lease", "off")
	waitFor(t, "all to be read", 20*time.Second, func() error {
		if !c.said("event=kube.read") {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	if err := world.server.restart(); err != nil {
		t.Fatal(err)
	}
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("r-ours", ours), 201)
	took := waitFor(t, "a class after a restart", 30*time.Second, hasCondition(class, "Accepted", "True/Accepted/1"))
	fmt.Printf("controller: API server restarted: a class made after it is accepted after %d ms\n", took.Milliseconds())
	if c.said("event=kube.kind_missing kind=Gateway ") {
		t.Error("the kinds of an API server that starts were taken for gone")
	}
}

// What the controller needs for JUDGE_ROUTES routes and twice as many endpoints; it
// takes minutes, most of them the API server's.
func TestControllerSize(t *testing.T) {
	routes, _ := strconv.Atoi(os.Getenv("JUDGE_ROUTES"))
	if routes == 0 {
		t.Skip("JUDGE_ROUTES says how many routes there shall be")
	}
	const (
		class    = gatewayRoot + "/gatewayclasses/s-ours"
		gate     = gatewayRoot + "/namespaces/default/gateways/s-gate"
		services = 500
	)
	drop(t, gate, class)
	t.Cleanup(func() { drop(t, gate, class) })
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("s-ours", ours), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("s-gate", "s-ours"), 201)
	make := func(path string, count int, body func(i int) string) {
		var group sync.WaitGroup
		for worker := range 8 {
			group.Add(1)
			go func() {
				defer group.Done()
				for i := worker; i < count; i += 8 {
					code, _, answer, err := world.server.send("POST", path, "application/json", []byte(body(i)))
					if err != nil || code != 201 {
						t.Errorf("POST %s: %d %v %s", path, code, err, answer)
						return
					}
				}
			}()
		}
		group.Wait()
	}
	began := time.Now()
	make("/api/v1/namespaces/default/services", services, func(i int) string {
		return fmt.Sprintf(`{"metadata":{"name":"s-%d"},"spec":{"ports":[{"port":80}]}}`, i)
	})
	make("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", routes*2/100, func(i int) string {
		var endpoints []string
		for j := range 100 {
			endpoints = append(endpoints, fmt.Sprintf(`{"addresses":["10.%d.%d.%d"],"conditions":{"ready":true},"nodeName":"node-%d",`+
				`"targetRef":{"kind":"Pod","namespace":"default","name":"s-%d-%d","uid":"4a4b8f3e-0000-4000-8000-%012d"}}`,
				i/250, i%250, j, j%20, i, j, i*100+j))
		}
		return fmt.Sprintf(`{"metadata":{"name":"s-%d","labels":{"kubernetes.io/service-name":"s-%d"}},"addressType":"IPv4",`+
			`"ports":[{"name":"","port":8080}],"endpoints":[%s]}`, i, i%services, strings.Join(endpoints, ","))
	})
	make(gatewayRoot+"/namespaces/default/httproutes", routes, func(i int) string {
		return fmt.Sprintf(`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"s-%d"},`+
			`"spec":{"parentRefs":[{"name":"s-gate"}],"hostnames":["h%d.test"],"rules":[{"matches":[{"path":{"value":"/p"}}],`+
			`"backendRefs":[{"name":"s-%d","port":80}]}]}}`, i, i, i%services)
	})
	fmt.Printf("controller: %d routes and %d endpoints made in %.0f s\n", routes, routes*2, time.Since(began).Seconds())
	c := startController(t, newRelay(t), "--lease", "off")
	took := waitFor(t, "all to be read", 5*time.Minute, func() error {
		if !c.said("event=kube.read") {
			return fmt.Errorf("it is not")
		}
		return nil
	})
	read := c.memory()
	log, _ := os.ReadFile(c.log)
	if found := regexp.MustCompile(`objects=(\d+)`).FindSubmatch(log); found == nil {
		t.Error("the log does not say how many")
	} else if count, _ := strconv.Atoi(string(found[1])); count < routes {
		t.Errorf("%d objects for %d routes", count, routes)
	}
	time.Sleep(30 * time.Second)
	now := c.memory()
	fmt.Printf("controller: read in %.1f s; at that time %s; 30 s later, writing statuses, %s\n", took.Seconds(), read, now)
	// One in a hundred speaks for all: whichever is written last is near one of them.
	written := 0
	took = waitFor(t, "all statuses to be written", time.Duration(routes)*50*time.Millisecond, func() error {
		for ; written < routes; written += 100 {
			_, _, answer, err := world.server.send("GET",
				fmt.Sprintf("%s/namespaces/default/httproutes/s-%d", gatewayRoot, written), "", nil)
			if err != nil || !strings.Contains(string(answer), `"parents":[{`) {
				return fmt.Errorf("s-%d has none (%v)", written, err)
			}
		}
		return nil
	})
	fmt.Printf("controller: all statuses written %.0f s after that; then %s\n", took.Seconds(), c.memory())
}

// memory is what the kernel counts.
func (c *controller) memory() string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.command.Process.Pid))
	var found []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "VmHWM:") || strings.HasPrefix(line, "RssAnon:") {
			found = append(found, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(found, ", ")
}

const deployed = "../../deploy/yumen.yaml"

// permissions are what deploy/yumen.yaml lets the controller do: "verb group/resource".
func permissions(t *testing.T, s *server) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(deployed)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, document := range strings.Split(string(text), "\n---\n") {
		var o object
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatal(err)
		}
		path := map[string]string{
			"Namespace":          "/api/v1/namespaces",
			"ServiceAccount":     "/api/v1/namespaces/yumen-system/serviceaccounts",
			"ClusterRole":        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
			"ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
			"Role":               "/apis/rbac.authorization.k8s.io/v1/namespaces/yumen-system/roles",
			"RoleBinding":        "/apis/rbac.authorization.k8s.io/v1/namespaces/yumen-system/rolebindings",
		}[o["kind"].(string)]
		if path == "" {
			continue
		}
		body, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		code, _, answer, err := s.send("POST", path, "application/json", body)
		if err != nil || code != 201 {
			t.Fatalf("POST %s: %d %v %s", path, code, err, answer)
		}
		rules, _ := o["rules"].([]any)
		for _, rule := range rules {
			for _, group := range rule.(object)["apiGroups"].([]any) {
				for _, resource := range rule.(object)["resources"].([]any) {
					for _, verb := range rule.(object)["verbs"].([]any) {
						all[fmt.Sprintf("%v %v/%v", verb, group, resource)] = true
					}
				}
			}
		}
	}
	return all
}

// used is what the API server's audit log says that the controller did, and what of
// it was forbidden.
func used(t *testing.T, path string) (did map[string]bool, forbidden []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	did = map[string]bool{}
	for _, line := range bytes.Split(text, []byte("\n")) {
		var event struct {
			Verb           string
			User           struct{ Username string }
			ObjectRef      struct{ Resource, APIGroup, Subresource string }
			ResponseStatus struct{ Code int }
		}
		if json.Unmarshal(line, &event) != nil || event.User.Username != "system:serviceaccount:yumen-system:yumen-controller" {
			continue
		}
		resource := event.ObjectRef.Resource
		if event.ObjectRef.Subresource != "" {
			resource += "/" + event.ObjectRef.Subresource
		}
		what := fmt.Sprintf("%s %s/%s", event.Verb, event.ObjectRef.APIGroup, resource)
		did[what] = true
		// A server-side apply that makes an object must be allowed to create it.
		if event.Verb == "patch" && event.ResponseStatus.Code == 201 {
			did["create"+strings.TrimPrefix(what, "patch")] = true
		}
		if event.ResponseStatus.Code == 403 || event.ResponseStatus.Code == 401 {
			forbidden = append(forbidden, what)
		}
	}
	return did, forbidden
}

// The roles of deploy/yumen.yaml list what the controller does, and nothing else.
func TestControllerRoles(t *testing.T) {
	folder := t.TempDir()
	policy := filepath.Join(folder, "policy.yaml")
	audit := filepath.Join(folder, "audit.log")
	text := "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n" +
		"rules: [{level: Metadata}]\n"
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	kube, err := kubeProgram()
	if err != nil {
		t.Fatal(err)
	}
	s, err := startServer(kube, folder, "--authorization-mode=RBAC", "--audit-policy-file="+policy,
		"--audit-log-path="+audit, "--audit-log-mode=blocking", "--runtime-config=certificates.k8s.io/v1beta1=true",
		"--feature-gates=ClusterTrustBundle=true")
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	var custom []kind
	for _, k := range world.kinds {
		for _, group := range []string{"gateway.networking.", "gateway.envoyproxy.io", "metallb.io"} {
			if k.crd != nil && strings.HasPrefix(k.group, group) {
				custom = append(custom, k)
			}
		}
	}
	statuses, err := kindsOf(filepath.Join(world.folders[metalLB], "config/crd/bases/metallb.io_servicel2statuses.yaml"))
	if err == nil {
		err = s.install(append(custom, statuses...))
	}
	if err != nil {
		t.Fatal(err)
	}
	may := permissions(t, s)
	post := func(path, body string) []byte {
		t.Helper()
		code, _, answer, err := s.send("POST", path, "application/json", []byte(body))
		if err != nil || code != 201 {
			t.Fatalf("POST %s: %d %v %s", path, code, err, answer)
		}
		return answer
	}
	var token struct{ Status struct{ Token string } }
	answer := post("/api/v1/namespaces/yumen-system/serviceaccounts/yumen-controller/token",
		`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}`)
	if err := json.Unmarshal(answer, &token); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(folder, "kubeconfig")
	text = fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a,
contexts: [{name: a, context: {cluster: c, user: u, namespace: yumen-system}}],
clusters: [{name: c, cluster: {server: %q, certificate-authority: %s/ca.crt}}],
users: [{name: u, user: {token: %q}}]}`, s.base, folder, token.Status.Token)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// One object of each kind whose status is written.
	post(gatewayRoot+"/gatewayclasses", classOf("ours", ours))
	post(gatewayRoot+"/namespaces/default/gateways", gatewayOf("gate", "ours"))
	spec := func(kind, spec string) string {
		return fmt.Sprintf(`{"apiVersion":"gateway.networking.k8s.io/v1","kind":%q,"metadata":{"name":"x"},"spec":%s}`, kind, spec)
	}
	post(gatewayRoot+"/namespaces/default/listenersets", spec("ListenerSet",
		`{"parentRef":{"name":"gate"},"listeners":[{"name":"a","port":81,"protocol":"HTTP"}]}`))
	const parents = `"parentRefs":[{"name":"gate"}]`
	backend := `{"backendRefs":[{"name":"nobody","port":80}]}`
	for kind, rest := range map[string]string{
		"HTTPRoute": `,"rules":[` + backend + `]`,
		"GRPCRoute": `,"rules":[` + backend + `]`,
		"TLSRoute":  `,"hostnames":["a.test"],"rules":[` + backend + `]`,
		"TCPRoute":  `,"rules":[` + backend + `]`,
		"UDPRoute":  `,"rules":[` + backend + `]`,
	} {
		post(gatewayRoot+"/namespaces/default/"+strings.ToLower(kind)+"s", spec(kind, "{"+parents+rest+"}"))
	}
	post("/api/v1/namespaces/default/services", `{"metadata":{"name":"nobody"},"spec":{"ports":[{"port":80}]}}`)
	post("/api/v1/namespaces/default/services",
		`{"metadata":{"name":"balanced"},"spec":{"type":"LoadBalancer","loadBalancerClass":"yumen.dev/lb","ports":[{"port":80}]}}`)
	post(gatewayRoot+"/namespaces/default/backendtlspolicies", spec("BackendTLSPolicy",
		`{"targetRefs":[{"group":"","kind":"Service","name":"nobody"}],"validation":{"hostname":"a.test","wellKnownCACertificates":"System"}}`))
	// What is made for a Gateway, with an address of a pool; it goes with the Gateway.
	post("/api/v1/namespaces", `{"metadata":{"name":"metallb-system"}}`)
	post("/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools",
		`{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":"x"},"spec":{"addresses":["192.0.2.0/24"]}}`)
	post("/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements",
		`{"apiVersion":"metallb.io/v1beta1","kind":"L2Advertisement","metadata":{"name":"x"}}`)
	for name, parameters := range map[string]string{"x": fleetParameters, "y": daemonParameters} {
		post("/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/envoyproxies", parameters)
		post(gatewayRoot+"/namespaces/default/gateways", strings.Replace(gatewayOf("gone-"+name, "ours"), `"listeners"`, `"infrastructure":`+
			`{"parametersRef":{"group":"gateway.envoyproxy.io","kind":"EnvoyProxy","name":"`+name+`"}},"listeners"`, 1))
	}
	stream := "/api/v1/namespaces/yumen-system/secrets/yumen-stream"
	first := startIn(t, newRelay(t), t.TempDir(), "--kubeconfig", config)
	var secret struct{ Data map[string][]byte }
	waitFor(t, "the stream's Secret", 20*time.Second, func() error { return s.get(stream, &secret) })
	waitFor(t, "what is made", 20*time.Second, func() error {
		return s.get("/apis/policy/v1/namespaces/default/poddisruptionbudgets/gone-x-ours", &object{})
	})
	authority := filepath.Join(folder, "stream.pem")
	if err := os.WriteFile(authority, secret.Data["ca.pem"], 0o600); err != nil {
		t.Fatal(err)
	}
	startStranger(t, first, authority)
	waitFor(t, "the review of a token", 20*time.Second, func() error {
		if did, _ := used(t, audit); !did["create authentication.k8s.io/tokenreviews"] {
			return fmt.Errorf("none")
		}
		return nil
	})
	// A node that announces the Service's address, and then does not.
	if os.Geteuid() == 0 {
		kill := startAnnouncer(t, s, first, authority)
		const l2 = " metallb.io/servicel2statuses"
		doing := func(what string) func() error {
			return func() error {
				if did, _ := used(t, audit); !did[what] {
					return fmt.Errorf("no %s", what)
				}
				return nil
			}
		}
		waitFor(t, "ServiceL2Status", 30*time.Second, doing("patch"+l2+"/status"))
		kill()
		waitFor(t, "none of them", 30*time.Second, doing("delete"+l2))
	} else {
		for what := range may {
			if strings.Contains(what, "servicel2statuses") {
				delete(may, what)
			}
		}
		fmt.Println("controller: only root can announce addresses: what it may do with ServiceL2Status is not looked at")
	}
	first.stop(syscall.SIGTERM)
	// One whose seeds are of long ago is renewed.
	code, _, told, err := s.send("PATCH", stream, "application/merge-patch+json", []byte(`{"data":{"tickets":""}}`))
	if err != nil || code != 200 {
		t.Fatalf("%d %v %s", code, err, told)
	}
	for _, name := range []string{"gone-x", "gone-y"} {
		code, _, told, err = s.send("DELETE", gatewayRoot+"/namespaces/default/gateways/"+name, "", nil)
		if err != nil || code != 200 {
			t.Fatalf("%d %v %s", code, err, told)
		}
	}
	startIn(t, newRelay(t), t.TempDir(), "--kubeconfig", config)
	waitFor(t, "all that it may do to be done", 40*time.Second, func() error {
		var unused []string
		did, forbidden := used(t, audit)
		if len(forbidden) > 0 {
			t.Fatalf("forbidden: %q", forbidden)
		}
		for what := range may {
			if !did[what] {
				unused = append(unused, what)
			}
		}
		if len(unused) > 0 {
			return fmt.Errorf("unused: %q", unused)
		}
		return nil
	})
	fmt.Printf("controller: %d permissions, each used, none missing\n", len(may))
}

// proxyOf starts a Gateway's proxy, which the controller's tokens must know.
func (c *controller) proxyOf(gateway string) {
	c.t.Helper()
	program, err := filepath.Abs(yumen())
	if err != nil {
		c.t.Fatal(err)
	}
	token := filepath.Join(c.folder, "token-"+gateway)
	if err := os.WriteFile(token, []byte("secret-"+gateway), 0o600); err != nil {
		c.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(c.folder, "log-"+gateway))
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	command := exec.Command(program, "proxy", "--controller", "localhost:"+c.port, "--gateway", "default/"+gateway,
		"--ca", filepath.Join(c.folder, "ca.pem"), "--token-file", token, "--admin", "off", "--workers", "1",
		"--socket", filepath.Join(c.folder, "socket-"+gateway))
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
}

// addressesOf is what a Gateway's status says it has.
func addressesOf(path string) (string, error) {
	_, status, err := statusAt(path)
	if err != nil {
		return "", err
	}
	var all []string
	list, _ := status["addresses"].([]any)
	for _, item := range list {
		all = append(all, fmt.Sprintf("%v %v", item.(object)["type"], item.(object)["value"]))
	}
	return strings.Join(all, ", "), nil
}

func hasAddresses(path, want string) func() error {
	return func() error {
		got, err := addressesOf(path)
		if err == nil && got != want {
			err = fmt.Errorf("addresses %q, not %q", got, want)
		}
		return err
	}
}

// Addresses come out of pools, into the status once they are served, and stay where
// they are while controllers come and go.
func TestControllerGivesAddresses(t *testing.T) {
	const (
		class    = gatewayRoot + "/gatewayclasses/a-ours"
		gateways = gatewayRoot + "/namespaces/default/gateways"
		pools    = "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools"
		rogues   = "/apis/metallb.io/v1beta1/namespaces/kube-public/ipaddresspools"
		services = "/api/v1/namespaces/default/services"
		service  = `{"metadata":{"name":%q},"spec":{"type":"LoadBalancer","loadBalancerClass":%q,"ports":[{"port":80}]}}`
		pool     = `{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":%q},"spec":{"addresses":[%q]}}`
	)
	all := []string{gateways + "/a-one", gateways + "/a-two", gateways + "/a-zero", gateways + "/a-static",
		services + "/a-service", services + "/a-foreign", services + "/a-refused", services + "/a-plain", pools + "/a-pool", rogues + "/a-rogue", class}
	drop(t, all...)
	t.Cleanup(func() { drop(t, all...) })
	_, _, _, _ = world.server.send("POST", "/api/v1/namespaces", "application/json", []byte(`{"metadata":{"name":"metallb-system"}}`))
	names := []string{"a-one", "a-two", "a-zero", "a-static"}
	// Their proxies listen on all addresses of one host.
	ports, err := freePorts(len(names))
	if err != nil {
		t.Fatal(err)
	}
	gatewayOf := func(name, class string) string {
		return strings.Replace(gatewayOf(name, class), "8080", ports[slices.Index(names, name)], 1)
	}
	r := newRelay(t)
	c := startController(t, r, "--lease", "off", "--services-without-class")
	var tokens string
	for _, name := range names {
		tokens += "secret-" + name + " default/" + name + "\n"
	}
	if err := os.WriteFile(filepath.Join(c.folder, "tokens"), []byte(tokens), 0o600); err != nil {
		t.Fatal(err)
	}
	send(t, "POST", class[:strings.LastIndex(class, "/")], classOf("a-ours", ours), 201)
	send(t, "POST", gateways, gatewayOf("a-one", "a-ours"), 201)
	waitFor(t, "no pool to be told", 10*time.Second,
		hasCondition(gateways+"/a-one", "Programmed", "False/AddressNotAssigned"))
	// One whose namespace nobody trusts is none.
	send(t, "POST", rogues, fmt.Sprintf(pool, "a-rogue", "10.78.0.0/24"), 201)
	send(t, "POST", pools, fmt.Sprintf(pool, "a-pool", "10.77.0.0/29"), 201)
	waitFor(t, "the proxy to be missing", 10*time.Second,
		hasCondition(gateways+"/a-one", "Programmed", "False/Pending"))
	if err := hasAddresses(gateways+"/a-one", "")(); err != nil {
		t.Errorf("nobody serves it: %v", err)
	}
	for _, name := range names {
		c.proxyOf(name)
	}
	waitFor(t, "an address", 10*time.Second, hasAddresses(gateways+"/a-one", "IPAddress 10.77.0.0"))
	waitFor(t, "Programmed", 10*time.Second, hasCondition(gateways+"/a-one", "Programmed", "True/Programmed"))
	send(t, "POST", gateways, gatewayOf("a-two", "a-ours"), 201)
	waitFor(t, "the next one", 10*time.Second, hasAddresses(gateways+"/a-two", "IPAddress 10.77.0.1"))
	pooled := func(want string) func() error {
		return func() error {
			_, status, err := statusAt(pools + "/a-pool")
			if got, _ := json.Marshal(status); err == nil && string(got) != want {
				err = fmt.Errorf("%s", got)
			}
			return err
		}
	}
	waitFor(t, "the pool's status", 10*time.Second,
		pooled(`{"assignedIPv4":2,"assignedIPv6":0,"availableIPv4":6,"availableIPv6":0}`))
	if _, status, err := statusAt(rogues + "/a-rogue"); err != nil || len(status) > 0 {
		t.Errorf("of a pool that does not count: %v %v", status, err)
	}
	// As GatewayStaticAddresses of the conformance suite has it.
	static := strings.Replace(gatewayOf("a-static", "a-ours"), `"listeners"`,
		`"addresses":[{"type":"test/fake-invalid-type","value":"fake address teehee!"},{"value":"10.78.0.1"},{"value":"10.77.0.5"}],"listeners"`, 1)
	send(t, "POST", gateways, static, 201)
	waitFor(t, "the type to be refused", 10*time.Second,
		hasCondition(gateways+"/a-static", "Accepted", "False/UnsupportedAddress/1"))
	send(t, "PATCH", gateways+"/a-static", `{"spec":{"addresses":[{"value":"10.78.0.1"},{"value":"10.77.0.5"}]}}`, 200)
	waitFor(t, "the address to be refused", 10*time.Second,
		hasCondition(gateways+"/a-static", "Programmed", "False/AddressNotUsable/2"))
	waitFor(t, "it to be accepted", 10*time.Second, hasCondition(gateways+"/a-static", "Accepted", "True/Accepted/2"))
	send(t, "PATCH", gateways+"/a-static", `{"spec":{"addresses":[{"value":"10.77.0.5"}]}}`, 200)
	waitFor(t, "it to be programmed", 10*time.Second, hasCondition(gateways+"/a-static", "Programmed", "True/Programmed/3"))
	if err := hasAddresses(gateways+"/a-static", "IPAddress 10.77.0.5")(); err != nil {
		t.Error(err)
	}
	// Services of our class get theirs of the same pools; others' are let alone.
	send(t, "POST", services, fmt.Sprintf(service, "a-foreign", "example.com/lb"), 201)
	foreign := `{"status":{"loadBalancer":{"ingress":[{"ip":"10.9.9.9"}]},"conditions":[{"type":"Theirs","status":"True","reason":"A","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`
	send(t, "PATCH", services+"/a-foreign/status", foreign, 200)
	send(t, "POST", services, fmt.Sprintf(service, "a-service", "yumen.dev/lb"), 201)
	ingress := func(name, want, condition string) func() error {
		return func() error {
			_, status, err := statusAt(services + "/" + name)
			if err != nil {
				return err
			}
			got, _ := json.Marshal(status["loadBalancer"])
			if string(got) != want || !strings.HasPrefix(conditions(status)[condition], "True/") {
				return fmt.Errorf("%s, conditions %v", got, conditions(status))
			}
			return nil
		}
	}
	const mine = "yumen.dev/AddressesAssigned"
	waitFor(t, "the Service's address", 10*time.Second,
		ingress("a-service", `{"ingress":[{"ip":"10.77.0.2","ipMode":"VIP"}]}`, mine))
	// Events say so as MetalLB's do.
	told := func(name, want string) func() error {
		return func() error {
			if got := eventsOf(t, name); len(got) != 1 || got[0] != want {
				return fmt.Errorf("%q", got)
			}
			return nil
		}
	}
	waitFor(t, "its Event", 10*time.Second, told("a-service", `Normal IPAllocated: Assigned IP ["10.77.0.2"]`))
	send(t, "POST", services, strings.Replace(fmt.Sprintf(service, "a-refused", "yumen.dev/lb"), `"name"`,
		`"annotations":{"metallb.io/loadBalancerIPs":"10.99.0.1"},"name"`, 1), 201)
	waitFor(t, "the Event of one that gets none", 10*time.Second, told("a-refused", `Warning AllocationFailed: `+
		`Failed to allocate IP for "default/a-refused": metadata.annotations: metallb.io/loadBalancerIPs: 10.99.0.1 is in no pool; `+
		`add it to the addresses of an IPAddressPool, or name one that is in a pool`))
	send(t, "POST", services, `{"metadata":{"name":"a-plain"},"spec":{"type":"LoadBalancer","ports":[{"port":80}]}}`, 201)
	waitFor(t, "the address of one without a class", 10*time.Second,
		ingress("a-plain", `{"ingress":[{"ip":"10.77.0.3","ipMode":"VIP"}]}`, mine))
	// Another controller, after what was given first is free, and others come before.
	c.stop(syscall.SIGTERM)
	drop(t, gateways+"/a-one")
	send(t, "POST", gateways, gatewayOf("a-zero", "a-ours"), 201)
	startController(t, r, "--lease", "off")
	stays := hasAddresses(gateways+"/a-two", "IPAddress 10.77.0.1")
	waitFor(t, "the new one to be judged", 20*time.Second, func() error {
		if err := stays(); err != nil {
			t.Fatalf("while the controller starts: %v", err)
		}
		return hasCondition(gateways+"/a-zero", "Programmed", "False/Pending")()
	})
	if err := stays(); err != nil {
		t.Error(err)
	}
	for name, has := range map[string][2]string{"a-service": {"10.77.0.2", mine}, "a-foreign": {"10.9.9.9", "Theirs"}} {
		if err := ingress(name, `{"ingress":[{"ip":"`+has[0]+`","ipMode":"VIP"}]}`, has[1])(); err != nil {
			t.Error(err)
		}
	}
	if err := told("a-service", `Normal IPAllocated: Assigned IP ["10.77.0.2"]`)(); err != nil {
		t.Errorf("after another start: %v", err)
	}
	// Of one that it is to let alone, as it is started now, nothing is left that was said
	// and given; nor of one that is no load balancer's any more.
	nothing := func(name string) func() error {
		return func() error {
			_, status, err := statusAt(services + "/" + name)
			if err != nil {
				return err
			}
			got, _ := json.Marshal(status["loadBalancer"])
			if string(got) != "{}" || len(conditions(status)) > 0 {
				return fmt.Errorf("%s, conditions %v", got, conditions(status))
			}
			return nil
		}
	}
	waitFor(t, "what was given to one without a class to be taken away", 10*time.Second, nothing("a-plain"))
	send(t, "PATCH", services+"/a-service", `{"spec":{"type":"ClusterIP"}}`, 200)
	waitFor(t, "what was said of a Service to be taken away", 10*time.Second, nothing("a-service"))
	if err := ingress("a-foreign", `{"ingress":[{"ip":"10.9.9.9","ipMode":"VIP"}]}`, "Theirs")(); err != nil {
		t.Error(err)
	}
	waitFor(t, "the pool's status of now", 10*time.Second,
		pooled(`{"assignedIPv4":3,"assignedIPv6":0,"availableIPv4":5,"availableIPv6":0}`))
}
