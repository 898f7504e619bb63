/* The steps of an address on a link. Probes are closer together than RFC 5227's
 * (a second or two): a person waits for the address, and a machine on the same
 * link answers within milliseconds; three of them outlast two that are lost,
 * and one that answers late is seen, told and answered while it is held. */
#include "announce/hold.h"

#include "core/limit.h"
#include "core/must.h"

/* When announcements go out after the address is held, in ms. Linux takes no
 * tell within a second of another one, an ask at once: hence both, and twice
 * beyond that second. */
static const uint16_t announce_after_ms[] = {0, 100, 500, 1100, 2200};
#define ANNOUNCEMENTS (sizeof(announce_after_ms) / sizeof(announce_after_ms[0]))

static struct wire_neighbour *
say(const struct announce_hold *hold, struct announce_output *out)
{
	must(out->count < sizeof(out->messages) / sizeof(out->messages[0]));
	struct wire_neighbour *message = &out->messages[out->count++];
	*message =
	    (struct wire_neighbour){.is_ipv6 = !wire_ip_is_ipv4(hold->ip)};
	memcpy(message->subject, hold->ip, WIRE_IP_BYTES);
	memcpy(message->hardware, hold->hardware, WIRE_HARDWARE_BYTES);
	memcpy(message->to, wire_hardware_everybody, WIRE_HARDWARE_BYTES);
	return message;
}

static void
say_probe(const struct announce_hold *hold, struct announce_output *out)
{
	say(hold, out);
}

/* To everybody: it is here. In ARP both as an ask for oneself and as a tell:
 * some listen to the one, some to the other. */
static void
say_here(const struct announce_hold *hold, struct announce_output *out)
{
	struct wire_neighbour *message = say(hold, out);

	message->is_tell = true;
	message->overrides = true;
	if (message->is_ipv6)
		return;
	message = say(hold, out);
	memcpy(message->other, hold->ip, WIRE_IP_BYTES);
}

/* To who asked; to everybody when that has no address yet (RFC 4861 7.2.4). */
static void
say_answer(const struct announce_hold *hold, const struct wire_neighbour *ask,
    struct announce_output *out)
{
	struct wire_neighbour *message = say(hold, out);

	message->is_tell = true;
	message->overrides = true;
	message->is_solicited = !wire_ip_is_zero(ask->other);
	memcpy(message->other, ask->other, WIRE_IP_BYTES);
	memcpy(message->to, ask->hardware, WIRE_HARDWARE_BYTES);
}

static void
enter(struct announce_hold *hold, enum announce_state state, uint64_t due_ms)
{
	static const uint8_t legal[] = {
	    [ANNOUNCE_PROBING] = 1 << ANNOUNCE_PROBING | 1 << ANNOUNCE_HELD |
	        1 << ANNOUNCE_TAKEN,
	    [ANNOUNCE_HELD] = 1 << ANNOUNCE_HELD,
	    [ANNOUNCE_TAKEN] = 1 << ANNOUNCE_PROBING | 1 << ANNOUNCE_TAKEN,
	};
	must(legal[hold->state] & 1 << state);
	hold->state = state;
	hold->step = 0;
	hold->due_ms = due_ms;
}

void
announce_hold_init(struct announce_hold *hold, const uint8_t ip[WIRE_IP_BYTES],
    const uint8_t hardware[WIRE_HARDWARE_BYTES], bool probe, uint64_t now_ms,
    struct random *random)
{
	*hold = (struct announce_hold){
	    .state = probe ? ANNOUNCE_PROBING : ANNOUNCE_HELD,
	    .due_ms = now_ms,
	};
	memcpy(hold->ip, ip, WIRE_IP_BYTES);
	memcpy(hold->hardware, hardware, WIRE_HARDWARE_BYTES);
	/* Machines that were switched on together do not ask together. */
	if (probe)
		hold->due_ms +=
		    random_below(random, LIMIT_VALUE_ANNOUNCE_PROBE_MS);
}

static void
tick_probing(
    struct announce_hold *hold, uint64_t now_ms, struct announce_output *out)
{
	if (hold->step == LIMIT_VALUE_ANNOUNCE_PROBES) {
		hold->rival_ms = 0; /* it has gone */
		enter(hold, ANNOUNCE_HELD, now_ms);
		return;
	}
	say_probe(hold, out);
	hold->step++;
	hold->due_ms = now_ms + LIMIT_VALUE_ANNOUNCE_PROBE_MS;
}

