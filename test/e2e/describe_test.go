package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// terminalWorld has an object of every kind, some of them with problems.
func terminalWorld(t *testing.T) *gate {
	t.Helper()
	port := freePort(t)
	return start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, "*.test") + fmt.Sprintf("  - {name: https, protocol: HTTPS, port: %d, tls: {certificateRefs: [{name: x}]}}\n", freePort(t)),
		"services.yaml": serviceYAML("app", serve(t, "app").port) + sliceYAML("app-off", "app", 1, "ready: false") +
			"---\n{apiVersion: v1, kind: Namespace, metadata: {name: default, labels: {team: a}}}\n" +
			"---\n{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: let, namespace: default}, spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: other}], to: [{group: '', kind: Service}]}}\n" +
			"---\n{apiVersion: gateway.networking.x-k8s.io/v1alpha1, kind: XBackend, metadata: {name: away, namespace: default}, spec: {type: ExternalHostname, externalHostname: {hostname: localhost}, port: {number: 81}}}\n",
		"route.yaml": routeYAML("web", `[a.test, b.example]`, `
  - name: main
    matches: [{path: {value: /x}, method: GET}]
    filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X, value: v}]}}]
    backendRefs: [{name: app, port: 80, weight: 3}, {name: gone, port: 80}]
`) + routeYAML("lost", `[c.example]`, prefixRule("/", "app")),
	})
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	g := terminalWorld(t)
	rows := []struct {
		args string
		want []string
	}{
		{"gateway eg", []string{"Name:        eg\n", "Kind:        Gateway (gateway.networking.k8s.io/v1)", "gateway.yaml:6\n",
			"Addresses:   127.0.0.1", "HTTPRoute  default/web ", "NoMatchingListenerHostname: ", "listener http   Accepted ", "UnsupportedProtocol",
			"error YM0508 spec.listeners[1].protocol: "}},
		{"httproute web", []string{"Hostnames:   a.test,b.example", "default/eg  http ", " a.test\n",
			"main  PathPrefix /x GET  RequestHeaderModifier  app:80 weight 3, gone:80 weight 1", "parent eg  ResolvedRefs  False   BackendNotFound",
			"error YM0505 spec.rules[0].backendRefs[1]: Service default/gone does not exist\n      fix: add the Service"}},
		{"httproutes lost -n default", []string{"YM0504 spec.hostnames: "}},
		{"svc app", []string{"port: 80", "app-off  127.0.0.1  false", "HTTPRoute  default/web   0     80    3", "Problems:     none"}},
		{"gc eg", []string{"Controller:  yumen.dev/gateway-controller", "default    eg    True", "GatewayClass  Accepted  True"}},
		{"endpointslice app-0", []string{"addressType: IPv4", "Labels:      kubernetes.io/service-name=app"}},
		{"referencegrant let", []string{"kind: HTTPRoute"}},
		{"xbackend away", []string{"hostname: localhost"}},
		{"ns default", []string{"Labels:      team=a"}},
	}
	for _, row := range rows {
		out, status := yumen(t, append([]string{"describe", "--socket", g.socket}, strings.Fields(row.args)...)...)
		if status != 0 {
			t.Errorf("%s: %d %s", row.args, status, out)
		}
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", row.args, want, out)
			}
		}
	}
	for args, want := range map[string]string{"describe": "name a kind and an object", "describe gateway": "name a kind and an object",
		"describe gatewy eg": "did you mean gateways?", "describe gateway 'x": "is no name"} {
		if out, status := yumen(t, strings.Fields(args)...); status != 2 || !strings.Contains(out, want) {
			t.Errorf("%s: %d %s", args, status, out)
		}
	}
	if out, status := yumen(t, "describe", "gateway", "nobody", "--socket", g.socket); status != 1 || !strings.Contains(out, "there is no Gateway nobody") {
		t.Errorf("%d %s", status, out)
	}
}

