/* Statuses wait for their generation, say Pending when it takes too long, and
 * keep the times of conditions that stay. */
#include "ctl/statuses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/limit.h"

/* 2026-11-24T04:05:06Z, and so many seconds later. */
#define WALL(seconds) (INT64_C(1795493106000) + (seconds)*INT64_C(1000))

static struct ctl_changes changes;
static struct ctl_statuses *statuses;
static struct gw_status_tag gateway_tag, route_tag;

static int
set_up(void **state)
{
	(void)state;
	ctl_changes_init(&changes, 100);
	statuses = ctl_statuses_new(&changes);
	gateway_tag = route_tag = (struct gw_status_tag){0};
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	ctl_statuses_free(&statuses);
	ctl_changes_fini(&changes);
	return 0;
}

static struct feed_generation
generation(uint8_t number)
{
	return (struct feed_generation){.bytes = {number}};
}

static const struct gw_object gateway = {
    .kind = GW_GATEWAY, .namespace = SLICE("default"), .name = SLICE("web")};
static const struct gw_object route = {
    .kind = GW_HTTPROUTE, .namespace = SLICE("default"), .name = SLICE("r")};

static void
put_gateway(const char *programmed, const char *resolved)
{
	struct gw_condition top[] = {{.type = SLICE("Programmed"),
	    .status = slice_from_string(programmed),
	    .reason = SLICE("R")}};
	struct gw_condition inner[] = {{.type = SLICE("ResolvedRefs"),
	    .status = slice_from_string(resolved),
	    .reason = SLICE("R")}};
	struct gw_listener_status listeners[] = {{.name = SLICE("http"),
	    .conditions = inner,
	    .conditions_count = 1}};
	struct gw_gateway_status status = {
	    .conditions = top,
	    .conditions_count = 1,
	    .listeners = listeners,
	    .listeners_count = 1,
	};

	ctl_statuses_put(statuses, &gateway, &status, &gateway_tag);
}

/* Programmed, its time's second, and the listener's condition likewise. */
static void
expect_gateway(const char *programmed, const char *programmed_time,
    const char *resolved, const char *resolved_time)
{
	const struct gw_gateway_status *status =
	    ctl_statuses_get(statuses, GW_GATEWAY, &gateway_tag);

	if (programmed == NULL) {
		assert_null(status);
		return;
	}
	assert_non_null(status);
	const struct gw_condition *top = &status->conditions[0];
	const struct gw_condition *inner = &status->listeners[0].conditions[0];

	assert_true(slice_equal(top->status, slice_from_string(programmed)));
	assert_true(slice_equal(
	    top->last_transition_time, slice_from_string(programmed_time)));
	assert_true(slice_equal(inner->status, slice_from_string(resolved)));
	assert_true(slice_equal(
	    inner->last_transition_time, slice_from_string(resolved_time)));
}

#define AT(second) "2026-11-24T04:05:" #second "Z"

static void
shown_when_confirmed(void **state)
{
	struct feed_generation one = generation(1), two = generation(2);

	(void)state;
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &one, 100, WALL(0));
	expect_gateway(NULL, NULL, NULL, NULL);
	assert_int_equal(
	    ctl_statuses_deadline_ms(statuses), 100 + LIMIT_VALUE_CONFIRM_MS);
	ctl_statuses_confirm(statuses, &two, WALL(1));
	expect_gateway(NULL, NULL, NULL, NULL);
	ctl_statuses_confirm(statuses, &one, WALL(2));
	expect_gateway("True", AT(08), "True", AT(08));
	assert_int_equal(ctl_statuses_deadline_ms(statuses), 0);
	/* Only the status changed, not the units: it is true at once. */
	put_gateway("True", "False");
	ctl_statuses_offer(statuses, &one, 200, WALL(5));
	expect_gateway("True", AT(08), "False", AT(11));
	put_gateway("True", "False");
	ctl_statuses_offer(statuses, &two, 300, WALL(6));
	ctl_statuses_confirm(statuses, &two, WALL(7));
	expect_gateway("True", AT(08), "False", AT(11));
}

