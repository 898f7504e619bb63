/* Numbers: dense, counted, and given out again only after their epoch. */
#include "snap/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/random.h"

static void
test_life(void **state)
{
	struct snap_ids *ids = snap_ids_new();

	(void)state;
	assert_int_equal(snap_ids_limit(ids), 0);
	assert_int_equal(snap_ids_ref(ids, SLICE("a")), 0);
	assert_int_equal(snap_ids_ref(ids, SLICE("")), 1);
	assert_int_equal(snap_ids_ref(ids, SLICE("a")), 0);

	snap_ids_epoch(ids, 5);
	snap_ids_unref(ids, 0);
	snap_ids_unref(ids, 0);
	/* The name alone does not bring the number back: workers may still
	 * have it in mind for what was. */
	assert_int_equal(snap_ids_ref(ids, SLICE("a")), 2);
	snap_ids_reclaim(ids, 5);
	assert_int_equal(snap_ids_ref(ids, SLICE("b")), 3);
	snap_ids_reclaim(ids, 6);
	assert_int_equal(snap_ids_ref(ids, SLICE("c")), 0);
	assert_int_equal(snap_ids_limit(ids), 4);
	snap_ids_free(ids);
	snap_ids_free(NULL);
}

#define NAMES 300

/* Random references; a number in use has one name, and no number comes back
 * before its epoch is over. */
static void
test_random(void **state)
{
	struct snap_ids *ids = snap_ids_new();
	uint32_t references[NAMES] = {0}, numbers[NAMES];
	uint64_t freed[NAMES + 64] = {0}; /* by number: epoch + 1, or 0 */
	uint64_t epoch = 0, reclaimed = 0;
	struct random random;

	(void)state;
	random_init_seed(&random, 7);
	for (unsigned step = 0; step < 50000; step++) {
		unsigned n = random_below(&random, NAMES);
		struct slice name = slice_make((const char *)&n, sizeof(n));

		if (references[n] == 0 || random_below(&random, 2)) {
			uint32_t id = snap_ids_ref(ids, name);

			assert_true(id < NAMES + 64);
			assert_true(id < snap_ids_limit(ids));
			if (references[n]++ == 0)
				numbers[n] = id;
			assert_int_equal(id, numbers[n]);
			assert_true(freed[id] <= reclaimed);
			freed[id] = 0;
		} else {
			assert_int_equal(snap_ids_ref(ids, name), numbers[n]);
			snap_ids_unref(ids, numbers[n]);
			snap_ids_unref(ids, numbers[n]);
			if (--references[n] == 0)
				freed[numbers[n]] = epoch + 1;
		}
		if (random_below(&random, 8) == 0)
			snap_ids_epoch(ids, ++epoch);
		if (random_below(&random, 8) == 0) {
			reclaimed = epoch;
			snap_ids_reclaim(ids, epoch);
		}
	}
	snap_ids_free(ids);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_life),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
