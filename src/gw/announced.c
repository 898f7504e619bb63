/* Addresses that announcers shall make answer: a unit for each address that a
 * Gateway with something to serve has, or a Service of type LoadBalancer,
 * whoever else has it. */
#include <stdlib.h>

#include "core/memory.h"
#include "gw/address_priv.h"
#include "gw/state_priv.h"

/* What is gathered of an address in one run. */
struct announced {
	const struct gw_address *address;
	struct slice *users; /* "Kind/<namespace>/<name>" */
	uint32_t user_count, user_room;
	struct gw_placement placement;
	struct gw_targets targets;
};

/* Those of the host alone, or of a link alone, are nobody else's to reach; nor
 * is every address, or a group. */
static bool
is_announced(struct slice address)
{
	static const struct slice local[] = {SLICE("127."), SLICE("169.254."),
	    SLICE("0."), SLICE("::"), SLICE("fe8"), SLICE("fe9"), SLICE("fea"),
	    SLICE("feb"), SLICE("ff")};

	for (unsigned i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (slice_starts_with(address, local[i]))
			return false;
	return true;
}

static bool
serves(const struct gw_owner_node *owner)
{
	for (uint32_t i = 0; i < owner->listener_count; i++)
		if (gw_listener_is_served(owner, &owner->listeners[i]))
			return true;
	return false;
}

static bool
serves_any(const struct gw_owner_node *gateway)
{
	bool any = serves(gateway);

	for (uint32_t i = 0; i < gateway->set_count && !any; i++)
		any = serves(gateway->sets[i]);
	return any;
}

static void
add_user(struct gw_state *state, struct announced *announced,
    const struct gw_node *user)
{
	struct arena *arena = &state->work;

	if (announced->user_count == announced->user_room) {
		uint32_t room = announced->user_room * 2 + 1;
		struct slice *users = arena_zero(arena, room, sizeof(*users));
		for (uint32_t i = 0; i < announced->user_count; i++)
			users[i] = announced->users[i];
		announced->users = users;
		announced->user_room = room;
	}
	announced->users[announced->user_count++] =
	    arena_format(arena, "%s/%.*s", gw_kinds[user->kind].kind,
	        SLICE_ARGS(gw_node_key(user)));
}

static struct announced *
touch(struct gw_state *state, struct map *all, const struct gw_address *address)
{
	struct announced *announced = map_get(all, address->text);

	if (announced != NULL)
		return announced;
	announced = arena_zero(&state->work, 1, sizeof(*announced));
	announced->address = address;
	announced->targets.arena = &state->work;
	gw_placement_begin(state, &state->work, &announced->placement);
	map_put(all, address->text, announced);
	return announced;
}

/* In a cluster only what an L2Advertisement says; who says on one host that it
 * shall announce means all. service: what of kube-proxy's leads to the user, or
 * NULL. */
static void
gather(struct gw_state *state, struct map *all, const struct gw_node *user,
    const struct gw_node *service, const struct gw_placed *placed)
{
	for (uint32_t i = 0; i < placed->count; i++) {
		const struct gw_address *address = &placed->items[i];
		struct gw_advertised advertised = gw_pool_advertised(state,
		    address, gw_asker_labels(user, &state->work), &state->work);

		if (!is_announced(address->text) ||
		    (advertised.count == 0 &&
		        state->addressing == GW_ADDRESSING_CLUSTER))
			continue;
		struct announced *announced = touch(state, all, address);

		add_user(state, announced, user);
		gw_placement_ask(
		    &announced->placement, &advertised, service, address->text);
		if (state->forwards)
			gw_targets_ask(
			    &announced->targets, service, address->text);
	}
}

static int
compare_services(const void *a, const void *b)
{
	const struct gw_balancer *left = *(const struct gw_balancer *const *)a;
	const struct gw_balancer *right = *(const struct gw_balancer *const *)b;

	return slice_compare(gw_node_key(&left->service->node),
	    gw_node_key(&right->service->node));
}

/* By name, so that a claim says the same whatever came first. */
static void
gather_services(struct gw_state *state, struct map *all)
{
	struct gw_balancer **sorted;
	uint32_t count = 0, at = 0;

	LIST_FOR_EACH(link, &state->balancers)
	{
		count++;
	}
	sorted =
	    arena_zero(&state->work, count + 1, sizeof(struct gw_balancer *));
	LIST_FOR_EACH(link, &state->balancers)
	{
		sorted[at++] = container_of(link, struct gw_balancer, link);
	}
	if (count > 1)
		qsort(sorted, count, sizeof(struct gw_balancer *),
		    compare_services);
	for (uint32_t i = 0; i < count; i++)
		gather(state, all, &sorted[i]->service->node,
		    &sorted[i]->service->node, &sorted[i]->placed);
}

static void
emit(struct gw_state *state, struct announced *announced)
{
	const struct gw_address *address = announced->address;
	struct unit_claim record = {
	    .address = address->text,
	    .pool = slice_is_set(address->pool) ? address->pool : SLICE(""),
	    .users = announced->users,
	    .users_count = announced->user_count,
	};

	gw_placement_end(&announced->placement, &record);
	const struct gw_told_placing placing = {
	    .omitted = gw_targets_end(&announced->targets, &record),
	    .nowhere = gw_placement_tell(&announced->placement, &record),
	    .nodes = gw_placement_tell_nodes(&announced->placement, &record),
	};
	gw_told_fence(state, address->text, &state->work, &record);
	struct slice name = arena_format(
	    &state->outbox.arena, "claim/%.*s", SLICE_ARGS(address->text));
	gw_told_place(state, name, &placing);
	struct gw_named *unit = gw_named_touch(&state->claims, name);
	unit->wanted = true;
	(void)gw_outbox_unit(
	    &state->outbox, &unit->sent, name, &unit_claim_type, &record);
}

void
gw_announced_emit(struct gw_state *state)
{
	uint32_t count = 0;
	struct gw_node **gateways =
	    gw_nodes_sorted(state, GW_GATEWAY, &state->work, &count);
	struct map all;
	struct slice address;
	void *value;

	map_init(&all);
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_owner_node *gateway = (const void *)gateways[i];
		if (serves_any(gateway) &&
		    (!state->has_fleets || gw_fleet_balances(state, gateway)))
			gather(state, &all, &gateway->node,
			    gateway->fleet_edge.node, &gateway->placed);
	}
	gather_services(state, &all);
	for (size_t at = 0; map_next(&all, &at, &address, &value);)
		emit(state, value);
	map_fini(&all);
	gw_named_sweep(state, &state->claims);
	state->claims_stale = false;
	state->l2_stale = true;
}

void
gw_announced_renew(struct gw_state *state)
{
	gw_announced_emit(state);
	arena_reset(&state->work);
}

static bool
has_address(const struct gw_placed *placed, struct slice address)
{
	for (uint32_t i = 0; i < placed->count; i++)
		if (slice_equal(placed->items[i].text, address))
			return true;
	return false;
}

void
gw_announced_mark(struct gw_state *state, struct slice address)
{
	struct slice key;
	void *value;

	for (size_t at = 0;
	     map_next(&state->nodes[GW_GATEWAY], &at, &key, &value);) {
		struct gw_owner_node *gateway = value;

		if (has_address(&gateway->placed, address))
			gw_node_mark(state, &gateway->node);
	}
	LIST_FOR_EACH(at, &state->balancers)
	{
		struct gw_balancer *balancer =
		    container_of(at, struct gw_balancer, link);

		if (has_address(&balancer->placed, address))
			gw_node_mark(state, &balancer->service->node);
	}
}

void
gw_announced_fini(struct gw_state *state)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&state->claims, &at, &key, &value);)
		memory_free(value);
	map_fini(&state->claims);
}
