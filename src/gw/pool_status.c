/* The statuses of IPAddressPools: how many of their addresses are given, and
 * how many are left. Of a pool that does not count, or of which a MetalLB gives
 * as well, there is nothing to say. */
#include "core/must.h"
#include "gw/state_priv.h"

enum { SORT_BYTES = 512 };

static struct gw_pool_node *
node_of(const struct gw_state *state, const struct gw_object *pool)
{
	void *node =
	    gw_node_get(state, GW_IPADDRESSPOOL, pool->namespace, pool->name);

	return node;
}

void
gw_pools_count(struct gw_state *state, const struct addr_plan *plan,
    const struct addr_outcome *outcomes)
{
	must(state != NULL && plan != NULL);
	const struct addr_count *counts =
	    addr_plan_count(plan, outcomes, &state->work);
	struct slice key;
	void *value;

	for (size_t at = 0;
	     map_next(&state->nodes[GW_IPADDRESSPOOL], &at, &key, &value);) {
		struct gw_pool_node *pool = value;

		pool->counted = false;
		gw_node_mark(state, &pool->node);
	}
	for (uint32_t i = 0; i < plan->pool_count; i++) {
		const struct gw_object *object = plan->pools[i].context;
		struct gw_pool_node *pool = node_of(state, object);

		pool->counted = !gw_pool_is_metallbs(state, object);
		pool->count = counts[i];
	}
}

void
gw_pool_emit_status(struct gw_state *state, struct gw_pool_node *pool)
{
	const struct addr_count *count = &pool->count;
	const struct gw_pool_status status = {
	    .assigned_ipv4 = count->given[0],
	    .assigned_ipv6 = count->given[1],
	    .available_ipv4 = count->left[0],
	    .available_ipv6 = count->left[1],
	};

	if (pool->node.object)
		gw_outbox_status(&state->outbox, &pool->status,
		    pool->node.object, pool->counted ? &status : NULL);
}

void
gw_state_each_pool(const struct gw_state *state,
    void (*fn)(void *context, const struct gw_pool_count *pool), void *context)
{
	must(state != NULL && fn != NULL);
	struct arena arena;
	uint32_t count;

	arena_init(&arena, SORT_BYTES);
	struct gw_node **nodes =
	    gw_nodes_sorted(state, GW_IPADDRESSPOOL, &arena, &count);

	for (uint32_t i = 0; i < count; i++) {
		const struct gw_pool_node *pool = (const void *)nodes[i];
		const struct gw_pool_count told = {
		    .namespace = gw_node_namespace(nodes[i]),
		    .name = gw_node_name(nodes[i]),
		    .given = {pool->count.given[0], pool->count.given[1]},
		    .left = {pool->count.left[0], pool->count.left[1]},
		};

		if (pool->counted)
			fn(context, &told);
	}
	arena_fini(&arena);
}
