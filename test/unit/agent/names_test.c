/* Names of external backends: those that units need are watched, and no others;
 * answers go into the set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "core/must.h"
#include "rig.h"

static void
put_external(struct feed_batch *batch, const char *name, const char *hostname)
{
	struct unit_external external = {
	    .hostname = slice_from_string(hostname), .port = 80};

	rig_put(batch, name, &external);
}

static void
put_route(struct feed_batch *batch, const char *target)
{
	struct unit_backend backend = {
	    .target = slice_from_string(target), .weight = 1};
	struct unit_rule rule = {.backends = &backend, .backends_count = 1};
	struct unit_route route = {
	    .rules = &rule,
	    .rules_count = 1,
	};

	rig_put(batch, "route/HTTPRoute/ns/r", &route);
}

static bool
watched(const char *name)
{
	for (unsigned i = 0; i < rig_asked.name_count; i++)
		if (strcmp(rig_asked.names[i], name) == 0)
			return true;
	return false;
}

static void
answer(struct rig *rig, const char *name, const char *first, const char *second,
    enum error error)
{
	const char *texts[] = {first, second};
	struct net_address addresses[2];
	unsigned count = 0;

	for (; count < 2 && texts[count] != NULL; count++)
		must(net_address_parse(slice_from_string(texts[count]), 0,
		         &addresses[count]) == ERROR_OK);
	rig_asked.on_name(rig_asked.name_context, slice_from_string(name),
	    addresses, count, error);
	rig_settle(rig);
}

static const struct snap_backend *
backend(void)
{
	const struct snap_set *set = rig_asked.workers[0]->wanted;

	return snap_set_backend(set, 0);
}

/* The channel comes with the first name; a name that two need is watched once,
 * until the last has gone. */
static void
test_watch(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	rig_offer(rig, &batch, true, 1);
	assert_int_equal(rig_asked.channels, 0);
	batch = feed_batch_new();
	put_external(batch, "external/ns/a", "one.test");
	put_external(batch, "external/ns/b", "one.test");
	put_external(batch, "external/ns/c", "two.test");
	rig_offer(rig, &batch, false, 2);
	assert_int_equal(rig_asked.channels, 1);
	assert_int_equal(rig_asked.name_count, 2);
	assert_true(watched("one.test") && watched("two.test"));

	batch = feed_batch_new();
	feed_batch_drop(batch, SLICE("external/ns/a"));
	put_external(batch, "external/ns/c", "three.test");
	rig_offer(rig, &batch, false, 3);
	assert_int_equal(rig_asked.name_count, 2);
	assert_true(watched("one.test") && watched("three.test"));

	batch = feed_batch_new();
	feed_batch_drop(batch, SLICE("external/ns/b"));
	feed_batch_drop(batch, SLICE("external/ns/c"));
	rig_offer(rig, &batch, false, 4);
	assert_int_equal(rig_asked.name_count, 0);
}

static void
test_answer(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	unsigned confirmed;

	put_external(batch, "external/ns/a", "one.test");
	put_route(batch, "external/ns/a");
	rig_offer(rig, &batch, true, 1);
	rig_serve(rig);
	assert_int_equal(backend()->endpoint_count, 0);
	answer(rig, "one.test", "10.0.0.1", "2001:db8::1", ERROR_OK);
	assert_int_equal(backend()->endpoint_count, 2);
	assert_true(
	    slice_equal(backend()->endpoints[0].address, SLICE("10.0.0.1")));
	assert_true(
	    slice_equal(backend()->endpoints[1].address, SLICE("2001:db8::1")));
	assert_int_equal(backend()->endpoints[0].port, 80);
	rig_serve(rig);
	confirmed = rig_replies(rig, FEED_CONFIRM, "", NULL);
	assert_true(confirmed >= 1);

	/* One that fails keeps the last; so does one for a name that nobody
	 * has asked for. */
	answer(rig, "one.test", NULL, NULL, ERROR_NAME_SERVER);
	answer(rig, "other.test", "10.0.0.9", NULL, ERROR_OK);
	assert_int_equal(backend()->endpoint_count, 2);
	answer(rig, "one.test", "10.0.0.2", NULL, ERROR_OK);
	assert_int_equal(backend()->endpoint_count, 1);
}

/* An answer that comes before there is a whole set waits for it. */
static void
test_early(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	put_external(batch, "external/ns/a", "one.test");
	put_route(batch, "external/ns/a");
	rig_offer(rig, &batch, true, 1);
	answer(rig, "one.test", "10.0.0.1", NULL, ERROR_OK);
	answer(rig, "one.test", "10.0.0.2", NULL, ERROR_OK);
	assert_int_equal(backend()->endpoint_count, 1);
	assert_true(
	    slice_equal(backend()->endpoints[0].address, SLICE("10.0.0.2")));
}

/* Without a resolver the rest is served, and it is tried again with the next
 * change. */
static void
test_no_resolver(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	rig_asked.no_names = true;
	put_external(batch, "external/ns/a", "one.test");
	rig_offer(rig, &batch, true, 1);
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 1);
	rig_asked.no_names = false;
	batch = feed_batch_new();
	put_external(batch, "external/ns/b", "two.test");
	rig_offer(rig, &batch, false, 2);
	assert_int_equal(rig_asked.name_count, 2);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_watch),
	    TEST(test_answer),
	    TEST(test_early),
	    TEST(test_no_resolver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
