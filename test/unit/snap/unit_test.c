/* Units: names, digests, and what is refused, with its error. */
#include "snap/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "core/limit.h"
#include "core/memory.h"
#include "wire/record_binary.h"

static const struct {
	const char *name;
	int kind; /* -1: none */
} names[] = {
    {"listener/ns/gw/l", UNIT_LISTENER},
    {"route/HTTPRoute/ns/r", UNIT_ROUTE},
    {"service/s", UNIT_SERVICE},
    {"service/", -1},
    {"listener/", -1},
    {"endpoints/ns/e", UNIT_ENDPOINTS},
    {"external/ns/x", UNIT_EXTERNAL},
    {"certificate/ns/s", UNIT_CERTIFICATE},
    {"authority/configmap/ns/c", UNIT_AUTHORITY},
    {"tickets/ns/gw", UNIT_TICKETS},
    {"", -1},
    {"/", -1},
    {"route", -1},
    {"routes/x", -1},
    {"rout/x", -1},
    {"Route/x", -1},
};

static void
test_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum unit_kind kind = UNIT__COUNT;
		bool known =
		    snap_unit_kind(slice_from_string(names[i].name), &kind);

		assert_int_equal(known, names[i].kind >= 0);
		if (known)
			assert_int_equal(kind, names[i].kind);
	}
}

static void
test_digest(void **state)
{
	struct unit_digest a = snap_unit_digest(SLICE("ab"), SLICE("c"));
	struct unit_digest b = snap_unit_digest(SLICE("a"), SLICE("bc"));
	struct unit_digest c = snap_unit_digest(SLICE("ab"), SLICE("c"));

	(void)state;
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_memory_equal(&a, &c, sizeof(a));
}

static enum error
make(const char *name, const void *record, struct unit **unit)
{
	struct slice text = slice_from_string(name);
	enum unit_kind kind;
	enum error error;
	struct text bytes;

	text_init(&bytes);
	assert_true(snap_unit_kind(text, &kind));
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	error = snap_unit_new(text, text_slice(&bytes), unit);
	text_fini(&bytes);
	return error;
}

static enum error
judge(const char *name, const void *record)
{
	struct unit *unit = NULL;
	enum error error = make(name, record, &unit);

	assert_int_equal(unit != NULL, error == ERROR_OK);
	snap_unit_free(&unit);
	return error;
}

static struct slice
text(const char *string)
{
	return slice_from_string(string);
}

static void
test_defaults(void **state)
{
	struct unit_match match = {0};
	struct unit_rule rules[] = {{.identity = SLICE("0")},
	    {.identity = SLICE("1"), .matches = &match, .matches_count = 1}};
	struct unit_route route = {.rules = rules, .rules_count = 2};
	struct unit *unit;
	struct text dump;

	(void)state;
	assert_int_equal(make("route/HTTPRoute/ns/r", &route, &unit), ERROR_OK);
	assert_int_equal(unit->kind, UNIT_ROUTE);
	assert_true(slice_equal(unit->name, SLICE("route/HTTPRoute/ns/r")));
	for (unsigned i = 0; i < 2; i++) {
		const struct unit_rule *rule = &unit->route->rules[i];

		assert_int_equal(rule->matches_count, 1);
		assert_int_equal(rule->matches[0].path_type, UNIT_PATH_PREFIX);
		assert_true(slice_equal(rule->matches[0].path, SLICE("/")));
	}
	text_init(&dump);
	snap_unit_dump(&dump, unit);
	assert_non_null(dump.data);
	assert_int_equal(dump.data[0], '{');
	text_fini(&dump);
	snap_unit_free(&unit);
	assert_null(unit);
}

