// What is made for Gateways, against a real API server.
package judge

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const fleetParameters = `{"apiVersion":"gateway.envoyproxy.io/v1alpha1","kind":"EnvoyProxy","metadata":{"name":"x","namespace":"default"},
	"spec":{"provider":{"type":"Kubernetes","kubernetes":{"envoyHpa":{"maxReplicas":3},"envoyPDB":{"minAvailable":1}}}}}`

const daemonParameters = `{"apiVersion":"gateway.envoyproxy.io/v1alpha1","kind":"EnvoyProxy","metadata":{"name":"y","namespace":"default"},
	"spec":{"provider":{"type":"Kubernetes","kubernetes":{"envoyDaemonSet":{}}}}}`

// startStranger starts a proxy whose token nobody knows.
func startStranger(t *testing.T, c *controller, authority string) {
	t.Helper()
	program, err := filepath.Abs(yumen())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	token := filepath.Join(folder, "token")
	if err := os.WriteFile(token, []byte("nobody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := exec.Command(program, "proxy", "--controller", "127.0.0.1:"+c.port, "--gateway", "default/gate", "--ca", authority,
		"--server-name", "yumen-controller.yumen-system.svc", "--token-file", token, "--admin", "off",
		"--socket", filepath.Join(folder, "socket"), "--workers", "1")
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = proxy.Process.Kill()
		_ = proxy.Wait()
	})
}

var fleetPaths = []string{
	"/api/v1/namespaces/default/serviceaccounts/",
	"/api/v1/namespaces/default/configmaps/",
	"/api/v1/namespaces/default/services/",
	"/apis/apps/v1/namespaces/default/deployments/",
}

// field is what is at a path of keys, or nil.
func field(o any, keys ...string) any {
	for _, key := range keys {
		m, _ := o.(object)
		o = m[key]
	}
	return o
}

func isAt(path string, want any, keys ...string) func() error {
	return func() error {
		var o object
		if err := world.server.get(path, &o); err != nil {
			return err
		}
		if got := field(o, keys...); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%v is %v, not %v", keys, got, want)
		}
		return nil
	}
}

func TestControllerMakesFleets(t *testing.T) {
	const (
		class   = gatewayRoot + "/gatewayclasses/fleet"
		gate    = gatewayRoot + "/namespaces/default/gateways/made"
		deploy  = "/apis/apps/v1/namespaces/default/deployments/made-fleet"
		service = "/api/v1/namespaces/default/services/made-fleet"
	)
	all := []string{class, gate, "/api/v1/namespaces/default/secrets/yumen-stream"}
	for _, path := range fleetPaths {
		all = append(all, path+"made-fleet")
	}
	drop(t, all...)
	// Somebody else's of the same name.
	theirs := `{"metadata":{"name":"made-fleet"},"spec":{"ports":[{"port":7}],"type":"ClusterIP"}}`
	send(t, "POST", "/api/v1/namespaces/default/services", theirs, 201)
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("fleet", "yumen.dev/fleet-controller"), 201)
	made := send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("made", "fleet"), 201)
	start := func() *controller {
		return startIn(t, newRelay(t), t.TempDir(), "--lease", "fleet", "--controller-name", "yumen.dev/fleet-controller")
	}
	first := start()
	waitFor(t, "what is made", 20*time.Second, isAt(deploy, "made-fleet", "spec", "template", "spec", "serviceAccountName"))
	for _, path := range fleetPaths {
		if strings.Contains(path, "/services/") {
			continue
		}
		waitFor(t, "its mark", 10*time.Second, isAt(path+"made-fleet", "yumen.dev_fleet-controller", "metadata", "labels", "yumen.dev/controller"))
		var o object
		if err := world.server.get(path+"made-fleet", &o); err != nil {
			t.Fatal(err)
		}
		owners, _ := field(o, "metadata", "ownerReferences").([]any)
		if len(owners) != 1 || field(owners[0], "uid") != field(made, "metadata", "uid") {
			t.Errorf("owners of %s: %v", path, owners)
		}
	}
	// It is not adopted, and the Gateway says so.
	waitFor(t, "the fault", 20*time.Second, hasCondition(gate, "Programmed", "False/NoResources"))
	if err := isAt(service, "7", "spec", "ports")(); err == nil || !strings.Contains(err.Error(), "port:7") {
		t.Errorf("another's Service: %v", err)
	}
	drop(t, service)
	waitFor(t, "the Service", 30*time.Second, isAt(service, "LoadBalancer", "spec", "type"))
	waitFor(t, "the fault to go", 20*time.Second, hasCondition(gate, "Programmed", "False/AddressNotAssigned"))

	// Drift is mended, and what goes comes again; what others add stays.
	send(t, "PATCH", deploy, `{"metadata":{"annotations":{"theirs":"kept"}},"spec":{"replicas":7}}`, 200)
	waitFor(t, "replicas", 20*time.Second, isAt(deploy, 1, "spec", "replicas"))
	if err := isAt(deploy, "kept", "metadata", "annotations", "theirs")(); err != nil {
		t.Error(err)
	}
	send(t, "DELETE", fleetPaths[1]+"made-fleet", "", 200)
	waitFor(t, "the ConfigMap again", 20*time.Second, func() error {
		var o object
		if err := world.server.get(fleetPaths[1]+"made-fleet", &o); err != nil {
			return err
		}
		if text, _ := field(o, "data", "ca.pem").(string); !strings.Contains(text, "BEGIN CERTIFICATE") {
			return errors.New("no certificate in it")
		}
		return nil
	})

	scalesByAnother(t, gate, deploy)
	becomesDaemons(t, gate, deploy)
	isRenamed(t, gate, deploy, service, first, start)

	// A Gateway that is not valid keeps what it has; one that is gone does not.
	send(t, "PATCH", gate, `{"spec":{"listeners":[{"name":"http","port":8080,"protocol":"example.com/NONE"}]}}`, 200)
	waitFor(t, "Accepted=False", 20*time.Second, hasCondition(gate, "Accepted", "False"))
	if err := isAt(deploy, 1, "spec", "replicas")(); err != nil {
		t.Error(err)
	}
	send(t, "DELETE", gate, "", 200)
	for _, path := range fleetPaths {
		waitFor(t, path+" to go", 20*time.Second, isGone(path+"made-fleet"))
	}
}

