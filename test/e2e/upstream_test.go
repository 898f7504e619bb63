package e2e

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		connections.Add(1)
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	g := basics(t, b, "--workers", "1")
	client := g.client()
	for i := 0; i < 50; i++ {
		response, err := client.Get("http://a.test/")
		if err != nil {
			t.Fatal(err)
		}
		io.ReadAll(response.Body)
		response.Body.Close()
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections to the backend for 50 requests in a row", n)
	}
}

// A connect that is refused tries another endpoint.
func TestRefusedEndpointIsLeft(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"service.yaml": serviceYAML("app", freePort(t), b.port, freePort(t)),
		"route.yaml":   routeYAML("app", "", prefixRule("/", "app")),
	})
	for i := 0; i < 50; i++ {
		if response, _ := g.fetch("POST", "a.test", "/"); response.StatusCode != 200 {
			t.Fatalf("request %d: %d %s", i, response.StatusCode, response.Header.Get("Proxy-Status"))
		}
	}
	g.write("service.yaml", serviceYAML("app", freePort(t)))
	g.expect(503, "GET", "a.test", "/")
	response, _ := g.fetch("GET", "a.test", "/")
	if got := response.Header.Get("Proxy-Status"); got != "yumen; error=connection_refused" {
		t.Errorf("Proxy-Status %q", got)
	}
}

// A reused connection that dies before the answer: idempotent requests are sent
// again, others are not.
func TestReusedConnectionDies(t *testing.T) {
	t.Parallel()
	var posts atomic.Int32
	b := script(t, func(conn net.Conn, r *bufio.Reader) {
		for served := 0; ; served++ {
			head, err := readHead(r)
			if err != nil {
				return
			}
			if strings.HasPrefix(head, "POST") {
				posts.Add(1)
			}
			if served > 0 {
				return // dies with the second request in hand
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	g := basics(t, b, "--workers", "1")
	for i := 0; i < 20; i++ {
		if response, _ := g.fetch("GET", "a.test", "/"); response.StatusCode != 200 {
			t.Fatalf("GET %d: %d %s", i, response.StatusCode, response.Header.Get("Proxy-Status"))
		}
	}
	before := posts.Load()
	response, _ := g.fetch("POST", "a.test", "/")
	if n := posts.Load() - before; n != 1 {
		t.Errorf("a POST was sent %d times", n)
	}
	if response.StatusCode != 200 && response.StatusCode != 502 {
		t.Errorf("POST: %d", response.StatusCode)
	}
	if !strings.Contains(g.metrics(), "yumen_backend_retries_total") {
		t.Error("retries are not counted")
	}
}

// Ready endpoints first; serving and terminating ones only where none is ready.
func TestEndpointConditions(t *testing.T) {
	t.Parallel()
	ready, leaving := serve(t, "ready"), serve(t, "leaving")
	port := freePort(t)
	service := serviceYAML("app") + sliceYAML("one", "app", ready.port, "ready: true")
	terminating := sliceYAML("two", "app", leaving.port, "ready: false, serving: true, terminating: true")
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"service.yaml": service,
		"two.yaml":     terminating,
		"route.yaml":   routeYAML("app", "", prefixRule("/", "app")),
	})
	for i := 0; i < 20; i++ {
		if body := g.expect(200, "GET", "a.test", "/"); body != "ready" {
			t.Fatalf("%q answered", body)
		}
	}
	g.write("service.yaml", strings.Replace(service, "ready: true", "ready: false", 1))
	g.eventually("the terminating one serves", func() error {
		if body := g.expect(200, "GET", "a.test", "/"); body != "leaving" {
			return io.ErrNoProgress
		}
		return nil
	})
	g.write("two.yaml", sliceYAML("two", "app", leaving.port, "ready: false, serving: false, terminating: true"))
	g.expect(503, "GET", "a.test", "/")
}

func TestExternalHostname(t *testing.T) {
	t.Parallel()
	b := serve(t, "outside")
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"backend.yaml": `apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackend
metadata: {name: outside, namespace: default}
spec:
  type: ExternalHostname
  externalHostname: {hostname: localhost}
  port: {number: ` + itoa(b.port) + `}
  protocol: HTTP
`,
		"route.yaml": routeYAML("app", "", `
  - backendRefs: [{group: gateway.networking.x-k8s.io, kind: XBackend, name: outside}]
`),
	})
	if body := g.expect(200, "GET", "a.test", "/"); body != "outside" {
		t.Errorf("%q", body)
	}
}

// The least loaded of two: a slow endpoint gets far less.
func TestLeastRequest(t *testing.T) {
	t.Parallel()
	var fast, tardy atomic.Int32
	answer := func(count *atomic.Int32, wait time.Duration) *backend {
		return script(t, func(conn net.Conn, r *bufio.Reader) {
			for {
				if _, err := readHead(r); err != nil {
					return
				}
				count.Add(1)
				time.Sleep(wait)
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		})
	}
	a, b := answer(&fast, time.Millisecond), answer(&tardy, 200*time.Millisecond)
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"service.yaml": serviceYAML("app", a.port, b.port),
		"route.yaml":   routeYAML("app", "", prefixRule("/", "app")),
	}, "--workers", "1")
	done := make(chan bool)
	for i := 0; i < 8; i++ {
		go func() {
			client := g.client()
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
				response, err := client.Get("http://a.test/")
				if err != nil {
					t.Error(err)
					break
				}
				io.ReadAll(response.Body)
				response.Body.Close()
			}
			done <- true
		}()
	}
	for i := 0; i < 8; i++ {
		<-done
	}
	if fast.Load() < 5*tardy.Load() {
		t.Errorf("fast %d, slow %d requests", fast.Load(), tardy.Load())
	}
}
