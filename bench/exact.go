package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// withBackend starts the backend, on one processor, for the time of fn.
func (b *bench) withBackend(fn func() error) error {
	backend, err := b.start(1, backendPort, b.path("backend"), strconv.Itoa(backendPort))
	if err != nil {
		return err
	}
	defer backend.stop()
	if toTLS {
		secure, err := b.secureBackend()
		if err != nil {
			return err
		}
		defer secure.stop()
	}
	return fn()
}

// waitServed asks until a request is answered with 200: the routes are in.
func waitServed(port int) error {
	err := fmt.Errorf("never asked")
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = send(port, 1, 1, smallHead); err == nil {
			return nil
		}
	}
	return fmt.Errorf("not served: %w", err)
}

// startServed starts a proxy, waits until it serves, and holds it to the work that
// all do.
func (b *bench) startServed(cpu, port int, args ...string) (*process, error) {
	p, err := b.start(cpu, port, args...)
	if err != nil {
		return nil, err
	}
	if err = waitServed(port); err == nil {
		err = checkPeer(port)
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// perRequest counts a server's user instructions for each head, of all its threads,
// by callgrind: what it counted between two dumps, with n requests between them.
func (b *bench) perRequest(n int64, heads []string, args ...string) ([]float64, error) {
	out := b.path("callgrind.out")
	valgrind := append([]string{"valgrind", "--tool=callgrind", "--callgrind-out-file=" + out}, args...)
	p, err := b.startServed(-1, proxyPort, valgrind...)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	var counts []float64
	for _, head := range heads {
		// Pools fill, and what a start leaves to do is done.
		if err := send(proxyPort, 16, n/4, head); err != nil {
			return nil, err
		}
		time.Sleep(time.Second)
		if _, err := dump(p, out); err != nil {
			return nil, err
		}
		if err := send(proxyPort, 16, n, head); err != nil {
			return nil, err
		}
		count, err := dump(p, out)
		if err != nil {
			return nil, err
		}
		counts = append(counts, float64(count)/float64(n))
	}
	return counts, nil
}

var totals = regexp.MustCompile(`(?m)^totals: (\d+)`)

// dump makes callgrind write what it has counted since the last dump.
func dump(p *process, out string) (int64, error) {
	p.dumps++
	if text, err := exec.Command("callgrind_control", "-d", strconv.Itoa(p.worker())).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("callgrind_control: %w: %s", err, text)
	}
	name := fmt.Sprintf("%s.%d", out, p.dumps)
	defer os.Remove(name)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(name)
		if match := totals.FindSubmatch(text); err == nil && match != nil {
			return strconv.ParseInt(string(match[1]), 10, 64)
		}
	}
	return 0, fmt.Errorf("callgrind wrote no %s", name)
}

func (b *bench) instructions() error {
	return b.withBackend(func() error {
		small := row{what: "user instructions, small keep-alive GET", must: "6,000", goal: "5,000"}
		browser := row{what: "the same with a browser's head (12 fields, 700 bytes)"}
		logged := row{what: "small GET with JSON access log", must: "8,000", goal: "7,000"}
		for _, peer := range b.peers() {
			n := int64(10000)
			if peer.name == "envoy" {
				n = 1000 // its instructions are many enough
			}
			counts, err := b.perRequest(n, []string{smallHead, browserHead}, peer.args(b, proxyPort, false)...)
			if err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			small.set(peer.name, thousands(counts[0]))
			browser.set(peer.name, thousands(counts[1]))
			if !peer.logs {
				continue
			}
			if counts, err = b.perRequest(n, []string{smallHead}, peer.args(b, proxyPort, true)...); err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			logged.set(peer.name, thousands(counts[0]))
		}
		b.add(small)
		b.add(browser)
		b.add(logged)
		return nil
	})
}

// routes: what a request costs with 50,000 routes on its host, against one route.
func (b *bench) routes() error {
	return b.withBackend(func() error {
		if err := b.manyRoutes("many-false", false); err != nil {
			return err
		}
		head := []string{strings.Replace(smallHead, "/s ", "/some/route-31415/s ", 1)}
		few, err := b.perRequest(10000, head, yumenArgs(b, proxyPort, false)...)
		if err != nil {
			return err
		}
		many, err := b.perRequest(10000, head, append(b.yumenRun(b.path("many-false"), proxyPort), "off")...)
		if err != nil {
			return err
		}
		b.add(row{what: "instructions with 50,000 routes on one host, against one route", must: "1.10",
			yumen: fmt.Sprintf("%.3f (%s, %s)", many[0]/few[0], thousands(many[0]), thousands(few[0]))})
		return nil
	})
}

