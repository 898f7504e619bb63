package main

import (
	"strings"
	"testing"
)

// A Gateway whose Service is to be one of type NodePort is at the addresses of nodes and
// answers there, at the port that its condition tells; and at one that the EnvoyProxy's
// annotations name when that is over.
func TestNodePort(t *testing.T) {
	p := root(t)
	answers(t, p, "http://"+raiseScene(t, p)+"/", "200")
	node := ask(t, p, "", "get", "nodes", "-o", `jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}`)
	at := []string{"-n", "scene", "get", "gateway", "web", "-o",
		`jsonpath={.status.addresses[*].value} {.status.conditions[?(@.type=="Programmed")].status}`}

	scaling(t, p, `{"envoyService":{"type":"NodePort","externalTrafficPolicy":"Cluster"}}`)
	becomes(t, p, node+" True", at...)
	port := ask(t, p, "", "-n", "scene", "get", "service", "web-scene", "-o", "jsonpath={.spec.ports[0].nodePort}")
	told := ask(t, p, "", "-n", "scene", "get", "gateway", "web", "-o",
		`jsonpath={.status.conditions[?(@.type=="Programmed")].message}`)
	if !strings.Contains(told, "port 80 is "+port) {
		t.Errorf("of port %s is told: %s", port, told)
	}
	answers(t, p, "http://"+node+":"+port+"/", "200")
	scaling(t, p, `{"envoyService":{"externalTrafficPolicy":"Local"}}`)
	becomes(t, p, "Local", "-n", "scene", "get", "service", "web-scene", "-o", "jsonpath={.spec.externalTrafficPolicy}")
	answers(t, p, "http://"+node+":"+port+"/", "200")

	scaling(t, p, `{"envoyService":{"type":"LoadBalancer","annotations":{"metallb.io/loadBalancerIPs":"192.0.2.137"}}}`)
	becomes(t, p, "192.0.2.137 True", at...)
	answers(t, p, "http://192.0.2.137/", "200")
}