func TestGetKinds(t *testing.T) {
	t.Parallel()
	g := terminalWorld(t)
	rows := []struct{ args, want string }{
		{"svc", "default    app   ClusterIP  80/TCP\n"},
		{"endpointslices", "default    app-off  app      IPv4         1/TCP      0/1    127.0.0.1\n"},
		{"refgrant", "default    let   other/HTTPRoute  Service\n"},
		{"xbackends", "default    away  ExternalHostname  localhost  81\n"},
		{"xbackends -o wide", " PROTOCOL\n"},
		{"ns", "-          default  team=a\n"},
		{"gtw -o name", "gateway.gateway.networking.k8s.io/eg\n"},
		{"svc -o name", "service/app\n"},
		{"httproutes -o wide", "app:80,gone:80"},
		{"gateways -o wide", fmt.Sprintf("HTTP:%d:*.test,HTTPS:", g.port)},
		{"proxies", "WORKER  WANTED  SERVED  LAG\n"},
		{"proxies -o json", `"behindMs": 0`},
	}
	for _, row := range rows {
		out, status := yumen(t, append([]string{"get", "--socket", g.socket}, strings.Fields(row.args)...)...)
		if status != 0 || !strings.Contains(out, row.want) {
			t.Errorf("get %s: %d, no %q in\n%s", row.args, status, row.want, out)
		}
	}
	// Every worker serves what is wanted, or says how far behind it is.
	g.eventually("both workers serve", func() error {
		out, _ := yumen(t, "get", "proxies", "--socket", g.socket)
		for _, worker := range []string{"0", "1"} {
			found := false
			for _, line := range strings.Split(out, "\n") {
				f := strings.Fields(line)
				found = found || len(f) == 4 && f[0] == worker && f[1] == f[2] && f[3] == "-"
			}
			if !found {
				return fmt.Errorf("%s", out)
			}
		}
		return nil
	})
}

// What explain refuses comes with the problems of the objects that could serve it.
func TestExplainProblems(t *testing.T) {
	t.Parallel()
	g := terminalWorld(t)
	base := fmt.Sprintf(":%d/x", g.port)
	for host, want := range map[string]string{"a.test": "YM0505 HTTPRoute default/web: spec.rules[0].backendRefs[1]",
		"z.test": "YM0504 HTTPRoute default/lost: spec.hostnames: "} {
		for _, where := range [][]string{{"-f", g.dir}, {"--socket", g.socket}} {
			out, _ := yumen(t, append([]string{"explain", host + base}, where...)...)
			if !strings.Contains(out, want) {
				t.Errorf("%v %s: no %q in\n%s", where[0], host, want, out)
			}
		}
	}
	var e struct {
		Problems []struct{ Object, Code, Fix string }
	}
	out, _ := yumen(t, "explain", "a.test"+base, "--socket", g.socket, "-o", "json")
	if err := json.Unmarshal([]byte(out), &e); err != nil || len(e.Problems) != 1 || e.Problems[0].Object != "HTTPRoute default/web" {
		t.Errorf("%v %+v", err, e)
	}
}

// The scripts parse, and bash completes by them.
func TestCompletion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, status := yumen(t, "completion", shell)
		if status != 0 || !strings.Contains(script, "explain") {
			t.Fatalf("%s: %d %s", shell, status, script)
		}
		path := filepath.Join(dir, shell)
		if err := os.WriteFile(path, []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("no %s here", shell)
			continue
		}
		if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v %s", shell, err, out)
		}
	}
	for words, want := range map[string]string{"yumen ex": "explain", "yumen get gatewayc": "gatewayclasses", "yumen check -o s": "sarif",
		"yumen run --acc": "--access-log", "yumen help compl": "completion", "yumen describe prox": ""} {
		args := append([]string{"-c", "source " + filepath.Join(dir, "bash") + `; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _yumen; echo "${COMPREPLY[@]}"`, "bash"}, strings.Fields(words)...)
		out, err := exec.Command("bash", args...).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %v %q, want %q", words, err, out, want)
		}
	}
	if out, status := yumen(t, "completion", "tcsh"); status != 2 || !strings.Contains(out, "for which shell?") {
		t.Errorf("%d %s", status, out)
	}
}