static void
later_generation_confirms_earlier(void **state)
{
	struct feed_generation one = generation(1), two = generation(2);

	(void)state;
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &one, 100, WALL(0));
	ctl_statuses_offer(statuses, &two, 200, WALL(1));
	ctl_statuses_confirm(statuses, &two, WALL(2));
	expect_gateway("True", AT(08), "True", AT(08));
	/* A confirmation that comes late takes nothing back. */
	ctl_statuses_confirm(statuses, &one, WALL(3));
	expect_gateway("True", AT(08), "True", AT(08));
	/* Back to the first: its old confirmation does not count. */
	put_gateway("False", "True");
	ctl_statuses_offer(statuses, &one, 300, WALL(4));
	expect_gateway("True", AT(08), "True", AT(08));
	ctl_statuses_confirm(statuses, &one, WALL(5));
	expect_gateway("False", AT(11), "True", AT(08));
}

static void
pending_when_late(void **state)
{
	struct feed_generation one = generation(1), two = generation(2);
	uint64_t late = 100 + LIMIT_VALUE_CONFIRM_MS;

	(void)state;
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &one, 100, WALL(0));
	ctl_statuses_expire(statuses, late - 1, WALL(1));
	expect_gateway(NULL, NULL, NULL, NULL);
	ctl_statuses_expire(statuses, late, WALL(2));
	expect_gateway("False", AT(08), "True", AT(08));
	const struct gw_gateway_status *status =
	    ctl_statuses_get(statuses, GW_GATEWAY, &gateway_tag);

	assert_true(
	    slice_equal(status->conditions[0].reason, SLICE("Pending")));
	assert_int_equal(ctl_statuses_deadline_ms(statuses), 0);
	ctl_statuses_confirm(statuses, &one, WALL(9));
	expect_gateway("True", AT(15), "True", AT(08));
	/* Late, and then put anew: the new one counts. */
	put_gateway("True", "False");
	ctl_statuses_offer(statuses, &two, 5000, WALL(10));
	ctl_statuses_expire(statuses, 9000, WALL(12));
	expect_gateway("False", AT(18), "False", AT(18));
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &two, 9100, WALL(13));
	ctl_statuses_confirm(statuses, &two, WALL(14));
	expect_gateway("True", AT(20), "True", AT(20));
}

static void
removed_is_not_shown(void **state)
{
	struct feed_generation one = generation(1);

	(void)state;
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &one, 100, WALL(0));
	ctl_statuses_remove(statuses, &gateway_tag);
	ctl_statuses_confirm(statuses, &one, WALL(0));
	expect_gateway(NULL, NULL, NULL, NULL);
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &one, 100, WALL(0));
	expect_gateway("True", AT(06), "True", AT(06));
	ctl_statuses_put(statuses, &gateway, NULL, &gateway_tag);
	expect_gateway(NULL, NULL, NULL, NULL);
}

static void
put_route(const char *controllers[2])
{
	struct feed_generation one = generation(1);
	struct gw_status_parent parent = {.name = SLICE("web")};
	struct gw_condition condition = {
	    .type = SLICE("Accepted"), .status = SLICE("True")};
	struct gw_route_parent_status parents[2] = {
	    {.parent_ref = &parent,
	        .controller_name = slice_from_string(controllers[0]),
	        .conditions = &condition,
	        .conditions_count = 1},
	    {.parent_ref = &parent,
	        .controller_name = slice_from_string(controllers[1]),
	        .conditions = &condition,
	        .conditions_count = 1},
	};
	struct gw_route_status status = {
	    .parents = parents, .parents_count = 2};
	static int second;

	ctl_statuses_put(statuses, &route, &status, &route_tag);
	ctl_statuses_offer(statuses, &one, 1, WALL(second++));
	ctl_statuses_confirm(statuses, &one, WALL(second++));
}

/* Parents are known by what they are, not by where they stand. */
static void
parents_may_change_places(void **state)
{
	const char *one[2] = {"a", "b"}, *two[2] = {"c", "a"};

	(void)state;
	put_route(one);
	put_route(two);
	const struct gw_route_status *status =
	    ctl_statuses_get(statuses, GW_HTTPROUTE, &route_tag);

	assert_true(
	    slice_equal(status->parents[0].conditions[0].last_transition_time,
	        SLICE(AT(08))));
	assert_true(
	    slice_equal(status->parents[1].conditions[0].last_transition_time,
	        SLICE(AT(07))));
}

