/* Routes: one route of any kind to its unit and its status. What kinds differ
 * in is in route.def. */

#include "core/memory.h"
#include "core/must.h"
#include "gw/policy_priv.h"

static const struct gw_route_row rows[GW_KIND__COUNT] = {
#define GW_ROUTE( \
    kind, carry_, needs_, transport_, requests_, fault_, matches_) \
	[GW_##kind] = {.carry = (carry_), \
	    .needs = (needs_), \
	    .transport = (transport_), \
	    .requests = (requests_), \
	    .fault = (fault_), \
	    .matches = (matches_)},
#include "gw/route.def"
#undef GW_ROUTE
};

const struct gw_route_row *
gw_route_row(enum gw_kind kind)
{
	must((unsigned)kind < GW_KIND__COUNT);
	return rows[kind].matches ? &rows[kind] : NULL;
}

/* One parentRef. */
struct parent {
	const struct gw_parent_reference *spec;
	struct gw_owner_node *owner; /* NULL: of another kind */
	struct gw_attach attach; /* where the owner is ours */
};

/* One route being judged. */
struct judge {
	struct gw_state *state;
	struct gw_route_node *route;
	struct gw_rules rules;
	struct slice unit_name;
	struct parent *parents;
	struct gw_attachment *reached; /* listeners, each once */
	uint32_t reached_count;
	const struct gw_report *report; /* of the unit, or NULL */
	bool accepted; /* the rules are such that a parent accepts them */
	struct gw_route_status *status;
};

static void find_parents(struct judge *judge);
static void emit_unit(struct judge *judge);
static void attach(struct judge *judge);
static void detach(struct gw_state *state, struct gw_route_node *route);
static void make_status(struct judge *judge);

static struct slice
name_unit(struct gw_state *state, const struct gw_route_node *route)
{
	return arena_format(&state->outbox.arena, "route/%s/%.*s",
	    gw_kinds[route->node.kind].kind,
	    SLICE_ARGS(gw_node_key(&route->node)));
}

/* To have none is not wrong. */
static bool
has_good_rules(const struct gw_rules *rules)
{
	return rules->total == 0 || rules->refused < rules->total;
}

/* Is what comes in taken out of its TLS, if any, so that policies say how to go
 * on? Datagrams are not, nor is what one of the listeners passes through. */
static bool
opens(const struct judge *judge)
{
	if (judge->route->node.kind == GW_UDPROUTE)
		return false;
	if (judge->route->node.kind != GW_TLSROUTE)
		return true;
	for (uint32_t i = 0; i < judge->reached_count; i++) {
		const struct gw_attachment *at = &judge->reached[i];
		const struct gw_listener_tls *tls =
		    at->owner->listeners[at->listener].spec->tls;

		if (tls && slice_equal(tls->mode, SLICE("Passthrough")))
			return false;
	}
	return judge->reached_count > 0;
}

/* A route with an object and its edges. */
static void
judge_object(struct gw_state *state, struct gw_route_node *route)
{
	struct judge judge = {.state = state, .route = route};

	find_parents(&judge);
	gw_rules_make(state, route, opens(&judge), &state->work, &judge.rules);
	judge.unit_name = name_unit(state, route);
	emit_unit(&judge);
	judge.report = gw_report_get(state, judge.unit_name);
	judge.accepted = has_good_rules(&judge.rules) &&
	    !(judge.report && judge.report->refused.length > 0);
	attach(&judge);
	make_status(&judge);
	gw_outbox_status(
	    &state->outbox, &route->status, route->node.object, judge.status);
	gw_rules_fini(&judge.rules);
}

/* Statuses of policies tell of the Gateways whose routes lead to targets. */
static void
mark_policies(struct gw_state *state, const struct gw_route_node *route)
{
	for (uint32_t i = route->backend_edge; i < route->edge_count; i++)
		if (route->edges[i].role == GW_EDGE_BACKEND)
			gw_policies_mark(state, route->edges[i].node);
}

