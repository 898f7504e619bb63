/* Files read and reconciled once, which answer the pages that a running yumen
 * would: for commands with -f. */
#ifndef YUMEN_CMD_PLANNED_H
#define YUMEN_CMD_PLANNED_H

#include "core/text.h"
#include "ctl/once.h"
#include "ctl/pages.h"
#include "snap/set.h"

struct planned {
	const char *command; /* for what is told on stderr */
	struct snap_store *store;
	const struct snap_set *set;
	struct ctl_statuses *statuses;
	struct ctl_changes changes;
	struct ctl_once once;
	unsigned problems; /* of severity ERROR */
};

/* False: the files cannot be read, which is told; nothing is to be freed. */
bool planned_make(struct planned *planned, const char *command,
    const char *const *paths, unsigned path_count,
    const char *const *controller_names, unsigned controller_name_count);
void planned_fini(struct planned *planned);
/* The page as of /api/v1/objects, problems and units; false: it has none. */
bool planned_page(
    struct planned *planned, struct slice target, struct text *out);
/* On stderr: that the files have problems, and what tells them. */
void planned_tell_problems(const struct planned *planned);

#endif