// scalesByAnother: with an autoscaler replicas are its to say, from the first moment on
// and from what they were; without it they are ours again.
func scalesByAnother(t *testing.T, gate, deploy string) {
	const (
		proxy  = "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/envoyproxies/scaled"
		scaler = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/made-fleet"
	)
	drop(t, proxy, scaler)
	t.Cleanup(func() { drop(t, proxy) })
	parameters := func(kubernetes string) string {
		return `{"apiVersion":"gateway.envoyproxy.io/v1alpha1","kind":"EnvoyProxy","metadata":{"name":"scaled","namespace":"default"},
			"spec":{"provider":{"type":"Kubernetes","kubernetes":` + kubernetes + `}}}`
	}
	send(t, "POST", filepath.Dir(proxy), parameters(`{"envoyDeployment":{"replicas":3}}`), 201)
	send(t, "PATCH", gate, `{"spec":{"infrastructure":{"parametersRef":{"group":"gateway.envoyproxy.io","kind":"EnvoyProxy","name":"scaled"}}}}`, 200)
	waitFor(t, "three replicas", 20*time.Second, isAt(deploy, 3, "spec", "replicas"))
	before := generationOf(t, deploy)
	send(t, "PATCH", proxy, `{"spec":{"provider":{"kubernetes":{"envoyDeployment":{"replicas":null},"envoyHpa":{"minReplicas":2,"maxReplicas":9}}}}}`, 200)
	waitFor(t, "the autoscaler", 20*time.Second, isAt(scaler, "made-fleet", "spec", "scaleTargetRef", "name"))
	waitFor(t, "replicas to be nobody's of ours", 20*time.Second, func() error {
		if owners := replicasOwners(t, deploy); strings.Contains(owners, "yumen.dev,") {
			return errors.New(owners)
		}
		return nil
	})
	// One that had become the API's default in between would have changed the spec twice.
	if now := generationOf(t, deploy); now != before {
		t.Errorf("the Deployment's spec has changed: generation %v, then %v", before, now)
	}
	if err := isAt(deploy, 3, "spec", "replicas")(); err != nil {
		t.Error(err)
	}
	send(t, "PATCH", deploy+"/scale", `{"spec":{"replicas":5}}`, 200)
	// What else is ours is mended, and replicas stay.
	send(t, "PATCH", deploy, `{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":7}}}}`, 200)
	waitFor(t, "what is mended", 20*time.Second, isAt(deploy, 45, "spec", "template", "spec", "terminationGracePeriodSeconds"))
	if err := isAt(deploy, 5, "spec", "replicas")(); err != nil {
		t.Error(err)
	}
	send(t, "PATCH", proxy, `{"spec":{"provider":{"kubernetes":{"envoyHpa":null}}}}`, 200)
	waitFor(t, "our own number", 20*time.Second, isAt(deploy, 1, "spec", "replicas"))
	waitFor(t, "the autoscaler to go", 20*time.Second, isGone(scaler))
}

