/* IPAddressPools as the plan of addresses takes them, whom each is for, and
 * whether somebody announces it. What of a pool is no range is left out: the
 * rest of it serves. */
#include <stdlib.h>

#include "core/must.h"
#include "gw/address_priv.h"
#include "gw/state_priv.h"

bool
gw_pool_is_read(const struct gw_state *state, struct slice namespace)
{
	for (uint32_t i = 0; i < state->pool_namespace_count; i++)
		if (slice_equal(state->pool_namespaces[i], namespace))
			return true;
	return state->pool_namespace_count == 0;
}

static void
make_pool(
    const struct gw_object *object, struct arena *arena, struct addr_pool *pool)
{
	const struct gw_ipaddresspool_spec *spec = object->ipaddresspool->spec;
	struct addr_range *ranges =
	    arena_zero(arena, spec->addresses_count + 1, sizeof(*ranges));

	*pool = (struct addr_pool){
	    .name = object->name,
	    .ranges = ranges,
	    .auto_assign = spec->auto_assign != 0,
	    .avoid_buggy = spec->avoid_buggy_ips != 0,
	    .chosen = spec->service_allocation != NULL,
	    .priority = spec->service_allocation
	        ? spec->service_allocation->priority
	        : 0,
	    .context = object,
	};
	for (uint32_t i = 0; i < spec->addresses_count; i++)
		if (addr_range_parse(
		        spec->addresses[i], &ranges[pool->range_count]) == NULL)
			pool->range_count++;
}

struct slice
gw_pool_namespace(const struct addr_pool *pool)
{
	return ((const struct gw_object *)pool->context)->namespace;
}

static int
compare_pools(const void *a, const void *b)
{
	const struct addr_pool *left = a, *right = b;
	int order = slice_compare(left->name, right->name);

	return order
	    ? order
	    : slice_compare(gw_pool_namespace(left), gw_pool_namespace(right));
}

void
gw_pools_gather(
    const struct gw_state *state, struct arena *arena, struct gw_pools *pools)
{
	must(state != NULL && arena != NULL && pools != NULL);
	uint32_t count;
	struct gw_node **nodes =
	    gw_nodes_sorted(state, GW_IPADDRESSPOOL, arena, &count);

	pools->items = arena_zero(arena, count + 1, sizeof(*pools->items));
	pools->count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (gw_pool_is_read(state, gw_node_namespace(nodes[i])))
			make_pool(nodes[i]->object, arena,
			    &pools->items[pools->count++]);
	if (pools->count > 1)
		qsort(pools->items, pools->count, sizeof(*pools->items),
		    compare_pools);
}

/* ---- whom it is for ---- */

/* Those that are listed and those that are selected; neither: all. */
static bool
is_for_namespace(const struct gw_state *state,
    const struct gw_service_allocation *allocation, struct slice namespace)
{
	for (uint32_t i = 0; i < allocation->namespaces_count; i++)
		if (slice_equal(allocation->namespaces[i], namespace))
			return true;
	for (uint32_t i = 0; i < allocation->namespace_selectors_count; i++)
		if (gw_namespace_is_allowed(state, namespace, SLICE(""),
		        SLICE("Selector"), &allocation->namespace_selectors[i]))
			return true;
	return allocation->namespaces_count == 0 &&
	    allocation->namespace_selectors_count == 0;
}

static bool
is_for_labels(const struct gw_service_allocation *allocation,
    const struct gw_metadata *labels)
{
	for (uint32_t i = 0; i < allocation->service_selectors_count; i++)
		if (gw_selector_matches(
		        &allocation->service_selectors[i], labels, SLICE("")))
			return true;
	return allocation->service_selectors_count == 0;
}

bool
gw_pool_fits(void *context, const struct addr_pool *pool,
    const struct addr_request *request)
{
	const struct gw_object *object = pool->context;
	const struct gw_service_allocation *allocation =
	    object->ipaddresspool->spec->service_allocation;
	const struct gw_asker *asker = request->context;

	if (!asker->names_us && gw_pool_is_metallbs(context, object))
		return false;
	return !allocation ||
	    (is_for_namespace(context, allocation, asker->namespace) &&
	        is_for_labels(allocation, asker->labels));
}

/* ---- who announces it ---- */

/* By lists that L2Advertisements and BGPAdvertisements have alike. */
static bool
names_pool(const struct gw_object *pool, const struct slice *names,
    uint32_t count, const struct gw_label_selector *selectors,
    uint32_t selector_count)
{
	for (uint32_t i = 0; i < count; i++)
		if (slice_equal(names[i], pool->name))
			return true;
	for (uint32_t i = 0; i < selector_count; i++)
		if (gw_selector_matches(
		        &selectors[i], pool->metadata, pool->namespace))
			return true;
	return count == 0 && selector_count == 0;
}

