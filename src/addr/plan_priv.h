/* Inside addr: a plan in the making. */
#ifndef YUMEN_ADDR_PLAN_PRIV_H
#define YUMEN_ADDR_PLAN_PRIV_H

#include "addr/used_priv.h"

struct making {
	const struct addr_plan *plan;
	struct arena *arena;
	struct addr_used used;
	const struct addr_pool **aged; /* by how they are tried */
	struct addr_outcome *outcomes;
};

/* plan.c */
bool addr_pool_fits(const struct making *making, const struct addr_pool *pool,
    const struct addr_request *request);
/* Is it for a request that takes what is free? */
bool addr_pool_is_open(const struct making *making,
    const struct addr_pool *pool, const struct addr_request *request);
bool addr_wants_family(const struct addr_request *request, unsigned family);

/* tell.c */
/* Of an address that is named; pool: which says no, or NULL. */
struct slice addr_tell(struct making *making,
    const struct addr_request *request, const struct addr_ip *ip,
    enum addr_fault fault, const struct addr_pool *pool);
/* Sets fault and message of one that got less than it needs of what is free. */
void addr_explain(struct making *making, uint32_t at);

#endif
