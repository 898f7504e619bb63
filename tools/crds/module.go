package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sort"
	"strings"

	"sigs.k8s.io/yaml"
)

// A source is a module whose zip holds schemas. Only its files are read, none of
// its code is built, so that it may want a newer Go than the one at hand.
type source struct {
	module, version, sum string
	// files holds paths within the module; one that ends in a slash is a folder.
	files []string
	// kinds are the only ones wanted; empty: all.
	kinds []string
}

var sources = []source{
	{"sigs.k8s.io/gateway-api", "v1.7.0", "h1:duVnm7nO6oXfMMUWfcDoBph47CYR/ME3NGxccOVglaY=",
		[]string{"config/crd/experimental/"}, nil},
	{"github.com/envoyproxy/gateway", "v1.9.1", "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY=",
		[]string{"charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_envoyproxies.yaml"}, nil},
	{"go.universe.tf/metallb", "v0.16.2", "h1:RCSAGoZmqcvTg0e56+Okbwz8iTuQVX30JpKX5mYEPUM=",
		[]string{"config/crd/bases/"},
		[]string{"IPAddressPool", "L2Advertisement", "BGPAdvertisement", "BGPPeer", "BFDProfile", "Community"}},
	{"k8s.io/kubernetes", "v1.34.4", "h1:Yy6R4QB8C9kJPp25GFqEvX5XQwY5qzKeqD0Xx6oAcmk=",
		[]string{"api/openapi-spec/v3/api__v1_openapi.json",
			"api/openapi-spec/v3/apis__certificates.k8s.io__v1beta1_openapi.json",
			"api/openapi-spec/v3/apis__discovery.k8s.io__v1_openapi.json"}, nil},
}

// open returns the module's zip, downloaded by the go command if need be, which
// checks it against the checksum database.
func (s *source) open() (*zip.ReadCloser, error) {
	command := exec.Command("go", "mod", "download", "-json", s.module+"@"+s.version)
	command.Dir = os.TempDir()
	command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, failed := command.Output()
	var found struct{ Zip, Sum, Error string }
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("%s: %v %v", s.module, failed, err)
	}
	// A module that wants a newer Go is downloaded, and only then refused.
	if found.Zip == "" {
		return nil, fmt.Errorf("%s: %s", s.module, found.Error)
	}
	if found.Sum != s.sum {
		return nil, fmt.Errorf("%s@%s is %s, not %s", s.module, s.version, found.Sum, s.sum)
	}
	return zip.OpenReader(found.Zip)
}

func (s *source) wants(name string) bool {
	for _, file := range s.files {
		if name == file || strings.HasSuffix(file, "/") && strings.HasPrefix(name, file) {
			return true
		}
	}
	return false
}

// read calls fn for each document of the wanted files, as JSON would be decoded.
func (s *source) read(fn func(document map[string]any) error) error {
	archive, err := s.open()
	if err != nil {
		return err
	}
	defer archive.Close()
	prefix := s.module + "@" + s.version + "/"
	sort.Slice(archive.File, func(i, j int) bool { return archive.File[i].Name < archive.File[j].Name })
	seen := 0
	for _, file := range archive.File {
		if !s.wants(strings.TrimPrefix(file.Name, prefix)) {
			continue
		}
		seen++
		if err := readDocuments(file, fn); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	if seen == 0 {
		return fmt.Errorf("%s@%s has none of %v", s.module, s.version, s.files)
	}
	return nil
}

func readDocuments(file *zip.File, fn func(document map[string]any) error) error {
	reader, err := file.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	text, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	for _, part := range strings.Split(string(text), "\n---\n") {
		document := map[string]any{}
		if err := yaml.Unmarshal([]byte(part), &document); err != nil {
			return err
		}
		if len(document) == 0 {
			continue
		}
		if err := fn(document); err != nil {
			return err
		}
	}
	return nil
}
