/* Random histories of requests that come, go and change, of pools that change,
 * and of restarts (which remember what was given, as statuses do): after each
 * step no address is given twice, nobody is moved without need, and slow and
 * obvious rules, which look at each address in turn, find nothing that was
 * given or refused wrongly. Which of several free addresses is taken, and of
 * which pool, they do not say: plan_test.c has cases of that. The seed of a
 * history that fails is printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "addr/plan.h"
#include "core/random.h"

enum {
	HISTORIES = 4000,
	STEPS = 24,
	POOLS = 3,
	REQUESTS = 10,
	RANGES = 2,
	SPREAD = 12, /* addresses that pools are about */
	PORTS = 2,
};

struct history {
	struct random random;
	struct arena arena;
	struct addr_range ranges[POOLS][RANGES];
	struct addr_pool pools[POOLS];
	struct addr_request requests[REQUESTS];
	struct addr_ip held[REQUESTS][2], named[REQUESTS][2];
	struct addr_port ports[REQUESTS][PORTS];
	bool fits[POOLS][REQUESTS];
	struct addr_plan plan;
	struct addr_count count[POOLS];
};

/* Near the ends of a byte, so that some are to be avoided. */
static struct addr_ip
address(unsigned family, uint32_t at)
{
	struct addr_ip ip = {
	    .family = family, .number = family == 4 ? 0x0a0000fa : 0xfa};

	if (family == 6)
		ip.number += (unsigned __int128)0xfd << 120;
	ip.number += at;
	return ip;
}

static bool
fits(void *context, const struct addr_pool *pool,
    const struct addr_request *request)
{
	const struct history *history = context;
	size_t at = (size_t)((const struct addr_request *)request->context -
	    history->requests);

	return history->fits[pool - history->pools][at];
}

static uint32_t
below(struct history *history, uint32_t bound)
{
	return random_below(&history->random, bound);
}

static void
change_pool(struct history *history, uint32_t at)
{
	static const struct slice names[] = {
	    SLICE("a"), SLICE("b"), SLICE("c")};
	struct addr_pool *pool = &history->pools[at];

	*pool = (struct addr_pool){.name = names[at],
	    .ranges = history->ranges[at],
	    .range_count = 1 + below(history, RANGES),
	    .auto_assign = below(history, 5) > 0,
	    .avoid_buggy = below(history, 3) == 0,
	    .chosen = below(history, 3) == 0,
	    .priority = below(history, 3)};
	for (uint32_t i = 0; i < RANGES; i++) {
		unsigned family = below(history, 3) ? 4 : 6;
		uint32_t first = below(history, SPREAD);

		history->ranges[at][i].first = address(family, first);
		history->ranges[at][i].last =
		    address(family, first + below(history, 4));
		history->ranges[at][i].is_subnet = family == 6 &&
		    addr_ip_compare(&history->ranges[at][i].first,
		        &history->ranges[at][i].last) < 0 &&
		    below(history, 2) == 0;
	}
	for (uint32_t i = 0; i < REQUESTS; i++)
		history->fits[at][i] = below(history, 6) > 0;
}

static void
change_request(struct history *history, uint32_t at)
{
	static const struct slice pools[] = {
	    SLICE("a"), SLICE("b"), SLICE("none")};
	struct addr_request *request = &history->requests[at];

	request->context = request;
	request->name = SLICE("Gateway a/a");
	request->want = below(history, ADDR_AS_HELD + 1);
	request->pool =
	    below(history, 5) ? SLICE_NONE : pools[below(history, 3)];
	request->named = history->named[at];
	request->named_count = below(history, 4) ? 0 : 1 + below(history, 2);
	request->held = history->held[at];
	for (uint32_t i = 0; i < 2; i++)
		history->named[at][i] = address(
		    below(history, 3) ? 4 : 6, below(history, SPREAD + 4));
	request->share = below(history, 2) ? SLICE_NONE : SLICE("key");
	request->backend = below(history, 4) ? SLICE("") : SLICE("other");
	request->ports = history->ports[at];
	request->port_count = 1 + below(history, PORTS);
	for (uint32_t i = 0; i < PORTS; i++)
		history->ports[at][i] = (struct addr_port){
		    .protocol = below(history, 2) ? SLICE("TCP") : SLICE("UDP"),
		    .number = below(history, 4)};
	qsort(history->ports[at], request->port_count, sizeof(struct addr_port),
	    addr_port_compare);
}

