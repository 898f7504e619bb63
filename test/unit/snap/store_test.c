/* The store: what put, drop and commit promise; that edits in any order lead to
 * the same decisions as a store made at once; and that workers, each at its own
 * pace, find what they have, whole, for as long as they may have it. */
#include "snap/set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "core/memory.h"
#include "snap/store_priv.h"
#include "world.h"

static const struct unit_listener plain = {
    .port = 80, .protocol = UNIT_PROTOCOL_HTTP};

static void
test_put(void **state)
{
	struct snap_store *store = snap_store_new();
	struct slice name = SLICE("listener/ns/gw/l");
	struct unit_listener listener = plain;
	const struct snap_set *first, *second;
	const struct unit *unit;

	(void)state;
	first = snap_store_commit(store);
	assert_int_equal(snap_set_number(first), 1);
	assert_ptr_equal(snap_store_commit(store), first);

	assert_int_equal(world_put(store, name, &listener), ERROR_OK);
	unit = snap_store_unit(store, name);
	assert_int_equal(unit->listener->port, 80);
	second = snap_store_commit(store);
	assert_int_equal(snap_set_number(second), 2);

	/* equal bytes */
	assert_int_equal(world_put(store, name, &listener), ERROR_OK);
	assert_ptr_equal(snap_store_unit(store, name), unit);
	assert_ptr_equal(snap_store_commit(store), second);

	/* refused: the old one stays */
	listener.port = 0;
	assert_int_equal(world_put(store, name, &listener), ERROR_INVALID);
	assert_int_equal(
	    snap_store_put(store, name, SLICE("\xff")), ERROR_TRUNCATED);
	assert_int_equal(snap_store_put(store, SLICE("nothing/x"), SLICE("")),
	    ERROR_UNKNOWN);
	assert_ptr_equal(snap_store_unit(store, name), unit);
	assert_ptr_equal(snap_store_commit(store), second);

	snap_store_drop(store, SLICE("listener/ns/gw/other"));
	assert_ptr_equal(snap_store_commit(store), second);
	snap_store_drop(store, name);
	assert_null(snap_store_unit(store, name));
	assert_int_equal(snap_set_number(snap_store_commit(store)), 3);
	snap_store_free(&store);
	assert_null(store);
	snap_store_free(&store);
}

/* A pattern that cannot be compiled refuses its route alone, which stays as it
 * was; one text is compiled once. */
static void
test_patterns(void **state)
{
	struct snap_store *store = snap_store_new();
	struct slice name = SLICE("route/HTTPRoute/ns/r");
	struct unit_pair_match pair = {
	    .name = SLICE("x"), .type = UNIT_PAIR_PATTERN};
	struct unit_match matches[2] = {
	    {.path_type = UNIT_PATH_PATTERN, .path = SLICE("/a+")},
	    {.queries = &pair, .queries_count = 1}};
	struct unit_rule rule = {.matches = matches, .matches_count = 2};
	struct unit_route route = {.rules = &rule, .rules_count = 1};
	const struct snap_set *set;
	const struct unit *unit;

	(void)state;
	pair.value = SLICE("1|2");
	assert_int_equal(world_put(store, name, &route), ERROR_OK);
	assert_int_equal(store->patterns.by_text.count, 2);
	unit = snap_store_unit(store, name);
	pair.value = SLICE("(");
	assert_int_equal(world_put(store, name, &route), ERROR_INVALID);
	assert_ptr_equal(snap_store_unit(store, name), unit);
	assert_int_equal(store->patterns.by_text.count, 2);
	pair.value = SLICE("/a+");
	for (unsigned i = 0; i < 100; i++) {
		char other[32];

		snprintf(other, sizeof(other), "route/HTTPRoute/ns/%u", i);
		assert_int_equal(
		    world_put(store, slice_from_string(other), &route),
		    ERROR_OK);
	}
	assert_int_equal(store->patterns.by_text.count, 2);
	/* "1|2" goes with the last that has it, once no worker can run it */
	assert_int_equal(world_put(store, name, &route), ERROR_OK);
	assert_int_equal(store->patterns.by_text.count, 2);
	set = snap_store_commit(store);
	snap_store_quiet(store, snap_set_number(set), NULL, 0);
	assert_int_equal(store->patterns.by_text.count, 1);
	snap_store_free(&store);
}

static void
test_generation(void **state)
{
	struct snap_store *store = snap_store_new();
	struct feed_generation expected = {{0}}, got;
	struct text bytes;
	struct unit_digest digest;

	(void)state;
	text_init(&bytes);
	for (unsigned i = 0; i < 4; i++) {
		char name[] = "listener/ns/gw/?";

		name[sizeof(name) - 2] = (char)('a' + i);
		assert_int_equal(
		    world_put(store, slice_from_string(name), &plain),
		    ERROR_OK);
		digest =
		    snap_store_unit(store, slice_from_string(name))->digest;
		feed_generation_add(&expected, &digest);
		got = snap_store_generation(store);
		assert_true(feed_generation_equal(&got, &expected));
	}
	snap_store_drop(store, SLICE("listener/ns/gw/d"));
	feed_generation_remove(&expected, &digest);
	got = snap_store_generation(store);
	assert_true(feed_generation_equal(&got, &expected));
	text_fini(&bytes);
	snap_store_free(&store);
}