void
gw_route_judge(struct gw_state *state, struct gw_route_node *route)
{
	mark_policies(state, route);
	if (route->node.replaced) {
		detach(state, route);
		gw_edges_free(state, route);
		route->node.replaced = false;
		if (route->node.object)
			gw_edges_make(state, route);
		mark_policies(state, route);
	}
	if (route->node.object)
		judge_object(state, route);
	else
		gw_outbox_drop(
		    &state->outbox, &route->unit, name_unit(state, route));
}

/* ---- parents ---- */

static void
reach(struct judge *judge, struct gw_owner_node *owner, uint64_t listeners)
{
	uint32_t room = judge->reached_count + owner->listener_count;
	struct gw_attachment *grown =
	    arena_zero(&judge->state->work, room, sizeof(*grown));

	if (judge->reached_count > 0)
		memcpy(grown, judge->reached,
		    judge->reached_count * sizeof(*grown));
	judge->reached = grown;
	for (uint32_t i = 0; i < owner->listener_count; i++) {
		bool seen = !(listeners & UINT64_C(1) << i);

		for (uint32_t j = 0; j < judge->reached_count && !seen; j++)
			seen =
			    grown[j].owner == owner && grown[j].listener == i;
		if (!seen)
			grown[judge->reached_count++] =
			    (struct gw_attachment){.owner = owner,
			        .epoch = owner->epoch,
			        .listener = i};
	}
}

static void
find_parents(struct judge *judge)
{
	struct gw_route_node *route = judge->route;
	const struct gw_httproute_spec *spec = route->node.object->route;
	uint32_t edge = route->parent_edge;

	judge->parents = arena_zero(&judge->state->work,
	    spec->parent_refs_count, sizeof(*judge->parents));
	for (uint32_t i = 0; i < spec->parent_refs_count; i++) {
		struct parent *parent = &judge->parents[i];
		enum gw_kind kind;

		parent->spec = &spec->parent_refs[i];
		if (!gw_parent_kind(parent->spec, &kind))
			continue;
		parent->owner = (void *)route->edges[edge++].node;
		if (!parent->owner->node.object || !parent->owner->ours)
			continue;
		gw_attach_route(judge->state, route, parent->owner,
		    parent->spec, &judge->state->outbox.arena, &parent->attach);
		reach(judge, parent->owner, parent->attach.listeners);
	}
}

/* ---- the unit ---- */

static void
emit_unit(struct judge *judge)
{
	struct gw_state *state = judge->state;
	struct gw_route_node *route = judge->route;
	const struct gw_object *object = route->node.object;
	const struct gw_httproute_spec *spec = object->route;
	bool wanted = judge->reached_count > 0 && judge->rules.count > 0;

	for (uint32_t i = route->backend_edge; i < route->edge_count; i++)
		if (route->edges[i].role == GW_EDGE_BACKEND)
			gw_edge_activate(state, &route->edges[i],
			    wanted && judge->rules.leads[i]);
	if (!wanted) {
		gw_outbox_drop(&state->outbox, &route->unit, judge->unit_name);
		gw_report_forget(state, judge->unit_name);
		return;
	}
	struct unit_route record = {
	    .created = object->created,
	    .listeners = arena_zero(
	        &state->work, judge->reached_count, sizeof(*record.listeners)),
	    .hostnames = arena_zero(&state->work, spec->hostnames_count + 1,
	        sizeof(*record.hostnames)),
	    .rules = judge->rules.rules,
	    .rules_count = judge->rules.count,
	};

	for (uint32_t i = 0; i < judge->reached_count; i++) {
		const struct gw_attachment *to = &judge->reached[i];

		record.listeners[i] = gw_listener_unit_name(&state->work,
		    to->owner, to->owner->listeners[to->listener].spec->name);
	}
	record.listeners_count =
	    slice_sort_unique(record.listeners, judge->reached_count);
	if (spec->hostnames_count > 0)
		memcpy(record.hostnames, spec->hostnames,
		    spec->hostnames_count * sizeof(*record.hostnames));
	record.hostnames_count =
	    slice_sort_unique(record.hostnames, spec->hostnames_count);
	if (record.hostnames_count == 0)
		record.hostnames = NULL;
	/* What was said of the old one says nothing of the new one. */
	if (gw_outbox_unit(&state->outbox, &route->unit, judge->unit_name,
	        &unit_route_type, &record))
		gw_report_forget(state, judge->unit_name);
}

