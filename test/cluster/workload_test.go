package main

import (
	"testing"
)

// A DaemonSet takes the place of a Deployment, and the other way round, while requests
// flow: the one goes when the other's pods are ready.
func TestDaemonSet(t *testing.T) {
	p := root(t)
	url := "http://" + raiseScene(t, p) + "/"
	serving(t, p, 2)
	of := func(kind string) []string {
		return []string{"-n", "scene", "get", kind, "-l", "yumen.dev/proxy=web-scene", "-o", "name"}
	}
	whilePouring(t, p, url, func() {
		scaling(t, p, `{"envoyDeployment":null,"envoyDaemonSet":{"pod":{"labels":{"each":"node"}}}}`)
		becomes(t, p, "daemonset.apps/web-scene", of("daemonsets")...)
		becomes(t, p, "", of("deployments")...)
		serving(t, p, 1)
		becomes(t, p, "node", "-n", "scene", "get", "pods", "-l", "yumen.dev/proxy=web-scene", "--field-selector=status.phase=Running",
			"-o", "jsonpath={.items[*].metadata.labels.each}")
	})
	whilePouring(t, p, url, func() {
		scaling(t, p, `{"envoyDaemonSet":null,"envoyDeployment":{"replicas":2}}`)
		becomes(t, p, "deployment.apps/web-scene", of("deployments")...)
		becomes(t, p, "", of("daemonsets")...)
		serving(t, p, 2)
	})
	whilePouring(t, p, url, func() {
		scaling(t, p, `{"envoyDeployment":{"name":"other"}}`)
		becomes(t, p, "deployment.apps/other", of("deployments")...)
		serving(t, p, 2)
	})
	whilePouring(t, p, url, func() {
		scaling(t, p, `{"envoyService":{"name":"edge"}}`)
		becomes(t, p, "service/edge", of("services")...)
	})
	becomes(t, p, "True", "-n", "scene", "get", "gateway", "web", "-o", programmed)
}
