package e2e

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// told is what explain says of a request.
type told struct {
	Verdict, Reason, Gateway, Listener, Route, Rule, Location, Why string
	Status                                                         *int
	Backends                                                       []struct {
		Target, Reason  string
		Port, Weight    int
		Status          *int
		Endpoints, Used int
	}
	Candidates []struct{ Route, Rule, Match, Why string }
	TLS        struct{ ClientCertificate string }
}

// seen is what became of the request: of its access log, or of its answer.
type seen struct {
	status                                       int
	reason, gateway, listener, route, rule, back string
	logged                                       bool // gateway to back are known
}

// What becomes of a request once its endpoint is spoken to, which explain does not do.
var onlyTheBackendShows = map[string]bool{"connection_refused": true, "connection_timeout": true, "connection_limit_reached": true,
	"connection_terminated": true, "destination_ip_unroutable": true, "tls_protocol_error": true, "tls_certificate_error": true,
	"tls_certificate_untrusted": true, "tls_certificate_expired": true, "tls_certificate_name": true, "tls_alert_received": true,
	"http_response_incomplete": true, "http_protocol_error": true, "http_response_timeout": true}

// fits is nil when the request went as explain said.
func (e told) fits(s seen) error {
	status := func(p *int) int {
		if p == nil {
			return 0
		}
		return *p
	}
	if s.logged && (e.Gateway != s.gateway || e.Listener != s.listener || e.Route != s.route || e.Rule != s.rule) {
		return fmt.Errorf("explain: %s %s %s %q, the worker: %s %s %s %q",
			e.Gateway, e.Listener, e.Route, e.Rule, s.gateway, s.listener, s.route, s.rule)
	}
	ok := false
	switch e.Verdict {
	case "backend", "depends":
		for _, b := range e.Backends {
			target := b.Target
			if b.Port > 0 && b.Reason != "ref_not_resolved" {
				target += fmt.Sprintf(":%d", b.Port)
			}
			same := !s.logged || s.back == target || strings.HasPrefix(s.back, target)
			if b.Weight > 0 && b.Reason == "" && same && onlyTheBackendShows[s.reason] {
				ok = true
			}
			if b.Weight > 0 && b.Reason == s.reason && same && (b.Reason == "" || status(b.Status) == s.status) {
				ok = true
			}
		}
	case "redirect":
		ok = status(e.Status) == s.status && (!s.logged || s.reason == "redirect")
	case "refused":
		ok = status(e.Status) == s.status && e.Reason == s.reason
	case "answer":
		ok = status(e.Status) == s.status && s.reason == "" && s.back == ""
	}
	if !ok {
		return fmt.Errorf("explain: %s %d %s %+v, the worker: %d %s %s", e.Verdict, status(e.Status), e.Reason, e.Backends, s.status, s.reason, s.back)
	}
	return nil
}

// explain asks the running yumen what becomes of a request with this head.
func (g *gate) explain(head string) told {
	return g.explainTo(url.Values{"head": {head}})
}

func (g *gate) explainTo(query url.Values) told {
	g.t.Helper()
	query.Set("port", fmt.Sprint(g.port))
	query.Set("address", "127.0.0.1")
	response, err := http.Get("http://" + g.admin + "/api/v1/explain?" + query.Encode())
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	var e told
	if err := json.Unmarshal(body, &e); err != nil {
		g.t.Fatalf("%q: %d %s: %v", query, response.StatusCode, body, err)
	}
	return e
}

// explained holds explain against an answer that came for this head.
func (g *gate) explained(head string, response *http.Response) {
	g.t.Helper()
	s := seen{status: response.StatusCode}
	if _, reason, found := strings.Cut(response.Header.Get("Proxy-Status"), "yumen; error="); found {
		s.reason, _, _ = strings.Cut(reason, ";")
	}
	e := g.explain(head)
	if err := e.fits(s); err != nil {
		g.t.Errorf("%q: %v", head, err)
	}
	if e.Location != response.Header.Get("Location") {
		g.t.Errorf("%q: explain: Location %q, the answer: %q", head, e.Location, response.Header.Get("Location"))
	}
}

func pick(r *rand.Rand, list ...string) string { return list[r.Intn(len(list))] }

