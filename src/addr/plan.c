/* Allocation: three rounds over the requests, each in their order: what they
 * had, what they name, what is free. It owns nothing past its return. */
#include "addr/plan.h"

#include <stdlib.h>

#include "addr/used_priv.h"
#include "core/must.h"

struct making {
	const struct addr_plan *plan;
	struct arena *arena;
	struct addr_used used;
	const struct addr_pool **aged; /* by how they are tried */
	struct addr_outcome *outcomes;
};

static void keep(struct making *making, uint32_t at);
static void note_other(struct making *making, const struct addr_request *other);
static void give_named(struct making *making, uint32_t at);
static void give_free(struct making *making, uint32_t at);
static void explain(struct making *making, uint32_t at);

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

static bool
fits(const struct making *making, const struct addr_pool *pool,
    const struct addr_request *request)
{
	return !making->plan->fits ||
	    making->plan->fits(making->plan->context, pool, request);
}

/* Is it for a request that takes what is free? */
static bool
is_open(const struct making *making, const struct addr_pool *pool,
    const struct addr_request *request)
{
	if (slice_is_set(request->pool))
		return slice_equal(pool->name, request->pool) &&
		    fits(making, pool, request);
	return pool->auto_assign && fits(making, pool, request);
}

/* Why request cannot have it of this pool. */
static enum addr_fault
judge_of(const struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, const struct addr_pool *pool)
{
	if (slice_is_set(request->pool) &&
	    !slice_equal(pool->name, request->pool))
		return ADDR_IN_OTHER_POOL;
	if (!fits(making, pool, request))
		return ADDR_POOL_NOT_FOR;
	if (pool->avoid_buggy && addr_ip_is_buggy(ip))
		return ADDR_AVOIDED;
	return addr_used_rival(&making->used, ip, request) ? ADDR_TAKEN
	                                                   : ADDR_GOOD;
}

/* Why request cannot have it; GOOD: it can, of *pool. Of pools that overlap it
 * is the first that lets it; else the first that has it says why not. */
