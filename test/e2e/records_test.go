package e2e

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Records of TLS 1.3 as no library writes them: by hand, with the secrets that
// crypto/tls tells.

type recordWriter struct {
	conn   net.Conn
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	number uint64
}

// expandLabel is HKDF-Expand-Label (RFC 8446 7.1) of at most 32 bytes.
func expandLabel(secret []byte, label string, length int) []byte {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%c%c%ctls13 %s\x00\x01", 0, length, 6+len(label), label)
	return mac.Sum(nil)[:length]
}

func (w *recordWriter) use(secret []byte) {
	block, err := aes.NewCipher(expandLabel(secret, "key", 16))
	if err != nil {
		panic(err)
	}
	w.aead, err = cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	w.secret, w.iv, w.number = secret, expandLabel(secret, "iv", 12), 0
}

const (
	recordHandshake = 22
	recordData      = 23
)

func (w *recordWriter) seal(kind byte, data string) []byte {
	nonce := bytes.Clone(w.iv)
	for i := 0; i < 8; i++ {
		nonce[11-i] ^= byte(w.number >> (8 * i))
	}
	w.number++
	length := len(data) + 1 + w.aead.Overhead()
	head := []byte{recordData, 3, 3, byte(length >> 8), byte(length)}
	return w.aead.Seal(head, nonce, append([]byte(data), kind), head)
}

func (w *recordWriter) write(kind byte, data string) error {
	_, err := w.conn.Write(w.seal(kind, data))
	return err
}

// update goes on with the keys that follow a KeyUpdate.
func (w *recordWriter) update() { w.use(expandLabel(w.secret, "traffic upd", 32)) }

// secrets is a KeyLogWriter.
type secrets struct{ text bytes.Buffer }

func (s *secrets) Write(p []byte) (int, error) { return s.text.Write(p) }

// writer is who writes in the stead of a connection, whose handshake is over and
// which has written nothing.
func (s *secrets) writer(conn net.Conn, label string) *recordWriter {
	for _, line := range strings.Split(s.text.String(), "\n") {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == label {
			secret, err := hex.DecodeString(fields[2])
			if err != nil {
				panic(err)
			}
			w := &recordWriter{conn: conn}
			w.use(secret)
			return w
		}
	}
	panic("no " + label)
}

const keyUpdate = "\x18\x00\x00\x01\x00" // none is asked for in return

// A message of a handshake that comes in pieces holds up what is written meanwhile
// and breaks nothing.
func TestHTTPSMessageInPieces(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	asked, further := make(chan bool, 8), make(chan bool, 8)
	// It answers before the body is there.
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			asked <- true
			<-further
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n"+strings.Repeat("x", 50000))
			if strings.HasPrefix(head, "POST") {
				r.Discard(10)
			}
		}
	})
	g := start(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"), "service.yaml": serviceYAML("b", b.port),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s")), "route.yaml": routeYAML("r", "", prefixRule("/", "b"))})
	further <- true
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	<-asked
	for cut := 1; cut < len(keyUpdate); cut++ {
		said := &secrets{}
		raw := dial(t, g.address())
		defer raw.Close()
		raw.SetDeadline(time.Now().Add(20 * time.Second))
		conn := tls.Client(raw, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example", KeyLogWriter: said,
			MinVersion: tls.VersionTLS13})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		w := said.writer(raw, "CLIENT_TRAFFIC_SECRET_0")
		// Of a body more is read while it is answered.
		w.write(recordData, "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n12345")
		<-asked
		w.write(recordHandshake, keyUpdate[:cut])
		time.Sleep(20 * time.Millisecond) // it is read before,
		further <- true
		time.Sleep(20 * time.Millisecond) // and answered meanwhile
		w.write(recordHandshake, keyUpdate[cut:])
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if body, err := io.ReadAll(response.Body); err != nil || len(body) != 50000 {
			t.Fatalf("cut at %d: %d bytes, %v", cut, len(body), err)
		}
	}
	further <- true
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
}

// The same from a backend, while a body goes to it.
func TestBackendTLSMessageInPieces(t *testing.T) {
	t.Parallel()
	root := makePair(t, "p256", nil)
	pair := makePair(t, "p256", root, "app.example")
	further := make(chan bool)
	b := script(t, func(raw net.Conn, _ *bufio.Reader) {
		said := &secrets{}
		config := serverConfig(pair)
		config.KeyLogWriter, config.SessionTicketsDisabled, config.MinVersion = said, true, tls.VersionTLS13
		conn := tls.Server(raw, config)
		reader := bufio.NewReader(conn)
		if _, err := readHead(reader); err != nil {
			return
		}
		w := said.writer(raw, "SERVER_TRAFFIC_SECRET_0")
		w.write(recordHandshake, keyUpdate[:4])
		further <- true
		time.Sleep(50 * time.Millisecond) // the body comes meanwhile
		w.write(recordHandshake, keyUpdate[4:])
		w.update()
		body := make([]byte, 200000)
		if _, err := io.ReadFull(reader, body); err == nil {
			w.write(recordData, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		}
	})
	port := freePort(t)
	g := start(t, port, map[string]string{"gateway.yaml": gatewayYAML(port, ""), "ca.yaml": authorityYAML("root", root),
		"app.yaml":   serviceYAML("app", b.port) + "---\n" + tlsPolicyYAML("app", believing("app.example", "root")),
		"route.yaml": routeYAML("r", "", prefixRule("/", "app"))})
	for i := 0; i < 3; i++ {
		conn := dial(t, g.address())
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 200000\r\n\r\n")
		<-further
		conn.Write(bytes.Repeat([]byte("x"), 200000))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != 200 {
			t.Fatal(response, err)
		}
	}
}

// Clients may ask for small records (RFC 6066 4): all of a body comes in them.
func TestHTTPSSmallRecords(t *testing.T) {
	t.Parallel()
	authority := makePair(t, "", nil)
	port := freePort(t)
	b := serveWith(t, &backend{name: "b"}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "300000")
		w.Write(bytes.Repeat([]byte("0123456789"), 30000))
	}))
	g := start(t, port, map[string]string{"secret.yaml": makePair(t, "", authority, "a.example").secret(t, "s"), "service.yaml": serviceYAML("b", b.port),
		"gateway.yaml": httpsGateway("", httpsListener(port, "a", "a.example", "s")), "route.yaml": routeYAML("r", "", prefixRule("/", "b"))})
	g.askUntil(t, 200, &tls.Config{RootCAs: rootsOf(authority), ServerName: "a.example"}, "a.example")
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		for _, size := range []string{"512", "1024", "2048", "4096"} {
			out := openssl(g.address(), "a.example", closingRequest, version, "-maxfraglen", size, "-ign_eof", "-quiet")
			if n := strings.Count(out, "0123456789"); n != 30000 {
				t.Errorf("%s, records of %s: %d of 30000", version, size, n)
			}
		}
	}
}
