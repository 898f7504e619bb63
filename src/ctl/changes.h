/* Changes of what is shown, numbered: an object that is put or removed, a
 * status that is shown. Who watches asks for what came after the last number
 * that it has seen. Numbers begin at a time, so that those of an earlier yumen
 * are behind. */
#ifndef YUMEN_CTL_CHANGES_H
#define YUMEN_CTL_CHANGES_H

#include "core/text.h"
#include "gw/object.h"

/* Removals that are remembered; who saw less is told all there is. */
#define CTL_GONE_MAX 256

struct ctl_gone {
	uint64_t change;
	enum gw_kind kind;
	struct text names; /* namespace, a NUL, name */
	uint32_t namespace_length;
};

struct ctl_changes {
	uint64_t last;
	uint64_t forgotten; /* the newest removal that is not remembered */
	struct ctl_gone gone[CTL_GONE_MAX]; /* a ring */
	uint64_t gone_count; /* ever */
};

void ctl_changes_init(struct ctl_changes *changes, uint64_t first);
void ctl_changes_fini(struct ctl_changes *changes);
/* The number of one more change. */
uint64_t ctl_changes_next(struct ctl_changes *changes);
/* One more: this object is removed. */
void ctl_changes_remove(struct ctl_changes *changes, enum gw_kind kind,
    struct slice namespace, struct slice name);
/* Is all that came after this number known? */
bool ctl_changes_know(const struct ctl_changes *changes, uint64_t after);
/* The removals that are remembered, oldest first; NULL past the last. */
const struct ctl_gone *ctl_changes_gone(
    const struct ctl_changes *changes, unsigned index);

#endif