func randomMatch(r *rand.Rand) string {
	var parts []string
	switch r.Intn(8) {
	case 0:
	case 1, 2:
		parts = append(parts, "path: {type: Exact, value: "+pick(r, "/a", "/a/b", "/c", "/a%20b", "/d/")+"}")
	case 3:
		parts = append(parts, "path: {type: RegularExpression, value: '"+pick(r, "/a/.*", "/[ab]", "/c|/d/")+"'}")
	default:
		parts = append(parts, "path: {type: PathPrefix, value: "+pick(r, "/", "/a", "/a/b", "/a/", "/c", "/d")+"}")
	}
	if r.Intn(4) == 0 {
		parts = append(parts, "method: "+pick(r, "GET", "POST", "DELETE", "OPTIONS"))
	}
	if r.Intn(4) == 0 {
		kind := pick(r, "Exact, value: red", "Exact, value: 'a,b'", "RegularExpression, value: 'r.*'")
		parts = append(parts, "headers: [{name: "+pick(r, "X-Color", "Accept")+", type: "+kind+"}]")
	}
	if r.Intn(4) == 0 {
		parts = append(parts, "queryParams: [{name: "+pick(r, "q", "color")+", value: "+pick(r, "red", "a b")+"}]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func randomRule(r *rand.Rand, name string) string {
	text := "  - name: " + name + "\n    matches: [" + randomMatch(r)
	if r.Intn(2) == 0 {
		text += ", " + randomMatch(r)
	}
	text += "]\n"
	switch r.Intn(8) {
	case 0:
		return text + "    filters: [{type: RequestRedirect, requestRedirect: {hostname: to.test, statusCode: 301}}]\n"
	case 1:
		return text // no backend at all
	case 2:
		text += "    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Set, value: s}]}}]\n"
	}
	refs := []string{"{name: one, port: 80}"}
	for r.Intn(2) == 0 {
		refs = append(refs, pick(r, "{name: two, port: 80, weight: 3}", "{name: empty, port: 80}", "{name: unready, port: 80}",
			"{name: gone, port: 80}", "{name: one, port: 81}", "{name: two, port: 80, weight: 0}"))
	}
	if r.Intn(4) == 0 {
		refs = []string{pick(r, "{name: empty, port: 80}", "{name: unready, port: 80}", "{name: gone, port: 80}")}
	}
	return text + "    backendRefs: [" + strings.Join(refs, ", ") + "]\n"
}

func randomWorld(r *rand.Rand, t testing.TB, port int) map[string]string {
	gateway := gatewayYAML(port, "") +
		fmt.Sprintf("  - {name: special, protocol: HTTP, port: %d, hostname: special.test}\n", port) +
		fmt.Sprintf("  - {name: wild, protocol: HTTP, port: %d, hostname: '*.wild.test'}\n", port)
	files := map[string]string{
		"gateway.yaml": gateway,
		"services.yaml": serviceYAML("one", serve(t, "one").port) + "---\n" + serviceYAML("two", serve(t, "two").port) +
			"---\n" + serviceYAML("empty") + "---\n" + serviceYAML("unready") + sliceYAML("unready-1", "unready", 1, "ready: false"),
	}
	for i := 0; i < 12; i++ {
		hosts := pick(r, "", `["a.test"]`, `["*.test"]`, `["special.test", "a.test"]`, `["x.wild.test"]`, `["*.wild.test", "b.test"]`)
		var rules string
		for k := 0; k <= r.Intn(4); k++ {
			rules += randomRule(r, fmt.Sprintf("rule-%d", k))
		}
		route := routeYAML(fmt.Sprintf("r%d", i), hosts, rules)
		if r.Intn(4) == 0 {
			route = strings.Replace(route, "{name: eg}", "{name: eg, sectionName: "+pick(r, "http", "special", "wild")+"}", 1)
		}
		files[fmt.Sprintf("r%d.yaml", i)] = route
	}
	return files
}

// randomHead is a request's head; some are malformed. Where id is in it, it is logged.
func randomHead(r *rand.Rand, id string) string {
	odd := func(share int, good string, bad ...string) string {
		if r.Intn(share) == 0 {
			return pick(r, bad...)
		}
		return good
	}
	path := odd(16, pick(r, "/", "/a", "/a/b", "/a/b/c", "/ab", "/c", "/c/", "/d/", "/d", "/a%20b", "/%61", "/a/../c", "/a/./b",
		"//a", "/none", "/a;x/b", "/a/%2e%2e/c", "/a%2Fb"),
		"/../x", "/a%zz", "/a|b", "*", "http://b.test/a")
	if r.Intn(3) == 0 {
		path += pick(r, "?q=red", "?color=red&q=a+b", "?q=a%20b", "?q", "?")
	}
	method := odd(12, pick(r, "GET", "GET", "GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "ODD"), "TRACE", "CONNECT", "GE T")
	version := odd(12, "1.1", "1.0", "2.0")
	head := method + " " + path + " HTTP/" + version + "\r\n"
	if version == "1.1" || r.Intn(2) == 0 {
		head += "Host: " + odd(16, pick(r, "a.test", "a.test", "b.test", "special.test", "x.wild.test", "y.wild.test", "wild.test",
			"A.TEST", "a.test.", "a.test:81", "unknown", "127.0.0.1", "[::1]"), "a_b.test", "a..test", "u@a.test") + "\r\n"
	}
	for r.Intn(2) == 0 {
		head += odd(16, pick(r, "X-Color: red", "x-color: blue", "X-Color: rose", "Accept: a", "Accept: b", "Accept: a,b",
			"Max-Forwards: 0", "X-Color:red ", "X-Long: "+strings.Repeat("l", 300), "Content-Length: 0"),
			"Host: a.test", "Bad Name: x", "Transfer-Encoding: odd") + "\r\n"
	}
	return head + "X-Request-Id: " + id + "\r\nConnection: close\r\n\r\n"
}

func readLog(t testing.TB, path string) map[string]seen {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := map[string]seen{}
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		var line struct {
			Request_id, Reason, Gateway, Listener, Route, Rule, Backend string
			Status                                                      int
		}
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("%q: %v", scanner.Text(), err)
		}
		if line.Request_id != "" {
			lines[line.Request_id] = seen{line.Status, line.Reason, line.Gateway, line.Listener, line.Route, line.Rule, line.Backend, true}
		}
	}
	return lines
}

// Random tables and random requests: what explain says is what the workers do.
func TestExplainAgrees(t *testing.T) {
	t.Parallel()
	worlds, requests := 6, 1000
	if slow() {
		worlds, requests = 3, 500
	}
	verdicts := map[string]int{}
	for seed := 0; seed < worlds; seed++ {
		r := rand.New(rand.NewSource(int64(seed)))
		port := freePort(t)
		log := filepath.Join(t.TempDir(), "access.log")
		g := start(t, port, randomWorld(r, t, port), "--access-log", "json:"+log)
		heads, tolds := map[string]string{}, map[string]told{}
		unlogged := 0
		for i := 0; i < requests; i++ {
			id := fmt.Sprintf("id-%d-%d", seed, i)
			head := randomHead(r, id)
			answer := raw(t, g.address(), head)
			e := g.explain(head)
			verdicts[e.Verdict+" "+e.Reason]++
			heads[id], tolds[id] = head, e
			// Refused before it was a request: the log knows no id, the answer says all.
			response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(answer)), &http.Request{Method: strings.Fields(head)[0]})
			if err != nil {
				t.Fatalf("seed %d: %q: %q: %v", seed, head, answer, err)
			}
			if e.Verdict == "refused" && e.Gateway == "" {
				unlogged++
				if _, reason, _ := strings.Cut(response.Header.Get("Proxy-Status"), "error="); response.StatusCode != *e.Status || reason != "" && reason != e.Reason {
					t.Errorf("seed %d: %q: %d %s, explain: %d %s", seed, head, response.StatusCode, reason, *e.Status, e.Reason)
				}
			}
		}
		var logged map[string]seen
		g.eventually("every line of the access log", func() error {
			logged = readLog(t, log)
			if len(logged)+unlogged < requests {
				return fmt.Errorf("%d lines, %d unlogged", len(logged), unlogged)
			}
			return nil
		})
		for id, s := range logged {
			if err := tolds[id].fits(s); err != nil {
				t.Errorf("seed %d: %q: %v", seed, heads[id], err)
			}
		}
	}
	t.Logf("%v", verdicts)
	for _, want := range []string{"backend ", "depends ", "redirect redirect", "answer ", "refused no_route", "refused no_backend",
		"refused ref_not_resolved", "refused http_request_error", "refused destination_unavailable"} {
		if verdicts[want] == 0 {
			t.Errorf("no request was of the verdict %q: the tables say too little", want)
		}
	}
}

