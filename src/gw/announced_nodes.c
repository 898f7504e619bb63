/* Which nodes may announce the address of a Service: where it leads to
 * endpoints of the node alone that a packet comes to (externalTrafficPolicy
 * Local), those that have one. The same as MetalLB's choice: an endpoint that
 * is ready, or that serves while it ends. */
#include <stdlib.h>

#include "gw/address_priv.h"
#include "gw/state_priv.h"

bool
gw_is_local(const struct gw_node *service)
{
	const struct gw_service_spec *spec =
	    service && service->object ? service->object->service->spec : NULL;

	return spec && slice_equal(spec->type, SLICE("LoadBalancer")) &&
	    slice_equal(spec->external_traffic_policy, SLICE("Local"));
}

static bool
serves(const struct gw_endpoint *endpoint)
{
	const struct gw_endpoint_conditions *given = endpoint->conditions;

	return endpoint->node_name.length > 0 &&
	    (!given || given->ready != 0 || given->serving == 1);
}

static const struct gw_endpointslice *
slice_at(struct list *at)
{
	const struct gw_object *object =
	    container_of(at, struct gw_slice_node, link)->node.object;

	return object ? object->endpointslice : NULL;
}

static int
compare_names(const void *a, const void *b)
{
	return slice_compare(
	    *(const struct slice *)a, *(const struct slice *)b);
}

uint32_t
gw_local_nodes(
    const struct gw_node *service, struct arena *arena, struct slice **nodes)
{
	const struct gw_backend_node *backend = (const void *)service;
	uint32_t room = 1, count = 0, kept = 0;

	LIST_FOR_EACH(at, &backend->slices)
	{
		const struct gw_endpointslice *slice = slice_at(at);
		room += slice ? slice->endpoints_count : 0;
	}
	struct slice *all = arena_zero(arena, room, sizeof(*all));
	LIST_FOR_EACH(at, &backend->slices)
	{
		const struct gw_endpointslice *slice = slice_at(at);
		for (uint32_t i = 0; slice && i < slice->endpoints_count; i++)
			if (serves(&slice->endpoints[i]))
				all[count++] = slice->endpoints[i].node_name;
	}
	qsort(all, count, sizeof(*all), compare_names);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || !slice_equal(all[kept - 1], all[i]))
			all[kept++] = all[i];
	*nodes = all;
	return kept;
}