/* Another names what one has, and they share it. */
static void
share(struct history *history, uint32_t at, uint32_t other)
{
	struct addr_request *with[] = {
	    &history->requests[at], &history->requests[other]};

	if (at == other || with[0]->held_count == 0)
		return;
	for (unsigned i = 0; i < 2; i++) {
		with[i]->share = SLICE("key");
		with[i]->backend = SLICE("");
		with[i]->port_count = 1;
		history->ports[i ? other : at][0] =
		    (struct addr_port){.protocol = SLICE("TCP"), .number = i};
	}
	with[1]->named_count = 1;
	history->named[other][0] = history->held[at][0];
}

/* All that name nothing, have one address and share it with one that names it
 * must have both, and share nothing, from now on; one more comes. */
static void
end_sharing(struct history *history)
{
	for (uint32_t i = 0; i < REQUESTS; i++)
		for (uint32_t j = 0; j < REQUESTS; j++) {
			struct addr_request *request = &history->requests[i];

			if (i == j || request->named_count > 0 ||
			    request->held_count != 1 ||
			    history->requests[j].named_count == 0 ||
			    addr_ip_compare(&history->held[i][0],
			        &history->named[j][0]) != 0)
				continue;
			request->want = ADDR_BOTH;
			request->share = SLICE_NONE;
		}
	if (history->plan.request_count < REQUESTS)
		change_request(history, history->plan.request_count++);
}

/* ---- the slow one ---- */

struct slow {
	const struct history *history;
	struct addr_ip given[REQUESTS][2];
	uint32_t count[REQUESTS];
};

static bool
has(const struct addr_ip *list, uint32_t count, const struct addr_ip *ip)
{
	for (uint32_t i = 0; i < count; i++)
		if (addr_ip_compare(&list[i], ip) == 0)
			return true;
	return false;
}

static bool
clash(const struct addr_request *a, const struct addr_request *b)
{
	if (!a->share.length || !slice_equal(a->share, b->share) ||
	    !slice_equal(a->backend, b->backend))
		return true;
	for (uint32_t i = 0; i < a->port_count; i++)
		for (uint32_t j = 0; j < b->port_count; j++)
			if (a->ports[i].number == b->ports[j].number &&
			    slice_equal(
			        a->ports[i].protocol, b->ports[j].protocol))
				return true;
	return false;
}

/* held: also what all routers have. */
static bool
pool_has(const struct addr_pool *pool, const struct addr_ip *ip, bool held)
{
	for (uint32_t i = 0; i < pool->range_count; i++) {
		const struct addr_range *range = &pool->ranges[i];

		if (addr_range_has(range, ip) &&
		    (held || !range->is_subnet ||
		        addr_ip_compare(&range->first, ip) != 0))
			return !pool->avoid_buggy || !addr_ip_is_buggy(ip);
	}
	return false;
}

static bool
wants(const struct addr_request *request, unsigned family)
{
	return request->want != (family == 4 ? ADDR_IPV6 : ADDR_IPV4);
}

/* Of the pool, whoever has it. */
static bool
suits(const struct slow *slow, uint32_t at, const struct addr_pool *pool,
    const struct addr_ip *ip, bool held)
{
	const struct history *history = slow->history;
	const struct addr_request *request = &history->requests[at];

	return wants(request, ip->family) && pool_has(pool, ip, held) &&
	    history->fits[pool - history->pools][at] &&
	    (!slice_is_set(request->pool) ||
	        slice_equal(request->pool, pool->name));
}

/* What it had it keeps, where no pool has it but as what all routers have. */
static bool
stays(const struct slow *slow, uint32_t at, const struct addr_ip *ip)
{
	const struct history *history = slow->history;
	const struct addr_request *request = &history->requests[at];

	if (!has(request->held, request->held_count, ip))
		return false;
	for (uint32_t i = 0; i < history->plan.pool_count; i++)
		if (suits(slow, at, &history->pools[i], ip, false))
			return false;
	return true;
}

static bool
may_have(const struct slow *slow, uint32_t at, const struct addr_pool *pool,
    const struct addr_ip *ip)
{
	const struct history *history = slow->history;
	const struct addr_request *request = &history->requests[at];

	if (!suits(slow, at, pool, ip, stays(slow, at, ip)))
		return false;
	for (uint32_t i = 0; i < history->plan.request_count; i++)
		if (i != at && has(slow->given[i], slow->count[i], ip) &&
		    clash(request, &history->requests[i]))
			return false;
	return true;
}

