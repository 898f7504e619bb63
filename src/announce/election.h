/* Who owns an address: of the announcers that are live on the link and may have
 * it, the one that comes first by how it stands, by preference, and then by a
 * digest of its name and the address, so that each gets its share, and one that
 * comes or goes moves no address but its own. All who hear each other come to
 * the same. The digest is the one that MetalLB orders speakers by. Pure. */
#ifndef YUMEN_ANNOUNCE_ELECTION_H
#define YUMEN_ANNOUNCE_ELECTION_H

#include "announce/members.h"
#include "core/slice.h"

/* Names; none: whatever they are called. */
struct announce_interfaces {
	const struct slice *names;
	unsigned count;
};

struct announce_preference {
	struct slice node;
	int64_t weight; /* the greatest is first; of those not named, 0 */
	struct announce_interfaces on; /* in the place of the ballot's */
};

struct announce_ballot {
	struct slice address; /* canonical text */
	uint32_t mark; /* of it: announce_mark */
	/* restricted: nobody but these may have it. */
	bool restricted;
	/* Only who is on the link by an interface of these. */
	struct announce_interfaces on;
	const struct announce_preference *nodes;
	unsigned node_count;
};

/* One who announces an address, as the controller says, beside another. */
struct announce_fence {
	struct slice node; /* empty: there is none */
	struct announce_interfaces on;
	uint64_t said_ms; /* when that was said */
	/* After that: a beat of it was heard, a frame that claims the address.
	 */
	bool is_heard, is_seen;
};
/* Are we that one, and is that new? It is not when this is asked again. */
bool announce_is_fence(
    const struct announce_members *members, struct announce_fence *fence);
/* A frame from here claims the address. True: so that one is on the link, which
 * is new. */
bool announce_fence_see(const struct announce_members *members,
    struct announce_fence *fence,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES]);
/* Is it to be left to that one? Where it was known on the link, by one of the
 * interfaces that it announces on, its frames still come, but its beats have
 * not since. Whoever hears them goes by elections; and whoever has no frame of
 * it is parted from it altogether, and may have clients of its own. */
bool announce_is_fenced(
    const struct announce_members *members, struct announce_fence *fence);

/* What an address is known by among those that hosts have as their own. */
uint32_t announce_mark(struct slice address);
/* Does the host of this one have the address without announcing it? Then it is
 * the winner, and nobody announces it. */
bool announce_is_own(
    const struct announce_member *member, const struct announce_ballot *ballot);
/* Is an interface of this name among them? */
bool announce_is_on(const struct announce_interfaces *on, struct slice name);
/* The winner: a live member, or &members->us, or NULL: nobody may. */
const struct announce_member *announce_elect(
    const struct announce_members *members,
    const struct announce_ballot *ballot);

#endif
