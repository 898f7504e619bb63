package judge

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// startFront stands before the API server, with what it thinks of an answer; what comes
// to watches it passes on at once. What it returns is a kubeconfig of it.
func startFront(t *testing.T, answers func(*http.Response) error) string {
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
		Transport:      world.server.client.Transport,
		FlushInterval:  -1,
		ModifyResponse: answers,
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

// answerInstead makes of an answer one of this status alone.
func answerInstead(r *http.Response, status int) {
	r.Body.Close()
	r.StatusCode, r.Body, r.ContentLength = status, http.NoBody, 0
	r.Header = http.Header{"Content-Length": {"0"}}
}

// dropFleet deletes a class, its Gateway and what is made for it, now and at the test's end.
func dropFleet(t *testing.T, class, gate, name string) {
	t.Helper()
	paths := []string{class, gate}
	for _, path := range fleetPaths {
		paths = append(paths, path+name)
	}
	drop(t, paths...)
	t.Cleanup(func() { drop(t, paths...) })
}

// What another does while an answer is on its way is seen although the answer, which
// comes after it, does not know of it.
func TestControllerLateAnswers(t *testing.T) {
	const (
		class  = gatewayRoot + "/gatewayclasses/late"
		gate   = gatewayRoot + "/namespaces/default/gateways/late"
		deploy = "/apis/apps/v1/namespaces/default/deployments/late-late"
	)
	dropFleet(t, class, gate, "late-late")
	config := startFront(t, func(r *http.Response) error {
		path := r.Request.URL.Path
		if strings.HasSuffix(path, "/deployments/late-late") || strings.HasSuffix(path, "/gatewayclasses/late/status") {
			if r.Request.Method == "PATCH" || r.Request.Method == "PUT" {
				time.Sleep(time.Second)
			}
		}
		return nil
	})
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

// What was made for Gateways stays while the API does not let us list these, as one that
// has just started may not.
func TestControllerNotLetToList(t *testing.T) {
	const (
		class  = gatewayRoot + "/gatewayclasses/unseen"
		gate   = gatewayRoot + "/namespaces/default/gateways/unseen"
		deploy = "/apis/apps/v1/namespaces/default/deployments/unseen-unseen"
	)
	dropFleet(t, class, gate, "unseen-unseen")
	var denies atomic.Bool
	config := startFront(t, func(r *http.Response) error {
		if denies.Load() && strings.HasSuffix(r.Request.URL.Path, "/gateways") {
			answerInstead(r, http.StatusForbidden)
		}
		return nil
	})
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("unseen", "yumen.dev/unseen"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("unseen", "unseen"), 201)
	start := func() *controller {
		return startIn(t, newRelay(t), t.TempDir(), "--lease", "unseen", "--controller-name", "yumen.dev/unseen", "--kubeconfig", config)
	}
	uid := func() any {
		t.Helper()
		var o object
		if err := world.server.get(deploy, &o); err != nil {
			t.Fatal(err)
		}
		return field(o, "metadata", "uid")
	}
	first := start()
	waitFor(t, "a Deployment", 20*time.Second, isAt(deploy, "unseen", "metadata", "labels", "gateway.networking.k8s.io/gateway-name"))
	before := uid()
	first.stop(syscall.SIGTERM)
	denies.Store(true)
	second := start()
	waitFor(t, "all else to be read", 20*time.Second, func() error {
		if !second.said("event=kube.read") {
			return errors.New("not yet")
		}
		return nil
	})
	time.Sleep(3 * time.Second)
	if uid() != before {
		t.Error("the Deployment is another")
	}
	denies.Store(false)
	send(t, "PATCH", gate, `{"spec":{"infrastructure":{"labels":{"a":"b"}}}}`, 200)
	waitFor(t, "the label", 20*time.Second, isAt(deploy, "b", "metadata", "labels", "a"))
	if uid() != before {
		t.Error("the Deployment is another")
	}
	// What is really of nobody goes.
	second.stop(syscall.SIGTERM)
	drop(t, gate)
	send(t, "PATCH", deploy, `{"metadata":{"ownerReferences":null}}`, 200)
	start()
	waitFor(t, "the Deployment to go", 20*time.Second, isGone(deploy))
}

// An object of the name that another made is looked at again in peace, also after a list
// that is newer than it.
func TestControllerLeavesAnothers(t *testing.T) {
	const (
		class   = gatewayRoot + "/gatewayclasses/calm"
		gate    = gatewayRoot + "/namespaces/default/gateways/calm"
		service = "/api/v1/namespaces/default/services/calm-calm"
	)
	dropFleet(t, class, gate, "calm-calm")
	var looked, forgot atomic.Int32
	config := startFront(t, func(r *http.Response) error {
		ask := r.Request.URL
		if ask.Path == service {
			looked.Add(1)
		}
		if ask.Path == "/api/v1/services" && ask.Query().Get("watch") != "" && ask.Query().Get("labelSelector") != "" && forgot.Add(1) == 1 {
			answerInstead(r, http.StatusGone)
		}
		return nil
	})
	theirs := `{"metadata":{"name":"calm-calm"},"spec":{"ports":[{"port":7}],"type":"ClusterIP"}}`
	send(t, "POST", "/api/v1/namespaces/default/services", theirs, 201)
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("calm", "yumen.dev/calm"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("calm", "calm"), 201)
	startIn(t, newRelay(t), t.TempDir(), "--lease", "calm", "--controller-name", "yumen.dev/calm", "--kubeconfig", config)
	waitFor(t, "the fault", 20*time.Second, hasCondition(gate, "Programmed", "False/NoResources"))
	waitFor(t, "a list anew", 20*time.Second, func() error {
		if forgot.Load() < 2 {
			return errors.New("not yet")
		}
		return nil
	})
	before := looked.Load()
	time.Sleep(2 * time.Second)
	if times := looked.Load() - before; times > 20 {
		t.Errorf("it was looked at %d times in two seconds", times)
	}
}

// A controller that may not list pools at its start, or finds none of their kind, as of an
// API server that has just started, takes nobody's address away, and says why none is given.
func TestControllerNotLetToListPools(t *testing.T) {
	const (
		pools    = "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools"
		services = "/api/v1/namespaces/default/services"
	)
	all := []string{services + "/b-service", services + "/c-service", pools + "/b-pool"}
	drop(t, all...)
	t.Cleanup(func() { drop(t, all...) })
	_, _, _, _ = world.server.send("POST", "/api/v1/namespaces", "application/json", []byte(`{"metadata":{"name":"metallb-system"}}`))
	var answers atomic.Int32
	config := startFront(t, func(r *http.Response) error {
		if answers.Load() > 0 && strings.HasSuffix(r.Request.URL.Path, "/ipaddresspools") {
			answerInstead(r, int(answers.Load()))
		}
		return nil
	})
	service := func(name string) string {
		return `{"metadata":{"name":"` + name + `"},"spec":{"type":"LoadBalancer","loadBalancerClass":"yumen.dev/lb","ports":[{"port":80}]}}`
	}
	send(t, "POST", pools, `{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":"b-pool"},"spec":{"addresses":["10.76.0.0/29"]}}`, 201)
	send(t, "POST", services, service("b-service"), 201)
	start := func() *controller {
		return startIn(t, newRelay(t), t.TempDir(), "--lease", "unpooled", "--controller-name", "yumen.dev/unpooled", "--kubeconfig", config)
	}
	says := func(name, address, message string) func() error {
		return func() error {
			_, status, err := statusAt(services + "/" + name)
			given, _ := json.Marshal(status["loadBalancer"])
			said, _ := json.Marshal(status["conditions"])
			if err == nil && (!strings.Contains(string(given), address) || !strings.Contains(string(said), message)) {
				err = fmt.Errorf("%s, %s", given, said)
			}
			return err
		}
	}
	now := start()
	waitFor(t, "an address", 20*time.Second, says("b-service", "10.76.0.0", "of pool"))
	for _, answer := range []int{http.StatusForbidden, http.StatusNotFound} {
		now.stop(syscall.SIGTERM)
		answers.Store(int32(answer))
		now = start()
		waitFor(t, "what it has", 20*time.Second, says("b-service", "10.76.0.0", "stays as it was given"))
		send(t, "POST", services, service("c-service"), 201)
		waitFor(t, "why it has none", 20*time.Second, says("c-service", "", "what was given before"))
		answers.Store(0)
		waitFor(t, "one that is given", 20*time.Second, says("c-service", "10.76.0.1", "of pool"))
		waitFor(t, "whose it is", 20*time.Second, says("b-service", "10.76.0.0", "of pool"))
		drop(t, services+"/c-service")
	}
}
