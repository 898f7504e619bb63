// Families of the Services of fleets, against a real API server of one or both.
package judge

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The Service of a Gateway has what the cluster has, also where it was of an older
// yumen, and where an EnvoyProxy says otherwise for a while.
func TestControllerFamilies(t *testing.T) {
	const (
		class    = gatewayRoot + "/gatewayclasses/families"
		gateways = gatewayRoot + "/namespaces/default/gateways"
		proxies  = "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/envoyproxies"
		services = "/api/v1/namespaces/default/services"
		pools    = "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools"
		gate     = gateways + "/kin"
		service  = services + "/kin-families"
		probe    = services + "/kin-probe"
	)
	all := []string{class, gate, probe, service, proxies + "/kin", pools + "/kin", "/api/v1/namespaces/default/secrets/yumen-stream"}
	for _, path := range fleetPaths {
		all = append(all, path+"kin-families")
	}
	drop(t, all...)
	t.Cleanup(func() { drop(t, all...) })
	both := send(t, "POST", services, `{"metadata":{"name":"kin-probe"},"spec":{"ipFamilyPolicy":"PreferDualStack","ports":[{"port":80}]}}`, 201)
	has := fmt.Sprint(field(both, "spec", "ipFamilies"))
	t.Logf("families of the cluster: %s", has)
	is := func(policy, families string) func() error {
		return func() error {
			if err := isAt(service, policy, "spec", "ipFamilyPolicy")(); err != nil {
				return err
			}
			return isAt(service, families, "spec", "ipFamilies")()
		}
	}
	// As an older yumen has left it.
	send(t, "POST", gatewayRoot+"/gatewayclasses", classOf("families", "yumen.dev/families"), 201)
	send(t, "POST", pools, `{"apiVersion":"metallb.io/v1beta1","kind":"IPAddressPool","metadata":{"name":"kin"},`+
		`"spec":{"addresses":["10.76.0.0/29","fd76::/125"],"autoAssign":false}}`, 201)
	send(t, "POST", services, `{"metadata":{"name":"kin-families","labels":{"yumen.dev/controller":"yumen.dev_families"},`+
		`"annotations":{"yumen.dev/gateway":"default/kin"}},"spec":{"type":"LoadBalancer","loadBalancerClass":"yumen.dev/lb","ports":[{"name":"http-8080","port":8080}]}}`, 201)
	waitFor(t, "it to be of one family", 5*time.Second, is("SingleStack", "[IPv4]"))
	send(t, "POST", gateways, strings.Replace(gatewayOf("kin", "families"), `"listeners"`,
		`"addresses":[{"value":"fd76::1"}],"listeners"`, 1), 201)
	startIn(t, newRelay(t), t.TempDir(), "--lease", "families", "--controller-name", "yumen.dev/families")
	waitFor(t, "it to have the cluster's families", 30*time.Second, is("PreferDualStack", has))
	if has == "[IPv4]" {
		waitFor(t, "the address to be refused", 20*time.Second, hasCondition(gate, "Programmed", "False/AddressNotUsable"))
		waitFor(t, "why", 10*time.Second, isTold(gate, "Services of this cluster are of IPv4 alone"))
	} else {
		waitFor(t, "the address to be given", 20*time.Second,
			isAt(service, "[map[ip:fd76::1 ipMode:VIP]]", "status", "loadBalancer", "ingress"))
	}
	refer := func(reference string) {
		t.Helper()
		send(t, "PATCH", gate, `{"spec":{"infrastructure":`+reference+`}}`, 200)
	}
	send(t, "POST", proxies, `{"apiVersion":"gateway.envoyproxy.io/v1alpha1","kind":"EnvoyProxy","metadata":{"name":"kin"},"spec":{"ipFamily":"IPv4"}}`, 201)
	refer(`{"parametersRef":{"group":"gateway.envoyproxy.io","kind":"EnvoyProxy","name":"kin"}}`)
	waitFor(t, "it to be of IPv4", 20*time.Second, is("SingleStack", "[IPv4]"))
	waitFor(t, "who says so", 20*time.Second, isTold(gate, "let the Service have both (ipFamily of EnvoyProxy default/kin)"))
	refer("null")
	waitFor(t, "it to have the cluster's families again", 20*time.Second, is("PreferDualStack", has))
}
