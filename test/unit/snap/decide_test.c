/* decide(): tables of what Gateway API says of one host and path at a time.
 * property_test.c holds it against the slow reference. */
#include "snap/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "world.h"

/* Which socket, host, path, ... leads where, on this configuration. */
static struct unit_pair_match header = {
    .name = {.data = "X-Tenant", .length = 8},
    .value = {.data = "a,b", .length = 3}};
static struct unit_pair_match query = {.name = {.data = "Page", .length = 4},
    .value = {.data = "1 2", .length = 3}};

/* The last part of a route unit's name. */
static struct slice
route_name(const struct unit *unit)
{
	struct slice rest = unit->name;

	while (slice_find(rest, '/') < rest.length)
		rest = slice_skip(rest, slice_find(rest, '/') + 1);
	return rest;
}

/* One match a rule, or without matches none; the route's rules are named "0",
 * "1", ... */
static void
put_kind(struct snap_store *store, const char *kind, const char *name,
    const char *hostname, struct unit_match *matches, unsigned count)
{
	struct slice listeners[] = {
	    SLICE("listener/ns/gw/narrow"), SLICE("listener/ns/gw/wide")};
	struct slice hostnames[] = {slice_from_string(hostname)};
	struct unit_rule rules[16] = {{.identity = {.data = NULL}}};
	struct unit_route route = {
	    .listeners = listeners,
	    .listeners_count = 2,
	    .hostnames = hostnames,
	    .hostnames_count = hostname ? 1 : 0,
	    .rules = rules,
	    .rules_count = count,
	};
	char unit[64];

	assert_true(count <= 16);
	for (unsigned i = 0; matches && i < count; i++) {
		rules[i].matches = &matches[i];
		rules[i].matches_count = 1;
	}
	snprintf(unit, sizeof(unit), "route/%s/ns/%s", kind, name);
	assert_int_equal(
	    world_put(store, slice_from_string(unit), &route), ERROR_OK);
}

static void
put_route(struct snap_store *store, const char *name, const char *hostname,
    struct unit_match *matches, unsigned count)
{
	put_kind(store, "HTTPRoute", name, hostname, matches, count);
}

static void
put_listener(struct snap_store *store, const char *name, const char *hostname)
{
	struct unit_listener listener = {
	    .port = 80,
	    .protocol = UNIT_PROTOCOL_HTTP,
	    .hostname = slice_from_string(hostname),
	};
	char unit[64];

	snprintf(unit, sizeof(unit), "listener/ns/gw/%s", name);
	assert_int_equal(
	    world_put(store, slice_from_string(unit), &listener), ERROR_OK);
}

#define EXACT(text) \
	{ \
		.path_type = UNIT_PATH_EXACT, .path = { \
			.data = (text), \
			.length = sizeof(text) - 1 \
		} \
	}
#define PREFIX(text, ...) \
	{ \
		.path = {.data = (text), .length = sizeof(text) - 1}, \
		__VA_ARGS__ \
	}

static struct snap_store *
make_store(void)
{
	struct snap_store *store = snap_store_new();
	struct unit_match site[] = {
	    PREFIX("/"),
	    PREFIX("/v2"),
	    EXACT("/v2/x"),
	    PREFIX("/v2/x", .method = {.data = "POST", .length = 4}),
	    PREFIX("/v2/x", .headers = &header, .headers_count = 1),
	    PREFIX("/v2/x", .queries = &query, .queries_count = 1),
	    EXACT("/v2/x"),
	};
	struct unit_match wild[] = {PREFIX("/"), PREFIX("/v2/x/y/z")};
	struct unit_match any[] = {PREFIX("/any")};
	struct unit_match other[] = {
	    PREFIX("/", .headers = &header, .headers_count = 1)};
	struct unit_match rest[] = {{.path_type = UNIT_PATH_PREFIX}};

	put_listener(store, "narrow", "*.example.com");
	put_listener(store, "wide", NULL);
	put_route(store, "site", "site.example.com", site, 7);
	put_route(store, "wild", "*.example.com", wild, 2);
	put_route(store, "any", NULL, any, 1);
	put_route(store, "other", "b.example.com", other, 1);
	put_route(store, "rest", "rest.test", rest, 1);
	return store;
}

