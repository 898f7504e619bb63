package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// conditionOf is the path to what a condition says: its status and its reason.
func conditionOf(kind string) string {
	return fmt.Sprintf(`jsonpath={.status.conditions[?(@.type==%q)].status}/{.status.conditions[?(@.type==%q)].reason}`, kind, kind)
}

// ofListener is the same of a listener.
func ofListener(name, kind string) string {
	listener := fmt.Sprintf(`{.status.listeners[?(@.name==%q)].conditions[?(@.type==%q)]`, name, kind)
	return "jsonpath=" + listener + ".status}/" + listener + ".reason}"
}

// seedCertificate makes the Secret that the article's HTTPS listener names; it tells
// where the authority's certificate is.
func seedCertificate(t *testing.T, p place) string {
	t.Helper()
	a := &authority{folder: t.TempDir()}
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "seed"}, KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true}
	if err := a.sign("ca", ca); err != nil {
		t.Fatal(err)
	}
	if err := a.sign("web", &x509.Certificate{DNSNames: []string{"web.test"}}); err != nil {
		t.Fatal(err)
	}
	ask(t, p, "", "-n", "envoy-gateway-system", "create", "secret", "tls", "example-cert",
		"--cert="+filepath.Join(a.folder, "web.crt"), "--key="+filepath.Join(a.folder, "web.key"))
	return filepath.Join(a.folder, "ca.crt")
}

const seedGrant = `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: gateways, namespace: envoy-gateway-system}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}]
  to: [{group: "", kind: Secret}]
`

// Every manifest of the article, as it is, one after the other: a Gateway goes through
// all of them while it serves.
func TestSeed(t *testing.T) {
	p, version := fresh(t)
	for _, name := range []string{"envoy-gateway-system", "metallb-system"} {
		ask(t, p, "", "create", "namespace", name)
	}
	tell(t, p, "--controller-name=gateway.envoyproxy.io/gatewayclass-controller")
	apply := func(name string, arguments ...string) {
		t.Helper()
		file := p.in("test/golden/cases/seed-" + name + "/input.yaml")
		fmt.Println(name+":", ask(t, p, "", append([]string{"apply", "-f", file}, arguments...)...))
	}
	class := func(want string) {
		t.Helper()
		becomes(t, p, want, "get", "gatewayclass", "eg", "-o", conditionOf("Accepted"))
	}
	gateway := func(want string) string {
		t.Helper()
		becomes(t, p, want, "get", "gateway", "eg", "-o", conditionOf("Programmed"))
		return ask(t, p, "", "get", "gateway", "eg", "-o", "jsonpath={.status.addresses[0].value}")
	}
	made := []string{"-n", "envoy-gateway-system", "get"}
	ready := append(made, "deployments.apps", "envoy-default-eg-e41e7b31", "-o", "jsonpath={.status.readyReplicas}/{.status.replicas}")

	// A class, and one whose parameters are not there yet.
	apply("gatewayclass")
	class("True/Accepted")
	apply("gatewayclass-parameters")
	class("False/InvalidParameters")
	becomes(t, p, "Envoy Gateway 控制器，用于生产环境", "get", "gatewayclass", "eg", "-o", "jsonpath={.spec.description}")

	// They come with example 1; its class says the same of them as the one before. Its
	// pool has the first address.
	apply("example-2-metallb-ippool")
	apply("example-1-replicas")
	apply("gatewayclass-parameters")
	class("True/Accepted")
	becomes(t, p, "2/2", ready...)
	address := gateway("True/Programmed")
	if address != "192.168.50.100" {
		t.Errorf("the Gateway has %s", address)
	}
	answers(t, p, "http://"+address, "404")

	// Labels and annotations reach everything; what the API lacks it warns of.
	apply("gateway-infrastructure", "--validate=warn")
	for _, of := range [][2]string{{"service", ".metadata"}, {"deployment", ".metadata"}, {"deployment", ".spec.template.metadata"},
		{"serviceaccount", ".metadata"}} {
		becomes(t, p, "production platform internal", append(made, of[0], "envoy-default-eg-e41e7b31", "-o", fmt.Sprintf(
			`jsonpath={%s.labels.environment} {%s.labels.team} {%s.annotations.cloud-provider\.io/load-balancer-type}`, of[1], of[1], of[1]))...)
	}
	becomes(t, p, "internal internal", append(made, "pods", "-l", "environment=production,team=platform",
		"--field-selector=status.phase=Running", "-o", `jsonpath={.items[*].metadata.annotations.cloud-provider\.io/load-balancer-type}`)...)
	becomes(t, p, "2/2", ready...)
	if again := gateway("True/Programmed"); again != address {
		t.Errorf("the Gateway has %s now", again)
	}
	answers(t, p, "http://"+address, "404")

	// A listener whose certificate is elsewhere, without leave, and with it.
	apply("gateway-listeners")
	becomes(t, p, "False/RefNotPermitted", "get", "gateway", "eg", "-o", ofListener("https", "ResolvedRefs"))
	becomes(t, p, "True/Programmed", "get", "gateway", "eg", "-o", ofListener("http", "Programmed"))
	answers(t, p, "http://"+address, "404")
	ask(t, p, seedGrant, "apply", "-f", "-")
	becomes(t, p, "False/InvalidCertificateRef", "get", "gateway", "eg", "-o", ofListener("https", "ResolvedRefs"))
	ca := seedCertificate(t, p)
	becomes(t, p, "True/Programmed", "get", "gateway", "eg", "-o", ofListener("https", "Programmed"))
	ask(t, p, fmt.Sprintf(echoManifest, version), "apply", "-f", "-")
	ask(t, p, fleetRoute, "apply", "-f", "-")
	eventually(t, "an answer over TLS", func() bool {
		out, _ := exec.Command(p.built("cluster"), "-root", p.root, "enter", "curl", "-s", "--cacert", ca, "--max-time", "5",
			"--resolve", "web.test:443:"+address, "https://web.test/secret").CombinedOutput()
		return strings.Contains(string(out), `"path":"/secret"`)
	})

	// Its address is said, in both ways; example 2's own test reaches it from outside.
	for _, way := range []string{"example-2-addresses", "example-2-metallb-gateway"} {
		apply(way)
		becomes(t, p, "192.168.50.150", "get", "gateway", "eg", "-o", "jsonpath={.status.addresses[*].value}")
		gateway("True/Programmed")
		answers(t, p, "http://192.168.50.150/", "200")
	}
	becomes(t, p, "192.168.50.150", append(made, "service", "envoy-default-eg-e41e7b31", "-o",
		`jsonpath={.metadata.annotations.metallb\.io/loadBalancerIPs}`)...)
	fmt.Println(ask(t, p, "", "get", "gatewayclass,gateway,httproute", "-A"))
	fmt.Println(ask(t, p, "", append(made, "deployments,services,pods")...))
}
