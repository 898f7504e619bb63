/* What a Gateway or a Service has of addresses: what is told of it, and what it
 * had before. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/state_priv.h"

void
gw_placed_fini(struct gw_placed *placed)
{
	memory_free(placed->held);
	*placed = (struct gw_placed){0};
}

static void
tell_pool(const struct gw_state *state, const struct gw_address *address,
    struct text *text)
{
	text_printf(text, "%s%.*s is of pool \"%.*s\"",
	    text->length > 0 ? "; " : "", SLICE_ARGS(address->text),
	    SLICE_ARGS(address->pool));
	if (slice_is_set(address->silence))
		text_printf(text, ", %.*s", SLICE_ARGS(address->silence));
	if (address->also_metallbs)
		text_printf(text,
		    "; MetalLB (%.*s) gives addresses of that pool too, and "
		    "does not know that this one is taken",
		    SLICE_ARGS(text_slice(&state->metallb)));
}

void
gw_placed_tell(const struct gw_state *state, const struct gw_placed *placed,
    const struct gw_node *service, struct arena *arena, struct text *text)
{
	for (uint32_t i = 0; i < placed->count; i++) {
		const struct gw_address *address = &placed->items[i];
		struct text fault;

		if (slice_is_set(address->pool))
			tell_pool(state, address, text);
		else if (gw_is_unread(state, GW_IPADDRESSPOOL))
			text_printf(text, "%s%.*s stays as it was given: %.*s",
			    text->length > 0 ? "; " : "",
			    SLICE_ARGS(address->text),
			    SLICE_ARGS(
			        gw_unread_why(state, GW_IPADDRESSPOOL, arena)));
		text_init(&fault);
		gw_told_fault(state, address->text, arena, &fault);
		if (fault.length == 0 &&
		    gw_lacks_family(service, address->text))
			text_printf(&fault, "%.*s: " GW_LACKS_FAMILY,
			    SLICE_ARGS(address->text));
		if (fault.length > 0)
			text_printf(text, "%s%.*s",
			    text->length > 0 ? "; " : "",
			    SLICE_ARGS(text_slice(&fault)));
		text_fini(&fault);
	}
}

uint32_t
gw_state_addresses(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name,
    const struct gw_address **addresses)
{
	must(state != NULL && addresses != NULL);
	must(kind == GW_GATEWAY || kind == GW_SERVICE);
	const void *node = gw_node_get(state, kind, namespace, name);
	const struct gw_placed *placed = NULL;

	if (node && kind == GW_GATEWAY)
		placed = &((const struct gw_owner_node *)node)->placed;
	else if (node && ((const struct gw_backend_node *)node)->balancer)
		placed =
		    &((const struct gw_backend_node *)node)->balancer->placed;
	*addresses = placed ? placed->items : NULL;
	return placed ? placed->count : 0;
}

void
gw_state_hold(struct gw_state *state, struct slice namespace, struct slice name,
    struct slice address)
{
	must(state != NULL);
	void *node = gw_node_get(state, GW_GATEWAY, namespace, name);
	struct gw_owner_node *gateway = node;
	struct addr_ip ip;

	if (!gateway || !addr_ip_parse(address, &ip))
		return;
	struct gw_placed *placed = &gateway->placed;

	placed->held = memory_resize(
	    placed->held, placed->held_count + 1, sizeof(*placed->held));
	placed->held[placed->held_count++] = ip;
	placed->pooled = true;
}

bool
gw_state_waits(
    const struct gw_state *state, struct slice namespace, struct slice name)
{
	must(state != NULL);
	const void *node = gw_node_get(state, GW_GATEWAY, namespace, name);
	const struct gw_owner_node *gateway = node;

	return gateway && gateway->placed.missing && gateway->placed.pooled;
}

void
gw_state_wait(struct gw_state *state, struct slice namespace, struct slice name)
{
	must(state != NULL);
	void *node = gw_node_get(state, GW_GATEWAY, namespace, name);
	struct gw_owner_node *gateway = node;

	if (gateway)
		gateway->placed.pooled = true;
}