static const struct {
	const char *host, *path, *method, *query;
	const char *fields[2]; /* values of X-Tenant */
	const char *route, *rule; /* NULL: none */
	bool no_listener;
} cases[] = {
    {"site.example.com", "/", .route = "site", .rule = "0"},
    {"site.example.com", "/v2", .route = "site", .rule = "1"},
    {"site.example.com", "/v2/", .route = "site", .rule = "1"},
    {"site.example.com", "/v2/a", .route = "site", .rule = "1"},
    {"site.example.com", "/v2example", .route = "site", .rule = "0"},
    {"site.example.com", "/V2", .route = "site", .rule = "0"},
    {"site.example.com", "*", .route = "site", .rule = "0"},
    /* exact before a longer list of conditions, the first of two equal */
    {"site.example.com", "/v2/x", "POST", .route = "site", .rule = "2"},
    {"site.example.com", "/v2/x/", "POST", .route = "site", .rule = "3"},
    {"site.example.com", "/v2/x/", "post", .route = "site", .rule = "1"},
    {"site.example.com", "/v2/x/", .route = "site", .rule = "1"},
    /* a header: any line, or all of them joined */
    {"site.example.com", "/v2/x/", .fields = {"a,b"}, .route = "site",
        .rule = "4"},
    {"site.example.com", "/v2/x/", .fields = {"c", "a,b"}, .route = "site",
        .rule = "4"},
    {"site.example.com", "/v2/x/", .fields = {"a", "b"}, .route = "site",
        .rule = "4"},
    {"site.example.com", "/v2/x/", .fields = {"b", "a"}, .route = "site",
        .rule = "1"},
    {"site.example.com", "/v2/x/", .fields = {"A,B"}, .route = "site",
        .rule = "1"},
    {"site.example.com", "/v2/x/", .fields = {"a,b,"}, .route = "site",
        .rule = "1"},
    /* a query parameter: the first, decoded, with case */
    {"site.example.com", "/v2/x/", .query = "a=1&Page=1+2", .route = "site",
        .rule = "5"},
    {"site.example.com", "/v2/x/", .query = "Page=1%202&Page=3",
        .route = "site", .rule = "5"},
    {"site.example.com", "/v2/x/", .query = "Page=3&Page=1+2", .route = "site",
        .rule = "1"},
    {"site.example.com", "/v2/x/", .query = "page=1+2", .route = "site",
        .rule = "1"},
    /* the host binds before the path */
    {"site.example.com", "/v2/x/y/z", .route = "site", .rule = "1"},
    {"w.example.com", "/v2/x/y/z", .route = "wild", .rule = "1"},
    {"a.b.example.com", "/v2", .route = "wild", .rule = "0"},
    /* nothing fits there: on to what is less specific */
    {"b.example.com", "/", .route = "wild", .rule = "0"},
    {"b.example.com", "/", .fields = {"a,b"}, .route = "other", .rule = "0"},
    {"site.example.com", "/any", .route = "site", .rule = "0"},
    /* the wide listener: its own routes only */
    {"example.com", "/any/x", .route = "any", .rule = "0"},
    {"example.com", "/", .route = NULL},
    {"rest.test", "/", .route = "rest", .rule = "0"},
    {"rest.test", "/any", .route = "rest", .rule = "0"},
    {"x.rest.test", "/", .route = NULL},
    {"", "/any", .route = "any", .rule = "0"},
    {NULL, "/any", .route = "any", .rule = "0"},
    {"[2001:db8::1]", "/any", .route = "any", .rule = "0"},
    {"rest.test", "/", .no_listener = true},
};

