//go:build images

package conformance

// The suite's manifests name an image of this program, which `make conformance` builds.
import _ "sigs.k8s.io/gateway-api-conformance-images/echo-basic"