static void
test_names(void **state)
{
	struct unit_external external = {
	    .hostname = SLICE("x.test"), .port = 1};
	char name[LIMIT_VALUE_UNIT_NAME_BYTES + 2] = "external/";
	struct unit *unit;
	char *large = memory_zero(LIMIT_VALUE_UNIT_BYTES + 1, 1);

	(void)state;
	memset(name + 9, 'n', sizeof(name) - 10);
	assert_int_equal(judge(name, &external), ERROR_LIMIT);
	name[sizeof(name) - 2] = '\0';
	assert_int_equal(judge(name, &external), ERROR_OK);
	assert_int_equal(snap_unit_new(SLICE("external/\0x"), SLICE(""), &unit),
	    ERROR_INVALID);
	assert_int_equal(
	    snap_unit_new(SLICE("secret/x"), SLICE(""), &unit), ERROR_UNKNOWN);
	assert_int_equal(
	    snap_unit_new(SLICE("service/x"),
	        slice_make(large, LIMIT_VALUE_UNIT_BYTES + 1), &unit),
	    ERROR_LIMIT);
	memory_free(large);
}

static void
test_listeners(void **state)
{
	static const struct {
		int64_t port, protocol;
		const char *hostname;
		enum error error;
		int64_t tls_mode;
	} cases[] = {
	    {80, 3, NULL, ERROR_OK, 1},
	    {80, 3, NULL, ERROR_OK, 2},
	    {80, 3, NULL, ERROR_UNSUPPORTED, 0},
	    {80, 3, NULL, ERROR_UNSUPPORTED, 3},
	    {80, 1, NULL, ERROR_UNSUPPORTED, 1},
	    {80, 1, NULL, ERROR_OK},
	    {65535, 1, "*.a.test", ERROR_OK},
	    {80, 1, "", ERROR_OK},
	    {0, 1, NULL, ERROR_INVALID},
	    {65536, 1, NULL, ERROR_INVALID},
	    {80, 0, NULL, ERROR_UNSUPPORTED},
	    {80, 2, "a.test", ERROR_OK},
	    {80, 4, NULL, ERROR_OK},
	    {80, 5, NULL, ERROR_OK},
	    {80, 4, "a.test", ERROR_INVALID},
	    {80, 5, "a.test", ERROR_INVALID},
	    {80, 6, NULL, ERROR_UNSUPPORTED},
	    {80, 2, NULL, ERROR_UNSUPPORTED, 1},
	    {443, 2, "*.a.test", ERROR_OK, 2},
	    {80, 4, NULL, ERROR_UNSUPPORTED, 2},
	    {80, -1, NULL, ERROR_UNSUPPORTED},
	    {80, 1, "A.test", ERROR_INVALID},
	    {80, 1, "*", ERROR_INVALID},
	    {80, 1, "*.", ERROR_INVALID},
	    {80, 1, "a..b", ERROR_INVALID},
	};
	struct slice addresses[LIMIT_VALUE_LISTENER_ADDRESSES + 1];
	struct unit_listener many = {
	    .port = 80, .protocol = 1, .addresses = addresses};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct unit_listener listener = {
		    .port = cases[i].port,
		    .protocol = cases[i].protocol,
		    .tls_mode = cases[i].tls_mode,
		    .hostname = text(cases[i].hostname),
		};

		assert_int_equal(
		    judge("listener/ns/gw/l", &listener), cases[i].error);
	}
	for (unsigned i = 0; i <= LIMIT_VALUE_LISTENER_ADDRESSES; i++)
		addresses[i] = SLICE("10.0.0.1");
	many.addresses_count = LIMIT_VALUE_LISTENER_ADDRESSES;
	assert_int_equal(judge("listener/ns/gw/l", &many), ERROR_OK);
	many.addresses_count++;
	assert_int_equal(judge("listener/ns/gw/l", &many), ERROR_LIMIT);
}

