package main

import (
	"bufio"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"sigs.k8s.io/yaml"
)

// escaped gives fields that are words of CEL their other name too, as an API server
// does.
func escaped(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, one := range v {
			out[key] = escaped(one)
			if key == "namespace" {
				out["__namespace__"] = out[key]
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = escaped(v[i])
		}
		return out
	case float64:
		return int64(v)
	}
	return value
}

// The rows that the C checks are tested with, put to the rules' own text in the CEL
// of Kubernetes.
func TestCasesByCEL(t *testing.T) {
	names, err := readNames("../../src/gw/cel.def", "GW_CEL")
	if err != nil {
		t.Fatal(err)
	}
	set, err := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion(), true).Extend(environment.VersionedOptions{
		IntroducedVersion: environment.DefaultCompatibilityVersion(),
		EnvOptions:        []cel.EnvOption{cel.Variable("self", cel.DynType), cel.Variable("oldSelf", cel.DynType)},
	})
	if err != nil {
		t.Fatal(err)
	}
	programs := map[string]cel.Program{}
	for text, name := range names {
		syntax, issues := set.StoredExpressionsEnv().Compile(text)
		if issues.Err() != nil {
			t.Fatalf("%s: %v", name, issues.Err())
		}
		if programs[name[0]], err = set.StoredExpressionsEnv().Program(syntax); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open("../../test/unit/gw/cel_case.def")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	row := regexp.MustCompile(`^(HOLDS|BREAKS)\((\w+), ("(?:[^"\\]|\\.)*")\)$`)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	count := 0
	for lines.Scan() {
		found := row.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		text, err := strconv.Unquote(found[3])
		if err != nil {
			t.Fatal(err)
		}
		var self any
		if err := yaml.Unmarshal([]byte(text), &self); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		result, _, err := programs[found[2]].Eval(map[string]any{"self": escaped(self), "oldSelf": nil})
		holds := err == nil && result.Value() == true
		if holds != (found[1] == "HOLDS") {
			t.Errorf("%s: CEL says %v %v", strings.TrimSpace(lines.Text()), result, err)
		}
		count++
	}
	if count < len(programs) {
		t.Errorf("only %d rows", count)
	}
}
