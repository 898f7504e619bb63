/* Plans: what decide() and the index need of a route unit, worked out once when
 * the unit comes. A plan lives in its unit's arena and owns references on the
 * numbers in it. */
#include <stdlib.h>

#include "core/must.h"
#include "snap/store_priv.h"

#define LISTENER_PREFIX (sizeof("listener/") - 1)
#define ROUTE_PREFIX (sizeof("route/") - 1)

static void plan_listeners(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan);
static void plan_hostnames(struct unit *unit, struct snap_plan *plan);
static void plan_rules(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan);
static void plan_rule_ids(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan);

void
snap_plan_make(struct snap_store *store, struct unit *unit)
{
	must(unit->kind == UNIT_ROUTE && unit->plan == NULL);
	struct snap_plan *plan = arena_zero(&unit->arena, 1, sizeof(*plan));

	plan_listeners(store, unit, plan);
	plan_hostnames(unit, plan);
	plan_rules(store, unit, plan);
	plan_rule_ids(store, unit, plan);
	unit->plan = plan;
}

void
snap_plan_release(struct snap_store *store, const struct unit *unit)
{
	const struct snap_plan *plan = unit->plan;

	for (uint32_t i = 0; i < plan->rule_count; i++) {
		const struct snap_rule *rule = &plan->rules[i];

		for (uint32_t j = 0; j < rule->rule->backends_count; j++)
			if (rule->backend_ids[j] != SNAP_ID_NONE)
				snap_backend_unref(store, rule->backend_ids[j]);
	}
	for (uint32_t i = 0; i < plan->listener_count * plan->rule_count; i++)
		snap_ids_unref(store->rule_ids, plan->rule_ids[i]);
	for (uint32_t i = 0; i < plan->listener_count; i++)
		snap_listener_unref(store, plan->listeners[i]);
}

static int
compare_names(const void *a, const void *b)
{
	const struct slice *left = a, *right = b;

	return slice_compare(*left, *right);
}

/* Sorted, each once, in the arena. */
static struct slice *
unique_names(struct arena *arena, const struct slice *names, uint32_t count,
    uint32_t *unique_count)
{
	struct slice *unique = arena_zero(arena, count, sizeof(*unique));
	uint32_t kept = 0;

	memcpy(unique, names, count * sizeof(*unique));
	qsort(unique, count, sizeof(*unique), compare_names);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || !slice_equal(unique[kept - 1], unique[i]))
			unique[kept++] = unique[i];
	*unique_count = kept;
	return unique;
}

static void
plan_listeners(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan)
{
	const struct unit_route *route = unit->route;

	if (route->listeners_count == 0)
		return;

	struct slice *names = unique_names(&unit->arena, route->listeners,
	    route->listeners_count, &plan->listener_count);

	plan->listeners = arena_zero(
	    &unit->arena, plan->listener_count, sizeof(*plan->listeners));
	for (uint32_t i = 0; i < plan->listener_count; i++)
		plan->listeners[i] = snap_listener_ref(store, names[i]);
}

static void
plan_hostnames(struct unit *unit, struct snap_plan *plan)
{
	static const struct slice every = {.data = "", .length = 0};
	const struct unit_route *route = unit->route;

	if (route->hostnames_count > 0)
		plan->hostnames = unique_names(&unit->arena, route->hostnames,
		    route->hostnames_count, &plan->hostname_count);
	else
		plan->hostnames = unique_names(
		    &unit->arena, &every, 1, &plan->hostname_count);
}

static void
plan_backends(struct snap_store *store, struct unit *unit,
    const struct unit_rule *rule, struct snap_rule *planned)
{
	uint32_t *ids =
	    arena_zero(&unit->arena, rule->backends_count, sizeof(*ids));

	for (uint32_t i = 0; i < rule->backends_count; i++) {
		const struct unit_backend *backend = &rule->backends[i];

		planned->weight_sum += (uint32_t)backend->weight;
		ids[i] = slice_is_set(backend->refused)
		    ? SNAP_ID_NONE
		    : snap_backend_ref(
		          store, backend->target, (uint16_t)backend->port);
	}
	planned->backend_ids = ids;
}

static const uint16_t *
header_ids(struct unit *unit, const struct unit_match *match)
{
	uint16_t *ids =
	    arena_zero(&unit->arena, match->headers_count, sizeof(*ids));

	for (uint32_t i = 0; i < match->headers_count; i++)
		ids[i] = (uint16_t)wire_field_id(match->headers[i].name);
	return ids;
}

static void
plan_rules(struct snap_store *store, struct unit *unit, struct snap_plan *plan)
{
	const struct unit_route *route = unit->route;
	struct snap_match *match;

	plan->rule_count = route->rules_count;
	for (uint32_t i = 0; i < route->rules_count; i++)
		plan->match_count += route->rules[i].matches_count;
	plan->rules =
	    arena_zero(&unit->arena, plan->rule_count, sizeof(*plan->rules));
	plan->matches =
	    arena_zero(&unit->arena, plan->match_count, sizeof(*plan->matches));
	match = plan->matches;
	for (uint32_t i = 0; i < route->rules_count; i++) {
		const struct unit_rule *rule = &route->rules[i];

		plan->rules[i].unit = unit;
		plan->rules[i].rule = rule;
		plan_backends(store, unit, rule, &plan->rules[i]);
		for (uint32_t j = 0; j < rule->matches_count; j++)
			*match++ = (struct snap_match){
			    .match = &rule->matches[j],
			    .rule = &plan->rules[i],
			    .header_ids = header_ids(unit, &rule->matches[j]),
			    .rule_index = i,
			    .match_index = j,
			};
	}
}

/* Rules are counted by listener: "ns/gateway/listener kind/ns/route rule". */
static void
plan_rule_ids(
    struct snap_store *store, struct unit *unit, struct snap_plan *plan)
{
	struct text name;
	uint32_t *id;

	text_init(&name);
	plan->rule_ids = id = arena_zero(&unit->arena,
	    (size_t)plan->listener_count * plan->rule_count, sizeof(*id));
	for (uint32_t i = 0; i < plan->listener_count; i++) {
		const struct snap_listener_state *listener = plan->listeners[i];

		for (uint32_t j = 0; j < plan->rule_count; j++) {
			text_reset(&name);
			text_push(&name,
			    slice_skip(slice_make(listener->name,
			                   listener->name_length),
			        LISTENER_PREFIX));
			text_push_byte(&name, ' ');
			text_push(&name, slice_skip(unit->name, ROUTE_PREFIX));
			text_push_byte(&name, ' ');
			text_push(&name, plan->rules[j].rule->identity);
			*id++ =
			    snap_ids_ref(store->rule_ids, text_slice(&name));
		}
	}
	text_fini(&name);
}