static bool
any_may(const struct slow *slow, uint32_t at, const struct addr_ip *ip)
{
	for (uint32_t i = 0; i < slow->history->plan.pool_count; i++)
		if (may_have(slow, at, &slow->history->pools[i], ip))
			return true;
	return false;
}

static void
add(struct slow *slow, uint32_t at, const struct addr_ip *ip)
{
	if (!has(slow->given[at], slow->count[at], ip))
		slow->given[at][slow->count[at]++] = *ip;
}

/* The property of what is given: what the fast plan gave is what the rules
 * say one after the other, so the slow one checks rather than chooses. */
static void
check_given(struct slow *slow, uint32_t at, const struct addr_outcome *outcome)
{
	for (uint32_t i = 0; i < outcome->count; i++) {
		const struct addr_given *given = &outcome->items[i];

		if (given->fault != ADDR_GOOD) {
			assert_true(given->message.length > 0);
			continue;
		}
		assert_true(may_have(slow, at, given->pool, &given->ip));
		add(slow, at, &given->ip);
	}
}

/* All that were given, at once: nobody has what another has. */
static void
check_all(struct history *history, const struct addr_outcome *outcomes)
{
	struct slow slow = {.history = history};

	for (uint32_t i = 0; i < history->plan.request_count; i++)
		check_given(&slow, i, &outcomes[i]);
	/* Whoever was refused what it named cannot have it, even now. */
	for (uint32_t i = 0; i < history->plan.request_count; i++)
		for (uint32_t j = 0; j < outcomes[i].count; j++)
			if (outcomes[i].items[j].fault != ADDR_GOOD)
				assert_false(any_may(
				    &slow, i, &outcomes[i].items[j].ip));
}

static void
slow_keep(struct slow *slow, uint32_t at)
{
	const struct addr_request *request = &slow->history->requests[at];
	uint32_t most = request->want >= ADDR_BOTH_IF_CAN ? 2 : 1;

	for (uint32_t i = 0; i < request->held_count; i++) {
		const struct addr_ip *ip = &request->held[i];
		bool family_had = slow->count[at] > 0 &&
		    slow->given[at][0].family == ip->family;

		if (!any_may(slow, at, ip))
			continue;
		if (request->named_count > 0
		        ? has(request->named, request->named_count, ip)
		        : slow->count[at] < most && !family_had)
			add(slow, at, ip);
	}
}

static void
slow_name(struct slow *slow, uint32_t at)
{
	const struct addr_request *request = &slow->history->requests[at];

	for (uint32_t i = 0; i < request->named_count; i++)
		if (any_may(slow, at, &request->named[i]))
			add(slow, at, &request->named[i]);
}

/* Does any pool that is open to it have one left of this family? */
static bool
slow_find(const struct slow *slow, uint32_t at, unsigned family)
{
	const struct history *history = slow->history;

	for (uint32_t i = 0; i < history->plan.pool_count; i++)
		for (uint32_t j = 0; j < SPREAD + 4; j++) {
			struct addr_ip ip = address(family, j);

			if ((history->pools[i].auto_assign ||
			        slice_is_set(history->requests[at].pool)) &&
			    may_have(slow, at, &history->pools[i], &ip))
				return true;
		}
	return false;
}

static bool
has_family(const struct slow *slow, uint32_t at, unsigned family)
{
	for (uint32_t i = 0; i < slow->count[at]; i++)
		if (slow->given[at][i].family == family)
			return true;
	return false;
}

/* Could it have one of this family, of the pool? alone: that nobody has. */
static bool
slow_find_in(const struct slow *slow, uint32_t at, const struct addr_pool *pool,
    unsigned family, bool alone)
{
	for (uint32_t i = 0; i < SPREAD + 4; i++) {
		struct addr_ip ip = address(family, i);
		bool taken = false;

		for (uint32_t j = 0; alone && j < REQUESTS; j++)
			taken =
			    taken || has(slow->given[j], slow->count[j], &ip);
		if (!taken && may_have(slow, at, pool, &ip))
			return true;
	}
	return false;
}

