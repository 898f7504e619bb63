/* Views: who gets which unit, what a cursor reads, and, by random histories,
 * that what was read is what starting anew would give. */
#include "stream/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/map.h"
#include "core/memory.h"
#include "core/random.h"
#include "wire/record_binary.h"

#define ALL_KINDS ((1u << UNIT__COUNT) - 1)

static void
put(struct stream_views *views, const char *name,
    const struct record_type *type, const void *record)
{
	struct text bytes;

	text_init(&bytes);
	wire_record_encode(&bytes, type, record);
	assert_int_equal(stream_views_put(views, slice_from_string(name),
	                     text_slice(&bytes)),
	    ERROR_OK);
	text_fini(&bytes);
}

static void
put_listener(
    struct stream_views *views, const char *gateway, const char *certificate)
{
	struct slice certificates[] = {slice_from_string(certificate)};
	char name[128];
	struct unit_listener listener = {
	    .gateway_namespace = SLICE("ns"),
	    .gateway_name = slice_from_string(gateway),
	    .name = SLICE("http"),
	    .port = 80,
	    .protocol = UNIT_PROTOCOL_HTTP,
	    .certificates = certificate ? certificates : NULL,
	    .certificates_count = certificate ? 1 : 0,
	};

	snprintf(name, sizeof(name), "listener/ns/%s/http", gateway);
	put(views, name, &unit_listener_type, &listener);
}

/* listeners: of gateways, comma between them; services as well. */
static void
put_route(struct stream_views *views, const char *name, const char *gateways,
    const char *services)
{
	struct slice listeners[8], rest = slice_from_string(gateways), part;
	struct unit_backend backends[8];
	char texts[16][64], unit[128];
	struct unit_rule rule = {.identity = SLICE("r"), .backends = backends};
	struct unit_route route = {
	    .listeners = listeners,
	    .rules = &rule,
	    .rules_count = 1,
	};

	while (rest.length > 0 && slice_cut(&rest, ',', &part)) {
		char *text = texts[route.listeners_count];

		snprintf(text, 64, "listener/ns/%.*s/http", SLICE_ARGS(part));
		listeners[route.listeners_count++] = slice_from_string(text);
	}
	rest = slice_from_string(services);
	while (rest.length > 0 && slice_cut(&rest, ',', &part)) {
		char *text = texts[8 + rule.backends_count];

		snprintf(text, 64, "service/ns/%.*s", SLICE_ARGS(part));
		backends[rule.backends_count++] = (struct unit_backend){
		    .target = slice_from_string(text),
		    .port = 80,
		    .weight = 1,
		};
	}
	snprintf(unit, sizeof(unit), "route/HTTPRoute/ns/%s", name);
	put(views, unit, &unit_route_type, &route);
}

static void
put_service(struct stream_views *views, const char *name, int64_t port)
{
	struct unit_service_port ports[] = {{.number = port}};
	struct unit_service service = {.ports = ports, .ports_count = 1};
	char unit[128];

	snprintf(unit, sizeof(unit), "service/ns/%s", name);
	put(views, unit, &unit_service_type, &service);
}

static void
put_endpoints(struct stream_views *views, const char *name, const char *service)
{
	char text[64], unit[128];
	struct unit_endpoints endpoints = {0};

	snprintf(text, sizeof(text), "service/ns/%s", service);
	snprintf(unit, sizeof(unit), "endpoints/ns/%s", name);
	endpoints.service = slice_from_string(text);
	put(views, unit, &unit_endpoints_type, &endpoints);
}

static void
put_certificate(struct stream_views *views, const char *name)
{
	struct unit_certificate certificate = {SLICE("c"), SLICE("k")};

	put(views, name, &unit_certificate_type, &certificate);
}

/* Reads all that there is: "+name" or "-name", separated by spaces. */
static void
read_all(struct stream_cursor *cursor, char *out, size_t size)
{
	struct stream_change change;
	size_t length = 0;

	out[0] = '\0';
	while (stream_cursor_next(cursor, &change))
		length += (size_t)snprintf(out + length, size - length,
		    "%s%c%.*s", length > 0 ? " " : "",
		    slice_is_set(change.bytes) ? '+' : '-',
		    SLICE_ARGS(change.name));
}

