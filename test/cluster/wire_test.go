package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	wireTries = 20
	// wireScene is a Service whose endpoints nobody else changes, and a route to it.
	wireScene = `apiVersion: v1
kind: Service
metadata: {name: far, namespace: scene}
spec: {ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: far, namespace: scene}
spec:
  parentRefs: [{name: web}]
  hostnames: [far.test]
  rules: [{backendRefs: [{name: far, port: 80}]}]
`
)

func farSlice(name string, n int) string {
	return fmt.Sprintf(`apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s, namespace: scene, labels: {kubernetes.io/service-name: far}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [192.0.2.%d], conditions: {ready: true}}]
`, name, n)
}

var sentBytes = regexp.MustCompile(`(?m)^yumen_stream_sent_bytes_total (\d+)`)

// controllers are their addresses.
func controllers(t *testing.T, p place) []string {
	t.Helper()
	return strings.Fields(ask(t, p, "", "-n", "yumen-system", "get", "pods",
		"-l", "app.kubernetes.io/component=controller", "-o", "jsonpath={.items[*].status.podIP}"))
}

// sent is how many bytes the controllers have sent to proxies.
func sent(t *testing.T, p place) int {
	t.Helper()
	sum := 0
	for _, ip := range controllers(t, p) {
		text := string(fetched(t, p, "http://"+ip+":9911/metrics"))
		found := sentBytes.FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("no metric of %s", ip)
		}
		n, _ := strconv.Atoi(found[1])
		sum += n
	}
	return sum
}

// costs is how many bytes a change costs, to each of the two proxies.
func costs(t *testing.T, p place, change func(n int)) int {
	t.Helper()
	change(0)
	settle(t, p)
	before := sent(t, p)
	for n := range wireTries {
		change(n + 1)
	}
	settle(t, p)
	return (sent(t, p) - before) / wireTries / 2
}

// A change costs its own size on the wire, however much there is.
func TestChangeCostsItsSize(t *testing.T) {
	p := root(t)
	raiseScene(t, p)
	counts := os.Getenv("MEASURE")
	if counts == "" {
		counts = "10,500"
	}
	ask(t, p, wireScene, "apply", "--server-side", "-f", "-")
	var first [2]int
	for number, text := range strings.Split(counts, ",") {
		count, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, p, count)
		settle(t, p)
		// As many endpoints beside the one that changes.
		var slice strings.Builder
		slice.WriteString(strings.Split(farSlice("many", 1), "endpoints:")[0] + "endpoints:\n")
		for n := range min(count, 1000) {
			fmt.Fprintf(&slice, "- {addresses: [10.99.%d.%d]}\n", n/250, n%250+1)
		}
		ask(t, p, slice.String(), "apply", "--server-side", "-f", "-")
		found := [2]int{
			costs(t, p, func(n int) {
				ask(t, p, strings.Replace(routeText("fill-0"), `"value":"fill-0"`, fmt.Sprintf(`"value":"%06d"`, n), 1),
					"apply", "--server-side", "--force-conflicts", "-f", "-")
			}),
			costs(t, p, func(n int) { ask(t, p, farSlice("far", n+1), "apply", "--server-side", "-f", "-") }),
		}
		fmt.Printf("cluster | %d routes | a changed route: %d bytes | a changed endpoint: %d bytes |\n", count, found[0], found[1])
		if number == 0 {
			first = found
			continue
		}
		for i := range found {
			if found[i] > first[i]+first[i]/10+8 {
				t.Errorf("%d bytes where there is little, %d where there is much", first[i], found[i])
			}
		}
	}
}

// fetched is what a URL of the cluster's network answers.
func fetched(t *testing.T, p place, url string) []byte {
	t.Helper()
	var out bytes.Buffer
	err := within(p, func(c *exec.Cmd) { c.Stdout = &out }, "curl", "-s", "-m", "5", url)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return out.Bytes()
}