static void
test_listeners_tls(void **state)
{
	struct slice refs[LIMIT_VALUE_LISTENER_CERTIFICATES + 1];
	struct slice ciphers[] = {SLICE("ECDHE-RSA-AES128-GCM-SHA256")};
	struct slice wrong[] = {
	    SLICE("ALL:!MD5"), SLICE(""), SLICE("@SECLEVEL")};
	struct unit_listener https = {.port = 443,
	    .protocol = UNIT_PROTOCOL_HTTPS,
	    .tls_mode = UNIT_TLS_TERMINATE,
	    .certificates = refs,
	    .certificates_count = 1,
	    .ciphers = ciphers,
	    .ciphers_count = 1,
	    .curves = ciphers,
	    .curves_count = 1};
	struct unit_listener plain = {.port = 80,
	    .protocol = UNIT_PROTOCOL_HTTP,
	    .backend_certificate = SLICE("certificate/ns/s")};
	static const struct {
		int64_t version, validation;
		enum error error;
	} cases[] = {
	    {0, 0, ERROR_OK},
	    {12, 1, ERROR_OK},
	    {13, 2, ERROR_OK},
	    {11, 0, ERROR_UNSUPPORTED},
	    {14, 0, ERROR_UNSUPPORTED},
	    {0, 3, ERROR_UNSUPPORTED},
	    {0, -1, ERROR_UNSUPPORTED},
	};

	(void)state;
	for (unsigned i = 0; i <= LIMIT_VALUE_LISTENER_CERTIFICATES; i++)
		refs[i] = SLICE("certificate/ns/s");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		https.version_min = cases[i].version;
		https.client_validation = cases[i].validation;
		assert_int_equal(judge("listener/l", &https), cases[i].error);
	}
	https.client_validation = UNIT_CLIENTS_NONE;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		https.ciphers = &wrong[i];
		assert_int_equal(judge("listener/l", &https), ERROR_INVALID);
		https.ciphers = ciphers;
		https.curves = &wrong[i];
		assert_int_equal(judge("listener/l", &https), ERROR_INVALID);
		https.curves = ciphers;
	}
	https.certificates_count = LIMIT_VALUE_LISTENER_CERTIFICATES;
	assert_int_equal(judge("listener/l", &https), ERROR_OK);
	https.certificates_count++;
	assert_int_equal(judge("listener/l", &https), ERROR_LIMIT);
	https.certificates_count = 1;
	https.authorities = refs;
	https.authorities_count = 1;
	assert_int_equal(judge("listener/l", &https), ERROR_INVALID);
	https.authorities_count = 0;
	refs[0] = SLICE("service/s");
	assert_int_equal(judge("listener/l", &https), ERROR_INVALID);

	assert_int_equal(judge("listener/l", &plain), ERROR_OK);
	plain.client_validation = UNIT_CLIENTS_VALID;
	assert_int_equal(judge("listener/l", &plain), ERROR_INVALID);
	plain.client_validation = UNIT_CLIENTS_NONE;
	plain.backend_certificate = SLICE("certificate/");
	assert_int_equal(judge("listener/l", &plain), ERROR_INVALID);
}

static void
test_certificate(void **state)
{
	struct unit_certificate certificate = {
	    .chain = SLICE("chain"), .key = SLICE("abc"), .ocsp = SLICE("x")};
	struct unit_authority authority = {.bundle = SLICE("bundle")};
	struct unit *unit;
	struct text dump;

	(void)state;
	assert_int_equal(
	    judge("authority/configmap/ns/c", &authority), ERROR_OK);
	assert_int_equal(
	    make("certificate/ns/s", &certificate, &unit), ERROR_OK);
	assert_true(slice_equal(unit->certificate->key, SLICE("abc")));
	text_init(&dump);
	snap_unit_dump(&dump, unit);
	text_push_byte(&dump, '\0');
	assert_string_equal(dump.data,
	    "{\"chain\":\"chain\",\"key\":\"sha256:ba7816bf8f01cfea414140de5da"
	    "e2223b00361a396177a9cb410ff61f20015ad\",\"ocsp\":\"x\"}");
	text_fini(&dump);
	snap_unit_free(&unit);
}

