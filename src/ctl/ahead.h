/* Parsing ahead: a thread parses the files that come next while its owner
 * admits those that came before, so that many files take the time of the longer
 * half. In the order in which they came, and so many at most (AHEAD_FILES,
 * AHEAD_BYTES in docs/limits.md) that memory stays small. */
#ifndef YUMEN_CTL_AHEAD_H
#define YUMEN_CTL_AHEAD_H

#include <stdbool.h>

#include "core/text.h"
#include "ctl/parsed.h"

struct ctl_ahead;

/* As thread_start says. */
enum error ctl_ahead_new(struct ctl_ahead **ahead) must_check;
/* What was not taken is freed. */
void ctl_ahead_free(struct ctl_ahead **ahead);
/* Whether one must be taken before another of so many bytes is put. */
bool ctl_ahead_is_full(const struct ctl_ahead *ahead, size_t bytes);
/* A file to be parsed: bytes are taken over, owner comes back with it. */
void ctl_ahead_put(struct ctl_ahead *ahead, void *owner, struct text *bytes);
/* The file that was put first, waited for, or NULL: none is left. parsed is the
 * caller's to end. */
void *ctl_ahead_take(struct ctl_ahead *ahead, struct ctl_parsed *parsed);

#endif
