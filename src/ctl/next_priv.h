/* Inside ctl/statuses: statuses that wait to be shown. They come in thousands,
 * and go together: their memory is of blocks. */
#ifndef YUMEN_CTL_NEXT_PRIV_H
#define YUMEN_CTL_NEXT_PRIV_H

#include "core/list.h"
#include "ctl/kept.h"
#include "gw/object.h"

struct entry;
/* Of a Gateway and of a ListenerSet. */
struct ctl_next_gateway {
	/* What the Gateway had when it came (gw_told_addresses, encoded);
	 * empty: nothing */
	struct slice told;
	char name[]; /* the Gateway whose proxies it is about: "namespace/name"
	              */
};

struct ctl_next {
	struct list waiting; /* in one of the statuses' lists, or of the free */
	struct entry *entry;
	struct ctl_kept *status;
	uint64_t offer; /* that it waits for */
	uint64_t deadline_ms;
	struct ctl_next_gateway *gateway; /* or NULL */
	char *object; /* "namespace/name", for on_shown; or NULL */
	enum gw_kind kind;
	bool late; /* shown as pending */
};

struct ctl_next_block;
struct ctl_nexts {
	struct ctl_next_block *blocks;
	struct list free; /* ctl_next.waiting, in the blocks */
	unsigned count; /* in use */
};

void ctl_nexts_init(struct ctl_nexts *nexts);
/* None is in use. */
void ctl_nexts_fini(struct ctl_nexts *nexts);
/* One that is zero, in no list. */
struct ctl_next *ctl_nexts_take(struct ctl_nexts *nexts);
/* Its status is unreferenced before. */
void ctl_nexts_give(struct ctl_nexts *nexts, struct ctl_next *next);

/* Sets next->gateway: a Gateway's own, a ListenerSet's Gateway's. */
void ctl_next_set_gateway(
    struct ctl_next *next, const struct gw_object *object);
/* Addresses that a Gateway has been told to have, in arena: by its status as it
 * was shown before (NULL: never), else by what it came with; NULL: none. */
const struct gw_told_addresses *ctl_next_told(const struct ctl_next *next,
    const struct gw_gateway_status *shown, struct arena *arena);

#endif