static bool
selects(const struct gw_l2advertisement_spec *spec,
    const struct gw_metadata *labels)
{
	for (uint32_t i = 0; labels && i < spec->service_selectors_count; i++)
		if (gw_selector_matches(
		        &spec->service_selectors[i], labels, SLICE("")))
			return true;
	return labels == NULL || spec->service_selectors_count == 0;
}

static bool
is_beside(const struct gw_state *state, struct slice namespace,
    const struct gw_object *pool)
{
	return pool ? slice_equal(namespace, pool->namespace)
	            : gw_pool_is_read(state, namespace);
}

/* One that says nothing is for all. */
static const struct gw_l2advertisement_spec every = {0};

/* The next L2Advertisement that names the pool (NULL: any), or NULL. */
static const struct gw_l2advertisement_spec *
next_advertisement(const struct gw_state *state, const struct gw_object *pool,
    const struct gw_metadata *labels, size_t *at)
{
	struct slice key;
	void *value;

	while (map_next(&state->nodes[GW_L2ADVERTISEMENT], at, &key, &value)) {
		const struct gw_node *node = value;
		const struct gw_l2advertisement_spec *spec =
		    node->object ? node->object->l2advertisement->spec : NULL;

		if (!node->object ||
		    !is_beside(state, node->object->namespace, pool))
			continue;
		if (!spec)
			return &every;
		if ((!pool ||
		        names_pool(pool, spec->ip_address_pools,
		            spec->ip_address_pools_count,
		            spec->ip_address_pool_selectors,
		            spec->ip_address_pool_selectors_count)) &&
		    selects(spec, labels))
			return spec;
	}
	return NULL;
}

bool
gw_pool_is_announced(const struct gw_state *state, const struct gw_object *pool,
    const struct gw_metadata *labels)
{
	must(state != NULL && pool != NULL);
	size_t at = 0;

	return next_advertisement(state, pool, labels, &at) != NULL;
}

struct slice
gw_pool_bgp(const struct gw_state *state, const struct gw_object *pool)
{
	must(state != NULL && pool != NULL);
	struct slice key, first = SLICE_NONE;
	void *value;

	for (size_t at = 0;
	     map_next(&state->nodes[GW_BGPADVERTISEMENT], &at, &key, &value);) {
		const struct gw_object *object =
		    ((const struct gw_node *)value)->object;
		const struct gw_bgpadvertisement_spec *spec =
		    object ? object->bgpadvertisement->spec : NULL;

		if (!object ||
		    !slice_equal(object->namespace, pool->namespace) ||
		    (slice_is_set(first) &&
		        slice_compare(object->name, first) > 0))
			continue;
		if (!spec ||
		    names_pool(pool, spec->ip_address_pools,
		        spec->ip_address_pools_count,
		        spec->ip_address_pool_selectors,
		        spec->ip_address_pool_selectors_count))
			first = object->name;
	}
	return first;
}

struct slice
gw_pool_silence(const struct gw_state *state, const struct gw_object *pool,
    const struct gw_metadata *labels, struct arena *arena)
{
	struct slice bgp;

	if (gw_is_unread(state, GW_L2ADVERTISEMENT))
		return arena_format(arena, "announced from every node: %.*s",
		    SLICE_ARGS(
		        gw_unread_why(state, GW_L2ADVERTISEMENT, arena)));
	if (gw_pool_is_announced(state, pool, labels))
		return SLICE_NONE;
	if (gw_pool_is_announced(state, pool, NULL))
		return SLICE("which no L2Advertisement announces for its "
		             "labels (serviceSelectors)");
	bgp = gw_pool_bgp(state, pool);
	if (!slice_is_set(bgp))
		return SLICE("which no L2Advertisement names");
	return arena_format(arena,
	    "which only BGPAdvertisement \"%.*s\" names, and BGP is not there "
	    "yet",
	    SLICE_ARGS(bgp));
}

struct gw_advertised
gw_pool_advertised(const struct gw_state *state,
    const struct gw_address *address, const struct gw_metadata *labels,
    struct arena *arena)
{
	struct gw_advertised advertised = {0};
	/* It may be of any. */
	bool is_of_any = gw_is_unread(state, GW_IPADDRESSPOOL);
	const struct gw_node *pool = !is_of_any && slice_is_set(address->pool)
	    ? gw_node_get(state, GW_IPADDRESSPOOL, address->pool_namespace,
	          address->pool)
	    : NULL;
	const struct gw_object *object = pool ? pool->object : NULL;
	const struct gw_l2advertisement_spec *spec;

	advertised.specs =
	    arena_zero(arena, state->nodes[GW_L2ADVERTISEMENT].count + 1,
	        sizeof(*advertised.specs));
	if (gw_is_unread(state, GW_L2ADVERTISEMENT)) {
		advertised.specs[advertised.count++] = &every;
		return advertised;
	}
	if (!is_of_any && !object)
		return advertised;
	for (size_t at = 0;
	     (spec = next_advertisement(state, object, labels, &at)) != NULL;)
		advertised.specs[advertised.count++] = spec;
	return advertised;
}
