/* Claims: the announcer is told of each, and the feed what becomes of it. In a
 * process that announces and serves nothing else this stands in the feed where
 * an agent would; an agent tells it which claims there are. */
#ifndef YUMEN_ANNOUNCE_CLAIMS_H
#define YUMEN_ANNOUNCE_CLAIMS_H

#include "announce/announcer.h"
#include "core/map.h"
#include "snap/feed.h"

struct announce_claims {
	struct announcer *announcer;
	struct feed *feed;
	struct map known; /* by the name of the unit */
	bool whole; /* all that there is has come once */
	bool parted; /* a batch has come in part */
};

void announce_claims_init(struct announce_claims *claims,
    struct announcer *announcer, struct feed *feed);
void announce_claims_fini(struct announce_claims *claims);
/* Take what is offered; other units than claims are passed over. */
void announce_claims_take(struct announce_claims *claims);
/* The same of one unit that somebody else took out of the feed: it is there, or
 * as it is now (errors: as of announcer_claim); it is gone, if it was there. */
enum error announce_claims_put(struct announce_claims *claims,
    struct slice name, const struct unit_claim *claim) must_check;
void announce_claims_drop(struct announce_claims *claims, struct slice name);
/* Tell the feed how each claim fares that fares otherwise than was told. What
 * was refused for want of room is put again where there is room now. */
void announce_claims_report(struct announce_claims *claims);

#endif
