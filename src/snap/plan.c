/* Plans: what decide() and the index need of a route unit, worked out once when
 * the unit comes. A plan lives in its unit's arena and owns references on the
 * numbers in it. */
#include <stdlib.h>

#include "core/must.h"
#include "snap/store_priv.h"
#include "snap/unit_priv.h"

static enum error plan_rules(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan);
static void release_patterns(
    struct snap_store *store, const struct snap_plan *plan);
static void plan_backends(struct snap_store *store, struct unit *unit,
    enum unit_route_kind kind, struct snap_rule *planned);
static void plan_listeners(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan);
static void plan_rule_ids(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan);
static void share_names(struct snap_store *store, const struct unit *unit);

enum error
snap_plan_make(struct snap_store *store, struct unit *unit, struct slice bytes)
{
	must(unit->kind == UNIT_ROUTE && unit->plan == NULL);
	struct snap_plan *plan = arena_zero(unit->arena, 1, sizeof(*plan));
	bool known = snap_route_kind(unit->name, &plan->kind);
	enum error error = plan_rules(store, unit, plan);

	must(known); /* snap_unit_check looked */
	if (error != ERROR_OK) {
		release_patterns(store, plan);
		return error;
	}
	for (uint32_t i = 0; i < unit->route->rules_count; i++)
		plan_backends(store, unit, plan->kind, &plan->rules[i]);
	plan_listeners(store, unit, plan);
	plan_rule_ids(store, unit, plan);
	unit->plan = plan;
	share_names(store, unit);
	snap_unit_own(unit, bytes);
	return ERROR_OK;
}

/* The names of listeners and targets, which others have too, are those of the
 * states that the plan holds. */
static void
share_names(struct snap_store *store, const struct unit *unit)
{
	struct unit_route *route = (void *)(uintptr_t)unit->route;

	for (uint32_t i = 0; i < route->listeners_count; i++)
		route->listeners[i] =
		    snap_listener_name(store, route->listeners[i]);
	for (uint32_t i = 0; i < route->rules_count; i++) {
		const struct unit_rule *rule = &route->rules[i];
		const uint32_t *ids = unit->plan->rules[i].backend_ids;

		for (uint32_t j = 0; j < rule->backends_count; j++)
			if (ids[j] != SNAP_ID_NONE)
				rule->backends[j].target =
				    snap_backend_target(store, ids[j]);
	}
}

void
snap_plan_release(struct snap_store *store, const struct unit *unit)
{
	const struct snap_plan *plan = unit->plan;
	const struct unit_route *route = unit->route;

	for (uint32_t i = 0; i < route->rules_count; i++) {
		const struct snap_rule *rule = &plan->rules[i];

		for (uint32_t j = 0; j < rule->rule->backends_count; j++)
			if (rule->backend_ids[j] != SNAP_ID_NONE)
				snap_backend_unref(store, rule->backend_ids[j]);
	}
	for (uint32_t i = 0; i < route->listeners_count * route->rules_count;
	     i++)
		snap_rule_ids_unref(store->rule_ids, plan->rule_ids[i], unit);
	for (uint32_t i = 0; i < route->listeners_count; i++)
		snap_listener_unref(store, plan->listeners[i]);
	release_patterns(store, plan);
}

static uint32_t
pattern_places(const struct unit_match *match)
{
	return SNAP_PATTERN_HEADERS + match->headers_count +
	    match->queries_count;
}

/* The pattern of a match that has this place, or absent when none stands there.
 */
static struct slice
pattern_at(const struct unit_match *match, uint32_t place)
{
	const struct unit_call *call = match->call;
	const struct unit_pair_match *pair;

	if (place == SNAP_PATTERN_PATH && match->path_type == UNIT_PATH_PATTERN)
		return match->path.data ? match->path : SLICE("");
	if (place < SNAP_PATTERN_HEADERS) {
		if (!call || call->type != UNIT_CALL_PATTERN)
			return SLICE_NONE;

		struct slice text =
		    place == SNAP_PATTERN_PATH ? call->service : call->method;

		return text.length > 0 ? text : SLICE_NONE;
	}
	place -= SNAP_PATTERN_HEADERS;
	pair = place < match->headers_count
	    ? &match->headers[place]
	    : &match->queries[place - match->headers_count];
	if (pair->type != UNIT_PAIR_PATTERN)
		return SLICE_NONE;
	return pair->value.data ? pair->value : SLICE("");
}

/* Each compiled, or found. */
static enum error
plan_patterns(
    struct snap_store *store, struct unit *unit, struct snap_match *match)
{
	const struct unit_match *asked = match->match;
	uint32_t count = pattern_places(asked);
	struct snap_pattern **patterns = NULL;
	enum error error = ERROR_OK;

