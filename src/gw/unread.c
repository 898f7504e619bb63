/* Pools and advertisements that the API does not let us list, or does not know
 * (yet): that nothing is known of them is not that there are none. What was
 * given stays until they say otherwise. */
#include "core/must.h"
#include "gw/state_priv.h"

bool
gw_state_unread(
    struct gw_state *state, enum gw_kind kind, enum gw_unread unread)
{
	must(state != NULL);
	must(kind == GW_IPADDRESSPOOL || kind == GW_L2ADVERTISEMENT);
	if (state->unread[kind] == unread)
		return false;
	state->unread[kind] = unread;
	state->gateways_stale = true;
	return true;
}

bool
gw_is_unread(const struct gw_state *state, enum gw_kind kind)
{
	return state->unread[kind] != GW_READ;
}

struct slice
gw_unread_why(
    const struct gw_state *state, enum gw_kind kind, struct arena *arena)
{
	must(gw_is_unread(state, kind));
	return arena_format(arena,
	    state->unread[kind] == GW_UNREAD_DENIED
	        ? "the API server does not let yumen list %ss"
	        : "the API server does not have %ss, of metallb.io",
	    gw_kinds[kind].kind);
}

void
gw_unread_hold(struct addr_request *requests, uint32_t count,
    struct arena *arena, struct gw_pools *pools)
{
	struct addr_pool *pool = arena_zero(arena, 1, sizeof(*pool));
	struct addr_range *ranges;
	uint32_t room = 1;

	for (uint32_t i = 0; i < count; i++)
		room += requests[i].held_count;
	ranges = arena_zero(arena, room, sizeof(*ranges));
	*pool = (struct addr_pool){.name = SLICE(""), .ranges = ranges};
	for (uint32_t i = 0; i < count; i++) {
		requests[i].pool = SLICE_NONE;
		for (uint32_t j = 0; j < requests[i].held_count; j++)
			ranges[pool->range_count++] =
			    (struct addr_range){.first = requests[i].held[j],
			        .last = requests[i].held[j]};
	}
	*pools = (struct gw_pools){.items = pool, .count = 1};
}
