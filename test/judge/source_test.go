package judge

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"sigs.k8s.io/yaml"
)

type object = map[string]any

// kind is one served version of a kind, with the schema that guides changes of
// its objects; crd is nil for those of Kubernetes itself.
type kind struct {
	group, version, name, plural string
	namespaced                   bool
	crd                          object
	schema                       object
}

func (k *kind) apiVersion() string {
	if k.group == "" {
		return k.version
	}
	return k.group + "/" + k.version
}

// sourceFile is where tools/crds says which versions of which modules its tables
// are made from; the same are judged by.
const sourceFile = "../../tools/crds/module.go"

var sourceRow = regexp.MustCompile(`\{"([^"]+)", "(v[^"]+)", "(h1:[^"]+)"`)

// modules returns the folder with each module's YAML files. They are taken from the
// module's zip: one that wants a newer Go is downloaded, and only then refused.
func modules(into string) (map[string]string, error) {
	text, err := os.ReadFile(sourceFile)
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for _, row := range sourceRow.FindAllStringSubmatch(string(text), -1) {
		if row[1] == "k8s.io/kubernetes" {
			continue // its schemas come from the API server itself
		}
		command := exec.Command("go", "mod", "download", "-json", row[1]+"@"+row[2])
		command.Dir = os.TempDir()
		command.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
		out, failed := command.Output()
		var found struct{ Zip, Sum, Error string }
		if err := json.Unmarshal(out, &found); err != nil || found.Zip == "" {
			return nil, fmt.Errorf("%s: %v %v %s", row[1], failed, err, found.Error)
		}
		if found.Sum != row[3] {
			return nil, fmt.Errorf("%s@%s is %s, not %s", row[1], row[2], found.Sum, row[3])
		}
		folders[row[1]] = filepath.Join(into, row[1])
		if err := unpack(found.Zip, row[1]+"@"+row[2]+"/", folders[row[1]]); err != nil {
			return nil, err
		}
	}
	return folders, nil
}

func unpack(path, prefix, into string) error {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	for _, file := range archive.File {
		if !strings.HasSuffix(file.Name, ".yaml") {
			continue
		}
		to := filepath.Join(into, filepath.FromSlash(strings.TrimPrefix(file.Name, prefix)))
		if err := unpackFile(file, to); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return nil
}

func unpackFile(file *zip.File, to string) error {
	from, err := file.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

const (
	gatewayAPI   = "sigs.k8s.io/gateway-api"
	envoyGateway = "github.com/envoyproxy/gateway"
	metalLB      = "go.universe.tf/metallb"
)

// customKinds are those of the CRDs that yumen has tables of.
func customKinds(folders map[string]string) ([]kind, error) {
	var kinds []kind
	for _, row := range []struct {
		module, pattern string
		except          *regexp.Regexp
	}{
		{gatewayAPI, "config/crd/experimental/*.yaml", regexp.MustCompile(`vap_|kustomization`)},
		{envoyGateway, "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_envoyproxies.yaml", nil},
		{metalLB, "config/crd/bases/*.yaml", regexp.MustCompile(`status|state`)},
	} {
		files, err := filepath.Glob(filepath.Join(folders[row.module], row.pattern))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("%s has no %s: %v", row.module, row.pattern, err)
		}
		for _, file := range files {
			if row.except != nil && row.except.MatchString(filepath.Base(file)) {
				continue
			}
			some, err := kindsOf(file)
			if err != nil {
				return nil, err
			}
			kinds = append(kinds, some...)
		}
	}
	return kinds, nil
}

// kindsOf are those of a CRD's file.
func kindsOf(file string) ([]kind, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var crd object
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	delete(crd, "status")
	return versions(crd), nil
}

func versions(crd object) []kind {
	spec := crd["spec"].(object)
	names := spec["names"].(object)
	var kinds []kind
	for _, one := range spec["versions"].([]any) {
		version := one.(object)
		if version["served"] != true {
			continue
		}
		kinds = append(kinds, kind{
			group: spec["group"].(string), version: version["name"].(string),
			name: names["kind"].(string), plural: names["plural"].(string),
			namespaced: spec["scope"] == "Namespaced", crd: crd,
			schema: version["schema"].(object)["openAPIV3Schema"].(object),
		})
	}
	return kinds
}

// builtInKinds are those of Kubernetes itself, with its own description of them. Of a
// Node yumen reads names, labels and what its status says: its spec is not judged.
func builtInKinds(s *server) ([]kind, error) {
	kinds := []kind{
		{version: "v1", name: "ConfigMap", plural: "configmaps", namespaced: true},
		{version: "v1", name: "Namespace", plural: "namespaces"},
		{version: "v1", name: "Secret", plural: "secrets", namespaced: true},
		{version: "v1", name: "Service", plural: "services", namespaced: true},
		{group: "discovery.k8s.io", version: "v1", name: "EndpointSlice", plural: "endpointslices", namespaced: true},
	}
	for i := range kinds {
		k := &kinds[i]
		path, prefix := "/openapi/v3/api/v1", "io.k8s.api.core.v1."
		if k.group != "" {
			path, prefix = "/openapi/v3/apis/discovery.k8s.io/v1", "io.k8s.api.discovery.v1."
		}
		var document struct {
			Components struct{ Schemas object }
		}
		err := s.poll(path, func() error { return s.get(path, &document) })
		if err != nil {
			return nil, err
		}
		k.schema = inline(document.Components.Schemas, object{"$ref": "#/components/schemas/" + prefix + k.name}, 0)
	}
	return kinds, nil
}

// inline replaces references by what they name.
func inline(schemas, schema object, depth int) object {
	if all, ok := schema["allOf"].([]any); ok && len(all) == 1 {
		schema = all[0].(object)
	}
	if reference, ok := schema["$ref"].(string); ok && depth < 20 {
		return inline(schemas, schemas[strings.TrimPrefix(reference, "#/components/schemas/")].(object), depth+1)
	}
	out := object{}
	for key, value := range schema {
		out[key] = value
	}
	if properties, ok := schema["properties"].(object); ok {
		inlined := object{}
		for name, sub := range properties {
			inlined[name] = inline(schemas, sub.(object), depth+1)
		}
		out["properties"] = inlined
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if sub, ok := schema[key].(object); ok {
			out[key] = inline(schemas, sub, depth+1)
		}
	}
	return out
}

// sample is one object as it is sent: bytes in YAML or JSON.
type sample struct {
	from  string
	bytes []byte
	json  bool
	kind  *kind
	// namespace that it is sent to.
	namespace string
}

var separator = regexp.MustCompile(`(?m)^---.*$`)

// documents are the objects of the known kinds in the YAML files of a folder, and in
// those with a line of JSON each; others are counted.
func documents(kinds map[string]*kind, folder string) (samples []sample, others int, err error) {
	err = filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		isJSON := strings.HasSuffix(path, ".json")
		if err != nil || info.IsDir() || !isJSON && !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		parts := separator.Split(string(text), -1)
		if isJSON {
			parts = strings.Split(string(text), "\n")
		}
		for i, part := range parts {
			document := readDocument(part, isJSON)
			if document["kind"] == nil {
				continue
			}
			s, ok := newSample(kinds, document, []byte(part), isJSON)
			if !ok {
				others++
				continue
			}
			s.from = fmt.Sprintf("%s#%d", name, i)
			samples = append(samples, s)
		}
		return nil
	})
	return samples, others, err
}

