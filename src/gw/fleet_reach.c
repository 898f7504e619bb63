/* How a Gateway's fleet is reached: by which addresses, and whether they have
 * ever answered. A pod that is ready is not enough: what leads to it
 * (kube-proxy) may need a moment more. So an address is asked for once a pod of
 * the fleet is ready, and told when it answers; it stays told, as the Gateway's
 * own status remembers, while the fleet's Service has it. */
#include "gw/fleet_priv.h"

static void
add_address(struct gw_status_address *addresses, uint32_t *count,
    struct gw_status_address address)
{
	if (address.value.length > 0)
		addresses[(*count)++] = address;
}

static bool
is_balanced(const struct gw_object *service)
{
	return slice_equal(service->service->spec->type, SLICE("LoadBalancer"));
}

/* What it has within the cluster. */
static uint32_t
inner_address(const struct gw_object *service, struct arena *arena,
    struct gw_status_address **addresses)
{
	uint32_t count = 0;

	*addresses = arena_zero(arena, 1, sizeof(**addresses));
	add_address(*addresses, &count,
	    (struct gw_status_address){.type = SLICE("IPAddress"),
	        .value = service->service->spec->cluster_ip});
	return count;
}

/* What a load balancer gave. */
static uint32_t
balanced_addresses(const struct gw_object *service, struct arena *arena,
    struct gw_status_address **addresses)
{
	const struct gw_load_balancer_status *given =
	    service->told_service ? service->told_service->load_balancer : NULL;
	uint32_t given_count = given ? given->ingress_count : 0, count = 0;

	*addresses = arena_zero(arena, given_count + 1, sizeof(**addresses));
	for (uint32_t i = 0; i < given_count; i++) {
		bool ip = given->ingress[i].ip.length > 0;

		add_address(*addresses, &count,
		    (struct gw_status_address){
		        .type = ip ? SLICE("IPAddress") : SLICE("Hostname"),
		        .value = ip ? given->ingress[i].ip
		                    : given->ingress[i].hostname});
	}
	return count;
}

/* Where there is no load balancer, as an EnvoyProxy may ask, other addresses.
 */
static uint32_t
given_addresses(const struct gw_state *state,
    const struct gw_backend_node *service, struct arena *arena,
    struct gw_status_address **addresses)
{
	const struct gw_object *object = service->node.object;

	if (is_balanced(object))
		return balanced_addresses(object, arena, addresses);
	if (gw_fleet_is_at_nodes(object) && state->nodes[GW_NODE].count > 0)
		return gw_fleet_node_addresses(
		    state, service, arena, addresses);
	return inner_address(object, arena, addresses);
}

static bool
is_told(const struct gw_told_addresses *told, struct slice address)
{
	for (uint32_t i = 0; told && i < told->addresses_count; i++)
		if (slice_equal(told->addresses[i].value, address))
			return true;
	return false;
}

/* Its Service is being made anew, and will be given the same. */
static uint32_t
kept_addresses(const struct gw_owner_node *gateway, struct arena *arena,
    struct gw_status_address **addresses)
{
	const struct gw_placed *placed = &gateway->placed;
	const struct gw_told_addresses *told =
	    gateway->node.object->told_addresses;
	uint32_t count = 0;

	*addresses = arena_zero(arena, placed->count + 1, sizeof(**addresses));
	for (uint32_t i = 0; i < placed->count; i++)
		if (is_told(told, placed->items[i].text))
			add_address(*addresses, &count,
			    (struct gw_status_address){
			        .type = SLICE("IPAddress"),
			        .value = placed->items[i].text});
	return count;
}

/* Has another load balancer given all that is asked for by name? */
static bool
is_as_asked(const struct gw_state *state, const struct gw_owner_node *gateway)
{
	const struct gw_service_status *service =
	    gw_fleet_service_status(gateway);
	const struct gw_load_balancer_status *given =
	    service ? service->load_balancer : NULL;
	uint32_t found = 0;

	if (gateway->ask.named_count > 0 && gw_fleet_balances(state, gateway))
		return false;
	for (uint32_t i = 0; i < gateway->ask.named_count; i++)
		for (uint32_t j = 0; given && j < given->ingress_count; j++) {
			struct addr_ip ip;

			found += addr_ip_parse(given->ingress[j].ip, &ip) &&
			    addr_ip_compare(&ip, &gateway->ask.named[i].ip) ==
			        0;
		}
	return found == gateway->ask.named_count;
}

/* Of those that its Service has, which are told, and which are asked. */
static void
sort_given(const struct gw_owner_node *gateway,
    const struct gw_backend_node *service, struct arena *arena, uint32_t given,
    struct gw_fleet_reach *reach)
{
	const struct gw_told_addresses *told =
	    gateway->node.object->told_addresses;
	bool ready = gw_backend_is_ready(service);
	struct gw_status_address *all = reach->addresses;
	uint32_t known = 0;

	reach->addresses = arena_zero(arena, given + 1, sizeof(*all));
	reach->unproven =
	    arena_zero(arena, given + 1, sizeof(*reach->unproven));
	for (uint32_t i = 0; i < given; i++) {
		bool answers = is_told(told, all[i].value) ||
		    (ready && gw_fleet_has_answered(gateway, all[i].value));
		bool asked =
		    gw_fleet_can_be_asked(service->node.object, &all[i]);

		known += answers;
		if (answers || (ready && !asked))
			reach->addresses[reach->count++] = all[i];
		else if (ready)
			reach->unproven[reach->unproven_count++] = all[i].value;
	}
	reach->alone = reach->unproven_count > 0 && known == 0;
	if (!reach->alone)
		return;
	reach->addresses = all;
	reach->count = given;
}

struct gw_fleet_reach
gw_fleet_reach(const struct gw_state *state,
    const struct gw_owner_node *gateway, struct arena *arena)
{
	const struct gw_backend_node *service =
	    (void *)gateway->fleet_edge.node;
	const struct gw_object *object = service ? service->node.object : NULL;
	struct gw_fleet_reach reach = {.given = false};
	uint32_t given = 0;

	if (!service)
		return reach;
	if (object)
		given =
		    given_addresses(state, service, arena, &reach.addresses);
	reach.given = given > 0;
	reach.as_asked = is_as_asked(state, gateway);
	if (!reach.given && (!object || is_balanced(object)))
		reach.count = kept_addresses(gateway, arena, &reach.addresses);
	if (given > 0)
		sort_given(gateway, service, arena, given, &reach);
	return reach;
}

struct slice
gw_fleet_add_late(const struct gw_owner_node *gateway, struct arena *arena,
    struct slice message)
{
	struct slice late = text_slice(&gateway->fleet_words[GW_FLEET_LATE]);

	return late.length > 0 ? arena_format(arena, "%.*s; %.*s",
	                             SLICE_ARGS(message), SLICE_ARGS(late))
	                       : message;
}
