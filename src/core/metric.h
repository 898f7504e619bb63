/* Metrics: blocks of counters, one a thread, summed when read. A block has one
 * writer, which pays a plain load and store; readers may be any thread. */
#ifndef YUMEN_CORE_METRIC_H
#define YUMEN_CORE_METRIC_H

#include <stdatomic.h>
#include <stdint.h>
#include "core/limit.h"
#include "core/list.h"
#include "core/text.h"

enum metric {
#define METRIC(name, kind, prometheus, labels, help) METRIC_##name,
#include "core/metric.def"
#undef METRIC
	METRIC__COUNT
};

struct metrics {
	struct list link;
	_Atomic uint64_t values[METRIC__COUNT];
	_Atomic uint64_t limit_hits[LIMIT__COUNT];
};

/* Zeroed and known to metrics_write from then on. */
void metrics_init(struct metrics *metrics);
/* Its sums stay in the totals; gauges must be back at zero. */
void metrics_fini(struct metrics *metrics);

static inline void
metric_bump(_Atomic uint64_t *cell, uint64_t amount)
{
	atomic_store_explicit(cell,
	    atomic_load_explicit(cell, memory_order_relaxed) + amount,
	    memory_order_relaxed);
}

static inline void
metric_add(struct metrics *metrics, enum metric metric, uint64_t amount)
{
	metric_bump(&metrics->values[metric], amount);
}

/* For gauges. */
static inline void
metric_subtract(struct metrics *metrics, enum metric metric, uint64_t amount)
{
	metric_bump(&metrics->values[metric], -amount);
}

static inline void
limit_hit(struct metrics *metrics, enum limit limit)
{
	metric_bump(&metrics->limit_hits[limit], 1);
}

/* All rows in Prometheus text 0.0.4, and yumen_limit_hits_total for limits
 * that were hit. */
void metrics_write(struct text *out);
/* The sum of one row over all blocks. */
uint64_t metrics_total(enum metric metric);
/* Append value with Prometheus label escaping (\\, \", \n). */
void metrics_label_push(struct text *out, struct slice value);

#endif
