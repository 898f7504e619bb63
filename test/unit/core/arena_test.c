/* Arenas: alignment, growth, reuse after a reset, copies and formats. */
#include "core/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void
test_alloc(void **state)
{
	static const size_t sizes[] = {0, 1, 7, 8, 16, 100, 500, 5000, 200000};
	struct arena arena;
	char *before[64];
	size_t asked = 0;

	(void)state;
	arena_init(&arena, 256);
	for (size_t i = 0; i < 64; i++) {
		size_t size = sizes[i % 9];

		before[i] = arena_alloc(&arena, size);
		assert_int_equal((uintptr_t)before[i] % ARENA_ALIGN, 0);
		memset(before[i], (int)i, size);
		asked += size ? size : 1;
	}
	assert_int_equal(arena.used_bytes, asked);
	for (size_t i = 0; i < 64; i++)
		for (size_t at = 0; at < sizes[i % 9]; at++)
			assert_int_equal(before[i][at], i);
	arena_fini(&arena);
	assert_int_equal(arena.used_bytes, 0);
	memset(arena_alloc(&arena, 10), 1, 10);
	arena_fini(&arena);
}

static void
test_zero(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (int round = 0; round < 3; round++) {
		uint32_t *numbers = arena_zero(&arena, 20, sizeof(*numbers));

		for (int i = 0; i < 20; i++)
			assert_int_equal(numbers[i], 0);
		memset(numbers, 0xff, 20 * sizeof(*numbers));
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void
test_reset(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 256);
	arena_reset(&arena); /* of nothing */
	for (int round = 0; round < 3; round++) {
		memset(arena_alloc(&arena, 10000), 1, 10000);
		for (int i = 0; i < 100; i++)
			memset(arena_alloc(&arena, 50), 2, 50);
		arena_reset(&arena);
		assert_int_equal(arena.used_bytes, 0);
		/* What is kept, if anything, is a first block. */
		assert_true(arena.end - arena.next < 256);
	}
	arena_fini(&arena);
}

static void
test_copy(void **state)
{
	struct arena arena;
	struct slice copy;

	(void)state;
	arena_init(&arena, 64);
	assert_false(slice_is_set(arena_copy(&arena, SLICE_NONE)));
	copy = arena_copy(&arena, SLICE(""));
	assert_true(slice_is_set(copy));
	assert_int_equal(copy.data[0], 0);
	copy = arena_copy(&arena, slice_make("xyz", 2));
	assert_true(slice_equal(copy, SLICE("xy")));
	assert_int_equal(copy.data[2], 0);
	/* A structure after odd text is aligned again. */
	assert_int_equal((uintptr_t)arena_alloc(&arena, 8) % ARENA_ALIGN, 0);
	copy = arena_format(&arena, "%s-%d", "route", 17);
	assert_true(slice_equal(copy, SLICE("route-17")));
	assert_int_equal(copy.data[8], 0);
	copy = arena_format(&arena, "%0500d", 1);
	assert_int_equal(copy.length, 500);
	arena_fini(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alloc),
	    cmocka_unit_test(test_zero),
	    cmocka_unit_test(test_reset),
	    cmocka_unit_test(test_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
