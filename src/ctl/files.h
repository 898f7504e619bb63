/* The files that objects come from, and which object of which file counts.
 * Given the bytes of a file it parses and admits them, and keeps apart what is
 * bad from what is good: a file that does not parse and an object that is not
 * admitted leave their last good version in place. It does no I/O and no
 * logging: what follows from a file, and what is wrong with it, goes to a sink.
 */
#ifndef YUMEN_CTL_FILES_H
#define YUMEN_CTL_FILES_H

#include "ctl/parsed.h"
#include "gw/finding.h"
#include "gw/object.h"

/* A finding in a file; line 0: of the file as a whole. Slices live as long as
 * the call. */
struct ctl_problem {
	struct slice file;
	struct gw_finding finding;
};

struct ctl_sink {
	bool stays_awake; /* it takes objects as they are admitted */
	void *context;
	/* The object that counts under its name; taken over. */
	void (*put)(void *context, struct gw_object **object);
	void (*remove)(void *context, enum gw_kind kind, struct slice namespace,
	    struct slice name);
	void (*tell)(void *context, const struct ctl_problem *problem);
	/* May be NULL: a document that was admitted, as a cluster would store
	 * it, to be looked at or changed; also one that does not count. */
	void (*stored)(
	    void *context, struct slice file, struct tree_node *document);
};

struct ctl_counts {
	unsigned files;
	unsigned objects; /* that count */
	unsigned problems; /* of severity ERROR */
	unsigned reads; /* files put, failed or removed so far */
};

struct ctl_files;
struct ctl_files *ctl_files_new(const struct ctl_sink *sink);
void ctl_files_free(struct ctl_files **files);

/* A round: any of these three, once a file, then settle. Until then the sink
 * hears of problems alone, so that an object that moves from one file to
 * another is never gone between. */
/* A file's content, new or changed. Documents that are as they were cost a
 * comparison each. */
void ctl_files_put(
    struct ctl_files *files, struct slice path, struct slice bytes);
/* The same of one that was parsed, which is ended. */
void ctl_files_put_parsed(
    struct ctl_files *files, struct slice path, struct ctl_parsed *parsed);
/* It cannot be read: why is for people. */
void ctl_files_fail(
    struct ctl_files *files, struct slice path, struct slice why);
/* It is gone. */
void ctl_files_remove(struct ctl_files *files, struct slice path);
/* End the round: the sink hears which objects came to count, and which went. */
void ctl_files_settle(struct ctl_files *files);
/* After a round, a file whose content is needed again, for an object of it
 * counts now that did not before; absent: none. Valid until the next call.
 * Until it is given all stays as it is. */
struct slice ctl_files_wanted(struct ctl_files *files);

struct ctl_counts ctl_files_counts(const struct ctl_files *files);

#endif