static void
assert_reads(struct stream_cursor *cursor, const char *wanted)
{
	char got[2048];

	read_all(cursor, got, sizeof(got));
	assert_string_equal(got, wanted);
}

static void
test_reach(void **state)
{
	struct stream_views *views = stream_views_new();
	struct stream_view *a = stream_view_ref(views, SLICE("ns/a"));
	struct stream_view *b = stream_view_ref(views, SLICE("ns/b"));
	struct stream_cursor of_a = {0}, of_b = {0};

	(void)state;
	stream_cursor_open(&of_a, a);
	stream_cursor_open(&of_b, b);
	put_endpoints(views, "s1-x", "s1");
	put_service(views, "s1", 80);
	put_certificate(views, "certificate/ns/c");
	put_listener(views, "a", NULL);
	assert_true(stream_view_is_served(a));
	assert_false(stream_view_is_served(b));
	assert_reads(&of_a, "+listener/ns/a/http");
	assert_reads(&of_b, "");
	/* A route brings what it leads to, to those it names. */
	put_route(views, "r", "a", "s1,none");
	assert_reads(
	    &of_a, "+route/HTTPRoute/ns/r +service/ns/s1 +endpoints/ns/s1-x");
	assert_reads(&of_b, "");
	put_route(views, "r", "a,b", "s1");
	assert_reads(&of_a, "+route/HTTPRoute/ns/r");
	assert_reads(
	    &of_b, "+route/HTTPRoute/ns/r +service/ns/s1 +endpoints/ns/s1-x");
	/* A shared unit goes to both, and to the one that is left. */
	put_service(views, "s1", 81);
	assert_reads(&of_a, "+service/ns/s1");
	assert_reads(&of_b, "+service/ns/s1");
	put_route(views, "r", "b", "s1");
	assert_reads(
	    &of_a, "-endpoints/ns/s1-x -service/ns/s1 -route/HTTPRoute/ns/r");
	assert_reads(&of_b, "+route/HTTPRoute/ns/r");
	/* Endpoints that change their service. */
	put_endpoints(views, "s1-x", "s2");
	assert_reads(&of_b, "-endpoints/ns/s1-x");
	put_listener(views, "a", "certificate/ns/c");
	assert_reads(&of_a, "+listener/ns/a/http +certificate/ns/c");
	put_listener(views, "a", NULL);
	assert_reads(&of_a, "+listener/ns/a/http -certificate/ns/c");
	stream_views_drop(views, SLICE("listener/ns/a/http"));
	assert_reads(&of_a, "-listener/ns/a/http");
	assert_false(stream_view_is_served(a));
	stream_cursor_close(&of_a);
	stream_cursor_close(&of_b);
	stream_view_unref(&a);
	stream_view_unref(&b);
	stream_views_free(&views);
}

/* A slow reader gets the last state of each unit, once. */
static void
test_slow(void **state)
{
	struct stream_views *views = stream_views_new();
	struct stream_view *a = stream_view_ref(views, SLICE("ns/a"));
	struct stream_cursor cursor = {0};
	struct stream_change change;

	(void)state;
	stream_cursor_open(&cursor, a);
	put_route(views, "r", "a", "s1,s2,s3");
	put_service(views, "s1", 80);
	put_service(views, "s2", 80);
	put_service(views, "s3", 80);
	assert_true(stream_cursor_next(&cursor, &change));
	for (int i = 0; i < 100; i++)
		put_service(views, "s1", 100 + i);
	stream_views_drop(views, SLICE("service/ns/s2"));
	assert_reads(&cursor, "+service/ns/s3 +service/ns/s1 -service/ns/s2");
	/* Equal bytes are no change. */
	put_service(views, "s3", 80);
	assert_reads(&cursor, "");
	stream_cursor_close(&cursor);
	stream_view_unref(&a);
	stream_views_free(&views);
}

/* ---- random histories ---- */

#define NAMES 5

