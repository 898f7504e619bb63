package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// HTTPS as `yumen run` serves it: the objects are files, the client is Go's
// crypto/tls.

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (p *tlsPair) pem(t testing.TB) (chain, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", p.certificate.Raw), pemOf("PRIVATE KEY", der)
}

func secretYAML(name, chain, key string) string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata: {name: %s, namespace: default}
type: kubernetes.io/tls
data:
  tls.crt: %s
  tls.key: %s
`, name, encode([]byte(chain)), encode([]byte(key)))
}

func (p *tlsPair) secret(t testing.TB, name string) string {
	t.Helper()
	chain, key := p.pem(t)
	return secretYAML(name, chain, key)
}

func authorityYAML(name string, pair *tlsPair) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: default}\ndata:\n  ca.crt: |\n" +
		indent(pemOf("CERTIFICATE", pair.certificate.Raw), "    ")
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}

// httpsListener is a listener of a Gateway: name, hostname ("" for none), Secrets.
func httpsListener(port int, name, hostname string, secrets ...string) string {
	text := fmt.Sprintf("  - name: %s\n    port: %d\n    protocol: HTTPS\n", name, port)
	if hostname != "" {
		text += fmt.Sprintf("    hostname: \"%s\"\n", hostname)
	}
	text += "    tls:\n      certificateRefs:\n"
	for _, secret := range secrets {
		text += "      - name: " + secret + "\n"
	}
	return text
}

func httpsGateway(extra string, listeners ...string) string {
	return "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: c}\n" +
		"spec: {controllerName: yumen.dev/gateway-controller}\n---\n" +
		"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: eg, namespace: default}\n" +
		"spec:\n  gatewayClassName: c\n  addresses: [{value: 127.0.0.1}]\n" + extra + "  listeners:\n" + strings.Join(listeners, "")
}

// httpsBasics serves everything by a route to one backend.
func httpsBasics(t testing.TB, port int, files map[string]string, args ...string) (*gate, *backend) {
	t.Helper()
	b := serve(t, "b")
	files["service.yaml"] = serviceYAML("b", b.port)
	if _, ok := files["route.yaml"]; !ok {
		files["route.yaml"] = routeYAML("r", "", prefixRule("/", "b"))
	}
	return start(t, port, files, args...), b
}

// replace writes a file as a whole, at once.
func (g *gate) replace(name, content string) {
	g.write(name+".tmp", content)
	os.Rename(filepath.Join(g.dir, name+".tmp"), filepath.Join(g.dir, name))
}

// shake is a handshake; the connection is the caller's to close.
func shake(address string, config *tls.Config) (*tls.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, 20*time.Second)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, config)
	secure.SetDeadline(time.Now().Add(20 * time.Second))
	if err := secure.Handshake(); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// over sends one request over a connection and reads its answer.
func over(conn *tls.Conn, host, path string, headers ...string) (*http.Response, string, error) {
	head := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		return nil, "", err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func rootsOf(pairs ...*tlsPair) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, pair := range pairs {
		pool.AddCert(pair.certificate)
	}
	return pool
}

// ask is a handshake and a request on a connection of its own.
func ask(address string, config *tls.Config, host, path string, headers ...string) (*http.Response, string, error) {
	conn, err := shake(address, config)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close()
	return over(conn, host, path, headers...)
}

func (g *gate) askUntil(t testing.TB, status int, config *tls.Config, host string, headers ...string) string {
	t.Helper()
	var text string
	g.eventually(fmt.Sprintf("https to %s: %d", host, status), func() error {
		response, body, err := ask(g.address(), config, host, "/", headers...)
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

func TestHTTPSNamesAndMisdirected(t *testing.T) {
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, b := httpsBasics(t, port, map[string]string{
		"secrets.yaml": makePair(t, "", authority, "a.example").secret(t, "a") + "---\n" +
			makePair(t, "rsa", authority, "*.b.example").secret(t, "b-rsa") + "---\n" +
			makePair(t, "", authority, "*.b.example").secret(t, "b") + "---\n" +
			makePair(t, "ed25519", authority, "rest.example").secret(t, "rest"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "a"),
			httpsListener(port, "b", "*.b.example", "b-rsa", "b"), httpsListener(port, "rest", "", "rest")),
	})
	config := func(name string) *tls.Config {
		return &tls.Config{RootCAs: rootsOf(authority), ServerName: name}
	}
	g.askUntil(t, 200, config("a.example"), "a.example")
	seen := b.last(t)
	if seen.Header.Get("X-Forwarded-Proto") != "https" || seen.Header.Get("X-Forwarded-Port") != fmt.Sprint(port) {
		t.Errorf("the backend was told %v", seen.Header)
	}
	for _, c := range []struct {
		name, host string
		status     int
	}{
		{"a.example", "a.example", 200},
		{"A.Example", "A.EXAMPLE", 200},
		{"x.b.example", "x.b.example", 200},
		{"x.b.example", "y.b.example:" + fmt.Sprint(port), 200},
		{"rest.example", "rest.example", 200},
		{"rest.example", "unknown.example", 200}, // the same listener's
		{"rest.example", "a.example", 421},
		{"rest.example", "x.b.example", 421},
		{"a.example", "x.b.example", 421},
		{"a.example", "unknown.example", 421}, // the one without a hostname takes it
		{"x.b.example", "a.example", 421},
	} {
		response, _, err := ask(g.address(), config(c.name), c.host, "/")
		if err != nil || response.StatusCode != c.status {
			t.Errorf("SNI %s, host %s: %v %v", c.name, c.host, response, err)
			continue
		}
		if c.status == 421 && !strings.Contains(response.Header.Get("Proxy-Status"), "misdirected") {
			t.Errorf("SNI %s, host %s: %v", c.name, c.host, response.Header)
		}
	}
	// After a 421 the connection is as good as before.
	conn, err := shake(g.address(), config("a.example"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct {
		host   string
		status int
	}{{"a.example", 200}, {"x.b.example", 421}, {"a.example", 200}} {
		if response, _, err := over(conn, c.host, "/"); err != nil || response.StatusCode != c.status {
			t.Errorf("%s: %v %v", c.host, response, err)
		}
	}
	// Without SNI there is the listener without a hostname.
	unnamed := &tls.Config{InsecureSkipVerify: true}
	if response, _, err := ask(g.address(), unnamed, "unknown.example", "/"); err != nil || response.StatusCode != 200 {
		t.Errorf("without SNI: %v %v", response, err)
	}
	// ECDSA where the client can, RSA where it cannot.
	for _, c := range []struct {
		suite uint16
		want  x509.PublicKeyAlgorithm
	}{{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x509.RSA}, {tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, x509.ECDSA}} {
		config := config("x.b.example")
		config.MaxVersion = tls.VersionTLS12
		config.CipherSuites = []uint16{c.suite}
		conn, err := shake(g.address(), config)
		if err != nil {
			t.Errorf("%x: %v", c.suite, err)
			continue
		}
		if got := conn.ConnectionState().PeerCertificates[0].PublicKeyAlgorithm; got != c.want {
			t.Errorf("%x: %v", c.suite, got)
		}
		conn.Close()
	}
	conn, err = shake(g.address(), config("x.b.example"))
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.ConnectionState().PeerCertificates[0].PublicKeyAlgorithm; got != x509.ECDSA {
		t.Errorf("TLS 1.3: %v", got)
	}
	conn.Close()
	// Plain text is not answered as such.
	if answer := rawAny(t, g.address(), "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); strings.HasPrefix(answer, "HTTP/") {
		t.Errorf("plain text got %q", answer)
	}
}

// Of the listeners that a name fits, the longest hostname: the exact one, then the
// wildcard with most labels, then none.
func TestHTTPSLongestName(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	hostnames := map[string]string{"none": "", "wide": "*.example", "narrow": "*.b.example", "exact": "x.b.example", "deep": "*.d.c.b.example"}
	var secrets, listeners []string
	pairs := map[string]*tlsPair{}
	for name, hostname := range hostnames {
		pairs[name] = makePair(t, "", authority, "any")
		secrets = append(secrets, pairs[name].secret(t, name))
		listeners = append(listeners, httpsListener(port, name, hostname, name))
	}
	g, _ := httpsBasics(t, port, map[string]string{"secrets.yaml": strings.Join(secrets, "---\n"), "gateway.yaml": httpsGateway("", listeners...)})
	config := func(name string) *tls.Config { return &tls.Config{InsecureSkipVerify: true, ServerName: name} }
	g.askUntil(t, 200, config("x.b.example"), "x.b.example")
	for name, want := range map[string]string{"x.b.example": "exact", "X.B.example": "exact", "y.b.example": "narrow", "x.y.b.example": "narrow",
		"c.b.example": "narrow", "d.c.b.example": "narrow", "e.d.c.b.example": "deep", "b.example": "wide", "a.example": "wide", "example": "none",
		"b.examples": "none", "": "none", "xb.example": "wide"} {
		conn, err := shake(g.address(), config(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !conn.ConnectionState().PeerCertificates[0].Equal(pairs[want].certificate) {
			t.Errorf("%s: not the certificate of %s", name, want)
		}
		conn.Close()
	}
}

// Who says nothing, or stops in the midst of a hello, is cut: others are served
// meanwhile.
func TestHTTPSSilence(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s"))})
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")
	var silent []net.Conn
	for _, begun := range []string{"", "\x16\x03\x01", "\x16\x03\x01\x00\xff\x01\x00\x00\xfb\x03\x03"} {
		conn := dial(t, g.address())
		defer conn.Close()
		io.WriteString(conn, begun)
		silent = append(silent, conn)
	}
	g.askUntil(t, 200, config, "a.example")
	for i, conn := range silent {
		conn.SetReadDeadline(time.Now().Add(60 * time.Second))
		if answer, err := io.ReadAll(conn); os.IsTimeout(err) || strings.HasPrefix(string(answer), "HTTP") {
			t.Errorf("%d: %q %v", i, answer, err)
		}
	}
	g.wantMetric(`yumen_tls_handshake_failures_total{side="client",reason="timeout"}`, 3)
	g.wantMetric(`yumen_limit_hits_total{limit="tls_handshake_ms"}`, 3)
}

// rawAny sends bytes and reads to the end, whatever it is.
func rawAny(t testing.TB, address, send string) string {
	conn := dial(t, address)
	defer conn.Close()
	io.WriteString(conn, send)
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

func TestHTTPSWithoutCatchAll(t *testing.T) {
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{
		"secret.yaml":  makePair(t, "", authority, "a.example").secret(t, "a"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "a")),
	})
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")
	// No other listener takes the host: 404, not 421.
	g.askUntil(t, 404, config, "other.example")
	_, err := shake(g.address(), &tls.Config{RootCAs: rootsOf(authority), ServerName: "other.example"})
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("another name: %v", err)
	}
	g.wantMetric(`yumen_tls_handshake_failures_total{side="client",reason="name_refused"}`, 1)
}

func (g *gate) wantMetric(name string, least int) {
	g.t.Helper()
	g.eventually(name, func() error {
		for _, line := range strings.Split(g.metrics(), "\n") {
			var value int
			if rest, ok := strings.CutPrefix(line, name+" "); ok {
				if _, err := fmt.Sscan(rest, &value); err == nil && value >= least {
					return nil
				}
				return fmt.Errorf("%s", line)
			}
		}
		return fmt.Errorf("no such metric")
	})
}

func TestHTTPSVersionsAndProtocols(t *testing.T) {
	authority := makePair(t, "", nil)
	port := freePort(t)
	strict := httpsListener(port, "strict", "strict.example", "s") +
		"      options:\n        yumen.dev/tls-min-version: \"1.3\"\n"
	g, _ := httpsBasics(t, port, map[string]string{
		"secret.yaml":  makePair(t, "", authority, "a.example", "strict.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s"), strict),
	})
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	for _, c := range []struct {
		name      string
		version   uint16
		protocols []string
		fails     string
	}{
		{"a.example", tls.VersionTLS10, nil, "protocol version"},
		{"a.example", tls.VersionTLS11, nil, "protocol version"},
		{"a.example", tls.VersionTLS12, nil, ""},
		{"a.example", tls.VersionTLS13, nil, ""},
		{"strict.example", tls.VersionTLS12, nil, "protocol version"},
		{"strict.example", tls.VersionTLS13, nil, ""},
		{"a.example", tls.VersionTLS13, []string{"h2", "http/1.1"}, ""},
		{"a.example", tls.VersionTLS13, []string{"h2"}, "no application protocol"},
	} {
		conn, err := shake(g.address(), &tls.Config{RootCAs: rootsOf(authority), ServerName: c.name,
			MinVersion: c.version, MaxVersion: c.version, NextProtos: c.protocols})
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s %x %v: %v", c.name, c.version, c.protocols, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %x %v: %v", c.name, c.version, c.protocols, err)
			continue
		}
		state := conn.ConnectionState()
		if state.Version != c.version || (c.protocols != nil && state.NegotiatedProtocol != "http/1.1") {
			t.Errorf("%s %x %v: %x %q", c.name, c.version, c.protocols, state.Version, state.NegotiatedProtocol)
		}
		conn.Close()
	}
	g.wantMetric(`yumen_tls_handshake_failures_total{side="client",reason="nothing_shared"}`, 4)
}

func TestHTTPSResumption(t *testing.T) {
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{
		"secret.yaml": makePair(t, "", authority, "a.example", "b.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s"),
			httpsListener(port, "b", "b.example", "s")),
	})
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cache := tls.NewLRUClientSessionCache(8)
		config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example", ClientSessionCache: cache,
			MinVersion: version, MaxVersion: version}
		// Whichever worker it comes to.
		for i := 0; i < 8; i++ {
			conn, err := shake(g.address(), config)
			if err != nil {
				t.Fatal(err)
			}
			// The ticket of TLS 1.3 comes behind the handshake.
			if response, _, err := over(conn, "a.example", "/"); err != nil || response.StatusCode != 200 {
				t.Fatal(response, err)
			}
			if resumed := conn.ConnectionState().DidResume; resumed != (i > 0) {
				t.Errorf("%x, connection %d: resumed %v", version, i, resumed)
			}
			conn.Close()
		}
	}
	g.wantMetric(`yumen_tls_handshakes_total{side="client",resumed="yes"}`, 14)
}

func TestHTTPSClientCertificates(t *testing.T) {
	authority, other := makePair(t, "", nil), makePair(t, "", nil)
	client, stranger := makePair(t, "", authority, "client"), makePair(t, "", other, "client")
	port, lax := freePort(t), freePort(t)
	frontend := fmt.Sprintf(`  tls:
    frontend:
      default:
        validation:
          caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]
      perPort:
      - port: %d
        tls:
          validation:
            mode: AllowInsecureFallback
            caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]
