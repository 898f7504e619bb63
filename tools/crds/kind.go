package main

import (
	"fmt"
	"sort"
	"strings"
)

// kind is one served version of a kind.
type kind struct {
	group, version, name, plural, short string
	namespaced                          bool
	root                                int
}

// builtIn are the kinds of Kubernetes itself that are judged, with what its API server
// checks in code and a table can say: additions to the schemas of OpenAPI, by path.
// OpenAPI's own required fields and list types are not what it enforces.
// versions are those that the schema is read in; none: its own.
var builtIn = []struct {
	schema, plural, short string
	versions              string
	namespaced            bool
	additions             map[string]object
}{
	// 1.37 has it in v1, as it was.
	{"io.k8s.api.certificates.v1beta1.ClusterTrustBundle", "clustertrustbundles", "", "v1 v1beta1", false, map[string]object{
		"":                 {"required": []any{"spec"}},
		"spec.trustBundle": {"minLength": 1.0},
	}},
	{"io.k8s.api.core.v1.ConfigMap", "configmaps", "cm", "", true, nil},
	{"io.k8s.api.core.v1.Namespace", "namespaces", "ns", "", false, nil},
	{"io.k8s.api.core.v1.Node", "nodes", "no", "", false, nil},
	{"io.k8s.api.core.v1.Secret", "secrets", "", "", true, map[string]object{
		"type": {"default": "Opaque", "x-zero": true},
	}},
	{"io.k8s.api.core.v1.Service", "services", "svc", "", true, map[string]object{
		"spec":                          {"default": object{}},
		"spec.type":                     {"default": "ClusterIP", "x-zero": true, "enum": words("ClusterIP NodePort LoadBalancer ExternalName")},
		"spec.sessionAffinity":          {"default": "None", "x-zero": true, "enum": words("None ClientIP")},
		"spec.externalTrafficPolicy":    {"x-zero": true, "enum": words("Cluster Local")},
		"spec.clusterIP":                {"x-zero": true},
		"spec.externalName":             {"x-zero": true},
		"spec.loadBalancerIP":           {"x-zero": true},
		"spec.healthCheckNodePort":      {"x-zero": true},
		"spec.publishNotReadyAddresses": {"x-zero": true},
		"spec.internalTrafficPolicy":    {"enum": words("Cluster Local")},
		"spec.ipFamilyPolicy":           {"enum": words("SingleStack PreferDualStack RequireDualStack")},
		"spec.ipFamilies[]":             {"enum": words("IPv4 IPv6")},
		"spec.ports[]":                  {"required": []any{"port"}},
		"spec.ports[].port":             {"minimum": 1.0, "maximum": 65535.0},
		"spec.ports[].name":             {"x-zero": true},
		"spec.ports[].nodePort":         {"x-zero": true, "minimum": 0.0, "maximum": 65535.0},
		"spec.ports[].protocol":         {"default": "TCP", "x-zero": true, "enum": words("TCP UDP SCTP")},
	}},
	{"io.k8s.api.discovery.v1.EndpointSlice", "endpointslices", "", "", true, map[string]object{
		"":                                      {"required": []any{"addressType"}},
		"addressType":                           {"x-zero": true, "enum": words("IPv4 IPv6 FQDN")},
		"endpoints":                             {"maxItems": 1000.0},
		"endpoints[]":                           {"required": []any{"addresses"}},
		"endpoints[].addresses":                 {"minItems": 1.0, "maxItems": 100.0},
		"endpoints[].hints.forZones":            {"maxItems": 8.0},
		"endpoints[].hints.forNodes":            {"maxItems": 8.0},
		"endpoints[].targetRef.apiVersion":      {"x-zero": true},
		"endpoints[].targetRef.fieldPath":       {"x-zero": true},
		"endpoints[].targetRef.kind":            {"x-zero": true},
		"endpoints[].targetRef.name":            {"x-zero": true},
		"endpoints[].targetRef.namespace":       {"x-zero": true},
		"endpoints[].targetRef.resourceVersion": {"x-zero": true},
		"endpoints[].targetRef.uid":             {"x-zero": true},
		"ports":                                 {"maxItems": 20000.0},
		"ports[].name":                          {"default": ""},
		"ports[].port":                          {"minimum": 1.0, "maximum": 65535.0},
		"ports[].protocol":                      {"default": "TCP", "enum": words("TCP UDP SCTP")},
	}},
}

const metadataSchema = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

func words(list string) []any {
	var all []any
	for _, one := range strings.Fields(list) {
		all = append(all, one)
	}
	return all
}

