/* How listeners fare: told once when it changes, with the reason of now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "rig.h"

#define NAME "listener/ns/gate/a"

static void
put(struct rig *rig, const char *name, const char *address, uint16_t port,
    bool whole)
{
	struct feed_batch *batch = feed_batch_new();

	rig_put_listener(batch, name, address, port);
	rig_offer(rig, &batch, whole, 1);
	rig_serve(rig);
}

/* Changes that do not touch it say nothing. */
static void
test_once(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();

	put(rig, NAME, "127.0.0.1", port, true);
	put(rig, "listener/ns/gate/b", "127.0.0.1", port, false);
	put(rig, "listener/ns/gate/c", "127.0.0.1", rig_free_port(), false);
	assert_int_equal(rig_replies(rig, FEED_REPORT, NAME, NULL), 1);
	assert_int_equal(
	    rig_replies(rig, FEED_REPORT, "listener/ns/gate/b", NULL), 1);
}

/* It goes and comes again: told again. */
static void
test_again(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();
	struct feed_batch *batch = feed_batch_new();

	put(rig, NAME, "127.0.0.1", port, true);
	feed_batch_drop(batch, SLICE(NAME));
	rig_offer(rig, &batch, false, 2);
	rig_serve(rig);
	rig_give_back(rig, 0);
	rig_give_back(rig, 1);
	assert_int_equal(rig_replies(rig, FEED_REPORT, NAME, NULL), 1);
	put(rig, NAME, "127.0.0.1", port, false);
	assert_int_equal(rig_replies(rig, FEED_REPORT, NAME, NULL), 2);
}

/* From one port in use to another: the reason names the new one. */
static void
test_other_reason(void **state)
{
	struct rig *rig = *state;
	uint16_t one = 0, two = 0;
	int first = rig_occupy(&one), second = rig_occupy(&two);
	const struct feed_reply *before, *after;

	put(rig, NAME, "127.0.0.1", one, true);
	assert_int_equal(rig_replies(rig, FEED_REPORT, NAME, &before), 1);
	put(rig, NAME, "127.0.0.1", two, false);
	assert_int_equal(rig_replies(rig, FEED_REPORT, NAME, &after), 2);
	assert_int_equal(after->error, ERROR_IN_USE);
	assert_false(slice_equal(before->why, after->why));
	close(first);
	close(second);
}

/* One of two addresses does not open: the listener has failed, the other one
 * is served. */
static void
test_worst(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();
	struct slice addresses[] = {SLICE("127.0.0.1"), SLICE("192.0.2.1")};
	struct unit_listener listener = {
	    .gateway_namespace = SLICE("ns"),
	    .gateway_name = SLICE("gate"),
	    .name = SLICE("http"),
	    .addresses = addresses,
	    .addresses_count = 2,
	    .port = port,
	    .protocol = UNIT_PROTOCOL_HTTP,
	};
	struct feed_batch *batch = feed_batch_new();
	const struct feed_reply *reply;

	rig_put(batch, NAME, &listener);
	rig_offer(rig, &batch, true, 1);
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_REPORT, NAME, &reply), 1);
	assert_int_equal(reply->error, ERROR_NOT_FOUND);
	assert_true(rig_connects(port));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_once),
	    TEST(test_again),
	    TEST(test_other_reason),
	    TEST(test_worst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
