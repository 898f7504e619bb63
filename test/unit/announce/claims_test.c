/* What there is no more makes room for what comes with the same batch, and for
 * what was refused before. */
#include "announce/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdio.h>

#include "core/limit.h"
#include "wire/record_binary.h"

static void
on_change(void *context)
{
	(void)context;
}

static void
put(struct feed_batch *batch, unsigned number)
{
	char name[64];
	struct text bytes;

	snprintf(name, sizeof(name), "claim/10.%u.%u.%u", number >> 16,
	    number >> 8 & 255, number & 255);
	const struct unit_claim claim = {
	    .address = slice_from_string(name + sizeof("claim/") - 1)};
	text_init(&bytes);
	wire_record_encode(&bytes, &unit_claim_type, &claim);
	feed_batch_put(batch, slice_from_string(name), text_slice(&bytes));
	text_fini(&bytes);
}

/* Returns how many of the claims are refused. */
static unsigned
take(struct announce_claims *claims, unsigned first, unsigned count)
{
	struct feed_batch *batch = feed_batch_new();
	struct feed_reply *reply;
	unsigned refused = 0;

	batch->whole = true;
	for (unsigned i = 0; i < count; i++)
		put(batch, first + i);
	feed_offer(claims->feed, &batch);
	announce_claims_take(claims);
	while ((reply = feed_take_reply(claims->feed)) != NULL) {
		refused += reply->kind == FEED_REFUSE;
		feed_reply_free(&reply);
	}
	return refused;
}

static void
drop(struct announce_claims *claims, unsigned number)
{
	char name[64];

	snprintf(name, sizeof(name), "claim/10.%u.%u.%u", number >> 16,
	    number >> 8 & 255, number & 255);
	announce_claims_drop(claims, slice_from_string(name));
}

/* Returns how many claims are refused no more. */
static unsigned
admitted(struct announce_claims *claims)
{
	struct feed_reply *reply;
	unsigned admitted = 0;

	announce_claims_report(claims);
	while ((reply = feed_take_reply(claims->feed)) != NULL) {
		admitted +=
		    reply->kind == FEED_REFUSE && reply->why.length == 0;
		feed_reply_free(&reply);
	}
	return admitted;
}

static void
test_makes_room(void **state)
{
	(void)state;
	const unsigned most = LIMIT_VALUE_ANNOUNCE_ADDRESSES;
	struct announce_claims claims;
	struct announcer *announcer;
	struct net_loop *loop = net_loop_new();
	struct feed *feed = feed_new();

	/* Beside what the host itself announces. */
	if (unshare(CLONE_NEWNET) != 0)
		(void)!unshare(CLONE_NEWUSER | CLONE_NEWNET);
	assert_non_null(loop);
	const struct announcer_options options = {
	    .loop = loop, .on_change = on_change};
	assert_int_equal(announcer_new(&options, &announcer), ERROR_OK);
	announce_claims_init(&claims, announcer, feed);
	assert_int_equal(take(&claims, 0, most), 0);
	assert_int_equal(take(&claims, 1, most), 0);
	assert_int_equal(take(&claims, most + 1, most), 0);
	assert_int_equal(take(&claims, most + 1, most + 2), 2);
	assert_int_equal(admitted(&claims), 0);
	drop(&claims, most + 1);
	assert_int_equal(admitted(&claims), 1);
	assert_int_equal(admitted(&claims), 0);
	drop(&claims, most + 2);
	drop(&claims, most + 3);
	assert_int_equal(admitted(&claims), 1);
	assert_true(announcer_has_room(announcer));
	announce_claims_fini(&claims);
	announcer_free(&announcer);
	feed_free(feed);
	net_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_makes_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
