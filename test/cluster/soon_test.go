package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// soon measures, from the cluster's network in a process of its own, how long after an
// apply a route is served, and how long after it a watch of another tells of it.
func init() {
	commands["soon"] = command{0, func(p place, _ []string) error { return soon(p) }}
	commands["fill"] = command{0, func(p place, _ []string) error { return makeRoutes(p) }}
}

const (
	soonTries  = 200
	soonRoutes = "/apis/gateway.networking.k8s.io/v1/namespaces/scene/httproutes"
	soonAPI    = "https://127.0.0.1:6443"
)

// delays are of soonTries changes, in milliseconds from when they were sent.
type delays struct{ Accepted, Watched, Served []float64 }

// TestHowSoon tells, for so many routes as MEASURE names ("10,1000,5000"), how soon a
// new one is served, what that costs, and what memory is needed.
func TestHowSoon(t *testing.T) {
	counts := os.Getenv("MEASURE")
	if counts == "" {
		t.Skip("a measurement: MEASURE=10,1000,5000")
	}
	p := root(t)
	address := raiseScene(t, p)
	fmt.Println("cluster | routes | applied | watched | served | served after watched | calls a change | controller, proxy RssAnon MiB |")
	for _, text := range strings.Split(counts, ",") {
		count, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, p, count)
		settle(t, p)
		before := callsOf(t, p)
		found := measure(t, p, address)
		settle(t, p)
		calls := callsOf(t, p)
		fmt.Printf("cluster | %d | %s | %s | %s | %s | %s | %s, %s |\n", count,
			spread(found.Accepted), spread(found.Watched), spread(found.Served),
			spread(less(found.Served, found.Watched)), perChange(before, calls),
			memory(t, p, "controller"), memory(t, p, "proxy"))
	}
}

func spread(values []float64) string {
	sorted := slices.Sorted(slices.Values(values))
	return fmt.Sprintf("%.1f, %.1f", sorted[len(sorted)/2], sorted[len(sorted)*99/100])
}

func less(a, b []float64) []float64 {
	out := slices.Clone(a)
	for i := range out {
		out[i] -= b[i]
	}
	return out
}

// fill has so many routes in place, on hosts of their own.
func fill(t *testing.T, p place, count int) {
	t.Helper()
	err := within(p, func(c *exec.Cmd) {
		c.Dir = p.root
		c.Env = append(c.Env, fmt.Sprint("FILL_COUNT=", count))
		c.Stderr = os.Stderr
	}, "/proc/self/exe", "fill")
	if err != nil {
		t.Fatal(err)
	}
	// The last of them has its status, and so have those before it.
	for n := count - 1; n >= 0; n -= max(count/10, 1) {
		name := fmt.Sprintf("fill-%d", n)
		eventually(t, "the status of "+name, func() bool {
			return ask(t, p, "", "-n", "scene", "get", "httproute", name, "-o",
				`jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}`) == "True"
		})
	}
}

func routeText(name string) string {
	return fmt.Sprintf(`{"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute",`+
		`"metadata":{"name":%q,"namespace":"scene"},"spec":{"parentRefs":[{"name":"web"}],"hostnames":["%s.test"],`+
		`"rules":[{"filters":[{"type":"ResponseHeaderModifier","responseHeaderModifier":{"set":[{"name":"x-route","value":%q}]}}],`+
		`"backendRefs":[{"name":"echo","port":80}]}]}}`, name, name, name)
}

// settle waits until yumen has asked the API server nothing for a second.
func settle(t *testing.T, p place) {
	t.Helper()
	last := -1
	eventually(t, "yumen to have written all it has to", func() bool {
		now := 0
		for _, n := range callsOf(t, p) {
			now += n
		}
		still := now == last
		last = now
		if !still {
			time.Sleep(time.Second)
		}
		return still
	})
}

