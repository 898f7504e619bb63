package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
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
	return fn()
}

var collected = regexp.MustCompile(`(?m)Collected : (\d+)`)

// callgrind counts the user instructions of a server for n requests.
func (b *bench) callgrind(args []string, n int64, head string) (int64, error) {
	port := proxyPort
	valgrind := append([]string{"valgrind", "--tool=callgrind", "--callgrind-out-file=" + b.path("callgrind.out")}, args...)
	p, err := b.start(-1, port, valgrind...)
	if err != nil {
		return 0, err
	}
	if strings.HasSuffix(args[0], "yumen") {
		b.waitServed(port)
	}
	err = send(port, 16, n, head)
	p.stop()
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return 0, err
	}
	match := collected.FindSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("callgrind said nothing: %s", text)
	}
	return strconv.ParseInt(string(match[1]), 10, 64)
}

// waitServed asks until a request is answered with 200: the routes are in.
func (b *bench) waitServed(port int) {
	for i := 0; i < 6000; i++ {
		if send(port, 1, 1, smallHead) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// perRequest is the difference of two runs, so that starting costs nothing.
func (b *bench) perRequest(args []string, head string) (float64, error) {
	const few, many = 2000, 12000
	var counts [2]int64
	for i, n := range []int64{few, many} {
		var err error
		for try := 0; try < 3; try++ {
			if counts[i], err = b.callgrind(args, n, head); err == nil {
				break
			}
		}
		if err != nil {
			return 0, err
		}
	}
	return float64(counts[1]-counts[0]) / (many - few), nil
}

func (b *bench) instructions() error {
	return b.withBackend(func() error {
		small := row{what: "user instructions, small keep-alive GET", must: "6,000", goal: "5,000"}
		browser := row{what: "the same with a browser's head"}
		logged := row{what: "small GET with JSON access log", must: "8,000", goal: "7,000"}
		for _, peer := range b.peers() {
			args := peer.args(b, proxyPort)
			for head, r := range map[string]*row{smallHead: &small, browserHead: &browser} {
				n, err := b.perRequest(args, head)
				if err != nil {
					return fmt.Errorf("%s: %w", peer.name, err)
				}
				r.set(peer.name, thousands(n))
			}
		}
		args := append(yumenArgs(b, proxyPort), "--access-log", "json:"+b.path("access.log"))
		n, err := b.perRequest(replaceLog(args), smallHead)
		if err != nil {
			return err
		}
		logged.yumen = thousands(n)
		b.add(small)
		b.add(browser)
		b.add(logged)
		return nil
	})
}

// replaceLog takes the first --access-log out: a flag may be given once.
func replaceLog(args []string) []string {
	for i, arg := range args {
		if arg == "--access-log" {
			return append(append([]string{}, args[:i]...), args[i+2:]...)
		}
	}
	return args
}

func thousands(n float64) string {
	text := strconv.FormatInt(int64(n+0.5), 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

var straceLine = regexp.MustCompile(`(?m)^100\.00\s+\S+\s+(?:\d+\s+)?(\d+)\s`)

// syscalls counts a worker's system calls a request, at 64 connections, as the
// difference of two runs.
func (b *bench) syscalls() error {
	return b.withBackend(func() error {
		r := row{what: "system calls a request, 64 connections", must: "4.4", goal: "4.2"}
		for _, peer := range b.peers() {
			var counts [2]int64
			for i, n := range []int64{10000, 60000} {
				p, err := b.start(0, proxyPort, peer.args(b, proxyPort)...)
				if err != nil {
					return err
				}
				b.waitServed(proxyPort)
				counts[i], err = b.trace(p, n)
				p.stop()
				if err != nil {
					return fmt.Errorf("%s: %w", peer.name, err)
				}
			}
			r.set(peer.name, fmt.Sprintf("%.2f", float64(counts[1]-counts[0])/50000))
		}
		b.add(r)
		return nil
	})
}

func (b *bench) trace(p *process, n int64) (int64, error) {
	out := b.path("strace.out")
	strace := exec.Command("strace", "-f", "-c", "-o", out, "-p", strconv.Itoa(p.worker()))
	if err := strace.Start(); err != nil {
		return 0, err
	}
	time.Sleep(300 * time.Millisecond)
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
	match := straceLine.FindSubmatch(text)
	if match == nil {
		return 0, fmt.Errorf("strace said nothing: %s", text)
	}
	return strconv.ParseInt(string(match[1]), 10, 64)
}

// memory: what an idle process holds, and what an idle keep-alive connection adds.
func (b *bench) memory() error {
	return b.withBackend(func() error {
		idle := row{what: "idle process, RssAnon MiB", must: "4", goal: "3"}
		connection := row{what: "idle keep-alive connection, bytes", must: "400", goal: "300"}
		for _, peer := range b.peers() {
			p, err := b.start(0, proxyPort, peer.args(b, proxyPort)...)
			if err != nil {
				return err
			}
			b.waitServed(proxyPort)
			time.Sleep(500 * time.Millisecond)
			before, err := status(p.worker(), "RssAnon")
			if err != nil {
				return err
			}
			idle.set(peer.name, fmt.Sprintf("%.2f", float64(before)/1024))
			bytes, err := idleBytes(p)
			p.stop()
			if err != nil {
				return fmt.Errorf("%s: %w", peer.name, err)
			}
			connection.set(peer.name, thousands(bytes))
		}
		b.add(idle)
		b.add(connection)
		return nil
	})
}

// idleBytes opens connections, one request each, and sees what the process grew by
// from the first thousand on: by then its pools are what they are.
func idleBytes(p *process) (float64, error) {
	const first, all = 1000, 9000
	var connections []net.Conn
	var before int64
	defer func() {
		for _, c := range connections {
			c.Close()
		}
	}()
	for len(connections) < all {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err != nil {
			return 0, err
		}
		connections = append(connections, conn)
		if err := one(conn, bufio.NewReader(conn), smallHead); err != nil {
			return 0, err
		}
		if len(connections) == first {
			time.Sleep(300 * time.Millisecond)
			if before, err = status(p.worker(), "RssAnon"); err != nil {
				return 0, err
			}
		}
	}
	time.Sleep(500 * time.Millisecond)
	after, err := status(p.worker(), "RssAnon")
	if err != nil {
		return 0, err
	}
	return float64(after-before) * 1024 / (all - first), nil
}

// slice loads a server for one second by wrk and returns its CPU time a request.
func (b *bench) slice(p *process, connections int, path string) (float64, error) {
	before, err := cpuTime(p.worker())
	if err != nil {
		return 0, err
	}
	out, err := exec.Command("taskset", "-c", "1", "wrk", "-t1", "-c"+strconv.Itoa(connections), "-d1s",
		fmt.Sprintf("http://127.0.0.1:%d%s", p.port, path)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	after, err := cpuTime(p.worker())
	if err != nil {
		return 0, err
	}
	match := regexp.MustCompile(`(\d+) requests in`).FindSubmatch(out)
	if match == nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		return 0, fmt.Errorf("wrk: %s", out)
	}
	n, _ := strconv.ParseInt(string(match[1]), 10, 64)
	if n == 0 {
		return 0, fmt.Errorf("wrk made no request: %s", out)
	}
	return float64(after-before) / float64(n), nil
}

// interleaved runs slices of all servers in turn and returns each one's minimum.
func (b *bench) interleaved(connections int, path string) (map[string]float64, error) {
	minima := map[string]float64{}
	err := b.withBackend(func() error {
		var servers []*process
		peers := b.peers()
		for i, peer := range peers {
			p, err := b.start(0, proxyPort+i, peer.args(b, proxyPort+i)...)
			if err != nil {
				return err
			}
			defer p.stop()
			b.waitServed(proxyPort + i)
			servers = append(servers, p)
		}
		for round := 0; round <= b.slices; round++ {
			for i, p := range servers {
				cost, err := b.slice(p, connections, path)
				if err != nil {
					return fmt.Errorf("%s: %w", peers[i].name, err)
				}
				if round == 0 {
					continue // warming up
				}
				if old, ok := minima[peers[i].name]; !ok || cost < old {
					minima[peers[i].name] = cost
				}
			}
		}
		return nil
	})
	return minima, err
}

func (b *bench) cpu() error {
	minima, err := b.interleaved(64, "/s")
	if err != nil {
		return err
	}
	r := row{what: fmt.Sprintf("CPU a request against nginx (ratio of minima, %d slices)", b.slices), must: "0.88", goal: "0.80"}
	for name, cost := range minima {
		r.set(name, fmt.Sprintf("%.2f", cost/minima["nginx"]))
	}
	b.add(r)
	return nil
}

func (b *bench) body() error {
	minima, err := b.interleaved(16, "/m")
	if err != nil {
		return err
	}
	r := row{what: fmt.Sprintf("CPU of a 1 MiB body against HAProxy (ratio of minima, %d slices)", b.slices), must: "0.40", goal: "0.33"}
	for name, cost := range minima {
		r.set(name, fmt.Sprintf("%.2f", cost/minima["haproxy"]))
	}
	b.add(r)
	return nil
}

// manyRoutes writes 50,000 routes in files of 100, each on its own path; hosts: on
// hosts of their own, or all on one.
func (b *bench) manyRoutes(folder string, hosts bool) error {
	if err := os.MkdirAll(b.path(folder), 0o755); err != nil {
		return err
	}
	b.write(folder+"/all.yaml", fmt.Sprintf(objects, proxyPort, backendPort)+anyRoute)
	for file := 0; file < 500; file++ {
		var text strings.Builder
		for i := file * 100; i < (file+1)*100; i++ {
			text.WriteString(manyRoute(i, i, hosts))
		}
		b.write(fmt.Sprintf("%s/routes-%03d.yaml", folder, file), text.String())
	}
	return nil
}

// manyRoute is route number i, whose path says path.
func manyRoute(i, path int, hosts bool) string {
	host := "bench.test"
	if hosts {
		host = fmt.Sprintf("host-%d.test", i)
	}
	return fmt.Sprintf(`---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: route-%d, namespace: default}
spec:
  parentRefs: [{name: bench}]
  hostnames: [%s]
  rules:
  - matches: [{path: {type: PathPrefix, value: /many/route-%d}}]
    backendRefs: [{name: app, port: 80}]
`, i, host, path)
}

// change: how long after a file was replaced its edited route is served, asked by
// requests that follow each other at once. What is measured is an upper bound of
// yumen's own time: it holds the kernel's notice and the request as well.
func (b *bench) change() error {
	return b.withBackend(func() error {
		for _, hosts := range []bool{true, false} {
			times, err := b.edits(hosts)
			if err != nil {
				return err
			}
			where := "one host"
			if hosts {
				where = "50,000 hosts"
			}
			b.add(row{what: "50,000 routes on " + where + ": an edited route serves after, ms (median of 21; min)", must: "10",
				yumen: fmt.Sprintf("%.1f; %.1f", times[len(times)/2], times[0])})
		}
		return nil
	})
}

func (b *bench) edits(hosts bool) ([]float64, error) {
	folder := fmt.Sprintf("many-%v", hosts)
	if err := b.manyRoutes(folder, hosts); err != nil {
		return nil, err
	}
	p, err := b.start(0, proxyPort, b.yumenRun(b.path(folder))...)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	b.waitServed(proxyPort)
	time.Sleep(time.Second)
	var times []float64
	for i := 0; i < 21; i++ {
		ms, err := b.edit(folder, hosts, i)
		if err != nil {
			return nil, err
		}
		times = append(times, ms)
	}
	sort.Float64s(times)
	return times, nil
}

// edit gives one route of one file a new path and asks for that path until it is
// the edited route that answers: /many is answered 404 by the hosts' own routes, or,
// on one host, by the route of everything, which adds no X-Edit.
func (b *bench) edit(folder string, hosts bool, number int) (float64, error) {
	file := (number * 37) % 500
	route := file*100 + 50
	var text strings.Builder
	for i := file * 100; i < (file+1)*100; i++ {
		yaml := manyRoute(i, i, hosts)
		if i == route {
			yaml = manyRoute(i, 100000+number, hosts) +
				fmt.Sprintf("    filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Edit, value: \"%d\"}]}}]\n", number)
		}
		text.WriteString(yaml)
	}
	host := "bench.test"
	if hosts {
		host = fmt.Sprintf("host-%d.test", route)
	}
	head := fmt.Sprintf("GET /many/route-%d HTTP/1.1\r\nHost: %s\r\n\r\n", 100000+number, host)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", proxyPort))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	temporary := b.write(folder+"/.new", text.String())
	start := time.Now()
	if err := os.Rename(temporary, filepath.Join(b.path(folder), fmt.Sprintf("routes-%03d.yaml", file))); err != nil {
		return 0, err
	}
	want := fmt.Sprintf("X-Edit: %d\r\n", number)
	buffer := make([]byte, 4096)
	for time.Since(start) < 20*time.Second {
		if _, err := conn.Write([]byte(head)); err != nil {
			return 0, err
		}
		n, err := conn.Read(buffer)
		if err != nil {
			return 0, err
		}
		if strings.Contains(string(buffer[:n]), want) {
			return float64(time.Since(start).Microseconds()) / 1000, nil
		}
	}
	return 0, fmt.Errorf("route %d is not served", route)
}

// routes: what a request costs with 50,000 routes on its host, against one route.
func (b *bench) routes() error {
	return b.withBackend(func() error {
		if err := b.manyRoutes("many-false", false); err != nil {
			return err
		}
		head := strings.Replace(smallHead, "/s ", "/many/route-31415/s ", 1)
		few, err := b.perRequest(yumenArgs(b, proxyPort), head)
		if err != nil {
			return err
		}
		many, err := b.perRequest(b.yumenRun(b.path("many-false")), head)
		if err != nil {
			return err
		}
		b.add(row{what: "instructions with 50,000 routes on one host, against one route", must: "1.10",
			yumen: fmt.Sprintf("%.3f (%s, %s)", many/few, thousands(many), thousands(few))})
		return nil
	})
}
