/* Allocation: rounds over the requests, each in their order: what they had, and
 * what is missing of two that must both be there; what they name; what is free.
 * It owns nothing past its return. */
#include "addr/plan.h"

#include <stdlib.h>

#include "addr/plan_priv.h"
#include "core/must.h"

static void keep(struct making *making, uint32_t at);
static void note_other(struct making *making, const struct addr_request *other);
static bool complete_some(struct making *making);
static void give_named(struct making *making, uint32_t at);
static void give_free(struct making *making, uint32_t at);

const struct addr_pool *
addr_pool_of(const struct addr_pool *pools, uint32_t pool_count,
    const struct addr_ip *ip)
{
	for (uint32_t i = 0; i < pool_count; i++)
		for (uint32_t j = 0; j < pools[i].range_count; j++)
			if (addr_range_has(&pools[i].ranges[j], ip))
				return &pools[i];
	return NULL;
}

/* Pools for some before pools for all, by priority, then by name. */
static int
compare_turns(const void *a, const void *b)
{
	const struct addr_pool *left = *(const struct addr_pool *const *)a;
	const struct addr_pool *right = *(const struct addr_pool *const *)b;

	if (left->chosen != right->chosen)
		return left->chosen ? -1 : 1;
	if (left->priority != right->priority) {
		if (left->priority == 0 || right->priority == 0)
			return left->priority == 0 ? 1 : -1;
		return left->priority < right->priority ? -1 : 1;
	}
	return slice_compare(left->name, right->name);
}

static void
prepare(struct making *making)
{
	const struct addr_plan *plan = making->plan;

	addr_used_init(&making->used, making->arena);
	making->aged = arena_zero(
	    making->arena, plan->pool_count + 1, sizeof(*making->aged));
	for (uint32_t i = 0; i < plan->pool_count; i++)
		making->aged[i] = &plan->pools[i];
	if (plan->pool_count > 1)
		qsort(making->aged, plan->pool_count, sizeof(*making->aged),
		    compare_turns);
	making->outcomes = arena_zero(
	    making->arena, plan->request_count + 1, sizeof(*making->outcomes));
}

struct addr_outcome *
addr_plan_make(const struct addr_plan *plan, struct arena *arena)
{
	must(plan != NULL && arena != NULL);
	struct making making = {.plan = plan, .arena = arena};

	prepare(&making);
	for (uint32_t i = 0; i < plan->request_count; i++)
		keep(&making, i);
	for (uint32_t i = 0; i < plan->other_count; i++)
		note_other(&making, &plan->others[i]);
	/* What one gives up another may have waited for. */
	while (complete_some(&making))
		;
	for (uint32_t i = 0; i < plan->request_count; i++)
		if (plan->requests[i].named_count > 0)
			give_named(&making, i);
	for (uint32_t i = 0; i < plan->request_count; i++)
		if (plan->requests[i].named_count == 0)
			give_free(&making, i);
	addr_used_fini(&making.used);
	return making.outcomes;
}

/* ---- may it? ---- */

bool
addr_pool_fits(const struct making *making, const struct addr_pool *pool,
    const struct addr_request *request)
{
	return !making->plan->fits ||
	    making->plan->fits(making->plan->context, pool, request);
}

bool
addr_pool_is_open(const struct making *making, const struct addr_pool *pool,
    const struct addr_request *request)
{
	if (slice_is_set(request->pool))
		return slice_equal(pool->name, request->pool) &&
		    addr_pool_fits(making, pool, request);
	return pool->auto_assign && addr_pool_fits(making, pool, request);
}

static bool
is_held(const struct addr_request *request, const struct addr_ip *ip)
{
	for (uint32_t i = 0; i < request->held_count; i++)
		if (addr_ip_compare(&request->held[i], ip) == 0)
			return true;
	return false;
}

/* Of each of the pool's ranges that have it, is it what all routers have? */
static bool
is_routers(const struct addr_pool *pool, const struct addr_ip *ip)
{
	for (uint32_t i = 0; i < pool->range_count; i++) {
		const struct addr_range *range = &pool->ranges[i];

		if (addr_range_has(range, ip) &&
		    !(range->is_subnet &&
		        addr_ip_compare(&range->first, ip) == 0))
			return false;
	}
	return true;
}

