package e2e

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
)

// Each row is a request and the backend that must answer it, "" for 404.
func TestMatching(t *testing.T) {
	t.Parallel()
	names := []string{"exact", "prefix", "longer", "header", "query", "method", "rest", "host", "wild"}
	files := map[string]string{}
	for _, name := range names {
		files["service-"+name+".yaml"] = serviceYAML(name, serve(t, name).port)
	}
	port := freePort(t)
	files["gateway.yaml"] = gatewayYAML(port, "")
	files["routes.yaml"] = routeYAML("main", `["main.test"]`, `
  - matches: [{path: {type: Exact, value: /one}}]
    backendRefs: [{name: exact, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /two}}]
    backendRefs: [{name: prefix, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /two/deep/}}]
    backendRefs: [{name: longer, port: 80}]
  - matches: [{headers: [{name: X-Color, value: red}]}]
    backendRefs: [{name: header, port: 80}]
  - matches: [{queryParams: [{name: color, value: red}]}]
    backendRefs: [{name: query, port: 80}]
  - matches: [{method: DELETE}]
    backendRefs: [{name: method, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /rest}}]
    backendRefs: [{name: rest, port: 80}]
`) + routeYAML("host", `["very.specific.test"]`, prefixRule("/", "host")) +
		routeYAML("wild", `["*.specific.test"]`, prefixRule("/", "wild"))
	g := start(t, port, files)
	rows := []struct{ method, host, path, header, want string }{
		{"GET", "main.test", "/one", "", "exact"},
		{"GET", "main.test", "/one/", "", ""},
		{"GET", "main.test", "/One", "", ""},
		{"GET", "main.test", "/two", "", "prefix"},
		{"GET", "main.test", "/two/", "", "prefix"},
		{"GET", "main.test", "/two/x", "", "prefix"},
		{"GET", "main.test", "/twox", "", ""},
		{"GET", "main.test", "/two/deep", "", "longer"},
		{"GET", "main.test", "/two/deep/er", "", "longer"},
		{"GET", "main.test", "/two/deeper", "", "prefix"},
		{"GET", "main.test", "/else", "X-Color: red", "header"},
		{"GET", "main.test", "/else", "x-color: red", "header"},
		{"GET", "main.test", "/else", "X-Color: Red", ""},
		{"GET", "main.test", "/else?color=red", "", "query"},
		{"GET", "main.test", "/else?a=b&color=red", "", "query"},
		{"GET", "main.test", "/else?Color=red", "", ""},
		{"GET", "main.test", "/else?color=blue&color=red", "", ""},
		{"DELETE", "main.test", "/else", "", "method"},
		{"DELETE", "main.test", "/two", "", "prefix"},
		{"DELETE", "main.test", "/else?color=red", "X-Color: red", "method"},
		{"GET", "main.test", "/else?color=red", "X-Color: red", "header"},
		{"GET", "main.test", "/rest/../one", "", "exact"},
		{"GET", "main.test", "/%6fne", "", "exact"},
		{"GET", "main.test", "/two%2Fdeep", "", ""},
		{"GET", "main.test:8080", "/one", "", "exact"},
		{"GET", "MAIN.test", "/one", "", "exact"},
		{"GET", "very.specific.test", "/", "", "host"},
		{"GET", "other.specific.test", "/", "", "wild"},
		{"GET", "a.b.specific.test", "/", "", "wild"},
		{"GET", "specific.test", "/", "", ""},
		{"GET", "unknown.test", "/one", "", ""},
	}
	for _, row := range rows {
		var headers []string
		if row.header != "" {
			headers = []string{row.header}
		}
		response, body := g.fetch(row.method, row.host, row.path, headers...)
		want := http.StatusOK
		if row.want == "" {
			want = http.StatusNotFound
		}
		if response.StatusCode != want || want == 200 && body != row.want {
			t.Errorf("%+v: status %d, body %q", row, response.StatusCode, body)
		}
		if want == 404 && !strings.Contains(response.Header.Get("Proxy-Status"), "error=no_") {
			t.Errorf("%+v: Proxy-Status %q", row, response.Header.Get("Proxy-Status"))
		}
	}
}

