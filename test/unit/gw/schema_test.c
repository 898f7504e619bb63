/* The engine of schemas: documents, what it finds in them, and what becomes of
 * them. */
#include "gw/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/text.h"

#define GATEWAY "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
#define ROUTE "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\n"
#define ENVOY "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\n"
#define LISTENERS \
	"gatewayClassName: c, listeners: " \
	"[{name: a, port: 80, protocol: HTTP}]"

struct judged {
	struct text findings; /* a line each: code, line:column, path, text */
	struct text tree; /* of the document, after */
	bool accepted;
};

static void
on_fault(void *context, const struct gw_schema_fault *fault)
{
	struct judged *judged = context;

	text_printf(&judged->findings, "%s %u:%u %.*s: %.*s",
	    gw_findings[fault->row].code, fault->line, fault->column,
	    SLICE_ARGS(fault->path), SLICE_ARGS(fault->text));
	if (slice_is_set(fault->hint))
		text_printf(
		    &judged->findings, " (%.*s?)", SLICE_ARGS(fault->hint));
	text_push_byte(&judged->findings, '\n');
}

static void
push_tree(struct text *out, const struct tree_node *node)
{
	const char *ends = node->kind == TREE_MAP ? "{}" : "[]";

	if (node->kind != TREE_MAP && node->kind != TREE_LIST) {
		text_push(out, node->text);
		return;
	}
	text_push_byte(out, ends[0]);
	for (const struct tree_node *at = node->child; at; at = at->next) {
		if (at != node->child)
			text_push_string(out, ", ");
		if (node->kind == TREE_MAP) {
			text_push(out, at->key);
			text_push_byte(out, ' ');
		}
		push_tree(out, at);
	}
	text_push_byte(out, ends[1]);
}

struct run {
	struct judged *judged;
	struct arena *arena;
};

/* Rules are asked of what has a name: it gets one. */
static void
give_name(struct arena *arena, struct tree_node *root)
{
	struct tree_node *metadata = arena_zero(arena, 2, sizeof(*metadata));

	metadata[0] = (struct tree_node){
	    .kind = TREE_MAP,
	    .key = SLICE("metadata"),
	    .child = &metadata[1],
	    .next = root->child,
	    .count = 1,
	};
	metadata[1] = (struct tree_node){
	    .kind = TREE_TEXT,
	    .key = SLICE("name"),
	    .text = SLICE("a"),
	};
	root->child = metadata;
	root->count++;
}

static bool
on_document(void *context, struct tree_node *root)
{
	struct run *run = context;
	struct slice version = wire_tree_get(root, "apiVersion")->text;
	struct slice kind = wire_tree_get(root, "kind")->text;
	struct slice group = SLICE("");
	size_t slash = slice_find(version, '/');
	struct gw_schema schema;

	if (slash < version.length) {
		group = slice_make(version.data, slash);
		version = slice_skip(version, slash + 1);
	}
	if (wire_tree_get(root, "spec") && !wire_tree_get(root, "metadata"))
		give_name(run->arena, root);
	assert_true(gw_schema_find(group, version, kind, &schema));
	run->judged->accepted = gw_schema_judge(
	    &schema, root, run->arena, on_fault, run->judged, NULL);
	const struct tree_node *spec = wire_tree_get(root, "spec");

	push_tree(&run->judged->tree, spec ? spec : root);
	return true;
}

static void
judge(const char *yaml, struct judged *judged)
{
	struct arena arena;
	struct run run = {.judged = judged, .arena = &arena};
	struct tree_fault fault;

	arena_init(&arena, 65536);
	text_init(&judged->findings);
	text_init(&judged->tree);
	if (wire_tree_parse(slice_from_string(yaml), &arena, on_document, &run,
	        &fault) != ERROR_OK)
		fail_msg("%s: %s", yaml, fault.text);
	arena_fini(&arena);
}

static void
judged_fini(struct judged *judged)
{
	text_fini(&judged->findings);
	text_fini(&judged->tree);
}

/* ---- what is found ---- */

