package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TLS towards backends: they are Go's crypto/tls, and note what they saw.

type secureBackend struct {
	backend
	shakes, resumed, plain atomic.Int64
	names                  sync.Map // SNI that came
	peers                  sync.Map // CN of the client certificate, or ""
}

// firstByte is a connection whose first byte was looked at.
type firstByte struct {
	net.Conn
	reader *bufio.Reader
}

func (c firstByte) Read(p []byte) (int, error) { return c.reader.Read(p) }

// secureListener speaks TLS to who speaks it, and plain text to others.
type secureListener struct {
	net.Listener
	config *tls.Config
	b      *secureBackend
}

func (l secureListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lazyConn{Conn: conn, l: l}, nil
}

// lazyConn decides with its first byte.
type lazyConn struct {
	net.Conn
	l    secureListener
	once sync.Once
	in   net.Conn
}

func (c *lazyConn) decide() net.Conn {
	c.once.Do(func() {
		reader := bufio.NewReader(c.Conn)
		first, err := reader.Peek(1)
		c.in = firstByte{c.Conn, reader}
		if err != nil {
			return
		}
		if first[0] != 22 {
			c.l.b.plain.Add(1)
			return
		}
		secure := tls.Server(c.in, c.l.config)
		if secure.Handshake() == nil {
			state := secure.ConnectionState()
			c.l.b.shakes.Add(1)
			if state.DidResume {
				c.l.b.resumed.Add(1)
			}
			c.l.b.names.Store(state.ServerName, true)
		}
		c.in = secure
	})
	return c.in
}

func (c *lazyConn) Read(p []byte) (int, error)  { return c.decide().Read(p) }
func (c *lazyConn) Write(p []byte) (int, error) { return c.decide().Write(p) }
func (c *lazyConn) Close() error {
	if c.in != nil {
		return c.in.Close()
	}
	return c.Conn.Close()
}

func peerOf(conn net.Conn) string {
	if secure, ok := conn.(*lazyConn).decide().(*tls.Conn); ok {
		if peers := secure.ConnectionState().PeerCertificates; len(peers) > 0 {
			return peers[0].Subject.CommonName
		}
	}
	return ""
}

type connKey struct{}

// serveSecure answers "tls" or "plain", and whose certificate it was shown; what is
// sent to it goes back, and ?size=N asks for so many bytes.
func serveSecure(t testing.TB, config *tls.Config) *secureBackend {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &secureBackend{}
	b.port = listener.Addr().(*net.TCPAddr).Port
	handler := func(w http.ResponseWriter, r *http.Request) {
		conn := r.Context().Value(connKey{}).(net.Conn)
		kind := "plain"
		if _, ok := conn.(*lazyConn).decide().(*tls.Conn); ok {
			kind = "tls"
		}
		b.mu.Lock()
		b.hits++
		b.mu.Unlock()
		peer := peerOf(conn)
		b.peers.Store(peer, true)
		w.Header().Set("X-Kind", kind)
		w.Header().Set("X-Peer", peer)
		if r.URL.Query().Has("close") {
			w.Header().Set("Connection", "close")
		}
		var size int
		if fmt.Sscan(r.URL.Query().Get("size"), &size); size > 0 {
			w.Write(bytes.Repeat([]byte("0123456789abcdef"), size/16))
			return
		}
		// All of it first: Go's server reads no more once it has written.
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	}
	server := &http.Server{Handler: http.HandlerFunc(handler), ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }}
	go server.Serve(secureListener{listener, config, b})
	t.Cleanup(func() { server.Close() })
	return b
}

func serverConfig(pairs ...*tlsPair) *tls.Config {
	config := &tls.Config{NextProtos: []string{"http/1.1"}}
	for _, pair := range pairs {
		config.Certificates = append(config.Certificates, pair.tls())
	}
	return config
}

func (p *tlsPair) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.certificate.Raw}, PrivateKey: p.key}
}

// tlsPolicyYAML: whom a Service's backends are believed to be; validation in flow form.
func tlsPolicyYAML(service, validation string) string {
	return fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: %s, namespace: default}
spec:
  targetRefs: [{group: "", kind: Service, name: %s}]
  validation: {%s}
