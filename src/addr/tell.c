/* Why a request has not what it asks for, and what would help: for people. */
#include "addr/plan_priv.h"

#include "core/must.h"

/* ---- what they name ---- */

static struct slice
tell_taken(struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, struct slice text)
{
	const struct addr_request *rival =
	    addr_used_rival(&making->used, ip, request);
	const char *fix = "they share it only with ports that do not clash";

	if (request->share.length == 0 ||
	    !slice_equal(rival->share, request->share))
		fix = "name another, or let both share it by one "
		      "allow-shared-ip";
	else if (!slice_equal(rival->backend, request->backend))
		fix = "where what comes goes to pods of the node that it came "
		      "to (externalTrafficPolicy Local, --announcers-forward) "
		      "they share it only with the same pods, by selector: "
		      "name another";
	return arena_format(making->arena, "%.*s is taken by %.*s; %s",
	    SLICE_ARGS(text), SLICE_ARGS(rival->name), fix);
}

static struct slice
tell_family(struct making *making, const struct addr_request *request,
    const struct addr_ip *ip, struct slice text)
{
	unsigned other = ip->family == 4 ? 6 : 4;

	if (slice_is_set(request->both_by))
		return arena_format(making->arena,
		    "%.*s is of IPv%u, which the Service does not have; name "
		    "one of IPv%u, or let the Service have both (%.*s)",
		    SLICE_ARGS(text), ip->family, other,
		    SLICE_ARGS(request->both_by));
	return arena_format(making->arena,
	    "%.*s is of IPv%u, which the Service does not have, for Services "
	    "of this cluster are of IPv%u alone; name one of IPv%u",
	    SLICE_ARGS(text), ip->family, other, other);
}

static struct slice
tell_not_for(struct making *making, const struct addr_request *request,
    struct slice text, const struct addr_pool *pool)
{
	return arena_format(making->arena,
	    "%.*s is of pool \"%.*s\", which is not for %.*s: let it in by the "
	    "pool's serviceAllocation",
	    SLICE_ARGS(text), SLICE_ARGS(pool->name),
	    SLICE_ARGS(request->name));
}

/* pool: of whose prefix it is the first, or NULL. */
static struct slice
tell_unusable(struct making *making, const struct addr_ip *ip,
    struct slice text, const struct addr_pool *pool)
{
	if (pool)
		return arena_format(making->arena,
		    "%.*s is the first of a prefix of pool \"%.*s\", for which "
		    "all routers of the link answer; name another",
		    SLICE_ARGS(text), SLICE_ARGS(pool->name));
	return arena_format(making->arena,
	    "%.*s %s, so that nobody can be reached there; name another",
	    SLICE_ARGS(text), addr_ip_fault(ip, making->plan->loopback));
}

struct slice
addr_tell(struct making *making, const struct addr_request *request,
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
	case ADDR_OF_OTHER_FAMILY:
		return tell_family(making, request, ip, text);
	case ADDR_IN_OTHER_POOL:
		return arena_format(arena,
		    "%.*s is of pool \"%.*s\", not of \"%.*s\", which is asked "
		    "for; name one of both",
		    SLICE_ARGS(text), SLICE_ARGS(pool->name),
		    SLICE_ARGS(request->pool));
	case ADDR_UNUSABLE:
		return tell_unusable(making, ip, text, pool);
	case ADDR_POOL_NOT_FOR:
		return tell_not_for(making, request, text, pool);
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
	case ADDR_BOTH_IF_CAN_SIX:
	case ADDR_AS_HELD:
	default:
		return "";
	}
}

static bool
pool_has_families(const struct making *making, const struct addr_pool *pool,
    const struct addr_request *request)
{
	bool four = false, six = false;

	for (uint32_t i = 0; i < pool->range_count; i++) {
		const struct addr_range *range = &pool->ranges[i];

		if (addr_range_parts(range, making->plan->loopback).count == 0)
			continue;
		four = four || range->first.family == 4;
		six = six || range->first.family == 6;
	}
	if (request->want == ADDR_BOTH)
		return four && six;
	return (four && addr_wants_family(request, 4)) ||
	    (six && addr_wants_family(request, 6));
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
		sum.any_fits =
		    sum.any_fits || addr_pool_fits(making, pool, request);
		if (!addr_pool_is_open(making, pool, request))
			continue;
		sum.any_open = true;
		if (!pool_has_families(making, pool, request))
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

void
addr_explain(struct making *making, uint32_t at)
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