/* Could it have both of one pool, one that it has among them or not? */
static bool
slow_find_both(const struct slow *slow, uint32_t at)
{
	const struct history *history = slow->history;

	for (uint32_t i = 0; i < history->plan.pool_count; i++) {
		const struct addr_pool *pool = &history->pools[i];
		bool own = slow->count[at] > 0 &&
		    may_have(slow, at, pool, &slow->given[at][0]);

		if (!pool->auto_assign &&
		    !slice_is_set(history->requests[at].pool))
			continue;
		if ((own || slow->count[at] == 0) &&
		    ((own && has_family(slow, at, 4)) ||
		        slow_find_in(slow, at, pool, 4, false)) &&
		    ((own && has_family(slow, at, 6)) ||
		        slow_find_in(slow, at, pool, 6, false)))
			return true;
		if (slow_find_in(slow, at, pool, 4, true) &&
		    slow_find_in(slow, at, pool, 6, true))
			return true;
	}
	return false;
}

static bool
must_complete(const struct slow *slow, uint32_t at)
{
	const struct addr_request *request = &slow->history->requests[at];

	return request->named_count == 0 && request->want == ADDR_BOTH &&
	    slow->count[at] == 1;
}

/* Who must have both and had one may have moved, or got the other one, before
 * others had what they ask for: to one pool, and if it stays it had to. What
 * one gave up another may have got, whoever comes first. */
static void
slow_complete(struct slow *slow, const struct addr_outcome *outcomes)
{
	uint32_t count = slow->history->plan.request_count;
	bool completed[REQUESTS] = {false};

	for (uint32_t i = 0; i < count; i++) {
		completed[i] = must_complete(slow, i) && outcomes[i].count == 2;
		if (completed[i])
			slow->count[i] = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!completed[i])
			continue;
		check_given(slow, i, &outcomes[i]);
		assert_int_equal(slow->count[i], 2);
	}
	for (uint32_t i = 0; i < count; i++)
		if (must_complete(slow, i))
			assert_false(slow_find_both(slow, i));
}

/* The rounds again: what is kept and named must be the same; of those that take
 * what is free, one that got nothing could have got nothing, and one
 * that got something got the lowest of its pool's range that nobody had. */
static void
check_rounds(struct history *history, const struct addr_outcome *outcomes)
{
	struct slow slow = {.history = history};
	uint32_t count = history->plan.request_count;

	for (uint32_t i = 0; i < count; i++)
		slow_keep(&slow, i);
	slow_complete(&slow, outcomes);
	for (uint32_t i = 0; i < count; i++)
		slow_name(&slow, i);
	for (uint32_t i = 0; i < count; i++) {
		const struct addr_request *request = &history->requests[i];
		const struct addr_outcome *outcome = &outcomes[i];

		if (request->named_count > 0) {
			for (uint32_t j = 0; j < outcome->count; j++)
				assert_int_equal(
				    outcome->items[j].fault == ADDR_GOOD,
				    has(slow.given[i], slow.count[i],
				        &outcome->items[j].ip));
			continue;
		}
		for (uint32_t j = 0; j < slow.count[i]; j++) {
			bool kept = false;

			for (uint32_t k = 0; k < outcome->count; k++)
				kept = kept ||
				    addr_ip_compare(&outcome->items[k].ip,
				        &slow.given[i][j]) == 0;
			assert_true(kept);
		}
		if (outcome->count == 0 && request->want != ADDR_BOTH) {
			assert_true(outcome->message.length > 0);
			assert_false(slow_find(&slow, i, 4));
			assert_false(slow_find(&slow, i, 6));
		}
		if (outcome->count == 0 && request->want == ADDR_BOTH)
			assert_false(slow_find_both(&slow, i));
		check_given(&slow, i, outcome);
	}
}

static bool is_given(
    const struct addr_outcome *outcome, const struct addr_ip *ip);