`, lax)
	g, b := httpsBasics(t, port, map[string]string{
		"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"ca.yaml":     authorityYAML("ca", authority),
		"gateway.yaml": httpsGateway(frontend, httpsListener(port, "a", "a.example", "s"),
			httpsListener(lax, "lax", "a.example", "s")),
	})
	config := func(pairs ...*tlsPair) *tls.Config {
		config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
		if len(pairs) > 0 {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				certificate := pairs[0].forClient()
				return &certificate, nil
			}
		}
		return config
	}
	forged := "Client-Cert: :Zm9yZ2Vk:"
	g.askUntil(t, 200, config(client), "a.example", forged, "Client-Cert-Chain: :eA==:")
	want := ":" + base64.StdEncoding.EncodeToString(client.certificate.Raw) + ":"
	if seen := b.last(t).Header; len(seen["Client-Cert"]) != 1 || seen.Get("Client-Cert") != want || seen["Client-Cert-Chain"] != nil {
		t.Errorf("the backend was told %v", seen)
	}
	for name, config := range map[string]*tls.Config{"none": config(), "a stranger's": config(stranger)} {
		if response, _, err := ask(g.address(), config, "a.example", "/"); err == nil {
			t.Errorf("%s: %v", name, response)
		}
	}
	g.wantMetric(`yumen_tls_handshake_failures_total{side="client",reason="certificate_missing"}`, 1)
	g.wantMetric(`yumen_tls_handshake_failures_total{side="client",reason="certificate_refused"}`, 1)
	laxAddress := fmt.Sprintf("127.0.0.1:%d", lax)
	for _, c := range []struct {
		name   string
		config *tls.Config
		want   string
	}{{"none", config(), ""}, {"a stranger's", config(stranger), ""}, {"the client's", config(client), want}} {
		if response, _, err := ask(laxAddress, c.config, "a.example", "/", forged); err != nil || response.StatusCode != 200 {
			t.Errorf("%s: %v %v", c.name, response, err)
		} else if got := b.last(t).Header.Get("Client-Cert"); got != c.want {
			t.Errorf("%s: the backend was told %q", c.name, got)
		}
	}
	// A connection that was let in under what is asked no more is not served on.
	conn, err := shake(g.address(), config(client))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if response, _, err := over(conn, "a.example", "/"); err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
	g.write("ca.yaml", authorityYAML("ca", other))
	g.askUntil(t, 200, config(stranger), "a.example")
	if response, _, err := over(conn, "a.example", "/"); err != nil || response.StatusCode != 421 {
		t.Errorf("an old connection: %v %v", response, err)
	}
	if response, _, err := ask(g.address(), config(client), "a.example", "/"); err == nil {
		t.Errorf("the old client: %v", response)
	}
}

func TestHTTPSRedirectAndLog(t *testing.T) {
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{
		"secret.yaml":  makePair(t, "", authority, "a.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s")),
		"route.yaml": routeYAML("r", "", `  - matches: [{path: {type: PathPrefix, value: /}}]
    filters:
    - type: RequestRedirect
      requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}}
