/* What explain tells, on a few units. That it is what workers do is held end to
 * end; here are the shapes: sockets, candidates in their order, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <jansson.h>
#include "proxy/explain.h"
#include "wire/record_binary.h"

#define GET(host, path) "GET " path " HTTP/1.1\r\nHost: " host "\r\n\r\n"

static void
put(struct snap_store *store, const char *name, enum unit_kind kind,
    const void *record)
{
	struct text bytes;

	text_init(&bytes);
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	assert_int_equal(
	    snap_store_put(store, slice_from_string(name), text_slice(&bytes)),
	    ERROR_OK);
	text_fini(&bytes);
}

static void
put_listener(struct snap_store *store, const char *name, struct slice address,
    struct slice hostname)
{
	struct unit_listener listener = {
	    .gateway_namespace = SLICE("ns"),
	    .gateway_name = SLICE("gw"),
	    .name = slice_from_string(name),
	    .addresses = &address,
	    .addresses_count = address.length > 0,
	    .port = 80,
	    .protocol = UNIT_PROTOCOL_HTTP,
	    .hostname = hostname,
	};
	char unit[64];

	snprintf(unit, sizeof(unit), "listener/ns/gw/%s", name);
	put(store, unit, UNIT_LISTENER, &listener);
}

/* A rule of one Exact path, to a Service that is not there. */
static void
put_route(struct snap_store *store, const char *name, const char *listener,
    struct slice path)
{
	struct unit_backend backend = {
	    .target = SLICE("service/ns/gone"), .port = 80, .weight = 1};
	struct unit_match match = {.path_type = UNIT_PATH_EXACT, .path = path};
	struct unit_rule rule = {
	    .identity = SLICE("it"),
	    .matches = &match,
	    .matches_count = 1,
	    .backends = &backend,
	    .backends_count = 1,
	};
	struct slice listeners[] = {slice_from_string(listener)};
	struct unit_route route = {
	    .listeners = listeners,
	    .listeners_count = 1,
	    .rules = &rule,
	    .rules_count = 1,
	};
	char unit[64];

	snprintf(unit, sizeof(unit), "route/HTTPRoute/ns/%s", name);
	put(store, unit, UNIT_ROUTE, &route);
}

static json_t *
explain(struct snap_store *store, const char *head, const char *address,
    uint16_t port)
{
	struct proxy_explain asked = {
	    .store = store,
	    .set = snap_store_commit(store),
	    .head = slice_from_string(head),
	    .address = slice_from_string(address),
	    .port = port,
	};
	json_error_t error;
	struct text out;

	text_init(&out);
	proxy_explain(&out, &asked);
	json_t *told =
	    json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, &error);

	if (!told)
		fail_msg("%s: %.*s", error.text, SLICE_ARGS(text_slice(&out)));
	text_fini(&out);
	return told;
}

static void
expect(struct snap_store *store, const char *head, const char *address,
    uint16_t port, const char *verdict, const char *reason,
    const char *listener)
{
	json_t *told = explain(store, head, address, port);
	const char *got = json_string_value(json_object_get(told, "listener"));

	assert_string_equal(
	    json_string_value(json_object_get(told, "verdict")), verdict);
	assert_string_equal(
	    json_string_value(json_object_get(told, "reason")), reason);
	assert_string_equal(got ? got : "", listener);
	json_decref(told);
}

/* The address decides where it is said; else who takes the host. */
static void
test_sockets(void **state)
{
	struct snap_store *store = snap_store_new();

	(void)state;
	expect(store, GET("a.test", "/"), "", 80, "nowhere", "", "");
	put_listener(store, "one", SLICE("10.0.0.1"), SLICE("a.test"));
	put_listener(store, "two", SLICE("10.0.0.2"), SLICE("b.test"));
	put_listener(store, "three", SLICE("10.0.0.3"), SLICE("b.test"));
	expect(store, GET("a.test", "/"), "", 80, "refused", "no_route", "one");
	expect(store, GET("b.test", "/"), "", 80, "ambiguous", "", "");
	expect(store, GET("b.test", "/"), "10.0.0.3", 80, "refused", "no_route",
	    "three");
	expect(store, GET("b.test", "/"), "10.0.0.1", 80, "refused",
	    "no_listener", "");
	expect(store, GET("b.test", "/"), "10.0.0.4", 80, "nowhere", "", "");
	expect(store, GET("b.test", "/"), "10.0.0.3", 81, "nowhere", "", "");
	/* What is no such address goes to the socket of all addresses. */
	put_listener(store, "all", SLICE(""), SLICE(""));
	expect(store, GET("b.test", "/"), "10.0.0.4", 80, "refused", "no_route",
	    "all");
	expect(store, GET("b.test", "/"), "10.0.0.2", 80, "refused", "no_route",
	    "two");
	snap_store_free(&store);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *head, *verdict, *reason;
		int status;
	} rows[] = {
	    {"GET / HTTP/1.1\r\n\r\n", "refused", "http_request_error", 400},
	    {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", "refused",
	        "http_request_error", 505},
	    {GET("a b", "/"), "refused", "http_request_error", 400},
	    {GET("a", "/../x"), "refused", "http_request_error", 400},
	    {"GET / HTTP/1.1\r\nHost: a\r\n", "refused", "client_closed", 400},
	    {"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", "refused",
	        "http_request_error", 405},
	    {"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "refused",
	        "http_request_error", 501},
	    {"OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n",
	        "answer", "", 200},
	    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "refused", "no_route",
	        404},
	    {GET("a", "/x"), "refused", "ref_not_resolved", 500},
	};
	struct snap_store *store = snap_store_new();

	(void)state;
	put_listener(store, "all", SLICE(""), SLICE(""));
	put_route(store, "r", "listener/ns/gw/all", SLICE("/x"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *told = explain(store, rows[i].head, "", 80);
		const json_t *status = json_object_get(told, "status");

		if (json_integer_value(status) != rows[i].status)
			fail_msg("%s: %d", rows[i].head,
			    (int)json_integer_value(status));
		assert_string_equal(
		    json_string_value(json_object_get(told, "reason")),
		    rows[i].reason);
		assert_string_equal(
		    json_string_value(json_object_get(told, "verdict")),
		    rows[i].verdict);
		json_decref(told);
	}
	snap_store_free(&store);
}

/* The nearest of many are told, and how many were not. */
static void
test_candidates(void **state)
{
	struct snap_store *store = snap_store_new();
	json_t *told, *list;

	(void)state;
	put_listener(store, "all", SLICE(""), SLICE(""));
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "far%d", i);
		put_route(store, name, "listener/ns/gw/all", SLICE("/far"));
	}
	put_route(store, "near", "listener/ns/gw/all", SLICE("/cart/8"));
	told = explain(store, GET("a.test", "/cart/7"), "", 80);
	list = json_object_get(told, "candidates");
	assert_int_equal(json_array_size(list), 16);
	assert_int_equal(
	    json_integer_value(json_object_get(told, "candidatesLeft")), 25);
	assert_string_equal(json_string_value(json_object_get(
	                        json_array_get(list, 0), "route")),
	    "HTTPRoute/ns/near");
	assert_string_equal(json_string_value(json_object_get(
	                        json_array_get(list, 0), "match")),
	    "Exact /cart/8");
	json_decref(told);
	snap_store_free(&store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sockets),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_candidates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
