/* Claims: of two Gateways that have one address and want one port of it,
 * whoever comes first keeps that. */
#include "core/must.h"
#include "gw/state_priv.h"

/* A port of an address that a Gateway has. */
struct claim {
	struct claim *next; /* of the same port */
	const struct gw_owner_node *gateway;
	struct slice address; /* empty: all */
};

static bool
is_every(struct slice address, bool six)
{
	return address.length == 0 ||
	    slice_equal(address, six ? SLICE("::") : SLICE("0.0.0.0"));
}

static bool
overlaps(struct slice a, struct slice b)
{
	bool a_six = slice_find(a, ':') < a.length;
	bool b_six = slice_find(b, ':') < b.length;

	return slice_equal(a, b) || a.length == 0 || b.length == 0 ||
	    (a_six == b_six && (is_every(a, a_six) || is_every(b, b_six)));
}

static const struct claim *
find_claim(const struct claim *claims, struct slice address)
{
	for (; claims; claims = claims->next)
		if (overlaps(claims->address, address))
			return claims;
	return NULL;
}

static bool
has_port(const struct claim *claims, const struct gw_owner_node *gateway)
{
	for (; claims; claims = claims->next)
		if (claims->gateway == gateway)
			return true;
	return false;
}

static void
claim_port(struct gw_state *state, struct map *ports,
    struct gw_owner_node *owner, struct gw_listener_state *listener)
{
	static const struct gw_address all = {.text = {"", 0}};
	const struct gw_owner_node *gateway = owner->gateway;
	const struct gw_placed *placed = &gateway->placed;
	const struct gw_address *addresses = placed->items;
	uint32_t count = placed->count;
	const struct slice key = slice_make(
	    (const char *)&listener->spec->port, sizeof(listener->spec->port));
	struct claim *claims = map_get(ports, key);

	if (placed->every) {
		addresses = &all;
		count = 1;
	}
	if (count == 0 || has_port(claims, gateway))
		return;
	for (uint32_t i = 0; i < count; i++) {
		const struct claim *claim =
		    find_claim(claims, addresses[i].text);

		if (!claim)
			continue;
		listener->refused = "PortUnavailable";
		listener->message = arena_format(&owner->arena,
		    "port %lld of %s%.*s belongs to Gateway %.*s, which is "
		    "older or comes first by name",
		    (long long)listener->spec->port,
		    addresses[i].text.length > 0 ? "" : "every address",
		    SLICE_ARGS(addresses[i].text),
		    SLICE_ARGS(gw_node_key(&claim->gateway->node)));
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct claim *claim = arena_alloc(&state->work, sizeof(*claim));

		*claim = (struct claim){.next = claims,
		    .gateway = gateway,
		    .address = addresses[i].text};
		claims = claim;
	}
	map_put(ports, key, claims);
}

void
gw_claims_judge(
    struct gw_state *state, struct map *ports, struct gw_owner_node *owner)
{
	must(owner->gateway != NULL);
	/* A fleet's pods have their ports for themselves. */
	if (state->has_fleets)
		return;
	for (uint32_t i = 0; i < owner->listener_count; i++)
		if (gw_listener_is_served(owner, &owner->listeners[i]))
			claim_port(state, ports, owner, &owner->listeners[i]);
}
