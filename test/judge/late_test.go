package judge

import (
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"net/http"
)

// startLate stands before the API server and withholds the answers to writes whose path
// holds one of these words; what comes to watches it passes on at once. What it returns
// is a kubeconfig of it.
func startLate(t *testing.T, late time.Duration, words ...string) string {
	t.Helper()
	base, err := url.Parse(world.server.base)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(base)
			r.Out.Header.Del("Authorization")
		},
		Transport:     world.server.client.Transport,
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			for _, word := range words {
				if (r.Request.Method == "PATCH" || r.Request.Method == "PUT") && strings.Contains(r.Request.URL.Path, word) {
					time.Sleep(late)
					break
				}
			}
			return nil
		},
	})
	front.StartTLS()
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	folder := t.TempDir()
	authority := filepath.Join(folder, "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	config := filepath.Join(folder, "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: a,
contexts: [{name: a, context: {cluster: c, user: u, namespace: default}}],
clusters: [{name: c, cluster: {server: %q, certificate-authority: %s}}],
users: [{name: u, user: {token: nobody}}]}`, front.URL, authority)
	for path, text := range map[string]string{authority: string(certificate), config: text} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// What another does while an answer is on its way is seen although the answer, which
// comes after it, does not know of it.
func TestControllerLateAnswers(t *testing.T) {
	const (
		class  = gatewayRoot + "/gatewayclasses/late"
		gate   = gatewayRoot + "/namespaces/default/gateways/late"
		deploy = "/apis/apps/v1/namespaces/default/deployments/late-late"
	)
	paths := []string{class, gate}
	for _, path := range fleetPaths {
		paths = append(paths, path+"late-late")
	}
	drop(t, paths...)
	defer drop(t, paths...)
	config := startLate(t, time.Second, "/deployments/late-late", "/gatewayclasses/late/status")
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("late", "yumen.dev/late"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("late", "late"), 201)
	grace := []string{"spec", "template", "spec", "terminationGracePeriodSeconds"}
	drift := func() {
		t.Helper()
		send(t, "PATCH", deploy, `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":7}}}}`, 200)
	}
	startIn(t, newRelay(t), t.TempDir(), "--lease", "late", "--controller-name", "yumen.dev/late", "--kubeconfig", config)

	waitFor(t, "the class's status", 20*time.Second, hasCondition(class, "Accepted", "True"))
	send(t, "PATCH", class+"/status", `{"status":{"conditions":[]}}`, 200)
	waitFor(t, "the class's status again", 20*time.Second, hasCondition(class, "Accepted", "True"))

	waitFor(t, "a Deployment", 20*time.Second, isAt(deploy, float64(45), grace...))
	drift()
	waitFor(t, "what is mended", 20*time.Second, isAt(deploy, float64(45), grace...))
	send(t, "DELETE", deploy, "", 200)
	waitFor(t, "what is made again", 20*time.Second, isAt(deploy, float64(45), grace...))
}
