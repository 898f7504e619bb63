/* Gateways that statuses wait for: those whose proxies do not all serve the
 * newest offer yet, and those that are held. Offers are numbered
 * (ctl/statuses.c). Knows no clock. */
#ifndef YUMEN_CTL_WAITS_H
#define YUMEN_CTL_WAITS_H

#include "core/list.h"
#include "core/map.h"
#include "gw/state.h"

struct ctl_wait {
	/* The statuses that wait for it, the oldest first: not shown yet, and
	 * shown as pending. The owner's. */
	struct list waiting, late;
	uint64_t served; /* offers up to this one are served */
	uint64_t wanted; /* when this one is, the wait is over */
	struct slice why; /* whom it waits for, for people; or empty */
	uint32_t name_length;
	char name[]; /* "namespace/name" */
};
struct ctl_waits {
	struct map by_gateway;
};

void ctl_waits_init(struct ctl_waits *waits);
/* The lists are empty. */
void ctl_waits_fini(struct ctl_waits *waits);
/* A Gateway is waited for, from this offer on; or, again, also for this one. */
struct ctl_wait *ctl_waits_begin(struct ctl_waits *waits, struct slice gateway,
    uint64_t offer, struct slice why);
/* NULL: nobody waits for it. */
struct ctl_wait *ctl_waits_get(
    const struct ctl_waits *waits, struct slice gateway);
/* It is over: taken out and freed. Its lists are empty. */
void ctl_waits_end(struct ctl_waits *waits, struct ctl_wait *wait);
struct ctl_wait *ctl_waits_next(const struct ctl_waits *waits, size_t *at);

/* The same of a Gateway's own status alone, whatever the offer, until it is
 * ended; again: nothing. */
void ctl_waits_hold(
    struct ctl_waits *waits, struct slice gateway, struct slice why);
/* NULL: it is not held. */
struct ctl_wait *ctl_waits_held(
    const struct ctl_waits *waits, struct slice gateway);

/* The Gateway that keeps a status of this offer waiting, or NULL: of a Gateway
 * and a ListenerSet, its own (gateway, "namespace/name"); of a route, any of
 * its parents. */
struct ctl_wait *ctl_waits_for(const struct ctl_waits *waits, enum gw_kind kind,
    struct slice gateway, const void *status, uint64_t offer);

#endif
