package e2e

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Clients that keep to the letter of TLS and mean no good.

// rawConnection is one whose handshake is over, and who writes its records by hand.
func rawConnection(t *testing.T, g *gate, config *tls.Config) (net.Conn, *tls.Conn, *recordWriter) {
	t.Helper()
	said := &secrets{}
	config = config.Clone()
	config.KeyLogWriter, config.MinVersion = said, tls.VersionTLS13
	raw := dial(t, g.address())
	t.Cleanup(func() { raw.Close() })
	raw.SetDeadline(time.Now().Add(60 * time.Second))
	conn := tls.Client(raw, config)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return raw, conn, said.writer(raw, "CLIENT_TRAFFIC_SECRET_0")
}

// What says nothing is no way to hold a connection, nor to keep a worker from others.
func TestHTTPSFloods(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s"))})
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")
	updates := func(message string) func(w *recordWriter) error {
		return func(w *recordWriter) error {
			err := w.write(recordHandshake, message)
			w.update()
			return err
		}
	}
	hits := 0
	for _, row := range []struct {
		name   string
		silent bool // ended by what was sent without data
		flood  func(w *recordWriter) error
	}{
		{"key updates", true, updates(keyUpdate)},
		{"key updates that ask for one", true, updates("\x18\x00\x00\x01\x01")},
		{"empty records", false, func(w *recordWriter) error { return w.write(recordData, "") }},
		{"empty records that are large", false, func(w *recordWriter) error { return w.write(0, "\x17"+strings.Repeat("\x00", 16000)) }},
		{"warnings", false, func(w *recordWriter) error { return w.write(21, "\x01\x5a") }},
		{"empty messages", false, func(w *recordWriter) error { return w.write(recordHandshake, "") }},
	} {
		for _, begun := range []string{"", "GET / HTTP/1.1\r\nHost: a.exam"} {
			raw, _, w := rawConnection(t, g, config)
			if begun != "" {
				w.write(recordData, begun)
			}
			for i := 0; i < 4000 && row.flood(w) == nil; i++ {
				if i == 1000 {
					g.askUntil(t, 200, config, "a.example")
				}
			}
			if _, err := io.Copy(io.Discard, raw); err != nil {
				if netErr, ok := err.(net.Error); ok && netErr.Timeout() {
					t.Errorf("%s after %q: the connection is still there", row.name, begun)
				}
			}
			if row.silent {
				hits++
				g.wantMetric(`yumen_limit_hits_total{limit="tls_silent_bytes"}`, hits)
			}
		}
	}
	g.askUntil(t, 200, config, "a.example")
}

// Keys may change as often as data comes.
func TestHTTPSKeyUpdates(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s"))})
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")
	_, conn, w := rawConnection(t, g, config)
	in := bufio.NewReader(conn)
	for i := 0; i < 200; i++ {
		for j := 0; j < 20; j++ {
			w.write(recordHandshake, fmt.Sprintf("\x18\x00\x00\x01%c", (i+j)%2))
			w.update()
		}
		w.write(recordData, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
		response, err := http.ReadResponse(in, nil)
		if err != nil || response.StatusCode != 200 {
			t.Fatalf("request %d: %v, %v", i, response, err)
		}
		io.Copy(io.Discard, response.Body)
	}
}

// grains puts each byte of the messages of a handshake that are in clear text in a
// record of its own.
type grains struct {
	net.Conn
	ciphered bool
}

func (g *grains) Write(data []byte) (int, error) {
	var out []byte
	for rest := data; len(rest) >= 5; {
		length := 5 + int(binary.BigEndian.Uint16(rest[3:5]))
		record := rest[:length]
		rest = rest[length:]
		if record[0] != recordHandshake || g.ciphered {
			g.ciphered = true
			out = append(out, record...)
			continue
		}
		for _, b := range record[5:] {
			out = append(out, recordHandshake, record[1], record[2], 0, 1, b)
		}
	}
	if _, err := g.Conn.Write(out); err != nil {
		return 0, err
	}
	return len(data), nil
}

// RFC 8446 5.1 lets messages of a handshake lie in as many records as they have bytes.
func TestTLSHelloInGrains(t *testing.T) {
	world := newTLSWorld(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		raw, err := net.Dial("tcp", world.address)
		if err != nil {
			t.Fatal(err)
		}
		raw.SetDeadline(time.Now().Add(30 * time.Second))
		config := world.config("a.example")
		config.MaxVersion = version
		conn := tls.Client(&grains{Conn: raw}, config)
		if _, err := conn.Write([]byte("ping\n")); err != nil {
			t.Fatalf("%x: %v", version, err)
		}
		if greeting, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(greeting, "sni=a.example") {
			t.Errorf("%x: %q, %v", version, greeting, err)
		}
		conn.Close()
		world.end(t)
	}
}

// A name is any bytes to who sends it. The log stays one object a line, and tells
// the name as it came.
func TestHTTPSOddNames(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "any", "", "s"))}, "--access-log", "json")
	config := &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")
	for i, name := range []string{"A.EXAMPLE", "*.example", "a..example", "-", "a\"b.example", "a\\b", "a\nb", "a\x7fb", "\xff\xfe",
		"a b", "a/../b", "\x01", strings.Repeat("a", 255)} {
		path := fmt.Sprintf("/odd/%d", i)
		odd := config.Clone()
		odd.ServerName = name
		response, _, err := ask(g.address(), odd, "a.example", path)
		if err != nil || response.StatusCode != 200 {
			t.Errorf("%q: %v, %v", name, response, err)
			continue
		}
		g.eventually(path+" in the log", func() error {
			for _, line := range strings.Split(g.stdout(), "\n") {
				if !strings.Contains(line, path+`"`) {
					continue
				}
				var told struct{ SNI string }
				if err := json.Unmarshal([]byte(line), &told); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				if told.SNI != strings.ToValidUTF8(name, "\ufffd") && name[0] < 0x80 {
					t.Fatalf("%q: %s", name, line)
				}
				return nil
			}
			return fmt.Errorf("no line of %q", name)
		})
	}
}

