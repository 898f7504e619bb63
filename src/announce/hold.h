/* One address on one link: whether it may be taken there, and how neighbours
 * come to know and keep knowing that it is here: RFC 5227 for IPv4; RFC 4862
 * 5.4 and RFC 4861 7.2 for IPv6. A pure machine: times and randomness come in
 * as arguments, messages go out as values.
 *
 *     IDLE --take--> PROBING --nobody has it--> HELD --yield--> YIELDING
 *       |               |  ^                   (announced, answered, defended)
 *       |          a rival  a while later                          |
 *       |               v  |                              the next one has it,
 *       |              TAKEN                                  or drop: IDLE
 *       '----take, if it is ours: not probed----> HELD <--a peer has it-- TAKEN
 *
 * A held address is never given up to a rival (RFC 5227 2.4 c: an address that
 * others rely on is defended for ever): what hears of it is the rival's name.
 * To a peer, another announcer of ours, it is given when the election says so,
 * and only once the peer is heard to have it: somebody always does.
 */
#ifndef YUMEN_ANNOUNCE_HOLD_H
#define YUMEN_ANNOUNCE_HOLD_H

#include "announce/budget.h"
#include "core/random.h"
#include "wire/neighbour.h"

enum announce_state {
	ANNOUNCE_IDLE, /* not wanted here: nothing is said, all is heard */
	ANNOUNCE_PROBING,
	ANNOUNCE_HELD,
	ANNOUNCE_YIELDING, /* held, until the successor is heard to have it */
	ANNOUNCE_TAKEN, /* another machine has it */
};

/* In all, about rivals. */
struct announce_counts {
	uint64_t claims; /* heard */
	uint64_t said; /* answers */
	uint64_t put_off; /* answers that the link's budget did not allow yet */
};

struct announce_hold {
	uint8_t ip[WIRE_IP_BYTES];
	uint8_t hardware[WIRE_HARDWARE_BYTES]; /* of the link */
	enum announce_state state;
	bool is_ours; /* it was held here last, or by a peer */
	unsigned step; /* probes, announcements or asks that are out */
	uint64_t due_ms; /* when announce_hold_tick is next wanted */
	uint64_t next_ms; /* the next step */
	uint64_t peer_ms; /* IDLE: when a peer claimed it last; 0: never */
	uint64_t said_ms; /* when it was last announced */
	uint64_t defend_ms; /* a rival is to be answered then; 0: none */
	unsigned outdone; /* times in a row that it was said over a peer */
	uint64_t outdone_ms; /* and when a peer had it last */
	uint64_t looked_ms; /* when a rival was last looked for */
	uint64_t look_ms; /* when one is to be looked for; 0: need not be */
	uint8_t successor[WIRE_HARDWARE_BYTES]; /* while YIELDING */
	/* The other machine that claims the address; rival_ms: when it was
	 * heard last, 0: never, or forgotten since. */
	uint8_t rival[WIRE_HARDWARE_BYTES];
	uint64_t rival_ms;
	uint64_t both_ms; /* when a rival was last answered in both ways */
	int credit; /* of its claims, over what ours may have provoked */
	struct announce_budget *budget; /* its link's; borrowed */
	struct announce_counts counts;
};

/* What to send now. */
struct announce_output {
	struct wire_neighbour messages[4];
	unsigned count;
};

/* IDLE, for ever unless it is taken. */
void announce_hold_init(struct announce_hold *hold,
    const uint8_t ip[WIRE_IP_BYTES],
    const uint8_t hardware[WIRE_HARDWARE_BYTES],
    struct announce_budget *budget);
/* It shall be here; again, or while it yields: it stays. Whether another
 * machine has it is asked first, unless it is ours already: RFC 5227 guards
 * against others, and a peer that had it is dead or about to yield. */
void announce_hold_take(
    struct announce_hold *hold, uint64_t now_ms, struct random *random);
/* A peer shall have it. What is held stays until the peer is heard to have it;
 * what is not is IDLE at once. */
void announce_hold_yield(struct announce_hold *hold,
    const uint8_t successor[WIRE_HARDWARE_BYTES], uint64_t now_ms);
/* IDLE at once. */
void announce_hold_drop(struct announce_hold *hold);
/* The same: a peer has it, whether it is heard or not. */
void announce_hold_cede(struct announce_hold *hold);
/* The same of what is none of ours any more: it is asked for before it is taken
 * again. */
void announce_hold_disown(struct announce_hold *hold);
/* Announce anew: others may have been told otherwise. */
void announce_hold_repeat(
    struct announce_hold *hold, uint64_t now_ms, struct random *random);
/* HELD or YIELDING: it is answered for. */
bool announce_hold_is_here(const struct announce_hold *hold);
/* The time has come: call at due_ms or later, never earlier. One that comes
 * very late (the process or the machine stood still, and another may have
 * announced meanwhile) begins to announce anew. */
void announce_hold_tick(struct announce_hold *hold, uint64_t now_ms,
    struct random *random, struct announce_output *out);
/* A neighbour said something; what is not about this address is passed over.
 * is_peer: it is a live announcer of ours. While it is IDLE a peer's claim is
 * what makes it ours. */
void announce_hold_hear(struct announce_hold *hold,
    const struct wire_neighbour *message, bool is_peer, uint64_t now_ms,
    struct random *random, struct announce_output *out);
/* Who claimed it lately is one of ours that was not known yet: no rival. */
void announce_hold_know(struct announce_hold *hold,
    const uint8_t hardware[WIRE_HARDWARE_BYTES], uint64_t now_ms);
/* The link is back, or its hardware address has changed: ask or announce anew.
 */
void announce_hold_renew(struct announce_hold *hold,
    const uint8_t hardware[WIRE_HARDWARE_BYTES], uint64_t now_ms);
/* TAKEN, or asked for again since: until nobody answers another machine has it.
 */
bool announce_hold_is_taken(const struct announce_hold *hold);
/* Does another machine claim it as well, by what was heard of late? */
bool announce_hold_is_contested(
    const struct announce_hold *hold, uint64_t now_ms);

#endif