static void
test_cases(void **state)
{
	struct snap_store *store = make_store();
	const struct snap_set *set = snap_store_commit(store);
	uint32_t socket = world_socket(set, SLICE(""), 80, false);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct field fields[2];
		char scratch[64];
		struct snap_request request = {
		    .socket = cases[i].no_listener ? 1000 : socket,
		    .host = slice_from_string(cases[i].host),
		    .path = slice_from_string(cases[i].path),
		    .query = slice_from_string(cases[i].query),
		    .method = slice_from_string(
		        cases[i].method ? cases[i].method : "GET"),
		    .fields = fields,
		    .scratch = scratch,
		};
		struct snap_decision got;
		enum reason expected = cases[i].no_listener ? REASON_NO_LISTENER
		    : cases[i].route                        ? REASON_NONE
		                                            : REASON_NO_ROUTE;

		for (unsigned j = 0; j < 2 && cases[i].fields[j]; j++)
			fields[request.field_count++] = (struct field){
			    .name = "x-tenant",
			    .name_length = 8,
			    .value = cases[i].fields[j],
			    .value_length =
			        (uint32_t)strlen(cases[i].fields[j]),
			    .id = FIELD_OTHER,
			};
		snap_decide(set, &request, &got);
		if (got.reason != expected ||
		    (cases[i].route &&
		        (!slice_equal(route_name(got.route_unit),
		             slice_from_string(cases[i].route)) ||
		            got.rule - got.route_unit->route->rules !=
		                cases[i].rule[0] - '0')))
			fail_msg("case %zu: %s%s", i,
			    cases[i].host ? cases[i].host : "-", cases[i].path);
		assert_true((got.listener_unit != NULL) ==
		    (got.listener_id != SNAP_ID_NONE));
		assert_true(
		    (got.route_unit != NULL) == (got.rule_id != SNAP_ID_NONE));
	}
	snap_store_free(&store);
}

static void
on_loser(void *context, const struct unit *route, const struct unit_rule *rule,
    const struct unit_match *match, const char *why)
{
	assert_ptr_equal(match, &rule->matches[0]);
	text_printf(context, "%.*s %d: %s\n", SLICE_ARGS(route_name(route)),
	    (int)(rule - route->route->rules), why);
}

static void
test_trace(void **state)
{
	struct snap_store *store = make_store();
	const struct snap_set *set = snap_store_commit(store);
	struct snap_request request = {
	    .socket = world_socket(set, SLICE(""), 80, false),
	    .host = SLICE("site.example.com"),
	    .path = SLICE("/v2/x/1"),
	    .method = SLICE("GET"),
	};
	struct snap_decision decision;
	struct text losers;

	(void)state;
	text_init(&losers);
	snap_decide_traced(set, &request, &decision, on_loser, &losers);
	assert_string_equal(losers.data,
	    "site 3: the method differs\n"
	    "site 4: a header is missing or differs\n"
	    "site 5: a query parameter is missing or differs\n");
	assert_int_equal(decision.reason, REASON_NONE);
	assert_int_equal(decision.rule - decision.route_unit->route->rules, 1);
	text_fini(&losers);
	snap_store_free(&store);
}

/* "route rule", or what there is instead. */
static const char *
answer_of(const struct snap_decision *decision, char *out, size_t size)
{
	if (decision->reason != REASON_NONE)
		return decision->reason == REASON_NO_ROUTE ? "-"
		                                           : "no listener";
	snprintf(out, size, "%.*s %d",
	    SLICE_ARGS(route_name(decision->route_unit)),
	    (int)(decision->rule - decision->route_unit->route->rules));
	return out;
}

#define TEXT(literal) \
	{ \
		.data = (literal), .length = sizeof(literal) - 1 \
	}
#define PATTERN(text, ...) \
	PREFIX(text, .path_type = UNIT_PATH_PATTERN, __VA_ARGS__)

