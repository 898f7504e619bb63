/* What comes for a claim's address on this node is led to the node's own pods,
 * where the controller says to which: whether the address is held here or not,
 * so that whoever takes it over has nothing left to do first; but not what the
 * host has as its own. The table of it may be taken away by others (`nft flush
 * ruleset`): it is looked at from time to time, and made anew; what fails is
 * tried again. */
#include <netinet/in.h>

#include "announce/announcer_priv.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/memory.h"

/* False: it is not of the claim's family, or no address. */
static bool
parse_target(const struct announce_claim *claim,
    const struct unit_claim_target *target, struct net_address *to)
{
	return net_address_parse(target->address, (uint16_t)target->port, to) ==
	    ERROR_OK &&
	    to->family == claim->address.family;
}

/* New flows may be led to it. */
static bool
is_ours(
    const struct announce_claim *claim, const struct unit_claim_target *target)
{
	return !target->ending &&
	    slice_equal(target->node, claim->announcer->options.node);
}

/* The targets of this node, and behind them all others: those of other nodes,
 * those that end, and what is above the limit. */
static void
fill(const struct announce_claim *claim, const struct unit_claim_port *port,
    struct arena *arena, struct net_forward *out)
{
	struct net_address *to =
	    arena_zero(arena, port->targets_count + 1, sizeof(*to));

	*out = (struct net_forward){.protocol = (uint8_t)port->transport,
	    .port = (uint16_t)port->port,
	    .to = to};
	uint32_t at = 0;
	for (; at < port->targets_count &&
	     out->to_count < LIMIT_VALUE_FORWARD_TARGETS;
	     at++)
		out->to_count += is_ours(claim, &port->targets[at]) &&
		    parse_target(claim, &port->targets[at], &to[out->to_count]);
	for (uint32_t i = 0; i < port->targets_count; i++)
		out->beside_count +=
		    (i >= at || !is_ours(claim, &port->targets[i])) &&
		    parse_target(claim, &port->targets[i],
		        &to[out->to_count + out->beside_count]);
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

static bool
is_set(const struct announce_claim *claim)
{
	uint64_t table = claim->announcer->rules.table;

	return table != 0 && claim->forwarding.table == table;
}

/* ---- flows ---- */

static bool
has_target(const struct net_forward *forward, const struct net_address *by)
{
	for (unsigned i = 0; i < forward->to_count + forward->beside_count; i++)
		if (net_address_equal(&forward->to[i], by))
			return true;
	return false;
}

/* A flow of UDP that began while the rules were away, or whose pod is gone,
 * would get no answer for as long as it goes on. What others have led to a pod
 * of another node stays there. */
static bool
is_stale(struct net_flows *flows, const struct net_flow *flow)
{
	const struct announcer *announcer =
	    container_of(flows, struct announcer, rules.flows);
	const struct announce_claim *claim =
	    map_get(&announcer->claims, announcer_key(flow->asked.ip));

	if (claim == NULL || !is_set(claim))
		return false;
	for (uint32_t i = 0; i < claim->forwarding.asked_count; i++) {
		const struct net_forward *forward = &claim->forwarding.asked[i];
		if (forward->protocol == IPPROTO_UDP &&
		    forward->port == flow->asked.port)
			return !has_target(forward, &flow->by);
	}
	return false;
}

static void
on_looked(struct net_flows *flows, enum error error)
{
	struct announce_rules *rules =
	    container_of(flows, struct announce_rules, flows);

	if (rules->flows_error == error)
		return;
	rules->flows_error = error;
	if (error != ERROR_OK)
		log_event(LOG_ANNOUNCE_FLOWS_NOT_SEEN,
		    LOG_STRING("error", error_text(error)));
}

static void
look_for_flows(const struct announce_claim *claim)
{
	for (uint32_t i = 0; i < claim->forwarding.asked_count; i++)
		if (claim->forwarding.asked[i].protocol == IPPROTO_UDP) {
			net_flows_look(&claim->announcer->rules.flows);
			return;
		}
}

static struct net_forwarded
forwarded_of(const struct announce_claim *claim)
{
	return (struct net_forwarded){&claim->address, claim->forwarding.asked,
	    claim->forwarding.asked_count};
}

/* It is set as it is asked, or could not be. */
static void
keep(struct announce_claim *claim, enum error error)
{
	struct announce_forwarding *forwarding = &claim->forwarding;

	forwarding->table =
	    error == ERROR_OK ? claim->announcer->rules.table : 0;
	forwarding->hash = hash_of(forwarding->asked, forwarding->asked_count);
	if (error == ERROR_OK)
		look_for_flows(claim);
}

static enum error
set(struct announce_claim *claim)
{
	const struct announce_rules *rules = &claim->announcer->rules;
	const struct net_forwarded forwarded = forwarded_of(claim);
	enum error error =
	    rules->table == 0 ? rules->error : net_forward_set(&forwarded);

	keep(claim, error);
	return error;
}

/* True: it is another than before. */
static bool
note(struct announce_claim *claim, enum error error)
{
	if (claim->forwarding.error == error)
		return false;
	claim->forwarding.error = error;
	if (error != ERROR_OK)
		log_event(LOG_ANNOUNCE_NOT_LED,
		    LOG_STRING("address", claim->text),
		    LOG_STRING("error", error_text(error)));
	return true;
}

/* ---- of all claims ---- */

static bool
is_asked(const struct announce_claim *claim)
{
	return claim->forwarding.asked_count > 0 && !claim->is_own;
}

static void
tell(struct announce_claim *claim, enum error error)
{
	if (!note(claim, error))
		return;
	announce_claim_decide(claim);
	net_loop_defer(
	    claim->announcer->options.loop, &claim->announcer->changed);
}

/* NOT_FOUND, of a table that was there before: a part of it is gone. */
static enum error
set_missing(struct announcer *announcer, bool is_new)
{
	enum error worst = ERROR_OK;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);) {
		struct announce_claim *claim = value;

		if (!is_asked(claim) || is_set(claim))
			continue;
		enum error error = set(claim);
		if (error == ERROR_NOT_FOUND && !is_new)
			return error;
		if (error == ERROR_NOT_FOUND)
			error = ERROR_UNSUPPORTED;
		if (error != ERROR_OK)
			worst = error;
		tell(claim, error);
	}
	return worst;
}

