/* Load balancers beside yumen: a MetalLB that runs in the cluster, which gives
 * the addresses of its pools to whoever asks and does not know who else does;
 * and what Services have that nobody else is to be given. */
#include "core/must.h"
#include "gw/state_priv.h"

enum { POOLS_BYTES = 1024 };

/* Whom Services are for may be another's to say. */
static void
look_at_services(struct gw_state *state)
{
	struct slice key;
	void *value;

	for (size_t at = 0;
	     map_next(&state->nodes[GW_SERVICE], &at, &key, &value);)
		gw_balancer_replace(state, value);
	state->gateways_stale = true;
}

void
gw_state_metallb(struct gw_state *state, struct slice what)
{
	must(state != NULL);
	if (slice_equal(text_slice(&state->metallb), what))
		return;
	text_reset(&state->metallb);
	text_push(&state->metallb, what);
	look_at_services(state);
}

bool
gw_pool_is_metallbs(const struct gw_state *state, const struct gw_object *pool)
{
	return state->metallb.length > 0 &&
	    !slice_equal(pool->namespace, state->fleet.namespace);
}

/* Of pools that overlap any may have given it. */
bool
gw_state_gives(const struct gw_state *state, struct slice address)
{
	must(state != NULL);
	struct gw_pools pools;
	struct arena arena;
	struct addr_ip ip;
	bool gives = false, others = false;

	if (!addr_ip_parse(address, &ip))
		return false;
	arena_init(&arena, POOLS_BYTES);
	gw_pools_gather(state, &arena, &pools);
	for (uint32_t i = 0; i < pools.count; i++) {
		if (!addr_pool_of(&pools.items[i], 1, &ip))
			continue;
		gives = true;
		others = others ||
		    gw_pool_is_metallbs(state, pools.items[i].context);
	}
	arena_fini(&arena);
	return gives && !others;
}

/* ---- what is taken ---- */

static const struct gw_load_balancer_status *
given_to(const struct gw_object *service)
{
	const struct gw_load_balancer_status *given =
	    service && service->told_service
	    ? service->told_service->load_balancer
	    : NULL;

	return given && given->ingress_count > 0 ? given : NULL;
}

/* To a Gateway's as well, if another balances it. */
static const struct gw_load_balancer_status *
given_by_others(const struct gw_state *state, const struct gw_object *service)
{
	return service && !gw_balancer_is_for(state, service)
	    ? given_to(service)
	    : NULL;
}

static bool
is_asked_for(const struct gw_node *service)
{
	LIST_FOR_EACH(at, &service->users)
	{
		const struct gw_edge *edge =
		    container_of(at, struct gw_edge, link);
		const struct gw_owner_node *gateway = (const void *)edge->user;

		if (edge->role == GW_EDGE_FLEET && gateway->asks)
			return true;
	}
	return false;
}

/* By us, to a Gateway's that does not ask for it now: it wants another load
 * balancer, which its Service cannot have once it is there, or is gone. The
 * Service has it until it is told otherwise. */
static const struct gw_load_balancer_status *
left_behind(const struct gw_state *state, const struct gw_node *node,
    const struct gw_object *service)
{
	return service && gw_balancer_is_made(service) &&
	        gw_balancer_is_for(state, service) && !is_asked_for(node)
	    ? given_to(service)
	    : NULL;
}

static bool
is_same(const struct gw_load_balancer_status *a,
    const struct gw_load_balancer_status *b)
{
	bool same = (a ? a->ingress_count : 0) == (b ? b->ingress_count : 0);

	for (uint32_t i = 0; same && a && i < a->ingress_count; i++)
		same = slice_equal(a->ingress[i].ip, b->ingress[i].ip);
	return same;
}

void
gw_taken_replace(struct gw_state *state, const struct gw_node *service,
    const struct gw_object *before)
{
	const struct gw_object *now = service->object;

	if (state->addressing == GW_ADDRESSING_CLUSTER &&
	    (!is_same(
	         given_by_others(state, before), given_by_others(state, now)) ||
	        !is_same(left_behind(state, service, before),
	            left_behind(state, service, now))))
		state->gateways_stale = true;
}

static void
add_taken(struct gw_taken *taken, const struct gw_object *service,
    const struct gw_load_balancer_status *given, struct arena *arena)
{
	struct addr_request *request = &taken->items[taken->count];
	struct addr_ip *ips;

	if (!given)
		return;
	taken->count++;
	ips = arena_zero(arena, given->ingress_count, sizeof(*ips));
	*request = (struct addr_request){
	    .name = arena_format(arena, "Service %.*s/%.*s",
	        SLICE_ARGS(service->namespace), SLICE_ARGS(service->name)),
	    .named = ips,
	};
	for (uint32_t i = 0; i < given->ingress_count; i++)
		if (addr_ip_parse(
		        given->ingress[i].ip, &ips[request->named_count]))
			request->named_count++;
}

void
gw_taken_gather(
    const struct gw_state *state, struct arena *arena, struct gw_taken *taken)
{
	uint32_t count;
	struct gw_node **nodes;

	*taken = (struct gw_taken){0};
	if (state->addressing != GW_ADDRESSING_CLUSTER)
		return;
	nodes = gw_nodes_sorted(state, GW_SERVICE, arena, &count);
	taken->items = arena_zero(arena, count + 1, sizeof(*taken->items));
	for (uint32_t i = 0; i < count; i++)
		add_taken(taken, nodes[i]->object,
		    given_by_others(state, nodes[i]->object), arena);
	taken->other_count = taken->count;
	for (uint32_t i = 0; i < count; i++)
		add_taken(taken, nodes[i]->object,
		    left_behind(state, nodes[i], nodes[i]->object), arena);
}
