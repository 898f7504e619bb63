package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// smallHead is what a plain client sends.
const smallHead = "GET /s HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n"

// echoHead asks the backend for the head that it was sent.
const echoHead = "GET /e HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n"

// browserHead is 12 fields, 700 bytes, as a browser sends them.
var browserHead = "GET /s?utm=1 HTTP/1.1\r\nHost: bench.test\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Referer: http://bench.test/some/page/that/links/here\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes\r\n" +
	"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nCache-Control: max-age=0\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n\r\n"

const (
	smallBytes = 128
	largeBytes = 1 << 20
)

// client is a keep-alive connection that makes one request after the other.
type client struct {
	conn net.Conn
	read *bufio.Reader
}

type answer struct {
	status int
	head   string // all of it, lines ended by CRLF
	body   []byte
}

func dial(port int) (*client, error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	if overTLS {
		secure := tls.Client(conn, tlsClient)
		if err := secure.Handshake(); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	return &client{conn, bufio.NewReader(conn)}, nil
}

func (c *client) close() { c.conn.Close() }

// ask sends a head and reads the answer, whose length must be told.
func (c *client) ask(head string) (answer, error) {
	if _, err := io.WriteString(c.conn, head); err != nil {
		return answer{}, err
	}
	var got strings.Builder
	length := -1
	for {
		line, err := c.read.ReadString('\n')
		if err != nil {
			return answer{}, err
		}
		got.WriteString(line)
		if len(line) <= 2 {
			break
		}
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "content-length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return answer{}, err
			}
		}
	}
	text := got.String()
	if len(text) < 12 || length < 0 {
		return answer{}, fmt.Errorf("answered %q", text)
	}
	status, err := strconv.Atoi(text[9:12])
	if err != nil {
		return answer{}, err
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(c.read, body); err != nil {
		return answer{}, err
	}
	return answer{status, text, body}, nil
}

// small makes a request whose answer must be the backend's small one, whole.
func (c *client) small(head string) error {
	a, err := c.ask(head)
	if err != nil {
		return err
	}
	if a.status != 200 || !bytes.Equal(a.body, bytes.Repeat([]byte("x"), smallBytes)) {
		return fmt.Errorf("answered %q and %d bytes", a.head, len(a.body))
	}
	return nil
}

// send makes exactly n requests over the given number of keep-alive connections and
// fails on anything but the right answer.
func send(port, connections int, n int64, head string) error {
	var left atomic.Int64
	var group sync.WaitGroup
	failed := make([]error, connections)
	left.Store(n)
	for i := range failed {
		group.Add(1)
		go func() {
			defer group.Done()
			c, err := dial(port)
			if err == nil {
				defer c.close()
			}
			for err == nil && left.Add(-1) >= 0 {
				err = c.small(head)
			}
			failed[i] = err
		}()
	}
	group.Wait()
	return errors.Join(failed...)
}

// checkPeer holds a proxy to the work that all are measured at: what the backend
// is sent, what the client gets, and that connections to the backend are kept.
func checkPeer(port int) error {
	c, err := dial(port)
	if err != nil {
		return err
	}
	defer c.close()
	a, err := c.ask(echoHead)
	if err != nil {
		return err
	}
	sent := strings.ToLower(string(a.body))
	for _, want := range []string{"get /e http/1.1\r\n", "\r\nhost: bench.test\r\n", "\r\nuser-agent: bench/1\r\n",
		"\r\nx-forwarded-for: 127.0.0.1\r\n", "\r\nx-forwarded-proto: " + scheme() + "\r\n", "\r\nx-request-id: "} {
		if !strings.Contains(sent, want) {
			return fmt.Errorf("the backend was not sent %q but %q", want, a.body)
		}
	}
	before, err := accepted(a)
	if err != nil {
		return err
	}
	for i := 0; i < 50; i++ {
		if err := c.small(smallHead); err != nil {
			return err
		}
	}
	if a, err = c.ask("GET /m HTTP/1.1\r\nHost: bench.test\r\n\r\n"); err != nil {
		return err
	}
	if a.status != 200 || len(a.body) != largeBytes {
		return fmt.Errorf("a large body: status %d, %d bytes", a.status, len(a.body))
	}
	if a, err = c.ask(echoHead); err != nil {
		return err
	}
	if after, err := accepted(a); err != nil || after-before > 5 {
		return fmt.Errorf("%d connections to the backend for 50 requests: %v", after-before, err)
	}
	return nil
}

// accepted is how many connections the backend has accepted so far.
func accepted(a answer) (int, error) {
	_, rest, _ := strings.Cut(strings.ToLower(a.head), "\r\nx-accepted: ")
	number, _, _ := strings.Cut(rest, "\r\n")
	return strconv.Atoi(number)
}
