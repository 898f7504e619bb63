package e2e

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// everyKind has an object of every kind, in this order by kind.
const everyKind = `
{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: c, labels: {app: web}}, spec: {controllerName: a.example/b}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: g, labels: {app: web, tier: front}}, spec: {gatewayClassName: nobody, listeners: [{name: l, port: 18080, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: h}, spec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: s, port: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: r}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: m}], to: [{group: "", kind: Service}]}}
---
{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XBackend, metadata: {name: x}, spec: {type: ExternalHostname, externalHostname: {hostname: a.example}, port: {number: 80}}}
---
{apiVersion: v1, kind: Service, metadata: {name: s, labels: {app: web}}, spec: {ports: [{port: 80}], selector: {app: web}}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: e, labels: {kubernetes.io/service-name: s}}, addressType: IPv4, ports: [{port: 80}], endpoints: [{addresses: [10.0.0.1], nodeName: n1}]}
---
{apiVersion: v1, kind: Namespace, metadata: {name: ns}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: ListenerSet, metadata: {name: ls}, spec: {parentRef: {name: g}, listeners: [{name: l, port: 18081, protocol: HTTP}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: GRPCRoute, metadata: {name: gr}, spec: {parentRefs: [{name: g}], hostnames: [a.test], rules: [{matches: [{method: {service: a.b, method: C}}], backendRefs: [{name: s, port: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1alpha3, kind: TLSRoute, metadata: {name: tl}, spec: {parentRefs: [{name: g}], hostnames: [a.test], rules: [{backendRefs: [{name: s, port: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: TCPRoute, metadata: {name: tc}, spec: {parentRefs: [{name: g, sectionName: l}], rules: [{backendRefs: [{name: s, port: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1alpha2, kind: UDPRoute, metadata: {name: ud}, spec: {parentRefs: [{name: g, port: 80}], rules: [{backendRefs: [{name: s, port: 80}]}]}}
---
{apiVersion: gateway.networking.k8s.io/v1, kind: BackendTLSPolicy, metadata: {name: bt}, spec: {targetRefs: [{group: "", kind: Service, name: s}], validation: {hostname: a.example, caCertificateRefs: [{group: "", kind: ConfigMap, name: cm}]}}}
---
{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XBackendTrafficPolicy, metadata: {name: xb}, spec: {targetRefs: [{group: "", kind: Service, name: s}], retryConstraint: {budget: {percent: 20}}}}
---
{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XTelemetryPolicy, metadata: {name: xt}, spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}], tracing: {mode: Disabled}}}
---
{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XMesh, metadata: {name: xm}, spec: {controllerName: a.example/b}}
---
apiVersion: v1
kind: Secret
metadata:
  name: se
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"SECRETBASE"}}'}
data: {password: SECRETBASE}
---
{apiVersion: certificates.k8s.io/v1beta1, kind: ClusterTrustBundle, metadata: {name: "a.example:b:ct"}, spec: {signerName: a.example/b, trustBundle: "x"}}
---
{apiVersion: v1, kind: Node, metadata: {name: nd}, spec: {podCIDR: 10.9.0.0/24}, status: {addresses: [{type: InternalIP, address: 192.0.2.9}], conditions: [{type: Ready, status: "True"}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: cm}, data: {a: "1", b: "2"}, binaryData: {c: AAAA}}
---
{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: EnvoyProxy, metadata: {name: ep}, spec: {provider: {type: Kubernetes, kubernetes: {envoyDeployment: {replicas: 2}}}}}
---
{apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: {name: ip}, spec: {addresses: [10.1.0.0/24]}}
---
{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: l2}, spec: {ipAddressPools: [ip], nodeSelectors: [{matchLabels: {a: b}}]}}
---
{apiVersion: metallb.io/v1beta1, kind: BGPAdvertisement, metadata: {name: ba}, spec: {peers: [bp]}}
---
{apiVersion: metallb.io/v1beta2, kind: BGPPeer, metadata: {name: bp}, spec: {peerAddress: 10.0.0.9, peerASN: 64512, myASN: 64513}}
---
{apiVersion: metallb.io/v1beta1, kind: BFDProfile, metadata: {name: bf}, spec: {detectMultiplier: 5}}
---
{apiVersion: metallb.io/v1beta1, kind: Community, metadata: {name: co}, spec: {communities: [{name: v, value: "64512:1"}]}}
`

func everyKindFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "every.yaml")
	text := strings.ReplaceAll(everyKind, "SECRETBASE", base64.StdEncoding.EncodeToString([]byte("hunter2")))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lines runs a command that must succeed, and gives its lines with single blanks.
func lines(t *testing.T, args ...string) []string {
	t.Helper()
	out, status := yumen(t, args...)
	if status != 0 {
		t.Fatalf("yumen %v: %d %s", args, status, out)
	}
	return strings.Split(regexp.MustCompile(` +`).ReplaceAllString(strings.TrimSpace(out), " "), "\n")
}

func hasLine(lines []string, want string) bool {
	for _, line := range lines {
		if strings.HasPrefix(line, want) {
			return true
		}
	}
	return false
}

