package e2e

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestKeepAliveAndPipelining(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	conn := dial(t, g.address())
	defer conn.Close()
	r := bufio.NewReader(conn)
	read := func() *http.Response {
		t.Helper()
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if string(body) != "app" {
			t.Fatalf("body %q", body)
		}
		return response
	}
	for i := 0; i < 3; i++ {
		io.WriteString(conn, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
		read()
	}
	io.WriteString(conn, strings.Repeat("GET /b HTTP/1.1\r\nHost: a\r\n\r\n", 50)+"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	for i := 0; i < 52; i++ {
		read()
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("after Connection: close: %v", err)
	}
}

func TestForwardedFields(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	g := basics(t, b)
	g.fetch("GET", "a.test:81", "/x?y=1", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil",
		"X-Real-Ip: 6.6.6.6", "Forwarded: for=6.6.6.6", "Connection: X-Hop, X-Forwarded-Proto", "X-Hop: 1", "Keep-Alive: 5",
		"Te: gzip", "Proxy-Connection: keep-alive", "Upgrade: h2c", "Http2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "X-Request-Id: abc-123")
	seen := b.last(t)
	want := map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "a.test:81", "X-Request-Id": "abc-123"}
	for name, value := range want {
		if got := strings.Join(seen.Header.Values(name), "|"); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	for _, name := range []string{"X-Hop", "Keep-Alive", "Te", "Proxy-Connection", "Upgrade", "Http2-Settings", "X-Real-Ip", "Forwarded"} {
		if got := seen.Header.Get(name); got != "" {
			t.Errorf("%s went through: %q", name, got)
		}
	}
	if seen.Host != "a.test:81" || seen.Target != "/x?y=1" {
		t.Errorf("Host %q, target %q", seen.Host, seen.Target)
	}
	g.fetch("GET", "a.test", "/", "X-Request-Id: bad id")
	if id := b.last(t).Header.Get("X-Request-Id"); !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(id) {
		t.Errorf("X-Request-Id: %q", id)
	}
}

func TestCanonicalPathIsForwarded(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	g := basics(t, b)
	for sent, want := range map[string]string{
		"/a/./b/../c":    "/a/c",
		"/%61%7e/x":      "/a~/x",
		"/a%2fb":         "/a%2Fb",
		"/a%5Cb":         "/a%5Cb",
		"/a/%2e%2e/b":    "/b",
		"/a;v=1/b":       "/a;v=1/b",
		"/a/..;x=1/b":    "/b",
		"//a//b":         "//a//b",
		"/a/b/..?x=/../": "/a/?x=/../",
	} {
		answer := raw(t, g.address(), "GET "+sent+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
			t.Errorf("%s: %.80q", sent, answer)
			continue
		}
		if got := b.last(t).Target; got != want {
			t.Errorf("%s: forwarded as %s, want %s", sent, got, want)
		}
	}
}

func TestAbsoluteFormAndAsterisk(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	g := basics(t, b)
	raw(t, g.address(), "GET http://abs.test:99/p?q HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n")
	if seen := b.last(t); seen.Host != "abs.test:99" || seen.Target != "/p?q" {
		t.Errorf("absolute-form: %+v", seen)
	}
	raw(t, g.address(), "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if seen := b.last(t); seen.Method != "OPTIONS" || seen.Target != "*" {
		t.Errorf("asterisk-form: %+v", seen)
	}
}

func TestHTTP10(t *testing.T) {
	t.Parallel()
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
		}
	})
	g := basics(t, b)
	answer := raw(t, g.address(), "GET / HTTP/1.0\r\n\r\n")
	if !strings.HasSuffix(answer, "\r\n\r\nhello world") || strings.Contains(strings.ToLower(answer), "transfer-encoding") {
		t.Errorf("HTTP/1.0 got %q", answer)
	}
	answer = raw(t, basics(t, serve(t, "app")).address(),
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n")
	if strings.Count(answer, "200 OK") != 2 || !strings.Contains(strings.ToLower(answer), "connection: keep-alive") {
		t.Errorf("HTTP/1.0 keep-alive got %q", answer)
	}
}