// Patterns take whole values; one that cannot be compiled takes only itself out;
// one that runs away matches nothing, is counted, and holds nobody up.
func TestRegularExpressions(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for _, name := range []string{"exact", "short", "long", "prefix", "header", "query", "runaway"} {
		files["service-"+name+".yaml"] = serviceYAML(name, serve(t, name).port)
	}
	port := freePort(t)
	files["gateway.yaml"] = gatewayYAML(port, "")
	files["routes.yaml"] = routeYAML("main", `["main.test"]`, `
  - matches: [{path: {type: PathPrefix, value: /api}}]
    backendRefs: [{name: prefix, port: 80}]
  - matches: [{path: {type: RegularExpression, value: "/api/v.*"}}, {path: {type: RegularExpression, value: "/broken("}}]
    backendRefs: [{name: short, port: 80}]
  - matches: [{path: {type: RegularExpression, value: "/api/v[0-9]+/users"}}]
    backendRefs: [{name: long, port: 80}]
  - matches: [{path: {type: Exact, value: /api/v1/users}}]
    backendRefs: [{name: exact, port: 80}]
  - matches: [{headers: [{name: X-Color, type: RegularExpression, value: "red|blue"}]}]
    backendRefs: [{name: header, port: 80}]
  - matches: [{queryParams: [{name: page, type: RegularExpression, value: "[0-9]+"}]}]
    backendRefs: [{name: query, port: 80}]
`) + routeYAML("runaway", `["runaway.test"]`, `
  - matches: [{path: {type: RegularExpression, value: "/(a|aa)+[bd]?c[xy]?z|/.*q"}}]
    backendRefs: [{name: runaway, port: 80}]
`+prefixRule("/", "prefix"))
	g := start(t, port, files)
	rows := []struct{ host, path, header, want string }{
		{"main.test", "/api/v1/users", "", "exact"},
		{"main.test", "/api/v2/users", "", "long"},
		{"main.test", "/api/v2/users/", "", "short"},
		{"main.test", "/api/%76x", "", "short"},
		{"main.test", "/api/x", "", "prefix"},
		{"main.test", "/x/api/v2/users", "", ""},
		{"main.test", "/broken(", "", ""},
		{"main.test", "/", "X-Color: blue", "header"},
		{"main.test", "/", "X-Color: dark-blue", ""},
		{"main.test", "/?page=12", "", "query"},
		{"main.test", "/?page=12a", "", ""},
		{"runaway.test", "/acz", "", "runaway"},
		{"runaway.test", "/" + strings.Repeat("a", 60) + "czq!", "", "prefix"},
	}
	for _, row := range rows {
		var headers []string
		if row.header != "" {
			headers = []string{row.header}
		}
		response, body := g.fetch("GET", row.host, row.path, headers...)
		if row.want == "" && response.StatusCode != 404 || row.want != "" && body != row.want {
			t.Errorf("%+v: status %d, body %q", row, response.StatusCode, body)
		}
	}
	if !strings.Contains(g.metrics(), `yumen_limit_hits_total{limit="pattern_steps"} 1`) {
		t.Error("the runaway was not counted")
	}
	if status := fmt.Sprint(g.get("httproutes")); !strings.Contains(status, "served without matches[1].path") {
		t.Errorf("no condition names the broken pattern: %s", status)
	}
}

