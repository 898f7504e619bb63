/* Sources: the paths of -f on disk. Finds the files in them, reads those that
 * are new or changed into ctl/files.h, and sees to it that changes are noticed.
 * A change of one file of many costs that file. */
#ifndef YUMEN_CTL_SOURCES_H
#define YUMEN_CTL_SOURCES_H

#include <stdatomic.h>
#include "core/error.h"
#include "ctl/files.h"

struct ctl_sources;

/* Whether path can be opened: NOT_FOUND, DENIED, ... */
enum error ctl_source_probe(const char *path) must_check;

/* paths: files, folders, or "-" for standard input, read once; borrowed as long
 * as the sources live. stop ends the wait for input. */
enum error ctl_sources_new(struct ctl_files *files, const char *const *paths,
    unsigned count, const atomic_bool *stop,
    struct ctl_sources **sources) must_check;
void ctl_sources_free(struct ctl_sources **sources);
/* Readable when something changed; edges are enough. */
int ctl_sources_fd(const struct ctl_sources *sources);

/* Look at all files; read those that are not as they were. */
void ctl_sources_read_all(struct ctl_sources *sources);
/* Read what changed since the last time. */
void ctl_sources_read_changed(struct ctl_sources *sources, uint64_t now_ms);
/* When to call read_changed at the latest, though nothing happened; 0: never.
 */
uint64_t ctl_sources_deadline_ms(const struct ctl_sources *sources);

#endif
