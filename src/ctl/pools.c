/* A gauge for each pool, family and state of addresses. */
#include "ctl/pools.h"

#include "core/must.h"
#include "gw/address.h"

/* Names of objects need no escapes. */
static void
push(struct text *out, const struct gw_pool_count *pool, const char *family,
    const char *state, int64_t value)
{
	text_printf(out,
	    "yumen_pool_addresses{namespace=\"%.*s\",pool=\"%.*s\",family=\"%"
	    "s\""
	    ",state=\"%s\"} %lld\n",
	    SLICE_ARGS(pool->namespace), SLICE_ARGS(pool->name), family, state,
	    (long long)value);
}

static void
push_pool(void *context, const struct gw_pool_count *pool)
{
	static const char *const families[] = {"IPv4", "IPv6"};

	for (unsigned i = 0; i < 2; i++) {
		push(context, pool, families[i], "assigned", pool->given[i]);
		push(context, pool, families[i], "available", pool->left[i]);
	}
}

void
ctl_pools_metrics(struct text *out, struct gw_state *state)
{
	must(out != NULL && state != NULL);
	text_push_string(out,
	    "# HELP yumen_pool_addresses addresses of an IPAddressPool that "
	    "are given, and that nobody has\n"
	    "# TYPE yumen_pool_addresses gauge\n");
	gw_state_each_pool(state, push_pool, out);
}