func TestHeadAndEmptyAnswers(t *testing.T) {
	t.Parallel()
	b := serveWith(t, &backend{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.Header().Set("ETag", `"x"`)
			w.WriteHeader(304)
		default:
			w.Header().Set("Content-Length", "1000")
			if r.Method != "HEAD" {
				io.WriteString(w, strings.Repeat("x", 1000))
			}
		}
	}))
	g := basics(t, b)
	client := g.client() // one connection: a body read wrongly would break the next
	for i := 0; i < 3; i++ {
		response, err := client.Head("http://a.test/")
		if err != nil {
			t.Fatal(err)
		}
		if response.ContentLength != 1000 {
			t.Errorf("HEAD: Content-Length %d", response.ContentLength)
		}
		for path, status := range map[string]int{"/204": 204, "/304": 304, "/": 200} {
			response, err := client.Get("http://a.test" + path)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != status || (status == 200) != (len(body) == 1000) {
				t.Errorf("%s: %d, %d bytes, %v", path, response.StatusCode, len(body), err)
			}
		}
	}
}

func TestInterimResponses(t *testing.T) {
	t.Parallel()
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	g := basics(t, b)
	request, _ := http.NewRequest("GET", "http://a.test/", nil)
	var links []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		links = append(links, fmt.Sprint(code, header.Get("Link")))
		return nil
	}}
	response, err := g.client().Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	if string(body) != "ok" || fmt.Sprint(links) != "[103</a.css> 103</b.css>]" {
		t.Errorf("body %q, interim %v", body, links)
	}
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	conn := dial(t, g.address())
	defer conn.Close()
	r := bufio.NewReader(conn)
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if head, err := readHead(r); err != nil || !strings.HasPrefix(head, "HTTP/1.1 100 ") {
		t.Fatalf("%q %v", head, err)
	}
	io.WriteString(conn, "hello")
	if head, err := readHead(r); err != nil || !strings.HasPrefix(head, "HTTP/1.1 200 ") {
		t.Fatalf("%q %v", head, err)
	}
}

func TestTrailers(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	got := make(chan http.Header, 1)
	b = serveWith(t, b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		got <- r.Trailer.Clone()
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set("X-Sum", "42")
	}))
	g := basics(t, b)
	answer := raw(t, g.address(), "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Req\r\n\r\n3\r\nabc\r\n0\r\nX-Req: 7\r\n\r\n")
	select {
	case trailer := <-got:
		if trailer.Get("X-Req") != "7" {
			t.Errorf("request trailers %v", trailer)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no request came")
	}
	if !strings.Contains(answer, "0\r\nX-Sum: 42\r\n\r\n") {
		t.Errorf("response trailers: %q", answer)
	}
}

