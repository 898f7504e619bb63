/* Batches and the generation that they lead to. */
#include "ctl/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static struct feed_generation
sum(const struct slice pairs[][2], unsigned count)
{
	struct feed_generation generation = {0};

	for (unsigned i = 0; i < count; i++) {
		struct unit_digest digest =
		    snap_unit_digest(pairs[i][0], pairs[i][1]);

		feed_generation_add(&generation, &digest);
	}
	return generation;
}

static void
generation_is_the_sum_of_what_is_there(void **state)
{
	const struct slice first[][2] = {{SLICE("service/n/a"), SLICE("1")},
	    {SLICE("service/n/b"), SLICE("2")}};
	const struct slice second[][2] = {{SLICE("service/n/b"), SLICE("3")}};
	struct feed_generation want;
	struct feed_batch *batch;
	struct ctl_units units;
	struct gw_tag a = {0}, b = {0}, never = {0};

	(void)state;
	ctl_units_init(&units);
	ctl_units_put(&units, first[0][0], first[0][1], &a);
	ctl_units_put(&units, first[1][0], first[1][1], &b);
	batch = ctl_units_take(&units);
	assert_non_null(batch);
	assert_true(batch->whole);
	assert_int_equal(batch->count, 2);
	want = sum(first, 2);
	assert_true(feed_generation_equal(&batch->generation, &want));
	feed_batch_free(&batch);
	assert_null(ctl_units_take(&units));

	ctl_units_put(&units, second[0][0], second[0][1], &b);
	ctl_units_put(&units, first[0][0], SLICE_NONE, &a);
	ctl_units_put(&units, SLICE("service/n/never"), SLICE_NONE, &never);
	batch = ctl_units_take(&units);
	assert_false(batch->whole);
	assert_int_equal(batch->count, 3);
	assert_false(slice_is_set(batch->changes[1].bytes));
	want = sum(second, 1);
	assert_true(feed_generation_equal(&batch->generation, &want));
	feed_batch_free(&batch);
	ctl_units_put(&units, second[0][0], second[0][1], &b);
	ctl_units_fini(&units);
}

/* Nothing to serve is a configuration too. */
static void
first_batch_may_be_empty(void **state)
{
	struct ctl_units units;
	struct feed_batch *batch;

	(void)state;
	ctl_units_init(&units);
	batch = ctl_units_take(&units);
	assert_non_null(batch);
	assert_true(batch->whole);
	assert_int_equal(batch->count, 0);
	feed_batch_free(&batch);
	assert_null(ctl_units_take(&units));
	ctl_units_fini(&units);
}

/* Many go in parts, the last of which is the batch's end, even an empty one. */
static void
many_go_in_parts(void **state)
{
	struct ctl_units units;
	struct feed_batch *batch;
	unsigned parts = 0, changes = 0;

	(void)state;
	ctl_units_init(&units);
	while (parts < 3) {
		char name[32];
		struct gw_tag tag = {0};

		snprintf(name, sizeof(name), "service/n/%u", changes++);
		ctl_units_put(
		    &units, slice_from_string(name), SLICE("1"), &tag);
		batch = ctl_units_take_part(&units);
		if (batch == NULL)
			continue;
		parts++;
		assert_true(batch->part);
		assert_false(batch->whole);
		assert_int_equal(batch->count * parts, changes);
		feed_batch_free(&batch);
		assert_null(ctl_units_take_part(&units));
	}
	batch = ctl_units_take(&units);
	assert_non_null(batch);
	assert_int_equal(batch->count, 0);
	assert_true(batch->whole);
	assert_false(batch->part);
	assert_true(
	    feed_generation_equal(&batch->generation, &units.generation));
	feed_batch_free(&batch);
	assert_null(ctl_units_take(&units));
	ctl_units_fini(&units);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(generation_is_the_sum_of_what_is_there),
	    cmocka_unit_test(first_batch_may_be_empty),
	    cmocka_unit_test(many_go_in_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