// readKinds reads every source; the built-in kinds come first, since each object's
// metadata is theirs.
func readKinds(b *builder) ([]kind, error) {
	definitions := object{}
	var crds []object
	for i := range sources {
		s := &sources[i]
		err := s.read(func(document object) error {
			if components, ok := document["components"].(object); ok {
				for name, schema := range components["schemas"].(object) {
					definitions[name] = schema
				}
			} else if document["kind"] == "CustomResourceDefinition" && wanted(s, document) {
				crds = append(crds, document)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	metadata, err := structural(definitions, metadataSchema, "metadata", nil)
	if err != nil {
		return nil, err
	}
	// A wrong date is a fault of decoding there, whatever the kind.
	var kinds []kind
	for _, row := range builtIn {
		schema, err := structural(definitions, row.schema, "", row.additions)
		if err != nil {
			return nil, err
		}
		parts := strings.Split(row.schema, ".")
		group := parts[3]
		if group == "core" {
			group = ""
		} else {
			group += ".k8s.io"
		}
		name := parts[len(parts)-1]
		versions := strings.Fields(row.versions)
		if len(versions) == 0 {
			versions = parts[4:5]
		}
		root := b.add(withoutStatus(schema, metadata, true), name)
		for _, version := range versions {
			kinds = append(kinds, kind{group, version, name, row.plural, row.short, row.namespaced, root})
		}
	}
	for _, crd := range crds {
		kinds = append(kinds, readCRD(b, crd, metadata)...)
	}
	sort.SliceStable(kinds, func(i, j int) bool { return kinds[i].name < kinds[j].name })
	return kinds, nil
}

func wanted(s *source, crd object) bool {
	if len(s.kinds) == 0 {
		return true
	}
	name := crd["spec"].(object)["names"].(object)["kind"].(string)
	for _, one := range s.kinds {
		if one == name {
			return true
		}
	}
	return false
}

func readCRD(b *builder, crd, metadata object) []kind {
	spec := crd["spec"].(object)
	names := spec["names"].(object)
	var short []string
	list, _ := names["shortNames"].([]any)
	for _, one := range list {
		short = append(short, one.(string))
	}
	var kinds []kind
	for _, one := range spec["versions"].([]any) {
		version := one.(object)
		if served, _ := version["served"].(bool); !served {
			continue
		}
		schema := version["schema"].(object)["openAPIV3Schema"].(object)
		_, hasStatus := schema["properties"].(object)["status"]
		kinds = append(kinds, kind{spec["group"].(string), version["name"].(string), names["kind"].(string),
			names["plural"].(string), strings.Join(short, "|"), spec["scope"] == "Namespaced",
			b.add(withoutStatus(schema, metadata, hasStatus), names["kind"].(string))})
	}
	return kinds
}

// withoutStatus gives the schema everybody's metadata, and any status: who makes an
// object does not set it, and what is there is passed over.
func withoutStatus(schema, metadata object, hasStatus bool) object {
	out := object{}
	for key, value := range schema {
		out[key] = value
	}
	properties := object{}
	for key, value := range schema["properties"].(object) {
		properties[key] = value
	}
	properties["metadata"] = metadata
	if hasStatus {
		properties["status"] = object{"x-kubernetes-preserve-unknown-fields": true}
	}
	out["properties"] = properties
	return out
}

// structural makes a structural schema of a definition of OpenAPI.
func structural(definitions object, name, where string, additions map[string]object) (object, error) {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "Time", "MicroTime":
		return object{"type": "string", "format": "date-time"}, nil
	case "FieldsV1":
		return object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}, nil
	case "IntOrString":
		return object{"x-kubernetes-int-or-string": true}, nil
	}
	definition, ok := definitions[name].(object)
	if !ok {
		return nil, fmt.Errorf("OpenAPI has no %s", name)
	}
	return convert(definitions, definition, where, additions)
}

// convert keeps types and structure of one schema of OpenAPI, and adds what the code
// of the API server checks.
func convert(definitions, schema object, where string, additions map[string]object) (object, error) {
	if all, ok := schema["allOf"].([]any); ok && len(all) == 1 {
		schema = all[0].(object)
	}
	out := object{"x-native": true}
	if reference, ok := schema["$ref"].(string); ok {
		sub, err := structural(definitions, strings.TrimPrefix(reference, "#/components/schemas/"), where, additions)
		if err != nil {
			return nil, err
		}
		out = sub
	}
	for _, key := range []string{"type", "format"} {
		if value, ok := schema[key]; ok {
			out[key] = value
		}
	}
	if properties, ok := schema["properties"].(object); ok {
		converted := object{}
		for name, sub := range properties {
			if where == "" && (name == "status" || name == "metadata") {
				continue
			}
			one, err := convert(definitions, sub.(object), join(where, name), additions)
			if err != nil {
				return nil, err
			}
			converted[name] = one
		}
		out["properties"] = converted
	}
	for key, suffix := range map[string]string{"items": "[]", "additionalProperties": ".*"} {
		if sub, ok := schema[key].(object); ok {
			one, err := convert(definitions, sub, where+suffix, additions)
			if err != nil {
				return nil, err
			}
			out[key] = one
		}
	}
	switch out["format"] {
	case "int32":
		out["minimum"], out["maximum"] = -2147483648.0, 2147483647.0
	case "byte":
		out["format"] = "base64"
	}
	for key, value := range additions[where] {
		out[key] = value
	}
	return out, nil
}