static void
test_next(void **state)
{
	struct snap_store *store = snap_store_new();
	const struct unit *unit;
	unsigned seen = 0;
	size_t at = 0;

	(void)state;
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/0"), &plain), ERROR_OK);
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/1"), &plain), ERROR_OK);
	while (snap_store_next(store, &at, &unit))
		seen |= 1u << (unit->name.data[unit->name.length - 1] - '0');
	assert_int_equal(seen, 3);
	snap_store_free(&store);
}

static void
test_sockets(void **state)
{
	struct snap_store *store = snap_store_new();
	struct slice both[] = {
	    SLICE("10.0.0.2"), SLICE("10.0.0.1"), SLICE("10.0.0.2")};
	struct unit_listener listener = plain;
	const struct snap_socket *sockets;
	const struct snap_set *set;
	uint32_t every, second;

	(void)state;
	assert_int_equal(
	    snap_set_sockets(snap_store_commit(store), &sockets), 0);
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/a"), &plain), ERROR_OK);
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/b"), &plain), ERROR_OK);
	listener.addresses = both;
	listener.addresses_count = 3;
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/c"), &listener), ERROR_OK);
	set = snap_store_commit(store);
	assert_int_equal(snap_set_sockets(set, &sockets), 3);
	assert_int_equal(sockets[0].address.length, 0);
	assert_true(slice_equal(sockets[1].address, SLICE("10.0.0.1")));
	assert_true(slice_equal(sockets[2].address, SLICE("10.0.0.2")));
	assert_int_equal(sockets[2].port, 80);
	every = sockets[0].id;
	second = sockets[2].id;

	/* Numbers stay as long as one listener is there, and what it was
	 * called or where else it is does not matter. */
	listener.addresses_count = 1;
	listener.hostname = SLICE("x.test");
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/c"), &listener), ERROR_OK);
	snap_store_drop(store, SLICE("listener/ns/gw/a"));
	set = snap_store_commit(store);
	assert_int_equal(snap_set_sockets(set, &sockets), 2);
	assert_int_equal(sockets[0].id, every);
	assert_int_equal(sockets[1].id, second);

	/* Nor does it matter that in one commit the last goes before the next
	 * comes: a listener under a new name is on the same socket. */
	snap_store_drop(store, SLICE("listener/ns/gw/b"));
	snap_store_drop(store, SLICE("listener/ns/gw/c"));
	assert_int_equal(
	    world_put(store, SLICE("listener/ns/gw/renamed"), &plain),
	    ERROR_OK);
	set = snap_store_commit(store);
	assert_int_equal(snap_set_sockets(set, &sockets), 1);
	assert_int_equal(sockets[0].id, every);
	snap_store_free(&store);
}

/* What a set answered when it was new. */
#define ASKED 12
struct remembered {
	const struct snap_set *set;
	struct world_request asked[ASKED];
	struct text answers[ASKED];
};

static void
remember(struct remembered *set, struct world *world,
    const struct snap_set *committed)
{
	set->set = committed;
	for (unsigned i = 0; i < ASKED; i++) {
		text_init(&set->answers[i]);
		world_ask(world, &set->asked[i]);
		world_decide(committed, &set->asked[i], &set->answers[i]);
	}
}

static void
forget(struct remembered *set)
{
	for (unsigned i = 0; i < ASKED; i++)
		text_fini(&set->answers[i]);
}

static void
assert_answers(const struct world *world, struct remembered *set,
    const struct snap_set *by)
{
	struct text answer;

	text_init(&answer);
	for (unsigned i = 0; i < ASKED; i++) {
		text_reset(&answer);
		world_decide(by, &set->asked[i], &answer);
		if (!slice_equal(
		        text_slice(&answer), text_slice(&set->answers[i])))
			fail_msg("seed %lu: expected \"%.*s\", got \"%.*s\"",
			    (unsigned long)world->seed,
			    SLICE_ARGS(text_slice(&set->answers[i])),
			    SLICE_ARGS(text_slice(&answer)));
	}
	text_fini(&answer);
}

static void
test_edits(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 150; seed++) {
		struct snap_store *store = snap_store_new();
		struct world world;

		world_init(&world, seed);
		for (unsigned round = 0; round < 12; round++) {
			struct snap_store *fresh = snap_store_new();
			unsigned edits = 1 + world_below(&world, 8);
			const struct snap_set *set;
			struct remembered remembered;
			struct feed_generation a, b;

			for (unsigned i = 0; i < edits; i++)
				world_edit(&world, store);
			set = snap_store_commit(store);
			world_load(&world, fresh);
			remember(&remembered, &world, snap_store_commit(fresh));
			assert_answers(&world, &remembered, set);
			a = snap_store_generation(store);
			b = snap_store_generation(fresh);
			assert_true(feed_generation_equal(&a, &b));
			forget(&remembered);
			snap_store_free(&fresh);
			if (world_below(&world, 2))
				snap_store_quiet(
				    store, snap_set_number(set), NULL, 0);
		}
		world_fini(&world);
		snap_store_free(&store);
	}
}

