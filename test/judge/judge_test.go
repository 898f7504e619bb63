// Objects are judged by a real API server and by yumen: each must be admitted by both
// or by neither, with faults in the same fields, the same unknown fields and the same
// defaults. What differs stands in differences.txt with its reason, or fails.
//
// KUBE names the program of test/cluster/kube, YUMEN that under test; JUDGE_SEED and
// JUDGE_COUNT say which mutations and how many; JUDGE_KEEP names a folder that keeps
// the objects; JUDGE_KIND judges mutations of one kind only.
package judge

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// The API server ends with the thread that started it: the main one.
func init() { runtime.LockOSThread() }

var world struct {
	server  *server
	folders map[string]string
	kinds   []kind
	known   map[string]*kind
	listed  *listed
	// corpus is what the server admitted so far, to make mutations of.
	corpus map[*kind][]object
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "judge")
	if err == nil {
		defer os.RemoveAll(folder)
		err = build(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		return 1
	}
	defer world.server.stop()
	return m.Run()
}

// kubeProgram is every Kubernetes component in one.
func kubeProgram() (string, error) {
	kube := os.Getenv("KUBE")
	if kube == "" {
		kube = "../../build-cluster/kube"
	}
	kube, err := filepath.Abs(kube)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(kube); err != nil {
		return "", fmt.Errorf("no Kubernetes to judge by: %w (make cluster, or set KUBE)", err)
	}
	return kube, nil
}

func build(folder string) (err error) {
	kube, err := kubeProgram()
	if err != nil {
		return err
	}
	if world.listed, err = readListed("differences.txt"); err != nil {
		return err
	}
	if world.folders, err = modules(filepath.Join(folder, "modules")); err != nil {
		return err
	}
	custom, err := customKinds(world.folders)
	if err != nil {
		return err
	}
	if world.server, err = startServer(kube, folder); err != nil {
		return err
	}
	if err := world.server.install(custom); err != nil {
		return err
	}
	own, err := builtInKinds(world.server)
	if err != nil {
		return err
	}
	world.kinds = append(own, custom...)
	world.known = map[string]*kind{}
	for i := range world.kinds {
		k := &world.kinds[i]
		world.known[k.apiVersion()+" "+k.name] = k
	}
	world.corpus = map[*kind][]object{}
	return nil
}

// judge holds both verdicts on each sample together.
func judge(t *testing.T, samples []sample) {
	t.Helper()
	if len(samples) == 0 {
		t.Fatal("nothing to judge")
	}
	folder := t.TempDir()
	if keep := os.Getenv("JUDGE_KEEP"); keep != "" {
		folder = filepath.Join(keep, t.Name())
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
	}
	server, err := judgeByServer(world.server, samples)
	if err != nil {
		t.Fatal(err)
	}
	yumen, err := judgeByYumen(samples, folder)
	if err != nil {
		t.Fatal(err)
	}
	var agreed, listed, admitted int
	unlisted, details := map[string][]int{}, map[string]string{}
	before := world.listed.counts()
	for i := range samples {
		if server[i].admitted {
			admitted++
			remember(t, &samples[i])
		}
		known, fresh := 0, 0
		for _, line := range differ(&samples[i], &server[i], &yumen[i]) {
			if world.listed.has(line) {
				known++
			} else {
				fresh++
				key, _, _ := strings.Cut(line, detail)
				unlisted[key] = append(unlisted[key], i)
				if len(unlisted[key]) == 1 {
					details[key] = line[len(key):]
				}
			}
		}
		switch {
		case known+fresh == 0:
			agreed++
		case fresh == 0:
			listed++
		}
	}
	fmt.Printf("judge %s: %d objects (%d admitted): %d agreed, %d differ as listed\n",
		t.Name(), len(samples), admitted, agreed, listed)
	for i, count := range world.listed.counts() {
		if count > before[i] {
			fmt.Printf("judge %s: %d times: %s\n", t.Name(), count-before[i], world.listed.rows[i].reason)
		}
	}
	complain(t, samples, unlisted, details)
}

// complain tells each difference once, the most frequent first.
func complain(t *testing.T, samples []sample, unlisted map[string][]int, details map[string]string) {
	t.Helper()
	lines := make([]string, 0, len(unlisted))
	for line := range unlisted {
		lines = append(lines, line)
	}
	sort.Slice(lines, func(i, j int) bool {
		a, b := len(unlisted[lines[i]]), len(unlisted[lines[j]])
		return a > b || a == b && lines[i] < lines[j]
	})
	most := setting("JUDGE_LINES", 40)
	for i, line := range lines {
		if i == most {
			t.Errorf("and %d more", len(lines)-most)
			return
		}
		first := unlisted[line][0]
		t.Errorf("%d times: %s%s\n  as in %s (%s)", len(unlisted[line]), line, details[line],
			samples[first].from, fileName(first, samples[first].json))
	}
}

