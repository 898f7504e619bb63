/* Random numbers: the reference sequence, bounds, uniformity. */
#include "core/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_sequence(void **state)
{
	/* xoshiro256** of the reference with the state 1, 2, 3, 4. */
	static const uint64_t wanted[] = {
	    11520, 0, 1509978240, 1215971899390074240};
	struct random random = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_true(random_next(&random) == wanted[i]);
}

static void
test_seeds(void **state)
{
	struct random a, b, c;

	(void)state;
	random_init_seed(&a, 7);
	random_init_seed(&b, 7);
	random_init_seed(&c, 8);
	assert_true(random_next(&a) == random_next(&b));
	assert_true(random_next(&a) != random_next(&c));
	random_init_seed(&a, 0);
	assert_true(random_next(&a) != random_next(&a));
	random_init(&a);
	random_init(&b);
	assert_true(random_next(&a) != random_next(&b));
}

static void
test_below(void **state)
{
	static const uint32_t bounds[] = {
	    1, 2, 3, 10, 1000, 0x80000001, UINT32_MAX};
	unsigned counts[10] = {0};
	struct random random;

	(void)state;
	random_init_seed(&random, 42);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		for (int draw = 0; draw < 1000; draw++)
			assert_true(
			    random_below(&random, bounds[i]) < bounds[i]);
	for (int draw = 0; draw < 100000; draw++)
		counts[random_below(&random, 10)]++;
	/* Five standard deviations of 95 around 10,000. */
	for (int i = 0; i < 10; i++)
		assert_in_range(counts[i], 9525, 10475);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sequence),
	    cmocka_unit_test(test_seeds),
	    cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
