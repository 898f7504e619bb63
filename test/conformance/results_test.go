package conformance

import (
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

type outcome string

const (
	passed outcome = "passed"
	failed outcome = "failed"
	notYet outcome = "not yet"
)

// results are how each test ended, as it said itself; it is told at once.
type results struct {
	mu    sync.Mutex
	ended map[string]outcome
}

func newResults() *results { return &results{ended: map[string]outcome{}} }

func (r *results) add(t *testing.T, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case t.Failed():
		r.ended[name] = failed
	case t.Skipped():
		return
	default:
		r.ended[name] = passed
	}
	fmt.Println(r.ended[name], name)
}

// one fails when the test that was asked for did not run.
func (r *results) one(t *testing.T, name string) {
	if r.ended[name] == "" {
		t.Errorf("%s did not run", name)
	}
}

// all fails when a test did not run whose features are all claimed, and writes the page.
func (r *results) all(t *testing.T, tests []suite.ConformanceTest, claimed []string) {
	sort.Slice(tests, func(a, b int) bool { return tests[a].ShortName < tests[b].ShortName })
	rows := map[outcome][]string{}
	for _, test := range tests {
		var has, lacks []string
		for _, feature := range test.Features {
			if slices.Contains(claimed, string(feature)) {
				has = append(has, "`"+string(feature)+"`")
			} else {
				lacks = append(lacks, "`"+string(feature)+"`")
			}
		}
		end := r.ended[test.ShortName]
		switch {
		case end == "" && len(lacks) == 0:
			t.Errorf("%s did not run, though the class says %s", test.ShortName, strings.Join(has, ", "))
			end = failed
		case end == "":
			end, has = notYet, lacks
		}
		rows[end] = append(rows[end], fmt.Sprintf("| %s | %s |", test.ShortName, strings.Join(has, ", ")))
	}
	fmt.Printf("%d tests: %d passed, %d failed, %d not yet\n", len(tests),
		len(rows[passed]), len(rows[failed]), len(rows[notYet]))
	if *page == "" {
		return
	}
	text := pageOf(len(tests), rows, r.profiles(tests))
	if err := os.WriteFile(*page, []byte(text), 0o644); err != nil {
		t.Error(err)
	}
}

// profiles tells how many tests of each profile's core passed: those that need nothing
// else.
func (r *results) profiles(tests []suite.ConformanceTest) string {
	var out strings.Builder
	for _, profile := range []suite.ConformanceProfile{suite.GatewayHTTPConformanceProfile,
		suite.GatewayGRPCConformanceProfile, suite.GatewayTLSConformanceProfile,
		suite.GatewayTCPConformanceProfile, suite.GatewayUDPConformanceProfile} {
		core, well := 0, 0
		for _, test := range tests {
			if !profile.CoreFeatures.HasAll(test.Features...) {
				continue
			}
			core++
			if r.ended[test.ShortName] == passed {
				well++
			}
		}
		fmt.Fprintf(&out, "| core of %s | %d of %d passed |\n", profile.Name, well, core)
	}
	return out.String()
}

const introduction = `# Conformance

Made by ` + "`make conformance`" + `, which runs the conformance suite of Gateway API v1.7.0 against yumen in
a cluster. A test runs when the GatewayClass's ` + "`status.supportedFeatures`" + ` names every feature that it
needs; the others are listed with those that are missing.

| | tests |
| --- | ---: |
`

func pageOf(count int, rows map[outcome][]string, profiles string) string {
	var out strings.Builder
	out.WriteString(introduction)
	order := []struct {
		end   outcome
		heads string
	}{{failed, "needs"}, {notYet, "lacks"}, {passed, "needs"}}
	for _, one := range order {
		fmt.Fprintf(&out, "| %s | %d |\n", one.end, len(rows[one.end]))
	}
	fmt.Fprintf(&out, "| all | %d |\n%s", count, profiles)
	for _, one := range order {
		if len(rows[one.end]) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n## %s%s\n\n| test | %s |\n| --- | --- |\n%s\n", strings.ToUpper(string(one.end[:1])),
			one.end[1:], one.heads, strings.Join(rows[one.end], "\n"))
	}
	return out.String()
}
