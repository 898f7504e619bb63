/* The keys of session tickets: a unit for each Gateway that terminates TLS, so
 * that all of its proxies open each other's tickets, and no other Gateway's
 * can. They are made of seeds that the state is given: it draws no random
 * number. */
#include <assert.h>

#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "gw/tls_priv.h"
#include "snap/secret.h"

static_assert(GW_TICKET_SEEDS_MAX <= UNIT_TICKET_KEYS_MAX, "each makes a key");

void
gw_state_tickets(struct gw_state *state,
    const uint8_t (*seeds)[GW_TICKET_SEED_BYTES], unsigned count)
{
	must(state != NULL && count <= GW_TICKET_SEEDS_MAX);
	memory_wipe(state->ticket_seeds, sizeof(state->ticket_seeds));
	if (count > 0)
		memcpy(state->ticket_seeds, seeds, count * sizeof(*seeds));
	state->ticket_seed_count = count;
	state->gateways_stale = true;
}

struct slice
gw_tickets_unit_name(struct arena *arena, const struct gw_node *gateway)
{
	return arena_format(
	    arena, "tickets/%.*s", SLICE_ARGS(gw_node_key(gateway)));
}

bool
gw_tickets_are_given(const struct gw_state *state)
{
	return state->ticket_seed_count > 0;
}

/* As much as is wanted of SHA-256 over seed, count and name, whose lengths
 * cannot be taken for another's. */
static void
derive(const uint8_t seed[GW_TICKET_SEED_BYTES], struct slice name,
    uint8_t key[UNIT_TICKET_KEY_BYTES])
{
	uint8_t block[CRYPT_SHA256_BYTES];

	for (size_t at = 0; at < UNIT_TICKET_KEY_BYTES; at += sizeof(block)) {
		char number = (char)(at / sizeof(block));
		size_t left = UNIT_TICKET_KEY_BYTES - at;
		struct slice parts[] = {
		    slice_make((const char *)seed, GW_TICKET_SEED_BYTES),
		    slice_make(&number, 1), name};

		crypt_sha256(parts, 3, block);
		memcpy(&key[at], block,
		    left < sizeof(block) ? left : sizeof(block));
	}
	memory_wipe(block, sizeof(block));
}

static void
emit(struct gw_state *state, const struct gw_node *gateway)
{
	struct slice name = gw_tickets_unit_name(&state->outbox.arena, gateway);
	struct gw_named *unit = gw_named_touch(&state->tickets, name);
	uint8_t keys[GW_TICKET_SEEDS_MAX][UNIT_TICKET_KEY_BYTES];
	struct slice texts[GW_TICKET_SEEDS_MAX];
	struct unit_tickets record = {
	    .keys = texts, .keys_count = state->ticket_seed_count};

	unit->wanted = true;
	for (unsigned i = 0; i < state->ticket_seed_count; i++) {
		derive(state->ticket_seeds[i], name, keys[i]);
		texts[i] = slice_make((const char *)keys[i], sizeof(keys[i]));
	}
	(void)gw_outbox_secret(&state->outbox, &unit->sent, name,
	    &unit_tickets_type, &record, sizeof(keys));
	memory_wipe(keys, sizeof(keys));
}

static bool
has_tls(const struct gw_owner_node *owner)
{
	for (uint32_t i = 0; i < owner->listener_count; i++)
		if (gw_listener_has_tickets(&owner->listeners[i]) &&
		    gw_listener_is_served(owner, &owner->listeners[i]))
			return true;
	return false;
}

void
gw_tickets_emit(struct gw_state *state)
{
	uint32_t count = 0;
	struct gw_node **gateways = NULL;

	if (gw_tickets_are_given(state))
		gateways =
		    gw_nodes_sorted(state, GW_GATEWAY, &state->work, &count);
	for (uint32_t i = 0; i < count; i++) {
		const struct gw_owner_node *gateway = (const void *)gateways[i];
		bool any = has_tls(gateway);

		for (uint32_t j = 0; j < gateway->set_count; j++)
			any = any || has_tls(gateway->sets[j]);
		if (any)
			emit(state, gateways[i]);
	}
	gw_named_sweep(state, &state->tickets);
}

void
gw_tickets_fini(struct gw_state *state)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&state->tickets, &at, &key, &value);)
		memory_free(value);
	map_fini(&state->tickets);
	memory_wipe(state->ticket_seeds, sizeof(state->ticket_seeds));
}
