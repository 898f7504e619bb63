package e2e

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// check runs `yumen check` and returns what it printed and its exit status.
func check(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command(program(t), append([]string{"check"}, args...)...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		status = exit.ExitCode()
	}
	return out.String(), errs.String(), status
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad,1.yaml")
	for path, text := range map[string]string{
		good: gatewayYAML(80, "") + "---\n" + serviceYAML("app", 81) + routeYAML("app", "", prefixRule("/", "app")),
		bad:  routeYAML("bad", "", "  - backendRefs: [{name: gone, port: 80}]\n    matchs: []\n"),
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, _, status := check(t, good); status != 0 || !strings.Contains(out, "0 errors, 0 warnings; would serve 1 of 1 route\n") {
		t.Errorf("good: %d %s", status, out)
	}
	out, _, status := check(t, dir)
	for _, want := range []string{bad + ":8:19: error YM0505 HTTPRoute default/bad: spec.rules[0].backendRefs[0]: Service default/gone does not exist\n    fix: ",
		bad + ":9:5: error YM0107 HTTPRoute default/bad: spec.rules[0].matchs: there is no such field\n    fix: matches\n",
		"6 objects in 2 files, 2 errors, 0 warnings; would serve 2 of 2 routes\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if status != 1 {
		t.Errorf("status %d", status)
	}
	if _, _, status := check(t, dir, "--fail-on", "never"); status != 0 {
		t.Errorf("--fail-on never: %d", status)
	}
	if _, errs, status := check(t, filepath.Join(dir, "none")); status != 2 || !strings.Contains(errs, "none: not found") {
		t.Errorf("no file: %d %q", status, errs)
	}
	if _, errs, status := check(t, "-o", "xml", good); status != 2 || !strings.Contains(errs, "sarif") {
		t.Errorf("-o xml: %d %q", status, errs)
	}
	if _, errs, status := check(t); status != 2 || !strings.Contains(errs, "PATH") {
		t.Errorf("no path: %d %q", status, errs)
	}
}

func TestCheckFormats(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a,b:c.yaml")
	if err := os.WriteFile(path, []byte(gatewayYAML(80, "")+routeYAML("r", `["x.test"]`, "  - backendRefs: [{name: gone, port: 80}]\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _, _ := check(t, "-o", "json", path)
	var list struct {
		Findings []struct {
			File, Code, Severity, Stage, Object, Field, Reason, Message, Fix string
			Line, Column                                                     int
		}
		Summary struct{ Files, Objects, Errors, Warnings, Routes, RoutesServed int }
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Findings) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	f := list.Findings[0]
	if f.File != path || f.Code != "YM0505" || f.Severity != "error" || f.Stage != "reference" || f.Object != "HTTPRoute default/r" ||
		f.Field != "spec.rules[0].backendRefs[0]" || f.Reason != "BackendNotFound" || f.Message == "" || f.Fix == "" || f.Line == 0 || f.Column == 0 {
		t.Errorf("%+v", f)
	}
	if s := list.Summary; s.Files != 1 || s.Objects != 3 || s.Errors != 1 || s.Routes != 1 || s.RoutesServed != 1 {
		t.Errorf("%+v", s)
	}
	out, _, _ = check(t, "-o", "sarif", path)
	var sarif struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				Locations []struct {
					PhysicalLocation struct{ Region struct{ StartLine int } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &sarif); err != nil || sarif.Version != "2.1.0" || len(sarif.Runs) != 1 ||
		len(sarif.Runs[0].Results) != 1 || sarif.Runs[0].Results[0].RuleID != sarif.Runs[0].Tool.Driver.Rules[0].ID ||
		sarif.Runs[0].Results[0].Locations[0].PhysicalLocation.Region.StartLine != f.Line {
		t.Errorf("%v\n%s", err, out)
	}
	out, _, _ = check(t, "-o", "github", path)
	if !strings.HasPrefix(out, "::error file="+strings.NewReplacer(",", "%2C", ":", "%3A").Replace(path)+",line=") {
		t.Errorf("%s", out)
	}
	help, err := exec.Command(program(t), "help", "ym0505").Output()
	if err != nil || !strings.HasPrefix(string(help), "YM0505: ") {
		t.Errorf("help: %v %s", err, help)
	}
}

// TestCheckStored: the objects as a cluster would store them, with defaults and without
// unknown fields, and those that it would refuse left out; problems go beside them. What
// is printed has nothing wrong and is stored as it is.
func TestCheckStored(t *testing.T) {
	t.Parallel()
	path, again := filepath.Join(t.TempDir(), "objects.yaml"), filepath.Join(t.TempDir(), "again.yaml")
	text := routeYAML("app", "", "  - matchs: []\n    backendRefs: [{name: app, port: 81}]\n") +
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: Bad}\nspec: {ports: [{port: 81}]}\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, status := check(t, "-o", "yaml", path)
	for _, want := range []string{"---\n# Source: " + path + ":2\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n",
		"  - backendRefs:\n    - name: app\n      port: 81\n      group: \"\"\n      kind: Service\n      weight: 1\n",
		"    - path:\n        type: PathPrefix\n        value: /\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if status != 1 || strings.Contains(out, "matchs") || strings.Contains(out, "Bad") ||
		!strings.Contains(errs, "YM0107") || !strings.Contains(errs, "YM0201") {
		t.Errorf("%d\n%s\n%s", status, out, errs)
	}
	if err := os.WriteFile(again, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
	twice, errs, _ := check(t, "-o", "yaml", again)
	if cut := func(s string) string { _, s, _ = strings.Cut(s, "\napi"); return s }; cut(out) != cut(twice) || strings.Contains(errs, "YM01") {
		t.Errorf("again:\n%s\n%s", twice, errs)
	}
}

// TestCheckStoredBuiltIn: what an API server fills in by code, and Secrets as digests.
func TestCheckStoredBuiltIn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "objects.yaml")
	text := `apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Service
metadata: {name: one}
spec: {type: LoadBalancer, clusterIP: None-, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: two}
spec: {type: LoadBalancer, ports: [{port: 80, protocol: ""}], sessionAffinity: ClientIP, selector: {app: null}}
---
apiVersion: v1
kind: Secret
metadata: {name: one}
data: {a: "Zm9v\n"}
stringData: {b: foo, a: bar}
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, _ := check(t, "-o", "yaml", path)
	for _, want := range []string{
		"  labels:\n    kubernetes.io/metadata.name: web\nspec:\n  finalizers:\n  - kubernetes\n",
		"    protocol: TCP\n    targetPort: 80\n", "    app: \"\"\n",
		"  sessionAffinityConfig:\n    clientIP:\n      timeoutSeconds: 10800\n  internalTrafficPolicy: Cluster\n" +
			"  externalTrafficPolicy: Cluster\n  allocateLoadBalancerNodePorts: true\n",
		"  a: \"sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9\"\n" +
			"  b: \"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "foo") || !strings.Contains(errs, "error YM0207 Service default/one: spec.clusterIPs[0]: ") {
		t.Errorf("%s\n%s", out, errs)
	}
}
