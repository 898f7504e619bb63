/* Inside snap: compiled patterns, one for each distinct text however many
 * routes have it, and running them. */
#ifndef YUMEN_SNAP_PATTERN_PRIV_H
#define YUMEN_SNAP_PATTERN_PRIV_H

#include "core/map.h"
#include "snap/pattern.h"

struct snap_pattern; /* immutable, but for its count */

/* By text. Control thread only. */
struct snap_patterns {
	struct map by_text; /* struct snap_pattern */
};

void snap_patterns_init(struct snap_patterns *patterns);
/* Frees all that are left. */
void snap_patterns_fini(struct snap_patterns *patterns);
/* One reference more. INVALID or LIMIT: it cannot be compiled. */
enum error snap_pattern_ref(struct snap_patterns *patterns, struct slice text,
    struct snap_pattern **pattern) must_check;
void snap_pattern_unref(
    struct snap_patterns *patterns, struct snap_pattern *pattern);

/* Any thread; absent is empty. *tries counts what one request has cost so far:
 * at LIMIT_PATTERN_TRIES nothing fits. */
bool snap_pattern_fits(const struct snap_pattern *pattern, struct slice text,
    struct snap_matcher *matcher, uint32_t *tries);
/* Room for the lines of a header, joined; the matcher's, until the next call.
 */
#define SNAP_MATCHER_BYTES LIMIT_VALUE_REQUEST_HEAD_BYTES
char *snap_matcher_room(struct snap_matcher *matcher);

#endif