static const struct {
	const char *yaml, *findings;
} fault_rows[] = {
    /* types */
    {GATEWAY "spec: a\n", "YM0108 3:7 spec: must be a map, not text\n"},
    {GATEWAY "spec: {gatewayClassName: 1, listeners: {}}\n",
        "YM0108 3:26 spec.gatewayClassName: must be text, not a "
        "number: put it in quotes (\"1\"?)\n"
        "YM0108 3:40 spec.listeners: must be a list, not a map\n"},
    {GATEWAY "spec: {gatewayClassName: c, listeners: [null]}\n",
        "YM0108 3:41 spec.listeners[0]: must be a map, not null\n"},
    {GATEWAY "metadata: {labels: {a: 1}}\nspec: {" LISTENERS "}\n",
        "YM0108 3:24 metadata.labels.a: must be text, not a number: "
        "put it in quotes (\"1\"?)\n"},
    {GATEWAY "metadata: {creationTimestamp: x}\nspec: {" LISTENERS "}\n",
        "YM0209 3:31 metadata.creationTimestamp: \"x\" is not a time "
        "of RFC 3339, as in 2026-01-31T08:15:00Z\n"},
    /* what is required, and what is unknown */
    {GATEWAY, "YM0109 1:1 spec: is required\n"},
    {GATEWAY "spec: {listeners: []}\n",
        "YM0111 3:19 spec.listeners: has 0 items; at least 1 are "
        "wanted\n"
        "YM0109 3:7 spec.gatewayClassName: is required\n"},
    {GATEWAY "spec: {" LISTENERS ", adresses: [], zz: 1}\nodd: 1\n",
        "YM0107 3:79 spec.adresses: there is no such field "
        "(addresses?)\n"
        "YM0107 3:93 spec.zz: there is no such field\n"
        "YM0107 4:1 odd: there is no such field\n"},
    {GATEWAY "metadata: {nmae: a}\nspec: {" LISTENERS "}\n",
        "YM0107 3:12 metadata.nmae: there is no such field "
        "(name?)\n"},
    /* limits, patterns, choices */
    {GATEWAY "spec: {gatewayClassName: c, listeners: [{name: a, port: "
             "65536, protocol: HTTP}]}\n",
        "YM0111 3:57 spec.listeners[0].port: 65536 is not within 1 "
        "and 65535\n"},
    {GATEWAY "spec: {gatewayClassName: c, listeners: [{name: A, port: "
             "80, protocol: HTTP, hostname: \"\"}]}\n",
        "YM0201 3:48 spec.listeners[0].name: \"A\" is not a name: "
        "lower-case letters, digits, '-' and '.', beginning and "
        "ending with a letter or digit\n"
        "YM0111 3:87 spec.listeners[0].hostname: has 0 characters; "
        "at least 1 are wanted\n"
        "YM0202 3:87 spec.listeners[0].hostname: \"\" is not a "
        "hostname in lower case, where wanted with one leading "
        "\"*.\"\n"},
    {GATEWAY "spec: {" LISTENERS ", defaultScope: Alll}\n",
        "YM0110 3:93 spec.defaultScope: \"Alll\" is none of All, None "
        "(All?)\n"},
    /* one of several forms */
    {GATEWAY "spec: {" LISTENERS ", addresses: [{value: a}]}\n",
        "YM0207 3:99 spec.addresses[0].value: \"a\" is not an IP "
        "address\n"},
    {GATEWAY "spec: {" LISTENERS ", addresses: [{type: Hostname, "
             "value: a, routability: Cluster}, {value: \"::1\"}]}\n",
        ""},
    {ENVOY "spec: {provider: {type: Kubernetes, kubernetes: {envoyPDB: "
           "{minAvailable: true}}}}\n",
        "YM0108 3:75 spec.provider.kubernetes.envoyPDB.minAvailable: "
        "must be a whole number or text, not true or false\n"},
    {ENVOY "spec: {provider: {type: Kubernetes, kubernetes: {envoyPDB: "
           "{minAvailable: 10%}}}}\n",
        ""},
    /* lists whose entries differ */
    {ROUTE "spec: {rules: [{retry: {codes: [500, 503, 500, 500]}}]}\n",
        "YM0301 3:43 spec.rules[0].retry.codes[2]: is the same as "
        "entry 0\n"},
    {ROUTE "spec: {rules: [{filters: [{type: RequestHeaderModifier, "
           "requestHeaderModifier: {set: [{name: a, value: b}, {name: "
           "b, value: b}, {name: a, value: c}]}}]}]}\n",
        "YM0301 3:129 spec.rules[0].filters[0].requestHeaderModifier."
        "set[2]: has the same name as entry 0\n"},
    /* rules: after all else, and not after faults that hide things */
    {ROUTE "spec: {rules: [{matches: [{path: {value: a//b}}]}]}\n",
        "YM0203 3:42 spec.rules[0].matches[0].path: value must be an "
        "absolute path and start with '/' when type one of ['Exact', "
        "'PathPrefix']\n"
        "YM0203 3:42 spec.rules[0].matches[0].path: must not contain "
        "'//' when type one of ['Exact', 'PathPrefix']\n"},
    {ROUTE "spec: {rules: [{matches: [{path: {value: a, type: X}}]}]}\n",
        "YM0110 3:51 spec.rules[0].matches[0].path.type: \"X\" is none "
        "of Exact, PathPrefix, RegularExpression\n"},
    {ROUTE "spec: {hostnames: [A], rules: [{matches: [{path: {value: "
           "a}}]}]}\n",
        "YM0202 3:20 spec.hostnames[0]: \"A\" is not a hostname in "
        "lower case, where wanted with one leading \"*.\"\n"
        "YM0203 3:58 spec.rules[0].matches[0].path: value must be an "
        "absolute path and start with '/' when type one of ['Exact', "
        "'PathPrefix']\n"},
};
static void
faults_are_told_at_their_place(void **unused)
{

	(void)unused;
	for (size_t i = 0; i < sizeof(fault_rows) / sizeof(fault_rows[0]);
	     i++) {
		struct judged judged;
		bool warned = true;

		judge(fault_rows[i].yaml, &judged);
		if (!slice_equal(text_slice(&judged.findings),
		        slice_from_string(fault_rows[i].findings)))
			fail_msg("%s\ngot:    %.*s\nwanted: %s",
			    fault_rows[i].yaml,
			    SLICE_ARGS(text_slice(&judged.findings)),
			    fault_rows[i].findings);
		for (const char *at = fault_rows[i].findings; *at;
		     at = strchr(at, '\n') + 1)
			warned = warned && strncmp(at, "YM0107", 6) == 0;
		assert_int_equal(judged.accepted, warned);
		judged_fini(&judged);
	}
}