// Every kind that admission judges is shown, with columns of its own, whole, and with
// what else kubectl takes; from files as from a running yumen.
func TestGetEveryKind(t *testing.T) {
	t.Parallel()
	file := everyKindFile(t)
	schemas := lines(t, "schema")
	all := lines(t, "get", "all", "-f", file)
	names := lines(t, "get", "all", "-o", "name", "-f", file)
	kinds := map[string]bool{}
	for _, line := range schemas {
		kinds[strings.Fields(line)[0]] = true
	}
	shown := map[string]bool{}
	for _, name := range names {
		kind, _, _ := strings.Cut(name, "/")
		shown[kind] = true
	}
	if len(kinds) < 26 || len(shown) != len(kinds) {
		t.Errorf("%d kinds are judged, %d shown\n%s", len(kinds), len(shown), strings.Join(names, "\n"))
	}
	for _, want := range []string{
		"gatewayclass/c a.example/b", "default gateway/g nobody", "default httproute/h - g ", "default referencegrant/r m/HTTPRoute Service",
		"default xbackend/x ExternalHostname a.example 80", "default service/s ClusterIP - - 80/TCP", "default endpointslice/e s IPv4 80/TCP 1/1 10.0.0.1",
		"namespace/ns Active kubernetes.io/metadata.name=ns", "default listenerset/ls g ", "default grpcroute/gr a.test g ", "default tlsroute/tl a.test g ",
		"default tcproute/tc g/l ", "default udproute/ud g:80 ", "default backendtlspolicy/bt Service/s a.example cm ", "default xbackendtrafficpolicy/xb Service/s ",
		"default xtelemetrypolicy/xt Gateway/g ", "xmesh/xm a.example/b ", "default secret/se Opaque 1 ", "default configmap/cm 3 ", "node/nd True 192.0.2.9 ", "clustertrustbundle/a.example:b:ct a.example/b ",
		"default envoyproxy/ep Kubernetes 2 ", "default ipaddresspool/ip true false 10.1.0.0/24 ", "default l2advertisement/l2 ip ",
		"default bgpadvertisement/ba - - bp ", "default bgppeer/bp 10.0.0.9 64512 ", "default bfdprofile/bf ", "default community/co v=64512:1 "} {
		if !hasLine(all, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(all, "\n"))
		}
	}
	for _, row := range []struct{ args, want string }{
		{"svc,gtw", "default gateway/g nobody"},
		{"service/s gateway/g", "default service/s "},
		{"services.v1", "default s ClusterIP"},
		{"httproutes.gateway.networking.k8s.io", "default h - g"},
		{"gateway.v1.gateway.networking.k8s.io g", "default g nobody"},
		{"all -l app=web,tier!=front", "default service/s "},
		{"gateways -l !app", "No gateways found."},
		{"svc -n other", "No services found in namespace other."},
		{"svc -n other -A", "default s ClusterIP"},
		{"l2advertisements -o wide", "default l2 ip - - a=b "},
	} {
		if got := lines(t, append([]string{"get", "-f", file}, strings.Fields(row.args)...)...); !hasLine(got, row.want) {
			t.Errorf("get %s: no %q in\n%s", row.args, row.want, strings.Join(got, "\n"))
		}
	}
	for args, want := range map[string]string{
		"svc,pods": "no kind 'pods'", "svc,gtw a": "names of several kinds are written KIND/NAME", "svc/s g": "KIND/NAME cannot stand beside",
		"svc -l a=b=": "labels are wanted", "services.apps": "no kind 'services.apps'", "svc/": "'' is no name", "svc -w": "--watch is for a running yumen"} {
		if out, status := yumen(t, append([]string{"get", "-f", file}, strings.Fields(args)...)...); status != 2 || !strings.Contains(out, want) {
			t.Errorf("get %s: %d %s", args, status, out)
		}
	}
	if out, status := yumen(t, "get", "-f", file, "svc", "s", "lost"); status != 1 || !strings.Contains(out, "there is no Service lost") || !strings.Contains(out, "ClusterIP") {
		t.Errorf("%d %s", status, out)
	}
}