static const struct {
	const char *host, *path, *method, *query, *one, *two, *answer;
} pattern_cases[] = {
    {"a.test", "/api/v1/users", .answer = "site 3"},
    {"a.test", "/api/v1/users/", .answer = "site 2"},
    {"a.test", "/api/x", .answer = "site 1"},
    {"a.test", "/api", .answer = "-"},
    {"a.test", "/ab", "POST", .answer = "site 4"},
    {"a.test", "/ab", .answer = "site 6"},
    {"a.test", "/ac", .answer = "site 5"},
    {"a.test", "/ax", .answer = "site 9"},
    {"a.test", "/x/ab", .answer = "-"},
    {"a.test", "/z", .answer = "wild 0"},
    {"b.test", "/ab", .answer = "-"},
    {"a.test", "/h", .one = "cc", .answer = "site 7"},
    {"a.test", "/h", .one = "b", .two = "c", .answer = "site 7"},
    {"a.test", "/h", .one = "a", .two = "b", .answer = "site 7"},
    {"a.test", "/h", .one = "b", .two = "a", .answer = "-"},
    {"a.test", "/h", .one = "xcc", .answer = "-"},
    {"a.test", "/h", .answer = "-"},
    {"a.test", "/q", .query = "page=1+2", .answer = "site 8"},
    {"a.test", "/q", .query = "page=x&page=1", .answer = "-"},
    {"a.test", "/q", .answer = "-"},
};

/* Exact, then the longest pattern, then the longest prefix; a pattern is held
 * against all of a path, a value, a line or the lines together. */
static void
test_patterns(void **state)
{
	static struct unit_pair_match color = {
	    .name = TEXT("x-tenant"), .value = TEXT("a,b|c+"), .type = 1};
	static struct unit_pair_match page = {
	    .name = TEXT("page"), .value = TEXT("[0-9 ]+"), .type = 1};
	struct unit_match site[] = {
	    PREFIX("/api/v1/users"), PATTERN("/api/.*"),
	    PATTERN("/api/v[0-9]+/.*"), EXACT("/api/v1/users"),
	    PATTERN("/a[bc]", .method = TEXT("POST")), PATTERN("/a.?"),
	    PATTERN("/[a]b?"),
	    PREFIX("/h", .headers = &color, .headers_count = 1),
	    PREFIX("/q", .queries = &page, .queries_count = 1),
	    PATTERN("/a[x]"), /* as long as 6, and behind it */
	};
	struct unit_match wild[] = {PATTERN(".*z")};
	struct snap_store *store = snap_store_new();
	struct snap_matcher *matcher = snap_matcher_new(NULL, NULL);
	const struct snap_set *set;

	(void)state;
	put_listener(store, "wide", NULL);
	put_route(store, "site", "a.test", site, 10);
	put_route(store, "wild", "*.test", wild, 1);
	set = snap_store_commit(store);
	for (size_t i = 0; i < sizeof(pattern_cases) / sizeof(pattern_cases[0]);
	     i++) {
		const char *lines[] = {
		    pattern_cases[i].one, pattern_cases[i].two};
		struct field fields[2];
		char scratch[64], out[64];
		struct snap_decision got;
		struct snap_request request = {
		    .socket = world_socket(set, SLICE(""), 80, false),
		    .host = slice_from_string(pattern_cases[i].host),
		    .path = slice_from_string(pattern_cases[i].path),
		    .query = slice_from_string(pattern_cases[i].query),
		    .method = slice_from_string(pattern_cases[i].method
		            ? pattern_cases[i].method
		            : "GET"),
		    .fields = fields,
		    .scratch = scratch,
		    .matcher = matcher,
		};

		for (unsigned j = 0; j < 2 && lines[j]; j++)
			fields[request.field_count++] =
			    (struct field){.name = "X-Tenant",
			        .name_length = 8,
			        .value = lines[j],
			        .value_length = (uint32_t)strlen(lines[j])};
		snap_decide(set, &request, &got);
		if (strcmp(answer_of(&got, out, sizeof(out)),
		        pattern_cases[i].answer) != 0)
			fail_msg("row %zu: %s", i, out);
	}
	snap_matcher_free(&matcher);
	snap_store_free(&store);
}