// remember keeps what the server admits, to make mutations of. Golden and other cases
// come and go; the mutations of a seed shall stay what they are.
func remember(t *testing.T, one *sample) {
	var document object
	if t.Name() == "TestGolden" || t.Name() == "TestCases" {
		return
	}
	if unmarshal(one.bytes, &document) == nil {
		world.corpus[one.kind] = append(world.corpus[one.kind], document)
	}
}

func readDocuments(t *testing.T, folder string) []sample {
	t.Helper()
	samples, others, err := documents(world.known, folder)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("judge %s: %d of other kinds left out\n", t.Name(), others)
	return samples
}

func TestExamples(t *testing.T) {
	judge(t, readDocuments(t, filepath.Join(world.folders[gatewayAPI], "examples")))
}

func TestInvalidExamples(t *testing.T) {
	judge(t, readDocuments(t, filepath.Join(world.folders[gatewayAPI], "hack/invalid-examples")))
}

func TestMetalLBExamples(t *testing.T) {
	judge(t, readDocuments(t, filepath.Join(world.folders[metalLB], "configsamples")))
}

func TestEnvoyGatewayExamples(t *testing.T) {
	judge(t, readDocuments(t, filepath.Join(world.folders[envoyGateway], "examples/kubernetes")))
}

// The golden cases hold the article's own manifests.
func TestGolden(t *testing.T) { judge(t, readDocuments(t, "../golden/cases")) }

// Each rule that the API server has in code, and each difference that is listed.
func TestCases(t *testing.T) { judge(t, readDocuments(t, "cases")) }

func TestOwn(t *testing.T) { judge(t, readDocuments(t, "testdata")) }

// Envoy Gateway's test data holds hundreds of objects within documents of its own.
func TestEnvoyGatewayData(t *testing.T) {
	objects, err := nested(world.known, filepath.Join(world.folders[envoyGateway], "internal/gatewayapi/testdata"), "*.in.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var samples []sample
	seen := map[string]bool{}
	for i, one := range objects {
		text, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(text)] {
			continue
		}
		seen[string(text)] = true
		s, _ := newSample(world.known, one, text, true)
		s.from = fmt.Sprintf("testdata %d", i)
		samples = append(samples, s)
	}
	judge(t, samples)
}

const (
	seedDefault  = 1
	countDefault = 4000
)

func setting(name string, otherwise int) int {
	if text := os.Getenv(name); text != "" {
		if value, err := strconv.Atoi(text); err == nil {
			return value
		}
	}
	return otherwise
}

// Mutations come last: they are made of what the tests before have shown to be valid.
func TestMutations(t *testing.T) {
	seed, count := setting("JUDGE_SEED", seedDefault), setting("JUDGE_COUNT", countDefault)
	var all []object
	var kinds []*kind
	only := os.Getenv("JUDGE_KIND")
	for i := range world.kinds {
		k := &world.kinds[i]
		if len(world.corpus[k]) == 0 {
			t.Errorf("no valid object of %s %s in the corpus", k.apiVersion(), k.name)
			continue
		}
		all = append(all, world.corpus[k]...)
		if only == "" || only == k.name {
			kinds = append(kinds, k)
		}
	}
	m := newMutator(int64(seed), all)
	samples := make([]sample, 0, count)
	for i := range count {
		k := kinds[i%len(kinds)]
		changed := m.mutate(k, pick(m, world.corpus[k]), fmt.Sprintf("judge-%d", i))
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		s, ok := newSample(world.known, changed, text, true)
		if !ok {
			t.Fatalf("of no kind: %s", text)
		}
		s.from = fmt.Sprintf("seed %d", seed)
		samples = append(samples, s)
	}
	judge(t, samples)
}

// A row that fits nothing any more goes. Other seeds need not meet every row.
func TestListedAreMet(t *testing.T) {
	if setting("JUDGE_SEED", seedDefault) != seedDefault || setting("JUDGE_COUNT", countDefault) != countDefault ||
		os.Getenv("JUDGE_KIND") != "" || world.listed == nil {
		t.Skip("holds for the default seed and count only")
	}
	for _, row := range world.listed.rows {
		if row.matched == 0 {
			t.Errorf("differences.txt: %s is met no more", row.pattern)
		}
	}
}