func TestTieBreaks(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for _, name := range []string{"older", "younger", "first", "second"} {
		files["service-"+name+".yaml"] = serviceYAML(name, serve(t, name).port)
	}
	port := freePort(t)
	files["gateway.yaml"] = gatewayYAML(port, "")
	aged := func(name, created, host, rules string) string {
		return strings.Replace(routeYAML(name, host, rules), "namespace: default}",
			"namespace: default, creationTimestamp: \""+created+"\"}", 1)
	}
	files["routes.yaml"] = aged("a-young", "2026-02-01T00:00:00Z", `["age.test"]`, prefixRule("/", "younger")) +
		aged("z-old", "2026-01-01T00:00:00Z", `["age.test"]`, prefixRule("/", "older")) +
		routeYAML("b-name", `["name.test"]`, prefixRule("/", "second")) +
		routeYAML("a-name", `["name.test"]`, prefixRule("/", "first")) +
		routeYAML("rules", `["rule.test"]`, prefixRule("/", "first")+prefixRule("/", "second"))
	g := start(t, port, files)
	for host, want := range map[string]string{"age.test": "older", "name.test": "first", "rule.test": "first"} {
		if body := g.expect(200, "GET", host, "/x"); body != want {
			t.Errorf("%s: %q answered, want %q", host, body, want)
		}
	}
}

func TestWeights(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"a.yaml":       serviceYAML("a", serve(t, "a").port),
		"b.yaml":       serviceYAML("b", serve(t, "b").port),
		"c.yaml":       serviceYAML("c", serve(t, "c").port),
		"route.yaml": routeYAML("w", "", `
  - backendRefs: [{name: a, port: 80, weight: 70}, {name: b, port: 80, weight: 30}, {name: c, port: 80, weight: 0}]
`),
	})
	got := map[string]int{}
	client := g.client()
	const n = 2000
	for i := 0; i < n; i++ {
		response, err := client.Get("http://w.test/")
		if err != nil {
			t.Fatal(err)
		}
		got[response.Header.Get("X-Backend")]++
		response.Body.Close()
	}
	if share := float64(got["a"]) / n; math.Abs(share-0.7) > 0.05 {
		t.Errorf("a got %.3f of the requests, want 0.7", share)
	}
	if got["c"] != 0 || got["a"]+got["b"] != n {
		t.Errorf("requests: %v", got)
	}
}

func TestHeaderModifiers(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"service.yaml": serviceYAML("app", b.port),
		"route.yaml": routeYAML("h", "", `
  - filters:
    - type: RequestHeaderModifier
      requestHeaderModifier:
        set: [{name: X-Set, value: new}]
        add: [{name: X-Add, value: more}]
        remove: [X-Remove]
    - type: ResponseHeaderModifier
      responseHeaderModifier:
        set: [{name: X-Backend, value: changed}]
        add: [{name: X-Added, value: "yes"}]
        remove: [Content-Type]
    backendRefs:
    - name: app
      port: 80
      filters:
      - type: RequestHeaderModifier
        requestHeaderModifier: {add: [{name: X-Backend-Ref, value: app}]}
`),
	})
	response, _ := g.fetch("GET", "h.test", "/", "X-Set: old", "x-set: older", "X-Add: first", "X-Remove: 1", "X-Stay: 2")
	seen := b.last(t).Header
	if got := strings.Join(seen.Values("X-Set"), ","); got != "new" {
		t.Errorf("X-Set: %q", got)
	}
	if got := strings.Join(seen.Values("X-Add"), ","); got != "first,more" {
		t.Errorf("X-Add: %q", got)
	}
	if seen.Get("X-Remove") != "" || seen.Get("X-Stay") != "2" || seen.Get("X-Backend-Ref") != "app" {
		t.Errorf("request header: %v", seen)
	}
	if response.Header.Get("X-Backend") != "changed" || response.Header.Get("X-Added") != "yes" ||
		response.Header.Get("Content-Type") != "" {
		t.Errorf("response header: %v", response.Header)
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	rule := func(path, redirect string) string {
		return fmt.Sprintf("  - matches: [{path: {type: PathPrefix, value: %s}}]\n    filters: [{type: RequestRedirect, requestRedirect: %s}]\n", path, redirect)
	}
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"route.yaml": routeYAML("r", "", rule("/host", `{hostname: example.org}`)+
			rule("/scheme", `{scheme: https, statusCode: 301}`)+
			rule("/port", `{port: 8443}`)+
			rule("/http80", `{scheme: http, port: 80}`)+
			rule("/full", `{path: {type: ReplaceFullPath, replaceFullPath: /new}}`)+
			rule("/strip", `{path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}`)+
			rule("/prefix", `{path: {type: ReplacePrefixMatch, replacePrefixMatch: /other}, statusCode: 308}`)),
	})
	own := fmt.Sprintf(":%d", port)
	rows := []struct {
		path   string
		status int
		want   string
	}{
		{"/host/x?q=1", 302, "http://example.org" + own + "/host/x?q=1"},
		{"/scheme/x", 301, "https://r.test/scheme/x"},
		{"/port/x", 302, "http://r.test:8443/port/x"},
		{"/http80", 302, "http://r.test/http80"},
		{"/full/a/b?q=1", 302, "http://r.test" + own + "/new?q=1"},
		{"/strip/a/b", 302, "http://r.test" + own + "/a/b"},
		{"/strip", 302, "http://r.test" + own + "/"},
		{"/prefix/a", 308, "http://r.test" + own + "/other/a"},
		{"/prefix", 308, "http://r.test" + own + "/other"},
	}
	for _, row := range rows {
		for _, method := range []string{"GET", "POST"} {
			response, _ := g.fetch(method, "r.test", row.path)
			if response.StatusCode != row.status || response.Header.Get("Location") != row.want {
				t.Errorf("%s %s: %d %q, want %d %q", method, row.path, response.StatusCode,
					response.Header.Get("Location"), row.status, row.want)
			}
		}
	}
}