/* In one transaction: what was led before, by rules that a former process has
 * left, is led all the while. */
static enum error
set_all(struct announcer *announcer)
{
	struct announce_rules *rules = &announcer->rules;
	struct net_forwarded *all =
	    memory_zero(announcer->claims.count + 1, sizeof(*all));
	unsigned count = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);)
		if (is_asked(value))
			all[count++] = forwarded_of(value);
	enum error error = net_forward_open(all, count, &rules->table);
	memory_free(all);
	for (size_t at = 0; error == ERROR_OK &&
	     map_next(&announcer->claims, &at, &key, &value);)
		if (is_asked(value)) {
			keep(value, ERROR_OK);
			tell(value, ERROR_OK);
		}
	return error;
}

/* Where one of them is refused the others are set without it. */
static enum error
make(struct announcer *announcer)
{
	struct announce_rules *rules = &announcer->rules;

	rules->error = set_all(announcer);
	if (rules->error == ERROR_OK)
		return ERROR_OK;
	rules->error = net_forward_open(NULL, 0, &rules->table);
	return set_missing(announcer, true);
}

static void
retry_later(struct announcer *announcer)
{
	struct announce_rules *rules = &announcer->rules;

	rules->wait_ms = rules->wait_ms == 0 ? LIMIT_VALUE_FORWARD_RETRY_MS
	                                     : 2 * rules->wait_ms;
	if (rules->wait_ms > LIMIT_VALUE_FORWARD_RETRY_MAX_MS)
		rules->wait_ms = LIMIT_VALUE_FORWARD_RETRY_MAX_MS;
	rules->retry_ms = announcer_now_ms(announcer) + rules->wait_ms;
}

/* All is set anew, as soon as may be. */
static void
lose(struct announce_rules *rules)
{
	log_event(LOG_ANNOUNCE_RULES_LOST);
	rules->table = 0;
	rules->retry_ms = 0;
}

