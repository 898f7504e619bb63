package judge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Statuses that somebody's policy refuses hold up no other, and are written once it does not.
func TestControllerRefusedStatuses(t *testing.T) {
	const (
		admission = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
		policy    = admission + "ies/refused"
		binding   = admission + "ybindings/refused"
		class     = gatewayRoot + "/gatewayclasses/refused"
		gate      = gatewayRoot + "/namespaces/default/gateways/refused"
		later     = gatewayRoot + "/namespaces/default/gateways/refused-later"
		routes    = gatewayRoot + "/namespaces/default/httproutes"
		count     = 200
	)
	paths := []string{policy, binding, later, gate, class}
	for i := range count {
		paths = append(paths, fmt.Sprintf("%s/refused-%d", routes, i))
	}
	drop(t, paths...)
	defer drop(t, paths...)
	send(t, "POST", admission+"ies", `{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy",
"metadata":{"name":"refused"},"spec":{"failurePolicy":"Fail","matchConstraints":{"resourceRules":[
{"apiGroups":["gateway.networking.k8s.io"],"apiVersions":["v1"],"operations":["UPDATE"],"resources":["httproutes/status"]}]},
"validations":[{"expression":"!object.metadata.name.startsWith('refused-')","message":"not this one"}]}}`, 201)
	send(t, "POST", admission+"ybindings", `{"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding",
"metadata":{"name":"refused"},"spec":{"policyName":"refused","validationActions":["Deny"]}}`, 201)
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("refused", "yumen.dev/refused"), 201)
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("refused", "refused"), 201)
	for i := range count {
		send(t, "POST", routes, routeOf(fmt.Sprintf("refused-%d", i), "refused"), 201)
	}
	empty, err := json.Marshal(object{"status": object{"parents": []any{}}})
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the policy to hold", 30*time.Second, func() error {
		code, _, answer, err := world.server.send("PATCH", routes+"/refused-0/status", "application/merge-patch+json", empty)
		if err == nil && code < http.StatusBadRequest {
			err = fmt.Errorf("%d %s", code, answer)
		}
		return err
	})
	c := startController(t, newRelay(t), "--lease", "off", "--controller-name", "yumen.dev/refused")
	waitFor(t, "a refusal", 20*time.Second, func() error {
		if !c.said("event=kube.write_failed") {
			return fmt.Errorf("the log does not say it")
		}
		return nil
	})
	send(t, "POST", gatewayRoot+"/namespaces/default/gateways", gatewayOf("refused-later", "refused"), 201)
	waitFor(t, "the status of what is not refused", 20*time.Second, hasCondition(later, "Accepted", "True/Accepted/1"))
	drop(t, policy, binding)
	for i := range count {
		waitFor(t, "a status that was refused", time.Minute,
			hasEntry(fmt.Sprintf("%s/refused-%d", routes, i), "yumen.dev/refused", "Accepted", "True/Accepted/1"))
	}
}
