package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What each of the manifests that people come with says, by `check`: its exit status
// and the codes of its problems, in order; and how many objects it has.
var seedSays = map[string]struct {
	status, objects int
	codes           string
}{
	"seed-article":                   {1, 5, "YM0506"},
	"seed-article-addresses":         {0, 4, ""},
	"seed-article-infrastructure":    {1, 2, "YM0107"},
	"seed-article-metallb":           {0, 2, ""},
	"seed-example-1-replicas":        {0, 3, ""},
	"seed-example-2-addresses":       {1, 1, "YM0501"},
	"seed-example-2-metallb-gateway": {1, 1, "YM0501"},
	"seed-example-2-metallb-ippool":  {0, 2, ""},
	"seed-gateway-infrastructure":    {1, 1, "YM0501 YM0107"},
	"seed-gateway-listeners":         {1, 1, "YM0501"},
	"seed-gatewayclass":              {0, 1, ""},
	"seed-gatewayclass-parameters":   {0, 1, ""},
}

var (
	problemCode = regexp.MustCompile(`(?m)^\S+:\d+:\d+: \w+ (YM\d{4}) `)
	// What depends on when it was asked, or on where the file lies.
	yamlMoment   = regexp.MustCompile(`(?m)^.*(lastTransitionTime|creationTimestamp|uid|resourceVersion):.*\n`)
	yamlStatus   = regexp.MustCompile(`(?m)^status:\n(?: .*\n)*`)
	cannotListen = regexp.MustCompile(`cannot listen on [^\n']*`)
)

// Each manifest through check, run and `get -o yaml`, which gives the same of the
// running yumen as of the file alone, and reads again as the same objects. Their
// addresses and ports may not be had here, which only who runs knows.
func TestSeedManifests(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("../golden/cases/seed-*/input.yaml")
	if err != nil || len(inputs) != len(seedSays) {
		t.Fatalf("%d manifests, %d rows: %v", len(inputs), len(seedSays), err)
	}
	for _, input := range inputs {
		input, name := input, filepath.Base(filepath.Dir(input))
		t.Run(name, func(t *testing.T) {
			says := seedSays[name]
			out, status := yumen(t, "check", input)
			var codes []string
			for _, match := range problemCode.FindAllStringSubmatch(out, -1) {
				codes = append(codes, match[1])
			}
			if status != says.status || strings.Join(codes, " ") != says.codes {
				t.Errorf("check: %d %q\n%s", status, strings.Join(codes, " "), out)
			}
			content, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			g := start(t, 0, map[string]string{"seed.yaml": string(content)})
			if response, err := http.Get("http://" + g.admin + "/readyz"); err != nil || response.StatusCode != 200 {
				t.Errorf("readyz: %v %v", response, err)
			}
			get := func(args ...string) string {
				text, err := exec.Command(program(t), append([]string{"get", "all", "-o", "yaml"}, args...)...).Output()
				if err != nil {
					t.Fatalf("get %v: %v", args, err)
				}
				return string(text)
			}
			file := filepath.Join(g.dir, "seed.yaml")
			whole := yamlMoment.ReplaceAllString(get("-f", file), "")
			want := whole
			g.eventually("the status of the file alone", func() error {
				got := yamlMoment.ReplaceAllString(get("--socket", g.socket), "")
				if strings.Contains(got, "cannot listen on ") {
					t.Logf("without the listeners' status: %s", cannotListen.FindString(got))
					got, want = yamlStatus.ReplaceAllString(got, ""), yamlStatus.ReplaceAllString(want, "")
				}
				if got != want {
					return fmt.Errorf("running:\n%s\nalone:\n%s", got, want)
				}
				return nil
			})
			if strings.Count("\n"+whole, "\napiVersion: ") != says.objects || strings.Contains(whole, "kind: Gateway") && !strings.Contains(whole, "\nstatus:\n") {
				t.Errorf("%d objects wanted:\n%s", says.objects, whole)
			}
			again := filepath.Join(t.TempDir(), "again.yaml")
			if err := os.WriteFile(again, []byte(get("-f", file)), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := yamlMoment.ReplaceAllString(get("-f", again), ""); got != whole {
				t.Errorf("read again:\n%s\nwant\n%s", got, whole)
			}
		})
	}
}