static void
tick_held(
    struct announce_hold *hold, uint64_t now_ms, struct announce_output *out)
{
	if (now_ms - hold->due_ms > LIMIT_VALUE_ANNOUNCE_LATE_MS)
		enter(hold, ANNOUNCE_HELD, now_ms);
	say_here(hold, out);
	hold->step++;
	hold->due_ms = now_ms;
	if (hold->step < ANNOUNCEMENTS) {
		hold->due_ms += announce_after_ms[hold->step] -
		    announce_after_ms[hold->step - 1];
		return;
	}
	hold->step = ANNOUNCEMENTS;
	hold->due_ms += LIMIT_VALUE_ANNOUNCE_REFRESH_MS;
}

void
announce_hold_tick(struct announce_hold *hold, uint64_t now_ms,
    struct random *random, struct announce_output *out)
{
	must(now_ms >= hold->due_ms);
	out->count = 0;
	if (hold->state == ANNOUNCE_TAKEN)
		enter(hold, ANNOUNCE_PROBING,
		    now_ms +
		        random_below(random, LIMIT_VALUE_ANNOUNCE_PROBE_MS));
	else if (hold->state == ANNOUNCE_PROBING)
		tick_probing(hold, now_ms, out);
	/* What is held by now is announced at once. */
	if (hold->state == ANNOUNCE_HELD)
		tick_held(hold, now_ms, out);
}

static void
note_rival(struct announce_hold *hold, const struct wire_neighbour *message,
    uint64_t now_ms)
{
	memcpy(hold->rival, message->hardware, WIRE_HARDWARE_BYTES);
	hold->rival_ms = now_ms ? now_ms : 1;
	hold->rival_claims++;
}

/* Another machine says that it has it; answered for all to hear, but not so
 * often that two that will not yield fill the link. */
static void
defend(struct announce_hold *hold, uint64_t now_ms, struct announce_output *out)
{
	if (hold->defended_ms > 0 &&
	    now_ms - hold->defended_ms < LIMIT_VALUE_ANNOUNCE_DEFEND_MS)
		return;
	hold->defended_ms = now_ms ? now_ms : 1;
	say_here(hold, out);
}

void
announce_hold_hear(struct announce_hold *hold,
    const struct wire_neighbour *message, uint64_t now_ms,
    struct random *random, struct announce_output *out)
{
	out->count = 0;
	if (memcmp(message->hardware, hold->hardware, WIRE_HARDWARE_BYTES) == 0)
		return; /* ourselves */
	bool claims = wire_neighbour_claims(message, hold->ip);
	bool probes = wire_neighbour_probes(message, hold->ip);
	if (claims)
		note_rival(hold, message, now_ms);
	switch (hold->state) {
	case ANNOUNCE_PROBING:
		/* RFC 5227 2.1.1: who asks for it too wants it too. */
		if (probes)
			note_rival(hold, message, now_ms);
		if (!claims && !probes)
			return;
		enter(hold, ANNOUNCE_TAKEN,
		    now_ms + LIMIT_VALUE_ANNOUNCE_RETRY_MS +
		        random_below(random, LIMIT_VALUE_ANNOUNCE_RETRY_MS));
		return;
	case ANNOUNCE_HELD:
		if (claims)
			defend(hold, now_ms, out);
		else if (!message->is_tell &&
		    memcmp(message->subject, hold->ip, WIRE_IP_BYTES) == 0)
			say_answer(hold, message, out);
		return;
	case ANNOUNCE_TAKEN:
		return;
	}
}

void
announce_hold_renew(struct announce_hold *hold,
    const uint8_t hardware[WIRE_HARDWARE_BYTES], uint64_t now_ms)
{
	memcpy(hold->hardware, hardware, WIRE_HARDWARE_BYTES);
	if (hold->state != ANNOUNCE_TAKEN)
		enter(hold, hold->state, now_ms);
}

bool
announce_hold_is_contested(const struct announce_hold *hold, uint64_t now_ms)
{
	return hold->rival_ms > 0 &&
	    now_ms - hold->rival_ms < LIMIT_VALUE_ANNOUNCE_RIVAL_MS;
}