/* Of each pool, address by address. */
static void
check_counts(struct history *history, const struct addr_outcome *outcomes)
{
	const struct addr_plan *plan = &history->plan;
	const struct addr_count *counts =
	    addr_plan_count(plan, outcomes, &history->arena);

	for (uint32_t i = 0; i < plan->pool_count; i++)
		for (unsigned at = 0; at < 2 * (SPREAD + 4); at++) {
			unsigned six = at >= SPREAD + 4;
			struct addr_ip ip =
			    address(six ? 6 : 4, at % (SPREAD + 4));
			bool given = false, had = false;

			for (uint32_t j = 0; j < plan->request_count; j++)
				for (uint32_t k = 0; k < outcomes[j].count; k++)
					given = given ||
					    (outcomes[j].items[k].pool ==
					            &plan->pools[i] &&
					        addr_ip_compare(
					            &outcomes[j].items[k].ip,
					            &ip) == 0);
			for (uint32_t j = 0; j < plan->request_count; j++)
				had = had || is_given(&outcomes[j], &ip);
			history->count[i].given[six] += given;
			history->count[i].left[six] +=
			    pool_has(&plan->pools[i], &ip, false) && !had;
		}
	for (uint32_t i = 0; i < plan->pool_count; i++)
		assert_memory_equal(
		    &history->count[i], &counts[i], sizeof(counts[i]));
	memset(history->count, 0, sizeof(history->count));
}

/* What was given is what a status says, and what is held at the next step. */
static void
remember(struct history *history, const struct addr_outcome *outcomes)
{
	for (uint32_t i = 0; i < history->plan.request_count; i++) {
		struct addr_request *request = &history->requests[i];

		request->held_count = 0;
		for (uint32_t j = 0; j < outcomes[i].count; j++)
			if (outcomes[i].items[j].fault == ADDR_GOOD)
				history->held[i][request->held_count++] =
				    outcomes[i].items[j].ip;
	}
}

static bool
is_given(const struct addr_outcome *outcome, const struct addr_ip *ip)
{
	for (uint32_t i = 0; i < outcome->count; i++)
		if (outcome->items[i].fault == ADDR_GOOD &&
		    addr_ip_compare(&outcome->items[i].ip, ip) == 0)
			return true;
	return false;
}

/* All have what they had. One may get more: an address that it may share, and
 * that was taken only after its own turn. */
static void
check_kept(const struct addr_plan *plan, const struct addr_outcome *before,
    const struct addr_outcome *after)
{
	for (uint32_t i = 0; i < plan->request_count; i++) {
		const struct addr_request *request = &plan->requests[i];

		for (uint32_t j = 0; j < before[i].count; j++)
			if (before[i].items[j].fault == ADDR_GOOD)
				assert_true(is_given(
				    &after[i], &before[i].items[j].ip));
		if (request->share.length == 0)
			assert_int_equal(before[i].count, after[i].count);
	}
}

static void
step(struct history *history)
{
	uint32_t what = below(history, 8);

	if (what == 0)
		change_pool(history, below(history, POOLS));
	else if (what == 1)
		history->plan.pool_count = below(history, POOLS + 1);
	else if (what == 2)
		history->plan.request_count = below(history, REQUESTS + 1);
	else if (what == 3)
		share(history, below(history, REQUESTS),
		    below(history, REQUESTS));
	else if (what == 4)
		end_sharing(history);
	else
		change_request(history, below(history, REQUESTS));

	struct addr_outcome *outcomes =
	    addr_plan_make(&history->plan, &history->arena);

	check_all(history, outcomes);
	check_rounds(history, outcomes);
	check_counts(history, outcomes);
	/* Those that left and come back come anew. */
	for (uint32_t i = history->plan.request_count; i < REQUESTS; i++)
		history->requests[i].held_count = 0;
	remember(history, outcomes);
	/* A restart moves nobody. */
	check_kept(&history->plan, outcomes,
	    addr_plan_make(&history->plan, &history->arena));
	arena_reset(&history->arena);
}

static void
run(struct history *history, uint64_t seed)
{
	*history = (struct history){0};
	random_init_seed(&history->random, seed);
	arena_init(&history->arena, 8192);
	history->plan = (struct addr_plan){.pools = history->pools,
	    .requests = history->requests,
	    .fits = fits,
	    .context = history};
	for (uint32_t i = 0; i < POOLS; i++)
		change_pool(history, i);
	for (uint32_t i = 0; i < REQUESTS; i++)
		change_request(history, i);
	history->plan.pool_count = POOLS;
	history->plan.request_count = REQUESTS;
	for (int i = 0; i < STEPS; i++)
		step(history);
	arena_fini(&history->arena);
}

static uint64_t seed;

static void
test_histories(void **state)
{
	static struct history history;

	(void)state;
	for (seed = 1; seed <= HISTORIES; seed++)
		run(&history, seed);
}

static int
tell_seed(void **state)
{
	(void)state;
	if (seed <= HISTORIES)
		fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_histories, tell_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
