package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A listener gets another name, again and again, while each request comes on a
// connection of its own: the socket stays, so none is refused and none is answered
// by a gateway without its route.
func TestRenamedListener(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	g.expect(200, "GET", "a.test", "/")
	var stop atomic.Bool
	var asked atomic.Int64
	var group sync.WaitGroup
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for !stop.Load() {
				response, err := client.Get("http://" + g.address() + "/")
				if err != nil {
					t.Errorf("request %d: %v", asked.Load(), err)
					return
				}
				body, _ := io.ReadAll(response.Body)
				response.Body.Close()
				if response.StatusCode != 200 {
					t.Errorf("request %d: %d %s", asked.Load(), response.StatusCode, body)
					return
				}
				asked.Add(1)
			}
		}()
	}
	for i := 0; i < 30; i++ {
		name := fmt.Sprintf("http-%d", i)
		g.write("gateway.yaml", strings.Replace(gatewayYAML(g.port, ""), "name: http,", "name: "+name+",", 1))
		g.eventually("the status says "+name, func() error {
			status := g.get("gateways")[0]["status"].(map[string]any)
			listener := status["listeners"].([]any)[0].(map[string]any)
			if listener["name"] != name || condition(listener["conditions"], "Programmed")["status"] != "True" {
				return fmt.Errorf("%v", listener)
			}
			return nil
		})
	}
	stop.Store(true)
	group.Wait()
	if asked.Load() < 30 {
		t.Errorf("only %d requests", asked.Load())
	}
}

// A listener moves to another port and back before the connection that is open
// through it has ended: each port is refused as soon as it is left, and served as
// soon as it is wanted.
func TestMovedListener(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	here, there := g.port, freePort(t)
	g.expect(200, "GET", "a.test", "/")
	open := dial(t, g.address())
	defer open.Close()
	if _, err := io.WriteString(open, "GET / HT"); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 6; i++ {
		from, to := here, there
		if i%2 == 1 {
			from, to = there, here
		}
		g.write("gateway.yaml", gatewayYAML(to, ""))
		g.port = to
		g.expect(200, "GET", "a.test", "/")
		left := &gate{t: t, port: from}
		left.eventually("the port that was left refuses", func() error {
			if _, _, err := left.tryFetch("GET", "a.test", "/"); err == nil || !strings.Contains(err.Error(), "refused") {
				return fmt.Errorf("%v", err)
			}
			return nil
		})
	}
}