static void
expect_message(const char *message)
{
	const struct gw_gateway_status *status =
	    ctl_statuses_get(statuses, GW_GATEWAY, &gateway_tag);

	assert_non_null(status);
	assert_true(slice_equal(
	    status->conditions[0].message, slice_from_string(message)));
}

static bool
route_is_shown(void)
{
	return ctl_statuses_get(statuses, GW_HTTPROUTE, &route_tag) != NULL;
}

static void
offer_route(
    const char *parent_name, const struct feed_generation *at, uint64_t now_ms)
{
	struct gw_status_parent parent = {.namespace = SLICE("default"),
	    .name = slice_from_string(parent_name)};
	struct gw_route_parent_status parents[] = {{.parent_ref = &parent}};
	struct gw_route_status status = {
	    .parents = parents, .parents_count = 1};

	ctl_statuses_put(statuses, &route, &status, &route_tag);
	ctl_statuses_offer(statuses, at, now_ms, WALL(0));
}

/* The confirmation is for all but the Gateways that are waited for. */
static void
gateways_are_waited_for(void **state)
{
	struct feed_generation one = generation(1), two = generation(2);
	struct slice web = SLICE("default/web");
	uint64_t late = 100 + LIMIT_VALUE_CONFIRM_MS;

	(void)state;
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &one, 100, WALL(0));
	ctl_statuses_wait(statuses, web, &one, SLICE(""), WALL(0));
	ctl_statuses_confirm(statuses, &one, WALL(1));
	expect_gateway(NULL, NULL, NULL, NULL);
	assert_int_equal(ctl_statuses_deadline_ms(statuses), late);
	/* A route waits for its parents, and for no others. */
	offer_route("other", &one, 100);
	assert_true(route_is_shown());
	ctl_statuses_remove(statuses, &route_tag);
	offer_route("web", &one, 100);
	assert_false(route_is_shown());
	/* Late: told whom for, which may change. */
	ctl_statuses_wait(statuses, web, &one, SLICE("a, b"), WALL(1));
	ctl_statuses_expire(statuses, late, WALL(2));
	expect_gateway("False", AT(08), "True", AT(08));
	expect_message("a, b");
	assert_true(route_is_shown());
	ctl_statuses_wait(statuses, web, &one, SLICE("b"), WALL(3));
	expect_message("b");
	expect_gateway("False", AT(08), "True", AT(08));
	/* A newer one, before the old one is served. */
	put_gateway("True", "False");
	ctl_statuses_offer(statuses, &two, late, WALL(4));
	ctl_statuses_wait(statuses, web, &two, SLICE(""), WALL(4));
	ctl_statuses_confirm(statuses, &two, WALL(4));
	ctl_statuses_served(statuses, web, &one, WALL(5));
	expect_gateway("False", AT(08), "True", AT(08));
	ctl_statuses_served(statuses, web, &two, WALL(6));
	expect_gateway("True", AT(12), "False", AT(12));
	/* And nobody waits any more. */
	put_gateway("True", "True");
	ctl_statuses_offer(statuses, &one, late, WALL(7));
	ctl_statuses_confirm(statuses, &one, WALL(7));
	expect_gateway("True", AT(12), "True", AT(13));
}

static void
put_address(const struct gw_object *object, const char *address)
{
	struct gw_condition programmed[] = {{.type = SLICE("Programmed"),
	    .status = SLICE("True"),
	    .reason = SLICE("Programmed")}};
	struct gw_status_address addresses[] = {
	    {.value = slice_from_string(address)}};
	struct gw_gateway_status status = {
	    .conditions = programmed,
	    .conditions_count = 1,
	    .addresses = addresses,
	    .addresses_count = 1,
	};

	ctl_statuses_put(statuses, object, &status, &gateway_tag);
}

static void
expect_address(const char *address)
{
	const struct gw_gateway_status *status =
	    ctl_statuses_get(statuses, GW_GATEWAY, &gateway_tag);

	assert_non_null(status);
	assert_int_equal(status->addresses_count, address != NULL);
	if (address != NULL)
		assert_true(slice_equal(
		    status->addresses[0].value, slice_from_string(address)));
}

/* No address that nobody answers, and none taken away while the next one is on
 * its way: what it had, here or when it came, stays until then. */
