package e2e

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gatewayAPI unpacks a folder of the gateway-api module, whose code is not built and
// may want a newer Go than the one at hand.
func gatewayAPI(t *testing.T, folder string) []string {
	t.Helper()
	command := exec.Command("go", "mod", "download", "-json", "sigs.k8s.io/gateway-api@v1.7.0")
	command.Dir = t.TempDir()
	out, _ := command.Output()
	var found struct{ Zip, Error string }
	if json.Unmarshal(out, &found) != nil || found.Zip == "" {
		t.Skipf("the gateway-api module cannot be had: %s", found.Error)
	}
	archive, err := zip.OpenReader(found.Zip)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	here := t.TempDir()
	var files []string
	for _, file := range archive.File {
		_, name, _ := strings.Cut(file.Name, "@v1.7.0/")
		if !strings.HasPrefix(name, folder) || !strings.HasSuffix(name, ".yaml") {
			continue
		}
		path := filepath.Join(here, strings.ReplaceAll(name, "/", "_"))
		reader, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	return files
}

// admissionErrors lists what `check` says is wrong with the objects of a file, each for
// itself.
func admissionErrors(t *testing.T, path string) []string {
	t.Helper()
	out, _, _ := check(t, "-o", "json", path)
	var said struct {
		Findings []struct{ Code, Severity, Stage, Object, Field, Message string }
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatalf("%s: %v: %s", path, err, out)
	}
	var wrong []string
	for _, f := range said.Findings {
		if f.Severity == "error" && (f.Stage == "admission" || f.Stage == "syntax") {
			wrong = append(wrong, strings.Join([]string{f.Code, f.Object, f.Field, f.Message}, " "))
		}
	}
	return wrong
}

// Every example of Gateway API is admitted, and every one that is kept there to be
// refused is refused.
func TestExamplesOfGatewayAPI(t *testing.T) {
	for _, c := range []struct {
		folder string
		least  int
		good   bool
	}{
		{"examples/", 80, true},
		{"hack/invalid-examples/", 30, false},
	} {
		files := gatewayAPI(t, c.folder)
		if len(files) < c.least {
			t.Errorf("%s: only %d files", c.folder, len(files))
		}
		for _, file := range files {
			wrong := admissionErrors(t, file)
			if c.good && len(wrong) > 0 {
				t.Errorf("%s: refused: %s", filepath.Base(file), strings.Join(wrong, "; "))
			}
			if !c.good && len(wrong) == 0 {
				t.Errorf("%s: admitted", filepath.Base(file))
			}
		}
	}
}
