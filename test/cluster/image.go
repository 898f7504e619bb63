package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strings"
)

// image is what a container starts from: some files, in one layer.
type image struct {
	name       string
	entrypoint []string
	user       string
	files      map[string]string // where in the image, where on this machine
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// write makes an archive in the OCI image layout; manifest.json beside it is for those
// that load what `docker save` wrote. The same files make the same bytes.
func (i image) write(to string) error {
	layer, err := i.layer()
	if err != nil {
		return err
	}
	blobs := map[string][]byte{}
	add := func(kind string, text []byte) descriptor {
		sum := sha256.Sum256(text)
		digest := hex.EncodeToString(sum[:])
		blobs["blobs/sha256/"+digest] = text
		return descriptor{MediaType: "application/vnd.oci.image." + kind, Digest: "sha256:" + digest, Size: len(text)}
	}
	layers := []descriptor{add("layer.v1.tar", layer)}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config": map[string]any{
			"Entrypoint": i.entrypoint, "User": i.user, "WorkingDir": "/",
			"Env": []string{"PATH=/usr/bin"},
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{layers[0].Digest}},
	})
	if err != nil {
		return err
	}
	configured := add("config.v1+json", config)
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": configured, "layers": layers,
	})
	if err != nil {
		return err
	}
	listed := add("manifest.v1+json", manifest)
	listed.Annotations = map[string]string{"io.containerd.image.name": i.name, "org.opencontainers.image.ref.name": i.name}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []descriptor{listed}})
	if err != nil {
		return err
	}
	path := func(d descriptor) string { return "blobs/sha256/" + strings.TrimPrefix(d.Digest, "sha256:") }
	saved, err := json.Marshal([]map[string]any{{
		"Config": path(configured), "RepoTags": []string{i.name}, "Layers": []string{path(layers[0])},
	}})
	if err != nil {
		return err
	}
	blobs["oci-layout"] = []byte(`{"imageLayoutVersion":"1.0.0"}`)
	blobs["index.json"] = index
	blobs["manifest.json"] = saved
	text, err := archive(blobs, 0o644)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

func (i image) layer() ([]byte, error) {
	contents := map[string][]byte{}
	for inside, outside := range i.files {
		text, err := os.ReadFile(outside)
		if err != nil {
			return nil, err
		}
		contents[strings.TrimPrefix(inside, "/")] = text
	}
	return archive(contents, 0o755)
}

// archive lays files in the order of their names, with the folders they lie in.
func archive(files map[string][]byte, mode int64) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	laid := map[string]bool{}
	for _, name := range names {
		for at, c := range name {
			folder := name[:at]
			if c != '/' || laid[folder] {
				continue
			}
			laid[folder] = true
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o755}); err != nil {
				return nil, err
			}
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(files[name]))}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

const (
	yumenSizeMax  = 15 << 20
	authorityFile = "/etc/ssl/certs/ca-certificates.crt"
)

var versionLine = regexp.MustCompile(`(?m)^\s*version: '([^']+)'`)

// version is the project's, as meson knows it.
func (p place) version() (string, error) {
	text, err := os.ReadFile(p.in("meson.build"))
	if err != nil {
		return "", err
	}
	found := versionLine.FindSubmatch(text)
	if found == nil {
		return "", errors.New("meson.build names no version")
	}
	return string(found[1]), nil
}

// yumenImage is the stripped program, the libraries it names, and the authorities that
// this machine trusts.
func yumenImage(p place, to string) error {
	version, err := p.version()
	if err != nil {
		return err
	}
	return yumenImageAs(p, to, "yumen.dev/yumen:"+version)
}

func yumenImageAs(p place, to, name string) error {
	folder, err := os.MkdirTemp("", "image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "yumen")
	if out, err := exec.Command("strip", "-o", program, p.in("build/yumen")).CombinedOutput(); err != nil {
		return fmt.Errorf("strip: %w\n%s", err, out)
	}
	files := map[string]string{"/usr/bin/yumen": program}
	if exists(authorityFile) {
		files[authorityFile] = authorityFile
		files["/usr/lib/ssl/cert.pem"] = authorityFile
	}
	if err := libraries(program, files); err != nil {
		return err
	}
	err = image{
		name:       name,
		entrypoint: []string{"/usr/bin/yumen"},
		user:       "65532:65532",
		files:      files,
	}.write(to)
	if err != nil {
		return err
	}
	info, err := os.Stat(to)
	if err == nil && info.Size() >= yumenSizeMax {
		err = fmt.Errorf("the image has %d bytes, %d is the limit", info.Size(), yumenSizeMax)
	}
	return err
}

var libraryLine = regexp.MustCompile(`(?m)^\s+(?:\S+ => )?(/\S+) \(0x`)

// libraries adds those that the loader finds for the program, and the loader, under
// the paths that it looks at.
func libraries(program string, files map[string]string) error {
	out, err := exec.Command("ldd", program).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ldd: %w\n%s", err, out)
	}
	found := libraryLine.FindAllSubmatch(out, -1)
	if len(found) == 0 {
		return fmt.Errorf("ldd names no library:\n%s", out)
	}
	for _, row := range found {
		path := string(row[1])
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is named by ldd and is not there", path)
		}
		files[path] = path
	}
	return nil
}

// loadProgram brings the cluster images with nothing but the program, where it does not
// have them yet.
func loadProgram(p place, program string, names []string) error {
	if first(p) == 0 || !exists(p.run("ready")) {
		return errNotUp
	}
	for n, name := range names {
		archive := p.built(fmt.Sprintf("%s-%d.tar", filepath.Base(program), n))
		err := image{name: name, entrypoint: []string{"/program"}, files: map[string]string{"/program": program}}.write(archive)
		if err != nil {
			return err
		}
		if _, err := load(p, archive); err != nil {
			return err
		}
	}
	return nil
}

const pauseSource = `#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void on(int number) { if (number != SIGCHLD) _exit(0); while (waitpid(-1, 0, WNOHANG) > 0); }
int main(void) { signal(SIGINT, on); signal(SIGTERM, on); signal(SIGCHLD, on); for (;;) pause(); }
`

// layPause makes the image of the container that holds a pod's namespaces.
func layPause(p place) error {
	c := exec.Command("gcc", "-x", "c", "-static", "-O2", "-s", "-o", p.run("pause"), "-")
	c.Stdin = strings.NewReader(pauseSource)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("gcc: %w\n%s", err, out)
	}
	return image{
		name: pauseImage, entrypoint: []string{"/pause"}, files: map[string]string{"/pause": p.run("pause")},
	}.write(p.run("pause.tar"))
}
