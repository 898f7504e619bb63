/* Metrics. Owns the list of all blocks and the sums of those that are gone;
 * the mutex is for joining, leaving and reading, never for counting. */
#include "core/metric.h"

#include <pthread.h>
#include <string.h>

#include "core/metric_priv.h"
#include "core/must.h"

static const struct metric_row {
	const char *kind, *name, *labels, *help;
} rows[METRIC__COUNT] = {
#define METRIC(name, kind, prometheus, labels, help) \
	[METRIC_##name] = {#kind, prometheus, labels, help},
#include "core/metric.def"
#undef METRIC
};

static struct {
	pthread_mutex_t mutex;
	struct list blocks;
	struct metrics gone; /* not in blocks */
} all = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .blocks = {&all.blocks, &all.blocks},
};

void
metrics_init(struct metrics *metrics)
{
	memset(metrics, 0, sizeof(*metrics));
	pthread_mutex_lock(&all.mutex);
	list_insert(&all.blocks, &metrics->link);
	pthread_mutex_unlock(&all.mutex);
}

static uint64_t
read_cell(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

void
metrics_fini(struct metrics *metrics)
{
	pthread_mutex_lock(&all.mutex);
	must(!list_is_empty(&metrics->link));
	for (unsigned i = 0; i < METRIC__COUNT; i++)
		metric_bump(
		    &all.gone.values[i], read_cell(&metrics->values[i]));
	for (unsigned i = 0; i < LIMIT__COUNT; i++)
		metric_bump(&all.gone.limit_hits[i],
		    read_cell(&metrics->limit_hits[i]));
	list_remove(&metrics->link);
	pthread_mutex_unlock(&all.mutex);
}

static uint64_t
sum_metric(unsigned metric)
{
	uint64_t sum = read_cell(&all.gone.values[metric]);

	LIST_FOR_EACH(at, &all.blocks)
	sum +=
	    read_cell(&container_of(at, struct metrics, link)->values[metric]);
	return sum;
}

static uint64_t
sum_limit(unsigned limit)
{
	uint64_t sum = read_cell(&all.gone.limit_hits[limit]);

	LIST_FOR_EACH(at, &all.blocks)
	sum += read_cell(
	    &container_of(at, struct metrics, link)->limit_hits[limit]);
	return sum;
}

static void
write_head(
    struct text *out, const char *name, const char *kind, const char *help)
{
	text_printf(
	    out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void
write_rows(struct text *out)
{
	for (unsigned i = 0; i < METRIC__COUNT; i++) {
		const struct metric_row *row = &rows[i];

		if (i == 0 || strcmp(row->name, rows[i - 1].name) != 0)
			write_head(out, row->name, row->kind, row->help);
		text_push_string(out, row->name);
		if (row->labels[0])
			text_printf(out, "{%s}", row->labels);
		/* A gauge that is read while its parts move may be below
		 * zero for a moment. */
		text_printf(out, " %lld\n", (long long)sum_metric(i));
	}
}

static void
write_limit_hits(struct text *out)
{
	write_head(out, "yumen_limit_hits_total", "counter",
	    "times a limit of docs/limits.md was reached");
	for (unsigned i = 0; i < LIMIT__COUNT; i++) {
		uint64_t hits = sum_limit(i);

		if (hits == 0)
			continue;
		text_push_string(out, "yumen_limit_hits_total{limit=\"");
		text_push_lower(out, slice_from_string(limit_rows[i].name));
		text_push_string(out, "\"} ");
		text_push_number(out, hits);
		text_push_byte(out, '\n');
	}
}

void
metrics_write(struct text *out)
{
	pthread_mutex_lock(&all.mutex);
	write_rows(out);
	write_limit_hits(out);
	pthread_mutex_unlock(&all.mutex);
	metrics_write_process(out);
	write_head(out, "yumen_build_info", "gauge", "the version, as a label");
	text_push_string(
	    out, "yumen_build_info{version=\"" YUMEN_VERSION "\"} 1\n");
}

uint64_t
metrics_total(enum metric metric)
{
	must((unsigned)metric < METRIC__COUNT);
	pthread_mutex_lock(&all.mutex);
	uint64_t sum = sum_metric(metric);
	pthread_mutex_unlock(&all.mutex);
	return sum;
}

void
metrics_label_push(struct text *out, struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		char byte = value.data[i];

		if (byte == '\\' || byte == '"')
			text_push_byte(out, '\\');
		if (byte == '\n')
			text_push_string(out, "\\n");
		else
			text_push_byte(out, byte);
	}
}
