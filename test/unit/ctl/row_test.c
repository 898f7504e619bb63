/* Rows: what they are known by, and which a list has missed. */
#include "ctl/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/memory.h"
#include "wire/tree_json.h"

struct thing {
	struct ctl_row row;
	int value;
};

static struct thing *
add(struct map *rows, uint8_t kind, const char *namespace, const char *name)
{
	bool is_new;
	struct thing *thing = ctl_rows_make(rows, sizeof(*thing), kind,
	    slice_from_string(namespace), slice_from_string(name), &is_new);

	assert_non_null(thing);
	assert_true(is_new);
	assert_int_equal(thing->value, 0);
	return thing;
}

static void
free_all(struct map *rows)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(rows, &at, &key, &value);)
		memory_free(value);
	map_fini(rows);
}

static void
test_names(void **state)
{
	struct map rows;
	bool is_new;

	(void)state;
	ctl_rows_init(&rows);
	struct thing *one = add(&rows, 0, "shop", "web");
	struct thing *wide = add(&rows, 0, "", "web");
	struct thing *other = add(&rows, 1, "shop", "web");

	assert_true(slice_equal(ctl_row_namespace(&one->row), SLICE("shop")));
	assert_true(slice_equal(ctl_row_name(&one->row), SLICE("web")));
	assert_int_equal(ctl_row_namespace(&wide->row).length, 0);
	assert_true(slice_equal(ctl_row_name(&wide->row), SLICE("web")));
	assert_ptr_equal(
	    ctl_rows_get(&rows, 0, SLICE("shop"), SLICE("web")), one);
	assert_ptr_equal(
	    ctl_rows_get(&rows, 1, SLICE("shop"), SLICE("web")), other);
	assert_ptr_equal(
	    ctl_rows_get(&rows, 0, SLICE_NONE, SLICE("web")), wide);
	assert_null(ctl_rows_get(&rows, 2, SLICE("shop"), SLICE("web")));
	assert_ptr_equal(ctl_rows_make(&rows, sizeof(*one), 0, SLICE("shop"),
	                     SLICE("web"), &is_new),
	    one);
	assert_false(is_new);
	ctl_rows_remove(&rows, &one->row);
	assert_null(ctl_rows_get(&rows, 0, SLICE("shop"), SLICE("web")));
	memory_free(one);
	free_all(&rows);
}

static void
test_too_long(void **state)
{
	static char name[UINT16_MAX];
	struct map rows;

	(void)state;
	memset(name, 'n', sizeof(name));
	ctl_rows_init(&rows);
	assert_null(ctl_rows_make(&rows, sizeof(struct thing), 0, SLICE("shop"),
	    slice_make(name, sizeof(name)), NULL));
	free_all(&rows);
}

static void
test_missed(void **state)
{
	struct map rows;
	size_t count;

	(void)state;
	ctl_rows_init(&rows);
	assert_null(ctl_rows_missed(&rows, 0, 1, &count));
	assert_int_equal(count, 0);
	for (char name[2] = "a"; name[0] <= 'z'; name[0]++)
		for (uint8_t kind = 0; kind < 4; kind++)
			add(&rows, kind, "n", name)->row.epoch = name[0] & 1;
	struct ctl_row **missed = ctl_rows_missed(&rows, 2, 1, &count);

	assert_int_equal(count, 13);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(missed[i]->kind, 2);
		assert_int_equal(ctl_row_name(missed[i]).data[0] & 1, 0);
		ctl_rows_remove(&rows, missed[i]);
		memory_free(missed[i]);
	}
	memory_free(missed);
	assert_null(ctl_rows_missed(&rows, 2, 1, &count));
	free_all(&rows);
}

/* A server that begins lists for hours and ends none. */
static void
test_missed_after_many(void **state)
{
	struct map rows;
	size_t count;

	(void)state;
	ctl_rows_init(&rows);
	struct ctl_row *row = &add(&rows, 0, "shop", "web")->row;

	row->epoch = 1;
	for (unsigned lists = 0; lists < 70000; lists++) {
		struct ctl_row mark = *row;

		mark.epoch += lists;
		struct ctl_row **missed =
		    ctl_rows_missed(&rows, 0, mark.epoch, &count);

		assert_int_equal(count, lists > 0);
		memory_free(missed);
	}
	free_all(&rows);
}

static bool
is_past(const struct ctl_row *row, const char *json)
{
	struct arena arena;

	arena_init(&arena, 256);
	bool past = ctl_row_is_past(
	    row, wire_tree_from_json(slice_from_string(json), &arena));

	arena_fini(&arena);
	return past;
}

static void
test_past(void **state)
{
	struct map rows;

	(void)state;
	ctl_rows_init(&rows);
	struct ctl_row *row = &add(&rows, 0, "shop", "web")->row;

	assert_false(
	    is_past(row, "{\"metadata\":{\"resourceVersion\":\"1\"}}"));
	ctl_row_told(row, SLICE("100"));
	assert_true(
	    is_past(row, "{\"metadata\":{\"resourceVersion\":\"99\"}}"));
	assert_false(
	    is_past(row, "{\"metadata\":{\"resourceVersion\":\"100\"}}"));
	assert_false(
	    is_past(row, "{\"metadata\":{\"resourceVersion\":\"101\"}}"));
	/* Of what is no number nobody knows. */
	assert_false(
	    is_past(row, "{\"metadata\":{\"resourceVersion\":\"x\"}}"));
	assert_false(is_past(row, "{\"metadata\":{\"resourceVersion\":9}}"));
	assert_false(is_past(row, "{}"));
	ctl_row_told(row, SLICE("x"));
	assert_false(
	    is_past(row, "{\"metadata\":{\"resourceVersion\":\"1\"}}"));
	/* A server that was set back counts from there. */
	ctl_row_told(row, SLICE("7"));
	assert_true(is_past(row, "{\"metadata\":{\"resourceVersion\":\"6\"}}"));
	assert_false(
	    is_past(row, "{\"metadata\":{\"resourceVersion\":\"8\"}}"));
	free_all(&rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_too_long),
	    cmocka_unit_test(test_missed),
	    cmocka_unit_test(test_missed_after_many),
	    cmocka_unit_test(test_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
