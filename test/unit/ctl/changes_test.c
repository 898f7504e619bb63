/* Changes are numbered, and removals are known for a while. */
#include "ctl/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static struct ctl_changes changes;

static void
remove_one(unsigned number)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "n%u", number);
	ctl_changes_remove(
	    &changes, GW_SERVICE, SLICE("ns"), slice_from_string(name));
}

static void
numbers_rise(void **state)
{
	(void)state;
	ctl_changes_init(&changes, 1000);
	assert_int_equal(ctl_changes_next(&changes), 1001);
	remove_one(0);
	assert_int_equal(changes.last, 1002);
	assert_int_equal(ctl_changes_gone(&changes, 0)->change, 1002);
	assert_null(ctl_changes_gone(&changes, 1));
	assert_true(ctl_changes_know(&changes, 1000));
	assert_true(ctl_changes_know(&changes, 1002));
	assert_false(ctl_changes_know(&changes, 999));
	assert_false(ctl_changes_know(&changes, 1003));
	ctl_changes_fini(&changes);
}

static void
old_removals_are_forgotten(void **state)
{
	(void)state;
	ctl_changes_init(&changes, 0);
	for (unsigned i = 0; i < CTL_GONE_MAX; i++)
		remove_one(i);
	assert_true(ctl_changes_know(&changes, 0));
	for (unsigned i = 0; i < 3; i++)
		remove_one(CTL_GONE_MAX + i);
	assert_false(ctl_changes_know(&changes, 2));
	assert_true(ctl_changes_know(&changes, 3));
	assert_int_equal(ctl_changes_gone(&changes, 0)->change, 4);
	assert_int_equal(ctl_changes_gone(&changes, CTL_GONE_MAX - 1)->change,
	    CTL_GONE_MAX + 3);
	assert_null(ctl_changes_gone(&changes, CTL_GONE_MAX));
	ctl_changes_fini(&changes);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_rise),
	    cmocka_unit_test(old_removals_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
