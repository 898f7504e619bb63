/* Requests by listener, route, rule, status and reason: an array by the dense
 * numbers that the set gives, one a worker, written by it alone and read by the
 * control thread at any time. */
#ifndef YUMEN_PROXY_COUNTERS_H
#define YUMEN_PROXY_COUNTERS_H

#include <stdatomic.h>
#include "core/text.h"
#include "snap/ids.h"
#include "snap/rule_ids.h"
#include "snap/reason.h"

#define PROXY_COUNTERS_PAGE 256 /* entries */
#define PROXY_COUNTERS_PAGES 4096
#define PROXY_COUNTERS_CELLS 3 /* in an entry; more in blocks behind it */

/* A count of one pair. Free while count is 0: key is set before the first. */
struct proxy_counter_cell {
	_Atomic uint64_t count;
	_Atomic uint32_t key; /* status << 8 | reason */
};

struct proxy_counter_block {
	_Atomic(struct proxy_counter_block *) next;
	struct proxy_counter_cell cells[PROXY_COUNTERS_CELLS];
};

struct proxy_counter_entry {
	const void *owner; /* the rule or listener, as it was seen last */
	uint64_t identity; /* of its name */
	struct proxy_counter_block block;
};

struct proxy_counters {
	_Atomic(struct proxy_counter_entry *) pages[PROXY_COUNTERS_PAGES];
	struct proxy_counter_block nobody; /* no listener took the host */
};

/* Whose requests are counted. */
struct proxy_counted {
	uint32_t id; /* SNAP_ID_NONE: nobody's */
	const void *owner; /* differs when the name may differ */
	struct slice listener, route, rule; /* its name, for that case */
};

void proxy_counters_init(struct proxy_counters *counters);
void proxy_counters_fini(struct proxy_counters *counters);
void proxy_counters_add(struct proxy_counters *counters,
    const struct proxy_counted *counted, uint16_t status, enum reason reason);
/* yumen_http_requests_total, summed. Control thread. */
void proxy_counters_write(struct proxy_counters *const *counters,
    unsigned count, const struct snap_rule_ids *ids, struct text *out);

#endif