/* Why request cannot have it of this pool, whoever has it. */
static enum addr_fault
judge_pool(const struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, const struct addr_pool *pool)
{
	if (slice_is_set(request->pool) &&
	    !slice_equal(request->pool, pool->name))
		return ADDR_IN_OTHER_POOL;
	if (!addr_pool_fits(making, pool, request))
		return ADDR_POOL_NOT_FOR;
	if (pool->avoid_buggy && addr_ip_is_buggy(ip))
		return ADDR_AVOIDED;
	return is_routers(pool, ip) ? ADDR_UNUSABLE : ADDR_GOOD;
}

/* One that it had, and routers have too, may have been good for long: it stays,
 * of whichever pool, unless another pool has it for machines. */
static bool
stays(const struct making *making, const struct addr_request *request,
    const struct addr_ip *ip)
{
	const struct addr_plan *plan = making->plan;

	if (!is_held(request, ip))
		return false;
	for (uint32_t i = 0; i < plan->pool_count; i++)
		if (addr_pool_of(&plan->pools[i], 1, ip) &&
		    judge_pool(making, request, ip, &plan->pools[i]) ==
		        ADDR_GOOD)
			return false;
	return true;
}

/* Why request cannot have it of this pool. */
static enum addr_fault
judge_of(const struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, const struct addr_pool *pool)
{
	enum addr_fault fault = judge_pool(making, request, ip, pool);

	if (fault == ADDR_UNUSABLE && stays(making, request, ip))
		fault = ADDR_GOOD;
	if (fault != ADDR_GOOD)
		return fault;
	return addr_used_rival(&making->used, ip, request) ? ADDR_TAKEN
	                                                   : ADDR_GOOD;
}

static enum addr_fault
judge(const struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, const struct addr_pool **pool)
{
	const struct addr_plan *plan = making->plan;
	enum addr_fault first =
	    plan->pool_count == 0 ? ADDR_NO_POOLS : ADDR_IN_NO_POOL;

	*pool = NULL;
	if (!addr_wants_family(request, ip->family))
		return ADDR_OF_OTHER_FAMILY;
	if (addr_ip_fault(ip, plan->loopback))
		return ADDR_UNUSABLE;
	for (uint32_t i = 0; i < plan->pool_count; i++) {
		enum addr_fault fault;

		if (!addr_pool_of(&plan->pools[i], 1, ip))
			continue;
		fault = judge_of(making, request, ip, &plan->pools[i]);
		if (*pool && fault != ADDR_GOOD)
			continue;
		*pool = &plan->pools[i];
		first = fault;
		if (fault == ADDR_GOOD)
			break;
	}
	return first;
}

/* ---- what they had ---- */

static bool
is_named(const struct addr_request *request, const struct addr_ip *ip)
{
	for (uint32_t i = 0; i < request->named_count; i++)
		if (addr_ip_compare(&request->named[i], ip) == 0)
			return true;
	return request->named_count == 0;
}

bool
addr_wants_family(const struct addr_request *request, unsigned family)
{
	return family == 4 ? request->want != ADDR_IPV6
	                   : request->want != ADDR_IPV4;
}

static unsigned
families_wanted(const struct addr_request *request)
{
	return request->want == ADDR_BOTH ||
	        request->want == ADDR_BOTH_IF_CAN ||
	        request->want == ADDR_BOTH_IF_CAN_SIX
	    ? 2
	    : 1;
}

static bool
has_family(const struct addr_outcome *outcome, unsigned family)
{
	for (uint32_t i = 0; i < outcome->count; i++)
		if (outcome->items[i].ip.family == family)
			return true;
	return false;
}

/* Of pools that overlap it is the first one's, however it came to be given: so
 * that the same plan says the same of what was given before. */
static void
take(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome, const struct addr_ip *ip)
{
	const struct addr_pool *pool;
	enum addr_fault fault = judge(making, request, ip, &pool);

	must(fault == ADDR_GOOD);
	addr_used_add(&making->used, ip, request);
	outcome->items[outcome->count++] =
	    (struct addr_given){.ip = *ip, .pool = pool};
}