static void
change_any(struct stream_views *views, struct random *random)
{
	static const char *const names[NAMES] = {"a", "b", "c", "d", "e"};
	const char *name = names[random_below(random, NAMES)];
	char list[2][32], unit[64];
	static const char *const kinds[] = {"listener", "route/HTTPRoute",
	    "service", "endpoints", "certificate"};
	unsigned kind;

	for (unsigned i = 0; i < 2; i++)
		snprintf(list[i], sizeof(list[i]), "%s,%s",
		    names[random_below(random, NAMES)],
		    names[random_below(random, NAMES)]);
	switch (random_below(random, 8)) {
	case 0:
		snprintf(unit, sizeof(unit), "certificate/ns/%s",
		    names[random_below(random, NAMES)]);
		put_listener(
		    views, name, random_below(random, 2) ? unit : NULL);
		return;
	case 1:
	case 2:
		put_route(views, name, list[0], list[1]);
		return;
	case 3:
		put_service(views, name, 1 + random_below(random, 3));
		return;
	case 4:
		put_endpoints(views, name, names[random_below(random, NAMES)]);
		return;
	case 5:
		snprintf(unit, sizeof(unit), "certificate/ns/%s", name);
		put_certificate(views, unit);
		return;
	default:
		kind = random_below(random, 5);
		snprintf(unit, sizeof(unit), "%s/ns/%s%s", kinds[kind], name,
		    kind == 0 ? "/http" : "");
		stream_views_drop(views, slice_from_string(unit));
	}
}

/* What a reader has: the sum of the digests of what it was told. */
struct reader_of_view {
	struct stream_view *view;
	struct stream_cursor cursor;
	struct map held; /* name -> digest */
};

struct held {
	struct unit_digest digest;
	char name[64];
};

static void
read_some(struct reader_of_view *reader, unsigned most)
{
	struct stream_change change;

	while (most-- > 0 && stream_cursor_next(&reader->cursor, &change)) {
		memory_free(map_remove(&reader->held, change.name));
		if (!slice_is_set(change.bytes))
			continue;
		struct held *held = memory_zero(1, sizeof(*held));

		held->digest = change.digest;
		memcpy(held->name, change.name.data, change.name.length);
		map_put(&reader->held,
		    slice_make(held->name, change.name.length), held);
	}
}

static void
assert_caught_up(struct reader_of_view *reader)
{
	struct feed_generation sum = {0}, wanted;
	struct slice name;
	void *value;

	read_some(reader, 1000);
	for (size_t at = 0; map_next(&reader->held, &at, &name, &value);)
		feed_generation_add(&sum, &((struct held *)value)->digest);
	wanted = stream_view_generation(reader->view, ALL_KINDS);
	assert_true(feed_generation_equal(&sum, &wanted));
}

static void
close_reader(struct reader_of_view *reader)
{
	struct slice name;
	void *value;

	for (size_t at = 0; map_next(&reader->held, &at, &name, &value);)
		memory_free(value);
	map_fini(&reader->held);
	stream_cursor_close(&reader->cursor);
	stream_view_unref(&reader->view);
}

static void
open_reader(struct reader_of_view *reader, struct stream_views *views,
    struct slice gateway)
{
	*reader =
	    (struct reader_of_view){.view = stream_view_ref(views, gateway)};
	map_init(&reader->held);
	stream_cursor_open(&reader->cursor, reader->view);
}

static void
run_history(uint64_t seed)
{
	static const struct slice gateways[] = {
	    SLICE("ns/a"), SLICE("ns/b"), SLICE("ns/c")};
	struct stream_views *views = stream_views_new();
	struct reader_of_view readers[3], fresh;
	struct random random;

	random_init_seed(&random, seed);
	for (unsigned i = 0; i < 3; i++)
		open_reader(&readers[i], views, gateways[i]);
	for (unsigned step = 0; step < 120; step++) {
		unsigned i = random_below(&random, 3);

		change_any(views, &random);
		read_some(&readers[i], random_below(&random, 4));
		if (random_below(&random, 10) == 0) {
			close_reader(&readers[i]);
			open_reader(&readers[i], views, gateways[i]);
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_caught_up(&readers[i]);
		open_reader(&fresh, views, gateways[i]);
		assert_caught_up(&fresh);
		assert_int_equal(fresh.held.count, readers[i].held.count);
		close_reader(&fresh);
		close_reader(&readers[i]);
	}
	stream_views_free(&views);
}

static void
test_histories(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2000; seed++)
		run_history(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reach),
	    cmocka_unit_test(test_slow),
	    cmocka_unit_test(test_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
