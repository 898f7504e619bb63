/* Whether the addresses of a Gateway's fleet answer: which are to be asked, at
 * which ports, and what was said of them. Those who ask have sockets. */
#include "core/must.h"
#include "gw/fleet_priv.h"

enum { UNPROVEN_BYTES = 1024 };

static bool
is_among(struct slice list, struct slice address)
{
	struct slice one;

	while (slice_cut(&list, ',', &one))
		if (slice_equal(one, address))
			return true;
	return false;
}

/* The port of TCP at which it is reached; 0: there is none. */
static uint16_t
port_of(const struct gw_object *service, const struct gw_service_port *port)
{
	int64_t number =
	    gw_fleet_is_at_nodes(service) ? port->node_port : port->port;
	bool tcp = port->protocol.length == 0 ||
	    slice_equal(port->protocol, SLICE("TCP"));

	return tcp && number > 0 && number <= UINT16_MAX ? (uint16_t)number : 0;
}

static uint16_t *
find_tcp_ports(
    const struct gw_object *service, struct arena *arena, uint32_t *count)
{
	const struct gw_service_spec *spec = service->service->spec;
	uint16_t *ports =
	    arena_zero(arena, spec->ports_count + 1, sizeof(*ports));

	*count = 0;
	for (uint32_t i = 0; i < spec->ports_count; i++) {
		ports[*count] = port_of(service, &spec->ports[i]);
		*count += ports[*count] > 0;
	}
	return ports;
}

bool
gw_fleet_can_be_asked(
    const struct gw_object *service, const struct gw_status_address *address)
{
	const struct gw_service_spec *spec = service->service->spec;

	if (!slice_equal(address->type, SLICE("IPAddress")))
		return false;
	for (uint32_t i = 0; i < spec->ports_count; i++)
		if (port_of(service, &spec->ports[i]) > 0)
			return true;
	return false;
}

bool
gw_fleet_has_answered(const struct gw_owner_node *gateway, struct slice address)
{
	return is_among(text_slice(&gateway->answered), address);
}

static bool
has(const struct gw_fleet_reach *reach, struct slice address)
{
	for (uint32_t i = 0; i < reach->count; i++)
		if (slice_equal(reach->addresses[i].value, address))
			return true;
	return false;
}

static void
add_answer(struct gw_owner_node *gateway, struct slice address)
{
	text_printf(&gateway->answered, "%s%.*s",
	    gateway->answered.length > 0 ? "," : "", SLICE_ARGS(address));
}

/* What answered is known while it is told, and no longer. */
void
gw_fleet_prove(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct gw_fleet_reach reach = {.given = false};
	struct slice answered, address;

	if (!state->has_fleets)
		return;
	if (gateway->node.object && gateway->ours)
		reach = gw_fleet_reach(state, gateway, &state->work);
	answered = arena_copy(&state->work, text_slice(&gateway->answered));
	text_reset(&gateway->answered);
	while (slice_cut(&answered, ',', &address))
		if (has(&reach, address))
			add_answer(gateway, address);
	list_remove(&gateway->unproven);
	if (reach.unproven_count > 0)
		list_insert(&state->unproven, &gateway->unproven);
}

/* ---- who asks ---- */

void
gw_state_each_unproven(const struct gw_state *state,
    void (*fn)(void *context, const struct gw_unproven *unproven),
    void *context)
{
	must(state != NULL && fn != NULL);
	struct arena arena;

	arena_init(&arena, UNPROVEN_BYTES);
	LIST_FOR_EACH(at, &state->unproven)
	{
		const struct gw_owner_node *gateway =
		    container_of(at, struct gw_owner_node, unproven);
		struct gw_fleet_reach reach =
		    gw_fleet_reach(state, gateway, &arena);
		struct gw_unproven unproven = {
		    .gateway = gw_node_key(&gateway->node),
		    .addresses = reach.unproven,
		    .address_count = reach.unproven_count,
		    .alone = reach.alone,
		};

		unproven.ports =
		    find_tcp_ports(gateway->fleet_edge.node->object, &arena,
		        &unproven.port_count);
		fn(context, &unproven);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

void
gw_state_report_answer(
    struct gw_state *state, struct slice gateway, struct slice address)
{
	must(state != NULL);
	struct slice name = gateway, namespace;

	if (!slice_cut(&name, '/', &namespace) || !slice_is_set(name))
		return;
	void *node = gw_node_get(state, GW_GATEWAY, namespace, name);
	struct gw_owner_node *owner = node;

	if (!owner || gw_fleet_has_answered(owner, address))
		return;
	add_answer(owner, address);
	gw_node_mark(state, &owner->node);
}
