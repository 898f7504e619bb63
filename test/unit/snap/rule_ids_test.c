/* Numbers of listeners and rules: who tells their names, and how long they
 * stay. */
#include "snap/rule_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

/* A route's unit of two rules, without anything else. */
struct route {
	struct unit_rule rules[2];
	struct unit_route route;
	struct unit unit;
};

static struct unit *
make(struct route *made, const char *first, const char *second)
{
	*made = (struct route){.rules = {
	                           {.identity = slice_from_string(first)},
	                           {.identity = slice_from_string(second)},
	                       }};
	made->route =
	    (struct unit_route){.rules = made->rules, .rules_count = 2};
	made->unit = (struct unit){.name = SLICE("route/HTTPRoute/ns/r"),
	    .kind = UNIT_ROUTE,
	    .route = &made->route};
	return &made->unit;
}

static void
expect(const struct snap_rule_ids *ids, uint32_t id, const char *name)
{
	struct text text;

	text_init(&text);
	assert_int_equal(snap_rule_ids_name(ids, id, &text), name != NULL);
	if (name)
		assert_true(
		    slice_equal(text_slice(&text), slice_from_string(name)));
	text_fini(&text);
}

static void
test_names(void **state)
{
	struct snap_rule_ids *ids = snap_rule_ids_new();
	struct route one, two;
	struct unit *old = make(&one, "a", "b"), *new = make(&two, "b", "c");
	uint32_t listener = snap_rule_ids_listener(ids, SLICE("ns/gw/l"));
	uint32_t a = snap_rule_ids_ref(ids, listener, old, 0);
	uint32_t b = snap_rule_ids_ref(ids, listener, old, 1);

	(void)state;
	expect(ids, listener, "ns/gw/l");
	expect(ids, a, "ns/gw/l HTTPRoute/ns/r a");
	expect(ids, b, "ns/gw/l HTTPRoute/ns/r b");
	expect(ids, 3, NULL);
	expect(ids, UINT32_MAX, NULL);
	/* Another place in the route: the same rule. */
	assert_int_equal(snap_rule_ids_ref(ids, listener, new, 0), b);
	uint32_t c = snap_rule_ids_ref(ids, listener, new, 1);

	assert_int_not_equal(c, a);
	snap_rule_ids_unref(ids, a, old);
	snap_rule_ids_unref(ids, b, old);
	expect(ids, a, NULL);
	expect(ids, b, "ns/gw/l HTTPRoute/ns/r b");
	snap_rule_ids_unref(ids, b, new);
	snap_rule_ids_unref(ids, c, new);
	snap_rule_ids_unref_listener(ids, listener);
	expect(ids, listener, NULL);
	snap_rule_ids_free(ids);
	snap_rule_ids_free(NULL);
}

/* The unit that tells goes before one that still uses the number: it is
 * nobody's then, and the name gets another. */
static void
test_nobody_tells(void **state)
{
	struct snap_rule_ids *ids = snap_rule_ids_new();
	struct route one, two, three;
	struct unit *held = make(&one, "a", "b"), *gone = make(&two, "a", "x");
	struct unit *back = make(&three, "a", "y");
	uint32_t listener = snap_rule_ids_listener(ids, SLICE("ns/gw/l"));
	uint32_t a = snap_rule_ids_ref(ids, listener, held, 0);

	(void)state;
	assert_int_equal(snap_rule_ids_ref(ids, listener, gone, 0), a);
	snap_rule_ids_unref(ids, a, gone);
	expect(ids, a, NULL);
	uint32_t again = snap_rule_ids_ref(ids, listener, back, 0);

	assert_int_not_equal(again, a);
	expect(ids, again, "ns/gw/l HTTPRoute/ns/r a");
	snap_rule_ids_epoch(ids, 1);
	snap_rule_ids_unref(ids, a, held);
	/* Not before the workers have passed. */
	snap_rule_ids_reclaim(ids, 1);
	assert_int_equal(snap_rule_ids_ref(ids, listener, back, 1), 3);
	snap_rule_ids_reclaim(ids, 2);
	assert_int_equal(snap_rule_ids_ref(ids, listener, gone, 1), a);
	assert_int_equal(snap_rule_ids_limit(ids), 4);
	snap_rule_ids_free(ids);
}

static void
test_many(void **state)
{
	enum { MANY = 300 };
	static struct route routes[MANY];
	static char names[MANY][40];
	struct snap_rule_ids *ids = snap_rule_ids_new();
	uint32_t listener = snap_rule_ids_listener(ids, SLICE("l"));
	uint32_t numbers[MANY];

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		struct unit *unit = make(&routes[i], "a", "b");

		snprintf(
		    names[i], sizeof(names[i]), "route/HTTPRoute/ns/%u", i);
		unit->name = slice_from_string(names[i]);
		numbers[i] = snap_rule_ids_ref(ids, listener, unit, i % 2);
	}
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(
		    snap_rule_ids_ref(ids, listener, &routes[i].unit, i % 2),
		    numbers[i]);
	for (unsigned i = 0; i < MANY; i += 2) {
		snap_rule_ids_unref(ids, numbers[i], &routes[i].unit);
		snap_rule_ids_unref(ids, numbers[i], &routes[i].unit);
	}
	for (unsigned i = 0; i < MANY; i++) {
		char name[64];

		snprintf(name, sizeof(name), "l HTTPRoute/ns/%u b", i);
		expect(ids, numbers[i], i % 2 ? name : NULL);
	}
	snap_rule_ids_free(ids);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_nobody_tells),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
