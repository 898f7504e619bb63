/* Claims out of a feed, for a process that announces and serves nothing else:
 * stands in the feed where an agent would. Owns the units; the announcer is
 * told of each, and what becomes of it is told back. */
#ifndef YUMEN_ANNOUNCE_CLAIMS_H
#define YUMEN_ANNOUNCE_CLAIMS_H

#include "announce/announcer.h"
#include "core/map.h"
#include "snap/feed.h"

struct announce_claims {
	struct announcer *announcer;
	struct feed *feed;
	struct map units; /* name -> what is known of it */
	bool whole; /* all that there is has come once */
	bool parted; /* a batch has come in part */
};

void announce_claims_init(struct announce_claims *claims,
    struct announcer *announcer, struct feed *feed);
void announce_claims_fini(struct announce_claims *claims);
/* Take what is offered; other units than claims are passed over. */
void announce_claims_take(struct announce_claims *claims);
/* Tell the feed how each claim fares that fares otherwise than was told. */
void announce_claims_report(struct announce_claims *claims);

#endif
