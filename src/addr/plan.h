/* The plan: who gets which address of which pool. A pure function of the pools,
 * of the requests in their order (the older first), and of what each had
 * before: that it keeps, as long as it may, so that a restart or a younger
 * request moves nobody. Then come those that name their addresses, then those
 * that take what is free, the lowest first. What a pool holds costs nothing:
 * only what is given is kept, as runs.
 *
 * An address is given to one alone, but for requests of one sharing key whose
 * ports differ. */
#ifndef YUMEN_ADDR_PLAN_H
#define YUMEN_ADDR_PLAN_H

#include "addr/ip.h"
#include "core/arena.h"

struct addr_pool {
	struct slice name;
	const struct addr_range *ranges; /* in the order that they are used */
	uint32_t range_count;
	bool auto_assign;
	bool avoid_buggy;
	/* It is for some only (serviceAllocation): these it goes to before
	 * pools that are for all; among such pools the lower priority is first,
	 * 0 last. */
	bool chosen;
	int64_t priority;
	const void *context; /* for fits */
};

enum addr_want {
	ADDR_EITHER, /* IPv4 if a pool has it, else IPv6 */
	ADDR_IPV4,
	ADDR_IPV6,
	ADDR_BOTH_IF_CAN, /* both of one pool, else one of either */
	ADDR_BOTH_IF_CAN_SIX, /* the same, but IPv6 before IPv4 */
	ADDR_BOTH,
	ADDR_AS_HELD, /* what it had, of both if it had both; else either */
};

struct addr_port {
	struct slice protocol; /* "TCP" */
	int64_t number;
};
/* Of two, for qsort. */
int addr_port_compare(const void *a, const void *b);

struct addr_request {
	struct slice name; /* as others are told who has it */
	const void *context; /* for fits */
	/* of one that is named: by no more than one family alone, if at all */
	enum addr_want want;
	struct slice both_by; /* what lets it have both; absent: nothing does */
	struct slice pool; /* it must be of this one; absent: any */
	/* these and no others; of none of them: any */
	const struct addr_ip *named;
	uint32_t named_count;
	const struct addr_ip *held; /* what it had */
	uint32_t held_count;
	struct slice share; /* the key; absent or empty: it shares nothing */
	/* Those who share must lead to the same: to the endpoints, where only
	 * those of a node get what comes to it; empty: whatever they are. */
	struct slice backend;
	const struct addr_port *ports; /* in order of addr_port_compare */
	uint32_t port_count;
};

enum addr_fault {
	ADDR_GOOD,
	ADDR_NO_POOLS, /* there are none at all */
	ADDR_POOL_UNKNOWN,
	ADDR_POOL_NOT_FOR, /* its serviceAllocation leaves this one out */
	ADDR_POOL_MANUAL, /* no pool gives addresses to who names none */
	ADDR_FAMILY_MISSING, /* no pool has addresses of this family */
	ADDR_EXHAUSTED,
	ADDR_IN_NO_POOL,
	ADDR_OF_OTHER_FAMILY, /* than is wanted */
	ADDR_IN_OTHER_POOL,
	ADDR_UNUSABLE, /* no machine can have it, or all routers do */
	ADDR_AVOIDED, /* .0 or .255 of a pool with avoidBuggyIPs */
	ADDR_TAKEN,
};

/* What became of one address: its own, or one that was named. */
struct addr_given {
	struct addr_ip ip;
	enum addr_fault fault;
	const struct addr_pool *pool; /* GOOD: whose it is */
	struct slice message; /* else: why not, and what would help */
};

struct addr_outcome {
	/* one for each that was named, in their order; else what was given */
	struct addr_given *items;
	uint32_t count;
	/* Nothing was named and not all that is needed was given: why */
	enum addr_fault fault;
	struct slice message;
};

struct addr_plan {
	const struct addr_pool *pools; /* by name: whose an address is */
	uint32_t pool_count;
	const struct addr_request *requests;
	uint32_t request_count;
	/* Who has what they name already, and is not asked: it is taken, but
	 * for what a request held. */
	const struct addr_request *others;
	uint32_t other_count;
	/* Addresses of loopback are good: who asks is on one host. */
	bool loopback;
	/* May this pool serve this request? NULL: yes. */
	bool (*fits)(void *context, const struct addr_pool *pool,
	    const struct addr_request *request);
	void *context;
};

/* An outcome for each request, in arena; outcomes point into the plan's pools
 * and arena alone. */
struct addr_outcome *addr_plan_make(
    const struct addr_plan *plan, struct arena *arena);

/* How many addresses a pool has: by family, IPv4 and IPv6. */
struct addr_count {
	int64_t given[2]; /* of this pool */
	int64_t left[2]; /* that nobody has; INT64_MAX less what is given: or
	                  * more */
};
/* Of each pool, as the plan has come out; in arena. */
struct addr_count *addr_plan_count(const struct addr_plan *plan,
    const struct addr_outcome *outcomes, struct arena *arena);

/* The first pool that has it, or NULL. */
const struct addr_pool *addr_pool_of(const struct addr_pool *pools,
    uint32_t pool_count, const struct addr_ip *ip);

#endif
