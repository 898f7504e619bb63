/* The ports that who asks for an address has there: others who share it must
 * have none of them. */
#include <stdlib.h>

#include "gw/state_priv.h"

static struct addr_port
make_port(struct slice protocol, int64_t number)
{
	bool known = slice_equal(protocol, SLICE("UDP")) ||
	    slice_equal(protocol, SLICE("SCTP"));

	return (struct addr_port){
	    .protocol = known ? protocol : SLICE("TCP"), .number = number};
}

/* A Gateway's: also those of the ListenerSets that it takes. A listener that is
 * refused takes no port. */
static uint32_t
gather_listeners(const struct gw_owner_node *gateway, struct arena *arena,
    struct addr_port **ports)
{
	uint32_t room = gateway->listener_count, count = 0;

	for (uint32_t i = 0; i < gateway->set_count; i++)
		room += gateway->sets[i]->listener_count;
	*ports = arena_zero(arena, room + 1, sizeof(**ports));
	for (uint32_t i = 0; i <= gateway->set_count; i++) {
		const struct gw_owner_node *owner =
		    i == 0 ? gateway : gateway->sets[i - 1];

		for (uint32_t j = 0; j < owner->listener_count; j++)
			if (!owner->listeners[j].refused)
				(*ports)[count++] = make_port(
				    owner->listeners[j].spec->protocol,
				    owner->listeners[j].spec->port);
	}
	return count;
}

static uint32_t
gather_own(const struct gw_service_spec *spec, struct arena *arena,
    struct addr_port **ports)
{
	*ports = arena_zero(arena, spec->ports_count + 1, sizeof(**ports));
	for (uint32_t i = 0; i < spec->ports_count; i++)
		(*ports)[i] =
		    make_port(spec->ports[i].protocol, spec->ports[i].port);
	return spec->ports_count;
}

uint32_t
gw_asker_ports(
    const struct gw_node *node, struct arena *arena, struct addr_port **ports)
{
	uint32_t kept = 0, count;

	if (node->kind == GW_GATEWAY)
		count = gather_listeners((const void *)node, arena, ports);
	else
		count = gather_own(node->object->service->spec, arena, ports);
	if (count > 1)
		qsort(*ports, count, sizeof(**ports), addr_port_compare);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 ||
		    addr_port_compare(&(*ports)[kept - 1], &(*ports)[i]) != 0)
			(*ports)[kept++] = (*ports)[i];
	return kept;
}
