// Package conformance runs the upstream conformance suite of Gateway API against the
// yumen of a cluster: what the GatewayClass's status.supportedFeatures names is asked
// for, no more and no less. The suite skips in silence whatever it is told by a name
// that it does not know, so what ran is counted here, and listed in docs/conformance.md.
package conformance

import (
	"context"
	"flag"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
)

var (
	page  = flag.String("page", "", "file that the list of tests is written to")
	table = flag.String("table", "", "gw/feature.def, whose rows the class must name")
)

func TestConformance(t *testing.T) {
	options := conformance.DefaultOptions(t)
	// The next run finds the pods that it needs.
	options.CleanupBaseResources = false
	results := newResults()
	options.Hook = func(t *testing.T, test suite.ConformanceTest, _ *suite.ConformanceTestSuite) {
		results.add(t, test.ShortName)
	}
	var claimed []string
	if options.RunTest == "" {
		claimed = claim(t, options.Client, options.GatewayClassName)
	}
	// Of all cleanups the last, when the parallel tests are through as well.
	t.Cleanup(func() {
		if options.RunTest != "" {
			results.one(t, options.RunTest)
		} else if len(claimed) > 0 {
			results.all(t, gatewayTests(), claimed)
		}
	})
	conformance.RunConformanceWithOptions(t, options)
}

// gatewayTests are those that are not of meshes.
func gatewayTests() []suite.ConformanceTest {
	return slices.DeleteFunc(slices.Clone(tests.ConformanceTests), func(test suite.ConformanceTest) bool {
		return slices.ContainsFunc(test.Features, features.SetsToNamesSet(
			features.MeshCoreFeatures, features.MeshExtendedFeatures).Has)
	})
}

// claim returns the features that the class says are supported, once it says any.
func claim(t *testing.T, c client.Client, name string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var class gateway.GatewayClass
	for len(class.Status.SupportedFeatures) == 0 {
		if err := c.Get(ctx, client.ObjectKey{Name: name}, &class); err != nil {
			t.Fatalf("GatewayClass %s, which shall name what is supported: %v", name, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	var claimed []string
	for _, feature := range class.Status.SupportedFeatures {
		claimed = append(claimed, string(feature.Name))
		if features.GetFeature(features.FeatureName(feature.Name)).Name == "" {
			t.Errorf("the suite knows no feature %s: its tests would not run", feature.Name)
		}
	}
	if *table != "" {
		compare(t, claimed)
	}
	return claimed
}

var row = regexp.MustCompile(`(?m)^GW_FEATURE\("(\w+)", (\w+)\)`)

// compare holds the class's features against yumen's table: those that ask nothing of
// the data plane are all there, and there is none beside it.
func compare(t *testing.T, claimed []string) {
	t.Helper()
	text, err := os.ReadFile(*table)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, found := range row.FindAllStringSubmatch(string(text), -1) {
		known[found[1]] = true
		if found[2] == "0" && !slices.Contains(claimed, found[1]) {
			t.Errorf("the class does not say %s, which %s does", found[1], *table)
		}
	}
	for _, name := range claimed {
		if !known[name] {
			t.Errorf("the class says %s, which %s does not", name, *table)
		}
	}
}
