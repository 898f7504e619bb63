/* Inside ctl/statuses: statuses that wait to be shown. They come in thousands,
 * and go together: their memory is of blocks. */
#ifndef YUMEN_CTL_NEXT_PRIV_H
#define YUMEN_CTL_NEXT_PRIV_H

#include "core/list.h"
#include "ctl/kept.h"
#include "gw/object.h"

struct entry;
struct ctl_next {
	struct list waiting; /* in one of the statuses' lists, or of the free */
	struct entry *entry;
	struct ctl_kept *status;
	uint64_t offer; /* that it waits for */
	uint64_t deadline_ms;
	/* Of a Gateway and of a ListenerSet: the Gateway whose proxies it is
	 * about, "namespace/name"; or NULL */
	char *gateway;
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

#endif
