/* What is wrong with pools of addresses and with who announces them, as seen
 * beside the others. */
#include <stdarg.h>
#include <stdio.h>

#include "core/must.h"
#include "core/text.h"
#include "gw/address_priv.h"
#include "gw/state_priv.h"

/* Of two names, and two ranges at most. */
enum { LINE_BYTES = 1024 };

struct judging {
	const struct gw_state *state;
	gw_pool_verdict_fn tell;
	void *context;
	struct text field;
};

static void say(struct judging *judging, enum gw_finding_row row,
    const char *fix, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
say(struct judging *judging, enum gw_finding_row row, const char *fix,
    const char *format, ...)
{
	va_list arguments;
	char line[LINE_BYTES];

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	judging->tell(judging->context, row, text_slice(&judging->field),
	    slice_from_string(line), fix);
}

static void
set_field(struct judging *judging, const char *list, uint32_t index)
{
	text_reset(&judging->field);
	text_printf(&judging->field, "spec.%s[%u]", list, index);
}

static bool
overlaps(const struct addr_range *a, const struct addr_range *b)
{
	return addr_ip_compare(&a->first, &b->last) <= 0 &&
	    addr_ip_compare(&b->first, &a->last) <= 0;
}

/* The number of the first range of pool that overlaps, below `before`; or
 * addresses_count. */
static uint32_t
find_overlap(const struct addr_range *range, const struct gw_object *pool,
    uint32_t before)
{
	const struct gw_ipaddresspool_spec *spec = pool->ipaddresspool->spec;

	for (uint32_t i = 0; i < spec->addresses_count && i < before; i++) {
		struct addr_range other;

		if (addr_range_parse(spec->addresses[i], &other) == NULL &&
		    overlaps(range, &other))
			return i;
	}
	return spec->addresses_count;
}

/* Each overlap is told once: of the one that comes later by name. */
static void
judge_overlaps(struct judging *judging, const struct gw_object *pool,
    struct gw_node **pools, uint32_t count)
{
	const struct gw_ipaddresspool_spec *spec = pool->ipaddresspool->spec;

	for (uint32_t i = 0; i < spec->addresses_count; i++) {
		struct addr_range range;

		if (addr_range_parse(spec->addresses[i], &range) != NULL)
			continue;
		for (uint32_t j = 0; j < count; j++) {
			const struct gw_object *other = pools[j]->object;
			const struct gw_ipaddresspool_spec *with =
			    other->ipaddresspool->spec;
			uint32_t at = find_overlap(
			    &range, other, other == pool ? i : UINT32_MAX);

			if (at == with->addresses_count)
				continue;
			set_field(judging, "addresses", i);
			say(judging, GW_FINDING_POOLS_OVERLAP,
			    "let each address be in one pool, once",
			    "%.*s overlaps %.*s of IPAddressPool %.*s/%.*s",
			    SLICE_ARGS(spec->addresses[i]),
			    SLICE_ARGS(with->addresses[at]),
			    SLICE_ARGS(other->namespace),
			    SLICE_ARGS(other->name));
			break;
		}
	}
}

/* A part of it, or all, is left out: not only what all routers have. */
static void
judge_usable(struct judging *judging, const struct gw_object *pool)
{
	const struct gw_ipaddresspool_spec *spec = pool->ipaddresspool->spec;
	bool loopback = judging->state->addressing == GW_ADDRESSING_HOST;

	for (uint32_t i = 0; i < spec->addresses_count; i++) {
		struct addr_range range;

		if (addr_range_parse(spec->addresses[i], &range) != NULL)
			continue;
		struct addr_parts parts = addr_range_parts(&range, loopback);
		if (parts.count == 1 &&
		    parts.items[0].first.number ==
		        range.first.number + range.is_subnet &&
		    parts.items[0].last.number == range.last.number)
			continue;
		set_field(judging, "addresses", i);
		say(judging, GW_FINDING_POOL_UNUSABLE,
		    "give it addresses that a machine of the network may have",
		    parts.count == 0
		        ? "nobody can be reached at an address of %.*s"
		        : "nobody can be reached at some addresses of %.*s, "
		          "which are left out",
		    SLICE_ARGS(spec->addresses[i]));
	}
}

static void
judge_silence(struct judging *judging, const struct gw_object *pool)
{
	struct slice bgp = gw_pool_bgp(judging->state, pool);

	if (gw_pool_is_announced(judging->state, pool, NULL))
		return;
	if (slice_is_set(bgp))
		say(judging, GW_FINDING_POOL_NOT_ANNOUNCED,
		    "add an L2Advertisement in its namespace",
		    "only BGPAdvertisement %.*s names the pool, and BGP is not "
		    "there yet",
		    SLICE_ARGS(bgp));
	else
		say(judging, GW_FINDING_POOL_NOT_ANNOUNCED,
		    "add an L2Advertisement in its namespace",
		    "no L2Advertisement names the pool");
}

static void
judge_pool(struct judging *judging, const struct gw_object *pool)
{
	struct arena arena;
	uint32_t count, before = 0;

	text_reset(&judging->field);
	if (!gw_pool_is_read(judging->state, pool->namespace)) {
		text_push_string(&judging->field, "metadata.namespace");
		say(judging, GW_FINDING_POOL_NOT_READ,
		    "move it to metallb-system, or to yumen's own namespace",
		    "pools of namespace %.*s do not count",
		    SLICE_ARGS(pool->namespace));
		return;
	}
	judge_usable(judging, pool);
	judge_silence(judging, pool);
	arena_init(&arena, 1024);
	struct gw_node **pools =
	    gw_nodes_sorted(judging->state, GW_IPADDRESSPOOL, &arena, &count);

	while (before < count && pools[before]->object != pool)
		before++;
	judge_overlaps(
	    judging, pool, pools, before < count ? before + 1 : count);
	arena_fini(&arena);
}

static void
judge_names(struct judging *judging, const struct gw_object *object,
    const struct slice *names, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (gw_state_has(judging->state, GW_IPADDRESSPOOL,
		        object->namespace, names[i]))
			continue;
		set_field(judging, "ipAddressPools", i);
		say(judging, GW_FINDING_POOL_NOT_FOUND,
		    "name a pool that is there, or add it",
		    "there is no IPAddressPool %.*s/%.*s",
		    SLICE_ARGS(object->namespace), SLICE_ARGS(names[i]));
	}
}

static void
judge_l2(struct judging *judging, const struct gw_object *object)
{
	const struct gw_l2advertisement_spec *spec =
	    object->l2advertisement->spec;

	if (spec)
		judge_names(judging, object, spec->ip_address_pools,
		    spec->ip_address_pools_count);
}

static void
judge_bgp(struct judging *judging, const struct gw_object *object)
{
	const struct gw_bgpadvertisement_spec *spec =
	    object->bgpadvertisement->spec;

	if (spec)
		judge_names(judging, object, spec->ip_address_pools,
		    spec->ip_address_pools_count);
}

void
gw_pool_verdicts(const struct gw_state *state, const struct gw_object *object,
    gw_pool_verdict_fn tell, void *context)
{
	must(state != NULL && object != NULL && tell != NULL);
	struct judging judging = {
	    .state = state, .tell = tell, .context = context};

	text_init(&judging.field);
	if (object->kind == GW_IPADDRESSPOOL)
		judge_pool(&judging, object);
	else if (object->kind == GW_L2ADVERTISEMENT)
		judge_l2(&judging, object);
	else if (object->kind == GW_BGPADVERTISEMENT)
		judge_bgp(&judging, object);
	text_fini(&judging.field);
}