/* ---- what becomes of a document ---- */

static void
documents_become_what_is_stored(void **unused)
{
	static const struct {
		const char *yaml, *tree;
	} rows[] = {
	    /* a default that is a tree, and defaults within what is there */
	    {ROUTE "spec: {}\n",
	        "{rules [{matches [{path {type PathPrefix, value /}}]}]}"},
	    {ROUTE "spec: {rules: [{}]}\n",
	        "{rules [{matches [{path {type PathPrefix, value /}}]}]}"},
	    {ROUTE "spec: {rules: [{backendRefs: [{name: a, port: 1}]}]}\n",
	        "{rules [{backendRefs [{name a, port 1, group , kind Service, "
	        "weight 1}], matches [{path {type PathPrefix, value /}}]}]}"},
	    {ROUTE "spec: {rules: [{matches: [{headers: [{name: a, value: "
	           "b}]}]}]}\n",
	        "{rules [{matches [{headers [{name a, value b, type Exact}], "
	        "path {type PathPrefix, value /}}]}]}"},
	    {GATEWAY "spec: {gatewayClassName: c, listeners: [{name: a, port: "
	             "443, protocol: TLS, tls: {certificateRefs: [{name: "
	             "s}]}}]}\n",
	        "{gatewayClassName c, listeners [{name a, port 443, protocol "
	        "TLS, tls {certificateRefs [{name s, group , kind Secret}], "
	        "mode Terminate}, allowedRoutes {namespaces {from Same}}}]}"},
	    /* nulls are absent: the default comes, or nothing */
	    {ROUTE "spec: {hostnames: null, rules: null}\n",
	        "{rules [{matches [{path {type PathPrefix, value /}}]}]}"},
	    {ROUTE "spec: {rules: [{matches: [{path: {type: null, value: /a}}],"
	           " filters: null}]}\n",
	        "{rules [{matches [{path {value /a, type PathPrefix}}]}]}"},
	    /* unknown fields go, with all that is in them */
	    {ROUTE "spec: {rule: [{a: b}], rules: [{x: 1, matches: []}]}\n",
	        "{rules [{matches []}]}"},
	    /* what keeps unknown fields, and maps of any keys */
	    {ENVOY
	        "spec: {bootstrap: {type: JSONPatch, jsonPatches: [{op: add, "
	        "path: /a, value: {any: [thing]}}]}}\n",
	        "{bootstrap {type JSONPatch, jsonPatches [{op add, path /a, "
	        "value {any [thing]}}]}, logging {level {default warn}}}"},
	    /* a status is passed over */
	    {"apiVersion: v1\nkind: ConfigMap\ndata: {b: c}\n",
	        "{apiVersion v1, kind ConfigMap, data {b c}}"},
	    {"apiVersion: v1\nkind: Namespace\nstatus: {phase: [odd]}\n",
	        "{apiVersion v1, kind Namespace, status {phase [odd]}}"},
	    {"apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}\n",
	        "{ports [{port 80, protocol TCP}], sessionAffinity None, type "
	        "ClusterIP}"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct judged judged;

		judge(rows[i].yaml, &judged);
		if (!judged.accepted)
			fail_msg("%s: %.*s", rows[i].yaml,
			    SLICE_ARGS(text_slice(&judged.findings)));
		assert_string_equal(judged.tree.data, rows[i].tree);
		judged_fini(&judged);
	}
}

/* Of a long list a map is asked; it says the same. */
static void
long_lists_have_distinct_entries(void **unused)
{
	struct text yaml;
	struct judged judged;

	(void)unused;
	text_init(&yaml);
	text_push_string(&yaml, ROUTE "spec: {rules: [{retry: {codes: [");
	for (unsigned i = 0; i < 40; i++)
		text_printf(&yaml, "%u, ", 400 + i % 38);
	text_push_string(&yaml, "400]}}]}\n");
	judge(yaml.data, &judged);
	assert_string_equal(judged.findings.data,
	    "YM0301 3:223 spec.rules[0].retry.codes[38]: is the same as entry "
	    "0\n"
	    "YM0301 3:228 spec.rules[0].retry.codes[39]: is the same as entry "
	    "1\n");
	judged_fini(&judged);
	text_fini(&yaml);
}

/* ---- the kinds ---- */

static void
kinds_and_versions(void **unused)
{
	struct gw_schema schema;
	unsigned count = 0;

	(void)unused;
	for (; gw_schema_at(count, &schema); count++) {
		struct gw_schema found;

		assert_true(gw_schema_find(slice_from_string(schema.group),
		    slice_from_string(schema.version),
		    slice_from_string(schema.kind), &found));
		assert_int_equal(found.root, schema.root);
	}
	assert_int_equal(count, 39);
	assert_null(schema.kind);
	assert_false(gw_schema_find(
	    SLICE("metallb.io"), SLICE("v1"), SLICE("BGPPeer"), &schema));
	assert_string_equal(schema.kind, "BGPPeer");
	assert_false(gw_schema_find(
	    SLICE("apps"), SLICE("v1"), SLICE("Deployment"), &schema));
	assert_null(schema.kind);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(faults_are_told_at_their_place),
	    cmocka_unit_test(documents_become_what_is_stored),
	    cmocka_unit_test(long_lists_have_distinct_entries),
	    cmocka_unit_test(kinds_and_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
