/* How long what is undone rests, and who is told. */
#include "ctl/rest_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Times of the clock around which its lower half begins anew, too. */
static const uint64_t starts_ms[] = {1000, UINT32_MAX - 100};
#define STARTS (sizeof(starts_ms) / sizeof(starts_ms[0]))

static void
test_first(void **state)
{
	struct ctl_undone undone = {0};

	(void)state;
	assert_int_equal(ctl_undone_wait_ms(&undone, 7, 1000), 0);
	assert_false(ctl_undone_note(&undone, 7, 1000));
	/* Something else does not wait. */
	assert_int_equal(ctl_undone_wait_ms(&undone, 8, 1000), 0);
	assert_int_equal(ctl_undone_wait_ms(&undone, 7, 1000), ctl_rest_ms(0));
}

/* One that undoes at once, an hour long: written 74 times, told once. */
static void
test_quarrel(void **state)
{
	(void)state;
	for (size_t i = 0; i < STARTS; i++) {
		struct ctl_undone undone = {0};
		uint64_t now_ms = starts_ms[i];
		unsigned written = 0, told = 0;

		while (now_ms < starts_ms[i] + 3600000) {
			uint32_t wait_ms =
			    ctl_undone_wait_ms(&undone, 7, now_ms);
			if (wait_ms == 0) {
				written++;
				told += ctl_undone_note(&undone, 7, now_ms);
			}
			now_ms += wait_ms + 1;
		}
		assert_in_range(written, 70, 80);
		assert_int_equal(told, 1);
	}
}

/* What has stayed for a while is as written for the first time. */
static void
test_peace(void **state)
{
	(void)state;
	for (size_t i = 0; i < STARTS; i++) {
		struct ctl_undone undone = {0};
		uint64_t now_ms = starts_ms[i];

		for (unsigned k = 0; k < 2 * CTL_RESTS; k++) {
			now_ms += ctl_undone_wait_ms(&undone, 7, now_ms);
			(void)ctl_undone_note(&undone, 7, now_ms);
		}
		assert_int_equal(undone.times, CTL_RESTS - 1);
		now_ms += 2 * ctl_rest_ms(CTL_RESTS - 1);
		assert_int_equal(ctl_undone_wait_ms(&undone, 7, now_ms), 0);
		assert_false(ctl_undone_note(&undone, 7, now_ms));
		assert_int_equal(undone.times, 0);
	}
}

/* Nor is anybody told of what is wanted in turns. */
static void
test_turns(void **state)
{
	struct ctl_undone undone = {0};

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t hash = 7 + i % 2;

		assert_int_equal(
		    ctl_undone_wait_ms(&undone, hash, 1000 + i), 0);
		assert_false(ctl_undone_note(&undone, hash, 1000 + i));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_quarrel),
	    cmocka_unit_test(test_peace),
	    cmocka_unit_test(test_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
