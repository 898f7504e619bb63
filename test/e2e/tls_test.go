package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The streams of net/tls.h against another implementation: test/tls/server.c is
// a small server over them, the client is Go's crypto/tls.

// tlsPair is a certificate and its key, as files too.
type tlsPair struct {
	certificate        *x509.Certificate
	key                crypto.Signer
	chainPath, keyPath string
}

func (p *tlsPair) forClient() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.certificate.Raw}, PrivateKey: p.key}
}

func makeKey(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var tlsSerial atomic.Int64

func makePair(t testing.TB, kind string, issuer *tlsPair, names ...string) *tlsPair {
	t.Helper()
	return makePairAs(t, kind, issuer, func(*x509.Certificate) {}, names...)
}

// makePairAs is makePair of a certificate that change has changed.
func makePairAs(t testing.TB, kind string, issuer *tlsPair, change func(*x509.Certificate), names ...string) *tlsPair {
	t.Helper()
	number := tlsSerial.Add(1)
	key := makeKey(t, kind)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: fmt.Sprint("number ", number)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: names,
		BasicConstraintsValid: true, IsCA: len(names) == 0,
	}
	signer, signerKey := template, key
	if issuer != nil {
		signer, signerKey = issuer.certificate, issuer.key
	} else {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, signer, key.Public(), signerKey)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pair := &tlsPair{certificate: parsed, key: key}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	pair.chainPath, pair.keyPath = filepath.Join(folder, "chain.pem"), filepath.Join(folder, "key.pem")
	for path, block := range map[string]*pem.Block{
		pair.chainPath: {Type: "CERTIFICATE", Bytes: der}, pair.keyPath: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pair
}

// tlsWorld is an authority and a server whose chains it has signed.
type tlsWorld struct {
	authority *tlsPair
	roots     *x509.CertPool
	address   string
	ended     chan string
}

func tlsServer(t *testing.T, authority *tlsPair, pairs []*tlsPair, options ...string) *tlsWorld {
	t.Helper()
	path := filepath.Join(filepath.Dir(program(t)), "test/tls/tls_server")
	for _, pair := range pairs {
		options = append(options, pair.chainPath, pair.keyPath)
	}
	command := exec.Command(path, options...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("%v (ninja builds it with the tests)", err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	lines := bufio.NewReader(out)
	port, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal("the server told no port: ", err)
	}
	world := &tlsWorld{authority: authority, roots: x509.NewCertPool(),
		address: "127.0.0.1:" + strings.TrimSpace(port), ended: make(chan string, 1000)}
	world.roots.AddCert(authority.certificate)
	go func() {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				close(world.ended)
				return
			}
			world.ended <- strings.TrimSpace(line)
		}
	}()
	return world
}

func (w *tlsWorld) config(name string) *tls.Config {
	return &tls.Config{ServerName: name, RootCAs: w.roots}
}

// ask connects, sends a line and returns the server's greeting.
func (w *tlsWorld) ask(config *tls.Config) (string, *tls.ConnectionState, error) {
	raw, err := net.DialTimeout("tcp", w.address, 10*time.Second)
	if err != nil {
		return "", nil, err
	}
	raw.SetDeadline(time.Now().Add(30 * time.Second))
	connection := tls.Client(raw, config)
	defer connection.Close()
	reader := bufio.NewReader(connection)
	if _, err := connection.Write([]byte("ping\n")); err != nil {
		return "", nil, err
	}
	greeting, err := reader.ReadString('\n')
	if err != nil {
		return "", nil, err
	}
	if echo, err := reader.ReadString('\n'); err != nil || echo != "ping\n" {
		return "", nil, fmt.Errorf("echo %q, %v", echo, err)
	}
	state := connection.ConnectionState()
	return strings.TrimSpace(greeting), &state, nil
}