static enum error
judge_match(struct unit_match match)
{
	struct unit_rule rule = {.matches = &match, .matches_count = 1};
	struct unit_route route = {.rules = &rule, .rules_count = 1};

	return judge("route/HTTPRoute/ns/r", &route);
}

static void
test_matches(void **state)
{
	char path[LIMIT_VALUE_MATCH_PATH_BYTES + 1];
	struct unit_pair_match pair = {.name = SLICE("x")};
	struct unit_match match = {.headers = &pair, .headers_count = 1};

	(void)state;
	memset(path, '/', sizeof(path));
	assert_int_equal(judge_match((struct unit_match){
	                     .path = slice_make(path, sizeof(path) - 1)}),
	    ERROR_OK);
	assert_int_equal(judge_match((struct unit_match){
	                     .path = slice_make(path, sizeof(path))}),
	    ERROR_LIMIT);
	assert_int_equal(judge_match((struct unit_match){.path = SLICE("x")}),
	    ERROR_INVALID);
	assert_int_equal(
	    judge_match((struct unit_match){.path = SLICE("")}), ERROR_INVALID);
	assert_int_equal(
	    judge_match((struct unit_match){
	        .path_type = UNIT_PATH_PATTERN, .path = SLICE("(")}),
	    ERROR_OK);
	assert_int_equal(judge_match((struct unit_match){.path_type = 3}),
	    ERROR_UNSUPPORTED);
	assert_int_equal(judge_match((struct unit_match){.path_type = -1}),
	    ERROR_UNSUPPORTED);
	assert_int_equal(judge_match(match), ERROR_OK);
	pair.name = SLICE("x y");
	assert_int_equal(judge_match(match), ERROR_INVALID);
	pair.name = SLICE_NONE;
	assert_int_equal(judge_match(match), ERROR_INVALID);
	pair.name = SLICE("x");
	pair.type = UNIT_PAIR_PATTERN;
	assert_int_equal(judge_match(match), ERROR_OK);
	pair.type = 2;
	assert_int_equal(judge_match(match), ERROR_UNSUPPORTED);
	match = (struct unit_match){.queries = &pair, .queries_count = 1};
	assert_int_equal(judge_match(match), ERROR_UNSUPPORTED);
	pair = (struct unit_pair_match){.name = SLICE("any thing")};
	assert_int_equal(judge_match(match), ERROR_OK);
}

static enum error
judge_of_kind(const char *kind, struct unit_match match)
{
	struct unit_rule rule = {.matches = &match, .matches_count = 1};
	struct unit_route route = {.rules = &rule, .rules_count = 1};
	char name[64];

	snprintf(name, sizeof(name), "route/%s/ns/r", kind);
	return judge(name, &route);
}