`, service, service, validation)
}

func believing(hostname, configMap string, more ...string) string {
	return strings.Join(append([]string{fmt.Sprintf(`hostname: %s, caCertificateRefs: [{group: "", kind: ConfigMap, name: %s}]`,
		hostname, configMap)}, more...), ", ")
}

// TestBackendTLSClauses: each clause of a policy against a backend that meets it or
// does not, what is answered, and that no backend has seen plain text.
func TestBackendTLSClauses(t *testing.T) {
	t.Parallel()
	root, other := makePair(t, "p256", nil), makePair(t, "p256", nil)
	spiffe := func(c *x509.Certificate) {
		c.IsCA = false
		uri, _ := url.Parse("spiffe://x/one")
		c.URIs = []*url.URL{uri}
	}
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	early := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }
	early2 := func(c *x509.Certificate) { early(c); c.NotAfter = time.Now().Add(2 * time.Hour) }
	app := makePair(t, "p256", root, "app.example")
	limited := func(config *tls.Config, change func(*tls.Config)) *tls.Config { change(config); return config }
	rows := []struct {
		name       string
		config     *tls.Config
		validation string
		reason     string // "": served
	}{
		{"right", serverConfig(app), believing("app.example", "root"), ""},
		{"rsa", serverConfig(makePair(t, "rsa", root, "app.example")), believing("app.example", "root"), ""},
		{"case", serverConfig(makePair(t, "p256", root, "App.Example")), believing("app.example", "root"), ""},
		{"wildcard", serverConfig(makePair(t, "p256", root, "*.example.org")), believing("app.example.org", "root"), ""},
		{"oneof", serverConfig(app), `hostname: app.example, caCertificateRefs: [{group: "", kind: ConfigMap, name: other}, {group: "", kind: ConfigMap, name: root}]`, ""},
		{"tls12", limited(serverConfig(app), func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), believing("app.example", "root"), ""},
		{"wrongca", serverConfig(app), believing("app.example", "other"), "tls_certificate_untrusted"},
		{"self", serverConfig(makePair(t, "p256", nil, "app.example")), believing("app.example", "root"), "tls_certificate_untrusted"},
		{"expired", serverConfig(makePairAs(t, "p256", root, expired, "app.example")), believing("app.example", "root"), "tls_certificate_expired"},
		{"early", serverConfig(makePairAs(t, "p256", root, early2, "app.example")), believing("app.example", "root"), "tls_certificate_expired"},
		{"purpose", serverConfig(makePairAs(t, "p256", root, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, "app.example")), believing("app.example", "root"), "tls_certificate_error"},
		{"cnonly", serverConfig(makePairAs(t, "p256", root, func(c *x509.Certificate) {
			c.IsCA, c.Subject = false, pkix.Name{CommonName: "app.example"}
		})), believing("app.example", "root"), "tls_certificate_name"},
		{"wrongname", serverConfig(app), believing("other.example", "root"), "tls_certificate_name"},
		{"deepwild", serverConfig(makePair(t, "p256", root, "*.example.org")), believing("a.b.example.org", "root"), "tls_certificate_name"},
		{"san", serverConfig(app), believing("sni.example", "root", "subjectAltNames: [{type: Hostname, hostname: app.example}]"), ""},
		{"sanwild", serverConfig(makePair(t, "p256", root, "x.san.example")), believing("sni.example", "root", `subjectAltNames: [{type: Hostname, hostname: "*.san.example"}]`), ""},
		{"sannot", serverConfig(app), believing("app.example", "root", "subjectAltNames: [{type: Hostname, hostname: else.example}]"), "tls_certificate_name"},
		{"sanuri", serverConfig(makePairAs(t, "p256", root, spiffe)), believing("sni.example", "root", `subjectAltNames: [{type: URI, uri: "spiffe://x/one"}]`), ""},
		{"sanurinot", serverConfig(makePairAs(t, "p256", root, spiffe)), believing("sni.example", "root", `subjectAltNames: [{type: URI, uri: "spiffe://x/two"}]`), "tls_certificate_name"},
		{"sanany", serverConfig(app), believing("sni.example", "root", `subjectAltNames: [{type: URI, uri: "spiffe://x/two"}, {type: Hostname, hostname: app.example}]`), ""},
		{"old", limited(serverConfig(app), func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), believing("app.example", "root"), "tls_alert_received"},
		{"alpn", limited(serverConfig(app), func(c *tls.Config) { c.NextProtos = []string{"other"} }), believing("app.example", "root"), "tls_alert_received"},
		{"asks", limited(serverConfig(app), func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), believing("app.example", "root"), "tls_alert_received"},
		{"asks12", limited(serverConfig(app), func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert; c.MaxVersion = tls.VersionTLS12 }), believing("app.example", "root"), "tls_alert_received"},
	}
	port := freePort(t)
	files := map[string]string{"gateway.yaml": gatewayYAML(port, ""),
		"ca.yaml": authorityYAML("root", root) + "---\n" + authorityYAML("other", other)}
	backends := make([]*secureBackend, len(rows))
	for i, row := range rows {
		backends[i] = serveSecure(t, row.config)
		files[row.name+".yaml"] = serviceYAML(row.name, backends[i].port) + "---\n" + tlsPolicyYAML(row.name, row.validation)
		files[fmt.Sprintf("route-%d.yaml", i)] = routeYAML(row.name, "", prefixRule("/"+row.name, row.name))
	}
	plain := serve(t, "plain")
	files["plain.yaml"] = serviceYAML("plain", plain.port) + "---\n" + tlsPolicyYAML("plain", believing("app.example", "root"))
	files["route-plain.yaml"] = routeYAML("plain", "", prefixRule("/plain", "plain"))
	g := start(t, port, files)
	for i, row := range rows {
		status := 200
		if row.reason != "" {
			status = 502
		}
		for n := 0; n < 3; n++ {
			response, body := g.fetch("GET", "a.test", "/"+row.name)
			if response.StatusCode != status || !strings.Contains(body, row.reason) {
				t.Errorf("%s: %d %s (%s)", row.name, response.StatusCode, body, response.Header.Get("Proxy-Status"))
			}
			// RFC 9209 has one word for them; what is particular stands beside it.
			if status := response.Header.Get("Proxy-Status"); strings.HasPrefix(row.reason, "tls_certificate") &&
				(!strings.Contains(status, "error=tls_certificate_error") ||
					strings.Contains(status, "; details=") != (row.reason != "tls_certificate_error")) {
				t.Errorf("%s: %s", row.name, response.Header.Get("Proxy-Status"))
			}
			if status == 200 && response.Header.Get("X-Kind") != "tls" {
				t.Errorf("%s: in plain text", row.name)
			}
		}
		if status == 200 {
			_, name, _ := strings.Cut(row.validation, "hostname: ")
			name, _, _ = strings.Cut(name, ",")
			if _, ok := backends[i].names.Load(name); !ok {
				t.Errorf("%s: SNI is not %s", row.name, name)
			}
		} else if backends[i].count() > 0 {
			t.Errorf("%s: who is not believed was sent a request", row.name)
		}
		if backends[i].plain.Load() > 0 {
			t.Errorf("%s: plain text", row.name)
		}
	}
	if response, body := g.fetch("GET", "a.test", "/plain"); response.StatusCode != 502 || plain.count() > 0 {
		t.Errorf("plain: %d %s, %d requests", response.StatusCode, body, plain.count())
	}
	for _, reason := range []string{"certificate_untrusted", "certificate_expired", "certificate_name", "alert"} {
		g.wantMetric(`yumen_tls_handshake_failures_total{side="backend",reason="`+reason+`"}`, 1)
	}
}

// The system's authorities: as SSL_CERT_FILE has them.
func TestBackendTLSSystem(t *testing.T) {
	root, other := makePair(t, "p256", nil), makePair(t, "p256", nil)
	file := filepath.Join(t.TempDir(), "roots.pem")
	os.WriteFile(file, []byte(pemOf("CERTIFICATE", root.certificate.Raw)), 0o600)
	t.Setenv("SSL_CERT_FILE", file)
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	good := serveSecure(t, serverConfig(makePair(t, "p256", root, "app.example")))
	bad := serveSecure(t, serverConfig(makePair(t, "p256", other, "app.example")))
	port := freePort(t)
	system := "hostname: app.example, wellKnownCACertificates: System"
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""),
		"good.yaml":  serviceYAML("good", good.port) + "---\n" + tlsPolicyYAML("good", system),
		"bad.yaml":   serviceYAML("bad", bad.port) + "---\n" + tlsPolicyYAML("bad", system),
		"route.yaml": routeYAML("r", "", prefixRule("/good", "good")+prefixRule("/bad", "bad"))})
	g.expect(200, "GET", "a.test", "/good")
	if response, body := g.fetch("GET", "a.test", "/bad"); response.StatusCode != 502 || !strings.Contains(body, "tls_certificate_untrusted") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	// An XBackend alone.
	port = freePort(t)
	g = start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""),
		"backend.yaml": xbackendYAML(good.port, "mode: ServerOnly, validation: {"+system+"}"), "route.yaml": xbackendRoute})
	g.expect(200, "GET", "a.test", "/")
}

// xbackendYAML is one of localhost that asks for TLS itself; mode in flow form.
func xbackendYAML(port int, mode string) string {
	return fmt.Sprintf(`apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {name: outside, namespace: default}
