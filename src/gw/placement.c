/* Nodes that may announce. Where nobody chooses and none is kept out nothing is
 * said of nodes, so that one which comes or goes changes no claim. */
#include "gw/address_priv.h"
#include "gw/state_priv.h"

/* What a network plugin says that has not set up its node. */
#define NETWORK_DOWN SLICE("NetworkUnavailable")
/* Of a node where all that serves is about to end: others come first, whatever
 * else is preferred. */
#define LAST_WEIGHT (-1000000)

static enum gw_bar
bar_of(const struct gw_state *state, const struct gw_object *node)
{
	const struct gw_metadata *metadata = node->metadata;
	const struct gw_node_status *status = node->told_node;

	for (uint32_t i = 0;
	     !state->takes_excluded && i < metadata->labels_count; i++)
		if (slice_equal(
		        metadata->labels[i].key, SLICE(GW_EXCLUDE_LABEL)))
			return GW_BAR_EXCLUDED;
	for (uint32_t i = 0; status && i < status->conditions_count; i++)
		if (slice_equal(status->conditions[i].type, NETWORK_DOWN) &&
		    slice_equal(status->conditions[i].status, SLICE("True")))
			return GW_BAR_NETWORK;
	return GW_BAR_NONE;
}

/* ---- those with an endpoint ---- */

bool
gw_is_local(const struct gw_state *state, const struct gw_node *service)
{
	const struct gw_service_spec *spec =
	    service && service->object ? service->object->service->spec : NULL;

	if (!spec)
		return service && state->forwards; /* it is still to come */
	return slice_equal(spec->type, SLICE("LoadBalancer")) &&
	    (state->forwards ||
	        slice_equal(spec->external_traffic_policy, SLICE("Local")));
}

/* MetalLB's choice: ready, or serving while it ends. */
bool
gw_endpoint_serves(const struct gw_endpoint *endpoint, bool *ready)
{
	const struct gw_endpoint_conditions *given = endpoint->conditions;

	*ready = !given || given->ready != 0;
	return endpoint->node_name.length > 0 &&
	    (*ready || given->serving == 1);
}

const struct gw_endpointslice *
gw_slice_at(struct list *at, struct slice address)
{
	const struct gw_object *object =
	    container_of(at, struct gw_slice_node, link)->node.object;
	const struct gw_endpointslice *slice =
	    object ? object->endpointslice : NULL;
	struct slice type = slice_find(address, ':') < address.length
	    ? SLICE("IPv6")
	    : SLICE("IPv4");

	return slice && slice_equal(slice->address_type, type) ? slice : NULL;
}

/* Nodes with an endpoint, by name: any, and those of them with one that is
 * ready. */
struct local {
	struct slice *names, *ready;
	uint32_t count, ready_count;
};

static void
add_local(struct local *local, const struct gw_endpoint *endpoint)
{
	bool ready;

	if (!gw_endpoint_serves(endpoint, &ready))
		return;
	local->names[local->count++] = endpoint->node_name;
	if (ready)
		local->ready[local->ready_count++] = endpoint->node_name;
}

static void
find_local(struct local *local, const struct gw_node *service,
    struct slice address, struct arena *arena)
{
	const struct gw_backend_node *backend = (const void *)service;
	uint32_t room = 1;

	LIST_FOR_EACH(at, &backend->slices)
	{
		const struct gw_endpointslice *slice = gw_slice_at(at, address);
		room += slice ? slice->endpoints_count : 0;
	}
	*local = (struct local){
	    .names = arena_zero(arena, room, sizeof(struct slice)),
	    .ready = arena_zero(arena, room, sizeof(struct slice))};
	LIST_FOR_EACH(at, &backend->slices)
	{
		const struct gw_endpointslice *slice = gw_slice_at(at, address);
		for (uint32_t i = 0; slice && i < slice->endpoints_count; i++)
			add_local(local, &slice->endpoints[i]);
	}
	local->count = slice_sort_unique(local->names, local->count);
	local->ready_count =
	    slice_sort_unique(local->ready, local->ready_count);
}

static bool
is_among(const struct slice *names, uint32_t count, struct slice name)
{
	for (uint32_t i = 0; i < count; i++)
		if (slice_equal(names[i], name))
			return true;
	return false;
}

