package e2e

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// What is malformed or ambiguous gets 400 (or its own status) and a close; the
// backend sees nothing of it.
func TestStrictRequests(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	g := basics(t, b)
	rows := []struct{ name, send, status string }{
		{"both framings", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		{"two equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400"},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"},
		{"length list", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello", "400"},
		{"empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "400"},
		{"signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", "400"},
		{"huge length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
		{"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
		{"chunked not last", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "400 501"},
		{"coding in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		{"bare LF lines", "GET / HTTP/1.1\nHost: a\n\n", "400"},
		{"bare LF in fields", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\n\r\n", "400"},
		{"bare CR in value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2\r\n\r\n", "400"},
		{"obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", "400"},
		{"space before colon", "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", "400"},
		{"space before first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400"},
		{"empty name", "GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n", "400"},
		{"a trusted name with underscores", "GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_Proto: https\r\n\r\n", "400"},
		{"a framing name with underscores", "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n", "400"},
		{"NUL in value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\x002\r\n\r\n", "400"},
		{"control in value", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\x012\r\n\r\n", "400"},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", "400"},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
		{"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
		{"Host with userinfo", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
		{"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", "400"},
		{"two spaces in line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"no version", "GET /\r\nHost: a\r\n\r\n", "400"},
		{"lower case version", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"},
		{"version 2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
		{"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"over the root", "GET /../x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"over the root, escaped", "GET /a/%2e%2e/%2E%2e/x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"dots before an escaped slash", "GET /a/..%2fb HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"dots before escaped parameters", "GET /a/..%3bx/b HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"NUL escaped", "GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"bad escape", "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"control in target", "GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"method not a token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"odd expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", "417"},
		{"upgrade with a body", "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx", "400"},
		{"garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
		{"long target", "GET /" + strings.Repeat("a", 20000) + " HTTP/1.1\r\nHost: a\r\n\r\n", "414"},
		{"large head", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: "+strings.Repeat("a", 1000)+"\r\n", 80) + "\r\n", "431"},
		{"many fields", "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: a\r\n", 200) + "\r\n", "431"},
		{"CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "405 501"},
	}
	for _, row := range rows {
		answer := raw(t, g.address(), row.send+"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
		status, _, _ := strings.Cut(strings.TrimPrefix(answer, "HTTP/1.1 "), " ")
		if !strings.Contains(row.status, status) || status == "" {
			t.Errorf("%s: %.60q, want %s", row.name, answer, row.status)
		}
		if strings.Count(answer, "HTTP/1.1 ") != 1 {
			t.Errorf("%s: the connection went on: %.200q", row.name, answer)
		}
		if !strings.Contains(strings.ToLower(answer), "connection: close") {
			t.Errorf("%s: no Connection: close in %.200q", row.name, answer)
		}
	}
	if n := b.count(); n != 0 {
		t.Errorf("the backend saw %d requests, the last %+v", n, b.last(t))
	}
}

// Bodies whose framing breaks: the backend may have seen the head, but never a
// complete message, and nothing after it.
func TestStrictChunks(t *testing.T) {
	t.Parallel()
	complete := make(chan string, 100)
	b := serve(t, "app")
	_ = complete
	g := basics(t, b)
	for _, chunk := range []string{"0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
		"5 \r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "g\r\nhello\r\n0\r\n\r\n",
		"11111111111111111\r\nhello\r\n0\r\n\r\n", "5;a=\x01\r\nhello\r\n0\r\n\r\n", "5;" + strings.Repeat("x", 1000) + "\r\nhello\r\n0\r\n\r\n",
		"0\r\nContent-Length: 5\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nHost: b\r\n\r\n", "0\r\nX : 1\r\n\r\n", "0\r\nX: 1\n\r\n"} {
		before := b.count()
		answer := raw(t, g.address(), "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+chunk+"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 400 ") || strings.Count(answer, "HTTP/1.1 ") != 1 {
			t.Errorf("%.40q: %.100q", chunk, answer)
		}
		time.Sleep(10 * time.Millisecond)
		for i := before; i < b.count(); i++ {
			if seen := b.last(t); seen.Target == "/smuggled" {
				t.Errorf("%.40q: the backend saw %+v", chunk, seen)
			}
		}
	}
}

// A backend that answers so is 502, and its connection is not used again.
func TestStrictResponses(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"both framings":      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"bad length":         "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"bare LF":            "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"obs-fold":           "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
		"space before colon": "HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
		"no status":          "HTTP/1.1 \r\n\r\n",
		"odd status":         "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
		"not HTTP":           "SSH-2.0-OpenSSH_9.2\r\n",
		"NUL":                "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
		"101 unasked":        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		"unknown coding":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"closed at once":     "",
		"head cut":           "HTTP/1.1 200 OK\r\nContent-Le",
	} {
		b := script(t, func(conn net.Conn, r *bufio.Reader) {
			if _, err := readHead(r); err == nil {
				io.WriteString(conn, answer)
			}
		})
		g := basics(t, b)
		response, _ := g.fetch("POST", "a.test", "/")
		if response.StatusCode != 502 || !strings.HasPrefix(response.Header.Get("Proxy-Status"), "yumen; error=") {
			t.Errorf("%s: %d %q", name, response.StatusCode, response.Header.Get("Proxy-Status"))
		}
	}
}

// A response that breaks after its start must not look complete.
func TestBrokenResponseIsSeen(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"short body":  "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello",
		"chunks cut":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"chunks odd":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n\r\n0\r\n\r\n",
		"trailer odd": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX : 1\r\n\r\n",
	} {
		b := script(t, func(conn net.Conn, r *bufio.Reader) {
			if _, err := readHead(r); err == nil {
				io.WriteString(conn, answer)
			}
		})
		g := basics(t, b)
		_, body, err := g.tryFetch("GET", "a.test", "/")
		if err == nil {
			t.Errorf("%s: taken as complete: %q", name, body)
		}
	}
}

// Limits that a parser holds are counted like all others.
func TestParserLimitsAreCounted(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	for limit, send := range map[string]string{
		"pipelined_empty_lines": strings.Repeat("\r\n", 9) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"connection_options":    "GET / HTTP/1.1\r\nHost: a\r\nConnection: " + strings.Repeat("a,", 20) + "b\r\n\r\n",
		"chunk_line_bytes":      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 400) + "\r\na\r\n0\r\n\r\n",
		"trailer_bytes":         "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + strings.Repeat("x", 9000) + "\r\n\r\n",
		"request_target_bytes":  "GET /" + strings.Repeat("a", 20000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"request_fields":        "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("x: y\r\n", 200) + "\r\n",
		"request_head_bytes":    "GET / HTTP/1.1\r\nHost: a\r\nx: " + strings.Repeat("y", 70000) + "\r\n\r\n",
	} {
		if answer := raw(t, g.address(), send); !strings.HasPrefix(answer, "HTTP/1.1 4") {
			t.Errorf("%s: %.100q", limit, answer)
		}
		want := `yumen_limit_hits_total{limit="` + limit + `"} 1`
		g.eventually(want, func() error {
			if !strings.Contains(g.metrics(), want) {
				return errors.New("not counted")
			}
			return nil
		})
	}
}