/* Set what is not, in a table that is made where there is none. */
static void
repair(struct announcer *announcer)
{
	struct announce_rules *rules = &announcer->rules;
	enum error error = ERROR_NOT_FOUND;

	if (rules->table != 0) {
		error = set_missing(announcer, false);
		if (error == ERROR_NOT_FOUND)
			lose(rules);
	}
	if (rules->table == 0)
		error = make(announcer);
	if (error != ERROR_OK) {
		retry_later(announcer);
		return;
	}
	rules->wait_ms = 0;
	rules->retry_ms = 0;
}

static bool
is_any_asked(const struct announcer *announcer)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&announcer->claims, &at, &key, &value);)
		if (is_asked(value))
			return true;
	return false;
}

static void
look_later(struct announcer *announcer)
{
	net_timer_set(announcer->options.loop, &announcer->rules.timer,
	    LIMIT_VALUE_FORWARD_LOOK_MS);
}

static void
on_look(struct net_timer *timer)
{
	struct announcer *announcer =
	    container_of(timer, struct announcer, rules.timer);
	struct announce_rules *rules = &announcer->rules;

	if (!is_any_asked(announcer))
		return;
	if (rules->table != 0 &&
	    net_forward_look(rules->table) == ERROR_NOT_FOUND)
		lose(rules);
	if (announcer_now_ms(announcer) >= rules->retry_ms)
		repair(announcer);
	look_later(announcer);
}

void
announce_rules_init(struct announcer *announcer)
{
	net_timer_init(&announcer->rules.timer, on_look);
	announcer->rules.flows.is_stale = is_stale;
	announcer->rules.flows.on_looked = on_looked;
	net_flows_init(&announcer->rules.flows, announcer->options.loop);
}

void
announce_rules_begin(struct announcer *announcer)
{
	if (!is_any_asked(announcer)) {
		(void)!net_forward_close();
		return;
	}
	look_later(announcer);
	repair(announcer);
}

void
announce_rules_fini(struct announcer *announcer, bool stay)
{
	net_timer_clear(&announcer->rules.timer);
	net_flows_fini(&announcer->rules.flows);
	if (announcer->has_peers && !stay)
		(void)!net_forward_close();
}

/* ---- of one ---- */

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

/* Without waiting for the next look. */
static void
lead(struct announce_claim *claim)
{
	struct announcer *announcer = claim->announcer;
	struct announce_rules *rules = &announcer->rules;

	if (rules->table != 0) {
		enum error error = set(claim);
		if (error != ERROR_NOT_FOUND) {
			(void)note(claim, error);
			if (error != ERROR_OK && rules->wait_ms == 0)
				retry_later(announcer);
			return;
		}
		lose(rules);
	}
	if (announcer_now_ms(announcer) >= rules->retry_ms)
		repair(announcer);
	else
		(void)note(claim, set(claim));
}

void
announce_claim_lead(struct announce_claim *claim)
{
	struct announce_forwarding *forwarding = &claim->forwarding;
	struct announcer *announcer = claim->announcer;

	if (!is_asked(claim)) {
		announce_claim_forward_not(claim);
		return;
	}
	/* What a former process has left serves until all are known. */
	if (!announcer->is_whole)
		return;
	if (!net_timer_is_set(&announcer->rules.timer))
		look_later(announcer);
	if (!is_set(claim) ||
	    forwarding->hash !=
	        hash_of(forwarding->asked, forwarding->asked_count))
		lead(claim);
}

void
announce_claim_forward_not(struct announce_claim *claim)
{
	struct announce_forwarding *forwarding = &claim->forwarding;
	struct announce_rules *rules = &claim->announcer->rules;
	bool was_set = is_set(claim);

	forwarding->table = 0;
	if (was_set) {
		enum error error = net_forward_remove(&claim->address);
		if (error != ERROR_OK && error != ERROR_NOT_FOUND)
			(void)note(claim, error);
		/* What is left goes when the others are set anew. */
		if (error != ERROR_OK)
			lose(rules);
	}
	forwarding->error = ERROR_OK;
}