`),
	}, "--access-log", "text")
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 302, config, "a.example")
	response, _, err := ask(g.address(), config, "a.example", "/")
	if want := fmt.Sprintf("https://a.example:%d/new", port); err != nil || response.Header.Get("Location") != want {
		t.Errorf("%v %v", response, err)
	}
	g.eventually("a line of the access log", func() error {
		for _, want := range []string{"1.3", "TLS_AES_128_GCM_SHA256", "sni"} {
			if !strings.Contains(g.stdout(), want) {
				return fmt.Errorf("no %s in %s", want, g.stdout())
			}
		}
		return nil
	})
}

// A certificate that comes later heals its listener; a broken one harms it alone.
func TestHTTPSCertificatesAsTheyLive(t *testing.T) {
	authority := makePair(t, "", nil)
	port, plain := freePort(t), freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{
		"good.yaml": makePair(t, "", authority, "good.example").secret(t, "good"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "good", "good.example", "good"),
			httpsListener(port, "late", "late.example", "late"),
			fmt.Sprintf("  - {name: http, port: %d, protocol: HTTP}\n", plain)),
	})
	config := func(name string) *tls.Config {
		return &tls.Config{RootCAs: rootsOf(authority), ServerName: name}
	}
	g.askUntil(t, 200, config("good.example"), "good.example")
	if _, err := shake(g.address(), config("late.example")); err == nil || !strings.Contains(err.Error(), "handshake failure") {
		t.Errorf("without a certificate: %v", err)
	}
	g.wantMetric(`yumen_tls_handshake_failures_total{side="client",reason="no_certificate"}`, 1)
	if response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", plain)); err != nil || response.StatusCode != 200 {
		t.Errorf("the HTTP listener beside it: %v %v", response, err)
	}
	late := makePair(t, "rsa", authority, "late.example")
	g.write("late.yaml", late.secret(t, "late"))
	g.askUntil(t, 200, config("late.example"), "late.example")
	conn, err := shake(g.address(), config("late.example"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	chain, _ := late.pem(t)
	_, wrongKey := makePair(t, "rsa", authority, "x.example").pem(t)
	g.write("late.yaml", secretYAML("late", chain, wrongKey))
	g.eventually("a broken certificate is shown no more", func() error {
		if conn, err := shake(g.address(), config("late.example")); err == nil {
			conn.Close()
			return fmt.Errorf("it is")
		}
		return nil
	})
	// Who is connected stays so.
	if response, _, err := over(conn, "late.example", "/"); err != nil || response.StatusCode != 200 {
		t.Errorf("an open connection: %v %v", response, err)
	}
	g.askUntil(t, 200, config("good.example"), "good.example")
	g.write("late.yaml", late.secret(t, "late"))
	g.askUntil(t, 200, config("late.example"), "late.example")
}

// staple is an OCSP response (RFC 6960) that says good of a certificate: as little
// of it as a server looks at, signed by whom it says.
func staple(t testing.TB, of, issuer, signer *tlsPair, until time.Time) []byte {
	t.Helper()
	type id struct {
		Hash      pkix.AlgorithmIdentifier
		Name, Key []byte
		Serial    *big.Int
	}
	type single struct {
		ID         id
		Good       asn1.Flag `asn1:"tag:0"`
		ThisUpdate time.Time `asn1:"generalized"`
		NextUpdate time.Time `asn1:"generalized,explicit,tag:0"`
	}
	type data struct {
		Responder []byte    `asn1:"explicit,tag:2"`
		Produced  time.Time `asn1:"generalized"`
		Responses []single
	}
	type basic struct {
		Data      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	type response struct {
		Status asn1.Enumerated
		Bytes  struct {
			Type     asn1.ObjectIdentifier
			Response []byte
		} `asn1:"explicit,tag:0"`
	}
	marshal := func(value any) []byte {
		der, err := asn1.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	digest := func(bytes []byte) []byte {
		sum := sha1.Sum(bytes)
		return sum[:]
	}
	key, err := issuer.key.Public().(*ecdsa.PublicKey).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	hash := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, Parameters: asn1.RawValue{Tag: asn1.TagNull}}
	now := time.Now().UTC().Truncate(time.Second)
	said := marshal(data{digest(key.Bytes()), now, []single{{id{hash, digest(issuer.certificate.RawSubject), digest(key.Bytes()),
		of.certificate.SerialNumber}, true, now, until.UTC().Truncate(time.Second)}}})
	sum := sha256.Sum256(said)
	signature, err := signer.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var outer response
	outer.Bytes.Type = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	outer.Bytes.Response = marshal(basic{asn1.RawValue{FullBytes: said},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}},
		asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	return marshal(outer)
}

// What is stapled is fresh, about the certificate, and signed by its issuer where
// the chain says who that is; the condition says why one is not.
func TestHTTPSStaples(t *testing.T) {
	authority, other := makePair(t, "", nil), makePair(t, "", nil)
	port := freePort(t)
	hour := time.Now().Add(time.Hour)
	// For each how it is told of; "": it is stapled.
	told := map[string]string{"fresh.example": "", "alone.example": "", "stale.example": "holds no more", "other.example": "is not about",
		"junk.example": "cannot be parsed", "forged.example": "is not signed by the issuer"}
	var secrets, listeners []string
	responses := map[string][]byte{}
	for name := range told {
		pair := makePair(t, "", authority, name)
		chain, key := pair.pem(t)
		response := staple(t, pair, authority, authority, hour)
		switch name {
		case "alone.example": // nobody can say who has signed it
			response = staple(t, pair, authority, other, hour)
		case "stale.example":
			response = staple(t, pair, authority, authority, time.Now().Add(-time.Minute))
		case "other.example": // of another certificate
			response = staple(t, authority, authority, authority, hour)
		case "junk.example":
			response = []byte("junk")
		case "forged.example":
			response = staple(t, pair, authority, other, hour)
		}
		if name != "alone.example" {
			chain += pemOf("CERTIFICATE", authority.certificate.Raw)
		}
		responses[name] = response
		secrets = append(secrets, secretYAML(name, chain, key)+"  tls.ocsp-staple: "+base64.StdEncoding.EncodeToString(response)+"\n")
		listeners = append(listeners, httpsListener(port, strings.TrimSuffix(name, ".example"), name, name))
	}
	g, _ := httpsBasics(t, port, map[string]string{
		"secrets.yaml": strings.Join(secrets, "---\n"), "gateway.yaml": httpsGateway("", listeners...)})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, why := range told {
			config := &tls.Config{RootCAs: rootsOf(authority), ServerName: name, MaxVersion: version}
			g.askUntil(t, 200, config, name)
			conn, err := shake(g.address(), config)
			if err != nil {
				t.Fatal(err)
			}
			got := conn.ConnectionState().OCSPResponse
			if (why == "" && !bytes.Equal(got, responses[name])) || (why != "" && got != nil) {
				t.Errorf("%s %x: stapled %d bytes", name, version, len(got))
			}
			conn.Close()
		}
	}
	for _, one := range g.get("gateways")[0]["status"].(map[string]any)["listeners"].([]any) {
		listener := one.(map[string]any)
		message := condition(listener["conditions"], "ResolvedRefs")["message"].(string)
		why := told[listener["name"].(string)+".example"]
		if strings.Contains(message, "OCSP") != (why != "") || !strings.Contains(message, why) {
			t.Errorf("%s: %s", listener["name"], message)
		}
	}
}

// A port that was one of plain text is one of TLS, and back: no connection of
// the one is served as the other's.
func TestHTTPSPortChangesItsProtocol(t *testing.T) {
	authority := makePair(t, "", nil)
	port := freePort(t)
	plain := httpsGateway("", fmt.Sprintf("  - {name: l, port: %d, protocol: HTTP}\n", port))
	secure := httpsGateway("", httpsListener(port, "l", "", "s"))
	g, _ := httpsBasics(t, port, map[string]string{
		"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"), "gateway.yaml": plain})
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.expect(200, "GET", "a.example", "/")
	conn := dial(t, g.address())
	defer conn.Close()
	g.write("gateway.yaml", secure)
	g.askUntil(t, 200, config, "a.example")
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, _ := io.ReadAll(conn)
	if strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("a plain connection is served by an HTTPS listener: %q", answer)
	}
	g.write("gateway.yaml", plain)
	g.expect(200, "GET", "a.example", "/")
}

// Handshakes go on while the certificate changes and listeners come and go: each
// gets one of the certificates, none is lost.
func TestHTTPSHandshakesWhileSecretsChange(t *testing.T) {
	handshakes := 10000
	if slow() {
		handshakes = 1500
	}
	authority := makePair(t, "", nil)
	port := freePort(t)
	var secrets []string
	for i := 0; i < 4; i++ {
		secrets = append(secrets, makePair(t, "", authority, "a.example").secret(t, "s"))
	}
	with := httpsGateway("", httpsListener(port, "a", "a.example", "s"), httpsListener(port, "more", "more.example", "s"))
	without := httpsGateway("", httpsListener(port, "a", "a.example", "s"))
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": secrets[0], "gateway.yaml": with})
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")

	ctx, cancel := context.WithCancel(context.Background())
	var changes sync.WaitGroup
	changes.Add(1)
	changed := 0
	go func() {
		defer changes.Done()
		for ctx.Err() == nil {
			changed++
			g.replace("secret.yaml", secrets[changed%len(secrets)])
			if changed%3 == 0 {
				g.replace("gateway.yaml", []string{with, without}[changed/3%2])
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	var left atomic.Int64
	left.Store(int64(handshakes))
	var lost atomic.Int64
	var shown sync.Map
	var clients sync.WaitGroup
	for i := 0; i < 8; i++ {
		clients.Add(1)
		go func(i int) {
			defer clients.Done()
			config := config.Clone()
			if i%2 == 0 {
				config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			}
			for left.Add(-1) >= 0 {
				conn, err := shake(g.address(), config)
				if err == nil {
					shown.Store(conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), true)
					var response *http.Response
					if response, _, err = over(conn, "a.example", "/"); err == nil && response.StatusCode != 200 {
						err = fmt.Errorf("status %d", response.StatusCode)
					}
					conn.Close()
				}
				if err != nil && lost.Add(1) < 5 {
					t.Errorf("a handshake was lost: %v", err)
				}
			}
		}(i)
	}
	clients.Wait()
	cancel()
	changes.Wait()
	count := 0
	shown.Range(func(any, any) bool { count++; return true })
	if lost.Load() > 0 || count < 2 {
		t.Errorf("%d of %d lost, %d changes, %d certificates shown\n%s", lost.Load(), handshakes, changed, count, g.stderr())
	}
	t.Logf("%d handshakes, %d changes, %d certificates shown", handshakes, changed, count)
}
