package e2e

import (
	"fmt"
	"strings"
	"testing"
)

func listenerSetYAML(port, other int) string {
	return fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: set, namespace: tenant}
spec:
  parentRef: {name: eg, namespace: default}
  listeners:
  - {name: http, protocol: HTTP, port: %d, hostname: set.test, allowedRoutes: {namespaces: {from: All}}}
  - {name: lost, protocol: HTTP, port: %d, hostname: gate.test}
  - {name: other, protocol: HTTP, port: %d, allowedRoutes: {namespaces: {from: All}}}
`, port, port, other)
}

// toSet is a route of everything of the ListenerSet, or of one of its listeners.
func toSet(name, path, service, section string) string {
	parent := "kind: ListenerSet, name: set, namespace: tenant" + section
	return strings.Replace(routeYAML(name, "", prefixRule(path, service)), "{name: eg}", "{"+parent+"}", 1)
}

// A ListenerSet's listeners are served at its Gateway's addresses, for the routes that
// name it, as long as the Gateway takes it.
func TestListenerSet(t *testing.T) {
	t.Parallel()
	port, other := freePort(t), freePort(t)
	gateway := gatewayYAML(port, "gate.test") + "  allowedListeners: {namespaces: {from: All}}\n"
	g := start(t, port, map[string]string{
		"gateway.yaml": gateway,
		"set.yaml":     listenerSetYAML(port, other),
		"gate.yaml":    serviceYAML("gate", serve(t, "gate").port) + routeYAML("gate", "", prefixRule("/", "gate")),
		"app.yaml": serviceYAML("app", serve(t, "app").port) + toSet("app", "/", "app", "") +
			toSet("here", "/here", "app", ", sectionName: http"),
	})
	set := func() map[string]any { return g.get("listenersets", "-n", "tenant")[0]["status"].(map[string]any) }
	attached := func() any {
		return g.get("gateways")[0]["status"].(map[string]any)["attachedListenerSets"]
	}

	for host, name := range map[string]string{"gate.test": "gate", "set.test": "app"} {
		if body := g.expect(200, "GET", host, "/"); !strings.Contains(body, name) {
			t.Errorf("%s: %s", host, body)
		}
	}
	g.expect(404, "GET", "nobody.test", "/")
	elsewhere := &gate{t: t, port: other}
	if body := elsewhere.expect(200, "GET", "any.test", "/"); !strings.Contains(body, "app") {
		t.Errorf("the other port: %s", body)
	}

	status := set()
	if c := condition(status["conditions"], "Accepted"); c["status"] != "True" || c["reason"] != "ListenersNotValid" {
		t.Errorf("Accepted: %v", c)
	}
	if c := condition(status["conditions"], "Programmed"); c["status"] != "True" {
		t.Errorf("Programmed: %v", c)
	}
	listeners := status["listeners"].([]any)
	for i, want := range []struct {
		routes    float64
		condition string
	}{{2, "Programmed"}, {0, "Conflicted"}, {1, "Programmed"}} {
		one := listeners[i].(map[string]any)
		if one["attachedRoutes"] != want.routes || condition(one["conditions"], want.condition)["status"] != "True" {
			t.Errorf("listener %d: %v", i, one)
		}
	}
	if attached() != 1.0 {
		t.Errorf("attachedListenerSets: %v", attached())
	}
	if !strings.Contains(g.metrics(), `gateway="default/eg",listener="tenant/set/http"`) {
		t.Error("no metric of the ListenerSet's listener")
	}
	out, code := yumen(t, "explain", fmt.Sprintf("http://set.test:%d/here", port), "--socket", g.socket)
	if code != 0 || !strings.Contains(out, "Gateway default/eg ListenerSet tenant/set http, hostname set.test") {
		t.Errorf("explain: %d %s", code, out)
	}

	out, _ = yumen(t, "describe", "listenerset/set", "-n", "tenant", "--socket", g.socket)
	if !strings.Contains(out, "Parent:      Gateway default/eg\nClass:       eg\n") {
		t.Errorf("describe: %s", out)
	}
	// As with kubectl, also of the running yumen.
	for format, want := range map[string]string{
		`jsonpath={range .items[*]}{.metadata.name}{"\t"}{.spec.listeners[0].port}{"\n"}{end}`:               fmt.Sprintf("set\t%d\n", port),
		"custom-columns=NAME:.metadata.name,PROGRAMMED:.status.conditions[?(@.type==\"Programmed\")].status": "NAME  PROGRAMMED\nset   True\n",
	} {
		if out, code := yumen(t, "get", "listenersets", "-o="+format, "--socket", g.socket); code != 0 || out != want {
			t.Errorf("get -o=%s: %d %q", format, code, out)
		}
	}

	g.write("gateway.yaml", strings.Replace(gateway, "from: All", "from: Same", 1))
	g.eventually("the Gateway takes it no more", func() error {
		if c := condition(set()["conditions"], "Accepted"); c["reason"] != "NotAllowed" {
			return fmt.Errorf("%v", c)
		}
		if attached() != 0.0 {
			return fmt.Errorf("attachedListenerSets: %v", attached())
		}
		return nil
	})
	g.expect(404, "GET", "set.test", "/")
	g.expect(200, "GET", "gate.test", "/")
	g.write("gateway.yaml", gateway)
	g.eventually("the Gateway takes it again", func() error {
		if c := condition(set()["conditions"], "Programmed"); c["status"] != "True" {
			return fmt.Errorf("%v", c)
		}
		return nil
	})
	g.expect(200, "GET", "set.test", "/here")
}