static bool
is_good_of(const struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, const struct addr_pool *pool)
{
	return addr_pool_of(pool, 1, ip) &&
	    !addr_ip_fault(ip, making->plan->loopback) &&
	    judge_of(making, request, ip, pool) == ADDR_GOOD;
}

static bool
are_of_one_pool(const struct making *making, const struct addr_request *request,
    const struct addr_ip *four, const struct addr_ip *six)
{
	for (uint32_t i = 0; i < making->plan->pool_count; i++)
		if (is_good_of(
		        making, request, four, &making->plan->pools[i]) &&
		    is_good_of(making, request, six, &making->plan->pools[i]))
			return true;
	return false;
}

/* Who must have both may have moved to them, and not have said so yet: they
 * come before what it had until then. */
static bool
keep_pair(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome)
{
	for (uint32_t i = 0; i < request->held_count; i++)
		for (uint32_t j = 0; j < request->held_count; j++) {
			const struct addr_ip *four = &request->held[i],
			                     *six = &request->held[j];

			if (four->family != 4 || six->family != 6 ||
			    !are_of_one_pool(making, request, four, six))
				continue;
			take(making, request, outcome, four);
			take(making, request, outcome, six);
			return true;
		}
	return false;
}

/* One that was given freely stays, though its pool gives no more by itself
 * since; one that was named stays named. */
static void
keep(struct making *making, uint32_t at)
{
	const struct addr_request *request = &making->plan->requests[at];
	struct addr_outcome *outcome = &making->outcomes[at];
	uint32_t room = request->named_count > 2 ? request->named_count : 2;

	outcome->items =
	    arena_zero(making->arena, room, sizeof(*outcome->items));
	if (request->named_count == 0 && request->want == ADDR_BOTH &&
	    keep_pair(making, request, outcome))
		return;
	for (uint32_t i = 0; i < request->held_count; i++) {
		const struct addr_ip *ip = &request->held[i];
		const struct addr_pool *pool;

		if (!is_named(request, ip) ||
		    judge(making, request, ip, &pool) != ADDR_GOOD)
			continue;
		if (request->named_count > 0)
			addr_used_add(&making->used, ip, request);
		else if ((request->want == ADDR_AS_HELD ||
		             outcome->count < families_wanted(request)) &&
		    addr_wants_family(request, ip->family) &&
		    !has_family(outcome, ip->family))
			take(making, request, outcome, ip);
	}
}

/* What somebody here had before stays theirs. */
static void
note_other(struct making *making, const struct addr_request *other)
{
	for (uint32_t i = 0; i < other->named_count; i++)
		if (!addr_used_rival(&making->used, &other->named[i], other))
			addr_used_add(&making->used, &other->named[i], other);
}

/* ---- what they name ---- */

static void
give_named(struct making *making, uint32_t at)
{
	const struct addr_request *request = &making->plan->requests[at];
	struct addr_outcome *outcome = &making->outcomes[at];

	outcome->count = request->named_count;
	for (uint32_t i = 0; i < request->named_count; i++) {
		struct addr_given *given = &outcome->items[i];

		given->ip = request->named[i];
		given->fault = judge(making, request, &given->ip, &given->pool);
		if (given->fault != ADDR_GOOD) {
			given->message = addr_tell(making, request, &given->ip,
			    given->fault, given->pool);
			given->pool = NULL;
			continue;
		}
		addr_used_add(&making->used, &given->ip, request);
	}
}

/* ---- what is free ---- */

static bool
find_unused(const struct making *making, const struct addr_pool *pool,
    unsigned family, struct addr_ip *ip)
{
	for (uint32_t i = 0; i < pool->range_count; i++) {
		const struct addr_range *range = &pool->ranges[i];
		struct addr_parts parts =
		    addr_range_parts(range, making->plan->loopback);

		for (unsigned j = 0;
		     range->first.family == family && j < parts.count; j++)
			if (addr_used_find_free(&making->used, &parts.items[j],
			        pool->avoid_buggy, ip))
				return true;
	}
	return false;
}

