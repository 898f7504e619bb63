/* Counting: what is given of each pool, and what is left of it, where ranges
 * may overlap, within a pool and with another's. Nothing of it is kept. */
#include <stdlib.h>

#include "addr/plan.h"
#include "core/must.h"

enum { IPV4, IPV6, BLOCK = 256 };

/* An address that somebody has. */
struct had {
	struct addr_ip ip;
	const struct addr_pool *pool; /* of which; NULL: others have it */
};

struct all {
	struct had *items;
	uint32_t count;
};

static int
compare_had(const void *a, const void *b)
{
	const struct had *left = a, *right = b;
	int order = addr_ip_compare(&left->ip, &right->ip);
	uintptr_t of_left = (uintptr_t)left->pool,
	          of_right = (uintptr_t)right->pool;

	if (order != 0)
		return order;
	return (of_left > of_right) - (of_left < of_right);
}

static uint32_t
count_all(const struct addr_plan *plan, const struct addr_outcome *outcomes)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < plan->request_count; i++)
		count += outcomes[i].count;
	for (uint32_t i = 0; i < plan->other_count; i++)
		count += plan->others[i].named_count;
	return count;
}

/* In order, each address once for each pool that it is given of: pools may
 * overlap, and of two that share it each has it of the first that is for it. */
static struct all
gather(const struct addr_plan *plan, const struct addr_outcome *outcomes,
    struct arena *arena)
{
	struct all all = {arena_zero(
	    arena, count_all(plan, outcomes) + 1, sizeof(*all.items))};
	uint32_t kept = 0;

	for (uint32_t i = 0; i < plan->request_count; i++)
		for (uint32_t j = 0; j < outcomes[i].count; j++)
			if (outcomes[i].items[j].fault == ADDR_GOOD)
				all.items[all.count++] =
				    (struct had){outcomes[i].items[j].ip,
				        outcomes[i].items[j].pool};
	for (uint32_t i = 0; i < plan->other_count; i++)
		for (uint32_t j = 0; j < plan->others[i].named_count; j++)
			all.items[all.count++] =
			    (struct had){plan->others[i].named[j], NULL};
	if (all.count > 1)
		qsort(all.items, all.count, sizeof(*all.items), compare_had);
	for (uint32_t i = 0; i < all.count; i++)
		if (kept == 0 ||
		    compare_had(&all.items[kept - 1], &all.items[i]) != 0)
			all.items[kept++] = all.items[i];
	all.count = kept;
	return all;
}

/* ---- what a pool has ---- */

static int
compare_ranges(const void *a, const void *b)
{
	const struct addr_range *left = a, *right = b;

	return addr_ip_compare(&left->first, &right->first);
}

/* What can be given, in order, apart from each other; their count. */
static uint32_t
make_apart(const struct addr_pool *pool, bool loopback, struct arena *arena,
    struct addr_range **out)
{
	struct addr_range *ranges = arena_zero(
	    arena, ADDR_PARTS * pool->range_count + 1, sizeof(*ranges));
	uint32_t count = 0, kept = 0;

	for (uint32_t i = 0; i < pool->range_count; i++) {
		struct addr_parts parts =
		    addr_range_parts(&pool->ranges[i], loopback);

		for (unsigned j = 0; j < parts.count; j++)
			ranges[count++] = parts.items[j];
	}
	if (count > 1)
		qsort(ranges, count, sizeof(*ranges), compare_ranges);
	for (uint32_t i = 0; i < count; i++) {
		struct addr_range *last = kept > 0 ? &ranges[kept - 1] : NULL;

		if (last == NULL || !addr_range_has(last, &ranges[i].first))
			ranges[kept++] = ranges[i];
		else if (addr_ip_compare(&last->last, &ranges[i].last) < 0)
			last->last = ranges[i].last;
	}
	*out = ranges;
	return kept;
}

/* Of 0 to last those that avoidBuggyIPs leaves out: two of each 256. */
static int64_t
buggy_to(addr_number last)
{
	return (int64_t)(last / BLOCK + 1 + (last + 1) / BLOCK);
}

static int64_t
size_of(const struct addr_pool *pool, const struct addr_range *range)
{
	addr_number beyond = range->last.number - range->first.number;

	if (beyond >= INT64_MAX)
		return INT64_MAX;
	int64_t size = (int64_t)beyond + 1;

	if (pool->avoid_buggy && range->first.family == 4)
		size -= buggy_to(range->last.number) -
		    (range->first.number > 0 ? buggy_to(range->first.number - 1)
		                             : 0);
	return size;
}

/* The first that is not before ip. */
static uint32_t
find_had(const struct all *all, const struct addr_ip *ip)
{
	uint32_t low = 0, high = all->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (addr_ip_compare(&all->items[middle].ip, ip) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
count_range(const struct addr_pool *pool, const struct addr_range *range,
    struct addr_count *count)
{
	unsigned family = range->first.family == 4 ? IPV4 : IPV6;
	int64_t size = size_of(pool, range);

	count->left[family] = size > INT64_MAX - count->left[family]
	    ? INT64_MAX
	    : count->left[family] + size;
}

/* Also what stays with who had it, and is not given any more. */
static void
count_given(const struct addr_plan *plan, const struct all *all,
    struct addr_count *counts)
{
	for (uint32_t i = 0; i < all->count; i++) {
		const struct had *had = &all->items[i];

		if (had->pool)
			counts[had->pool - plan->pools]
			    .given[had->ip.family == 4 ? IPV4 : IPV6]++;
	}
}

/* Also by others, and of a pool that has it too. */
static void
take_off(const struct all *all, const struct addr_pool *pool,
    const struct addr_range *range, struct addr_count *count)
{
	unsigned family = range->first.family == 4 ? IPV4 : IPV6;

	for (uint32_t i = find_had(all, &range->first);
	     i < all->count && addr_range_has(range, &all->items[i].ip); i++) {
		const struct addr_ip *ip = &all->items[i].ip;
		bool again =
		    i > 0 && addr_ip_compare(&all->items[i - 1].ip, ip) == 0;

		if (!again && (!pool->avoid_buggy || !addr_ip_is_buggy(ip)))
			count->left[family]--;
	}
}

struct addr_count *
addr_plan_count(const struct addr_plan *plan,
    const struct addr_outcome *outcomes, struct arena *arena)
{
	must(plan != NULL && arena != NULL);
	struct addr_count *counts =
	    arena_zero(arena, plan->pool_count + 1, sizeof(*counts));
	struct all all = {0};

	if (plan->pool_count > 0)
		all = gather(plan, outcomes, arena);
	count_given(plan, &all, counts);
	for (uint32_t i = 0; i < plan->pool_count; i++) {
		const struct addr_pool *pool = &plan->pools[i];
		struct addr_range *ranges;
		uint32_t count =
		    make_apart(pool, plan->loopback, arena, &ranges);

		for (uint32_t j = 0; j < count; j++)
			count_range(pool, &ranges[j], &counts[i]);
		for (uint32_t j = 0; j < count; j++)
			take_off(&all, pool, &ranges[j], &counts[i]);
	}
	return counts;
}