// The same in TLS: the server name chooses a listener or fails the handshake, and a
// host of another listener is misdirected.
func TestExplainAgreesInTLS(t *testing.T) {
	t.Parallel()
	worlds, requests := 6, 300
	if slow() {
		worlds, requests = 3, 150
	}
	pair := makePair(t, "", nil)
	verdicts := map[string]int{}
	for seed := 0; seed < worlds; seed++ {
		r := rand.New(rand.NewSource(int64(seed)))
		port := freePort(t)
		files := randomWorld(r, t, port)
		var listeners []string
		for name, host := range map[string]string{"http": "", "special": "special.test", "wild": "*.wild.test", "a": "a.test"} {
			if name == "special" || r.Intn(4) > 0 {
				listeners = append(listeners, httpsListener(port, name, host, pick(r, "pair", "pair", "pair", "gone")))
			}
		}
		files["gateway.yaml"] = httpsGateway("", listeners...)
		files["secret.yaml"] = pair.secret(t, "pair")
		g := start(t, port, files)
		for i := 0; i < requests; i++ {
			head := randomHead(r, fmt.Sprintf("id-%d-%d", seed, i))
			name := pick(r, "", "a.test", "A.test", "special.test", "x.wild.test", "wild.test", "unknown.test")
			e := g.explainTo(url.Values{"head": {head}, "server_name": {name}})
			verdicts[e.Verdict+" "+e.Reason]++
			conn, err := shake(g.address(), &tls.Config{ServerName: name, InsecureSkipVerify: true})
			if (err != nil) != (e.Verdict == "handshake") {
				t.Fatalf("seed %d: %q %q: %v, explain: %s %s", seed, name, head, err, e.Verdict, e.Why)
			}
			if err != nil {
				continue
			}
			io.WriteString(conn, head)
			response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: strings.Fields(head)[0]})
			if err != nil {
				t.Fatalf("seed %d: %q %q: %v", seed, name, head, err)
			}
			conn.Close()
			s := seen{status: response.StatusCode}
			if _, reason, found := strings.Cut(response.Header.Get("Proxy-Status"), "yumen; error="); found {
				s.reason = reason
			}
			// Refused before anything was decided: no field says why.
			if e.Verdict == "refused" && e.Gateway == "" && s.reason == "" {
				s.reason = e.Reason
			}
			if err := e.fits(s); err != nil {
				t.Errorf("seed %d: %q %q: %v", seed, name, head, err)
			}
		}
	}
	t.Logf("%v", verdicts)
	for _, want := range []string{"backend ", "redirect redirect", "handshake ", "refused misdirected", "refused no_route", "refused http_request_error"} {
		if verdicts[want] == 0 {
			t.Errorf("no request was of the verdict %q: the tables say too little", want)
		}
	}
}

