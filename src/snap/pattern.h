/* Patterns: the regular expressions of routes. PCRE2's syntax, of which RE2's
 * is nearly all; a pattern fits a whole text or not at all, in UTF-8, with
 * case. Compiled when a unit comes, never on the request path.
 *
 * Running one costs at most LIMIT_PATTERN_STEPS and LIMIT_PATTERN_BYTES; one
 * that would cost more does not fit, and the limit is counted. */
#ifndef YUMEN_SNAP_PATTERN_H
#define YUMEN_SNAP_PATTERN_H

#include "core/error.h"
#include "core/limit.h"
#include "core/slice.h"
#include "core/text.h"

/* Can this be compiled? If not, fault gets why, and where. INVALID, LIMIT. */
enum error snap_pattern_check(
    struct slice pattern, struct text *fault) must_check;

/* What running patterns needs: one for each thread that decides. */
struct snap_matcher;
/* A limit was reached: count it, do no more. */
typedef void (*snap_limit_fn)(void *context, enum limit limit);
/* on_limit may be NULL. */
struct snap_matcher *snap_matcher_new(snap_limit_fn on_limit, void *context);
void snap_matcher_free(struct snap_matcher **matcher);

#endif
