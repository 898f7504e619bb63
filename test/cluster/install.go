package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// install brings the cluster the CRDs, yumen's image and yumen, where they are not
// there yet as they are here.
func install(p place) error {
	if !exists(p.run("customs")) {
		documents, err := definitions(p)
		if err != nil {
			return err
		}
		_, err = kubectl(p, documents, "apply", "--server-side", "--force-conflicts", "-f", "-")
		if err != nil {
			return err
		}
		if _, err := kubectl(p, nil, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"); err != nil {
			return err
		}
		if err := os.WriteFile(p.run("customs"), nil, 0o600); err != nil {
			return err
		}
	}
	if err := yumenImage(p, p.built("yumen.tar")); err != nil {
		return err
	}
	fresh, err := load(p, p.built("yumen.tar"))
	if err != nil {
		return err
	}
	return installYumen(p, fresh)
}

const yumenManifest = "deploy/yumen.yaml"

// installYumen applies the manifest; pods of an older image of the same name are
// replaced.
func installYumen(p place, fresh bool) error {
	out, err := exec.Command(p.in("build/yumen"), "help", "controller").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--kubeconfig")) {
		fmt.Println("this yumen's controller reads no cluster: it is not installed")
		return nil
	}
	deployed := false
	if _, err := kubectl(p, nil, "-n", "yumen-system", "get", "deployment", "yumen-controller"); err == nil {
		deployed = true
	}
	if _, err := kubectl(p, nil, "apply", "--server-side", "--force-conflicts", "-f", p.in(yumenManifest)); err != nil {
		return err
	}
	if fresh && deployed {
		_, err := kubectl(p, nil, "-n", "yumen-system", "rollout", "restart", "deployment/yumen-controller",
			"daemonset/yumen-announcer")
		if err != nil {
			return err
		}
	}
	for _, one := range []string{"deployment/yumen-controller", "daemonset/yumen-announcer"} {
		if _, err = kubectl(p, nil, "-n", "yumen-system", "rollout", "status", one, "--timeout=120s"); err != nil {
			break
		}
	}
	if err != nil {
		logs, _ := kubectl(p, nil, "-n", "yumen-system", "logs", "--tail=20", "--prefix", "-l", "app.kubernetes.io/name=yumen")
		return fmt.Errorf("%w\n%s", err, logs)
	}
	return nil
}

// load imports an image, unless the very same was; it tells whether it did.
func load(p place, archive string) (bool, error) {
	text, err := os.ReadFile(archive)
	if err != nil {
		return false, err
	}
	loaded := p.run("loaded-" + filepath.Base(archive))
	if before, err := os.ReadFile(loaded); err == nil && bytes.Equal(before, text) {
		return false, nil
	}
	if err := os.WriteFile(loaded, text, 0o600); err != nil {
		return false, err
	}
	socket := fmt.Sprintf("/proc/%d/root%s", first(p), containerdSocket)
	out, err := exec.Command("ctr", "-a", socket, "-n", "k8s.io", "images", "import", loaded).CombinedOutput()
	if err != nil {
		return false, errors.Join(fmt.Errorf("import %s: %w\n%s", archive, err, out), os.Remove(loaded))
	}
	return true, nil
}

// sourceRow is a row of the file that says which versions of which modules yumen's
// tables are made from; the CRDs here are the same.
var sourceRow = regexp.MustCompile(`\{"([^"]+)", "(v[^"]+)", "(h1:[^"]+)"`)

// customResources are the files of the CRDs in their modules.
var customResources = map[string][]string{
	"sigs.k8s.io/gateway-api": {"config/crd/experimental/gateway.networking*"},
	"github.com/envoyproxy/gateway": {
		"charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_envoyproxies.yaml"},
}

// metallbManifest has those of metallb.io: this cluster never had MetalLB.
const metallbManifest = "deploy/metallb-crds.yaml"

// definitions are all CRDs, as one stream of documents.
func definitions(p place) (io.Reader, error) {
	text, err := os.ReadFile(p.in("tools/crds/module.go"))
	if err != nil {
		return nil, err
	}
	metallb, err := os.ReadFile(p.in(metallbManifest))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Write(metallb)
	for _, row := range sourceRow.FindAllStringSubmatch(string(text), -1) {
		patterns := customResources[row[1]]
		if patterns == nil {
			continue
		}
		before := out.Len()
		path, err := download(row[1], row[2], row[3])
		if err != nil {
			return nil, err
		}
		if err := pick(&out, path, row[1]+"@"+row[2]+"/", patterns); err != nil {
			return nil, err
		}
		if out.Len() == before {
			return nil, fmt.Errorf("%s@%s has none of %v", row[1], row[2], patterns)
		}
	}
	return &out, nil
}

// download returns the module's zip, whose sum the tree knows. A module that wants a
// newer Go is downloaded, and only then refused.
func download(module, version, sum string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	command.Dir = os.TempDir()
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, failed := command.Output()
	var found struct{ Zip, Sum, Error string }
	if err := json.Unmarshal(out, &found); err != nil || found.Zip == "" {
		return "", fmt.Errorf("%s: %v %v %s", module, failed, err, found.Error)
	}
	if found.Sum != sum {
		return "", fmt.Errorf("%s@%s is %s, not %s", module, version, found.Sum, sum)
	}
	return found.Zip, nil
}

func pick(out io.Writer, path, prefix string, patterns []string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, file := range archive.File {
		name := strings.TrimPrefix(file.Name, prefix)
		for _, pattern := range patterns {
			if fits, err := filepath.Match(pattern, name); err != nil || !fits {
				continue
			}
			from, err := file.Open()
			if err != nil {
				return err
			}
			fmt.Fprintln(out, "---")
			_, err = io.Copy(out, from)
			if err := errors.Join(err, from.Close()); err != nil {
				return err
			}
		}
	}
	return nil
}
