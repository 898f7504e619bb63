package e2e

import (
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

func policyYAML(name, service, authorities string) string {
	return fmt.Sprintf(`apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: %s, namespace: default}
spec:
  targetRefs: [{group: "", kind: Service, name: %s}]
  validation: {hostname: app.example.com, %s}
`, name, service, authorities)
}

const configMapRef = `caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]`

func configMapYAML(bundle string) string {
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca, namespace: default}\ndata:\n  ca.crt: |\n"
	for _, line := range strings.Split(strings.TrimSpace(bundle), "\n") {
		text += "    " + line + "\n"
	}
	return text
}

// conditionOf finds a condition of the first ancestor: "True Accepted".
func conditionOf(g *gate, policy, kind string) (string, string) {
	for _, item := range g.get("backendtlspolicies", policy, "-n", "default") {
		status, _ := item["status"].(map[string]any)
		ancestors, _ := status["ancestors"].([]any)
		if len(ancestors) == 0 {
			continue
		}
		conditions, _ := ancestors[0].(map[string]any)["conditions"].([]any)
		for _, one := range conditions {
			c := one.(map[string]any)
			if c["type"] == kind {
				return fmt.Sprint(c["status"], " ", c["reason"]), fmt.Sprint(c["message"])
			}
		}
	}
	return "", ""
}

func (g *gate) awaitCondition(policy, kind, wanted, part string) {
	g.t.Helper()
	g.eventually(policy+" "+kind, func() error {
		if got, message := conditionOf(g, policy, kind); got != wanted || !strings.Contains(message, part) {
			return fmt.Errorf("%s is %q: %s", kind, got, message)
		}
		return nil
	})
}

// What a policy asks for is done, or the backend is refused: it never sees a byte
// in plain text, whatever is wrong, and serves again when the policy goes.
func TestPolicyIsNeverPlainText(t *testing.T) {
	t.Parallel()
	b := serve(t, "app")
	g := basics(t, b)
	g.expect(200, "GET", "a.test", "/")
	before := b.count()
	refused := func(what string) {
		t.Helper()
		g.eventually(what, func() error {
			response, body, err := g.tryFetch("GET", "a.test", "/")
			if err != nil {
				return err
			}
			if response.StatusCode < 500 || response.StatusCode > 503 {
				return fmt.Errorf("%d %s", response.StatusCode, body)
			}
			return nil
		})
		before = b.count()
		for i := 0; i < 8; i++ {
			if response, _ := g.fetch("GET", "a.test", "/"); response.StatusCode < 500 || response.StatusCode > 503 {
				t.Errorf("%s: %d", what, response.StatusCode)
			}
		}
		if n := b.count(); n != before {
			t.Errorf("%s: the backend has seen %d requests in plain text", what, n-before)
		}
	}

	g.write("policy.yaml", policyYAML("app", "app", configMapRef))
	refused("no ConfigMap")
	g.awaitCondition("app", "ResolvedRefs", "False InvalidCACertificateRef", "there is no ConfigMap default/ca")
	g.awaitCondition("app", "Accepted", "False NoValidCACertificate", "there is no ConfigMap default/ca")
	g.write("ca.yaml", configMapYAML("not a certificate"))
	refused("a ConfigMap without a certificate")
	g.awaitCondition("app", "ResolvedRefs", "False InvalidCACertificateRef", "it is not PEM")
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: makePair(t, "p256", nil).certificate.Raw})
	g.write("ca.yaml", configMapYAML(string(root)))
	g.awaitCondition("app", "ResolvedRefs", "True ResolvedRefs", "")
	refused("a backend that does not speak TLS")
	g.write("policy.yaml", policyYAML("app", "app", "wellKnownCACertificates: System"))
	refused("the system's authorities")

	// The younger by name has nothing to say, until the other is gone.
	g.write("younger.yaml", policyYAML("younger", "app", "wellKnownCACertificates: System"))
	g.awaitCondition("younger", "Accepted", "False Conflicted", "BackendTLSPolicy default/app")
	g.write("younger.yaml", "")
	g.write("policy.yaml", "")
	g.eventually("plain text again", func() error {
		response, _, err := g.tryFetch("GET", "a.test", "/")
		if err == nil && response.StatusCode != 200 {
			err = fmt.Errorf("%d", response.StatusCode)
		}
		return err
	})
}
