package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Certificates as they live: one of many is always broken, or about to expire.

func living(from, to time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to) }
}

// listenerCondition is one of a listener of the Gateway eg.
func (g *gate) listenerCondition(listener, kind string) map[string]any {
	g.t.Helper()
	for _, one := range g.get("gateways", "eg", "-n", "default")[0]["status"].(map[string]any)["listeners"].([]any) {
		if listenerStatus := one.(map[string]any); listenerStatus["name"] == listener {
			return condition(listenerStatus["conditions"], kind)
		}
	}
	return nil
}

// A certificate that is broken in any way harms its listener alone, whose condition
// says what is wrong; plain HTTP beside it goes on, so that a challenge can be
// answered; the certificate that comes then heals it.
func TestCertificateHarmsItsListenerAlone(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port, plain := freePort(t), freePort(t)
	chain, key := makePair(t, "", authority, "x.example").pem(t)
	_, otherKey := makePair(t, "", authority, "x.example").pem(t)
	elsewhere := strings.Replace(makePair(t, "", authority, "refused.example").secret(t, "refused"), "namespace: default", "namespace: closed", 1)
	grant := `apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: secrets, namespace: closed}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}]
  to: [{group: "", kind: Secret}]
`
	rows := []struct{ name, secret, reason, says string }{
		{"missing", "", "InvalidCertificateRef", "there is no Secret default/missing"},
		{"nopem", secretYAML("nopem", "no PEM", key), "InvalidCertificateRef", "it is not PEM"},
		{"cut", secretYAML("cut", chain[:len(chain)/2], key), "InvalidCertificateRef", "has no -----END line"},
		{"nokey", secretYAML("nokey", chain, chain), "InvalidCertificateRef", "there is no private key in it"},
		{"mismatch", secretYAML("mismatch", chain, otherKey), "InvalidCertificateRef", "does not belong to the first certificate"},
		{"expired", makePairAs(t, "", authority, living(-2*time.Hour, -time.Hour), "expired.example").secret(t, "expired"), "InvalidCertificateRef", "has expired"},
		{"early", makePairAs(t, "", authority, living(time.Hour, 2*time.Hour), "early.example").secret(t, "early"), "InvalidCertificateRef", "is not valid yet"},
		{"refused", elsewhere, "RefNotPermitted", "no ReferenceGrant in namespace closed"},
	}
	listeners := []string{httpsListener(port, "good", "good.example", "good"), fmt.Sprintf("  - {name: http, port: %d, protocol: HTTP}\n", plain)}
	files := map[string]string{"good.yaml": makePair(t, "", authority, "good.example").secret(t, "good")}
	for _, row := range rows {
		listener := httpsListener(port, row.name, row.name+".example", row.name)
		if row.name == "refused" {
			listener = strings.Replace(listener, "- name: refused\n", "- {name: refused, namespace: closed}\n", 2)
			listener = strings.Replace(listener, "  - {name: refused, namespace: closed}\n    port", "  - name: refused\n    port", 1)
		}
		listeners = append(listeners, listener)
		files[row.name+".yaml"] = row.secret
	}
	files["gateway.yaml"] = httpsGateway("", listeners...)
	g, _ := httpsBasics(t, port, files)
	config := func(name string) *tls.Config {
		return &tls.Config{RootCAs: rootsOf(authority), ServerName: name + ".example"}
	}
	beside := func(when string) {
		t.Helper()
		if response, _, err := ask(g.address(), config("good"), "good.example", "/"); err != nil || response.StatusCode != 200 {
			t.Errorf("%s: the good one beside it: %v %v", when, response, err)
		}
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/.well-known/acme-challenge/token", plain))
		if err != nil || response.StatusCode != 200 {
			t.Errorf("%s: plain HTTP beside it: %v %v", when, response, err)
		}
	}
	g.askUntil(t, 200, config("good"), "good.example")
	for _, row := range rows {
		if _, err := shake(g.address(), config(row.name)); err == nil || !strings.Contains(err.Error(), "handshake failure") {
			t.Errorf("%s: %v", row.name, err)
		}
		references, programmed := g.listenerCondition(row.name, "ResolvedRefs"), g.listenerCondition(row.name, "Programmed")
		if references["status"] != "False" || references["reason"] != row.reason || !strings.Contains(references["message"].(string), row.says) {
			t.Errorf("%s: %v", row.name, references)
		}
		if programmed["status"] != "False" || !strings.Contains(programmed["message"].(string), row.says) {
			t.Errorf("%s: %v", row.name, programmed)
		}
		beside(row.name)
	}
	for _, name := range []string{"good", "http"} {
		if got := g.listenerCondition(name, "Programmed"); got["status"] != "True" {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, row := range rows {
		if row.name == "refused" {
			g.write("grant.yaml", grant)
		} else {
			g.write(row.name+".yaml", makePair(t, "", authority, row.name+".example").secret(t, row.name))
		}
		g.askUntil(t, 200, config(row.name), row.name+".example")
		g.eventually(row.name+" is programmed", func() error {
			if got := g.listenerCondition(row.name, "Programmed"); got["status"] != "True" {
				return fmt.Errorf("%v", got)
			}
			return nil
		})
	}
	// What was granted is taken back.
	g.replace("grant.yaml", "")
	g.eventually("what is granted no more is shown no more", func() error {
		if conn, err := shake(g.address(), config("refused")); err == nil {
			conn.Close()
			return fmt.Errorf("it is")
		}
		return nil
	})
	beside("after all")
}

// Whoever is connected when a certificate changes stays so, in the midst of a body
// and after.
func TestCertificateChangeCutsNobody(t *testing.T) {
	t.Parallel()
	keys := makeKeys(t, "p256")
	port := freePort(t)
	further := make(chan bool)
	slow := serveWith(t, &backend{name: "slow"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for i := 0; i < 2 && r.URL.Path == "/slow"; i++ {
			w.Write(bytes.Repeat([]byte("x"), 100000))
			w.(http.Flusher).Flush()
			<-further
		}
	}))
	g := start(t, port, map[string]string{"secret.yaml": keys.first.secret(t, "s"), "service.yaml": serviceYAML("b", slow.port),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s")), "route.yaml": routeYAML("r", "", prefixRule("/", "b"))})
	keys.shown(g, keys.first)
	conn, err := shake(g.address(), &tls.Config{RootCAs: rootsOf(keys.authority), ServerName: "a.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	done := make(chan error)
	go func() {
		response, body, err := over(conn, "a.example", "/slow")
		if err == nil && (response.StatusCode != 200 || len(body) != 200000) {
			err = fmt.Errorf("%d, %d bytes", response.StatusCode, len(body))
		}
		done <- err
	}()
	further <- true
	g.replace("secret.yaml", keys.second.secret(t, "s"))
	keys.shown(g, keys.second)
	further <- true
	if err := <-done; err != nil {
		t.Errorf("a body under way: %v", err)
	}
	if response, _, err := over(conn, "a.example", "/"); err != nil || response.StatusCode != 200 {
		t.Errorf("the connection after: %v %v", response, err)
	}
	if !conn.ConnectionState().PeerCertificates[0].Equal(keys.first.certificate) {
		t.Error("that was another connection")
	}
}

// `get certificates`, the metric and the log tell of certificates before they
// expire, and when they do, though nothing else changes.
func TestCertificatesAreWatched(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	ending := makePairAs(t, "", authority, living(-time.Hour, 5*time.Second), "ending.example")
	pairs := map[string]*tlsPair{
		"good":     makePairAs(t, "", authority, living(-time.Hour, 100*24*time.Hour), "good.example", "*.good.example"),
		"expiring": makePairAs(t, "", authority, living(-time.Hour, 10*time.Minute), "expiring.example"),
		"expired":  makePairAs(t, "", authority, living(-2*time.Hour, -time.Hour), "expired.example"),
		"early":    makePairAs(t, "", authority, living(time.Hour, 2*time.Hour), "early.example"),
		"ending":   ending,
		"unused":   makePair(t, "", authority, "unused.example"),
	}
	files := map[string]string{"broken.yaml": secretYAML("broken", "no PEM", "no PEM")}
	listeners := []string{httpsListener(port, "broken", "broken.example", "broken")}
	for name, pair := range pairs {
		files[name+".yaml"] = pair.secret(t, name)
		if name != "unused" {
			listeners = append(listeners, httpsListener(port, name, name+".example", name))
		}
	}
	files["gateway.yaml"] = httpsGateway("", listeners...)
	g, _ := httpsBasics(t, port, files)
	table := func() map[string][]string {
		out, err := exec.Command(program(t), "get", "certificates", "--socket", g.socket).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		rows := map[string][]string{}
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n")[1:] {
			fields := strings.Fields(strings.Replace(line, "not yet valid", "early", 1))
			rows[fields[1]] = fields
		}
		return rows
	}
	ended := []string{"expired", "yes", ending.certificate.NotAfter.UTC().Format(time.RFC3339), "expired", "ending.example"}
	g.eventually("the table says that one has ended", func() error {
		if got := table()["ending"]; len(got) < 7 || fmt.Sprint(got[2:7]) != fmt.Sprint(ended) {
			return fmt.Errorf("%v, not %v", got, ended)
		}
		return nil
	})
	rows := table()
	for name, want := range map[string]string{"good": "good yes 99d good.example,*.good.example", "expiring": "expiring yes 0h expiring.example",
		"expired": "expired yes expired expired.example", "early": "early yes 1h early.example"} {
		got := rows[name]
		if len(got) < 7 || fmt.Sprint(got[2], " ", got[3], " ", got[5], " ", got[6]) != want ||
			got[4] != pairs[name].certificate.NotAfter.UTC().Format(time.RFC3339) {
			t.Errorf("%s: %v, not %s", name, got, want)
		}
	}
	if got := strings.Join(rows["broken"], " "); !strings.Contains(got, "broken yes") || !strings.Contains(got, "it is not PEM") {
		t.Errorf("broken: %s", got)
	}
	for name, pair := range pairs {
		line := fmt.Sprintf("yumen_certificate_expiry_timestamp_seconds{namespace=\"default\",secret=%q} %d\n", name, pair.certificate.NotAfter.Unix())
		g.eventually("the metric of "+name, func() error {
			if strings.Contains(g.metrics(), line) != (name != "unused") {
				return fmt.Errorf("%v\n%s", name != "unused", line)
			}
			return nil
		})
	}
	for name, events := range map[string][]string{"expiring": {"level=warning event=certificate.expiring"}, "expired": {"level=error event=certificate.unusable"},
		"broken": {"level=error event=certificate.unusable"}, "ending": {"level=warning event=certificate.expiring", "level=error event=certificate.unusable"},
		"good": nil, "unused": nil} {
		for _, line := range strings.Split(g.stderr(), "\n") {
			if !strings.Contains(line, "secret="+name+" ") {
				continue
			}
			if len(events) == 0 || !strings.Contains(line, events[0]) {
				t.Errorf("%s: %s", name, line)
				break
			}
			events = events[1:]
		}
		if len(events) > 0 {
			t.Errorf("%s: no %s in\n%s", name, events[0], g.stderr())
		}
	}
	if _, err := shake(g.address(), &tls.Config{RootCAs: rootsOf(authority), ServerName: "ending.example"}); err == nil || !strings.Contains(err.Error(), "handshake failure") {
		t.Errorf("what has ended is shown: %v", err)
	}
	// Renewed, it is told to be good again.
	g.replace("ending.yaml", makePair(t, "", authority, "ending.example").secret(t, "ending"))
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "ending.example"}, "ending.example")
	g.eventually("told to be good", func() error {
		if !strings.Contains(g.stderr(), "event=certificate.good namespace=default secret=ending") {
			return fmt.Errorf("it is not")
		}
		return nil
	})
}

// Nothing that yumen says has a private key in it, whole or broken.
func TestPrivateKeyIsNeverShown(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	pair, broken, client := makePair(t, "", authority, "a.example"), makePair(t, "", authority, "b.example"), makePair(t, "", authority, "client")
	chain, key := broken.pem(t)
	// Its first line is whole, what follows is none.
	cut := secretYAML("broken", chain, key[:strings.Index(key, "\n")+66]+"\n!")
	files := map[string]string{"secret.yaml": pair.secret(t, "s"), "broken.yaml": cut, "client.yaml": client.secret(t, "client"),
		"gateway.yaml": httpsGateway("  tls: {backend: {clientCertificateRef: {name: client}}}\n",
			httpsListener(port, "a", "a.example", "s"), httpsListener(port, "b", "b.example", "broken"))}
	g, _ := httpsBasics(t, port, files, "--access-log", "json")
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	said := map[string]string{"what it wrote": g.stdout() + g.stderr()}
	url := fmt.Sprintf("https://a.example:%d/", port)
	for _, command := range [][]string{{"get", "secrets", "-o", "yaml", "-A"}, {"get", "secret", "s", "-o", "json"}, {"get", "secrets"}, {"get", "certificates"},
		{"describe", "secret", "s"}, {"describe", "secret", "broken"}, {"describe", "gateway", "eg"}, {"get", "gateways", "-o", "yaml"}, {"explain", url}} {
		out, _ := exec.Command(program(t), append(command, "--socket", g.socket)...).CombinedOutput()
		said[fmt.Sprint(command)] = string(out)
	}
	for _, format := range []string{"text", "json", "yaml"} {
		out, _ := exec.Command(program(t), "check", "-o", format, g.dir).CombinedOutput()
		said["check "+format] = string(out)
	}
	response, err := http.Get("http://" + g.admin + "/")
	if err != nil {
		t.Fatal(err)
	}
	index, _ := io.ReadAll(response.Body)
	paths := []string{"/metrics", "/api/v1/units", "/api/v1/proxies", "/api/v1/certificates"}
	for _, line := range strings.Fields(string(index)) {
		if strings.HasPrefix(line, "/") && !strings.ContainsAny(line, "{<") {
			paths = append(paths, line)
		}
	}
	for _, path := range paths {
		response, err := http.Get("http://" + g.admin + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		said[path] = string(body)
	}
	for what, text := range said {
		for _, pair := range []*tlsPair{pair, broken, client} {
			for name, shape := range shapes(t, pair) {
				if strings.Contains(text, string(shape)) {
					t.Errorf("%s shows a key (%s)", what, name)
				}
			}
		}
	}
	for _, what := range []string{"[get secrets -o yaml -A]", "[get secret s -o json]", "[get certificates]", "check text", "/api/v1/units", "[describe gateway eg]"} {
		if len(said[what]) < 40 {
			t.Errorf("%s says nothing: %q", what, said[what])
		}
	}
}