static void
test_kinds(void **state)
{
	static char large[LIMIT_VALUE_MATCH_PATH_BYTES];
	static const struct unit_match none;
	struct unit_call call = {.service = SLICE("a.B"), .method = SLICE("C")};
	struct unit_match match = {.call = &call};
	struct unit_route tls = {.created = 0};
	struct slice host = SLICE("a.test");
	struct unit_route named = {.hostnames = &host, .hostnames_count = 1};
	struct unit_rule rule = {.identity = SLICE("0")};

	struct unit_pair_match pair = {.name = SLICE("x")};

	(void)state;
	assert_int_equal(judge_of_kind("HTTPRoute", none), ERROR_OK);
	assert_int_equal(
	    judge_of_kind("TLSRoute",
	        (struct unit_match){.headers = &pair, .headers_count = 1}),
	    ERROR_INVALID);
	assert_int_equal(judge_of_kind("GRPCRoute", none), ERROR_OK);
	assert_int_equal(judge_of_kind("TLSRoute", none), ERROR_OK);
	assert_int_equal(judge_of_kind("TCPRoute", none), ERROR_OK);
	assert_int_equal(judge_of_kind("UDPRoute", none), ERROR_OK);
	assert_int_equal(judge_of_kind("ICMPRoute", none), ERROR_UNSUPPORTED);
	assert_int_equal(judge_of_kind("UDPRoute",
	                     (struct unit_match){.method = SLICE("GET")}),
	    ERROR_INVALID);
	assert_int_equal(judge("route/TCPRoute/ns/r", &named), ERROR_INVALID);
	tls.rules = &rule;
	tls.rules_count = 1;
	assert_int_equal(judge("route/TLSRoute/ns/r", &tls), ERROR_OK);

	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_OK);
	assert_int_equal(judge_of_kind("HTTPRoute", match), ERROR_INVALID);
	assert_int_equal(judge_of_kind("TLSRoute", match), ERROR_INVALID);
	match.path = SLICE("/");
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_OK);
	match.path = SLICE("/a");
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_INVALID);
	match.path = SLICE_NONE;
	match.method = SLICE("GET");
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_INVALID);
	match.method = SLICE_NONE;
	call.method = SLICE_NONE;
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_OK);
	call.service = SLICE("a/B");
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_INVALID);
	call.type = UNIT_CALL_PATTERN;
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_OK);
	call.type = 2;
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_UNSUPPORTED);
	call = (struct unit_call){.service = SLICE_NONE};
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_INVALID);
	memset(large, 'a', sizeof(large));
	call.service = slice_make(large, sizeof(large) - 2);
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_OK);
	call.method = SLICE("b");
	assert_int_equal(judge_of_kind("GRPCRoute", match), ERROR_LIMIT);
}

static enum error
judge_filter(struct unit_filter filter)
{
	struct unit_backend backend = {.target = SLICE("service/x"),
	    .filters = &filter,
	    .filters_count = 1};
	struct unit_rule rule = {.filters = &filter, .filters_count = 1};
	struct unit_route route = {.rules = &rule, .rules_count = 1};
	enum error error = judge("route/HTTPRoute/ns/r", &route);

	rule = (struct unit_rule){.backends = &backend, .backends_count = 1};
	assert_int_equal(judge("route/HTTPRoute/ns/r", &route), error);
	return error;
}

static void
test_filters(void **state)
{
	struct unit_field good = {SLICE("x"), SLICE("a b")};
	struct unit_field bad_name = {SLICE("x:"), SLICE("a")};
	struct unit_field bad_value = {SLICE("x"), SLICE("a\r\nb: c")};
	struct slice removed[] = {SLICE("x"), SLICE("y z")};
	struct unit_filter redirect = {.kind = UNIT_FILTER_REDIRECT};

	(void)state;
	for (int64_t kind = UNIT_FILTER_REQUEST_HEADERS;
	     kind <= UNIT_FILTER_RESPONSE_HEADERS; kind++) {
		struct unit_filter filter = {
		    .kind = kind, .set = &good, .set_count = 1};

		assert_int_equal(judge_filter(filter), ERROR_OK);
		filter.set = &bad_name;
		assert_int_equal(judge_filter(filter), ERROR_INVALID);
		filter = (struct unit_filter){
		    .kind = kind, .add = &bad_value, .add_count = 1};
		assert_int_equal(judge_filter(filter), ERROR_INVALID);
		filter = (struct unit_filter){
		    .kind = kind, .remove = removed, .remove_count = 1};
		assert_int_equal(judge_filter(filter), ERROR_OK);
		filter.remove_count = 2;
		assert_int_equal(judge_filter(filter), ERROR_INVALID);
	}
	assert_int_equal(
	    judge_filter((struct unit_filter){.kind = 0}), ERROR_UNSUPPORTED);
	assert_int_equal(
	    judge_filter((struct unit_filter){.kind = 99}), ERROR_UNSUPPORTED);
	assert_int_equal(judge_filter(redirect), ERROR_OK);
	redirect.scheme = SLICE("https");
	redirect.hostname = SLICE("a.test");
	redirect.port = 8443;
	redirect.status = 308;
	redirect.path = SLICE("/x");
	redirect.path_change = UNIT_PATH_REPLACE_PREFIX;
	assert_int_equal(judge_filter(redirect), ERROR_OK);
	redirect.status = 200;
	assert_int_equal(judge_filter(redirect), ERROR_INVALID);
	redirect.status = 302;
	redirect.path_change = 3;
	assert_int_equal(judge_filter(redirect), ERROR_UNSUPPORTED);
	redirect.path_change = UNIT_PATH_REPLACE_FULL;
	redirect.path = SLICE("/\r\nx");
	assert_int_equal(judge_filter(redirect), ERROR_INVALID);
	redirect.path = SLICE("/");
	redirect.hostname = SLICE("*.a.test");
	assert_int_equal(judge_filter(redirect), ERROR_INVALID);
}

