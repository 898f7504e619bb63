/* The feed: sums of digests, batches and replies, and a mailbox between two
 * threads that loses nothing and keeps the order. */
#include "snap/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

static void
test_generation(void **state)
{
	struct feed_generation sum = {{0}}, before;
	struct unit_digest ones, one = {{1}}, other = {{0xf0, 0x12, [15] = 7}};
	char text[33];

	(void)state;
	memset(&ones, 0xff, sizeof(ones));
	feed_generation_add(&sum, &ones);
	feed_generation_format(&sum, text);
	assert_string_equal(text, "ffffffffffffffffffffffffffffffff");
	/* The carry runs through, and out. */
	feed_generation_add(&sum, &one);
	feed_generation_format(&sum, text);
	assert_string_equal(text, "00000000000000000000000000000000");
	feed_generation_remove(&sum, &one);
	feed_generation_format(&sum, text);
	assert_string_equal(text, "ffffffffffffffffffffffffffffffff");

	before = sum;
	feed_generation_add(&sum, &other);
	assert_false(feed_generation_equal(&sum, &before));
	feed_generation_add(&sum, &one);
	feed_generation_remove(&sum, &other);
	feed_generation_remove(&sum, &one);
	assert_true(feed_generation_equal(&sum, &before));
}

static void
test_batch(void **state)
{
	struct feed_batch *batch = feed_batch_new();

	(void)state;
	assert_int_equal(batch->count, 0);
	for (unsigned i = 0; i < 1000; i++) {
		char name[] = "listener/?";

		name[9] = (char)('a' + i % 26);
		if (i % 3)
			feed_batch_put(batch, slice_from_string(name),
			    slice_make(name, i % 10));
		else
			feed_batch_drop(batch, slice_from_string(name));
	}
	feed_batch_put(batch, SLICE("empty"), SLICE_NONE);
	assert_int_equal(batch->count, 1001);
	for (unsigned i = 0; i < 1000; i++) {
		const struct feed_change *change = &batch->changes[i];

		assert_int_equal(change->name.data[9], 'a' + i % 26);
		assert_int_equal(slice_is_set(change->bytes), i % 3 != 0);
		if (i % 3)
			assert_int_equal(change->bytes.length, i % 10);
	}
	assert_true(slice_is_set(batch->changes[1000].bytes));
	feed_batch_free(&batch);
	assert_null(batch);
	feed_batch_free(&batch);
}

static void
test_reply(void **state)
{
	struct feed_reply *reply =
	    feed_reply_new(FEED_REFUSE, SLICE("route/x"), SLICE("because"));

	(void)state;
	assert_int_equal(reply->kind, FEED_REFUSE);
	assert_int_equal(reply->error, ERROR_OK);
	assert_true(slice_equal(reply->name, SLICE("route/x")));
	assert_true(slice_equal(reply->why, SLICE("because")));
	feed_reply_free(&reply);
	assert_null(reply);
}

static void
test_reply_of_a_claim(void **state)
{
	struct feed_reply *plain =
	    feed_reply_new(FEED_REPORT, SLICE("listener/x"), SLICE(""));
	const struct feed_claim claim = {
	    .error = ERROR_IN_USE,
	    .why = SLICE("another has it"),
	    .node = SLICE("a"),
	    .interfaces = SLICE("eth0,eth1"),
	    .rival = SLICE("52:54:00:00:00:01"),
	};
	const struct feed_claim held = {.interfaces = SLICE("eth0")},
	                        nothing = {.node = SLICE("a")};

	(void)state;
	assert_false(feed_reply_says(plain));
	plain->error = ERROR_AGAIN;
	assert_true(feed_reply_says(plain));
	feed_reply_free(&plain);

	struct feed_reply *reply =
	    feed_reply_new_claim(SLICE("claim/10.0.0.1"), &claim);
	assert_int_equal(reply->kind, FEED_CLAIM);
	assert_int_equal(reply->error, ERROR_IN_USE);
	assert_int_equal(reply->claim.error, ERROR_IN_USE);
	assert_true(slice_equal(reply->name, SLICE("claim/10.0.0.1")));
	assert_true(slice_equal(reply->why, claim.why));
	assert_true(slice_equal(reply->claim.why, claim.why));
	assert_true(slice_equal(reply->claim.node, claim.node));
	assert_true(slice_equal(reply->claim.interfaces, claim.interfaces));
	assert_true(slice_equal(reply->claim.rival, claim.rival));
	assert_true(feed_reply_says(reply));
	feed_reply_free(&reply);
	reply = feed_reply_new_claim(SLICE("claim/10.0.0.1"), &held);
	assert_true(feed_reply_says(reply));
	feed_reply_free(&reply);
	reply = feed_reply_new_claim(SLICE("claim/10.0.0.1"), &nothing);
	assert_false(feed_reply_says(reply));
	feed_reply_free(&reply);
}

#define POSTED 2000

static void
on_wake(void *context)
{
	atomic_fetch_add((atomic_uint *)context, 1);
}

static void *
offer_all(void *context)
{
	for (uint32_t i = 0; i < POSTED; i++) {
		struct feed_batch *batch = feed_batch_new();

		batch->generation.bytes[0] = (uint8_t)i;
		batch->generation.bytes[1] = (uint8_t)(i >> 8);
		feed_offer(context, &batch);
		assert_null(batch);
	}
	return NULL;
}

static void
test_mailbox(void **state)
{
	struct feed *feed = feed_new();
	struct feed_reply *reply;
	atomic_uint offers = 0, replies = 0;
	pthread_t thread;
	uint32_t taken = 0;

	(void)state;
	feed_on_offer(feed, on_wake, &offers);
	feed_on_reply(feed, on_wake, &replies);
	assert_null(feed_take_offer(feed));
	assert_null(feed_take_reply(feed));
	assert_int_equal(pthread_create(&thread, NULL, offer_all, feed), 0);
	while (taken < POSTED) {
		struct feed_batch *batch = feed_take_offer(feed);

		if (!batch) {
			sched_yield();
			continue;
		}
		assert_int_equal(batch->generation.bytes[0], taken & 0xff);
		assert_int_equal(batch->generation.bytes[1], taken >> 8);
		feed_batch_free(&batch);
		reply = feed_reply_new(FEED_CONFIRM, SLICE(""), SLICE(""));
		feed_answer(feed, &reply);
		assert_null(reply);
		taken++;
	}
	pthread_join(thread, NULL);
	assert_int_equal(offers, POSTED);
	assert_int_equal(replies, POSTED);
	reply = feed_take_reply(feed);
	assert_int_equal(reply->kind, FEED_CONFIRM);
	feed_reply_free(&reply);
	/* What was not taken goes with the feed. */
	offer_all(feed);
	feed_free(feed);
	feed_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_generation),
	    cmocka_unit_test(test_batch),
	    cmocka_unit_test(test_reply),
	    cmocka_unit_test(test_reply_of_a_claim),
	    cmocka_unit_test(test_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
