/* Holds: units that requests have, over sets and quiet points. */
#include "snap/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "world.h"

/* A unit that is held outlives its set; numbers come again only after it. */
static void
test_held(void **state)
{
	struct snap_store *store = snap_store_new();
	struct snap_holds *holds = snap_holds_new(store);
	struct slice name = SLICE("route/HTTPRoute/ns/r");
	struct slice listeners[] = {SLICE("listener/ns/gw/l")};
	struct unit_rule rule = {.identity = SLICE("0")};
	struct unit_route route = {.listeners = listeners,
	    .listeners_count = 1,
	    .rules = &rule,
	    .rules_count = 1};
	const struct snap_rule_ids *ids = snap_store_rule_ids(store);
	const struct unit *unit;
	uint32_t limit;

	(void)state;
	assert_int_equal(world_put(store, name, &route), ERROR_OK);
	snap_store_commit(store);
	unit = snap_store_unit(store, name);
	snap_hold(holds, unit);
	snap_hold(holds, unit);
	limit = snap_rule_ids_limit(ids);
	assert_int_equal(limit, 2);

	snap_store_drop(store, name);
	assert_int_equal(snap_set_number(snap_store_commit(store)), 2);
	assert_true(snap_store_has_garbage(store));
	snap_store_quiet(store, 1, &holds, 1);
	assert_true(snap_store_has_garbage(store));
	snap_store_quiet(store, 2, &holds, 1);
	assert_true(snap_store_has_garbage(store));
	snap_release(holds, unit);
	snap_store_quiet(store, 2, &holds, 1);
	assert_true(slice_equal(unit->name, name));
	assert_string_equal(
	    world_rule_name(store, 1), "ns/gw/l HTTPRoute/ns/r 0");
	snap_release(holds, unit);
	snap_store_quiet(store, 2, &holds, 1);
	assert_false(snap_store_has_garbage(store));
	assert_string_equal(world_rule_name(store, 1), "");

	/* Set 2 still stands for workers that know the numbers. */
	assert_int_equal(world_put(store, name, &route), ERROR_OK);
	assert_int_equal(snap_rule_ids_limit(ids), 4);
	snap_store_drop(store, name);
	snap_store_commit(store);
	snap_store_commit(store);
	snap_store_quiet(store, 3, &holds, 1);
	assert_int_equal(world_put(store, name, &route), ERROR_OK);
	assert_int_equal(snap_rule_ids_limit(ids), 4);
	snap_store_free(&store);
}

/* Counts for units far apart, and tables that were there before the units. */
static void
test_many_holds(void **state)
{
	struct snap_store *store = snap_store_new();
	struct snap_holds *early = snap_holds_new(store);
	struct unit_service service = {0};
	struct snap_holds *late;
	const struct unit *unit;
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "service/ns/s%u", i);
		assert_int_equal(
		    world_put(store, slice_from_string(name), &service),
		    ERROR_OK);
	}
	late = snap_holds_new(store);
	while (snap_store_next(store, &at, &unit)) {
		snap_hold(early, unit);
		snap_hold(late, unit);
		snap_release(early, unit);
		snap_release(late, unit);
	}
	snap_holds_free(&late);
	assert_null(late);
	snap_holds_free(&late);
	snap_store_free(&store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_many_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