static enum error
judge_backend(struct unit_backend backend)
{
	struct unit_rule rule = {.backends = &backend, .backends_count = 1};
	struct unit_route route = {.rules = &rule, .rules_count = 1};

	return judge("route/HTTPRoute/ns/r", &route);
}

static void
test_backends(void **state)
{
	(void)state;
	assert_int_equal(
	    judge_backend((struct unit_backend){.target = SLICE("service/ns/s"),
	        .port = 80,
	        .weight = 1000000}),
	    ERROR_OK);
	assert_int_equal(judge_backend((struct unit_backend){
	                     .target = SLICE("external/ns/s")}),
	    ERROR_OK);
	assert_int_equal(
	    judge_backend((struct unit_backend){.refused = SLICE("why")}),
	    ERROR_OK);
	assert_int_equal(
	    judge_backend((struct unit_backend){.port = 80}), ERROR_INVALID);
	assert_int_equal(judge_backend((struct unit_backend){
	                     .target = SLICE("route/HTTPRoute/ns/s")}),
	    ERROR_INVALID);
	assert_int_equal(judge_backend((struct unit_backend){
	                     .target = SLICE("service/x"), .weight = 1000001}),
	    ERROR_INVALID);
	assert_int_equal(judge_backend((struct unit_backend){
	                     .target = SLICE("service/x"), .weight = -1}),
	    ERROR_INVALID);
	assert_int_equal(judge_backend((struct unit_backend){
	                     .target = SLICE("service/x"), .port = 65536}),
	    ERROR_INVALID);
}

static void
test_routes(void **state)
{
	struct slice listeners[1024], hostnames[1025];
	struct unit_route route = {
	    .listeners = listeners, .listeners_count = 1};
	struct unit_rule rule = {.identity = SLICE("0")};
	struct arena arena;

	(void)state;
	arena_init(&arena, 65536);
	for (unsigned i = 0; i < 1024; i++)
		listeners[i] = arena_format(&arena, "listener/%u", i);
	for (unsigned i = 0; i < 1025; i++)
		hostnames[i] = arena_format(&arena, "%u.test", i);
	assert_int_equal(judge("route/HTTPRoute/ns/r", &route), ERROR_OK);
	listeners[0] = SLICE("gateway/x");
	assert_int_equal(judge("route/HTTPRoute/ns/r", &route), ERROR_INVALID);
	listeners[0] = SLICE("listener/x");
	route.hostnames = hostnames;
	route.hostnames_count = 1024;
	route.listeners_count = 1024;
	route.rules = &rule;
	route.rules_count = 1;
	assert_int_equal(judge("route/HTTPRoute/ns/r", &route), ERROR_OK);
	route.hostnames_count = 1025;
	assert_int_equal(judge("route/HTTPRoute/ns/r", &route), ERROR_LIMIT);
	/* Each counts once. */
	hostnames[1024] = hostnames[0];
	assert_int_equal(judge("route/HTTPRoute/ns/r", &route), ERROR_OK);
	route.hostnames_count = 1;
	hostnames[0] = SLICE("a_b.test");
	assert_int_equal(judge("route/HTTPRoute/ns/r", &route), ERROR_INVALID);
	arena_fini(&arena);
}