// readDocument reads what is needed to know what a document is: JSON also where its
// numbers are beyond all bounds.
func readDocument(part string, isJSON bool) (document object) {
	if isJSON {
		decoder := json.NewDecoder(strings.NewReader(part))
		decoder.UseNumber()
		_ = decoder.Decode(&document)
	} else if yaml.Unmarshal([]byte(part), &document) != nil {
		return nil
	}
	return document
}

// newSample finds what a document claims to be.
func newSample(kinds map[string]*kind, document object, bytes []byte, isJSON bool) (sample, bool) {
	version, _ := document["apiVersion"].(string)
	name, _ := document["kind"].(string)
	k := kinds[version+" "+name]
	if k == nil {
		return sample{}, false
	}
	s := sample{bytes: bytes, json: isJSON, kind: k, namespace: "default"}
	metadata, _ := document["metadata"].(object)
	if namespace, _ := metadata["namespace"].(string); plainName.MatchString(namespace) {
		s.namespace = namespace
	}
	return s, true
}

var plainName = regexp.MustCompile(`^[a-z0-9][-a-z0-9]*$`)

// nested finds objects wherever they stand in the YAML files of a folder, in order of
// the files' names: test data of others holds them within documents of its own.
func nested(kinds map[string]*kind, folder, pattern string) ([]object, error) {
	files, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var found []object
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, part := range separator.Split(string(text), -1) {
			var document any
			if yaml.Unmarshal([]byte(part), &document) == nil {
				collect(kinds, document, &found)
			}
		}
	}
	return found, nil
}

func collect(kinds map[string]*kind, value any, found *[]object) {
	switch v := value.(type) {
	case []any:
		for _, one := range v {
			collect(kinds, one, found)
		}
	case object:
		if _, ok := newSample(kinds, v, nil, true); ok {
			*found = append(*found, v)
			return
		}
		for _, key := range sortedKeys(v) {
			collect(kinds, v[key], found)
		}
	}
}

func sortedKeys(m object) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func unmarshal(text []byte, into *object) error { return yaml.Unmarshal(text, into) }