#define CALL(service, method, type) \
	{ \
		.call = &(struct unit_call) \
		{ \
			(type), TEXT(service), TEXT(method) \
		} \
	}

/* gRPC requests look among GRPCRoutes first, others do not look there at all;
 * the service comes before the method. */
static void
test_calls(void **state)
{
	struct unit_match calls[] = {
	    CALL("a.B", "Get", 0),
	    CALL("a.B", "", 0),
	    CALL("a[.].*", "", 1),
	    CALL("a[.].*", "P.t", 1),
	    CALL("", "Get", 0),
	    CALL("", "G.*", 1),
	    {.call = NULL},
	    CALL("a.B", "Put", 0),
	};
	struct unit_match any[] = {{.call = NULL}};
	struct unit_match paths[] = {PREFIX("/"), EXACT("/a.B/Get")};
	static const struct {
		const char *host, *path, *type, *answer;
	} table[] = {
	    {"a.test", "/a.B/Get", "application/grpc", "calls 0"},
	    {"a.test", "/a.B/Put", "application/grpc+proto", "calls 7"},
	    {"a.test", "/a.B/Post", "Application/GRPC", "calls 1"},
	    {"a.test", "/a.C/Put", "application/grpc", "calls 3"},
	    {"a.test", "/a.C/Get", "application/grpc", "calls 2"},
	    {"a.test", "/b.C/Get", "application/grpc", "calls 4"},
	    {"a.test", "/b.C/Got", "application/grpc-web", "calls 5"},
	    {"a.test", "/b.C/Put", "application/grpc;a=b", "calls 6"},
	    {"a.test", "/", "application/grpc", "calls 6"},
	    {"a.test", "/Get", "application/grpc", "calls 6"},
	    {"a.test", "/a.B/Get", "application/json", "paths 1"},
	    {"a.test", "/a.B/Get", "application/grpcx", "paths 1"},
	    {"a.test", "/a.B/Get", NULL, "paths 1"},
	    {"a.test", "/a.B/Put", NULL, "paths 0"},
	    {"b.test", "/a.B/Put", "application/grpc", "any 0"},
	    {"b.test", "/a.B/Put", "text/plain", "-"},
	};
	struct snap_store *store = snap_store_new();
	struct snap_matcher *matcher = snap_matcher_new(NULL, NULL);
	const struct snap_set *set;

	(void)state;
	put_listener(store, "wide", NULL);
	put_kind(store, "GRPCRoute", "calls", "a.test", calls, 8);
	put_kind(store, "GRPCRoute", "any", "*.test", any, 1);
	put_route(store, "paths", "a.test", paths, 2);
	set = snap_store_commit(store);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct slice type = slice_from_string(table[i].type);
		struct field field = {.name = "content-type",
		    .name_length = 12,
		    .value = type.data,
		    .value_length = (uint32_t)type.length};
		char out[64];
		struct snap_decision got;
		struct snap_request request = {
		    .socket = world_socket(set, SLICE(""), 80, false),
		    .host = slice_from_string(table[i].host),
		    .path = slice_from_string(table[i].path),
		    .method = SLICE("POST"),
		    .fields = &field,
		    .field_count = type.data != NULL,
		    .matcher = matcher,
		};

		snap_decide(set, &request, &got);
		if (strcmp(answer_of(&got, out, sizeof(out)),
		        table[i].answer) != 0)
			fail_msg("row %zu: %s", i, out);
	}
	snap_matcher_free(&matcher);
	snap_store_free(&store);
}

