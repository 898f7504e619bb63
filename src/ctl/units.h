/* Units on their way to the feed: turns what reconcile puts and drops into a
 * batch, and knows the generation that all units in force make. */
#ifndef YUMEN_CTL_UNITS_H
#define YUMEN_CTL_UNITS_H

#include "gw/state.h"
#include "snap/feed.h"

struct ctl_units {
	struct feed_generation generation;
	struct feed_batch *batch; /* what is not offered yet, or NULL */
	bool parted; /* parts of it were taken */
	bool offered; /* once: the first batch is whole */
};

void ctl_units_init(struct ctl_units *units);
void ctl_units_fini(struct ctl_units *units);
/* A unit is new or changed, or (bytes absent) gone. tag stays with the unit:
 * what it adds to the generation. */
void ctl_units_put(struct ctl_units *units, struct slice name,
    struct slice bytes, struct gw_tag *tag);
/* A part of the batch to be offered at once, the caller's, or NULL: there is
 * not enough for one. */
struct feed_batch *ctl_units_take_part(struct ctl_units *units);
/* The batch to offer, or the rest of it, or NULL when nothing changed; the
 * caller's. The first time there is always one. */
struct feed_batch *ctl_units_take(struct ctl_units *units);

#endif
