/* How a fleet is reached whose Service is of type NodePort, as an EnvoyProxy
 * may ask: by the addresses of nodes, at ports that the cluster chose. */
#include "gw/address_priv.h"
#include "gw/fleet_priv.h"

/* What a Gateway's status may say. */
enum { ADDRESSES_MAX = 16 };

bool
gw_fleet_is_at_nodes(const struct gw_object *service)
{
	return service &&
	    slice_equal(service->service->spec->type, SLICE("NodePort"));
}

void
gw_fleet_on_node(struct gw_state *state)
{
	struct slice key;
	void *value;

	for (size_t at = 0;
	     map_next(&state->nodes[GW_GATEWAY], &at, &key, &value);) {
		const struct gw_owner_node *gateway = value;
		const struct gw_node *service = gateway->fleet_edge.node;

		if (service && gw_fleet_is_at_nodes(service->object))
			gw_node_mark(state, value);
	}
}

/* ---- which nodes ---- */

static bool
has_endpoint(const struct gw_backend_node *service, struct slice node)
{
	LIST_FOR_EACH(at, &service->slices)
	{
		const struct gw_object *object =
		    container_of(at, struct gw_slice_node, link)->node.object;
		const struct gw_endpointslice *slice =
		    object ? object->endpointslice : NULL;

		for (uint32_t i = 0; slice && i < slice->endpoints_count; i++) {
			const struct gw_endpoint *endpoint =
			    &slice->endpoints[i];
			bool ready;

			if (slice_equal(endpoint->node_name, node) &&
			    gw_endpoint_serves(endpoint, &ready) && ready)
				return true;
		}
	}
	return false;
}

/* Under externalTrafficPolicy Local those alone with an endpoint, while there
 * are any: without one what was told stays told. */
static uint32_t
choose_nodes(const struct gw_state *state,
    const struct gw_backend_node *service, struct arena *arena,
    struct gw_node ***chosen)
{
	uint32_t all, count = 0;
	struct gw_node **nodes = gw_nodes_sorted(state, GW_NODE, arena, &all);

	*chosen = nodes;
	if (!slice_equal(
	        service->node.object->service->spec->external_traffic_policy,
	        SLICE("Local")) ||
	    !gw_backend_is_ready(service))
		return all;
	for (uint32_t i = 0; i < all; i++)
		if (has_endpoint(service, gw_node_name(nodes[i])))
			nodes[count++] = nodes[i];
	return count;
}

/* ---- which addresses ---- */

static bool
has_of_type(const struct gw_node_status *status, struct slice type)
{
	for (uint32_t i = 0; i < status->addresses_count; i++)
		if (slice_equal(status->addresses[i].type, type))
			return true;
	return false;
}

/* As Envoy Gateway does it: the external ones where a node has any, else the
 * internal ones. */
static uint32_t
add_node(const struct gw_node_status *status,
    const struct gw_service_spec *spec, struct gw_status_address *addresses,
    uint32_t count)
{
	struct slice type = has_of_type(status, SLICE("ExternalIP"))
	    ? SLICE("ExternalIP")
	    : SLICE("InternalIP");

	for (uint32_t i = 0; i < status->addresses_count; i++) {
		const struct gw_node_address *one = &status->addresses[i];

		if (count < ADDRESSES_MAX && slice_equal(one->type, type) &&
		    gw_service_has_family(spec, one->address))
			addresses[count++] = (struct gw_status_address){
			    .type = SLICE("IPAddress"), .value = one->address};
	}
	return count;
}

uint32_t
gw_fleet_node_addresses(const struct gw_state *state,
    const struct gw_backend_node *service, struct arena *arena,
    struct gw_status_address **addresses)
{
	struct gw_node **nodes;
	uint32_t chosen = choose_nodes(state, service, arena, &nodes);
	uint32_t count = 0;

	*addresses = arena_zero(arena, ADDRESSES_MAX, sizeof(**addresses));
	for (uint32_t i = 0; i < chosen; i++)
		if (nodes[i]->object->told_node)
			count = add_node(nodes[i]->object->told_node,
			    service->node.object->service->spec, *addresses,
			    count);
	return count;
}

void
gw_fleet_tell_ports(const struct gw_owner_node *gateway, struct text *text)
{
	const struct gw_node *service = gateway->fleet_edge.node;

	if (!service || !gw_fleet_is_at_nodes(service->object))
		return;
	const struct gw_service_spec *spec = service->object->service->spec;

	text_printf(text, "; Service %.*s/%.*s is of type NodePort",
	    SLICE_ARGS(gw_node_namespace(service)),
	    SLICE_ARGS(gw_node_name(service)));
	for (uint32_t i = 0; i < spec->ports_count; i++)
		if (spec->ports[i].node_port > 0)
			text_printf(text, "%s port %lld is %lld",
			    i > 0 ? "," : ": at nodes",
			    (long long)spec->ports[i].port,
			    (long long)spec->ports[i].node_port);
}