/* A ClientHello sees TLSRoutes alone, a request none of them. */
static void
test_hellos(void **state)
{
	static const struct {
		const char *name, *answer, *listener;
	} table[] = {
	    {"a.tls.test", "exact 0", "narrow"},
	    {"b.tls.test", "wild 0", "narrow"},
	    {"tls.test", "-", "wide"},
	    {"x.wide.test", "wide 0", "wide"},
	    {NULL, "-", "wide"},
	};
	struct unit_listener listener = {.port = 443,
	    .protocol = UNIT_PROTOCOL_TLS,
	    .tls_mode = UNIT_TLS_TERMINATE,
	    .hostname = SLICE("*.tls.test")};
	struct unit_match all[] = {PREFIX("/")};
	struct snap_store *store = snap_store_new();
	struct snap_request request = {
	    .host = SLICE("a.tls.test"), .path = SLICE("/")};
	struct snap_decision got;
	const struct snap_set *set;
	char out[64];

	(void)state;
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/narrow"), &listener),
	    ERROR_OK);
	listener.hostname = SLICE_NONE;
	listener.tls_mode = UNIT_TLS_PASSTHROUGH;
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/wide"), &listener),
	    ERROR_OK);
	put_kind(store, "TLSRoute", "wild", "*.tls.test", NULL, 1);
	put_kind(store, "TLSRoute", "exact", "a.tls.test", NULL, 1);
	put_kind(store, "TLSRoute", "younger", "a.tls.test", NULL, 1);
	put_kind(store, "TLSRoute", "wide", "*.wide.test", NULL, 1);
	put_route(store, "paths", "tls.test", all, 1);
	set = snap_store_commit(store);
	request.socket = world_socket(set, SLICE(""), 443, true);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snap_decide_sni(set, request.socket,
		    slice_from_string(table[i].name), &got);
		assert_string_equal(
		    answer_of(&got, out, sizeof(out)), table[i].answer);
		assert_true(slice_ends_with(got.listener_unit->name,
		    slice_from_string(table[i].listener)));
	}
	snap_decide(set, &request, &got);
	assert_int_equal(got.reason, REASON_NO_ROUTE);
	snap_decide_sni(set, 1000, SLICE("a.tls.test"), &got);
	assert_int_equal(got.reason, REASON_NO_LISTENER);
	snap_store_free(&store);
}

static void
put_flow(struct snap_store *store, const char *kind, const char *name,
    const char *listener, int64_t created)
{
	struct slice listeners = slice_from_string(listener);
	struct unit_backend backend = {
	    .target = SLICE("service/ns/s"), .port = 53, .weight = 1};
	struct unit_rule rule = {
	    .identity = SLICE("0"), .backends = &backend, .backends_count = 1};
	const struct unit_route route = {
	    .created = created,
	    .listeners = &listeners,
	    .listeners_count = 1,
	    .rules = &rule,
	    .rules_count = 1,
	};
	char unit[64];

	snprintf(unit, sizeof(unit), "route/%s/ns/%s", kind, name);
	assert_int_equal(
	    world_put(store, slice_from_string(unit), &route), ERROR_OK);
}

/* One number of TCP and of UDP: two listeners, sockets and backends. The oldest
 * route has all. */