// As people see it: files alone and the running yumen.
func TestExplainTLS(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{
		"secrets.yaml": makePair(t, "", nil, "a.test").secret(t, "a"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.test", "a"), httpsListener(port, "b", "*.b.test", "gone")),
	})
	base := fmt.Sprintf(":%d/", port)
	for _, row := range []struct {
		args   []string
		status int
		text   []string
	}{
		{[]string{"https://A.test" + base}, 0, []string{fmt.Sprintf("address   127.0.0.1:%d in TLS\n", port),
			"tls       server name A.test, certificate default/a, client certificate not asked for\n", "listener  Gateway default/eg a, hostname a.test", "answer    the backend's"}},
		{[]string{"https://a.test" + base, "-H", "Host: x.b.test"}, 1, []string{"421 misdirected: the host belongs to another listener"}},
		{[]string{"https://x.b.test" + base}, 1, []string{"answer    none: the TLS handshake fails: none of the listener's certificates is there", "Secret default/gone"}},
		{[]string{"https://c.test" + base}, 1, []string{"none: the TLS handshake fails: no listener of HTTPS on this address and port takes the server name", "not     Gateway default/eg a: it takes a.test"}},
		{[]string{"https://127.0.0.1" + base}, 1, []string{"tls       no server name\n"}},
		{[]string{"http://a.test" + base}, 1, []string{"none: no listener is on this address and port", fmt.Sprintf("there is 127.0.0.1:%d in TLS", port)}},
		{[]string{"https://a.test/"}, 1, []string{"none: no listener is on this address and port"}},
	} {
		for _, where := range [][]string{{"-f", g.dir}, {"--socket", g.socket}} {
			text, status := yumen(t, append(append([]string{"explain"}, where...), row.args...)...)
			if status != row.status {
				t.Errorf("%v %v: exit status %d\n%s", where[0], row.args, status, text)
			}
			for _, want := range row.text {
				if !strings.Contains(text, want) {
					t.Errorf("%v %v: no %q in\n%s", where[0], row.args, want, text)
				}
			}
		}
	}
}