func generationOf(t *testing.T, path string) any {
	t.Helper()
	var o object
	if err := world.server.get(path, &o); err != nil {
		t.Fatal(err)
	}
	return field(o, "metadata", "generation")
}

// replicasOwners are the managers of a Deployment's replicas, each with a comma.
func replicasOwners(t *testing.T, path string) string {
	t.Helper()
	var o object
	if err := world.server.get(path, &o); err != nil {
		t.Fatal(err)
	}
	owners := ""
	managers, _ := field(o, "metadata", "managedFields").([]any)
	for _, manager := range managers {
		if field(manager, "fieldsV1", "f:spec", "f:replicas") != nil {
			owners += fmt.Sprint(field(manager, "manager")) + ","
		}
	}
	return owners
}

// isGone tells whether there is nothing at a path.
func isGone(path string) func() error {
	return func() error {
		code, _, _, err := world.server.send("GET", path, "", nil)
		if err == nil && code != 404 {
			err = fmt.Errorf("%d", code)
		}
		return err
	}
}

// stays holds that something is not deleted yet.
func stays(t *testing.T, path string) {
	t.Helper()
	time.Sleep(time.Second)
	if err := isGone(path)(); err == nil {
		t.Errorf("%s is gone before the other is up", path)
	}
}

const oneReplica = `"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1`

// up says what the API server's own controllers would say, who are not here.
func up(t *testing.T, path, status string) {
	t.Helper()
	send(t, "PATCH", path+"/status", fmt.Sprintf(`{"status":{"observedGeneration":%v,%s}}`, generationOf(t, path), status), 200)
}

// isTold tells whether a Gateway's Programmed has these words.
func isTold(gate, words string) func() error {
	return func() error {
		_, status, err := statusAt(gate)
		if err != nil {
			return err
		}
		all, _ := status["conditions"].([]any)
		for _, one := range all {
			if message := fmt.Sprint(field(one, "message")); field(one, "type") == "Programmed" && !strings.Contains(message, words) {
				return errors.New(message)
			}
		}
		return nil
	}
}