/* ---- attachedRoutes ---- */

static void
count_attached(
    struct gw_state *state, const struct gw_attachment *to, uint32_t delta)
{
	if (to->epoch != to->owner->epoch)
		return; /* counted from nought since */
	to->owner->attached[to->listener] += delta;
	gw_node_mark(state, &to->owner->node);
}

static bool
has_same_attachments(
    const struct gw_route_node *route, const struct judge *judge)
{
	uint32_t count = judge->accepted ? judge->reached_count : 0;

	if (route->attached_count != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (route->attached[i].owner != judge->reached[i].owner ||
		    route->attached[i].epoch != judge->reached[i].epoch ||
		    route->attached[i].listener != judge->reached[i].listener)
			return false;
	return true;
}

/* Only routes that are accepted count. */
static void
attach(struct judge *judge)
{
	struct gw_route_node *route = judge->route;

	if (has_same_attachments(route, judge))
		return;
	detach(judge->state, route);
	if (!judge->accepted || judge->reached_count == 0)
		return;
	must(judge->reached_count <= UINT16_MAX);
	route->attached_count = (uint16_t)judge->reached_count;
	route->attached = route->attached_count == 1
	    ? &route->only_attached
	    : memory_zero(route->attached_count, sizeof(*route->attached));
	memcpy(route->attached, judge->reached,
	    route->attached_count * sizeof(*route->attached));
	for (uint32_t i = 0; i < route->attached_count; i++)
		count_attached(judge->state, &route->attached[i], 1);
}

static void
detach(struct gw_state *state, struct gw_route_node *route)
{
	for (uint32_t i = 0; i < route->attached_count; i++)
		count_attached(state, &route->attached[i], -1U);
	gw_attachments_free(route);
}

/* ---- statuses ---- */

static void
add_resolved(struct gw_conditions *conditions, const struct judge *judge)
{
	if (judge->rules.ref_reason)
		gw_conditions_add(conditions, "ResolvedRefs", "False",
		    judge->rules.ref_reason,
		    arena_copy(&judge->state->outbox.arena,
		        text_slice(&judge->rules.ref_text)));
	else
		gw_conditions_add(conditions, "ResolvedRefs", "True",
		    "ResolvedRefs", SLICE("all references are resolved"));
}

/* Attached: do the rules let it be accepted? */
static void
add_accepted(struct gw_conditions *conditions, const struct judge *judge)
{
	struct arena *arena = &judge->state->outbox.arena;
	const struct gw_rules *rules = &judge->rules;
	struct slice refused = text_slice(&rules->refused_text);
	struct slice ignored = text_slice(&rules->ignored_text);

	if (!has_good_rules(rules)) {
		gw_conditions_add(conditions, "Accepted", "False",
		    "UnsupportedValue",
		    arena_format(arena, "no rule can be served: %.*s",
		        SLICE_ARGS(refused)));
		return;
	}
	if (!judge->accepted) {
		gw_conditions_add(conditions, "Accepted", "False",
		    "UnsupportedValue",
		    arena_format(arena, "the proxy refused it: %.*s",
		        SLICE_ARGS(text_slice(&judge->report->refused))));
		return;
	}
	gw_conditions_add(conditions, "Accepted", "True", "Accepted",
	    rules->total == 0 ? SLICE("accepted; it has no rules, so that it "
	                              "takes nothing")
	        : ignored.length > 0
	        ? arena_format(arena,
	              "accepted; not supported yet and without effect: %.*s",
	              SLICE_ARGS(ignored))
	        : SLICE("accepted"));
	if (refused.length > 0)
		gw_conditions_add(conditions, "PartiallyInvalid", "True",
		    "UnsupportedValue",
		    arena_format(
		        arena, "Dropped Rule: %.*s", SLICE_ARGS(refused)));
}

static struct gw_route_parent_status *
add_parent(struct judge *judge, const struct gw_parent_reference *parent,
    struct slice controller)
{
	struct gw_route_status *status = judge->status;
	struct gw_route_parent_status *entry =
	    &status->parents[status->parents_count++];

	entry->controller_name =
	    arena_copy(&judge->state->outbox.arena, controller);
	entry->parent_ref = arena_zero(
	    &judge->state->outbox.arena, 1, sizeof(*entry->parent_ref));
	*entry->parent_ref = (struct gw_status_parent){
	    .group = parent->group,
	    .kind = parent->kind,
	    .name = parent->name,
	    .namespace = parent->namespace,
	    .port = parent->port,
	    .section_name = parent->section_name,
	};
	return entry;
}

/* A parent that is nobody's: where all classes are ours, that is for us to
 * tell. */
static void
add_missing(struct judge *judge, const struct gw_parent_reference *parent,
    const struct gw_owner_node *owner)
{
	struct arena *arena = &judge->state->outbox.arena;
	struct gw_conditions conditions;
	struct gw_route_parent_status *entry;

	if (judge->state->controller_name_count > 0)
		return;
	entry = add_parent(judge, parent, SLICE(GW_CONTROLLER));
	gw_conditions_init(&conditions, arena, judge->route->node.object);
	if (!owner)
		gw_conditions_add(&conditions, "Accepted", "False",
		    "NoMatchingParent",
		    arena_format(arena,
		        "%.*s of group \"%.*s\" is not a kind of parent that "
		        "yumen knows, only Gateway and ListenerSet are",
		        SLICE_ARGS(parent->kind), SLICE_ARGS(parent->group)));
	else if (!owner->node.object)
		gw_conditions_add(&conditions, "Accepted", "False",
		    "NoMatchingParent",
		    arena_format(arena, "there is no %s %.*s",
		        gw_kinds[owner->node.kind].kind,
		        SLICE_ARGS(gw_node_key(&owner->node))));
	else
		gw_conditions_add(&conditions, "Accepted", "Unknown", "Pending",
		    arena_format(arena, "%s %.*s has no GatewayClass",
		        gw_kinds[owner->node.kind].kind,
		        SLICE_ARGS(gw_node_key(&owner->node))));
	add_resolved(&conditions, judge);
	entry->conditions = conditions.items;
	entry->conditions_count = conditions.count;
}

static void
add_status(struct judge *judge, const struct parent *parent)
{
	const struct gw_owner_node *owner = parent->owner;
	struct gw_route_parent_status *entry;
	struct gw_conditions conditions;

	if (!owner || !owner->node.object || owner->orphan) {
		add_missing(judge, parent->spec, owner);
		return;
	}
	if (!owner->ours)
		return;
	entry = add_parent(judge, parent->spec, owner->controller);
	gw_conditions_init(&conditions, &judge->state->outbox.arena,
	    judge->route->node.object);
	if (parent->attach.refused)
		gw_conditions_add(&conditions, "Accepted", "False",
		    parent->attach.refused, parent->attach.message);
	else
		add_accepted(&conditions, judge);
	add_resolved(&conditions, judge);
	entry->conditions = conditions.items;
	entry->conditions_count = conditions.count;
}

static void
make_status(struct judge *judge)
{
	const struct gw_httproute_spec *spec = judge->route->node.object->route;
	struct arena *arena = &judge->state->outbox.arena;

	judge->status = arena_zero(arena, 1, sizeof(*judge->status));
	judge->status->parents = arena_zero(
	    arena, spec->parent_refs_count, sizeof(*judge->status->parents));
	for (uint32_t i = 0; i < spec->parent_refs_count; i++)
		add_status(judge, &judge->parents[i]);
}