// end waits for how the server says that its next connection ended.
func (w *tlsWorld) end(t *testing.T) string {
	t.Helper()
	select {
	case line := <-w.ended:
		return strings.TrimPrefix(line, "ended ")
	case <-time.After(30 * time.Second):
		t.Fatal("the server told of no end")
	}
	return ""
}

func newTLSWorld(t *testing.T, options ...string) *tlsWorld {
	authority := makePair(t, "p256", nil)
	return tlsServer(t, authority, []*tlsPair{makePair(t, "p256", authority, "a.example", "b.example"),
		makePair(t, "rsa", authority, "a.example", "b.example")}, options...)
}

func TestTLSVersions(t *testing.T) {
	for _, row := range []struct {
		options  []string
		min, max uint16
		want     string // of the greeting, or of the end
	}{
		{nil, tls.VersionTLS12, tls.VersionTLS13, "1.3"},
		{nil, tls.VersionTLS13, tls.VersionTLS13, "1.3"},
		{nil, tls.VersionTLS12, tls.VersionTLS12, "1.2"},
		{nil, tls.VersionTLS10, tls.VersionTLS10, "tls_nothing_shared"},
		{nil, tls.VersionTLS11, tls.VersionTLS11, "tls_nothing_shared"},
		{[]string{"--min", "1.3"}, tls.VersionTLS12, tls.VersionTLS12, "tls_nothing_shared"},
		{[]string{"--max", "1.2"}, tls.VersionTLS13, tls.VersionTLS13, "tls_nothing_shared"},
		{[]string{"--max", "1.2"}, tls.VersionTLS12, tls.VersionTLS13, "1.2"},
	} {
		world := newTLSWorld(t, row.options...)
		config := world.config("a.example")
		config.MinVersion, config.MaxVersion = row.min, row.max
		greeting, _, err := world.ask(config)
		if err != nil {
			greeting = world.end(t)
		}
		if !strings.HasPrefix(greeting, row.want) {
			t.Errorf("%v %x-%x: %q, %v", row.options, row.min, row.max, greeting, err)
		}
	}
}

// Of all that Go can, these are offered: forward secrecy and authenticated
// encryption.
func TestTLSCiphers(t *testing.T) {
	world := newTLSWorld(t)
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		config := world.config("a.example")
		config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{suite.ID}
		_, state, err := world.ask(config)
		good := strings.HasPrefix(suite.Name, "TLS_ECDHE_") &&
			(strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "_POLY1305_"))
		if (err == nil) != good {
			t.Errorf("%s: %v", suite.Name, err)
		}
		if err != nil {
			continue
		}
		_, isRSA := state.PeerCertificates[0].PublicKey.(*rsa.PublicKey)
		if isRSA != strings.Contains(suite.Name, "_RSA_") {
			t.Errorf("%s: a certificate of another kind", suite.Name)
		}
	}
}

func TestTLSCurves(t *testing.T) {
	world := newTLSWorld(t)
	for curve, good := range map[tls.CurveID]bool{
		tls.X25519: true, tls.CurveP256: true, tls.CurveP384: true, tls.CurveP521: false} {
		config := world.config("a.example")
		config.CurvePreferences = []tls.CurveID{curve}
		if _, _, err := world.ask(config); (err == nil) != good {
			t.Errorf("%v: %v", curve, err)
		}
	}
}

func TestTLSProtocols(t *testing.T) {
	world := newTLSWorld(t, "--alpn", "h2,http/1.1")
	for _, row := range []struct {
		offered []string
		want    string
	}{
		{[]string{"http/1.1", "h2"}, "h2"}, {[]string{"http/1.1"}, "http/1.1"}, {nil, ""},
		{[]string{"acme-tls/1", "http/1.1"}, "http/1.1"}, {[]string{"acme-tls/1"}, "refused"},
	} {
		config := world.config("a.example")
		config.NextProtos = row.offered
		greeting, state, err := world.ask(config)
		switch {
		case row.want == "refused":
			if err == nil || !strings.Contains(err.Error(), "no application protocol") {
				t.Errorf("%v: %v", row.offered, err)
			}
		case err != nil:
			t.Errorf("%v: %v", row.offered, err)
		case state.NegotiatedProtocol != row.want || !strings.Contains(greeting, "alpn="+row.want+" "):
			t.Errorf("%v: %q, %q", row.offered, state.NegotiatedProtocol, greeting)
		}
	}
}