// A certificate of a client that is let in whatever it shows harms nobody else on
// the worker: neither one that its issuer has not signed, nor a chain without end.
func TestHTTPSFallbackHarmsNobody(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "p256", nil)
	forger := makePair(t, "p256", nil)
	forger.certificate.RawSubject = authority.certificate.RawSubject
	forger.certificate.SubjectKeyId = authority.certificate.SubjectKeyId
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"),
		"ca.yaml": authorityYAML("ca", authority),
		"gateway.yaml": httpsGateway("  tls: {frontend: {default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]}}}}\n",
			httpsListener(port, "a", "a.example", "s"))}, "--workers", "1")
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")
	deep := makePairAs(t, "p256", nil, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(1) })
	chain := tls.Certificate{}
	for i := 0; i < 40; i++ {
		next := makePairAs(t, "p256", deep, func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = i < 39, true })
		chain.Certificate = append([][]byte{next.certificate.Raw}, chain.Certificate...)
		deep = next
	}
	chain.PrivateKey = deep.forClient().PrivateKey
	for name, shown := range map[string]tls.Certificate{"forged": makePair(t, "p256", forger).forClient(), "deep": chain} {
		raw, others, w := rawConnection(t, g, config)
		w.write(recordData, "GET / HTTP/1.1\r\nHost: a.example\r\n")
		client := config.Clone()
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }
		stranger, err := shake(g.address(), client)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer stranger.Close()
		response, body, err := over(stranger, "a.example", "/")
		if err != nil || response.StatusCode != 200 || strings.Contains(strings.ToLower(body), "client-cert:") {
			t.Fatalf("%s: %v %v", name, response, err)
		}
		// The worker waits for the rest of a record.
		record := w.seal(recordData, "\r\n")
		raw.Write(record[:10])
		time.Sleep(20 * time.Millisecond)
		raw.Write(record[10:])
		if response, err := http.ReadResponse(bufio.NewReader(others), nil); err != nil || response.StatusCode != 200 {
			t.Errorf("%s: another connection: %v, %v", name, response, err)
		}
	}
}

// A client that has ended its side gets its answer, and an end in return.
func TestHTTPSHalfClose(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	b := serveWith(t, &backend{name: "b"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		time.Sleep(50 * time.Millisecond)
		w.Write(make([]byte, 300000))
	}))
	g := start(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"), "service.yaml": serviceYAML("b", b.port),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s")), "route.yaml": routeYAML("r", "", prefixRule("/", "b"))})
	config := &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}
	g.askUntil(t, 200, config, "a.example")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, request := range []string{"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbody"} {
			versioned := config.Clone()
			versioned.MaxVersion = version
			conn, err := shake(g.address(), versioned)
			if err != nil {
				t.Fatal(err)
			}
			conn.SetDeadline(time.Now().Add(30 * time.Second))
			io.WriteString(conn, request)
			conn.CloseWrite()
			in := bufio.NewReader(conn)
			response, err := http.ReadResponse(in, nil)
			if err != nil || response.StatusCode != 200 {
				t.Fatalf("%x, %.4s: %v, %v", version, request, response, err)
			}
			if n, err := io.Copy(io.Discard, response.Body); n != 300000 || err != nil {
				t.Errorf("%x, %.4s: %d bytes, %v", version, request, n, err)
			}
			// crypto/tls says EOF of close_notify alone.
			if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
				t.Errorf("%x, %.4s: %q, %v", version, request, rest, err)
			}
			conn.Close()
		}
	}
}