static void
test_flows(void **state)
{
	static const struct {
		enum unit_protocol flow;
		const char *route;
		uint16_t port;
	} table[] = {
	    {UNIT_PROTOCOL_TCP, "route/TCPRoute/ns/old", 5301},
	    {UNIT_PROTOCOL_UDP, "route/UDPRoute/ns/u", 5302},
	};
	struct unit_listener listener = {
	    .port = 53, .protocol = UNIT_PROTOCOL_TCP};
	struct unit_service_port ports[] = {{.number = 53, .name = SLICE("t")},
	    {.number = 53, .name = SLICE("u"), .datagrams = 1}};
	struct unit_service_port targets[] = {
	    {.number = 5301, .name = SLICE("t")},
	    {.number = 5302, .name = SLICE("u"), .datagrams = 1}};
	const struct unit_service service = {.ports = ports, .ports_count = 2};
	struct slice address = SLICE("10.0.0.1");
	struct unit_endpoint endpoint = {
	    .addresses = &address, .addresses_count = 1};
	const struct unit_endpoints endpoints = {
	    .service = SLICE("service/ns/s"),
	    .ports = targets,
	    .ports_count = 2,
	    .endpoints = &endpoint,
	    .endpoints_count = 1};
	struct snap_store *store = snap_store_new();
	const struct snap_socket *sockets;
	struct snap_decision got;

	(void)state;
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/t"), &listener), ERROR_OK);
	listener.protocol = UNIT_PROTOCOL_UDP;
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/u"), &listener), ERROR_OK);
	put_flow(store, "TCPRoute", "new", "listener/ns/gw/t", 2);
	put_flow(store, "TCPRoute", "old", "listener/ns/gw/t", 1);
	put_flow(store, "UDPRoute", "u", "listener/ns/gw/u", 3);
	assert_int_equal(
	    world_put(store, SLICE("service/ns/s"), &service), ERROR_OK);
	assert_int_equal(
	    world_put(store, SLICE("endpoints/ns/s"), &endpoints), ERROR_OK);

	const struct snap_set *set = snap_store_commit(store);

	assert_int_equal(snap_set_sockets(set, &sockets), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sockets[i].flow, table[i].flow);
		snap_decide_flow(set, sockets[i].id, &got);
		assert_int_equal(got.reason, REASON_NONE);
		assert_true(slice_equal(
		    got.route_unit->name, slice_from_string(table[i].route)));

		const struct snap_backend *backend =
		    snap_set_backend(set, got.backend_ids[0]);

		assert_int_equal(backend->endpoint_count, 1);
		assert_int_equal(backend->endpoints[0].port, table[i].port);
	}
	snap_store_free(&store);
}

static void
count_limit(void *context, enum limit limit)
{
	unsigned *counts = context;

	counts[limit]++;
}

/* Patterns of a host are tried in order up to a limit, then prefixes. */
static void
test_tries(void **state)
{
	unsigned counts[LIMIT__COUNT] = {0};
	struct snap_store *store = snap_store_new();
	struct snap_matcher *matcher = snap_matcher_new(count_limit, counts);
	struct unit_match match[] = {PATTERN("")};
	struct unit_match rest[] = {PREFIX("/")};
	char path[64], name[32];
	struct snap_request request = {.host = SLICE("a.test"),
	    .method = SLICE("GET"),
	    .path = SLICE("/p1001"),
	    .matcher = matcher};
	struct snap_decision got;
	const struct snap_set *set;

	(void)state;
	put_listener(store, "wide", NULL);
	put_route(store, "rest", "a.test", rest, 1);
	for (unsigned i = 1; i <= LIMIT_VALUE_PATTERN_TRIES + 1; i++) {
		snprintf(path, sizeof(path), "/p(?#%04u)%u", i, i);
		snprintf(name, sizeof(name), "route-%04u", i);
		match[0].path = slice_from_string(path);
		put_route(store, name, "a.test", match, 1);
	}
	set = snap_store_commit(store);
	request.socket = world_socket(set, SLICE(""), 80, false);
	/* the longest: two with four digits come before all others */
	snap_decide(set, &request, &got);
	assert_true(
	    slice_equal(route_name(got.route_unit), SLICE("route-1001")));
	/* the last one of all */
	request.path = SLICE("/p9");
	snap_decide(set, &request, &got);
	assert_true(slice_equal(route_name(got.route_unit), SLICE("rest")));
	assert_int_equal(counts[LIMIT_PATTERN_TRIES], 1);
	/* the one before it */
	request.path = SLICE("/p8");
	snap_decide(set, &request, &got);
	assert_true(
	    slice_equal(route_name(got.route_unit), SLICE("route-0008")));
	assert_int_equal(counts[LIMIT_PATTERN_TRIES], 1);
	snap_matcher_free(&matcher);
	snap_store_free(&store);
}

