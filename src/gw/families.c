/* Of which families the addresses of a Service are, whether it is somebody's or
 * of a Gateway's fleet: nothing leads to one of a family that it does not
 * have. */
#include "core/must.h"
#include "gw/fleet_priv.h"
#include "gw/template.h"

#define PREFERRED SLICE("PreferDualStack")
#define REQUIRED SLICE("RequireDualStack")

/* As spec.ipFamilyPolicy and spec.ipFamilies have it. */
struct families {
	struct slice policy; /* absent or empty: the API server chooses */
	const struct slice *items; /* none: it chooses */
	uint32_t count;
};

bool
gw_service_has_family(
    const struct gw_service_spec *service, struct slice address)
{
	struct slice name = slice_find(address, ':') < address.length
	    ? SLICE("IPv6")
	    : SLICE("IPv4");

	for (uint32_t i = 0; i < service->ip_families_count; i++)
		if (slice_equal(service->ip_families[i], name))
			return true;
	return service->ip_families_count == 0;
}

bool
gw_lacks_family(const struct gw_node *service, struct slice address)
{
	return service && service->object &&
	    !gw_service_has_family(service->object->service->spec, address);
}

static struct families
families_of(const struct gw_service_spec *service)
{
	return (struct families){service->ip_family_policy,
	    service->ip_families, service->ip_families_count};
}

static struct families
families_at(const struct gw_object *service)
{
	return service ? families_of(service->service->spec)
	               : (struct families){.count = 0};
}

static bool
are_same(const struct families *a, const struct families *b)
{
	for (uint32_t i = 0; i < a->count && i < b->count; i++)
		if (!slice_equal(a->items[i], b->items[i]))
			return false;
	return a->count == b->count && slice_equal(a->policy, b->policy);
}

void
gw_families_replace(struct gw_state *state,
    const struct gw_backend_node *service, const struct gw_object *before)
{
	must(state != NULL && service != NULL);
	struct families was = families_at(before);
	struct families is = families_at(service->node.object);

	if (service->fleet_count > 0 && !are_same(&was, &is))
		state->gateways_stale = true;
}

/* Without families any will do. */
static enum addr_want
want_of(const struct families *families)
{
	if (slice_equal(families->policy, REQUIRED))
		return ADDR_BOTH;
	if (families->count == 0)
		return ADDR_EITHER;
	bool six = slice_equal(families->items[0], SLICE("IPv6"));

	if (families->count > 1)
		return six ? ADDR_BOTH_IF_CAN_SIX : ADDR_BOTH_IF_CAN;
	return six ? ADDR_IPV6 : ADDR_IPV4;
}

/* Who would have both, and has one, is in a cluster of one. */
static bool
is_of_cluster(const struct families *families)
{
	return slice_equal(families->policy, PREFERRED);
}

void
gw_ask_families_of(struct gw_ask *ask, const struct gw_service_spec *service)
{
	must(ask != NULL && service != NULL);
	struct families families = families_of(service);

	ask->want = want_of(&families);
	if (!is_of_cluster(&families))
		ask->both_by = SLICE("ipFamilyPolicy");
}

/* ---- of a Gateway's ---- */

/* What an EnvoyProxy asks for, if anything. */
static struct families
read_asked(const struct gw_owner_node *gateway, struct arena *arena)
{
	const struct tree_node *policy =
	    gw_parameter(gateway->service, "spec.ipFamilyPolicy");
	const struct tree_node *list =
	    gw_parameter(gateway->service, "spec.ipFamilies");
	uint32_t room = list ? list->count : 0;
	struct slice *items = arena_zero(arena, room + 1, sizeof(*items));
	struct families asked = {.items = items};

	if (policy && policy->kind == TREE_TEXT)
		asked.policy = policy->text;
	for (const struct tree_node *at = list ? list->child : NULL; at;
	     at = at->next)
		if (at->kind == TREE_TEXT)
			items[asked.count++] = at->text;
	return asked;
}

/* Is it what was asked for, filled in by the API server? Else it is still to
 * become that, if the API server lets it. */
static bool
is_as_asked(const struct families *is, const struct families *asked)
{
	if (is->count < asked->count)
		return false;
	for (uint32_t i = 0; i < asked->count; i++)
		if (!slice_equal(is->items[i], asked->items[i]))
			return false;
	return asked->policy.length == 0 ||
	    slice_equal(is->policy, asked->policy);
}

/* The Service is as asked, or still to come: then it will be. Else what leads
 * to it stays until it is. */
static enum addr_want
settle(const struct gw_owner_node *gateway, struct families *families)
{
	const struct gw_node *service = gateway->fleet_edge.node;
	struct families is = families_at(service ? service->object : NULL);

	if (is.count > 0 && !is_as_asked(&is, families))
		return ADDR_AS_HELD;
	if (is.count > 0)
		*families = is;
	return want_of(families);
}

void
gw_ask_families(const struct gw_state *state, struct gw_owner_node *gateway)
{
	must(state != NULL && gateway != NULL);
	struct gw_ask *ask = &gateway->ask;
	struct families families = read_asked(gateway, &gateway->arena);
	bool asked = families.policy.length > 0 || families.count > 0;

	/* On one host nothing but itself leads to what it names. */
	if (!state->has_fleets && (!asked || ask->some == 0))
		return;
	if (!asked)
		families.policy = PREFERRED;
	enum addr_want want =
	    state->has_fleets ? settle(gateway, &families) : want_of(&families);

	/* Of more than one family each: spec.addresses says how many. */
	if ((asked && ask->some <= 1) || want == ADDR_IPV4 || want == ADDR_IPV6)
		ask->want = want;
	if (!is_of_cluster(&families))
		ask->both_by =
		    arena_format(&gateway->arena, "ipFamily of EnvoyProxy %.*s",
		        SLICE_ARGS(gateway->parameters_name));
}

void
gw_fleet_put_families(struct arena *arena, struct tree_node *document)
{
	struct tree_node *spec = gw_tree_map(arena, document, "spec");

	if (!wire_tree_get(spec, "ipFamilies") &&
	    !wire_tree_get(spec, "ipFamilyPolicy"))
		gw_tree_put(spec, SLICE("ipFamilyPolicy"),
		    gw_tree_text(arena, PREFERRED));
}