// A listener's routes are its own: a request is served by the most specific listener
// only.
func TestListenerIsolation(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	gateway := gatewayYAML(port, "") + fmt.Sprintf("  - {name: special, protocol: HTTP, port: %d, hostname: special.test}\n", port)
	g := start(t, port, map[string]string{
		"gateway.yaml": gateway,
		"service.yaml": serviceYAML("app", serve(t, "app").port),
		"route.yaml": strings.Replace(routeYAML("r", "", prefixRule("/", "app")),
			"{name: eg}", "{name: eg, sectionName: http}", 1),
	})
	g.expect(200, "GET", "any.test", "/")
	if response, _ := g.fetch("GET", "special.test", "/"); response.StatusCode != 404 {
		t.Errorf("special.test: %d, want 404", response.StatusCode)
	}
}

func TestNotResolved(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	g := start(t, port, map[string]string{
		"gateway.yaml": gatewayYAML(port, ""),
		"service.yaml": serviceYAML("empty"),
		"route.yaml": routeYAML("missing", `["missing.test"]`, prefixRule("/", "nobody")) +
			routeYAML("none", `["none.test"]`, "  - matches: [{path: {type: PathPrefix, value: /}}]\n") +
			routeYAML("foreign", `["foreign.test"]`, "  - backendRefs: [{name: empty, namespace: other, port: 80}]\n") +
			routeYAML("empty", `["empty.test"]`, prefixRule("/", "empty")),
	})
	rows := []struct {
		host   string
		status int
		reason string
	}{
		{"missing.test", 500, "ref_not_resolved"},
		{"none.test", 500, "no_backend"},
		{"foreign.test", 500, "ref_not_resolved"},
		{"empty.test", 503, "destination_unavailable"},
		{"unknown.test", 404, "no_route"},
	}
	for _, row := range rows {
		response, _ := g.fetch("GET", row.host, "/")
		if response.StatusCode != row.status || !strings.Contains(response.Header.Get("Proxy-Status"), row.reason) {
			t.Errorf("%s: %d %q, want %d %s", row.host, response.StatusCode,
				response.Header.Get("Proxy-Status"), row.status, row.reason)
		}
	}
}
