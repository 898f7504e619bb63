package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// undo does what another would who does not agree: whenever it is there it undoes it, for
// as long. It returns how often.
func undo(t *testing.T, length time.Duration, isThere func() error, undo func()) int {
	t.Helper()
	times := 0
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if isThere() == nil {
			undo()
			times++
		}
	}
	return times
}

// Another writer that undoes what is written, of a status and of what is made, does not
// make the controller write without end; once it ends all is as it should be.
func TestControllerQuarrels(t *testing.T) {
	const (
		class  = gatewayRoot + "/gatewayclasses/quarrel"
		gate   = gatewayRoot + "/namespaces/default/gateways/quarrel"
		deploy = "/apis/apps/v1/namespaces/default/deployments/quarrel-quarrel"
		// By doubled rests: 0, 0.2, 0.6, 1.4, 3, 6.2 s, and one for what was written before.
		most   = 7
		length = 7 * time.Second
	)
	dropFleet(t, class, gate, "quarrel-quarrel")
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("quarrel", "yumen.dev/quarrel"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("quarrel", "quarrel"), 201)
	c := startIn(t, newRelay(t), t.TempDir(), "--lease", "quarrel", "--controller-name", "yumen.dev/quarrel")

	accepted := hasCondition(class, "Accepted", "True/Accepted/1")
	waitFor(t, "the status", 20*time.Second, accepted)
	times := undo(t, length, accepted, func() {
		send(t, "PATCH", class+"/status", `{"status":{"conditions":null}}`, 200)
	})
	if times < 2 || times > most {
		t.Errorf("a status was written %d times", times)
	}
	waitFor(t, "the status again", 30*time.Second, accepted)

	one := isAt(deploy, 1, "spec", "replicas")
	waitFor(t, "what is made", 20*time.Second, one)
	times = undo(t, length, one, func() {
		send(t, "PATCH", deploy, `{"spec":{"replicas":7}}`, 200)
	})
	if times < 2 || times > most {
		t.Errorf("replicas were written %d times", times)
	}
	waitFor(t, "the replicas again", 30*time.Second, one)
	for _, path := range []string{class, deploy} {
		name := path[strings.LastIndex(path, "/"):]
		waitFor(t, "a word of it", 5*time.Second, func() error {
			if !c.said("event=kube.undone path=") || !c.said(name) {
				return fmt.Errorf("the log does not name %s", name)
			}
			return nil
		})
	}
}