func TestUpgradeIsATunnel(t *testing.T) {
	t.Parallel()
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		head, err := readHead(r)
		if err != nil || !strings.Contains(strings.ToLower(head), "upgrade: websocket") {
			io.WriteString(conn, "HTTP/1.1 400 no\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello")
		io.Copy(conn, r)
		io.WriteString(conn, "bye")
	})
	g := basics(t, b)
	conn := dial(t, g.address())
	defer conn.Close()
	io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n")
	r := bufio.NewReader(conn)
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	head, err := readHead(r)
	if err != nil || !strings.HasPrefix(head, "HTTP/1.1 101 ") || !strings.Contains(strings.ToLower(head), "upgrade: websocket") {
		t.Fatalf("%q %v", head, err)
	}
	data := make([]byte, 1<<20)
	rand.New(rand.NewSource(1)).Read(data)
	go func() {
		conn.Write(data)
		conn.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != "hello"+string(data)+"bye" {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
}

// A final answer before the request's body is complete reaches the client.
func TestEarlyResponse(t *testing.T) {
	t.Parallel()
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		if _, err := readHead(r); err == nil {
			io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, io.LimitReader(r, 1<<20))
		}
	})
	g := basics(t, b)
	conn := dial(t, g.address())
	defer conn.Close()
	go func() {
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
		part := make([]byte, 65536)
		for i := 0; i < 200; i++ {
			if _, err := conn.Write(part); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	head, err := readHead(bufio.NewReader(conn))
	if err != nil || !strings.HasPrefix(head, "HTTP/1.1 413 ") {
		t.Errorf("%q %v", head, err)
	}
}

// random is a body of n bytes that repeats for the same seed.
func random(n int64) io.Reader { return io.LimitReader(rand.New(rand.NewSource(n)), n) }

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	size := int64(64 << 20)
	if slow() {
		size = 16 << 20
	}
	b := serveWith(t, &backend{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			h := sha256.New()
			n, _ := io.Copy(h, r.Body)
			fmt.Fprintf(w, "%d %x", n, h.Sum(nil))
			return
		}
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		}
		io.Copy(w, random(size))
	}))
	g := basics(t, b)
	h := sha256.New()
	io.Copy(h, random(size))
	want := fmt.Sprintf("%x", h.Sum(nil))
	for _, chunked := range []bool{false, true} {
		request, _ := http.NewRequest("POST", "http://a.test/", io.NopCloser(random(size)))
		if !chunked {
			request.ContentLength = size
		}
		response, err := g.client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(response.Body)
		if string(answer) != fmt.Sprintf("%d %s", size, want) {
			t.Errorf("sent, chunked %v: %s", chunked, answer)
		}
		path := "/length"
		if chunked {
			path = "/chunked"
		}
		response, err = g.client().Get("http://a.test" + path)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		if n, err := io.Copy(h, response.Body); n != size || err != nil || fmt.Sprintf("%x", h.Sum(nil)) != want {
			t.Errorf("received, chunked %v: %d bytes, %v", chunked, n, err)
		}
	}
}

// residentBytes is the anonymous memory of the process.
func residentBytes(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status)
	n, _ := strconv.ParseInt(string(match[1]), 10, 64)
	return n * 1024
}

// A client that does not read stops the backend; memory stays bounded.
func TestBackpressure(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	b := serveWith(t, &backend{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		part := make([]byte, 65536)
		for i := 0; i < 16384; i++ {
			n, err := w.Write(part)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	g := basics(t, b)
	before := residentBytes(t, g.cmd.Process.Pid)
	var conns []net.Conn
	for i := 0; i < 20; i++ {
		conn := dial(t, g.address())
		conn.(*net.TCPConn).SetReadBuffer(4096)
		io.WriteString(conn, "GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n")
		conns = append(conns, conn)
	}
	time.Sleep(time.Second)
	stalled := written.Load()
	time.Sleep(500 * time.Millisecond)
	grown := residentBytes(t, g.cmd.Process.Pid) - before
	// A sanitizer keeps what was freed, so that only the plain build tells.
	if !slow() && grown > 20*400<<10 {
		t.Errorf("20 stalled responses cost %d bytes", grown)
	}
	if now := written.Load(); now-stalled > 20<<20 {
		t.Errorf("the backends go on: %d then %d bytes", stalled, now)
	}
	for _, conn := range conns {
		conn.Close()
	}
}

// Slow clients hold their own connections and nothing else.
func TestSlowHeads(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	var conns []net.Conn
	for i := 0; i < 200; i++ {
		conn := dial(t, g.address())
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
		conns = append(conns, conn)
	}
	g.expect(200, "GET", "a.test", "/")
	conns[0].SetReadDeadline(time.Now().Add(25 * time.Second))
	answer, _ := io.ReadAll(conns[0])
	if !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
		t.Errorf("a head that never ends: %q", answer)
	}
	for _, conn := range conns {
		conn.Close()
	}
	if !strings.Contains(g.metrics(), `yumen_limit_hits_total{limit="request_head_ms"}`) {
		t.Error("the time-out was not counted")
	}
}

// A backend that says nothing is 504.
func TestResponseTimeout(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a minute")
	}
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		readHead(r)
		time.Sleep(90 * time.Second)
	})
	g := basics(t, b)
	client := g.client()
	client.Timeout = 80 * time.Second
	response, err := client.Get("http://a.test/")
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 504 || response.Header.Get("Proxy-Status") != "yumen; error=http_response_timeout" {
		t.Errorf("%d %q", response.StatusCode, response.Header.Get("Proxy-Status"))
	}
}
