/* Who owns an address: of the announcers that are live on the link and may have
 * it, the one that comes first by how it stands, by preference, and then by a
 * digest of its name and the address, so that each gets its share, and one that
 * comes or goes moves no address but its own. All who hear each other come to
 * the same. The digest is the one that MetalLB orders speakers by. Pure. */
#ifndef YUMEN_ANNOUNCE_ELECTION_H
#define YUMEN_ANNOUNCE_ELECTION_H

#include "announce/members.h"
#include "core/slice.h"

struct announce_preference {
	struct slice node;
	int64_t weight; /* the greatest is first; of those not named, 0 */
};

struct announce_ballot {
	struct slice address; /* canonical text */
	/* restricted: nobody but these may have it. */
	bool restricted;
	const struct announce_preference *nodes;
	unsigned node_count;
};

/* The winner: a live member, or &members->us, or NULL: nobody may. */
const struct announce_member *announce_elect(
    const struct announce_members *members,
    const struct announce_ballot *ballot);

#endif
