package main

import (
	"bufio"
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

// browserHead is 12 fields, 700 bytes, as a browser sends them.
var browserHead = "GET /s?utm=1 HTTP/1.1\r\nHost: bench.test\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Referer: http://bench.test/some/page/that/links/here\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes\r\n" +
	"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nCache-Control: max-age=0\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n\r\n"

// send makes exactly n requests over the given number of keep-alive connections and
// fails on anything but 200.
func send(port, connections int, n int64, head string) error {
	var left atomic.Int64
	var group sync.WaitGroup
	var failed atomic.Value
	left.Store(n)
	for i := 0; i < connections; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := sendOn(port, &left, head); err != nil {
				failed.Store(err)
			}
		}()
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return err.(error)
	}
	return nil
}

func sendOn(port int, left *atomic.Int64, head string) error {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 65536)
	for left.Add(-1) >= 0 {
		if err := one(conn, r, head); err != nil {
			return err
		}
	}
	return nil
}

// one request and its answer, whose body is thrown away.
func one(conn net.Conn, r *bufio.Reader, head string) error {
	if _, err := io.WriteString(conn, head); err != nil {
		return err
	}
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || line[9:12] != "200" {
		return fmt.Errorf("answered %q", line)
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if len(line) > 15 && strings.EqualFold(string(line[:15]), "content-length:") {
			length, _ = strconv.Atoi(strings.TrimSpace(string(line[15:])))
		}
	}
	_, err = r.Discard(length)
	return err
}
