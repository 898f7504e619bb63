/* Dense numbers (snap/numbers.h) for names, so that a worker finds its own
 * state of a backend or a socket by an array index. Counted. Control thread
 * only. */
#ifndef YUMEN_SNAP_IDS_H
#define YUMEN_SNAP_IDS_H

#include <stdint.h>
#include "core/slice.h"

#define SNAP_ID_NONE UINT32_MAX
struct snap_ids;
struct snap_ids *snap_ids_new(void);
void snap_ids_free(struct snap_ids *ids);
/* The number of name, made when new; one reference more. */
uint32_t snap_ids_ref(struct snap_ids *ids, struct slice name);
void snap_ids_unref(struct snap_ids *ids, uint32_t id);
/* All workers have passed a quiet point: numbers freed before epoch are free.
 */
void snap_ids_reclaim(struct snap_ids *ids, uint64_t epoch);
void snap_ids_epoch(
    struct snap_ids *ids, uint64_t epoch); /* of what is freed next */
uint32_t snap_ids_limit(const struct snap_ids *ids); /* all numbers are below */

#endif
