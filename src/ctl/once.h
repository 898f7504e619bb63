/* Once: files read and reconciled a single time, as `run` would, without
 * serving them. It opens nothing but the files. */
#ifndef YUMEN_CTL_ONCE_H
#define YUMEN_CTL_ONCE_H

#include "core/error.h"
#include "ctl/files.h"
#include "gw/state.h"

/* What the agent in the same process carries. */
#define CTL_CARRIES (GW_CARRY_HTTPS | GW_CARRY_BACKEND_TLS)

struct ctl_once {
	const char *const *paths; /* files, folders, or "-" */
	unsigned path_count;
	struct gw_options options;
	struct gw_output output; /* what reconcile says */
	void (*on_problem)(void *context, const struct ctl_problem *problem);
	/* May be NULL: as the sink's of ctl/files.h. */
	void (*on_stored)(
	    void *context, struct slice file, struct tree_node *document);
	void *context; /* of both */
	/* What came of it: */
	struct gw_state
	    *state; /* set before reconcile runs; NULL on an error */
	struct ctl_counts counts;
	unsigned failed; /* on an error: of which path, or path_count */
};

/* NOT_FOUND, DENIED, ...: a path cannot be opened; nothing was reconciled. */
enum error ctl_once_run(struct ctl_once *once) must_check;
void ctl_once_fini(struct ctl_once *once);

#endif