func thousands(n float64) string {
	text := strconv.FormatInt(int64(n+0.5), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// syscalls counts a server's system calls a request, at 64 connections, as the
// difference of two runs.
func (b *bench) syscalls() error {
	return b.withBackend(func() error {
		const few, many = 10000, 60000
		r := row{what: "system calls a request, 64 connections", must: "4.4", goal: "4.2"}
		for _, peer := range b.peers() {
			var counts [2]int64
			for i, n := range []int64{few, many} {
				p, err := b.startServed(0, proxyPort, peer.args(b, proxyPort, false)...)
				if err != nil {
					return fmt.Errorf("%s: %w", peer.name, err)
				}
				counts[i], err = b.trace(p, n)
				p.stop()
				if err != nil {
					return fmt.Errorf("%s: %w", peer.name, err)
				}
			}
			r.set(peer.name, fmt.Sprintf("%.2f", float64(counts[1]-counts[0])/(many-few)))
		}
		b.add(r)
		return nil
	})
}

var straceTotal = regexp.MustCompile(`(?m)^\s*(\d+)\s+total$`)

func (b *bench) trace(p *process, n int64) (int64, error) {
	out := b.path("strace.out")
	strace := exec.Command("strace", "-f", "-c", "-U", "calls,name", "-o", out, "-p", strconv.Itoa(p.worker()))
	if err := strace.Start(); err != nil {
		return 0, err
	}
	time.Sleep(500 * time.Millisecond)
	err := send(proxyPort, 64, n, smallHead)
	strace.Process.Signal(syscall.SIGINT)
	strace.Wait()
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(out)
	if err != nil {
		return 0, err
	}
	match := straceTotal.FindSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("strace said nothing: %s", text)
	}
	return strconv.ParseInt(string(match[1]), 10, 64)
}

// memory: what an idle process holds, and what an idle keep-alive connection adds.
func (b *bench) memory() error {
	return b.withBackend(func() error {
		idle := row{what: "idle process, RssAnon MiB", must: "4", goal: "3"}
		connection := row{what: "idle keep-alive connection, bytes of RssAnon", must: "400", goal: "300"}
		for _, peer := range b.peers() {
			p, err := b.start(0, proxyPort, peer.args(b, proxyPort, false)...)
			if err != nil {
				return err
			}
			before, bytes, err := idleMemory(p)
			p.stop()
			if err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			idle.set(peer.name, fmt.Sprintf("%.2f", float64(before)/1024))
			connection.set(peer.name, thousands(bytes))
		}
		b.add(idle)
		b.add(connection)
		return nil
	})
}

// idleMemory is what a process holds before it has work, in KiB, and what it grows
// by for a connection that has made one request, from the first thousand on: by
// then its pools are what they are.
func idleMemory(p *process) (int64, float64, error) {
	const first, all = 1000, 9000
	if err := waitServed(p.port); err != nil {
		return 0, 0, err
	}
	idle, err := restingMemory(p)
	if err != nil {
		return 0, 0, err
	}
	var before int64
	var clients []*client
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	for len(clients) < all {
		c, err := dial(p.port)
		if err != nil {
			return 0, 0, err
		}
		clients = append(clients, c)
		if err := c.small(smallHead); err != nil {
			return 0, 0, err
		}
		if len(clients) == first {
			if before, err = restingMemory(p); err != nil {
				return 0, 0, err
			}
		}
	}
	after, err := restingMemory(p)
	if err != nil {
		return 0, 0, err
	}
	for _, c := range clients { // all are still there
		if err := c.small(smallHead); err != nil {
			return 0, 0, err
		}
	}
	return idle, float64(after-before) * 1024 / (all - first), nil
}

func restingMemory(p *process) (int64, error) {
	time.Sleep(500 * time.Millisecond)
	return status(p.worker(), "RssAnon")
}