// Files alone and the running yumen say the same, each candidate with its why.
func TestExplain(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, "") + fmt.Sprintf("  - {name: special, protocol: HTTP, port: %d, hostname: special.test}\n", port),
		"services.yaml": serviceYAML("app", serve(t, "app").port) + "---\n" + serviceYAML("empty") + "---\n" +
			serviceYAML("unready") + sliceYAML("unready-1", "unready", 1, "ready: false"),
		"routes.yaml": routeYAML("web", `["web.test"]`, `
  - name: canary
    matches: [{path: {value: /cart}, headers: [{name: x-canary, value: "2"}]}]
    backendRefs: [{name: app, port: 80}]
  - name: cart
    matches: [{path: {value: /cart}}]
    backendRefs: [{name: app, port: 80, weight: 3}, {name: empty, port: 80}, {name: unready, port: 80}, {name: gone, port: 80}]
  - name: rest
    backendRefs: [{name: app, port: 80}]
`) + strings.Replace(routeYAML("plain", "", prefixRule("/", "app")), "{name: eg}", "{name: eg, sectionName: http}", 1),
	})
	base := fmt.Sprintf("http://web.test:%d", port)
	rows := []struct {
		args   []string
		want   string // "verdict reason route rule"
		status int
		text   []string // in what is printed
	}{
		{[]string{base + "/cart/7", "-H", "x-canary: 1"}, "depends  HTTPRoute/default/web cart", 0, []string{
			`rule canary  PathPrefix /cart, header x-canary: 2: header x-canary is "1"`,
			"rule rest  PathPrefix /: its path fits too, but is less specific",
			"Service default/app:80, weight 3 of 6, 1 of 1 endpoints used",
			"default/empty:80, weight 1 of 6, 0 of 0 endpoints used: 503 destination_unavailable: no EndpointSlice has",
			"none of its endpoints is ready", "500 ref_not_resolved"}},
		{[]string{base + "/x", "-X", "DELETE"}, "backend  HTTPRoute/default/web rest", 0, []string{
			"rule cart  PathPrefix /cart: the path differs", "answer    the backend's"}},
		{[]string{base, "-H", "Host: special.test"}, "refused no_route  ", 1, []string{
			"listener  Gateway default/eg special, hostname special.test",
			"HTTPRoute default/plain: it is attached to other listeners only", "404 no_route: no route of the listener matches"}},
		{[]string{base + "/../up"}, "refused http_request_error  ", 1, []string{"400 http_request_error", "climbs over the root"}},
		{[]string{"http://web.test:1/"}, "nowhere   ", 1, []string{"no listener is on this address", fmt.Sprintf("there is 127.0.0.1:%d", port)}},
		{[]string{"web.test/", "--address", fmt.Sprintf("127.0.0.1:%d", port)}, "backend  HTTPRoute/default/web rest", 0, nil},
		{[]string{base, "--address", "192.0.2.1"}, "nowhere   ", 1, nil},
	}
	for _, row := range rows {
		for _, where := range [][]string{{"-f", g.dir}, {"--socket", g.socket}} {
			out, err := exec.Command(program(t), append(append([]string{"explain", "-o", "json"}, where...), row.args...)...).Output()
			var e told
			if json.Unmarshal(out, &e) != nil {
				t.Errorf("%v %v: %v %s", where[0], row.args, err, out)
				continue
			}
			if got := e.Verdict + " " + e.Reason + " " + e.Route + " " + e.Rule; got != row.want {
				t.Errorf("%v %v: %q, want %q\n%s", where[0], row.args, got, row.want, out)
			}
			text, status := yumen(t, append(append([]string{"explain"}, where...), row.args...)...)
			if status != row.status {
				t.Errorf("%v %v: exit status %d\n%s", where[0], row.args, status, text)
			}
			for _, want := range row.text {
				if !strings.Contains(text, want) {
					t.Errorf("%v %v: no %q in\n%s", where[0], row.args, want, text)
				}
			}
		}
	}
}

func TestExplainMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"explain":                                      "which request?",
		"explain http:///x -f .":                       "the URL has no host",
		"explain u:p@a.test -f .":                      "user and password are no part of it",
		"explain a.test:0 -f .":                        "no host and port: a.test:0",
		"explain a.test -f . -o xml":                   "--output is text or json",
		"explain a.test -f . -H x":                     "a header is 'Name: value', not x",
		"explain a.test -f . --address b.test":         "an IP address, with or without a port, is wanted",
		"explain a.test -f /nonexistent":               "/nonexistent: ",
		"explain a.test --socket /nonexistent":         "Is yumen running?",
		"explain a.test -f . --socket /x --address ::": "none: no listener",
	} {
		out, status := yumen(t, strings.Fields(args)...)
		if !strings.Contains(out, want) || status != 2 && !strings.Contains(want, "none") {
			t.Errorf("yumen %s: %d %s", args, status, out)
		}
	}
}