static void
test_services(void **state)
{
	struct unit_service_port port = {.number = 80};
	struct unit_service service = {.ports = &port, .ports_count = 1};
	struct unit_endpoint endpoint = {.conditions = 7};
	struct unit_endpoints slice = {.service = SLICE("service/ns/s"),
	    .ports = &port,
	    .ports_count = 1,
	    .endpoints = &endpoint,
	    .endpoints_count = 1};
	struct unit_external external = {
	    .hostname = SLICE("x.test"), .port = 443};

	(void)state;
	assert_int_equal(judge("service/ns/s", &service), ERROR_OK);
	assert_int_equal(judge("endpoints/ns/s", &slice), ERROR_OK);
	port.number = 0;
	assert_int_equal(judge("service/ns/s", &service), ERROR_INVALID);
	assert_int_equal(judge("endpoints/ns/s", &slice), ERROR_OK);
	port.number = 65536;
	assert_int_equal(judge("endpoints/ns/s", &slice), ERROR_INVALID);
	port.number = 1;
	endpoint.conditions = 8;
	assert_int_equal(judge("endpoints/ns/s", &slice), ERROR_INVALID);
	endpoint.conditions = 0;
	slice.service = SLICE("ns/s");
	assert_int_equal(judge("endpoints/ns/s", &slice), ERROR_INVALID);

	assert_int_equal(judge("external/ns/x", &external), ERROR_OK);
	external.port = 0;
	assert_int_equal(judge("external/ns/x", &external), ERROR_INVALID);
	external.port = 1;
	external.hostname = SLICE_NONE;
	assert_int_equal(judge("external/ns/x", &external), ERROR_INVALID);
}

static enum error
judge_tls(struct unit_backend_tls tls)
{
	struct unit_service_port port = {.number = 443, .tls = &tls};
	struct unit_service service = {.ports = &port, .ports_count = 1};
	struct unit_external external = {
	    .hostname = SLICE("x.test"), .port = 443, .tls = &tls};
	enum error error = judge("service/ns/s", &service);

	assert_int_equal(judge("external/ns/x", &external), error);
	return error;
}

static void
test_backend_tls(void **state)
{
	struct slice authorities[] = {SLICE("authority/configmap/ns/c")};
	struct unit_tls_name name = {
	    .type = UNIT_TLS_NAME_URI, .value = SLICE("spiffe://a/b")};
	struct unit_backend_tls tls = {.hostname = SLICE("a.test"),
	    .authorities = authorities,
	    .authorities_count = 1,
	    .names = &name,
	    .names_count = 1};

	(void)state;
	assert_int_equal(judge_tls(tls), ERROR_OK);
	name = (struct unit_tls_name){.value = SLICE("*.a.test")};
	assert_int_equal(judge_tls(tls), ERROR_OK);
	name.value = SLICE("a b");
	assert_int_equal(judge_tls(tls), ERROR_INVALID);
	name.type = 2;
	assert_int_equal(judge_tls(tls), ERROR_UNSUPPORTED);
	tls.names_count = 0;
	tls.authorities_count = 0;
	assert_int_equal(judge_tls(tls), ERROR_INVALID);
	tls.system = 1;
	assert_int_equal(judge_tls(tls), ERROR_OK);
	tls.hostname = SLICE_NONE;
	assert_int_equal(judge_tls(tls), ERROR_INVALID);
	tls.refused = SLICE("why");
	assert_int_equal(judge_tls(tls), ERROR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kind),
	    cmocka_unit_test(test_digest),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_listeners),
	    cmocka_unit_test(test_listeners_tls),
	    cmocka_unit_test(test_certificate),
	    cmocka_unit_test(test_backend_tls),
	    cmocka_unit_test(test_matches),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_filters),
	    cmocka_unit_test(test_backends),
	    cmocka_unit_test(test_routes),
	    cmocka_unit_test(test_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