/* One of the pool: with others of the same key where that can be. */
static bool
find_in_pool(const struct making *making, const struct addr_request *request,
    const struct addr_pool *pool, unsigned family, struct addr_ip *ip)
{
	for (const struct addr_holder *holder =
	         addr_used_shared(&making->used, request->share);
	     holder; holder = holder->next)
		if (holder->ip.family == family &&
		    is_good_of(making, request, &holder->ip, pool)) {
			*ip = holder->ip;
			return true;
		}
	return find_unused(making, pool, family, ip);
}

/* In the order that pools are tried. */
static bool
give_family(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome, unsigned family)
{
	struct addr_ip ip;

	if (!addr_wants_family(request, family))
		return false;
	for (uint32_t i = 0; i < making->plan->pool_count; i++) {
		const struct addr_pool *pool = making->aged[i];

		if (!addr_pool_is_open(making, pool, request) ||
		    !find_in_pool(making, request, pool, family, &ip))
			continue;
		take(making, request, outcome, &ip);
		return true;
	}
	return false;
}

static bool
give_either(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome)
{
	bool six_first = request->want == ADDR_BOTH_IF_CAN_SIX;

	return give_family(making, request, outcome, six_first ? 6 : 4) ||
	    give_family(making, request, outcome, six_first ? 4 : 6);
}

/* Both of one pool; one that it has already counts. */
static bool
give_both(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome)
{
	struct addr_ip ips[2];

	for (uint32_t i = 0; i < making->plan->pool_count; i++) {
		const struct addr_pool *pool = making->aged[i];
		bool all = addr_pool_is_open(making, pool, request);

		if (outcome->count > 0)
			all = all &&
			    is_good_of(
			        making, request, &outcome->items[0].ip, pool);
		for (unsigned j = 0; all && j < 2; j++)
			all = has_family(outcome, j ? 6 : 4) ||
			    find_in_pool(
			        making, request, pool, j ? 6 : 4, &ips[j]);
		if (!all)
			continue;
		for (unsigned j = 0; j < 2; j++)
			if (!has_family(outcome, j ? 6 : 4))
				take(making, request, outcome, &ips[j]);
		return true;
	}
	return false;
}

/* Both of a pool that has them to itself: what it had until now is free. */
static bool
move(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome)
{
	struct addr_ip ips[2], old = outcome->items[0].ip;

	for (uint32_t i = 0; i < making->plan->pool_count; i++) {
		const struct addr_pool *pool = making->aged[i];

		if (!addr_pool_is_open(making, pool, request) ||
		    !find_unused(making, pool, 4, &ips[0]) ||
		    !find_unused(making, pool, 6, &ips[1]))
			continue;
		addr_used_remove(&making->used, &old, request);
		outcome->count = 0;
		take(making, request, outcome, &ips[0]);
		take(making, request, outcome, &ips[1]);
		return true;
	}
	return false;
}

/* One address is not what it asks for who must have both: it gets the other one
 * of the same pool, or moves to a pool of both. True: somebody did. */
static bool
complete_some(struct making *making)
{
	const struct addr_plan *plan = making->plan;
	bool any = false;

	for (uint32_t i = 0; i < plan->request_count; i++) {
		const struct addr_request *request = &plan->requests[i];
		struct addr_outcome *outcome = &making->outcomes[i];

		if (request->named_count > 0 || request->want != ADDR_BOTH ||
		    outcome->count != 1)
			continue;
		any = give_both(making, request, outcome) ||
		    move(making, request, outcome) || any;
	}
	return any;
}

static int
compare_given(const void *a, const void *b)
{
	return addr_ip_compare(&((const struct addr_given *)a)->ip,
	    &((const struct addr_given *)b)->ip);
}

static void
give_free(struct making *making, uint32_t at)
{
	const struct addr_request *request = &making->plan->requests[at];
	struct addr_outcome *outcome = &making->outcomes[at];
	bool both = families_wanted(request) == 2;
	bool done = outcome->count == families_wanted(request);

	if (!done && both)
		done = give_both(making, request, outcome);
	if (!done && request->want != ADDR_BOTH && outcome->count == 0)
		done = give_either(making, request, outcome);
	if (!done && (outcome->count == 0 || request->want == ADDR_BOTH))
		addr_explain(making, at);
	if (outcome->count > 1)
		qsort(outcome->items, outcome->count, sizeof(*outcome->items),
		    compare_given);
}
