/* decide() held against the slow reference, over random tables and requests,
 * and a set that was edited held against one that was built at once. What fails
 * is made as small as it can be and printed. SEEDS: how many worlds (thousands
 * by default); SEED: the first one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "wire/record_tree.h"
#include "world.h"

#define SEEDS 2000
#define REQUESTS 60
#define EDITS_MAX 48
#define EDIT_REQUESTS 12

static uint64_t
setting(const char *name, uint64_t otherwise)
{
	uint64_t value;

	return slice_to_number(
	           slice_from_string(getenv(name)), UINT64_MAX, &value)
	    ? value
	    : otherwise;
}

static bool
agrees(const struct world *world, const struct snap_set *set,
    struct world_request *asked)
{
	struct text expected, answer;
	bool same;

	text_init(&expected);
	text_init(&answer);
	world_expect(world, asked, &expected);
	world_decide(set, asked, &answer);
	same = slice_equal(text_slice(&expected), text_slice(&answer));
	text_fini(&expected);
	text_fini(&answer);
	return same;
}

/* ---- making a table small ---- */

struct shrink {
	struct world *world;
	struct world_request *asked;
	bool shrunk; /* in this round */
};

static bool
still_fails(struct shrink *shrink)
{
	struct snap_store *store = snap_store_new();
	bool fails;

	world_load(shrink->world, store);
	fails = !agrees(shrink->world, snap_store_commit(store), shrink->asked);
	snap_store_free(&store);
	shrink->shrunk = shrink->shrunk || fails;
	return fails;
}

/* Leave out what can be left out of a list. */
static void
shrink_list(struct shrink *shrink, void *list, uint32_t *count, size_t size)
{
	char *items = list, saved[256];

	assert_true(size <= sizeof(saved));
	for (uint32_t i = 0; i < *count;) {
		char *item = items + i * size;
		size_t behind = (*count - i - 1) * size;

		memcpy(saved, item, size);
		memmove(item, item + size, behind);
		(*count)--;
		if (still_fails(shrink))
			continue;
		memmove(item + size, item, behind);
		memcpy(item, saved, size);
		(*count)++;
		i++;
	}
}

static void
shrink_match(struct shrink *shrink, struct unit_match *match)
{
	struct slice method = match->method;

	shrink_list(shrink, match->headers, &match->headers_count,
	    sizeof(*match->headers));
	shrink_list(shrink, match->queries, &match->queries_count,
	    sizeof(*match->queries));
	match->method = SLICE_NONE;
	if (method.data && !still_fails(shrink))
		match->method = method;
}

static void
shrink_route(struct shrink *shrink, struct unit_route *route)
{
	shrink_list(shrink, route->hostnames, &route->hostnames_count,
	    sizeof(*route->hostnames));
	shrink_list(shrink, route->listeners, &route->listeners_count,
	    sizeof(*route->listeners));
	shrink_list(
	    shrink, route->rules, &route->rules_count, sizeof(*route->rules));
	for (uint32_t i = 0; i < route->rules_count; i++) {
		struct unit_rule *rule = &route->rules[i];

		rule->backends_count = 0;
		shrink_list(shrink, rule->matches, &rule->matches_count,
		    sizeof(*rule->matches));
		for (uint32_t j = 0; j < rule->matches_count; j++)
			shrink_match(shrink, &rule->matches[j]);
	}
}

static void
shrink_table(struct world *world, struct world_request *asked)
{
	struct shrink shrink = {.world = world, .asked = asked, .shrunk = true};

	while (shrink.shrunk) {
		shrink.shrunk = false;
		for (unsigned i = 0; i < WORLD_ROUTES; i++) {
			struct world_route *route = world->routes[i];

			world->routes[i] = NULL;
			if (!route || still_fails(&shrink))
				continue;
			world->routes[i] = route;
			shrink_route(&shrink, &route->unit);
		}
		for (unsigned i = 0; i < WORLD_LISTENERS; i++) {
			struct unit_listener *listener = world->listeners[i];

			world->listeners[i] = NULL;
			if (listener && !still_fails(&shrink))
				world->listeners[i] = listener;
		}
		shrink_list(&shrink, asked->fields, &asked->request.field_count,
		    sizeof(asked->fields[0]));
	}
}