// becomesDaemons: a DaemonSet takes the place of a Deployment, and the other way round:
// the one goes when the other's pods are up, no earlier.
func becomesDaemons(t *testing.T, gate, deploy string) {
	const (
		proxy   = "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/envoyproxies/daemons"
		daemons = "/apis/apps/v1/namespaces/default/daemonsets/made-fleet"
	)
	drop(t, proxy, daemons)
	t.Cleanup(func() { drop(t, proxy) })
	send(t, "POST", filepath.Dir(proxy), `{"apiVersion":"gateway.envoyproxy.io/v1alpha1","kind":"EnvoyProxy","metadata":{"name":"daemons",
		"namespace":"default"},"spec":{"provider":{"type":"Kubernetes","kubernetes":{"envoyDaemonSet":{}}}}}`, 201)
	send(t, "PATCH", gate, `{"spec":{"infrastructure":{"parametersRef":{"group":"gateway.envoyproxy.io","kind":"EnvoyProxy","name":"daemons"}}}}`, 200)
	waitFor(t, "a DaemonSet", 20*time.Second, isAt(daemons, "made-fleet", "spec", "template", "spec", "serviceAccountName"))
	stays(t, deploy)
	waitFor(t, "who waits for whom", 60*time.Second, isTold(gate, "DaemonSet default/made-fleet: none of its pods is ready; "+
		"Deployment default/made-fleet serves until they are; kubectl -n default describe pods -l yumen.dev/proxy=made-fleet tells why"))
	up(t, daemons, `"desiredNumberScheduled":2,"currentNumberScheduled":2,"updatedNumberScheduled":2,"numberMisscheduled":0,"numberReady":1,"numberAvailable":1`)
	stays(t, deploy)
	waitFor(t, "some to be ready", 20*time.Second, isTold(gate, "DaemonSet default/made-fleet: not all of its pods are ready"))
	up(t, daemons, `"numberReady":2,"numberAvailable":2`)
	waitFor(t, "the Deployment to go", 20*time.Second, isGone(deploy))
	waitFor(t, "nothing to be told any more", 20*time.Second, func() error {
		if isTold(gate, "DaemonSet")() == nil {
			return errors.New("it is told still")
		}
		return nil
	})

	send(t, "PATCH", gate, `{"spec":{"infrastructure":null}}`, 200)
	waitFor(t, "a Deployment", 20*time.Second, isAt(deploy, 1, "spec", "replicas"))
	stays(t, daemons)
	up(t, deploy, `"replicas":0,"conditions":[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":"pods \"made-fleet-1-x\" is forbidden: no"}]`)
	waitFor(t, "what the Deployment says", 10*time.Second,
		isTold(gate, "Deployment default/made-fleet: none of its pods is ready (a pod is forbidden: no); DaemonSet default/made-fleet serves"))
	up(t, deploy, oneReplica)
	waitFor(t, "the DaemonSet to go", 20*time.Second, isGone(daemons))
}

// isRenamed: objects get the names that an EnvoyProxy gives them, each there before the
// other goes; a name that goes from one Gateway to another while nobody looks is the
// other's then.
func isRenamed(t *testing.T, gate, deploy, service string, first *controller, start func() *controller) {
	const (
		proxy  = "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/envoyproxies/names"
		second = gatewayRoot + "/namespaces/default/gateways/made-too"
	)
	other := strings.Replace(deploy, "made-fleet", "other", 1)
	edge := strings.Replace(service, "made-fleet", "edge", 1)
	drop(t, proxy, second, other, edge)
	t.Cleanup(func() { drop(t, proxy) })
	send(t, "POST", filepath.Dir(proxy), `{"apiVersion":"gateway.envoyproxy.io/v1alpha1","kind":"EnvoyProxy","metadata":{"name":"names",
		"namespace":"default"},"spec":{"provider":{"type":"Kubernetes","kubernetes":{"envoyDeployment":{"name":"other"},"envoyService":{"name":"edge"}}}}}`, 201)
	named := `{"spec":{"infrastructure":{"parametersRef":{"group":"gateway.envoyproxy.io","kind":"EnvoyProxy","name":"names"}}}}`
	send(t, "PATCH", gate, named, 200)
	waitFor(t, "the other Deployment", 20*time.Second, isAt(other, "made-fleet", "spec", "template", "spec", "serviceAccountName"))
	waitFor(t, "the other Service", 20*time.Second, isAt(edge, "made-fleet", "spec", "selector", "yumen.dev/proxy"))
	waitFor(t, "the first Service to go", 20*time.Second, isGone(service))
	stays(t, deploy)
	up(t, other, oneReplica)
	waitFor(t, "the first Deployment to go", 20*time.Second, isGone(deploy))

	first.stop(syscall.SIGTERM)
	send(t, "PATCH", gate, `{"spec":{"infrastructure":null}}`, 200)
	send(t, "POST", filepath.Dir(second), gatewayOf("made-too", "fleet"), 201)
	send(t, "PATCH", second, named, 200)
	start()
	of := func(path, gateway string) {
		t.Helper()
		waitFor(t, path+" of "+gateway, 60*time.Second, func() error {
			var o object
			if err := world.server.get(path, &o); err != nil {
				return err
			}
			if got := field(o, "metadata", "annotations", "yumen.dev/gateway"); got != "default/"+gateway {
				return fmt.Errorf("it is of %v", got)
			}
			return nil
		})
	}
	of(edge, "made-too")
	of(other, "made-too")
	of(deploy, "made")
	of(service, "made")
	send(t, "DELETE", second, "", 200)
	waitFor(t, "what was the second's to go", 20*time.Second, func() error { return errors.Join(isGone(edge)(), isGone(other)()) })
}
