#include "gw/output_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void
conditions_are_sorted(void **unused)
{
	const struct gw_object object = {.generation = 9};
	struct gw_conditions conditions;
	struct arena arena;

	(void)unused;
	arena_init(&arena, 1024);
	gw_conditions_init(&conditions, &arena, &object);
	gw_conditions_add(
	    &conditions, "ResolvedRefs", "True", "ResolvedRefs", SLICE("c"));
	gw_conditions_add(&conditions, "Accepted", "False", "Bad", SLICE("a"));
	gw_conditions_add(
	    &conditions, "Programmed", "Unknown", "Pending", SLICE_NONE);
	assert_int_equal(conditions.count, 3);
	assert_true(slice_equal(conditions.items[0].type, SLICE("Accepted")));
	assert_true(slice_equal(conditions.items[1].type, SLICE("Programmed")));
	assert_true(slice_is_set(conditions.items[1].message));
	assert_true(
	    slice_equal(conditions.items[2].type, SLICE("ResolvedRefs")));
	assert_int_equal(conditions.items[0].observed_generation, 9);
	arena_fini(&arena);
}

/* Until a generation is served, what will be programmed is pending; what is not
 * stays as it is. */
static void
pending(void **unused)
{
	struct gw_condition conditions[] = {
	    {.type = SLICE("Accepted"), .status = SLICE("True")},
	    {.type = SLICE("Programmed"),
	        .status = SLICE("True"),
	        .reason = SLICE("Programmed")},
	};
	struct gw_condition refused[] = {
	    {.type = SLICE("Programmed"),
	        .status = SLICE("False"),
	        .reason = SLICE("Invalid")},
	};
	struct gw_listener_status listeners[] = {
	    {.conditions = conditions, .conditions_count = 2},
	    {.conditions = refused, .conditions_count = 1},
	};
	struct gw_status_address will[] = {{.value = SLICE("10.0.0.2")}};
	struct gw_status_address had[] = {{.value = SLICE("10.0.0.1")}};
	const struct gw_told_addresses told = {
	    .addresses = had, .addresses_count = 1};
	const struct gw_gateway_status status = {
	    .conditions = conditions,
	    .conditions_count = 2,
	    .listeners = listeners,
	    .listeners_count = 2,
	    .addresses = will,
	    .addresses_count = 1,
	};
	struct arena arena;

	(void)unused;
	arena_init(&arena, 1024);
	struct gw_gateway_status *copy = gw_status_pending(
	    GW_GATEWAY, &status, &told, SLICE("worker 2 lags"), &arena);

	/* what it had, not what it will have */
	assert_int_equal(copy->addresses_count, 1);
	assert_true(slice_equal(copy->addresses[0].value, SLICE("10.0.0.1")));

	assert_true(slice_equal(copy->conditions[0].status, SLICE("True")));
	assert_true(slice_equal(copy->conditions[1].status, SLICE("False")));
	assert_true(slice_equal(copy->conditions[1].reason, SLICE("Pending")));
	assert_true(slice_equal(
	    copy->listeners[0].conditions[1].message, SLICE("worker 2 lags")));
	assert_true(slice_equal(
	    copy->listeners[1].conditions[0].reason, SLICE("Invalid")));
	/* the original is as it was */
	assert_true(slice_equal(conditions[1].status, SLICE("True")));

	const struct gw_route_status route = {0};

	assert_non_null(
	    gw_status_pending(GW_HTTPROUTE, &route, NULL, SLICE("x"), &arena));
	assert_null(gw_status_type(GW_ENDPOINTSLICE));
	arena_fini(&arena);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(conditions_are_sorted),
	    cmocka_unit_test(pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