// A session is good for the name it was made for, and for no other.
func TestTLSResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		world := newTLSWorld(t, "--tickets")
		cache := tls.NewLRUClientSessionCache(8)
		session := func(name string) bool {
			t.Helper()
			config := world.config(name)
			config.MaxVersion, config.ClientSessionCache = version, cache
			greeting, state, err := world.ask(config)
			if err != nil {
				t.Fatal(err)
			}
			if state.DidResume != strings.Contains(greeting, "resumed=1") {
				t.Errorf("%q, %v", greeting, state.DidResume)
			}
			return state.DidResume
		}
		first, second := session("a.example"), session("a.example")
		if first || !second {
			t.Errorf("%x: resumed: %v, then %v", version, first, second)
		}
		// The same session under another name: the cache is asked for b.
		if state, ok := cache.Get("a.example"); !ok {
			t.Fatal("no session")
		} else {
			cache.Put("b.example", state)
		}
		if session("b.example") {
			t.Errorf("%x: a session of a.example was resumed for b.example", version)
		}
	}
	world := newTLSWorld(t) // without keys
	cache := tls.NewLRUClientSessionCache(8)
	for range 3 {
		config := world.config("a.example")
		config.ClientSessionCache = cache
		if greeting, state, err := world.ask(config); err != nil || state.DidResume {
			t.Errorf("%q, %v", greeting, err)
		}
	}
}

func TestTLSClientCertificates(t *testing.T) {
	authority, other := makePair(t, "p256", nil), makePair(t, "p256", nil)
	names := []string{"open.example", "asked.example", "closed.example"}
	world := tlsServer(t, authority, []*tlsPair{makePair(t, "p384", authority, names...)}, "--tickets",
		"--clients", "closed.example", authority.chainPath, "--asked", "asked.example", authority.chainPath)
	good, bad := makePair(t, "ed25519", authority, "client"), makePair(t, "rsa", other, "client")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, row := range []struct {
			name   string
			client *tlsPair
			want   string // peer= and fault= of the greeting, or the end
		}{
			{"open.example", good, "peer= fault=none"},
			{"asked.example", nil, "peer= fault=none"},
			{"asked.example", good, "peer=CN=" + good.certificate.Subject.CommonName + " fault=none"},
			{"asked.example", bad, "peer=CN=" + bad.certificate.Subject.CommonName + " fault=unable"},
			{"closed.example", good, "peer=CN=" + good.certificate.Subject.CommonName + " fault=none"},
			{"closed.example", nil, "tls_certificate_missing"},
			{"closed.example", bad, "tls_certificate_untrusted"},
		} {
			config := world.config(row.name)
			config.MaxVersion = version
			if row.client != nil {
				// Whatever authorities the server names.
				certificate := row.client.forClient()
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return &certificate, nil
				}
			}
			greeting, _, err := world.ask(config)
			end := world.end(t)
			if err != nil {
				greeting = end
			}
			if !strings.Contains(greeting, row.want) {
				t.Errorf("%x %s: %q, %v; wanted %q", version, row.name, greeting, err, row.want)
			}
		}
	}
}