static void
addresses_are_what_answers(void **state)
{
	struct feed_generation one = generation(1), two = generation(2);
	struct gw_status_address had[] = {{.value = SLICE("10.0.0.1")}};
	const struct gw_told_addresses told = {
	    .addresses = had, .addresses_count = 1};
	struct gw_object known = gateway;

	(void)state;
	put_address(&gateway, "10.0.0.2");
	ctl_statuses_offer(statuses, &one, 100, WALL(0));
	ctl_statuses_expire(statuses, 100000, WALL(1));
	expect_address(NULL);
	ctl_statuses_confirm(statuses, &one, WALL(2));
	expect_address("10.0.0.2");
	put_address(&gateway, "10.0.0.3");
	ctl_statuses_offer(statuses, &two, 100000, WALL(3));
	ctl_statuses_expire(statuses, 200000, WALL(4));
	expect_address("10.0.0.2");
	ctl_statuses_confirm(statuses, &two, WALL(5));
	expect_address("10.0.0.3");

	/* another process, which has shown nothing yet */
	ctl_statuses_remove(statuses, &gateway_tag);
	gateway_tag = (struct gw_status_tag){0};
	known.told_addresses = &told;
	put_address(&known, "10.0.0.2");
	ctl_statuses_offer(
	    statuses, &(struct feed_generation){.bytes = {3}}, 300000, WALL(6));
	ctl_statuses_expire(statuses, 400000, WALL(7));
	expect_address("10.0.0.1");
}

/* A status that is not true yet, whoever serves it. */
static void
held_until_released(void **state)
{
	struct feed_generation one = generation(1), two = generation(2);
	const struct slice web = SLICE("default/web");
	const char *ours[2] = {"a", "b"};

	(void)state;
	put_address(&gateway, "10.0.0.2");
	ctl_statuses_hold(statuses, web, SLICE("a"));
	put_route(ours);
	ctl_statuses_confirm(statuses, &one, WALL(1));
	assert_true(route_is_shown());
	expect_gateway(NULL, NULL, NULL, NULL);
	ctl_statuses_release(statuses, web, WALL(2));
	expect_address("10.0.0.2");
	assert_int_equal(ctl_statuses_deadline_ms(statuses), 0);

	/* What it had stays, and is programmed until that takes too long. */
	put_address(&gateway, "10.0.0.3");
	ctl_statuses_hold(statuses, web, SLICE("b"));
	ctl_statuses_hold(statuses, web, SLICE("c"));
	ctl_statuses_offer(statuses, &one, 200, WALL(3));
	expect_address("10.0.0.2");
	assert_int_equal(
	    ctl_statuses_deadline_ms(statuses), 200 + LIMIT_VALUE_CONFIRM_MS);
	ctl_statuses_expire(statuses, 200 + LIMIT_VALUE_CONFIRM_MS, WALL(5));
	expect_address("10.0.0.2");
	expect_message("b");
	assert_true(ctl_statuses_is_late(&gateway_tag));

	/* Its proxies are waited for as well, in either order. */
	put_address(&gateway, "10.0.0.4");
	ctl_statuses_offer(statuses, &two, 3000, WALL(6));
	ctl_statuses_wait(statuses, web, &two, SLICE(""), WALL(6));
	ctl_statuses_confirm(statuses, &two, WALL(6));
	ctl_statuses_release(statuses, web, WALL(7));
	expect_address("10.0.0.2");
	ctl_statuses_hold(statuses, web, SLICE("d"));
	ctl_statuses_served(statuses, web, &two, WALL(8));
	expect_address("10.0.0.2");
	ctl_statuses_release(statuses, web, WALL(9));
	expect_address("10.0.0.4");
	ctl_statuses_release(statuses, web, WALL(9));

	/* One that goes while it is held. */
	put_address(&gateway, "10.0.0.5");
	ctl_statuses_hold(statuses, web, SLICE("e"));
	ctl_statuses_offer(statuses, &two, 4000, WALL(10));
	ctl_statuses_remove(statuses, &gateway_tag);
	gateway_tag = (struct gw_status_tag){0};
	ctl_statuses_release(statuses, web, WALL(11));
	expect_gateway(NULL, NULL, NULL, NULL);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(shown_when_confirmed),
	    TEST(later_generation_confirms_earlier),
	    TEST(pending_when_late),
	    TEST(addresses_are_what_answers),
	    TEST(removed_is_not_shown),
	    TEST(parents_may_change_places),
	    TEST(gateways_are_waited_for),
	    TEST(held_until_released),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