// prefixed is bytes behind their length, in size bytes.
func prefixed(size int, bytes string) string {
	length := make([]byte, 8)
	binary.BigEndian.PutUint64(length, uint64(len(bytes)))
	return string(length[8-size:]) + bytes
}

// hello is a record with a ClientHello of TLS 1.2 that has these extensions too.
func hello(extensions string) string {
	extensions += "\x00\x0a" + prefixed(2, prefixed(2, "\x00\x1d\x00\x17")) + // groups
		"\x00\x0d" + prefixed(2, prefixed(2, "\x04\x03\x08\x04")) // signatures
	body := "\x03\x03" + strings.Repeat("r", 32) + prefixed(1, "") + prefixed(2, "\xc0\x2b\xc0\x2f") + prefixed(1, "\x00") + prefixed(2, extensions)
	return "\x16\x03\x01" + prefixed(2, "\x01"+prefixed(3, body))
}

// Extensions that are malformed, or odd: an alert, and no harm to whoever comes next.
func TestHTTPSOddExtensions(t *testing.T) {
	t.Parallel()
	const decode, unrecognized, illegal, noProtocol, served = 50, 112, 47, 120, 0
	authority := makePair(t, "", nil)
	port := freePort(t)
	g, _ := httpsBasics(t, port, map[string]string{"secret.yaml": makePair(t, "p256", authority, "a.example").secret(t, "s"),
		"gateway.yaml": httpsGateway("", httpsListener(port, "any", "", "s"))})
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	alpn := func(list string) string { return "\x00\x10" + prefixed(2, list) }
	sni := func(list string) string { return "\x00\x00" + prefixed(2, list) }
	name := func(bytes string) string { return "\x00" + prefixed(2, bytes) }
	h1 := prefixed(1, "http/1.1")
	for _, row := range []struct {
		name, extensions string
		alert            byte
	}{
		{"nothing", "", served},
		{"a protocol", alpn(prefixed(2, h1)), served},
		{"many protocols", alpn(prefixed(2, strings.Repeat(prefixed(1, "x"), 4000)+h1)), served},
		{"long protocols", alpn(prefixed(2, prefixed(1, strings.Repeat("x", 255))+h1)), served},
		{"others", alpn(prefixed(2, prefixed(1, "h2")+prefixed(1, "http/1.10")+prefixed(1, "\x00http/1.1"))), noProtocol},
		{"no list", alpn(""), decode},
		{"an empty list", alpn(prefixed(2, "")), decode},
		{"an empty protocol", alpn(prefixed(2, h1+"\x00")), decode},
		{"a protocol that is cut", alpn(prefixed(2, "\x09http/1.1")), decode},
		{"a list that is cut", alpn("\x00\x0a" + h1), decode},
		{"more than the list", alpn(prefixed(2, h1) + "x"), decode},
		{"two lists", alpn(prefixed(2, h1)) + alpn(prefixed(2, h1)), illegal},
		{"a name", sni(prefixed(2, name("a.example"))), served},
		{"no names", sni(""), decode},
		{"an empty list of names", sni(prefixed(2, "")), decode},
		{"a name that is cut", sni(prefixed(2, "\x00\x00\x0aa.example")), decode},
		{"two names", sni(prefixed(2, name("a.example")+name("b.example"))), decode},
		{"a name of another kind", sni(prefixed(2, "\x01"+prefixed(2, "a.example"))), decode},
		{"a name with a NUL", sni(prefixed(2, name("a.example\x00.b.example"))), unrecognized},
		{"a long name", sni(prefixed(2, name(strings.Repeat("a", 256)))), unrecognized},
		{"names twice", sni(prefixed(2, name("a.example"))) + sni(prefixed(2, name("b.example"))), illegal},
	} {
		conn := dial(t, g.address())
		conn.SetDeadline(time.Now().Add(30 * time.Second))
		io.WriteString(conn, hello(row.extensions))
		answer := make([]byte, 7)
		if _, err := io.ReadFull(conn, answer); err != nil {
			t.Errorf("%s: %v", row.name, err)
		} else if row.alert == served && answer[0] != recordHandshake || row.alert != served && (answer[0] != 21 || answer[6] != row.alert) {
			t.Errorf("%s: answered % x, alert %d was wanted", row.name, answer, row.alert)
		}
		conn.Close()
	}
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
}
