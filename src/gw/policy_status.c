/* Statuses of policies: an entry for each Gateway whose routes lead to a
 * target, beside those of other controllers, which stay as they are. */
#include <stdlib.h>

#include "core/must.h"
#include "gw/policy_priv.h"

enum { TOLD_BYTES = 512 };

/* A Gateway, or a target that none leads to. */
struct ancestor {
	const struct gw_owner_node *gateway; /* NULL: the target itself */
	uint64_t targets; /* bit i: targets[i] is what stands below it */
};

struct telling {
	struct gw_state *state;
	struct gw_policy_node *policy;
	struct ancestor *ancestors;
	uint32_t count, room;
	uint32_t left_out; /* Gateways that a status has no room for */
	struct gw_policy_status *status;
};

/* ---- who stands above ---- */

static void
add_ancestor(struct telling *telling, const struct gw_owner_node *gateway,
    uint32_t target)
{
	uint32_t i = 0;

	while (gateway && i < telling->count &&
	    telling->ancestors[i].gateway != gateway)
		i++;
	if (!gateway)
		i = telling->count;
	if (i == telling->room) {
		uint32_t room = telling->room ? telling->room * 2 : 4;
		struct ancestor *grown =
		    arena_zero(&telling->state->work, room, sizeof(*grown));

		if (telling->count > 0)
			memcpy(grown, telling->ancestors,
			    telling->count * sizeof(*grown));
		telling->ancestors = grown;
		telling->room = room;
	}
	if (i == telling->count)
		telling->ancestors[telling->count++] =
		    (struct ancestor){.gateway = gateway};
	telling->ancestors[i].targets |= UINT64_C(1) << target;
}

/* Who may not refer to a target has nothing to do with it. */
static bool
may_lead(const struct gw_state *state, const struct gw_node *route,
    const struct gw_node *node)
{
	return slice_equal(gw_node_namespace(route), gw_node_namespace(node)) ||
	    gw_grant_permits(state, SLICE(GW_GROUP),
	        slice_from_string(gw_kinds[route->kind].kind),
	        gw_node_namespace(route), node);
}

/* Has a Service this port by its number, for routes of this transport, under
 * the name? */
static bool
is_port(const struct gw_node *service, int64_t number, const char *transport,
    struct slice name)
{
	const struct gw_service_spec *spec = service->object->service->spec;

	for (uint32_t i = 0; i < spec->ports_count; i++)
		if (spec->ports[i].port == number &&
		    slice_equal(spec->ports[i].protocol,
		        slice_from_string(transport)) &&
		    slice_equal(spec->ports[i].name, name))
			return true;
	return false;
}

/* Does a route's edge lead to this section of the target? To one that is not
 * there as to the whole. */
static bool
leads_to_section(const struct gw_edge *edge, struct slice section)
{
	return section.length == 0 ||
	    !gw_policy_has_section(edge->node, section) ||
	    is_port(edge->node, edge->port,
	        gw_route_row(edge->user->kind)->transport, section);
}

static void
find_ancestors_of(struct telling *telling, uint32_t index)
{
	const struct gw_policy_target *target =
	    &telling->policy->targets[index];
	const struct gw_node *node = target->node;
	const struct gw_node *last = NULL;

	if (!node)
		return;
	LIST_FOR_EACH(at, &node->users)
	{
		const struct gw_edge *edge =
		    container_of(at, struct gw_edge, link);

		/* A route's edges to one node mostly stand together. */
		if (edge->role != GW_EDGE_BACKEND || edge->user == last ||
		    !leads_to_section(edge, target->reference->section_name))
			continue;
		last = edge->user;
		if (!may_lead(telling->state, last, node))
			continue;
		const struct gw_route_node *route = (const void *)last;

		for (uint32_t i = 0; i < route->attached_count; i++)
			add_ancestor(
			    telling, route->attached[i].owner->gateway, index);
	}
}

static int
compare_ancestors(const void *a, const void *b)
{
	const struct gw_node *left =
	    &((const struct ancestor *)a)->gateway->node;
	const struct gw_node *right =
	    &((const struct ancestor *)b)->gateway->node;
	int order =
	    slice_compare(gw_node_namespace(left), gw_node_namespace(right));

	return order ? order
	             : slice_compare(gw_node_name(left), gw_node_name(right));
}

static bool
has_ancestor(const struct telling *telling, uint32_t target)
{
	for (uint32_t i = 0; i < telling->count; i++)
		if (telling->ancestors[i].targets >> target & 1)
			return true;
	return false;
}

