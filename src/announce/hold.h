/* One address on one link: whether it may be taken there, and how neighbours
 * come to know and keep knowing that it is here: RFC 5227 for IPv4; RFC 4862
 * 5.4 and RFC 4861 7.2 for IPv6. A pure machine: times and randomness come in
 * as arguments, messages go out as values.
 *
 *     PROBING --nobody has it--> HELD       (announced, answered, defended)
 *        |  ^
 *   a rival  a while later
 *        v  |
 *       TAKEN
 *
 * A held address is never given up to a rival (RFC 5227 2.4 c: an address that
 * others rely on is defended for ever): what hears of it is the rival's name.
 */
#ifndef YUMEN_ANNOUNCE_HOLD_H
#define YUMEN_ANNOUNCE_HOLD_H

#include "core/random.h"
#include "wire/neighbour.h"

enum announce_state {
	ANNOUNCE_PROBING,
	ANNOUNCE_HELD,
	ANNOUNCE_TAKEN, /* another machine has it */
};

struct announce_hold {
	uint8_t ip[WIRE_IP_BYTES];
	uint8_t hardware[WIRE_HARDWARE_BYTES]; /* of the link */
	enum announce_state state;
	unsigned step; /* probes or announcements that are out */
	uint64_t due_ms; /* when announce_hold_tick is next wanted */
	uint64_t defended_ms; /* when a rival was last answered */
	/* The other machine that claims the address; rival_ms: when it was
	 * heard last, 0: never, or forgotten since. */
	uint8_t rival[WIRE_HARDWARE_BYTES];
	uint64_t rival_ms;
	uint64_t rival_claims; /* heard in all */
};

/* What to send now. */
struct announce_output {
	struct wire_neighbour messages[2];
	unsigned count;
};

/* probe: ask first whether another machine has it (who takes over from a node
 * of ours does not). The first tick is due at hold->due_ms. */
void announce_hold_init(struct announce_hold *hold,
    const uint8_t ip[WIRE_IP_BYTES],
    const uint8_t hardware[WIRE_HARDWARE_BYTES], bool probe, uint64_t now_ms,
    struct random *random);
/* The time has come: call at due_ms or later, never earlier. One that comes
 * very late (the process or the machine stood still, and another may have
 * announced meanwhile) begins to announce anew. */
void announce_hold_tick(struct announce_hold *hold, uint64_t now_ms,
    struct random *random, struct announce_output *out);
/* A neighbour said something; what is not about this address is passed over. */
void announce_hold_hear(struct announce_hold *hold,
    const struct wire_neighbour *message, uint64_t now_ms,
    struct random *random, struct announce_output *out);
/* The link is back, or its hardware address has changed: ask or announce anew.
 */
void announce_hold_renew(struct announce_hold *hold,
    const uint8_t hardware[WIRE_HARDWARE_BYTES], uint64_t now_ms);
/* Does another machine claim it as well, by what was heard of late? */
bool announce_hold_is_contested(
    const struct announce_hold *hold, uint64_t now_ms);

#endif
