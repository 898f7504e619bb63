/* Limbo: what is fresh goes at once, the rest when its last set is passed. ASan
 * is the judge of what was freed. */
#include "snap/limbo_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct thing {
	struct snap_limbo_block block;
	unsigned number;
};

static void
test_life(void **state)
{
	struct snap_limbo limbo;
	struct thing *fresh, *old, *older;

	(void)state;
	snap_limbo_init(&limbo);
	older = snap_limbo_new(&limbo, sizeof(*older));
	assert_true(snap_limbo_is_fresh(&limbo, &older->block));
	limbo.current = 1;
	assert_false(snap_limbo_is_fresh(&limbo, &older->block));
	old = snap_limbo_new(&limbo, sizeof(*old));
	fresh = snap_limbo_new(&limbo, sizeof(*fresh));
	assert_int_equal(fresh->number, 0);
	snap_limbo_push(&limbo, NULL);
	snap_limbo_push(&limbo, fresh);
	snap_limbo_push(&limbo, older);
	/* Set 1 uses it: nothing to be done before there is a set 2. */
	assert_false(snap_limbo_has_garbage(&limbo));
	snap_limbo_release(&limbo, 1);
	older->number = 1;

	limbo.current = 2;
	assert_true(snap_limbo_has_garbage(&limbo));
	snap_limbo_push(&limbo, old);
	snap_limbo_release(&limbo, 1);
	older->number = 2;
	snap_limbo_release(&limbo, 2);
	assert_false(snap_limbo_has_garbage(&limbo));
	old->number = 2;
	snap_limbo_fini(&limbo);
}

/* The queue grows, and moves down as its head is released. */
static void
test_many(void **state)
{
	struct snap_limbo limbo;
	struct thing *things[1000];

	(void)state;
	snap_limbo_init(&limbo);
	for (unsigned i = 0; i < 1000; i++)
		things[i] = snap_limbo_new(&limbo, sizeof(*things[i]));
	for (unsigned i = 0; i < 1000; i++) {
		limbo.current = i + 1;
		snap_limbo_push(&limbo, things[i]);
		if (i >= 40)
			snap_limbo_release(&limbo, i - 38);
		/* Thing i was last used by set i + 1. */
		for (unsigned j = i < 40 ? 0 : i - 39; j <= i; j++)
			things[j]->number++;
	}
	snap_limbo_fini(&limbo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_life),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
