package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const outage = time.Minute

// Whatever happens to the controller, the API server, or one of two proxies: requests
// are answered.
func TestNoRequestIsLost(t *testing.T) {
	p := root(t)
	address := raiseScene(t, p)
	if found := proxies(t, p); len(found) != 2 {
		t.Fatalf("proxies: %v", found)
	}
	url := "http://" + address + "/"
	for _, one := range []struct {
		name    string
		disturb func(t *testing.T)
	}{
		{"nothing happens", func(t *testing.T) { time.Sleep(time.Second) }},
		{"the controller is killed", func(t *testing.T) { killController(t, p) }},
		{"all watches are cut", func(t *testing.T) { cutWatches(t, p) }},
		{"one of two proxies is deleted", func(t *testing.T) { deleteProxy(t, p) }},
		{"yumen is updated", func(t *testing.T) { updateYumen(t, p) }},
		{"the API server is away for a minute", func(t *testing.T) { stopAPI(t, p) }},
	} {
		t.Run(one.name, func(t *testing.T) {
			whilePouring(t, p, url, func() {
				one.disturb(t)
				changeIsServed(t, p, address)
			})
		})
	}
}

// changeIsServed holds that yumen is all there: a new route is served.
func changeIsServed(t *testing.T, p place, address string) {
	t.Helper()
	path := fmt.Sprintf("/%x", time.Now().UnixNano())
	ask(t, p, fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: changed, namespace: scene}
spec:
  parentRefs: [{name: web}]
  rules:
  - matches: [{path: {type: Exact, value: %q}}]
    filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301, hostname: changed.test}}]
`, path), "apply", "--server-side", "-f", "-")
	eventually(t, "a changed route", func() bool {
		var head strings.Builder
		err := within(p, func(c *exec.Cmd) { c.Stdout = &head }, "curl", "-s", "-o", "/dev/null", "-m", "2",
			"-w", "%{http_code}", "http://"+address+path)
		return err == nil && head.String() == "301"
	})
}

const proxyLabel = "gateway.networking.k8s.io/gateway-name=web"

func proxies(t *testing.T, p place) []string {
	t.Helper()
	return strings.Fields(ask(t, p, "", "-n", "scene", "get", "pods", "-l", proxyLabel,
		"--field-selector=status.phase=Running", "-o", "jsonpath={.items[*].metadata.name}"))
}

func rolledOut(t *testing.T, p place) {
	t.Helper()
	ask(t, p, "", "-n", "yumen-system", "rollout", "status", "deployment", "yumen-controller", "--timeout=120s")
	name := ask(t, p, "", "-n", "scene", "get", "deployment", "-l", proxyLabel, "-o", "name")
	ask(t, p, "", "-n", "scene", "rollout", "status", name, "--timeout=120s")
}

func killController(t *testing.T, p place) {
	pids := processes(t, p, "yumen", "controller")
	if len(pids) == 0 {
		t.Fatal("there is no controller")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "another controller", func() bool {
		now := processes(t, p, "yumen", "controller")
		return len(now) > 0 && now[0] != pids[0]
	})
	rolledOut(t, p)
}

// cutWatches ends the API server, which is started again.
func cutWatches(t *testing.T, p place) {
	pids := processes(t, p, "kube", "kube-apiserver")
	if len(pids) != 1 {
		t.Fatalf("API servers: %v", pids)
	}
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the API server", func() bool {
		out, err := kubectl(p, nil, "get", "--raw", "/readyz")
		return err == nil && string(out) == "ok"
	})
}

func stopAPI(t *testing.T, p place) {
	pids := processes(t, p, "kube", "kube-apiserver")
	if len(pids) != 1 {
		t.Fatalf("API servers: %v", pids)
	}
	if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(outage)
	if err := syscall.Kill(pids[0], syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the API server", func() bool {
		out, err := kubectl(p, nil, "get", "--raw", "/readyz")
		return err == nil && string(out) == "ok"
	})
}

func deleteProxy(t *testing.T, p place) {
	before := proxies(t, p)
	ask(t, p, "", "-n", "scene", "delete", "pod", before[0], "--wait=true", "--timeout=120s")
	serving(t, p, 2)
}

// updateYumen brings an image of another name, for the controller and its proxies.
func updateYumen(t *testing.T, p place) {
	before := proxies(t, p)
	version, err := p.version()
	if err != nil {
		t.Fatal(err)
	}
	image := "yumen.dev/yumen:" + version + "-next"
	archive := p.built("yumen-next.tar")
	defer os.Remove(archive)
	if err := yumenImageAs(p, archive, image); err != nil {
		t.Fatal(err)
	}
	if _, err := load(p, archive); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(p.in(yumenManifest))
	if err != nil {
		t.Fatal(err)
	}
	next := strings.ReplaceAll(string(text), "yumen.dev/yumen:"+version, image)
	// A next version names its own proxies.
	next = strings.Replace(next, "        - controller\n", "        - controller\n        - --proxy-image="+image+"\n", 1)
	ask(t, p, next, "apply", "--server-side", "--force-conflicts", "-f", "-")
	rolledOut(t, p)
	eventually(t, "proxies of the new image", func() bool {
		for _, name := range proxies(t, p) {
			for _, old := range before {
				if name == old {
					return false
				}
			}
		}
		return true
	})
	rolledOut(t, p)
}