	for (uint32_t i = 0; i < count && error == ERROR_OK; i++) {
		struct slice text = pattern_at(asked, i);

		if (!slice_is_set(text))
			continue;
		if (!patterns)
			patterns =
			    arena_zero(unit->arena, count, sizeof(*patterns));
		error = snap_pattern_ref(&store->patterns, text, &patterns[i]);
	}
	match->patterns = patterns;
	return error;
}

static void
release_patterns(struct snap_store *store, const struct snap_plan *plan)
{
	for (uint32_t i = 0; i < plan->match_count; i++) {
		const struct snap_match *match = &plan->matches[i];

		if (!match->patterns)
			continue;
		for (uint32_t j = 0; j < pattern_places(match->match); j++)
			if (match->patterns[j])
				snap_pattern_unref(
				    &store->patterns, match->patterns[j]);
	}
}

static void
plan_listeners(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan)
{
	const struct unit_route *route = unit->route;

	plan->listeners = arena_zero(
	    unit->arena, route->listeners_count, sizeof(*plan->listeners));
	for (uint32_t i = 0; i < route->listeners_count; i++)
		plan->listeners[i] =
		    snap_listener_ref(store, route->listeners[i]);
}

static void
plan_backends(struct snap_store *store, struct unit *unit,
    enum unit_route_kind kind, struct snap_rule *planned)
{
	const struct unit_rule *rule = planned->rule;
	bool datagrams = kind == UNIT_ROUTE_UDP;
	uint32_t *ids =
	    arena_zero(unit->arena, rule->backends_count, sizeof(*ids));

	for (uint32_t i = 0; i < rule->backends_count; i++) {
		const struct unit_backend *backend = &rule->backends[i];

		planned->weight_sum += (uint32_t)backend->weight;
		ids[i] = slice_is_set(backend->refused)
		    ? SNAP_ID_NONE
		    : snap_backend_ref(store, backend->target,
		          (uint16_t)backend->port, datagrams);
	}
	planned->backend_ids = ids;
}

static const uint16_t *
header_ids(struct unit *unit, const struct unit_match *match)
{
	if (match->headers_count == 0)
		return NULL;
	uint16_t *ids =
	    arena_zero(unit->arena, match->headers_count, sizeof(*ids));

	for (uint32_t i = 0; i < match->headers_count; i++)
		ids[i] = (uint16_t)wire_field_id(match->headers[i].name);
	return ids;
}

static enum error
plan_matches(struct snap_store *store, struct unit *unit,
    struct snap_plan *plan, uint32_t index)
{
	const struct unit_rule *rule = plan->rules[index].rule;
	enum error error = ERROR_OK;

	for (uint32_t i = 0; i < rule->matches_count && error == ERROR_OK;
	     i++) {
		struct snap_match *match = &plan->matches[plan->match_count++];

		*match = (struct snap_match){
		    .match = &rule->matches[i],
		    .rule = &plan->rules[index],
		    .header_ids = header_ids(unit, &rule->matches[i]),
		    .rule_index = index,
		    .match_index = i,
		};
		error = plan_patterns(store, unit, match);
	}
	return error;
}

static enum error
plan_rules(struct snap_store *store, struct unit *unit, struct snap_plan *plan)
{
	const struct unit_route *route = unit->route;
	enum error error = ERROR_OK;
	size_t matches = 0;

	for (uint32_t i = 0; i < route->rules_count; i++)
		matches += route->rules[i].matches_count;
	plan->rules =
	    arena_zero(unit->arena, route->rules_count, sizeof(*plan->rules));
	plan->matches =
	    arena_zero(unit->arena, matches, sizeof(*plan->matches));
	for (uint32_t i = 0; i < route->rules_count && error == ERROR_OK; i++) {
		plan->rules[i].unit = unit;
		plan->rules[i].rule = &route->rules[i];
		error = plan_matches(store, unit, plan, i);
	}
	return error;
}

/* Rules are counted by listener. */
static void
plan_rule_ids(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan)
{
	const struct unit_route *route = unit->route;
	uint32_t *id;

	plan->rule_ids = id = arena_zero(unit->arena,
	    (size_t)route->listeners_count * route->rules_count, sizeof(*id));
	for (uint32_t i = 0; i < route->listeners_count; i++)
		for (uint32_t j = 0; j < route->rules_count; j++)
			*id++ = snap_rule_ids_ref(
			    store->rule_ids, plan->listeners[i]->id, unit, j);
}
