/* Check: files judged once, as a cluster would judge them and as `run` would
 * serve them, without serving. It opens nothing but the files. */
#ifndef YUMEN_CTL_CHECK_H
#define YUMEN_CTL_CHECK_H

#include "core/arena.h"
#include "core/error.h"
#include "ctl/files.h"
#include "gw/state.h"

struct ctl_checked {
	struct arena arena; /* of the problems */
	struct ctl_problem *problems; /* by file, line and column */
	unsigned problem_count;
	unsigned files, objects;
	unsigned errors, warnings;
	unsigned routes, routes_served; /* attached to a listener */
};

/* paths: files, folders, or "-". NOT_FOUND, DENIED, ...: path *failed cannot be
 * opened, and nothing was judged. Else *checked is to be freed. stored, which
 * may be NULL, gets the objects that are admitted as a cluster would store
 * them: YAML documents, each with a comment that says whence it came, Secrets'
 * values as digests. */
enum error ctl_check(const char *const *paths, unsigned count,
    const struct gw_options *options, struct ctl_checked *checked,
    struct text *stored, unsigned *failed) must_check;
void ctl_checked_free(struct ctl_checked *checked);

/* As grave as check takes it: a field that nobody knows is an error here,
 * though run serves the object without it. */
enum gw_severity ctl_check_severity(enum gw_finding_row row);
/* A finding but for its place, as members of a JSON object: code, severity (as
 * check takes it), stage, object, field, reason, message, fix. */
void ctl_finding_write(struct text *out, const struct gw_finding *finding);
/* , "name": "value", empty where it is absent. */
void ctl_member_write(struct text *out, const char *name, struct slice value);

#endif
