/* Merging: what we say of an object's status, put into what the API has of it.
 * Others say things there too: conditions of other types, entries of other
 * controllers, fields that we do not know; they stay as they are. Pure: trees
 * in, JSON out. */
#ifndef YUMEN_CTL_MERGE_H
#define YUMEN_CTL_MERGE_H

#include "core/text.h"
#include "gw/object.h"
#include "wire/tree.h"

/* The controller names that are ours. */
struct ctl_ours {
	const struct slice *names;
	uint32_t count;
};

/* A condition that comes to be another than it was: of another status or
 * reason. before: absent where there was none. */
struct ctl_merge_change {
	struct slice type, status, reason, message, before;
};

struct ctl_merge {
	enum gw_kind kind;
	const struct ctl_ours *ours;
	/* As the API has it, and as we want it; NULL: none. Both may be
	 * changed. */
	struct tree_node *object, *status;
	/* Without a status: what of a Service's load balancer stands in the
	 * object is what we gave, and goes with what we said. */
	bool takes_back;
	/* May be NULL; what it gets lasts as long as the trees. */
	void (*on_change)(void *context, const struct ctl_merge_change *change);
	void *context;
};

enum ctl_merged {
	CTL_MERGE_WRITE, /* out is the object to be written */
	CTL_MERGE_SAME, /* there is nothing to write */
	CTL_MERGE_AHEAD, /* the API has more than we know of: wait for that */
};
enum ctl_merged ctl_merge(struct text *out, struct ctl_merge *merge);

/* What of a status (NULL: none) is ours, whatever its order: two of the same
 * number say the same. Times of conditions are not looked at. */
uint64_t ctl_merge_hash(enum gw_kind kind, const struct tree_node *status,
    const struct ctl_ours *ours);
/* Does a Service's status say something that only we say? */
bool ctl_merge_is_marked(const struct tree_node *status);

#endif
