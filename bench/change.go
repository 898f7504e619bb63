package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

const (
	routeFiles    = 500
	routesPerFile = 100
	edits         = 21
)

// manyRoutes writes 50,000 routes in files of 100, each on its own path; hosts: on
// hosts of their own, or all on one.
func (b *bench) manyRoutes(folder string, hosts bool) error {
	return b.routesIn(folder, routeFiles, hosts)
}

func (b *bench) routesIn(folder string, files int, hosts bool) error {
	if err := os.MkdirAll(b.path(folder), 0o755); err != nil {
		return err
	}
	b.write(folder+"/all.yaml", fmt.Sprintf(objects, proxyPort, backendPort)+anyRoute)
	for file := 0; file < files; file++ {
		var text strings.Builder
		for i := file * routesPerFile; i < (file+1)*routesPerFile; i++ {
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
  - matches: [{path: {type: PathPrefix, value: /some/route-%d}}]
    backendRefs: [{name: app, port: 80}]
`, i, host, path)
}

// change: how soon an edited route serves. yumen's own time is what all of its
// threads have run from the moment that the file is in place (the call of rename)
// until a client has an answer of the edited route. One thread hands the edit to
// the next, so on a machine with nothing else to do the clock says the same; it is
// shown as well.
func (b *bench) change() error {
	return b.withBackend(func() error {
		for _, hosts := range []bool{true, false} {
			own, clock, err := b.edits(hosts)
			if err != nil {
				return err
			}
			where := "one host"
			if hosts {
				where = "50,000 hosts"
			}
			b.add(row{what: fmt.Sprintf("50,000 routes on %s: own time until an edited one serves, ms (median, most of %d; by the clock median, least)", where, edits),
				must: "10", yumen: fmt.Sprintf("%.1f, %.1f; %.1f, %.1f", own[edits/2], own[edits-1], clock[edits/2], clock[0])})
		}
		return nil
	})
}

func (b *bench) edits(hosts bool) (own, clock []float64, err error) {
	folder := fmt.Sprintf("many-%v", hosts)
	if err := b.manyRoutes(folder, hosts); err != nil {
		return nil, nil, err
	}
	p, err := b.startServed(-1, proxyPort, append(b.yumenRun(b.path(folder), proxyPort), "off")...)
	if err != nil {
		return nil, nil, err
	}
	defer p.stop()
	for i := 0; i < edits; i++ {
		// Whatever the last one left to do is done.
		time.Sleep(500 * time.Millisecond)
		o, c, err := b.edit(p, folder, hosts, i)
		if err != nil {
			return nil, nil, err
		}
		own, clock = append(own, o), append(clock, c)
	}
	sort.Float64s(own)
	sort.Float64s(clock)
	return own, clock, nil
}

// edit gives one route of one file a new path and a filter, and asks for that path
// until it is the edited route that answers: until then it is 404, or, on the host
// of the route of everything, an answer without X-Edit.
func (b *bench) edit(p *process, folder string, hosts bool, number int) (own, clock float64, err error) {
	file := (number * 37) % routeFiles
	route := file*routesPerFile + 50
	var text strings.Builder
	for i := file * routesPerFile; i < (file+1)*routesPerFile; i++ {
		if i != route {
			text.WriteString(manyRoute(i, i, hosts))
			continue
		}
		text.WriteString(manyRoute(i, 100000+number, hosts))
		fmt.Fprintf(&text, "    filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: X-Edit, value: \"%d\"}]}}]\n", number)
	}
	host := "bench.test"
	if hosts {
		host = fmt.Sprintf("host-%d.test", route)
	}
	head := fmt.Sprintf("GET /some/route-%d HTTP/1.1\r\nHost: %s\r\n\r\n", 100000+number, host)
	c, err := dial(p.port)
	if err != nil {
		return 0, 0, err
	}
	defer c.close()
	if _, err := c.ask(head); err != nil {
		return 0, 0, err
	}
	temporary := b.write(folder+"/.new", text.String())
	before, err := cpuTime(p.worker())
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := os.Rename(temporary, filepath.Join(b.path(folder), fmt.Sprintf("routes-%03d.yaml", file))); err != nil {
		return 0, 0, err
	}
	want := fmt.Sprintf("\r\nX-Edit: %d\r\n", number)
	for time.Since(start) < 20*time.Second {
		a, err := c.ask(head)
		if err != nil {
			return 0, 0, err
		}
		if strings.Contains(a.head, want) {
			took := time.Since(start)
			after, err := cpuTime(p.worker())
			return float64(after-before) / 1e6, float64(took.Microseconds()) / 1e3, err
		}
		time.Sleep(200 * time.Microsecond)
	}
	return 0, 0, fmt.Errorf("route %d is not served", route)
}