/* ---- telling ---- */

static void
print_record(struct slice name, enum unit_kind kind, const void *record)
{
	struct text json;

	text_init(&json);
	wire_record_to_json(&json, snap_unit_type(kind), record);
	print_error("%.*s %s\n", SLICE_ARGS(name), json.data);
	text_fini(&json);
}

static void
print_world(struct world *world)
{
	for (unsigned i = 0; i < WORLD_LISTENERS; i++)
		if (world->listeners[i])
			print_record(world_listener_name(&world->arena, i),
			    UNIT_LISTENER, world->listeners[i]);
	for (unsigned i = 0; i < WORLD_ROUTES; i++)
		if (world->routes[i])
			print_record(
			    world_route_name(&world->arena, world->routes[i]),
			    UNIT_ROUTE, &world->routes[i]->unit);
}

static void
print_request(const struct world_request *asked)
{
	const struct snap_request *request = &asked->request;

	print_error("asked of [%.*s]:%u: %s host \"%.*s\"",
	    SLICE_ARGS(asked->address), asked->port,
	    asked->is_hello ? "ClientHello" : "request",
	    SLICE_ARGS(request->host));
	if (!asked->is_hello)
		print_error(" %.*s %.*s ? \"%.*s\"",
		    SLICE_ARGS(request->method), SLICE_ARGS(request->path),
		    SLICE_ARGS(request->query));
	for (unsigned i = 0; i < request->field_count; i++)
		print_error(", %.*s: %.*s",
		    SLICE_ARGS(field_name(&asked->fields[i])),
		    SLICE_ARGS(field_value(&asked->fields[i])));
	print_error("\n");
}

static void
tell_table(struct world *world, struct world_request *asked)
{
	struct snap_store *store = snap_store_new();
	struct text expected, answer;

	shrink_table(world, asked);
	text_init(&expected);
	text_init(&answer);
	world_load(world, store);
	world_expect(world, asked, &expected);
	world_decide(snap_store_commit(store), asked, &answer);
	print_world(world);
	print_request(asked);
	fail_msg("seed %llu: expected \"%.*s\", got \"%.*s\"",
	    (unsigned long long)world->seed, SLICE_ARGS(text_slice(&expected)),
	    SLICE_ARGS(text_slice(&answer)));
}

/* ---- the reference ---- */

enum outcome { NO_LISTENER, NO_ROUTE, HTTP, GRPC, TLS, OUTCOMES };

static enum outcome
outcome_of(const struct snap_set *set, struct world_request *asked)
{
	struct text answer;
	enum outcome outcome = NO_ROUTE;
	const char *route;

	text_init(&answer);
	world_decide(set, asked, &answer);
	text_push_byte(&answer, '\0');
	route = strstr(answer.data, " route/");
	if (answer.length == 1)
		outcome = NO_LISTENER;
	else if (route)
		outcome = route[7] == 'H' ? HTTP : route[7] == 'G' ? GRPC : TLS;
	text_fini(&answer);
	return outcome;
}

static void
test_reference(void **state)
{
	uint64_t first = setting("SEED", 1), count = setting("SEEDS", SEEDS);
	uint64_t seen[OUTCOMES] = {0};

	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct snap_store *store = snap_store_new();
		const struct snap_set *set;
		struct world world;

		world_init(&world, seed);
		for (unsigned i = 0; i < 2 * world.routes_used + 8; i++)
			world_edit(&world, store);
		set = snap_store_commit(store);
		for (unsigned i = 0; i < REQUESTS; i++) {
			struct world_request asked;

			world_ask(&world, &asked);
			if (!agrees(&world, set, &asked))
				tell_table(&world, &asked);
			seen[outcome_of(set, &asked)]++;
		}
		world_fini(&world);
		snap_store_free(&store);
	}
	/* none of them rare */
	for (unsigned i = 0; count >= SEEDS && i < OUTCOMES; i++)
		assert_true(seen[i] > count * REQUESTS / 200);
}

