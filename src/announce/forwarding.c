/* What comes for a claim's address on this node is led to the node's own pods,
 * where the controller says to which: whether the address is held here or not,
 * so that whoever takes it over has nothing left to do first; but not what the
 * host has as its own. */
#include "announce/announcer_priv.h"
#include "core/hash.h"
#include "core/log.h"

/* The targets of this node. */
static void
fill(const struct announce_claim *claim, const struct unit_claim_port *port,
    struct arena *arena, struct net_forward *out)
{
	struct slice node = claim->announcer->options.node;
	struct net_address *to =
	    arena_zero(arena, port->targets_count + 1, sizeof(*to));

	*out = (struct net_forward){.protocol = (uint8_t)port->transport,
	    .port = (uint16_t)port->port,
	    .to = to};
	for (uint32_t i = 0; i < port->targets_count &&
	     out->to_count < LIMIT_VALUE_FORWARD_TARGETS;
	     i++) {
		const struct unit_claim_target *target = &port->targets[i];
		if (slice_equal(target->node, node) &&
		    net_address_parse(target->address, (uint16_t)target->port,
		        &to[out->to_count]) == ERROR_OK &&
		    to[out->to_count].family == claim->address.family)
			out->to_count++;
	}
}

static uint64_t
hash_of(const struct net_forward *forwards, uint32_t count)
{
	struct hash hash;

	hash_init(&hash);
	for (uint32_t i = 0; i < count; i++) {
		hash_push_number(&hash, forwards[i].protocol);
		hash_push_number(&hash, forwards[i].port);
		hash_push_number(&hash, forwards[i].to_count);
		for (unsigned k = 0; k < forwards[i].to_count; k++) {
			hash_push(&hash, announcer_key(forwards[i].to[k].ip));
			hash_push_number(&hash, forwards[i].to[k].port);
		}
	}
	return hash_take(&hash);
}

static enum error
set(struct announce_claim *claim, const struct net_forward *forwards,
    uint32_t count)
{
	struct announcer *announcer = claim->announcer;

	if (!announcer->forwards) {
		enum error error = net_forward_open();
		if (error != ERROR_OK)
			return error;
		announcer->forwards = true;
	}
	return net_forward_set(&claim->address, forwards, count);
}

static void
tell(const struct announce_claim *claim)
{
	if (claim->forwarding.error != ERROR_OK)
		log_event(LOG_ANNOUNCE_NOT_LED,
		    LOG_STRING("address", claim->text),
		    LOG_STRING("error", error_text(claim->forwarding.error)));
}

void
announce_claim_forward(
    struct announce_claim *claim, const struct unit_claim *unit)
{
	struct arena *arena = &claim->arena;
	uint32_t count = 0;

	struct net_forward *forwards =
	    arena_zero(arena, unit->ports_count + 1, sizeof(*forwards));
	for (uint32_t i = 0; i < unit->ports_count; i++) {
		fill(claim, &unit->ports[i], arena, &forwards[count]);
		count += forwards[count].to_count > 0;
	}
	claim->forwarding.asked = forwards;
	claim->forwarding.asked_count = count;
	announce_claim_lead(claim);
}

void
announce_claim_lead(struct announce_claim *claim)
{
	struct announce_forwarding *forwarding = &claim->forwarding;
	const struct net_forward *asked = forwarding->asked;
	uint32_t count = forwarding->asked_count;

	if (count == 0 || claim->is_own) {
		announce_claim_forward_not(claim);
		return;
	}
	uint64_t hash = hash_of(asked, count);
	if (forwarding->is_set && forwarding->hash == hash)
		return;
	enum error before = forwarding->error;
	forwarding->error = set(claim, asked, count);
	forwarding->is_set = forwarding->error == ERROR_OK;
	forwarding->hash = hash;
	if (forwarding->error != before)
		tell(claim);
}

void
announce_claim_forward_not(struct announce_claim *claim)
{
	struct announce_forwarding *forwarding = &claim->forwarding;

	forwarding->error = ERROR_OK;
	if (!forwarding->is_set)
		return;
	forwarding->is_set = false;
	/* What stays goes with the next start. */
	forwarding->error = net_forward_remove(&claim->address);
	tell(claim);
	forwarding->error = ERROR_OK;
}
