package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// proxyPods are the names and addresses of the scene's proxies that are ready and not
// ending.
func proxyPods(t *testing.T, p place) map[string]string {
	t.Helper()
	var list struct {
		Items []struct {
			Metadata struct {
				Name              string
				DeletionTimestamp *string
			}
			Status struct {
				PodIP      string
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := kubectlJSON(p, &list, "-n", "scene", "get", "pods", "-l", "yumen.dev/proxy=web-scene"); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, pod := range list.Items {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == "Ready" && condition.Status == "True" && pod.Metadata.DeletionTimestamp == nil {
				found[pod.Metadata.Name] = pod.Status.PodIP
			}
		}
	}
	return found
}

// serving waits for this many proxies, of which each answers by itself.
func serving(t *testing.T, p place, want int) map[string]string {
	t.Helper()
	var pods map[string]string
	eventually(t, fmt.Sprintf("%d proxies", want), func() bool {
		pods = proxyPods(t, p)
		return len(pods) == want
	})
	for name, ip := range pods {
		out, err := exec.Command(p.built("cluster"), "-root", p.root, "enter", "curl", "-s", "-w", "%{http_code}",
			"--max-time", "5", "http://"+ip+"/whole").CombinedOutput()
		if err != nil || !strings.Contains(string(out), `"path":"/whole"`) {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
	return pods
}

// evict asks for the eviction of a pod and tells what the API server said to it.
func evict(p place, pod string) error {
	body := `{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"` + pod + `","namespace":"scene"}}`
	_, err := kubectl(p, strings.NewReader(body), "create", "--raw", "/api/v1/namespaces/scene/pods/"+pod+"/eviction", "-f", "-")
	return err
}

func scaling(t *testing.T, p place, kubernetes string) {
	t.Helper()
	ask(t, p, "", "-n", "scene", "patch", "envoyproxy", "two", "--type=merge", "-p",
		`{"spec":{"provider":{"kubernetes":`+kubernetes+`}}}`)
}

// How many proxies there are the autoscaler says, or a hand beside it, and nobody
// fights over it; how many may be evicted the budget says. The cluster measures
// nothing, so that the autoscaler knows its bounds alone.
func TestScaling(t *testing.T) {
	p := root(t)
	raiseScene(t, p)
	serving(t, p, 2)

	scaling(t, p, `{"envoyDeployment":{"replicas":null},"envoyHpa":{"minReplicas":3,"maxReplicas":5}}`)
	serving(t, p, 3)
	becomes(t, p, "apps/v1 Deployment web-scene", "-n", "scene", "get", "hpa", "web-scene", "-o",
		"jsonpath={.spec.scaleTargetRef.apiVersion} {.spec.scaleTargetRef.kind} {.spec.scaleTargetRef.name}")
	becomes(t, p, "True", "-n", "scene", "get", "hpa", "web-scene", "-o",
		`jsonpath={.status.conditions[?(@.type=="AbleToScale")].status}`)
	scaled := ask(t, p, "", "-n", "scene", "get", "events", "--field-selector=involvedObject.name=web-scene,reason=ScalingReplicaSet",
		"-o", "jsonpath={range .items[*]}{.message}{\"\\n\"}{end}")
	fmt.Println(scaled)
	if strings.Contains(scaled, "Scaled down") {
		t.Errorf("there were fewer in between:\n%s", scaled)
	}

	// A hand's number between the bounds stays: the autoscaler looks every 15 s, the
	// controller at once.
	ask(t, p, "", "-n", "scene", "scale", "deployment", "web-scene", "--replicas=4")
	serving(t, p, 4)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Second) {
		if got := ask(t, p, "", "-n", "scene", "get", "deployment", "web-scene", "-o", "jsonpath={.spec.replicas}"); got != "4" {
			t.Fatalf("of 4 replicas %s are left", got)
		}
	}
	fmt.Println(ask(t, p, "", "-n", "scene", "get", "deployment,hpa", "-l", "yumen.dev/proxy=web-scene"))
	scaling(t, p, `{"envoyHpa":{"maxReplicas":3}}`)
	serving(t, p, 3)
	ask(t, p, "", "-n", "scene", "scale", "deployment", "web-scene", "--replicas=1")
	serving(t, p, 3)

	// None may go, then one.
	allowed := []string{"-n", "scene", "get", "pdb", "web-scene", "-o",
		"jsonpath={.status.disruptionsAllowed} of {.status.currentHealthy}"}
	scaling(t, p, `{"envoyPDB":{"minAvailable":3}}`)
	becomes(t, p, "0 of 3", allowed...)
	pods := serving(t, p, 3)
	for pod := range pods {
		err := evict(p, pod)
		if err == nil || !strings.Contains(err.Error(), "would violate the pod's disruption budget") {
			t.Errorf("the eviction of %s: %v", pod, err)
		}
	}
	scaling(t, p, `{"envoyPDB":{"minAvailable":2}}`)
	becomes(t, p, "1 of 3", allowed...)
	gone := ""
	for pod := range pods {
		if gone = pod; evict(p, pod) != nil {
			t.Errorf("%s may not be evicted", pod)
		}
		break
	}
	eventually(t, "the evicted pod to be replaced", func() bool {
		now := proxyPods(t, p)
		return len(now) == 3 && now[gone] == ""
	})
	serving(t, p, 3)

	// Without an autoscaler the number is ours again.
	scaling(t, p, `{"envoyHpa":null,"envoyDeployment":{"replicas":2}}`)
	serving(t, p, 2)
	becomes(t, p, "", "-n", "scene", "get", "hpa", "-o", "name")
	becomes(t, p, "True", "-n", "scene", "get", "gateway", "web", "-o", programmed)
}
