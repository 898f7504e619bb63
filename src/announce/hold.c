/* The steps of an address on a link. Probes are closer together than RFC 5227's
 * (a second or two): a person waits for the address, and a machine on the same
 * link answers within milliseconds; three of them outlast two that are lost,
 * and one that answers late is seen, told and answered while it is held. */
#include "announce/hold.h"

#include "core/limit.h"
#include "core/must.h"

/* When announcements go out after the address is held, in ms, each
 * ANNOUNCE_SPREAD_MS sooner at most. Linux takes no tell within a second of
 * another one, an ask at once: hence both, and twice beyond that second. */
static const uint16_t announce_after_ms[] = {0, 100, 500, 1200, 2400};
#define ANNOUNCEMENTS (sizeof(announce_after_ms) / sizeof(announce_after_ms[0]))
/* After so many asks whether the successor has it they are less frequent: it
 * may not have heard of the address yet. */
#define YIELD_ASKS 10
/* While a rival was heard of within this, whoever asks is told again, so long
 * after the rival will have answered. */
#define RIVAL_NEAR_MS 5000
#define AFTER_RIVAL_MS 20
/* Of answers to rivals one in so long is in both ways, the others in that which
 * every neighbour takes that goes by RFC 826. */
#define BOTH_MS 100

/* A machine that defends the address as we do claims it once for each frame of
 * ours, never more often. Of what is heard nine in ten are credit, what is said
 * is paid of it: with such a one nothing is gained, and a flood is known by
 * what is left, in tenths of a frame. */
#define CREDIT_HEARD 9
#define CREDIT_SAID 10
#define CREDIT_MAX 100
#define CREDIT_FORGOTTEN_MS 1000

/* A peer that has it answers a rival within this; one that has died is given up
 * within it. */
#define PEER_NEAR_MS \
	(LIMIT_VALUE_ANNOUNCE_SILENCE_MS + LIMIT_VALUE_ANNOUNCE_DEFEND_MS)

/* Two peers that both hold it, as their claims differ, are told of it by each
 * other: each time after twice as long, and so often at most, until none was
 * heard of for a while. */
#define OUTDONE_MAX 7
#define OUTDONE_FORGOTTEN_MS 10000

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
 * some listen to the one, some to the other. brief: not to both. */