#define WORKERS 2
#define HELD 5
#define SETS 400

struct worker {
	struct snap_holds *holds;
	uint64_t number; /* of the set it has */
	struct snap_decision held[HELD]; /* route_unit NULL: none */
	struct text names[HELD];
};

/* Touch what a request may use for as long as it holds its route. */
static void
use(const struct snap_store *store, const struct snap_decision *decision,
    struct slice name)
{
	uint32_t weights = 0;

	assert_true(slice_equal(decision->route_unit->name, name));
	for (uint32_t i = 0; i < decision->rule->backends_count; i++) {
		weights += (uint32_t)decision->rule->backends[i].weight;
		assert_int_not_equal(decision->backend_ids[i], SNAP_ID_NONE);
	}
	assert_int_equal(weights, decision->weight_sum);
	assert_true(decision->match->path.length == 0 ||
	    decision->match->path.data[0] != '\0');
	assert_string_not_equal(
	    world_rule_name(store, decision->listener_id), "");
	/* None: the last unit in force that had the rule is gone. */
	const char *told = world_rule_name(store, decision->rule_id);

	assert_true(told[0] == '\0' ||
	    slice_ends_with(slice_from_string(told), decision->rule->identity));
}

static void
work(struct worker *worker, struct snap_store *store, struct world *world,
    struct remembered *set)
{
	unsigned place = world_below(world, HELD);
	struct snap_decision *held = &worker->held[place];
	struct world_request asked;

	assert_answers(world, set, set->set);
	if (held->route_unit) {
		use(store, held, text_slice(&worker->names[place]));
		snap_release(worker->holds, held->route_unit);
		held->route_unit = NULL;
		return;
	}
	world_ask(world, &asked);
	asked.request.socket =
	    world_socket(set->set, asked.address, asked.port, asked.tls);
	snap_decide(set->set, &asked.request, held);
	if (held->route_unit) {
		snap_hold(worker->holds, held->route_unit);
		text_reset(&worker->names[place]);
		text_push(&worker->names[place], held->route_unit->name);
	}
}

static uint64_t
oldest(const struct worker *workers)
{
	uint64_t number = UINT64_MAX;

	for (unsigned i = 0; i < WORKERS; i++)
		if (workers[i].number < number)
			number = workers[i].number;
	return number;
}

static void
run_workers(uint64_t seed)
{
	struct snap_store *store = snap_store_new();
	struct remembered *sets = memory_zero(SETS + 2, sizeof(*sets));
	struct worker workers[WORKERS] = {{.number = 1}, {.number = 1}};
	struct snap_holds *holds[WORKERS];
	uint64_t newest = 1, forgotten = 0;
	struct world world;

	world_init(&world, seed);
	for (unsigned i = 0; i < WORKERS; i++) {
		holds[i] = workers[i].holds = snap_holds_new(store);
		for (unsigned j = 0; j < HELD; j++)
			text_init(&workers[i].names[j]);
	}
	remember(&sets[1], &world, snap_store_commit(store));
	for (unsigned step = 0; step < SETS * 4; step++) {
		struct worker *worker = &workers[world_below(&world, WORKERS)];

		switch (world_below(&world, 4)) {
		case 0:
			world_edit(&world, store);
			if (world_below(&world, 2))
				break;
			const struct snap_set *set = snap_store_commit(store);
			if (snap_set_number(set) > newest && newest < SETS)
				remember(&sets[++newest], &world, set);
			assert_int_equal(snap_set_number(set), newest);
			break;
		case 1:
			worker->number = newest;
			snap_store_quiet(
			    store, oldest(workers), holds, WORKERS);
			while (forgotten < oldest(workers) - 1)
				forget(&sets[++forgotten]);
			break;
		default:
			work(worker, store, &world, &sets[worker->number]);
		}
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i].number = newest;
		for (unsigned j = 0; j < HELD; j++) {
			struct snap_decision *held = &workers[i].held[j];

			if (held->route_unit)
				snap_release(holds[i], held->route_unit);
			text_fini(&workers[i].names[j]);
		}
	}
	snap_store_quiet(store, newest, holds, WORKERS);
	assert_false(snap_store_has_garbage(store));
	while (forgotten < newest)
		forget(&sets[++forgotten]);
	memory_free(sets);
	world_fini(&world);
	snap_holds_free(&holds[0]);
	snap_store_free(&store);
}

static void
test_workers(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++)
		run_workers(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_put),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_generation),
	    cmocka_unit_test(test_next),
	    cmocka_unit_test(test_sockets),
	    cmocka_unit_test(test_edits),
	    cmocka_unit_test(test_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