spec:
  type: ExternalHostname
  externalHostname: {hostname: localhost}
  port: {number: %d}
  protocol: HTTP
  tls: {%s}
`, port, mode)
}

var xbackendRoute = routeYAML("app", "", "\n  - backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: outside}]\n")

func gatewayShowing(name string, port int, secret string) string {
	text := fmt.Sprintf("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: %s, namespace: default}\n"+
		"spec:\n  gatewayClassName: c\n  addresses: [{value: 127.0.0.1}]\n", name)
	if secret != "" {
		text += "  tls: {backend: {clientCertificateRef: {name: " + secret + "}}}\n"
	}
	return text + fmt.Sprintf("  listeners: [{name: http, port: %d, protocol: HTTP}]\n", port)
}

// A Gateway's certificate is shown to backends of TLS, each Gateway's own, over
// connections that no other Gateway's requests go through.
func TestBackendTLSClientCertificate(t *testing.T) {
	t.Parallel()
	root, clients := makePair(t, "p256", nil), makePair(t, "p256", nil)
	config := serverConfig(makePair(t, "p256", root, "app.example"))
	config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, rootsOf(clients)
	b := serveSecure(t, config)
	class := "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: c}\nspec: {controllerName: yumen.dev/gateway-controller}\n"
	var gateways [3]int
	shown := []*tlsPair{nil, makePair(t, "p256", clients, "one"), makePair(t, "rsa", clients, "two")}
	files := map[string]string{"class.yaml": class, "ca.yaml": authorityYAML("root", root),
		"app.yaml": serviceYAML("app", b.port) + "---\n" + tlsPolicyYAML("app", believing("app.example", "root"))}
	route := strings.Replace(routeYAML("r", "", prefixRule("/", "app")), "[{name: eg}]", "[{name: g0}, {name: g1}, {name: g2}]", 1)
	files["route.yaml"] = route
	for i := range gateways {
		gateways[i] = freePort(t)
		secret := ""
		if i > 0 {
			secret = fmt.Sprint("client", i)
			files[secret+".yaml"] = shown[i].secret(t, secret)
		}
		files[fmt.Sprintf("g%d.yaml", i)] = gatewayShowing(fmt.Sprint("g", i), gateways[i], secret)
	}
	g := start(t, gateways[0], files)
	nameOf := func(i int) string {
		if shown[i] == nil {
			return ""
		}
		return shown[i].certificate.Subject.CommonName
	}
	ask := func(client *http.Client, path string) (string, error) {
		response, err := client.Get("http://a.test" + path)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 200 {
			return "", fmt.Errorf("%d %s", response.StatusCode, body)
		}
		return response.Header.Get("X-Peer"), nil
	}
	var group sync.WaitGroup
	for i := range gateways {
		for n := 0; n < 3; n++ {
			group.Add(1)
			go func() {
				defer group.Done()
				client := clientTo(fmt.Sprintf("127.0.0.1:%d", gateways[i]))
				defer client.CloseIdleConnections()
				for k := 0; k < 60; k++ {
					path := "/"
					if k%7 == 0 {
						path = "/?close"
					}
					if peer, err := ask(client, path); err != nil || peer != nameOf(i) {
						t.Errorf("gateway %d: %q, not %q: %v", i, peer, nameOf(i), err)
						return
					}
				}
			}()
		}
	}
	group.Wait()

	// Another certificate in the Secret, then none that is asked for.
	shown[1] = makePair(t, "p256", clients, "renewed")
	g.replace("client1.yaml", shown[1].secret(t, "client1"))
	client := clientTo(fmt.Sprintf("127.0.0.1:%d", gateways[1]))
	await := func(what string) {
		t.Helper()
		g.eventually(what, func() error {
			peer, err := ask(client, "/")
			if err == nil && peer != nameOf(1) {
				err = fmt.Errorf("%q", peer)
			}
			return err
		})
	}
	await("the renewed certificate")
	g.replace("g1.yaml", gatewayShowing("g1", gateways[1], ""))
	shown[1] = nil
	await("no certificate")
	g.replace("g1.yaml", gatewayShowing("g1", gateways[1], "client2"))
	shown[1] = shown[2]
	await("another Secret")
	if b.plain.Load() > 0 {
		t.Error("plain text")
	}
}

// A policy comes, changes and goes under load: every request is answered by the
// backend; while it is in force none goes in plain text.
func TestBackendTLSPolicyUnderLoad(t *testing.T) {
	t.Parallel()
	first, second := makePair(t, "p256", nil), makePair(t, "p256", nil)
	// Both authorities have signed a certificate of the backend's: it shows the one
	// that the SNI asks for.
	old, renewed := makePair(t, "p256", first, "old.example"), makePair(t, "p256", second, "new.example")
	b := serveSecure(t, serverConfig(old, renewed))
	port := freePort(t)
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "app.yaml": serviceYAML("app", b.port),
		"route.yaml": routeYAML("r", "", prefixRule("/", "app")),
		"ca.yaml":    authorityYAML("first", first) + "---\n" + authorityYAML("second", second)})
	g.expect(200, "GET", "a.test", "/")
	stop := make(chan struct{})
	var group sync.WaitGroup
	var asked atomic.Int64
	var mustBeTLS atomic.Bool
	for n := 0; n < 8; n++ {
		group.Add(1)
		go func() {
			defer group.Done()
			client := g.client()
			defer client.CloseIdleConnections()
			for k := 0; ; k++ {
				select {
				case <-stop:
					return
				default:
				}
				secure := mustBeTLS.Load()
				path := "/"
				if k%10 == n {
					path = "/?close"
				}
				response, err := client.Post("http://a.test"+path, "text/plain", strings.NewReader("body"))
				if err != nil {
					t.Errorf("lost: %v", err)
					return
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				asked.Add(1)
				if err != nil || response.StatusCode != 200 || string(body) != "body" {
					t.Errorf("lost: %d %s %v", response.StatusCode, body, err)
					return
				}
				if secure && mustBeTLS.Load() && response.Header.Get("X-Kind") != "tls" {
					t.Error("plain text while the policy is in force")
					return
				}
			}
		}()
	}
	kind := func(want string) {
		t.Helper()
		g.eventually(want, func() error {
			// Both workers.
			for i := 0; i < 16; i++ {
				response, body, err := g.tryFetch("GET", "a.test", "/")
				if err != nil || response.StatusCode != 200 {
					return fmt.Errorf("%v %s", err, body)
				}
				if got := response.Header.Get("X-Kind"); got != want {
					return fmt.Errorf("%s, not %s", got, want)
				}
			}
			return nil
		})
	}
	sni := func(name string) {
		t.Helper()
		before := asked.Load()
		g.eventually(name, func() error {
			if _, ok := b.names.Load(name); !ok || asked.Load() < before+100 {
				return fmt.Errorf("not yet")
			}
			return nil
		})
	}
	rounds := 6
	if slow() {
		rounds = 3
	}
	for i := 0; i < rounds && !t.Failed(); i++ {
		g.replace("policy.yaml", tlsPolicyYAML("app", believing("old.example", "first")))
		kind("tls")
		mustBeTLS.Store(true)
		sni("old.example")
		b.names.Delete("new.example")
		g.replace("policy.yaml", tlsPolicyYAML("app", believing("new.example", "second")))
		sni("new.example")
		b.names.Delete("old.example")
		mustBeTLS.Store(false)
		g.replace("policy.yaml", "")
		kind("plain")
	}
	close(stop)
	group.Wait()
	t.Logf("%d requests", asked.Load())
}

// The next connection to an endpoint resumes the session of the one before.
func TestBackendTLSResumption(t *testing.T) {
	t.Parallel()
	root := makePair(t, "p256", nil)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := serverConfig(makePair(t, "p256", root, "app.example"))
		config.MaxVersion = version
		b := serveSecure(t, config)
		port := freePort(t)
		g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
			"app.yaml":   serviceYAML("app", b.port) + "---\n" + tlsPolicyYAML("app", believing("app.example", "root")),
			"route.yaml": routeYAML("r", "", prefixRule("/", "app"))}, "--workers", "1")
		for i := 0; i < 20; i++ {
			if response, body := g.fetch("GET", "a.test", "/?close"); response.StatusCode != 200 {
				t.Fatalf("%d %s", response.StatusCode, body)
			}
		}
		if b.shakes.Load() != 20 || b.resumed.Load() != 19 {
			t.Errorf("%x: %d handshakes, %d resumed", version, b.shakes.Load(), b.resumed.Load())
		}
		g.wantMetric(`yumen_tls_handshakes_total{side="backend",resumed="yes"}`, 19)
		// Another authority: nothing of the old sessions is of use.
		other := makePair(t, "p256", nil)
		g.replace("ca.yaml", authorityYAML("root", other))
		g.expect(502, "GET", "a.test", "/?close")
	}
}

// Bodies of either direction are the same bytes, whatever their size.
func TestBackendTLSBodies(t *testing.T) {
	t.Parallel()
	root := makePair(t, "p256", nil)
	b := serveSecure(t, serverConfig(makePair(t, "p256", root, "app.example")))
	port := freePort(t)
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
		"app.yaml":   serviceYAML("app", b.port) + "---\n" + tlsPolicyYAML("app", believing("app.example", "root")),
		"route.yaml": routeYAML("r", "", prefixRule("/", "app"))})
	client := g.client()
	defer client.CloseIdleConnections()
	for _, size := range []int{0, 1, 16, 16384, 16400, 1 << 20, 24 << 20} {
		sent := bytes.Repeat([]byte("x"), size)
		for i := 0; i < len(sent); i += 4099 {
			sent[i] = byte('a' + i%23)
		}
		for _, chunked := range []bool{false, true} {
			var reader io.Reader = bytes.NewReader(sent)
			if chunked {
				reader = struct{ io.Reader }{reader}
			}
			response, err := client.Post("http://a.test/", "text/plain", reader)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != 200 || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes, chunked %v: %d, %d bytes, %v", size, chunked, response.StatusCode, len(got), err)
			}
		}
	}
	response, err := client.Get(fmt.Sprintf("http://a.test/?size=%d", 64<<20))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if n != 64<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// appProtocol wss, and https, take a policy; then an upgrade goes through as in
// plain text. h2c takes HTTP/2.
func TestBackendTLSProtocols(t *testing.T) {
	t.Parallel()
	root := makePair(t, "p256", nil)
	pair := makePair(t, "p256", root, "app.example")
	b := script(t, func(conn net.Conn, _ *bufio.Reader) {
		secure := tls.Server(conn, serverConfig(pair))
		reader := bufio.NewReader(secure)
		head, err := readHead(reader)
		if err != nil {
			return
		}
		if !strings.Contains(head, "Upgrade: websocket") {
			io.WriteString(secure, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			return
		}
		io.WriteString(secure, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
		io.Copy(secure, reader)
		secure.CloseWrite()
	})
	port := freePort(t)
	service := func(protocol string) string {
		return strings.Replace(serviceYAML("app", b.port), "protocol: TCP}]}", "protocol: TCP, appProtocol: "+protocol+"}]}", 1)
	}
	policy := tlsPolicyYAML("app", believing("app.example", "root"))
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
		"app.yaml": service("kubernetes.io/wss"), "policy.yaml": policy,
		"route.yaml": routeYAML("r", "", prefixRule("/", "app"))})
	for _, protocol := range []string{"kubernetes.io/wss", "https", "kubernetes.io/ws"} {
		g.replace("app.yaml", service(protocol))
		g.expect(200, "GET", "a.test", "/")
		for _, size := range []int{1, 70000, 3 << 20} {
			conn := dial(t, g.address())
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			reader := bufio.NewReader(conn)
			head, err := readHead(reader)
			if err != nil || !strings.HasPrefix(head, "HTTP/1.1 101") {
				t.Fatalf("%s: %s %v", protocol, head, err)
			}
			sent := bytes.Repeat([]byte("abcdefg"), size/7+1)
			go func() {
				conn.Write(sent)
				conn.(*net.TCPConn).CloseWrite()
			}()
			got, err := io.ReadAll(reader)
			if err != nil || string(got) != "hello"+string(sent) {
				t.Errorf("%s: %d of %d bytes came back: %v", protocol, len(got)-5, len(sent), err)
			}
			conn.Close()
		}
	}
	// Without somebody to believe it is no backend; with HTTP/2 it is none yet.
	g.replace("policy.yaml", "")
	g.replace("app.yaml", service("kubernetes.io/wss"))
	g.expect(500, "GET", "a.test", "/")
	g.replace("policy.yaml", policy)
	g.expect(200, "GET", "a.test", "/")
	g.replace("app.yaml", service("kubernetes.io/h2c"))
	g.expect(500, "GET", "a.test", "/")
}

// A backend that accepts and then says nothing, or goes away in the handshake.
func TestBackendTLSSilence(t *testing.T) {
	t.Parallel()
	root := makePair(t, "p256", nil)
	silent := script(t, func(conn net.Conn, r *bufio.Reader) { io.Copy(io.Discard, r) })
	gone := script(t, func(conn net.Conn, r *bufio.Reader) { r.Peek(1) })
	port := freePort(t)
	policies := tlsPolicyYAML("silent", believing("app.example", "root")) + "---\n" + tlsPolicyYAML("gone", believing("app.example", "root"))
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
		"silent.yaml": serviceYAML("silent", silent.port), "gone.yaml": serviceYAML("gone", gone.port), "policy.yaml": policies,
		"route.yaml": routeYAML("r", "", prefixRule("/silent", "silent")+prefixRule("/gone", "gone"))})
	for path, want := range map[string]string{"/silent": "connection_timeout", "/gone": "connection_refused"} {
		if response, body := g.fetch("GET", "a.test", path); response.StatusCode != 503 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, response.StatusCode, body)
		}
	}
	g.wantMetric(`yumen_tls_handshake_failures_total{side="backend",reason="timeout"}`, 1)
	g.wantMetric(`yumen_tls_handshake_failures_total{side="backend",reason="closed"}`, 1)
}

// An XBackend asks for TLS itself, and for the certificate that it is shown; explain
// tells both.
func TestBackendTLSExternal(t *testing.T) {
	t.Parallel()
	root, clients := makePair(t, "p256", nil), makePair(t, "p256", nil)
	config := serverConfig(makePair(t, "p256", root, "app.example"))
	config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, rootsOf(clients)
	b := serveSecure(t, config)
	port := freePort(t)
	external := func(mode string) string { return xbackendYAML(b.port, mode) }
	validation := "validation: {" + believing("app.example", "root") + "}"
	client := makePair(t, "p256", clients, "client")
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
		"client.yaml": client.secret(t, "client"), "backend.yaml": external("mode: ServerOnly, " + validation),
		"route.yaml": xbackendRoute})
	shown := func(want string) {
		t.Helper()
		g.eventually("shown "+want, func() error {
			response, body, err := g.tryFetch("GET", "a.test", "/")
			if err != nil || response.StatusCode != 200 || response.Header.Get("X-Peer") != want {
				return fmt.Errorf("%v %s", err, body)
			}
			return nil
		})
	}
	explained := func(part string) {
		t.Helper()
		out, err := exec.Command(program(t), "explain", fmt.Sprintf("http://a.test:%d/", port), "--socket", g.socket).CombinedOutput()
		if !strings.Contains(string(out), part) {
			t.Errorf("%v\n%s", err, out)
		}
	}
	shown("")
	explained("in TLS as app.example, believing authority/configmap/default/root")
	g.replace("backend.yaml", external("mode: ClientAndServer, clientCertificateRef: {name: client}, "+validation))
	shown(client.certificate.Subject.CommonName)
	explained("showing certificate/default/client")
	g.replace("client.yaml", "")
	g.expect(500, "GET", "a.test", "/")
	explained("there is no Secret default/client")
	g.replace("backend.yaml", external("mode: ServerOnly, "+strings.Replace(validation, "name: root", "name: gone", 1)))
	g.eventually("refused", func() error {
		response, body, err := g.tryFetch("GET", "a.test", "/")
		if err != nil || response.StatusCode != 500 {
			return fmt.Errorf("%v %s", err, body)
		}
		return nil
	})
	g.write("gone.yaml", authorityYAML("gone", root))
	shown("")
	if b.plain.Load() > 0 {
		t.Error("plain text")
	}
}

// OpenSSL's own server, of each version.
func TestBackendTLSOpenSSL(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl")
	}
	root := makePair(t, "p256", nil)
	pair := makePair(t, "rsa", root, "app.example")
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		backend := freePort(t)
		server := exec.Command(openssl, "s_server", "-quiet", version, "-www", "-accept", fmt.Sprintf("127.0.0.1:%d", backend),
			"-cert", pair.chainPath, "-key", pair.keyPath)
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Process.Kill(); server.Wait() })
		port := freePort(t)
		g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
			"app.yaml":   serviceYAML("app", backend) + "---\n" + tlsPolicyYAML("app", believing("app.example", "root")),
			"route.yaml": routeYAML("r", "", prefixRule("/", "app"))}, "--workers", "1")
		for i := 0; i < 4; i++ {
			if body := g.expect(200, "GET", "a.test", "/"); !strings.Contains(body, "TLSv1."+version[len(version)-1:]) {
				t.Errorf("%s: %s", version, body)
			}
		}
		g.wantMetric(`yumen_tls_handshakes_total{side="backend",resumed="yes"}`, 1)
	}
}

// One endpoint of two is not believed: requests go to the other, none is lost.
func TestBackendTLSOneBadEndpoint(t *testing.T) {
	t.Parallel()
	root := makePair(t, "p256", nil)
	good := serveSecure(t, serverConfig(makePair(t, "p256", root, "app.example")))
	bad := serveSecure(t, serverConfig(makePair(t, "p256", nil, "app.example")))
	port := freePort(t)
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
		"app.yaml":   serviceYAML("app", good.port, bad.port) + "---\n" + tlsPolicyYAML("app", believing("app.example", "root")),
		"route.yaml": routeYAML("r", "", prefixRule("/", "app"))})
	client := g.client()
	defer client.CloseIdleConnections()
	for i := 0; i < 60; i++ {
		response, err := client.Post("http://a.test/?close", "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != 200 || string(body) != "body" {
			t.Errorf("%d %s", response.StatusCode, body)
		}
	}
	if bad.count() > 0 || good.count() != 60 {
		t.Errorf("%d and %d requests", good.count(), bad.count())
	}
	g.wantMetric(`yumen_tls_handshake_failures_total{side="backend",reason="certificate_untrusted"}`, 1)
}

// A policy of one port is that port's alone, and counts there before one of the whole
// Service; of two of the same target the older counts, and the other takes over.
func TestBackendTLSWhichPolicy(t *testing.T) {
	t.Parallel()
	root, other := makePair(t, "p256", nil), makePair(t, "p256", nil)
	secure := serveSecure(t, serverConfig(makePair(t, "p256", root, "app.example")))
	plain := serveSecure(t, serverConfig(makePair(t, "p256", root, "app.example")))
	port := freePort(t)
	service := fmt.Sprintf(`apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {ports: [{name: open, port: 80}, {name: closed, port: 443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: app-1, namespace: default, labels: {kubernetes.io/service-name: app}}
addressType: IPv4
ports: [{name: open, port: %d}, {name: closed, port: %d}]
endpoints: [{addresses: ["127.0.0.1"], conditions: {ready: true}}]
`, plain.port, secure.port)
	policy := func(name, created, section, ca string) string {
		text := strings.Replace(tlsPolicyYAML("app", believing("app.example", ca)), "{name: app, namespace: default}",
			fmt.Sprintf("{name: %s, namespace: default, creationTimestamp: %q}", name, created), 1)
		return strings.Replace(text, "name: app}]", "name: app"+section+"}]", 1)
	}
	rule := func(path string, port int) string {
		return strings.Replace(prefixRule(path, "app"), "port: 80", fmt.Sprint("port: ", port), 1)
	}
	const older, newer, closed = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", ", sectionName: closed"
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "app.yaml": service,
		"ca.yaml": authorityYAML("root", root) + "---\n" + authorityYAML("other", other), "b.yaml": policy("b", newer, closed, "root"),
		"route.yaml": routeYAML("r", "", rule("/open", 80)+rule("/closed", 443))})
	answers := func(path string, status int, kind string) {
		t.Helper()
		g.eventually(fmt.Sprint(path, " ", status, " ", kind), func() error {
			response, body, err := g.tryFetch("GET", "a.test", path)
			if err != nil || response.StatusCode != status || response.Header.Get("X-Kind") != kind {
				return fmt.Errorf("%v %v %s", err, response, body)
			}
			return nil
		})
	}
	accepted := func(name, want string) {
		t.Helper()
		g.eventually(name+" is "+want, func() error {
			if got, why := conditionOf(g, name, "Accepted"); got != want {
				return fmt.Errorf("%s: %s", got, why)
			}
			return nil
		})
	}
	answers("/closed", 200, "tls")
	answers("/open", 200, "plain")
	accepted("b", "True Accepted")
	// Of the same port, older: it counts, and believes somebody else.
	g.write("a.yaml", policy("a", older, closed, "other"))
	answers("/closed", 502, "")
	accepted("a", "True Accepted")
	accepted("b", "False Conflicted")
	answers("/open", 200, "plain")
	g.replace("a.yaml", "")
	answers("/closed", 200, "tls")
	accepted("b", "True Accepted")
	// Of the whole Service, older: for the other port alone.
	g.replace("a.yaml", policy("a", older, "", "other"))
	answers("/open", 502, "")
	answers("/closed", 200, "tls")
	g.replace("a.yaml", policy("a", older, "", "root"))
	answers("/open", 200, "tls")
	accepted("a", "True Accepted")
	accepted("b", "True Accepted")
}