static void
say_here(
    const struct announce_hold *hold, bool brief, struct announce_output *out)
{
	struct wire_neighbour *message = say(hold, out);

	if (message->is_ipv6 || !brief) {
		message->is_tell = true;
		message->overrides = true;
	}
	if (message->is_ipv6)
		return;
	if (!brief)
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

static uint64_t
earliest(uint64_t a, uint64_t b)
{
	return b > 0 && b < a ? b : a;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* IDLE has nothing due, PROBING and TAKEN the next step alone. */
static void
schedule(struct announce_hold *hold)
{
	hold->due_ms = hold->next_ms;
	if (hold->state == ANNOUNCE_IDLE)
		hold->due_ms = UINT64_MAX;
	if (!announce_hold_is_here(hold))
		return;
	hold->due_ms = earliest(hold->due_ms, hold->defend_ms);
	hold->due_ms = earliest(hold->due_ms, hold->look_ms);
}

static void
enter(struct announce_hold *hold, enum announce_state state, uint64_t next_ms)
{
	static const uint8_t legal[] = {
	    [ANNOUNCE_IDLE] =
	        1 << ANNOUNCE_IDLE | 1 << ANNOUNCE_PROBING | 1 << ANNOUNCE_HELD,
	    [ANNOUNCE_PROBING] = 1 << ANNOUNCE_IDLE | 1 << ANNOUNCE_PROBING |
	        1 << ANNOUNCE_HELD | 1 << ANNOUNCE_TAKEN,
	    [ANNOUNCE_HELD] = 1 << ANNOUNCE_IDLE | 1 << ANNOUNCE_HELD |
	        1 << ANNOUNCE_YIELDING,
	    [ANNOUNCE_YIELDING] = 1 << ANNOUNCE_IDLE | 1 << ANNOUNCE_HELD |
	        1 << ANNOUNCE_YIELDING,
	    [ANNOUNCE_TAKEN] = 1 << ANNOUNCE_IDLE | 1 << ANNOUNCE_PROBING |
	        1 << ANNOUNCE_HELD | 1 << ANNOUNCE_TAKEN,
	};
	must(legal[hold->state] & 1 << state);
	hold->state = state;
	hold->step = 0;
	hold->next_ms = next_ms;
	if (announce_hold_is_here(hold))
		hold->is_ours = true;
	else
		hold->defend_ms = hold->look_ms = 0;
	/* Nobody looks for it from here any more. */
	if (state == ANNOUNCE_IDLE)
		hold->rival_ms = 0;
	schedule(hold);
}

void
announce_hold_init(struct announce_hold *hold, const uint8_t ip[WIRE_IP_BYTES],
    const uint8_t hardware[WIRE_HARDWARE_BYTES], struct announce_budget *budget)
{
	*hold = (struct announce_hold){
	    .state = ANNOUNCE_IDLE, .due_ms = UINT64_MAX, .budget = budget};
	memcpy(hold->ip, ip, WIRE_IP_BYTES);
	memcpy(hold->hardware, hardware, WIRE_HARDWARE_BYTES);
}

bool
announce_hold_is_here(const struct announce_hold *hold)
{
	return hold->state == ANNOUNCE_HELD || hold->state == ANNOUNCE_YIELDING;
}

void
announce_hold_take(
    struct announce_hold *hold, uint64_t now_ms, struct random *random)
{
	if (hold->state == ANNOUNCE_YIELDING ||
	    (hold->state == ANNOUNCE_IDLE && hold->is_ours))
		enter(hold, ANNOUNCE_HELD, now_ms);
	/* Machines that were switched on together do not ask together. */
	else if (hold->state == ANNOUNCE_IDLE)
		enter(hold, ANNOUNCE_PROBING,
		    now_ms +
		        random_below(
		            random, LIMIT_VALUE_ANNOUNCE_PROBE_FIRST_MS));
}

void
announce_hold_yield(struct announce_hold *hold,
    const uint8_t successor[WIRE_HARDWARE_BYTES], uint64_t now_ms)
{
	bool same =
	    memcmp(hold->successor, successor, WIRE_HARDWARE_BYTES) == 0;

	if (!announce_hold_is_here(hold)) {
		enter(hold, ANNOUNCE_IDLE, 0);
		return;
	}
	memcpy(hold->successor, successor, WIRE_HARDWARE_BYTES);
	if (hold->state == ANNOUNCE_HELD || !same)
		enter(hold, ANNOUNCE_YIELDING, now_ms);
}

void
announce_hold_drop(struct announce_hold *hold)
{
	enter(hold, ANNOUNCE_IDLE, 0);
}

void
announce_hold_cede(struct announce_hold *hold)
{
	enter(hold, ANNOUNCE_IDLE, 0);
	hold->is_ours = true;
}

void
announce_hold_disown(struct announce_hold *hold)
{
	enter(hold, ANNOUNCE_IDLE, 0);
	hold->is_ours = false;
}

/* It is said to all. */
static void
note_said(struct announce_hold *hold, unsigned frames, uint64_t now_ms)
{
	hold->said_ms = now_ms;
	hold->credit -= (int)frames * CREDIT_SAID;
	if (hold->credit < -CREDIT_MAX)
		hold->credit = -CREDIT_MAX;
}

/* Is it claimed oftener than answers to ours would be? */
static bool
is_flooded(const struct announce_hold *hold)
{
	return hold->credit >= CREDIT_SAID;
}

/* When it may be said out of turn: at once, but not again and again without a
 * break; where the link's budget does not allow it, somewhat later. */
static uint64_t
defence_ms(const struct announce_hold *hold, uint64_t now_ms)
{
	uint64_t soonest, latest;

	if (hold->said_ms == 0)
		return now_ms;
	soonest = later(announce_budget_ms(hold->budget, now_ms),
	    hold->said_ms + LIMIT_VALUE_ANNOUNCE_DEFEND_GAP_MS);
	if (is_flooded(hold))
		soonest = earliest(soonest,
		    later(announce_budget_soon_ms(hold->budget, now_ms),
		        hold->said_ms + LIMIT_VALUE_ANNOUNCE_DEFEND_SOON_MS));
	latest = later(now_ms, hold->said_ms + LIMIT_VALUE_ANNOUNCE_DEFEND_MS);
	return soonest < latest ? soonest : latest;
}

void
announce_hold_repeat(
    struct announce_hold *hold, uint64_t now_ms, struct random *random)
{
	if (hold->state != ANNOUNCE_HELD || hold->step == 0)
		return;
	uint64_t at = defence_ms(hold, now_ms);
	if (announce_budget_ms(hold->budget, now_ms) == now_ms)
		announce_budget_spend(hold->budget, now_ms);
	else
		at += random_below(random, LIMIT_VALUE_ANNOUNCE_SPREAD_MS);
	/* What was about to be said is said no later. */
	enter(hold, ANNOUNCE_HELD, earliest(at, hold->next_ms));
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
	hold->next_ms = now_ms + LIMIT_VALUE_ANNOUNCE_PROBE_MS;
}

/* Does another machine answer for it? Its answer is to us alone and would not
 * be heard otherwise. */
static void
look(struct announce_hold *hold, uint64_t now_ms, struct announce_output *out)
{
	hold->looked_ms = now_ms;
	hold->look_ms = 0;
	say_probe(hold, out);
}

static void
announce(struct announce_hold *hold, uint64_t now_ms, struct random *random,
    struct announce_output *out)
{
	if (now_ms - hold->next_ms > LIMIT_VALUE_ANNOUNCE_LATE_MS)
		enter(hold, ANNOUNCE_HELD, now_ms);
	say_here(hold, false, out);
	note_said(hold, out->count, now_ms);
	hold->step++;
	/* Of many addresses that are taken together: who listens to all of them
	 * would have no room for all at once. */
	hold->next_ms =
	    now_ms - random_below(random, LIMIT_VALUE_ANNOUNCE_SPREAD_MS);
	if (hold->step < ANNOUNCEMENTS) {
		hold->next_ms += announce_after_ms[hold->step] -
		    announce_after_ms[hold->step - 1];
		return;
	}
	/* At first too, and each time that it is told again. */
	look(hold, now_ms, out);
	hold->step = ANNOUNCEMENTS;
	hold->next_ms += LIMIT_VALUE_ANNOUNCE_REFRESH_MS;
}

/* Now, if that may be; else as soon as it may. */
static void
answer_rival(
    struct announce_hold *hold, uint64_t now_ms, struct announce_output *out)
{
	struct announce_budget *budget = hold->budget;
	bool is_paid = announce_budget_ms(budget, now_ms) == now_ms;
	uint64_t at = defence_ms(hold, now_ms);
	unsigned before = out->count;

	if (at > now_ms) {
		hold->counts.put_off += !is_paid;
		hold->defend_ms = at;
		return;
	}
	if (is_flooded(hold) &&
	    announce_budget_soon_ms(budget, now_ms) == now_ms)
		announce_budget_spend_soon(budget, now_ms);
	else if (is_paid)
		announce_budget_spend(budget, now_ms);
	hold->defend_ms = 0;
	hold->counts.said++;
	bool brief = now_ms - hold->both_ms < BOTH_MS;
	if (!brief)
		hold->both_ms = now_ms;
	say_here(hold, brief, out);
	note_said(hold, out->count - before, now_ms);
}

static void
ask_successor(
    struct announce_hold *hold, uint64_t now_ms, struct announce_output *out)
{
	say_probe(hold, out);
	hold->step++;
	hold->next_ms = now_ms +
	    (hold->step < YIELD_ASKS ? LIMIT_VALUE_ANNOUNCE_YIELD_MS
	                             : LIMIT_VALUE_ANNOUNCE_DEFEND_MS);
}

static void
tick_here(struct announce_hold *hold, uint64_t now_ms, struct random *random,
    struct announce_output *out)
{
	bool steps = now_ms >= hold->next_ms;

	if (hold->state == ANNOUNCE_HELD && steps) {
		hold->defend_ms = 0; /* it is said now */
		announce(hold, now_ms, random, out);
	} else if (steps) {
		ask_successor(hold, now_ms, out);
	}
	if (hold->defend_ms > 0 && now_ms >= hold->defend_ms)
		answer_rival(hold, now_ms, out);
	if (hold->look_ms > 0 && now_ms >= hold->look_ms)
		look(hold, now_ms, out);
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
		        random_below(
		            random, LIMIT_VALUE_ANNOUNCE_PROBE_FIRST_MS));
	else if (hold->state == ANNOUNCE_PROBING)
		tick_probing(hold, now_ms, out);
	/* What is held by now is announced at once. */
	if (announce_hold_is_here(hold))
		tick_here(hold, now_ms, random, out);
	schedule(hold);
}

static void
note_rival(struct announce_hold *hold, const struct wire_neighbour *message,
    uint64_t now_ms)
{
	memcpy(hold->rival, message->hardware, WIRE_HARDWARE_BYTES);
	if (now_ms - hold->rival_ms > CREDIT_FORGOTTEN_MS)
		hold->credit = 0;
	hold->credit += CREDIT_HEARD;
	if (hold->credit > CREDIT_MAX)
		hold->credit = CREDIT_MAX;
	hold->rival_ms = now_ms ? now_ms : 1;
	hold->counts.claims++;
}

/* Another machine says that it has it: answered for all to hear, so that their
 * caches are right again; and looked for again, for as long as it answers. */
static void
defend(struct announce_hold *hold, uint64_t now_ms, struct announce_output *out)
{
	if (hold->look_ms == 0)
		hold->look_ms = now_ms + LIMIT_VALUE_ANNOUNCE_LOOK_MS;
	answer_rival(hold, now_ms, out);
}

/* Whoever asks all for it is answered by a rival as well: one that is known is
 * spoken after, one that is not is looked for. */
static void
answer(struct announce_hold *hold, const struct wire_neighbour *ask,
    uint64_t now_ms, struct announce_output *out)
{
	bool by_all = ask->to[0] & 1; /* it came to a group */
	uint64_t after = now_ms + AFTER_RIVAL_MS;

	say_answer(hold, ask, out);
	if (wire_ip_is_zero(ask->other) || !by_all)
		return;
	if (hold->rival_ms > 0 && now_ms - hold->rival_ms < RIVAL_NEAR_MS &&
	    (hold->defend_ms == 0 || hold->defend_ms > after))
		hold->defend_ms = after;
	if (now_ms - hold->looked_ms >= LIMIT_VALUE_ANNOUNCE_LOOK_MS)
		look(hold, now_ms, out);
}

/* A peer that claims it, or asks for it before it yields it, had it: neighbours
 * may think that it still has. */
static void
outdo(struct announce_hold *hold, uint64_t now_ms, struct random *random)
{
	if (now_ms - hold->outdone_ms > OUTDONE_FORGOTTEN_MS)
		hold->outdone = 0;
	hold->outdone_ms = now_ms;
	uint64_t at = hold->said_ms +
	    ((uint64_t)LIMIT_VALUE_ANNOUNCE_DEFEND_GAP_MS << hold->outdone);
	/* What is about to be said is said no later. */
	if (hold->state != ANNOUNCE_HELD || hold->step == 0 ||
	    hold->next_ms <= later(at, now_ms))
		return;
	if (hold->outdone < OUTDONE_MAX)
		hold->outdone++;
	if (at <= now_ms)
		announce_hold_repeat(hold, now_ms, random);
	else
		enter(hold, ANNOUNCE_HELD, at);
}

static void
hear_here(struct announce_hold *hold, const struct wire_neighbour *message,
    bool is_peer, uint64_t now_ms, struct random *random,
    struct announce_output *out)
{
	bool claims = wire_neighbour_claims(message, hold->ip);

	if (hold->state == ANNOUNCE_YIELDING &&
	    memcmp(message->hardware, hold->successor, WIRE_HARDWARE_BYTES) ==
	        0) {
		/* It is told nothing: others might hear it. */
		if (claims)
			enter(hold, ANNOUNCE_IDLE, 0);
		return;
	}
	if (claims && !is_peer)
		defend(hold, now_ms, out);
	else if (!claims && !message->is_tell &&
	    memcmp(message->subject, hold->ip, WIRE_IP_BYTES) == 0)
		answer(hold, message, now_ms, out);
	if (is_peer && (claims || wire_neighbour_probes(message, hold->ip)))
		outdo(hold, now_ms, random);
}

/* That a peer shall have it says nothing: another machine may have it, and keep
 * it from the peer. Its claim does. One of another machine says that it is ours
 * no more, unless a peer has just claimed it too: then that is its rival. */
static void
hear_idle(struct announce_hold *hold, bool is_peer, uint64_t now_ms)
{
	if (is_peer) {
		hold->is_ours = true;
		hold->peer_ms = now_ms;
	} else if (now_ms - hold->peer_ms > PEER_NEAR_MS) {
		hold->is_ours = false;
	}
}

void
announce_hold_hear(struct announce_hold *hold,
    const struct wire_neighbour *message, bool is_peer, uint64_t now_ms,
    struct random *random, struct announce_output *out)
{
	out->count = 0;
	if (memcmp(message->hardware, hold->hardware, WIRE_HARDWARE_BYTES) == 0)
		return; /* ourselves */
	bool claims = wire_neighbour_claims(message, hold->ip);
	bool probes = wire_neighbour_probes(message, hold->ip);
	if (hold->state == ANNOUNCE_IDLE) {
		if (claims)
			hear_idle(hold, is_peer, now_ms);
		return;
	}
	if (is_peer)
		announce_hold_know(hold, message->hardware, now_ms);
	else if (claims)
		note_rival(hold, message, now_ms);
	if (announce_hold_is_here(hold)) {
		hear_here(hold, message, is_peer, now_ms, random, out);
	} else if (is_peer && claims) {
		/* So it is one of ours that had it, and will yield it; one that
		 * was not known for that when it was asked, too. */
		enter(hold, ANNOUNCE_HELD, now_ms);
	} else if (hold->state == ANNOUNCE_PROBING && !is_peer &&
	    (claims || probes)) {
		/* RFC 5227 2.1.1: who asks for it too wants it too. */
		if (probes)
			note_rival(hold, message, now_ms);
		enter(hold, ANNOUNCE_TAKEN,
		    now_ms + LIMIT_VALUE_ANNOUNCE_RETRY_MS +
		        random_below(random, LIMIT_VALUE_ANNOUNCE_RETRY_MS));
	}
	schedule(hold);
}

void
announce_hold_know(struct announce_hold *hold,
    const uint8_t hardware[WIRE_HARDWARE_BYTES], uint64_t now_ms)
{
	if (hold->rival_ms == 0 ||
	    memcmp(hold->rival, hardware, WIRE_HARDWARE_BYTES) != 0)
		return;
	bool was_taken = announce_hold_is_taken(hold);

	hold->rival_ms = hold->defend_ms = hold->look_ms = 0;
	hold->credit = 0;
	/* So it was ours, and will be yielded. */
	if (was_taken)
		enter(hold, ANNOUNCE_HELD, now_ms);
	schedule(hold);
}

void
announce_hold_renew(struct announce_hold *hold,
    const uint8_t hardware[WIRE_HARDWARE_BYTES], uint64_t now_ms)
{
	memcpy(hold->hardware, hardware, WIRE_HARDWARE_BYTES);
	if (hold->state == ANNOUNCE_PROBING || announce_hold_is_here(hold))
		enter(hold, hold->state, now_ms);
}

bool
announce_hold_is_taken(const struct announce_hold *hold)
{
	return hold->state == ANNOUNCE_TAKEN ||
	    (hold->state == ANNOUNCE_PROBING && hold->rival_ms > 0);
}

bool
announce_hold_is_contested(const struct announce_hold *hold, uint64_t now_ms)
{
	return hold->rival_ms > 0 &&
	    now_ms - hold->rival_ms < LIMIT_VALUE_ANNOUNCE_RIVAL_MS;
}
