/* The counters of all workers as Prometheus text: sums by (status, reason),
 * labels taken from the names of the numbers. */
#include "core/metric.h"
#include "proxy/counters.h"

#define RELAXED memory_order_relaxed
#define SUMS_MAX 256

struct sums {
	unsigned count;
	struct {
		uint32_t key;
		uint64_t value;
	} pairs[SUMS_MAX];
};

struct labels {
	struct slice gateway, listener, kind, namespace, route, rule;
};

static void
add_pair(struct sums *sums, uint32_t key, uint64_t value)
{
	unsigned at = 0;
	while (at < sums->count && sums->pairs[at].key != key)
		at++;
	if (at == SUMS_MAX)
		return;
	if (at == sums->count) {
		sums->pairs[at].key = key;
		sums->pairs[at].value = 0;
		sums->count++;
	}
	sums->pairs[at].value += value;
}

static void
add_blocks(struct sums *sums, const struct proxy_counter_block *block)
{
	for (; block;
	     block = atomic_load_explicit(&block->next, memory_order_acquire))
		for (unsigned i = 0; i < PROXY_COUNTERS_CELLS; i++) {
			const struct proxy_counter_cell *cell =
			    &block->cells[i];
			uint64_t value = atomic_load_explicit(
			    &cell->count, memory_order_acquire);
			if (value > 0)
				add_pair(sums,
				    atomic_load_explicit(&cell->key, RELAXED),
				    value);
		}
}

/* "gateway-namespace/gateway/listener", and " kind/namespace/route rule" behind
 * it where there is a route. What is behind the Gateway says the ListenerSet
 * too, where the listener is of one. */
static struct labels
parse_name(struct slice name)
{
	struct labels labels = {0};
	struct slice place = SLICE_NONE, route = SLICE_NONE;
	(void)(slice_cut(&name, ' ', &place) && slice_cut(&name, ' ', &route));
	if (slice_is_set(name))
		labels.rule = name;
	struct slice rest = place, word;
	if (slice_cut(&rest, '/', &word) && slice_cut(&rest, '/', &word)) {
		labels.gateway = slice_make(
		    place.data, (size_t)(word.data + word.length - place.data));
		labels.listener = rest;
	}
	if (slice_cut(&route, '/', &labels.kind) &&
	    slice_cut(&route, '/', &labels.namespace))
		labels.route = route;
	return labels;
}

static void
put_label(struct text *out, const char *key, struct slice value)
{
	text_push_string(out, key);
	text_push_string(out, "=\"");
	metrics_label_push(out, value);
	text_push_byte(out, '"');
}

static void
put_series(
    struct text *out, const struct labels *labels, uint32_t key, uint64_t value)
{
	unsigned status = key >> 8, reason = key & 0xff;
	put_label(out, "yumen_http_requests_total{gateway", labels->gateway);
	put_label(out, ",listener", labels->listener);
	put_label(out, ",route_kind", labels->kind);
	put_label(out, ",route_namespace", labels->namespace);
	put_label(out, ",route", labels->route);
	put_label(out, ",rule", labels->rule);
	if (status > 0)
		text_printf(out, ",code=\"%u\"", status);
	else
		text_push_string(out, ",code=\"other\"");
	put_label(out, ",reason",
	    reason < REASON__COUNT ? reason_rows[reason].word : SLICE_NONE);
	text_printf(out, "} %llu\n", (unsigned long long)value);
}

static void
put_sums(struct text *out, struct slice name, const struct sums *sums)
{
	struct labels labels = parse_name(name);
	for (unsigned i = 0; i < sums->count; i++)
		put_series(
		    out, &labels, sums->pairs[i].key, sums->pairs[i].value);
}

static void
put_page(struct proxy_counters *const *counters, unsigned count,
    const struct snap_rule_ids *ids, unsigned number, struct text *out)
{
	for (uint32_t e = 0; e < PROXY_COUNTERS_PAGE; e++) {
		struct sums sums;
		sums.count = 0;
		for (unsigned w = 0; w < count; w++) {
			const struct proxy_counter_entry *page =
			    atomic_load_explicit(&counters[w]->pages[number],
			        memory_order_acquire);
			if (page)
				add_blocks(&sums, &page[e].block);
		}
		if (sums.count == 0)
			continue;
		struct text name;
		text_init(&name);
		if (snap_rule_ids_name(
		        ids, number * PROXY_COUNTERS_PAGE + e, &name))
			put_sums(out, text_slice(&name), &sums);
		text_fini(&name);
	}
}

void
proxy_counters_write(struct proxy_counters *const *counters, unsigned count,
    const struct snap_rule_ids *ids, struct text *out)
{
	text_push_string(out,
	    "# HELP yumen_http_requests_total HTTP requests answered, by "
	    "route, status and reason\n"
	    "# TYPE yumen_http_requests_total counter\n");
	struct sums nobody;
	nobody.count = 0;
	for (unsigned w = 0; w < count; w++)
		add_blocks(&nobody, &counters[w]->nobody);
	put_sums(out, SLICE_NONE, &nobody);
	uint32_t limit = snap_rule_ids_limit(ids);
	for (unsigned number = 0; number < PROXY_COUNTERS_PAGES &&
	     number * PROXY_COUNTERS_PAGE < limit;
	     number++)
		put_page(counters, count, ids, number, out);
}
