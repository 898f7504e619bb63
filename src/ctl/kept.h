/* Records that are kept encoded, equal ones once: statuses of many routes
 * differ in nothing. A map of them by their bytes is the owner's. */
#ifndef YUMEN_CTL_KEPT_H
#define YUMEN_CTL_KEPT_H

#include "core/arena.h"
#include "core/map.h"
#include "core/record.h"

/* A record of as many owners as have it. */
struct ctl_kept {
	uint32_t references;
	uint32_t length;
	char bytes[];
};

/* One reference more, for the caller. */
struct ctl_kept *ctl_kept_keep(
    struct map *all, const struct record_type *type, const void *record);
/* NULL stays NULL. */
struct ctl_kept *ctl_kept_ref(struct ctl_kept *kept);
void ctl_kept_unref(struct map *all, struct ctl_kept **kept);
/* kept, which is the place's from now on, instead of what it had. */
void ctl_kept_replace(
    struct map *all, struct ctl_kept **place, struct ctl_kept *kept);
/* The record, in arena; NULL of NULL. */
void *ctl_kept_read(const struct record_type *type, const struct ctl_kept *kept,
    struct arena *arena);

#endif
