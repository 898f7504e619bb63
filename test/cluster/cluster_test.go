package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pod of yumen's image under the strictest pod security, twice, behind a Service.
const echoManifest = `apiVersion: v1
kind: Namespace
metadata: {name: proof, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo, namespace: proof}
spec:
  replicas: 2
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      automountServiceAccountToken: false
      containers:
      - name: echo
        image: yumen.dev/yumen:%s
        args: [echo, --listen, "0.0.0.0:8080"]
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: proof}
spec:
  type: LoadBalancer
  selector: {app: echo}
  ports: [{port: 80, targetPort: 8080}]
`

// What the program starts itself as, the test's program is too.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && commands[os.Args[1]].run != nil {
		main()
		return
	}
	os.Exit(m.Run())
}

// traces is what a cluster could leave on the machine.
func traces(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	if err := eachMount(func(path, kind string) { found["mount "+path+" "+kind] = true }); err != nil {
		t.Fatal(err)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range interfaces {
		found["interface "+one.Name] = true
	}
	paths, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range append(paths, "/run", "/var/lib", "/var/log", "/opt", "/etc/cni", os.Getenv("TMPDIR")) {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for _, entry := range entries {
			found[filepath.Join(folder, entry.Name())] = true
		}
	}
	for _, name := range []string{"vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "net/ipv4/ip_forward"} {
		value, _ := os.ReadFile(filepath.Join("/proc/sys", name))
		found[name+" "+string(value)] = true
	}
	return found
}

// inhabitants are the processes that share a namespace of processes, or one below it,
// with the cluster's first.
func inhabitants(t *testing.T, p place) []string {
	t.Helper()
	network, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", first(p)))
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := filepath.Glob("/proc/[0-9]*")
	var found []string
	for _, entry := range entries {
		if its, err := os.Readlink(entry + "/ns/net"); err == nil && its == network {
			found = append(found, entry)
		}
	}
	return found
}

func TestComesAndLeavesNothing(t *testing.T) {
	p, version := nothing(t)
	t.Setenv("TMPDIR", t.TempDir())
	before := traces(t)

	// One that crashed is cleaned away; one that runs is left as it is.
	step(t, p, "cluster")
	crashed := first(p)
	if err := syscall.Kill(crashed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	step(t, p, "cluster")
	running := first(p)
	step(t, p, "cluster")
	if running == 0 || running == crashed || first(p) != running {
		t.Fatalf("first processes: %d, then %d, then %d", crashed, running, first(p))
	}

	if _, err := kubectl(p, strings.NewReader(fmt.Sprintf(echoManifest, version)), "apply", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	if _, err := kubectl(p, nil, "-n", "proof", "rollout", "status", "deployment/echo", "--timeout=120s"); err != nil {
		t.Fatal(err)
	}
	if _, err := kubectl(p, nil, "-n", "proof", "patch", "service", "echo", "--subresource=status", "-p",
		`{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.7"}]}}}`); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(p.built("cluster"), "-root", p.root, "enter", "curl", "-s", "--retry", "20",
		"--retry-delay", "1", "--retry-all-errors", "--max-time", "5", "http://192.0.2.7/hello").CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"path":"/hello"`) {
		t.Fatalf("a Service's address: %v %s", err, out)
	}

	lived := inhabitants(t, p)
	if len(lived) < 8 {
		t.Fatalf("a cluster of %d processes: %v", len(lived), lived)
	}
	step(t, p, "cluster-down")
	for _, process := range lived {
		left := func() (string, bool) {
			state, err := os.ReadFile(process + "/stat")
			return string(state), err == nil && !strings.Contains(string(state), ") Z ")
		}
		// A large one that was killed takes its time to give back its memory.
		for i := 0; i < 100; i++ {
			if _, is := left(); !is {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if state, is := left(); is {
			t.Errorf("a process is left: %s", state)
		}
	}
	for trace := range traces(t) {
		// Namespaces that are not of pods are somebody else's.
		if !before[trace] && (!strings.Contains(trace, "/run/netns/") || strings.Contains(trace, "/cni-")) {
			t.Errorf("left: %s", trace)
		}
	}
	if exists(p.run()) {
		t.Error("its folder is left")
	}
	step(t, p, "cluster-down")
}

// Without root, or with a program missing, nothing is started, and what is missing is
// said.
func TestSaysWhatIsMissing(t *testing.T) {
	p := root(t)
	t.Setenv("PATH", t.TempDir())
	err := need(p)
	if !errors.Is(err, errLacks) {
		t.Fatalf("%v", err)
	}
	want := "etcd (etcd-server)"
	if os.Geteuid() != 0 {
		want = "it must be root"
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
	if err := up(place{t.TempDir()}); !errors.Is(err, errLacks) {
		t.Errorf("up: %v", err)
	}
}

func TestImageIsTheSameEachTime(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	var written [2][]byte
	for n := range written {
		to := filepath.Join(folder, fmt.Sprint(n))
		err := image{name: "a/b:1", entrypoint: []string{"/x/y"}, files: map[string]string{"/x/y": file, "/x/z": file}}.write(to)
		if err != nil {
			t.Fatal(err)
		}
		if written[n], err = os.ReadFile(to); err != nil {
			t.Fatal(err)
		}
	}
	if string(written[0]) != string(written[1]) {
		t.Error("two archives of the same files differ")
	}
	for _, want := range []string{"x/y", "index.json", "manifest.json", "a/b:1"} {
		if !strings.Contains(string(written[0]), want) {
			t.Errorf("the archive has no %s", want)
		}
	}
}
