/* Per-route counters. Statuses come from backends, so the pairs of one rule are
 * bounded: past LIMIT_ROUTE_SERIES they are counted as status 0, printed as
 * code "other". */
#include "proxy/counters.h"

#include "core/hash.h"
#include "core/limit.h"
#include "core/memory.h"
#include "core/metric.h"
#include "core/must.h"

#define RELAXED memory_order_relaxed

static inline uint32_t
make_key(uint16_t status, enum reason reason)
{
	return (uint32_t)status << 8 | (uint32_t)reason;
}

void
proxy_counters_init(struct proxy_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
}

static void
free_blocks(struct proxy_counter_block *first)
{
	struct proxy_counter_block *block =
	    atomic_load_explicit(&first->next, RELAXED);
	while (block) {
		struct proxy_counter_block *next =
		    atomic_load_explicit(&block->next, RELAXED);
		memory_free(block);
		block = next;
	}
}

void
proxy_counters_fini(struct proxy_counters *counters)
{
	for (unsigned i = 0; i < PROXY_COUNTERS_PAGES; i++) {
		struct proxy_counter_entry *page =
		    atomic_load_explicit(&counters->pages[i], RELAXED);
		for (unsigned e = 0; page && e < PROXY_COUNTERS_PAGE; e++)
			free_blocks(&page[e].block);
		memory_free(page);
	}
	free_blocks(&counters->nobody);
}

static struct proxy_counter_entry *
find_entry(struct proxy_counters *counters, uint32_t id)
{
	uint32_t number = id / PROXY_COUNTERS_PAGE;
	if (unlikely(number >= PROXY_COUNTERS_PAGES))
		return NULL;
	struct proxy_counter_entry *page =
	    atomic_load_explicit(&counters->pages[number], RELAXED);
	if (unlikely(!page)) {
		page = memory_zero(PROXY_COUNTERS_PAGE, sizeof(*page));
		atomic_store_explicit(
		    &counters->pages[number], page, memory_order_release);
	}
	return &page[id % PROXY_COUNTERS_PAGE];
}

static uint64_t
identity_of(const struct proxy_counted *counted)
{
	return hash_bytes(counted->listener) + 3 * hash_bytes(counted->route) +
	    5 * hash_bytes(counted->rule);
}

/* The number may have been another's before: what it counted is gone then. */
static void
claim_entry(
    struct proxy_counter_entry *entry, const struct proxy_counted *counted)
{
	uint64_t identity = identity_of(counted);
	entry->owner = counted->owner;
	if (entry->identity == identity)
		return;
	entry->identity = identity;
	struct proxy_counter_block *block = &entry->block;
	for (; block; block = atomic_load_explicit(&block->next, RELAXED))
		for (unsigned i = 0; i < PROXY_COUNTERS_CELLS; i++)
			atomic_store_explicit(
			    &block->cells[i].count, 0, RELAXED);
}

/* The rare case of count: a pair that is not among the first ones. */
static void
count_new(struct proxy_counter_block *block, uint32_t key)
{
	unsigned seen = 0;
	for (;;) {
		for (unsigned i = 0; i < PROXY_COUNTERS_CELLS; i++, seen++) {
			struct proxy_counter_cell *cell = &block->cells[i];
			uint32_t found =
			    atomic_load_explicit(&cell->key, RELAXED);
			bool is_free =
			    atomic_load_explicit(&cell->count, RELAXED) == 0;
			if (!is_free && found != key)
				continue;
			atomic_store_explicit(&cell->key, key, RELAXED);
			atomic_store_explicit(&cell->count,
			    atomic_load_explicit(&cell->count, RELAXED) + 1,
			    memory_order_release);
			return;
		}
		if (seen >= LIMIT_VALUE_ROUTE_SERIES)
			key &= 0xff; /* status 0: other */
		struct proxy_counter_block *next =
		    atomic_load_explicit(&block->next, RELAXED);
		if (!next) {
			next = memory_zero(1, sizeof(*next));
			atomic_store_explicit(
			    &block->next, next, memory_order_release);
		}
		block = next;
	}
}

void
proxy_counters_add(struct proxy_counters *counters,
    const struct proxy_counted *counted, uint16_t status, enum reason reason)
{
	struct proxy_counter_entry *entry = NULL;
	struct proxy_counter_block *block = &counters->nobody;
	if (likely(counted->id != SNAP_ID_NONE))
		entry = find_entry(counters, counted->id);
	if (likely(entry != NULL)) {
		if (unlikely(entry->owner != counted->owner))
			claim_entry(entry, counted);
		block = &entry->block;
	}
	uint32_t key = make_key(status, reason);
	for (unsigned i = 0; i < PROXY_COUNTERS_CELLS; i++) {
		struct proxy_counter_cell *cell = &block->cells[i];
		if (atomic_load_explicit(&cell->key, RELAXED) != key ||
		    atomic_load_explicit(&cell->count, RELAXED) == 0)
			continue;
		metric_bump(&cell->count, 1);
		return;
	}
	count_new(block, key);
}
