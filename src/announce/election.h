/* Who owns an address: of the announcers that are live on the link and may have
 * it, the one that comes first by whether its host takes what comes for it, by
 * how it stands, by preference, and then by a
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
	uint64_t
	    seen_ms; /* when a frame of it, given up, claimed the address */
	bool is_new;
};
/* Are we that one, since this was asked last? */
bool announce_fence_is_news(
    const struct announce_members *members, struct announce_fence *fence);
/* A frame from here claims the address. True: it is that one's, which had been
 * given up. */
bool announce_fence_see(const struct announce_members *members,
    struct announce_fence *fence,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES], uint64_t now_ms);
/* A frame from here claims the address: is it of one of ours, given up, that
 * will leave it to us? Neighbours may have heard it last. */
bool announce_fence_is_for(const struct announce_members *members,
    const struct announce_fence *fence,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES]);
/* Is it to be left to that one? Where it was given up though it announces on
 * the link: its frames come, its beats do not. Whoever has no frames of it
 * either is parted from it altogether, and may have clients of its own. */
bool announce_is_fenced(
    const struct announce_members *members, const struct announce_fence *fence);

/* A peer that has its controller and claims an address that is held here by old
 * claims: it is left to that one. */
struct announce_claimant {
	uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES];
	uint64_t since_ms; /* when one claimed it first */
	uint64_t heard_ms; /* and last; 0: there is none */
};
/* A frame from here claims the address; is_here: it is held here too. True: it
 * is to be left to that one. */
bool announce_claimant_hear(const struct announce_members *members,
    struct announce_claimant *claimant,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES], bool is_here,
    uint64_t now_ms);
/* That peer, or NULL: for as long as it is there and claims it from time to
 * time. is_here: it has not been heard to have it since. */
const struct announce_member *announce_claimant_of(
    const struct announce_members *members, struct announce_claimant *claimant,
    bool is_here, uint64_t now_ms);

/* What an address is known by among those that hosts have as their own. */
uint32_t announce_mark(struct slice address);
/* Does the host of this one have the address without announcing it? Then it is
 * the winner, and nobody announces it. */
bool announce_is_own(
    const struct announce_member *member, const struct announce_ballot *ballot);
/* Is an interface of this name among them? */
bool announce_is_on(const struct announce_interfaces *on, struct slice name);
/* The interfaces on which a node may have it; NULL: it may not at all. */
const struct announce_interfaces *announce_may_on(
    const struct announce_ballot *ballot, struct slice node);
/* The winner: a live member, or &members->us, or NULL: nobody may. */
const struct announce_member *announce_elect(
    const struct announce_members *members,
    const struct announce_ballot *ballot);

#endif