/* Where all classes are ours, it is for us to tell of targets that nobody leads
 * to. */
static void
find_ancestors(struct telling *telling)
{
	uint32_t count = telling->policy->target_count;

	for (uint32_t i = 0; i < count; i++)
		find_ancestors_of(telling, i);
	if (telling->count > 1)
		qsort(telling->ancestors, telling->count,
		    sizeof(*telling->ancestors), compare_ancestors);
	if (telling->state->controller_name_count > 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (!has_ancestor(telling, i))
			add_ancestor(telling, NULL, i);
}

/* ---- conditions ---- */

static struct slice
target_text(struct arena *arena, const struct gw_policy_target *target)
{
	const struct gw_policy_target_reference *reference = target->reference;
	bool part = reference->section_name.length > 0;

	return arena_format(arena, "%.*s %.*s%s%.*s%s",
	    SLICE_ARGS(reference->kind), SLICE_ARGS(reference->name),
	    part ? " (" : "", SLICE_ARGS(reference->section_name),
	    part ? ")" : "");
}

/* Why a target is not there for it, or absent. */
static struct slice
find_missing(struct arena *arena, const struct gw_policy_target *target)
{
	const struct gw_policy_target_reference *reference = target->reference;
	const struct gw_node *node = target->node;

	if (!node)
		return arena_format(arena,
		    "%.*s of group \"%.*s\" cannot be the target of a %s",
		    SLICE_ARGS(reference->kind), SLICE_ARGS(reference->group),
		    gw_kinds[target->policy->node.kind].kind);
	if (!node->object)
		return arena_format(arena, "there is no %.*s %.*s",
		    SLICE_ARGS(reference->kind), SLICE_ARGS(gw_node_key(node)));
	if (!gw_policy_has_section(node, reference->section_name))
		return arena_format(arena, "%.*s %.*s has no %s \"%.*s\"",
		    SLICE_ARGS(reference->kind), SLICE_ARGS(gw_node_key(node)),
		    node->kind == GW_SERVICE ? "port of the name" : "section",
		    SLICE_ARGS(reference->section_name));
	return SLICE_NONE;
}

/* An XBackend with TLS of its own, which comes before any policy. */
static bool
speaks_for_itself(const struct gw_node *node)
{
	const struct gw_policy_verdict *verdict;

	return node->kind == GW_XBACKEND && gw_xbackend_is_tls(node, &verdict);
}

/* The first of the ancestor's targets that is lost or not there. */
static bool
add_lost(struct gw_conditions *conditions, const struct telling *telling,
    const struct ancestor *ancestor)
{
	struct arena *arena = &telling->state->outbox.arena;
	const struct gw_policy_node *policy = telling->policy;

	for (uint32_t i = 0; i < policy->target_count; i++) {
		const struct gw_policy_target *target = &policy->targets[i];
		const struct gw_policy_node *winner;
		struct slice missing = find_missing(arena, target);

		if (!(ancestor->targets >> i & 1))
			continue;
		winner = target->node ? gw_policy_winner(target) : NULL;
		if (slice_is_set(missing)) {
			gw_conditions_add(conditions, "Accepted", "False",
			    "TargetNotFound",
			    arena_format(arena, "targetRefs[%u]: %.*s", i,
			        SLICE_ARGS(missing)));
			return true;
		}
		if (target->node && speaks_for_itself(target->node)) {
			gw_conditions_add(conditions, "Accepted", "False",
			    "Conflicted",
			    arena_format(arena,
			        "targetRefs[%u]: %.*s says itself, by "
			        "spec.tls, how it is spoken to",
			        i,
			        SLICE_ARGS(target_text(
			            &telling->state->work, target))));
			return true;
		}
		if (winner) {
			gw_conditions_add(conditions, "Accepted", "False",
			    "Conflicted",
			    arena_format(arena,
			        "targetRefs[%u]: %.*s belongs to %s %.*s, "
			        "which is older or comes first by name",
			        i,
			        SLICE_ARGS(
			            target_text(&telling->state->work, target)),
			        gw_kinds[policy->node.kind].kind,
			        SLICE_ARGS(gw_node_key(&winner->node))));
			return true;
		}
	}
	return false;
}

static struct slice
accepted_text(const struct telling *telling)
{
	struct slice ignored = telling->policy->verdict.ignored;
	struct arena *arena = &telling->state->outbox.arena;
	struct text text;
	struct slice told;

	text_init(&text);
	text_push_string(&text, "accepted");
	if (ignored.length > 0)
		text_printf(
		    &text, "; without effect: %.*s", SLICE_ARGS(ignored));
	if (telling->left_out > 0)
		text_printf(&text,
		    "; it is in force for %u more Gateways, which a status "
		    "has no room for",
		    telling->left_out);
	told = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return told;
}

static void
add_conditions(struct gw_conditions *conditions, const struct telling *telling,
    const struct ancestor *ancestor)
{
	struct arena *arena = &telling->state->outbox.arena;
	const struct gw_policy_verdict *verdict = &telling->policy->verdict;

	if (!add_lost(conditions, telling, ancestor)) {
		if (verdict->refused)
			gw_conditions_add(conditions, "Accepted", "False",
			    verdict->refused,
			    arena_copy(arena, verdict->message));
		else
			gw_conditions_add(conditions, "Accepted", "True",
			    "Accepted", accepted_text(telling));
	}
	if (!gw_policy_rows[telling->policy->node.kind].has_references)
		return;
	if (verdict->unresolved)
		gw_conditions_add(conditions, "ResolvedRefs", "False",
		    verdict->unresolved,
		    arena_copy(arena, verdict->unresolved_message));
	else
		gw_conditions_add(conditions, "ResolvedRefs", "True",
		    "ResolvedRefs", SLICE("all references are resolved"));
}

/* ---- entries ---- */

static struct gw_status_parent *
make_reference(const struct telling *telling, const struct ancestor *ancestor)
{
	struct gw_status_parent *reference =
	    arena_zero(&telling->state->outbox.arena, 1, sizeof(*reference));
	uint32_t i = 0;

	if (ancestor->gateway) {
		const struct gw_node *node = &ancestor->gateway->node;

		*reference = (struct gw_status_parent){.group = SLICE(GW_GROUP),
		    .kind = SLICE("Gateway"),
		    .namespace = gw_node_namespace(node),
		    .name = gw_node_name(node)};
		return reference;
	}
	while (!(ancestor->targets >> i & 1))
		i++;
	const struct gw_policy_target_reference *target =
	    telling->policy->targets[i].reference;

	*reference = (struct gw_status_parent){.group = target->group,
	    .kind = target->kind,
	    .namespace = gw_node_namespace(&telling->policy->node),
	    .name = target->name,
	    .section_name = target->section_name};
	return reference;
}

static void
add_entry(struct telling *telling, const struct ancestor *ancestor)
{
	struct gw_policy_status *status = telling->status;
	struct gw_policy_ancestor_status *entry =
	    &status->ancestors[status->ancestors_count++];
	struct gw_conditions conditions;

	gw_conditions_init(&conditions, &telling->state->outbox.arena,
	    telling->policy->node.object);
	add_conditions(&conditions, telling, ancestor);
	*entry = (struct gw_policy_ancestor_status){
	    .ancestor_ref = make_reference(telling, ancestor),
	    .controller_name = ancestor->gateway
	        ? arena_copy(&telling->state->outbox.arena,
	              ancestor->gateway->controller)
	        : SLICE(GW_CONTROLLER),
	    .conditions = conditions.items,
	    .conditions_count = conditions.count,
	};
}

/* They count among those that there is room for. */
static void
keep_foreign(struct telling *telling)
{
	const struct gw_policy_status *told =
	    telling->policy->node.object->told;
	struct gw_policy_status *status = telling->status;

	for (uint32_t i = 0; told && i < told->ancestors_count &&
	     status->ancestors_count < GW_ANCESTORS_MAX;
	     i++)
		if (!gw_controller_is_ours(
		        telling->state, told->ancestors[i].controller_name))
			status->ancestors[status->ancestors_count++] =
			    told->ancestors[i];
}

void
gw_policy_emit_status(struct gw_state *state, struct gw_policy_node *policy)
{
	struct telling telling = {.state = state, .policy = policy};
	struct arena *arena = &state->outbox.arena;

	if (!policy->node.object)
		return;
	telling.status = arena_zero(arena, 1, sizeof(*telling.status));
	telling.status->ancestors = arena_zero(
	    arena, GW_ANCESTORS_MAX, sizeof(*telling.status->ancestors));
	find_ancestors(&telling);
	keep_foreign(&telling);
	uint32_t room = GW_ANCESTORS_MAX - telling.status->ancestors_count;
	uint32_t kept = telling.count < room ? telling.count : room;

	telling.left_out = telling.count - kept;
	for (uint32_t i = 0; i < kept; i++)
		add_entry(&telling, &telling.ancestors[i]);
	gw_outbox_status(&state->outbox, &policy->status, policy->node.object,
	    telling.status);
}