// CVE-2025-23419: a session of a name that asks for nothing opens no door.
func TestTLSSessionIsNoCertificate(t *testing.T) {
	authority := makePair(t, "p256", nil)
	world := tlsServer(t, authority, []*tlsPair{makePair(t, "p256", authority, "open.example", "closed.example")},
		"--tickets", "--clients", "closed.example", authority.chainPath)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cache := tls.NewLRUClientSessionCache(8)
		config := world.config("open.example")
		config.MaxVersion, config.ClientSessionCache = version, cache
		if _, _, err := world.ask(config); err != nil {
			t.Fatal(err)
		}
		state, ok := cache.Get("open.example")
		if !ok {
			t.Fatal("no session")
		}
		cache.Put("closed.example", state)
		config.ServerName = "closed.example"
		if greeting, _, err := world.ask(config); err == nil {
			t.Errorf("%x: let in: %q", version, greeting)
		}
	}
}

func TestTLSNames(t *testing.T) {
	world := newTLSWorld(t)
	config := world.config("c.example")
	if _, _, err := world.ask(config); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("c.example: %v", err)
	}
	if end := world.end(t); end != "tls_name_refused" {
		t.Errorf("c.example: %q", end)
	}
	// Without a name, as for an address.
	config = world.config("127.0.0.1")
	config.InsecureSkipVerify = true
	if greeting, _, err := world.ask(config); err != nil || !strings.Contains(greeting, "sni= ") {
		t.Errorf("no name: %q, %v", greeting, err)
	}
}

// crumbs writes a few bytes at a time.
type crumbs struct {
	net.Conn
	size int
}

func (c crumbs) Write(data []byte) (int, error) {
	for at := 0; at < len(data); at += c.size {
		if n, err := c.Conn.Write(data[at:min(at+c.size, len(data))]); err != nil {
			return at + n, err
		}
	}
	return len(data), nil
}

func TestTLSBytes(t *testing.T) {
	world := newTLSWorld(t)
	for _, row := range []struct{ size, bytes int }{{1, 3000}, {7, 40000}, {1 << 20, 8 << 20}} {
		raw, err := net.Dial("tcp", world.address)
		if err != nil {
			t.Fatal(err)
		}
		raw.SetDeadline(time.Now().Add(120 * time.Second))
		connection := tls.Client(crumbs{raw, row.size}, world.config("a.example"))
		sent := make([]byte, row.bytes)
		rand.Read(sent)
		go func() {
			connection.Write(sent)
			connection.CloseWrite()
		}()
		came, err := io.ReadAll(connection)
		if err != nil {
			t.Fatalf("%v: %v", row, err)
		}
		if _, came, _ = bytes.Cut(came, []byte("\n")); !bytes.Equal(sent, came) {
			t.Errorf("%v: %d bytes came, others than were sent", row, len(came))
		}
		if end := world.end(t); end != "closed" {
			t.Errorf("%v: ended %s", row, end)
		}
		connection.Close()
	}
}

// An end without close_notify is no end, and what is no TLS harms nobody else.
func TestTLSCutAndGarbage(t *testing.T) {
	world := newTLSWorld(t)
	raw, err := net.Dial("tcp", world.address)
	if err != nil {
		t.Fatal(err)
	}
	connection := tls.Client(raw, world.config("a.example"))
	if _, err := connection.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	raw.(*net.TCPConn).CloseWrite()
	if end := world.end(t); end != "reset" {
		t.Errorf("a cut connection ended %s", end)
	}
	raw.Close()
	for _, garbage := range []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\x00\x05hello",
		"SSH-2.0-x\r\n", "\x15\x03\x01\x00\x02\x02\x28", strings.Repeat("\x16\x03\x01\x00\x00", 100)} {
		raw, err := net.Dial("tcp", world.address)
		if err != nil {
			t.Fatal(err)
		}
		raw.Write([]byte(garbage))
		if end := world.end(t); !strings.HasPrefix(end, "tls_") {
			t.Errorf("%q ended %s", garbage, end)
		}
		raw.Close()
	}
	if _, _, err := world.ask(world.config("a.example")); err != nil {
		t.Error(err)
	}
}