static enum addr_fault
judge(const struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, const struct addr_pool **pool)
{
	const struct addr_plan *plan = making->plan;
	enum addr_fault first =
	    plan->pool_count == 0 ? ADDR_NO_POOLS : ADDR_IN_NO_POOL;

	*pool = NULL;
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

static bool
wants_family(const struct addr_request *request, unsigned family)
{
	return family == 4 ? request->want != ADDR_IPV6
	                   : request->want != ADDR_IPV4;
}

static unsigned
families_wanted(const struct addr_request *request)
{
	return request->want == ADDR_BOTH || request->want == ADDR_BOTH_IF_CAN
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
	for (uint32_t i = 0; i < request->held_count; i++) {
		const struct addr_ip *ip = &request->held[i];
		const struct addr_pool *pool;

		if (!is_named(request, ip) ||
		    judge(making, request, ip, &pool) != ADDR_GOOD)
			continue;
		if (request->named_count > 0)
			addr_used_add(&making->used, ip, request);
		else if (outcome->count < families_wanted(request) &&
		    wants_family(request, ip->family) &&
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

static struct slice
tell_taken(struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, struct slice text)
{
	const struct addr_request *rival =
	    addr_used_rival(&making->used, ip, request);
	bool same = request->share.length > 0 &&
	    slice_equal(rival->share, request->share);

	return arena_format(making->arena, "%.*s is taken by %.*s; %s",
	    SLICE_ARGS(text), SLICE_ARGS(rival->name),
	    same ? "they share it only with ports, and endpoints, that do not "
	           "clash"
	         : "name another, or let both share it by one "
	           "allow-shared-ip");
}

static struct slice
tell(struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, enum addr_fault fault,
    const struct addr_pool *pool)
{
	char out[ADDR_IP_BYTES];
	struct arena *arena = making->arena;
	struct slice text = addr_ip_print(ip, out);

	switch (fault) {
	case ADDR_NO_POOLS:
		return arena_format(arena,
		    "%.*s is in no pool: there is no IPAddressPool; add one "
		    "that has it",
		    SLICE_ARGS(text));
	case ADDR_IN_NO_POOL:
		return arena_format(arena,
		    "%.*s is in no pool; add it to the addresses of an "
		    "IPAddressPool, or name one that is in a pool",
		    SLICE_ARGS(text));
	case ADDR_IN_OTHER_POOL:
		return arena_format(arena,
		    "%.*s is of pool \"%.*s\", not of \"%.*s\", which is asked "
		    "for; name one of both",
		    SLICE_ARGS(text), SLICE_ARGS(pool->name),
		    SLICE_ARGS(request->pool));
	case ADDR_POOL_NOT_FOR:
		return arena_format(arena,
		    "%.*s is of pool \"%.*s\", which is not for %.*s: let it "
		    "in "
		    "by the pool's serviceAllocation",
		    SLICE_ARGS(text), SLICE_ARGS(pool->name),
		    SLICE_ARGS(request->name));
	case ADDR_AVOIDED:
		return arena_format(arena,
		    "%.*s ends in .0 or .255, which pool \"%.*s\" avoids "
		    "(avoidBuggyIPs); name another",
		    SLICE_ARGS(text), SLICE_ARGS(pool->name));
	case ADDR_TAKEN:
		return tell_taken(making, request, ip, text);
	case ADDR_GOOD:
	case ADDR_POOL_UNKNOWN:
	case ADDR_POOL_MANUAL:
	case ADDR_FAMILY_MISSING:
	case ADDR_EXHAUSTED:
	default:
		break;
	}
	must(!"a fault of what is free");
}

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
			given->message = tell(making, request, &given->ip,
			    given->fault, given->pool);
			given->pool = NULL;
			continue;
		}
		/* A second time, where it had it: nothing more. */
		bool had = false;

		for (uint32_t j = 0; j < request->held_count; j++)
			had = had ||
			    addr_ip_compare(&request->held[j], &given->ip) == 0;
		for (uint32_t j = 0; j < i; j++)
			had = had ||
			    addr_ip_compare(&request->named[j], &given->ip) ==
			        0;
		if (!had)
			addr_used_add(&making->used, &given->ip, request);
	}
}

/* ---- what is free ---- */

/* One of the pool: with others of the same key where that can be. */
static bool
find_in_pool(const struct making *making, const struct addr_request *request,
    const struct addr_pool *pool, unsigned family, struct addr_ip *ip)
{
	for (const struct addr_holder *holder =
	         addr_used_shared(&making->used, request->share);
	     holder; holder = holder->next)
		if (holder->ip.family == family &&
		    addr_pool_of(pool, 1, &holder->ip) &&
		    judge_of(making, request, &holder->ip, pool) == ADDR_GOOD) {
			*ip = holder->ip;
			return true;
		}
	for (uint32_t i = 0; i < pool->range_count; i++)
		if (pool->ranges[i].first.family == family &&
		    addr_used_find_free(
		        &making->used, &pool->ranges[i], pool->avoid_buggy, ip))
			return true;
	return false;
}

/* In the order that pools are tried. */
static bool
give_family(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome, unsigned family)
{
	struct addr_ip ip;

	for (uint32_t i = 0; i < making->plan->pool_count; i++) {
		const struct addr_pool *pool = making->aged[i];

		if (!is_open(making, pool, request) ||
		    !find_in_pool(making, request, pool, family, &ip))
			continue;
		take(making, request, outcome, &ip);
		return true;
	}
	return false;
}

/* Both of one pool; one that it has already counts. */
static bool
give_both(struct making *making, const struct addr_request *request,
    struct addr_outcome *outcome)
{
	struct addr_ip ips[2];

	for (uint32_t i = 0; i < making->plan->pool_count; i++) {
		const struct addr_pool *pool = making->aged[i];
		bool all = is_open(making, pool, request);

		if (outcome->count > 0)
			all = all &&
			    addr_pool_of(pool, 1, &outcome->items[0].ip) &&
			    judge_of(making, request, &outcome->items[0].ip,
			        pool) == ADDR_GOOD;
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
		done = (wants_family(request, 4) &&
		           give_family(making, request, outcome, 4)) ||
		    (wants_family(request, 6) &&
		        give_family(making, request, outcome, 6));
	if (!done && (outcome->count == 0 || request->want == ADDR_BOTH))
		explain(making, at);
	if (outcome->count > 1)
		qsort(outcome->items, outcome->count, sizeof(*outcome->items),
		    compare_given);
}

/* ---- why nothing was given ---- */

static const char *
family_text(const struct addr_request *request)
{
	switch (request->want) {
	case ADDR_IPV4:
		return " of IPv4";
	case ADDR_IPV6:
		return " of IPv6";
	case ADDR_BOTH:
		return " of IPv4 and IPv6 both";
	case ADDR_EITHER:
	case ADDR_BOTH_IF_CAN:
	default:
		return "";
	}
}

static bool
pool_has_families(
    const struct addr_pool *pool, const struct addr_request *request)
{
	bool four = false, six = false;

	for (uint32_t i = 0; i < pool->range_count; i++) {
		four = four || pool->ranges[i].first.family == 4;
		six = six || pool->ranges[i].first.family == 6;
	}
	if (request->want == ADDR_BOTH)
		return four && six;
	return (four && wants_family(request, 4)) ||
	    (six && wants_family(request, 6));
}

struct sum {
	bool known, any_fits, any_open, any_family;
	struct slice first; /* a pool that is open and has the family */
	uint32_t open_count;
};

static struct sum
sum_pools(const struct making *making, const struct addr_request *request)
{
	struct sum sum = {0};

	for (uint32_t i = 0; i < making->plan->pool_count; i++) {
		const struct addr_pool *pool = making->aged[i];

		sum.known = sum.known || slice_equal(pool->name, request->pool);
		if (slice_is_set(request->pool) &&
		    !slice_equal(pool->name, request->pool))
			continue;
		sum.any_fits = sum.any_fits || fits(making, pool, request);
		if (!is_open(making, pool, request))
			continue;
		sum.any_open = true;
		if (!pool_has_families(pool, request))
			continue;
		sum.any_family = true;
		if (sum.open_count++ == 0)
			sum.first = pool->name;
	}
	return sum;
}

static void
refuse(
    struct addr_outcome *outcome, enum addr_fault fault, struct slice message)
{
	outcome->fault = fault;
	outcome->message = message;
}

static void
explain(struct making *making, uint32_t at)
{
	const struct addr_request *request = &making->plan->requests[at];
	struct addr_outcome *outcome = &making->outcomes[at];
	struct arena *arena = making->arena;
	struct sum sum = sum_pools(making, request);

	if (making->plan->pool_count == 0)
		refuse(outcome, ADDR_NO_POOLS,
		    SLICE("there is no IPAddressPool to take an address "
		          "from; add one"));
	else if (slice_is_set(request->pool) && !sum.known)
		refuse(outcome, ADDR_POOL_UNKNOWN,
		    arena_format(arena,
		        "there is no IPAddressPool \"%.*s\", which is asked "
		        "for; add it, or name one that is there",
		        SLICE_ARGS(request->pool)));
	else if (!sum.any_fits)
		refuse(outcome, ADDR_POOL_NOT_FOR,
		    arena_format(arena,
		        "no pool is for %.*s: let it in by a pool's "
		        "serviceAllocation",
		        SLICE_ARGS(request->name)));
	else if (!sum.any_open)
		refuse(outcome, ADDR_POOL_MANUAL,
		    SLICE("every pool has autoAssign: false; name a pool by "
		          "the annotation metallb.io/address-pool, or an "
		          "address"));
	else if (!sum.any_family)
		refuse(outcome, ADDR_FAMILY_MISSING,
		    arena_format(arena,
		        "no pool has addresses%s; add some to an "
		        "IPAddressPool",
		        family_text(request)));
	else
		refuse(outcome, ADDR_EXHAUSTED,
		    arena_format(arena,
		        "pool \"%.*s\"%s has no address%s left; add some to "
		        "its addresses, or remove who does not need one",
		        SLICE_ARGS(sum.first),
		        sum.open_count > 1 ? ", like each other one," : "",
		        family_text(request)));
}