/* ---- interfaces ---- */

static void
add_interfaces(struct gw_interfaces *interfaces, struct arena *arena,
    const struct gw_l2advertisement_spec *spec)
{
	uint32_t count = interfaces->count;

	if (spec->interfaces_count == 0)
		interfaces->every = true;
	if (interfaces->every)
		return;
	struct slice *all =
	    arena_zero(arena, count + spec->interfaces_count, sizeof(*all));
	for (uint32_t i = 0; i < count; i++)
		all[i] = interfaces->names[i];
	for (uint32_t i = 0; i < spec->interfaces_count; i++)
		all[count++] = spec->interfaces[i];
	interfaces->names = all;
	interfaces->count = slice_sort_unique(all, count);
}

static bool
are_same(const struct gw_interfaces *a, const struct gw_interfaces *b)
{
	if (a->every || b->every)
		return a->every && b->every;
	for (uint32_t i = 0; i < a->count && i < b->count; i++)
		if (!slice_equal(a->names[i], b->names[i]))
			return false;
	return a->count == b->count;
}

/* Those that are the same for all nodes that may announce; NULL: they are not
 * the same. */
static const struct gw_interfaces *
common_interfaces(const struct gw_placement *placement)
{
	const struct gw_interfaces *common = NULL;

	for (uint32_t i = 0; i < placement->count; i++) {
		if (placement->bars[i] != GW_BAR_NONE)
			continue;
		if (common && !are_same(common, &placement->on[i]))
			return NULL;
		common = &placement->on[i];
	}
	return common ? common : &placement->everywhere;
}

/* ---- all of it ---- */

static bool
selects(
    const struct gw_l2advertisement_spec *spec, const struct gw_object *node)
{
	for (uint32_t i = 0; node && i < spec->node_selectors_count; i++)
		if (gw_selector_matches(
		        &spec->node_selectors[i], node->metadata, SLICE("")))
			return true;
	return spec->node_selectors_count == 0;
}

static int64_t
weight_of(
    const struct gw_l2advertisement_spec *spec, const struct gw_object *node)
{
	int64_t sum = 0;

	for (uint32_t i = 0; node && i < spec->preferred_nodes_count; i++)
		if (gw_selector_matches(spec->preferred_nodes[i].preference,
		        node->metadata, SLICE("")))
			sum += spec->preferred_nodes[i].weight;
	return sum;
}

/* True: some advertisement selects it. */
static bool
select_node(struct gw_placement *placement, uint32_t at,
    const struct gw_advertised *advertised)
{
	const struct gw_object *node =
	    placement->objects ? placement->objects[at] : NULL;
	int64_t weight = 0;
	bool any = false;

	for (uint32_t i = 0; i < advertised->count; i++) {
		if (!selects(advertised->specs[i], node))
			continue;
		any = true;
		weight += weight_of(advertised->specs[i], node);
		add_interfaces(
		    &placement->on[at], placement->arena, advertised->specs[i]);
	}
	if (weight > placement->weights[at])
		placement->weights[at] = weight;
	return any;
}

static bool
is_one_host(const struct gw_placement *placement)
{
	return placement->state->addressing == GW_ADDRESSING_HOST;
}

/* True: some advertisement is for every node. */
static bool
select_everywhere(
    struct gw_placement *placement, const struct gw_advertised *advertised)
{
	bool any = false;

	for (uint32_t i = 0; i < advertised->count; i++) {
		const struct gw_l2advertisement_spec *spec =
		    advertised->specs[i];

		if (spec->node_selectors_count > 0 && !is_one_host(placement))
			continue;
		any = true;
		add_interfaces(&placement->everywhere, placement->arena, spec);
	}
	if (advertised->count == 0)
		placement->everywhere.every = true;
	return any;
}

static void
set_names(struct gw_placement *placement, struct slice *names, uint32_t count)
{
	struct arena *arena = placement->arena;

	placement->names = names;
	placement->count = count;
	placement->bars =
	    arena_zero(arena, count + 1, sizeof(*placement->bars));
	placement->weights = arena_zero(arena, count + 1, sizeof(int64_t));
	placement->ends = arena_zero(arena, count + 1, sizeof(bool));
	placement->on = arena_zero(arena, count + 1, sizeof(*placement->on));
}