// echoOverTLS starts `yumen echo` with a certificate and returns a client of it.
func echoOverTLS(t *testing.T, config *tls.Config, options ...string) (*http.Client, string) {
	t.Helper()
	authority := makePair(t, "p256", nil)
	pair := makePair(t, "p256", authority, "a.example")
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	command := exec.Command(program(t), append([]string{"echo", "--listen", address,
		"--certificate", pair.chainPath, "--key", pair.keyPath}, options...)...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "listens") {
		t.Fatalf("%q, %v", line, err)
	}
	config.RootCAs = x509.NewCertPool()
	config.RootCAs.AddCert(authority.certificate)
	config.ServerName = "a.example"
	transport := &http.Transport{TLSClientConfig: config, MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 60 * time.Second}, "https://" + address
}

// HTTP/1.1 over TLS: requests one after the other on a connection, large bodies
// either way, of known and unknown length.
func TestHTTPOverTLS(t *testing.T) {
	client, base := echoOverTLS(t, &tls.Config{})
	dials := 0
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials++
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	get := func(path string, body io.Reader) []byte {
		t.Helper()
		method := http.MethodGet
		if body != nil {
			method = http.MethodPost
		}
		request, err := http.NewRequest(method, base+path, body)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		came, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return came
	}
	var told struct {
		Path string
		TLS  struct{ Version, Cipher, ServerName, Protocol string }
	}
	if err := json.Unmarshal(get("/x", nil), &told); err != nil {
		t.Fatal(err)
	}
	if told.Path != "/x" || told.TLS.Version != "1.3" || told.TLS.ServerName != "a.example" {
		t.Errorf("%+v", told)
	}
	for range 200 {
		get("/again", nil)
	}
	for _, size := range []int{1, 4000, 16384, 70000, 5 << 20} {
		if n := len(get(fmt.Sprint("/bytes/", size), nil)); n != size {
			t.Errorf("/bytes/%d: %d came", size, n)
		}
		sent := make([]byte, size)
		rand.Read(sent)
		if !bytes.Equal(sent, get("/", bytes.NewReader(sent))) {
			t.Errorf("%d bytes came back as others", size)
		}
		// io.MultiReader hides the length: chunks.
		if !bytes.Equal(sent, get("/", io.MultiReader(bytes.NewReader(sent)))) {
			t.Errorf("%d bytes in chunks came back as others", size)
		}
	}
	if dials != 1 {
		t.Errorf("%d connections were made for what one can do", dials)
	}
}

func TestHTTPOverTLSConnections(t *testing.T) {
	client, base := echoOverTLS(t, &tls.Config{})
	client.Transport.(*http.Transport).DisableKeepAlives = true
	failed := make(chan error, 8)
	for range 8 {
		go func() {
			for range 20 {
				answer, err := client.Get(base + "/bytes/100000")
				if err == nil {
					var n int64
					n, err = io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
					if err == nil && n != 100000 {
						err = fmt.Errorf("%d bytes", n)
					}
				}
				if err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range 8 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestEchoTellsOfClients(t *testing.T) {
	authority := makePair(t, "p256", nil)
	known := makePair(t, "p256", authority, "client")
	stranger := makePair(t, "p256", makePair(t, "p256", nil), "client")
	for _, row := range []struct {
		client *tlsPair
		want   string
	}{
		{nil, `"protocol":""}`},
		{known, `"client":"CN=` + known.certificate.Subject.CommonName + `","clientFault":""}`},
		{stranger, `"client":"CN=` + stranger.certificate.Subject.CommonName + `","clientFault":"unable`},
	} {
		config := &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if row.client == nil {
				return &tls.Certificate{}, nil
			}
			certificate := row.client.forClient()
			return &certificate, nil
		}}
		client, base := echoOverTLS(t, config, "--client-authority", authority.chainPath)
		answer, err := client.Get(base + "/")
		if err != nil {
			t.Fatal(err)
		}
		told, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if !strings.Contains(string(told), row.want) {
			t.Errorf("%s; wanted %s", told, row.want)
		}
	}
}