// An object is shown as a cluster would hold it: with fields that yumen does not read,
// defaults, and Secrets' values as digests, whichever way they were written.
func TestGetWhole(t *testing.T) {
	t.Parallel()
	file := everyKindFile(t)
	for _, row := range []struct {
		args string
		want []string
	}{
		{"endpointslice e", []string{"nodeName: n1", "protocol: TCP", "namespace: default", "generation: 1"}},
		{"service s", []string{"selector:\n    app: web", "sessionAffinity: None"}},
		{"tlsroute tl", []string{"apiVersion: gateway.networking.k8s.io/v1\n", "weight: 1", "kind: Gateway"}},
		{"bgppeer bp", []string{"apiVersion: metallb.io/v1beta2\n", "peerPort: 179"}},
		{"secret se", []string{"password: sha256:f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7"}},
		{"configmap cm", []string{"a: \"1\"", "c: AAAA"}},
	} {
		out, status := yumen(t, append([]string{"get", "-f", file, "-o", "yaml"}, strings.Fields(row.args)...)...)
		for _, want := range row.want {
			if status != 0 || !strings.Contains(out, want) {
				t.Errorf("get %s: %d, no %q in\n%s", row.args, status, want, out)
			}
		}
	}
	secret := base64.StdEncoding.EncodeToString([]byte("hunter2"))
	for _, args := range []string{"get all -o yaml", "get all -o json", "describe secrets", "describe all"} {
		out, status := yumen(t, append(strings.Fields(args), "-f", file)...)
		if status != 0 || strings.Contains(out, secret) || strings.Contains(out, "hunter2") {
			t.Errorf("%s: %d, it tells the secret, or nothing", args, status)
		}
	}
	out, err := exec.Command(program(t), "get", "gateway/g", "-o", "json", "-f", file).Output()
	var one struct{ Kind string }
	if err != nil || json.Unmarshal(out, &one) != nil || one.Kind != "Gateway" {
		t.Errorf("%v %s", err, out)
	}
}

func TestDescribeEveryKind(t *testing.T) {
	t.Parallel()
	file := everyKindFile(t)
	for args, want := range map[string]string{
		"grpcroute gr":   "0     a.b/C",
		"configmap cm":   "BackendTLSPolicy  default/bt  spec.validation.caCertificateRefs[0]",
		"svc s":          "BackendTLSPolicy       default/bt  spec.targetRefs[0]",
		"listenerset ls": "l     HTTP      18081",
		"envoyproxy/ep":  "replicas: 2",
		"bgppeer/bp":     "info YM0103",
		"gateway/g":      "default/gr  spec.parentRefs[0]",
		"xmesh":          "controllerName: a.example/b",
	} {
		if out, status := yumen(t, append([]string{"describe", "-f", file}, strings.Fields(args)...)...); status != 0 || !strings.Contains(out, want) {
			t.Errorf("describe %s: %d, no %q in\n%s", args, status, want, out)
		}
	}
}

// watching is a get --watch that runs.
type watching struct {
	t    *testing.T
	cmd  *exec.Cmd
	said chan string
}

func watch(t *testing.T, args ...string) *watching {
	t.Helper()
	w := &watching{t, exec.Command(program(t), append([]string{"get", "--watch"}, args...)...), make(chan string, 100)}
	out, err := w.cmd.StdoutPipe()
	if err != nil || w.cmd.Start() != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.cmd.Process.Kill() })
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			w.said <- strings.Join(strings.Fields(scanner.Text()), " ")
		}
		close(w.said)
	}()
	return w
}

// expect waits for a line that has all of these.
func (w *watching) expect(wants ...string) {
	w.t.Helper()
	for line := range w.said {
		matched := true
		for _, want := range wants {
			matched = matched && strings.Contains(line, want)
		}
		if matched {
			return
		}
		w.t.Log(line)
	}
	w.t.Fatalf("the watch ended without %v", wants)
}

// Templates are told of each object by itself.
func TestGetWatchTemplates(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	g.expect(200, "GET", "a.test", "/")
	path := watch(t, "httproutes", "-o", `jsonpath={.metadata.name} {.spec.hostnames[*]}{"\n"}`, "--socket", g.socket)
	columns := watch(t, "httproutes", "-o", "custom-columns=NAME:.metadata.name,HOSTS:.spec.hostnames", "--socket", g.socket)
	path.expect("app")
	columns.expect("NAME HOSTS")
	columns.expect("app")
	g.write("more.yaml", routeYAML("more", "[more.test]", prefixRule("/", "app")))
	path.expect("more more.test")
	columns.expect("more", "more.test")
	g.write("more.yaml", routeYAML("more", "[other.test]", prefixRule("/", "app")))
	path.expect("more other.test")
	columns.expect("more", "other.test")
}

// A watch tells what is there, then each change as it comes, and ends with the yumen.
func TestGetWatch(t *testing.T) {
	t.Parallel()
	g := basics(t, serve(t, "app"))
	g.expect(200, "GET", "a.test", "/")
	w := watch(t, "httproutes,configmaps", "--socket", g.socket)
	expect := w.expect
	expect("EVENT NAMESPACE NAME HOSTNAMES")
	expect("ADDED default httproute/app ")
	g.write("more.yaml", routeYAML("more", "[more.test]", prefixRule("/", "app"))+
		"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: cm}, data: {a: b}}\n")
	expect("ADDED default httproute/more more.test")
	expect("EVENT NAMESPACE NAME DATA")
	expect("ADDED default configmap/cm 1 ")
	g.write("more.yaml", routeYAML("more", "[other.test]", prefixRule("/", "app")))
	expect("MODIFIED default httproute/more other.test")
	if err := os.Remove(filepath.Join(g.dir, "more.yaml")); err != nil {
		t.Fatal(err)
	}
	expect("DELETED default httproute/more other.test")
	g.stop()
	for range w.said {
	}
	if err := w.cmd.Wait(); err == nil || w.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("it did not end with the yumen: %v", err)
	}
}