void
gw_placement_begin(const struct gw_state *state, struct arena *arena,
    struct gw_placement *placement)
{
	uint32_t count;

	*placement =
	    (struct gw_placement){.state = state, .arena = arena, .open = true};
	if (is_one_host(placement))
		return;
	struct gw_node **nodes = gw_nodes_sorted(state, GW_NODE, arena, &count);
	struct slice *names = arena_zero(arena, count + 1, sizeof(*names));
	set_names(placement, names, count);
	if (count == 0)
		return;
	placement->objects = arena_zero(arena, count, sizeof(void *));
	for (uint32_t i = 0; i < count; i++) {
		placement->objects[i] = nodes[i]->object;
		names[i] = nodes[i]->object->name;
		placement->bars[i] = bar_of(state, nodes[i]->object);
	}
}

void
gw_placement_ask(struct gw_placement *placement,
    const struct gw_advertised *advertised, const struct gw_node *service,
    struct slice address)
{
	bool is_local =
	    !is_one_host(placement) && gw_is_local(placement->state, service);
	struct local local = {0};

	if (gw_lacks_family(service, address))
		return;
	placement->leads = true;
	if (is_local)
		find_local(&local, service, address, placement->arena);
	/* Endpoints name nodes also where nobody tells of Nodes. */
	if (is_local && !placement->objects && placement->open)
		set_names(placement, local.names, local.count);
	if (!select_everywhere(placement, advertised) || is_local)
		placement->open = false;
	placement->is_local = placement->is_local || is_local;
	for (uint32_t i = 0; i < placement->count; i++) {
		struct slice name = placement->names[i];

		if (!select_node(placement, i, advertised))
			placement->bars[i] = GW_BAR_UNSELECTED;
		if (is_local && !is_among(local.names, local.count, name))
			placement->bars[i] = GW_BAR_NO_ENDPOINT;
		placement->ends[i] = placement->ends[i] ||
		    (is_local &&
		        !is_among(local.ready, local.ready_count, name));
	}
}

static void
say_interfaces(const struct gw_interfaces *interfaces, struct slice **names,
    uint32_t *count)
{
	*names = interfaces->every ? NULL : interfaces->names;
	*count = interfaces->every ? 0 : interfaces->count;
}

static int64_t
rank_of(const struct gw_placement *placement, uint32_t at)
{
	return placement->ends[at] ? LAST_WEIGHT : placement->weights[at];
}

/* Of one that is said as one of several, for which the common interfaces are
 * not all. */
static void
say_node(const struct gw_placement *placement, uint32_t at, bool apart,
    struct unit_claim_node *node)
{
	node->name = placement->names[at];
	node->weight = rank_of(placement, at);
	if (apart)
		say_interfaces(&placement->on[at], &node->interfaces,
		    &node->interfaces_count);
}

/* Where any may, only those that are not as good as others are named. */
static void
say_nodes(
    const struct gw_placement *placement, bool apart, struct unit_claim *claim)
{
	struct unit_claim_node *nodes =
	    arena_zero(placement->arena, placement->count + 1, sizeof(*nodes));
	uint32_t count = 0;

	for (uint32_t i = 0; i < placement->count; i++)
		if (placement->bars[i] == GW_BAR_NONE &&
		    (claim->restricted || rank_of(placement, i) != 0))
			say_node(placement, i, apart, &nodes[count++]);
	claim->nodes = claim->restricted || count > 0 ? nodes : NULL;
	claim->nodes_count = count;
}

void
gw_placement_end(struct gw_placement *placement, struct unit_claim *claim)
{
	const struct gw_interfaces *common = common_interfaces(placement);
	uint32_t allowed = 0;

	if (common)
		say_interfaces(
		    common, &claim->interfaces, &claim->interfaces_count);
	if (is_one_host(placement))
		return;
	for (uint32_t i = 0; i < placement->count; i++)
		allowed += placement->bars[i] == GW_BAR_NONE;
	claim->restricted = !placement->open || allowed < placement->count ||
	    !common || !placement->leads;
	if (placement->leads)
		say_nodes(placement, !common, claim);
}