/* ---- edits ---- */

struct history {
	struct world_edit edits[EDITS_MAX];
	bool commits[EDITS_MAX]; /* a set is made behind this one */
	uint32_t count;
	struct world_request asked[EDIT_REQUESTS];
};

/* The first request that two sets decide differently, or EDIT_REQUESTS. */
static unsigned
first_difference(const struct snap_set *edited, const struct snap_set *whole,
    struct history *history)
{
	for (unsigned i = 0; i < EDIT_REQUESTS; i++) {
		struct text one, other;
		bool same;

		text_init(&one);
		text_init(&other);
		world_decide(edited, &history->asked[i], &one);
		world_decide(whole, &history->asked[i], &other);
		same = slice_equal(text_slice(&one), text_slice(&other));
		text_fini(&one);
		text_fini(&other);
		if (!same)
			return i;
	}
	return EDIT_REQUESTS;
}

/* All edits, on an empty world; then against a store that gets what is left. */
static unsigned
replay(struct world *world, struct history *history)
{
	struct snap_store *store = snap_store_new();
	struct snap_store *fresh = snap_store_new();
	unsigned difference;

	memset(world->listeners, 0, sizeof(world->listeners));
	memset(world->routes, 0, sizeof(world->routes));
	for (uint32_t i = 0; i < history->count; i++) {
		world_apply(world, &history->edits[i], store);
		if (history->commits[i])
			snap_store_quiet(store,
			    snap_set_number(snap_store_commit(store)), NULL, 0);
	}
	world_load(world, fresh);
	difference = first_difference(
	    snap_store_commit(store), snap_store_commit(fresh), history);
	snap_store_free(&store);
	snap_store_free(&fresh);
	return difference;
}

static void
tell_history(struct world *world, struct history *history)
{
	unsigned request;

	for (uint32_t i = 0; i < history->count;) {
		struct history fewer = *history;

		fewer.count--;
		memmove(&fewer.edits[i], &fewer.edits[i + 1],
		    (fewer.count - i) * sizeof(fewer.edits[0]));
		memmove(&fewer.commits[i], &fewer.commits[i + 1],
		    (fewer.count - i) * sizeof(fewer.commits[0]));
		if (replay(world, &fewer) < EDIT_REQUESTS)
			*history = fewer;
		else
			i++;
	}
	for (uint32_t i = 0; i < history->count; i++) {
		const struct world_edit *edit = &history->edits[i];
		char name[32];

		snprintf(name, sizeof(name), "%s %u",
		    edit->of_listener ? "listener" : "route", edit->number);
		if (edit->listener || edit->route)
			print_record(slice_from_string(name),
			    edit->of_listener ? UNIT_LISTENER : UNIT_ROUTE,
			    edit->of_listener ? (const void *)edit->listener
			                      : edit->route);
		else
			print_error("%s goes\n", name);
		if (history->commits[i])
			print_error("commit\n");
	}
	request = replay(world, history);
	print_request(&history->asked[request]);
	fail_msg("seed %llu: edited and built at once, sets differ",
	    (unsigned long long)world->seed);
}

static void
test_edits(void **state)
{
	uint64_t first = setting("SEED", 1), count = setting("SEEDS", SEEDS);
	struct history *history = memory_zero(1, sizeof(*history));

	(void)state;
	for (uint64_t seed = first; seed < first + count; seed++) {
		struct snap_store *unused = snap_store_new();
		struct world world;

		world_init(&world, seed);
		history->count = 1 + world_below(&world, EDITS_MAX);
		for (uint32_t i = 0; i < history->count; i++) {
			history->edits[i] = world_choose(&world);
			history->commits[i] = world_below(&world, 2);
			world_apply(&world, &history->edits[i], unused);
		}
		for (unsigned i = 0; i < EDIT_REQUESTS; i++)
			world_ask(&world, &history->asked[i]);
		if (replay(&world, history) < EDIT_REQUESTS)
			tell_history(&world, history);
		world_fini(&world);
		snap_store_free(&unused);
	}
	memory_free(history);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reference),
	    cmocka_unit_test(test_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
