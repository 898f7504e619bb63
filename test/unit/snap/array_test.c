/* The persistent array: sparse and dense numbers, and old versions that stay.
 */
#include "snap/array_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/memory.h"

#define VERSIONS 20
#define NUMBERS 3000

static int marks[VERSIONS];

static void
test_sparse(void **state)
{
	static const uint32_t indexes[] = {0, 31, 32, 1023, 1024, 5, 33554431,
	    33554432, UINT32_MAX, UINT32_MAX - 1};
	unsigned count = sizeof(indexes) / sizeof(indexes[0]);
	struct snap_array array = {0};
	struct snap_limbo limbo;

	(void)state;
	snap_limbo_init(&limbo);
	for (unsigned i = 0; i < count; i++) {
		assert_null(snap_array_get(&array, indexes[i]));
		snap_array_put(&limbo, &array, indexes[i], &marks[i]);
		for (unsigned j = 0; j <= i; j++)
			assert_ptr_equal(
			    snap_array_get(&array, indexes[j]), &marks[j]);
	}
	assert_null(snap_array_get(&array, 6));
	snap_array_put(&limbo, &array, 5, NULL);
	assert_null(snap_array_get(&array, 5));
	snap_array_free(&array, NULL);
	assert_null(snap_array_get(&array, 0));
	snap_limbo_fini(&limbo);
}

/* Version v marks each number that v + 2 divides; old versions do not see it.
 */
static void
test_versions(void **state)
{
	struct snap_array versions[VERSIONS], array = {0};
	const void **expected =
	    memory_zero((size_t)VERSIONS * NUMBERS, sizeof(*expected));
	struct snap_limbo limbo;

	(void)state;
	snap_limbo_init(&limbo);
	for (unsigned v = 0; v < VERSIONS; v++) {
		for (uint32_t i = 0; i < NUMBERS; i++) {
			if (i % (v + 2) == 0)
				snap_array_put(&limbo, &array, i, &marks[v]);
			expected[v * NUMBERS + i] = i % (v + 2) == 0 ? &marks[v]
			    : v > 0 ? expected[(v - 1) * NUMBERS + i]
			            : NULL;
		}
		versions[v] = array;
		limbo.current++;
	}
	for (unsigned v = 0; v < VERSIONS; v++) {
		/* Version v is that of number v + 1. */
		snap_limbo_release(&limbo, v + 1);
		for (unsigned w = v; w < VERSIONS; w++)
			for (uint32_t i = 0; i < NUMBERS; i += 7)
				assert_ptr_equal(
				    snap_array_get(&versions[w], i),
				    expected[w * NUMBERS + i]);
	}
	assert_false(snap_limbo_has_garbage(&limbo));
	memory_free(expected);
	snap_array_free(&array, NULL);
	snap_limbo_fini(&limbo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sparse),
	    cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