/* Names and numbers that a decision carries. */
static void
test_numbers(void **state)
{
	struct snap_store *store = make_store();
	const struct snap_set *set;
	struct slice listeners[] = {SLICE("listener/ns/gw/wide")};
	struct unit_backend backends[] = {
	    {.target = SLICE("service/ns/one"), .port = 80, .weight = 3},
	    {.target = SLICE("service/ns/gone"),
	        .weight = 2,
	        .refused = SLICE("not permitted")},
	    {.target = SLICE("external/ns/two"), .weight = 0},
	    {.target = SLICE("service/ns/one"), .port = 80, .weight = 1},
	};
	struct unit_rule rule = {.identity = SLICE("first"),
	    .backends = backends,
	    .backends_count = 4,
	    .refused = SLICE("says a field that is not honoured")};
	struct unit_route route = {.listeners = listeners,
	    .listeners_count = 1,
	    .rules = &rule,
	    .rules_count = 1};
	struct snap_request request = {
	    .host = SLICE("x"), .path = SLICE("/"), .method = SLICE("GET")};
	struct snap_decision got;

	(void)state;
	assert_int_equal(
	    world_put(store, SLICE("route/HTTPRoute/ns/n"), &route), ERROR_OK);
	set = snap_store_commit(store);
	request.socket = world_socket(set, SLICE(""), 80, false);
	snap_decide(set, &request, &got);
	assert_int_equal(got.reason, REASON_NONE);
	assert_true(slice_is_set(got.rule->refused));
	assert_true(slice_equal(got.match->path, SLICE("/")));
	assert_int_equal(got.weight_sum, 6);
	assert_int_equal(got.backend_ids[1], SNAP_ID_NONE);
	assert_int_equal(got.backend_ids[0], got.backend_ids[3]);
	assert_int_not_equal(got.backend_ids[0], got.backend_ids[2]);
	assert_true(
	    slice_equal(snap_set_backend(set, got.backend_ids[2])->target,
	        SLICE("external/ns/two")));
	assert_string_equal(
	    world_rule_name(store, got.listener_id), "ns/gw/wide");
	assert_string_equal(world_rule_name(store, got.rule_id),
	    "ns/gw/wide HTTPRoute/ns/n first");
	snap_store_free(&store);
}

/* Where two listeners claim one host of one socket, names decide. */
static void
test_equal_listeners(void **state)
{
	struct snap_store *store = snap_store_new();
	struct snap_request request = {
	    .host = SLICE("x"), .path = SLICE("/"), .method = SLICE("GET")};
	static const char *const steps[] = {"b", "c", "a"};
	static const char *const serves[] = {"b", "b", "a"};
	struct snap_decision got;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const struct snap_set *set;

		put_listener(store, steps[i], NULL);
		set = snap_store_commit(store);
		request.socket = world_socket(set, SLICE(""), 80, false);
		snap_decide(set, &request, &got);
		assert_memory_equal(
		    got.listener_unit->name.data + strlen("listener/ns/gw/"),
		    serves[i], 1);
	}
	snap_store_drop(store, SLICE("listener/ns/gw/a"));
	snap_store_drop(store, SLICE("listener/ns/gw/b"));
	snap_decide(snap_store_commit(store), &request, &got);
	assert_true(
	    slice_equal(got.listener_unit->name, SLICE("listener/ns/gw/c")));
	snap_store_free(&store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_trace),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_calls),
	    cmocka_unit_test(test_hellos),
	    cmocka_unit_test(test_flows),
	    cmocka_unit_test(test_tries),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_equal_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