// callsOf counts what yumen's controller asked the API server for, by verb and kind, but
// for its Lease and its watches.
func callsOf(t *testing.T, p place) map[string]int {
	t.Helper()
	file, err := os.Open(p.run("log/audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Stage, Verb string
			ObjectRef   struct{ Resource, Subresource string }
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Stage != "ResponseComplete" ||
			event.Verb == "watch" || event.ObjectRef.Resource == "leases" {
			continue
		}
		found[event.Verb+" "+strings.TrimSuffix(event.ObjectRef.Resource+"/"+event.ObjectRef.Subresource, "/")]++
	}
	return found
}

func perChange(before, after map[string]int) string {
	var out []string
	for what, n := range after {
		if n > before[what] {
			out = append(out, fmt.Sprintf("%.1f %s", float64(n-before[what])/soonTries, what))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

var rssAnon = regexp.MustCompile(`(?m)^RssAnon:\s+(\d+) kB`)

// memory of the processes of yumen with this command, for the scene, in MiB.
func memory(t *testing.T, p place, command string) string {
	t.Helper()
	var out []string
	for _, pid := range processes(t, p, "yumen", command) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if command == "proxy" && !strings.Contains(string(line), "\x00--gateway=scene/web\x00") {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			t.Fatal(err)
		}
		kilobytes, _ := strconv.Atoi(string(rssAnon.FindSubmatch(text)[1]))
		out = append(out, fmt.Sprintf("%.1f", float64(kilobytes)/1024))
	}
	return strings.Join(out, "+")
}

func measure(t *testing.T, p place, address string) delays {
	t.Helper()
	var out bytes.Buffer
	err := within(p, func(c *exec.Cmd) {
		c.Dir = p.root
		c.Env = append(c.Env, "SOON_ADDRESS="+address)
		c.Stdout, c.Stderr = &out, os.Stderr
	}, "/proc/self/exe", "soon")
	var found delays
	if err == nil {
		err = json.Unmarshal(out.Bytes(), &found)
	}
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func administrator(p place) (*http.Client, error) {
	pair, err := tls.LoadX509KeyPair(p.run("certificates/admin.crt"), p.run("certificates/admin.key"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(p.run("certificates/ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}},
	}}, nil
}

// makeRoutes makes those that are not there yet.
func makeRoutes(p place) error {
	client, err := administrator(p)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(os.Getenv("FILL_COUNT"))
	for n := 0; n < count && err == nil; n++ {
		err = create(client, fmt.Sprintf("fill-%d", n), http.StatusCreated, http.StatusConflict)
	}
	return err
}

func create(client *http.Client, name string, expected ...int) error {
	response, err := client.Post(soonAPI+soonRoutes, "application/json", strings.NewReader(routeText(name)))
	if err != nil {
		return err
	}
	problem, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err == nil && !slices.Contains(expected, response.StatusCode) {
		err = fmt.Errorf("%s: %s %s", name, response.Status, problem)
	}
	return err
}

func soon(p place) error {
	client, err := administrator(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watched, err := watchRoutes(ctx, client)
	if err != nil {
		return err
	}
	var found delays
	for n := range soonTries {
		if err := tryOne(client, watched, fmt.Sprintf("soon-%d", n), &found); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(&found)
}

type seenRoute struct {
	name string
	at   time.Time
}

// watchRoutes is the independent watch: it tells what is added from now on.
func watchRoutes(ctx context.Context, client *http.Client) (chan seenRoute, error) {
	response, err := client.Get(soonAPI + soonRoutes + "?limit=1")
	if err != nil {
		return nil, err
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
	}
	err = json.NewDecoder(response.Body).Decode(&list)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, "GET",
		soonAPI+soonRoutes+"?watch=1&resourceVersion="+list.Metadata.ResourceVersion, nil)
	if err != nil {
		return nil, err
	}
	if response, err = client.Do(request); err != nil {
		return nil, err
	}
	seen := make(chan seenRoute, 1000)
	go func() {
		defer response.Body.Close()
		events := json.NewDecoder(response.Body)
		for {
			var event struct {
				Type   string
				Object struct{ Metadata struct{ Name string } }
			}
			if events.Decode(&event) != nil {
				close(seen)
				return
			}
			if event.Type == "ADDED" {
				seen <- seenRoute{event.Object.Metadata.Name, time.Now()}
			}
		}
	}()
	return seen, nil
}

// tryOne makes a route, asks for it until it is served, and takes it away.
func tryOne(client *http.Client, watched chan seenRoute, name string, found *delays) error {
	served := make(chan time.Time, 1)
	start := time.Now()
	go func() { served <- firstAnswer(name) }()
	if err := create(client, name, http.StatusCreated); err != nil {
		return err
	}
	accepted := time.Now()
	seen, ok := <-watched
	if !ok || seen.name != name {
		return fmt.Errorf("watched %q, not %s", seen.name, name)
	}
	at := <-served
	if at.IsZero() {
		return errors.New(name + " was never served")
	}
	add := func(to *[]float64, at time.Time) { *to = append(*to, float64(at.Sub(start).Microseconds())/1000) }
	add(&found.Accepted, accepted)
	add(&found.Watched, seen.at)
	add(&found.Served, at)
	request, err := http.NewRequest("DELETE", soonAPI+soonRoutes+"/"+name, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		time.Sleep(300 * time.Millisecond) // so that the next one is a change of its own
	}
	return err
}

// firstAnswer asks every half millisecond, over one connection, until the route answers.
func firstAnswer(name string) time.Time {
	client := &http.Client{Timeout: 5 * time.Second}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		request, err := http.NewRequest("GET", "http://"+os.Getenv("SOON_ADDRESS")+"/", nil)
		if err != nil {
			return time.Time{}
		}
		request.Host = name + ".test"
		if response, err := client.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusOK && response.Header.Get("X-Route") == name {
				return time.Now()
			}
		}
		time.Sleep(500 * time.Microsecond)
	}
	return time.Time{}
}
