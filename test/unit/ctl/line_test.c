/* Who is next in the line of statuses, and how long who was refused rests. */
#include "ctl/line_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { ROWS = 100 };

static void
init_rows(struct ctl_object_row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		rows[i] = (struct ctl_object_row){.hash = i};
		list_init(&rows[i].due);
	}
}

static void
test_order(void **state)
{
	struct ctl_object_row rows[3];
	struct ctl_line line;

	(void)state;
	ctl_line_init(&line);
	init_rows(rows, 3);
	assert_true(ctl_line_is_empty(&line));
	assert_null(ctl_line_take(&line));
	for (unsigned i = 0; i < 3; i++)
		ctl_line_add(&line, &rows[i]);
	ctl_line_add(&line, &rows[0]);
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(ctl_line_take(&line), &rows[i]);
	assert_true(ctl_line_is_empty(&line));
}

/* However many were refused, who comes then is the first or the second. */
static void
test_holds_up_no_other(void **state)
{
	struct ctl_object_row rows[ROWS], other;
	struct ctl_line line;

	(void)state;
	ctl_line_init(&line);
	init_rows(rows, ROWS);
	init_rows(&other, 1);
	for (unsigned i = 0; i < ROWS; i++)
		ctl_line_rest(&line, &rows[i], 1000);
	assert_true(ctl_line_is_empty(&line));
	ctl_line_add(&line, &other);
	assert_ptr_equal(ctl_line_take(&line), &other);
	assert_null(ctl_line_take(&line));
	assert_int_equal(ctl_line_wake(&line, 1200), 0);
	ctl_line_add(&line, &other);
	struct ctl_object_row *first = ctl_line_take(&line);
	struct ctl_object_row *second = ctl_line_take(&line);

	assert_true(first == &other || second == &other);
	assert_true(first == &rows[0] || second == &rows[0]);
}

/* Each turn goes to the others, so that neither waits for the other's end. */
static void
test_turns(void **state)
{
	struct ctl_object_row rows[8];
	struct ctl_line line;
	unsigned refused = 0;

	(void)state;
	ctl_line_init(&line);
	init_rows(rows, 8);
	for (unsigned i = 0; i < 4; i++)
		ctl_line_rest(&line, &rows[i], 0);
	(void)ctl_line_wake(&line, 200);
	for (unsigned i = 4; i < 8; i++)
		ctl_line_add(&line, &rows[i]);
	for (unsigned i = 0; i < 4; i++)
		refused += ctl_line_take(&line)->refusals;
	assert_int_equal(refused, 2);
}

/* Longer each time, up to an end, and short again after success. */
static void
test_rests(void **state)
{
	struct ctl_object_row row;
	struct ctl_line line;
	uint64_t now = UINT32_MAX - 1000, wait = 200;

	(void)state;
	ctl_line_init(&line);
	init_rows(&row, 1);
	for (unsigned i = 0; i < CTL_RESTS + 3; i++) {
		ctl_line_rest(&line, &row, now);
		ctl_line_add(&line, &row);
		assert_int_equal(ctl_line_wake(&line, now), wait);
		assert_int_equal(ctl_line_wake(&line, now + wait - 1), 1);
		assert_null(ctl_line_take(&line));
		now += wait;
		assert_int_equal(ctl_line_wake(&line, now), 0);
		assert_ptr_equal(ctl_line_take(&line), &row);
		if (i + 1 < CTL_RESTS)
			wait *= 2;
	}
	assert_int_equal(wait, 51200);
	ctl_line_forgive(&row);
	ctl_line_rest(&line, &row, now);
	assert_int_equal(ctl_line_wake(&line, now), 200);
	/* Nobody looked for a month: it does not rest for another one. */
	assert_int_equal(ctl_line_wake(&line, now + 30 * 86400000ULL), 0);
	assert_ptr_equal(ctl_line_take(&line), &row);
}

/* The first of several that rest is what is waited for. */
static void
test_next(void **state)
{
	struct ctl_object_row rows[2];
	struct ctl_line line;

	(void)state;
	ctl_line_init(&line);
	init_rows(rows, 2);
	ctl_line_rest(&line, &rows[0], 0);
	ctl_line_rest(&line, &rows[0], 0);
	ctl_line_rest(&line, &rows[1], 100);
	assert_int_equal(ctl_line_wake(&line, 100), 200);
	assert_int_equal(ctl_line_wake(&line, 300), 100);
	assert_ptr_equal(ctl_line_take(&line), &rows[1]);
	list_remove(&rows[0].due);
	assert_int_equal(ctl_line_wake(&line, 300), 0);
	assert_null(ctl_line_take(&line));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_holds_up_no_other),
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_rests),
	    cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
