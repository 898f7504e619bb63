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
		"gateway.yaml": gatewayYAML(port, "*.test") + fmt.Sprintf("  - {name: tcp, protocol: TCP, port: %d}\n", freePort(t)),
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
			"Addresses:   127.0.0.1", "HTTPRoute  default/web ", "NoMatchingListenerHostname: ", "listener http  Accepted ", "UnsupportedProtocol",
			"error YM0508 spec.listeners[1].protocol: "}},
		{"httproute web", []string{"Hostnames:   a.test,b.example", "default/eg  http ", " a.test\n",
			"main  PathPrefix /x GET  RequestHeaderModifier  app:80 weight 3, gone:80 weight 1", "parent eg  ResolvedRefs  False   BackendNotFound",
			"error YM0505 spec.rules[0].backendRefs[1]: Service default/gone does not exist\n      fix: add the Service"}},
		{"httproutes lost -n default", []string{"YM0504 spec.hostnames: "}},
		{"svc app", []string{"port: 80", "app-off  127.0.0.1  false", "HTTPRoute  default/web   spec.rules[0].backendRefs[0]  80    3", "Problems:     none"}},
		{"gc eg", []string{"Controller:  yumen.dev/gateway-controller", "default    eg    True", "GatewayClass  Accepted  True"}},
		{"endpointslice app-0", []string{"addressType: IPv4", "Labels:      kubernetes.io/service-name=app"}},
		{"referencegrant let", []string{"kind: HTTPRoute"}},
		{"xbackend away", []string{"hostname: localhost"}},
		{"ns default", []string{"Labels:      kubernetes.io/metadata.name=default,team=a"}},
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
	for args, want := range map[string]string{"describe": "name a kind",
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
		{"svc", "default    app   ClusterIP  -           -            80/TCP  "},
		{"endpointslices", "default    app-off  app      IPv4         1/TCP      0/1    127.0.0.1  "},
		{"refgrant", "default    let   other/HTTPRoute  Service  "},
		{"xbackends", "default    away  ExternalHostname  localhost  81    "},
		{"xbackends -o wide", " PROTOCOL  AGE\n"},
		{"ns", "default  Active  kubernetes.io/metadata.name=default,team=a  "},
		{"gtw -o name", "gateway.gateway.networking.k8s.io/eg\n"},
		{"svc -o name", "service/app\n"},
		{"httproutes -o wide", "app:80,gone:80"},
		{"gateways -o wide", fmt.Sprintf("HTTP:%d:*.test,TCP:", g.port)},
		{"proxies", "WORKER  WANTED  SERVED  LAG\n"},
		{"certificates", "NAMESPACE  NAME  HEALTH  USED  EXPIRES  LEFT  NAMES  WHY\n"},
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
		"yumen run --acc": "--access-log", "yumen help compl": "completion", "yumen describe prox": "", "yumen schema grpc": "grpcroutes"} {
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

// violation is what of value does not fit the schema: as much of JSON Schema as ours
// have, but patterns and formats.
func violation(schema map[string]any, value any, path string) error {
	if want, ok := schema["const"]; ok && want != value {
		return fmt.Errorf("%s: %v is not %v", path, value, want)
	}
	if list, ok := schema["enum"].([]any); ok {
		found := false
		for _, one := range list {
			found = found || one == value
		}
		if !found {
			return fmt.Errorf("%s: %v is none of %v", path, value, list)
		}
	}
	is := func(name string) bool {
		switch types := schema["type"].(type) {
		case nil:
			return true
		case string:
			return types == name
		default:
			for _, one := range types.([]any) {
				if one == name {
					return true
				}
			}
			return false
		}
	}
	within := func(low, high string, n float64) error {
		if min, ok := schema[low].(float64); ok && n < min {
			return fmt.Errorf("%s: %v is under %s %v", path, n, low, min)
		}
		if max, ok := schema[high].(float64); ok && n > max {
			return fmt.Errorf("%s: %v is over %s %v", path, n, high, max)
		}
		return nil
	}
	switch v := value.(type) {
	case map[string]any:
		if !is("object") {
			return fmt.Errorf("%s: a map", path)
		}
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				return fmt.Errorf("%s: %s is missing", path, name)
			}
		}
		for name, below := range v {
			inner, known := properties[name].(map[string]any)
			if !known {
				switch more := schema["additionalProperties"].(type) {
				case bool:
					return fmt.Errorf("%s: there is no %s", path, name)
				case map[string]any:
					inner = more
				}
			}
			if err := violation(inner, below, path+"."+name); err != nil {
				return err
			}
		}
		return within("minProperties", "maxProperties", float64(len(v)))
	case []any:
		if !is("array") {
			return fmt.Errorf("%s: a list", path)
		}
		items, _ := schema["items"].(map[string]any)
		for i, one := range v {
			if err := violation(items, one, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return within("minItems", "maxItems", float64(len(v)))
	case string:
		if !is("string") {
			return fmt.Errorf("%s: a text", path)
		}
		return within("minLength", "maxLength", float64(len(v)))
	case float64:
		if !is("integer") && !is("number") {
			return fmt.Errorf("%s: a number", path)
		}
		return within("minimum", "maximum", v)
	case bool:
		if !is("boolean") {
			return fmt.Errorf("%s: a bool", path)
		}
	}
	return nil
}

// Each object of a running yumen fits the schema of its kind; a changed one does not.
func TestSchema(t *testing.T) {
	t.Parallel()
	g := terminalWorld(t)
	list, status := yumen(t, "schema")
	if status != 0 || !strings.Contains(list, "XBackend ") || strings.Count(list, "\n") < 30 {
		t.Errorf("%d %s", status, list)
	}
	for _, kind := range []string{"gatewayclasses", "gateways", "httproutes", "services", "endpointslices", "referencegrants", "xbackends", "namespaces"} {
		text, status := yumen(t, "schema", kind)
		var schema map[string]any
		if err := json.Unmarshal([]byte(text), &schema); status != 0 || err != nil {
			t.Fatalf("%s: %d %v", kind, status, err)
		}
		objects := g.get(kind)
		if len(objects) == 0 {
			t.Errorf("no %s", kind)
		}
		for _, object := range objects {
			delete(object, "status")
			if err := violation(schema, any(object), kind); err != nil {
				t.Error(err)
			}
			object["kind"] = "Other"
			if violation(schema, any(object), kind) == nil {
				t.Errorf("%s: another kind fits", kind)
			}
		}
	}
	text, _ := yumen(t, "schema", "HTTPRoute", "v1beta1")
	var schema map[string]any
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	route := func(spec string) any {
		var object any
		if err := json.Unmarshal([]byte(`{"apiVersion":"gateway.networking.k8s.io/v1beta1","kind":"HTTPRoute","metadata":{"name":"r"},"spec":`+spec+`}`), &object); err != nil {
			t.Fatal(err)
		}
		return object
	}
	for spec, want := range map[string]string{
		`{}`:                "",
		`{"hostnames":[]}`:  "",
		`{"hostname":"a"}`:  "there is no hostname",
		`{"hostnames":"a"}`: "a text",
		`{"rules":[{"matches":[{"method":"GOT"}]}]}`:                      "none of",
		`{"rules":[{"backendRefs":[{"port":80}]}]}`:                       "name is missing",
		`{"rules":[{"backendRefs":[{"name":"a","port":70000}]}]}`:         "over maximum",
		`{"rules":[{"matches":[{"headers":[{"name":"","value":"a"}]}]}]}`: "under minLength",
	} {
		if err := violation(schema, route(spec), ""); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", spec, err, want)
		}
	}
	for args, want := range map[string]string{"schema gatewy": "did you mean gateways?", "schema gateway v9": "no kind 'gateway' of version v9"} {
		if out, status := yumen(t, strings.Fields(args)...); status != 2 || !strings.Contains(out, want) {
			t.Errorf("%s: %d %s", args, status, out)
		}
	}
}
