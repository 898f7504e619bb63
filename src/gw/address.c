/* Who gets which address: what Gateways ask for goes to the plan, the older
 * first, with what each had; what comes of it is what a Gateway is bound to,
 * or why it is not. */
#include "gw/address_priv.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "gw/state_priv.h"

/* Two of one host may name one address by themselves, with ports of their own:
 * no annotation has this key. */
#define HOST_KEY "\n"

/* Who asks, a Gateway or a Service, and its requests: one for what it names,
 * one for some more. */
struct asking {
	const struct gw_node *node;
	const struct gw_object *object; /* its */
	/* What a Service came with, its own or that of a Gateway's fleet; NULL:
	 * nothing */
	const struct gw_service_status *service;
	const struct gw_ask *ask;
	struct gw_placed *placed;
	struct arena *arena;
	struct gw_asker asker;
	uint32_t named, some; /* numbers of requests, or NONE */
};
enum { NONE = UINT32_MAX };

struct planning {
	struct gw_state *state;
	struct arena *work;
	bool unread; /* pools: what was given stays */
	struct gw_pools pools;
	struct addr_request *requests;
	uint32_t count;
	struct gw_taken taken; /* what is not to be given */
};

static void settle(const struct planning *planning, const struct asking *asking,
    const struct addr_outcome *all);

/* ---- what is asked ---- */

const struct gw_metadata *
gw_asker_labels(const struct gw_node *node, struct arena *arena)
{
	const struct gw_owner_node *gateway = (const void *)node;
	struct gw_metadata *made;

	if (node->kind != GW_GATEWAY)
		return node->object->metadata;
	uint32_t count = gateway->said->labels_count;

	made = arena_zero(arena, 1, sizeof(*made));
	made->labels = arena_zero(arena, count + 1, sizeof(*made->labels));
	if (count > 0)
		memcpy(made->labels, gateway->said->labels,
		    count * sizeof(*made->labels));
	made->labels[count] = (struct record_pair){
	    SLICE("gateway.networking.k8s.io/gateway-name"),
	    node->object->name};
	made->labels_count = count + 1;
	return made;
}

static bool
is_others(const struct planning *planning, const struct addr_ip *ip)
{
	const struct gw_taken *taken = &planning->taken;

	for (uint32_t i = 0; i < taken->other_count; i++)
		for (uint32_t j = 0; j < taken->items[i].named_count; j++)
			if (addr_ip_compare(&taken->items[i].named[j], ip) == 0)
				return true;
	return false;
}

/* What its status came with may be of another controller, which still has it.
 */
static uint32_t
add_told(const struct planning *planning, const struct gw_told_addresses *told,
    struct addr_ip *held)
{
	uint32_t count = 0;

	for (uint32_t i = 0; told && i < told->addresses_count; i++)
		if (addr_ip_parse(told->addresses[i].value, &held[count]) &&
		    !is_others(planning, &held[count]))
			count++;
	return count;
}

/* What it came with, then what it was given here: another replica may have
 * given it the first. A Gateway that did not answer has none in its status, but
 * in that of its fleet's Service. */
static uint32_t
gather_held(const struct planning *planning, const struct asking *asking,
    struct addr_ip **out)
{
	const struct gw_told_addresses *own = asking->object->kind == GW_GATEWAY
	    ? asking->object->told_addresses
	    : NULL;
	const struct gw_load_balancer_status *service =
	    asking->service ? asking->service->load_balancer : NULL;
	uint32_t room = (own ? own->addresses_count : 0) +
	    (service ? service->ingress_count : 0) +
	    asking->placed->held_count + 1;
	struct addr_ip *held = arena_zero(planning->work, room, sizeof(*held));
	uint32_t count = add_told(planning, own, held);

	for (uint32_t i = 0; service && i < service->ingress_count; i++)
		if (addr_ip_parse(service->ingress[i].ip, &held[count]))
			count++;
	for (uint32_t i = 0; i < asking->placed->held_count; i++)
		held[count++] = asking->placed->held[i];
	*out = held;
	return count;
}

static void
name_addresses(const struct planning *planning, const struct gw_ask *ask,
    struct addr_request *request)
{
	struct addr_ip *named =
	    arena_zero(planning->work, ask->named_count, sizeof(*named));

	for (uint32_t i = 0; i < ask->named_count; i++)
		named[i] = ask->named[i].ip;
	request->named = named;
	request->named_count = ask->named_count;
	if (planning->state->addressing == GW_ADDRESSING_HOST &&
	    ask->share.length == 0) {
		request->share = SLICE(HOST_KEY);
		request->port_count = 0;
	}
}

/* By us: what a Gateway came with may be of another. */
static bool
is_given(const struct asking *asking)
{
	const struct gw_load_balancer_status *service =
	    asking->service ? asking->service->load_balancer : NULL;

	return asking->placed->held_count > 0 ||
	    (service && service->ingress_count > 0);
}

static void
ask_for(struct planning *planning, struct asking *asking)
{
	const struct gw_object *object = asking->object;
	const struct gw_ask *ask = asking->ask;
	struct arena *work = planning->work;
	struct addr_ip *held;
	struct addr_port *ports;

	asking->asker = (struct gw_asker){
	    .namespace = object->namespace,
	    .labels = gw_asker_labels(asking->node, work),
	    .names_us = ask->names_us || is_given(asking),
	};
	struct addr_request request = {
	    .name =
	        arena_format(work, "%s %.*s/%.*s", gw_kinds[object->kind].kind,
	            SLICE_ARGS(object->namespace), SLICE_ARGS(object->name)),
	    .context = &asking->asker,
	    .want = ask->want,
	    .both_by = ask->both_by,
	    .pool = ask->pool,
	    .share = ask->share,
	    .backend = ask->backend,
	    .held_count = gather_held(planning, asking, &held),
	    .port_count = gw_asker_ports(asking->node, work, &ports),
	};

	request.held = held;
	request.ports = ports;
	asking->named = asking->some = NONE;
	if (ask->named_count > 0) {
		asking->named = planning->count++;
		planning->requests[asking->named] = request;
		name_addresses(
		    planning, ask, &planning->requests[asking->named]);
	}
	if (ask->some > 0) {
		asking->some = planning->count++;
		planning->requests[asking->some] = request;
	}
}

static int
compare_ages(const void *a, const void *b)
{
	const struct gw_object *left = ((const struct asking *)a)->object;
	const struct gw_object *right = ((const struct asking *)b)->object;
	int order;

	if (left->created != right->created)
		return left->created < right->created ? -1 : 1;
	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	order = slice_compare(left->namespace, right->namespace);
	return order ? order : slice_compare(left->name, right->name);
}

static void
blame(struct gw_placed *placed, const char *reason, struct slice message)
{
	if (placed->reason)
		return;
	placed->reason = reason;
	placed->message = message;
}

/* Why it is not ours to give, for who names one. */
static const char *
tell_left_out(const struct gw_state *state, const struct gw_owner_node *gateway)
{
	if (!gw_fleet_asks(state, gateway))
		return "an EnvoyProxy asks for a Service that is not of type "
		       "LoadBalancer, whose addresses nobody chooses";
	return slice_is_set(gw_fleet_balancer(state, gateway))
	    ? "another load balancer gives the address, by the Service's "
	      "loadBalancerClass, and has not given what is named"
	    : "another load balancer gives the address, for the Service has "
	      "no loadBalancerClass, and has not given what is named";
}

/* One that is to have none of us. */
static void
leave_out(const struct gw_state *state, struct gw_owner_node *gateway)
{
	const struct gw_ask *ask = &gateway->ask;

	gateway->asks = false;
	gw_placed_fini(&gateway->placed);
	if (gateway->ours && ask->named_count > 0)
		blame(&gateway->placed, "AddressNotUsable",
		    arena_format(&gateway->arena, "%.*s: %s",
		        SLICE_ARGS(ask->named[0].where),
		        tell_left_out(state, gateway)));
}

/* What its Service has of us: another load balancer may have it still, whose
 * class it keeps. */
static const struct gw_service_status *
given_by_us(const struct gw_state *state, const struct gw_owner_node *gateway)
{
	const struct gw_node *service = gateway->fleet_edge.node;

	return service && service->object &&
	        gw_balancer_is_for(state, service->object)
	    ? service->object->told_service
	    : NULL;
}

/* Room for all, and how many there are. */
static struct asking *
gather(struct gw_state *state, struct gw_owner_node **gateways, uint32_t count,
    uint32_t *asking_count)
{
	uint32_t asking = 0, services = gw_balancers_ask(state);
	struct asking *all =
	    arena_zero(&state->work, count + services + 1, sizeof(*all));

	for (uint32_t i = 0; i < count; i++) {
		if (!gateways[i]->ours ||
		    (state->has_fleets &&
		        !gw_fleet_balances(state, gateways[i]))) {
			leave_out(state, gateways[i]);
			continue;
		}
		gateways[i]->asks = true;
		all[asking++] = (struct asking){
		    .node = &gateways[i]->node,
		    .object = gateways[i]->node.object,
		    .service = given_by_us(state, gateways[i]),
		    .ask = &gateways[i]->ask,
		    .placed = &gateways[i]->placed,
		    .arena = &gateways[i]->arena,
		};
	}
	LIST_FOR_EACH(at, &state->balancers)
	{
		struct gw_balancer *balancer =
		    container_of(at, struct gw_balancer, link);

		all[asking++] = (struct asking){
		    .node = &balancer->service->node,
		    .object = balancer->service->node.object,
		    .service = balancer->service->node.object->told_service,
		    .ask = &balancer->ask,
		    .placed = &balancer->placed,
		    .arena = &balancer->arena,
		};
	}
	qsort(all, asking, sizeof(*all), compare_ages);
	*asking_count = asking;
	return all;
}

void
gw_addresses_judge(
    struct gw_state *state, struct gw_owner_node **gateways, uint32_t count)
{
	must(state != NULL);
	struct arena *work = &state->work;
	struct planning planning = {.state = state,
	    .work = work,
	    .unread = gw_is_unread(state, GW_IPADDRESSPOOL)};
	uint32_t asking;
	struct asking *all = gather(state, gateways, count, &asking);

	planning.requests =
	    arena_zero(work, 2 * asking + 1, sizeof(struct addr_request));
	gw_pools_gather(state, work, &planning.pools);
	gw_taken_gather(state, work, &planning.taken);
	for (uint32_t i = 0; i < asking; i++)
		ask_for(&planning, &all[i]);
	if (planning.unread)
		gw_unread_hold(
		    planning.requests, planning.count, work, &planning.pools);
	struct addr_plan plan = {
	    .pools = planning.pools.items,
	    .pool_count = planning.pools.count,
	    .requests = planning.requests,
	    .request_count = planning.count,
	    .others = planning.taken.items,
	    .other_count = planning.taken.count,
	    .loopback = state->addressing == GW_ADDRESSING_HOST,
	    .fits = planning.unread ? NULL : gw_pool_fits,
	    .context = state,
	};
	struct addr_outcome *outcomes = addr_plan_make(&plan, work);

	for (uint32_t i = 0; i < asking; i++)
		settle(&planning, &all[i], outcomes);
	if (!planning.unread)
		gw_pools_count(state, &plan, outcomes);
}

/* ---- what came of it ---- */

static struct slice
tell_silence(const struct planning *planning, const struct asking *asking,
    const struct gw_object *pool)
{
	return planning->state->addressing == GW_ADDRESSING_CLUSTER
	    ? gw_pool_silence(
	          planning->state, pool, asking->asker.labels, asking->arena)
	    : SLICE_NONE;
}

static void
place(const struct planning *planning, const struct asking *asking,
    const struct addr_ip *ip, const struct addr_pool *pool)
{
	struct gw_placed *placed = asking->placed;
	char text[ADDR_IP_BYTES];

	if (pool)
		placed->held[placed->held_count++] = *ip;
	if (planning->unread)
		pool = NULL;
	placed->items[placed->count++] = (struct gw_address){
	    .text = arena_copy(asking->arena, addr_ip_print(ip, text)),
	    .pool = pool ? arena_copy(asking->arena, pool->name) : SLICE_NONE,
	    .pool_namespace = pool
	        ? arena_copy(asking->arena, gw_pool_namespace(pool))
	        : SLICE_NONE,
	    .family = ip->family,
	    .also_metallbs =
	        pool && gw_pool_is_metallbs(planning->state, pool->context),
	    .silence = pool ? tell_silence(planning, asking, pool->context)
	                    : SLICE_NONE,
	};
}

static struct slice
tell_unread(const struct planning *planning, const struct asking *asking)
{
	return arena_format(asking->arena,
	    "nothing is given now but what was given before: %.*s",
	    SLICE_ARGS(gw_unread_why(
	        planning->state, GW_IPADDRESSPOOL, asking->arena)));
}

/* Why it cannot have it, and what would help. */
static struct slice
tell_fault(const struct planning *planning, const struct asking *asking,
    enum addr_fault fault, struct slice message)
{
	const struct gw_state *state = planning->state;

	if (planning->unread && fault != ADDR_TAKEN && fault != ADDR_UNUSABLE)
		return tell_unread(planning, asking);
	if (fault != ADDR_POOL_NOT_FOR || asking->asker.names_us ||
	    state->metallb.length == 0)
		return arena_copy(asking->arena, message);
	return arena_format(asking->arena,
	    "MetalLB runs in this cluster (%.*s) and gives the addresses of "
	    "its "
	    "pools: say " GW_BALANCER_CLASS
	    ": \"true\" in spec.infrastructure.annotations to have one of "
	    "yumen "
	    "all the same, or use a pool in namespace %.*s, which MetalLB does "
	    "not read",
	    SLICE_ARGS(text_slice(&state->metallb)),
	    SLICE_ARGS(state->fleet.namespace));
}

/* On one host an address that no pool has is the host's own, or becomes it;
 * 0.0.0.0 and :: are all that it has. */
static bool
is_good(const struct planning *planning, const struct addr_given *given)
{
	enum addr_fault fault = given->fault;

	return fault == ADDR_GOOD ||
	    (planning->state->addressing == GW_ADDRESSING_HOST &&
	        (fault == ADDR_NO_POOLS || fault == ADDR_IN_NO_POOL ||
	            given->ip.number == 0));
}

static void
settle_named(const struct planning *planning, const struct asking *asking,
    const struct addr_outcome *outcome)
{
	for (uint32_t i = 0; i < outcome->count; i++) {
		const struct addr_given *given = &outcome->items[i];

		if (is_good(planning, given))
			place(planning, asking, &given->ip, given->pool);
		else
			blame(asking->placed, "AddressNotUsable",
			    arena_format(asking->arena, "%.*s: %.*s",
			        SLICE_ARGS(asking->ask->named[i].where),
			        SLICE_ARGS(tell_fault(planning, asking,
			            given->fault, given->message))));
	}
}

/* On one host who does not ask for a pool need not have an address of one. */
static bool
may_go_without(const struct planning *planning, const struct asking *asking,
    enum addr_fault fault)
{
	return planning->state->addressing == GW_ADDRESSING_HOST &&
	    !slice_is_set(asking->ask->pool) &&
	    (fault == ADDR_NO_POOLS || fault == ADDR_POOL_NOT_FOR ||
	        fault == ADDR_POOL_MANUAL);
}

/* That a pool goes opens no port on every address. */
static bool
waits(const struct asking *asking)
{
	return asking->placed->pooled && asking->ask->named_count == 0;
}

/* Who asked for the pool, where it was not who asks. */
static struct slice
tell_pool_fault(const struct planning *planning, const struct asking *asking,
    const struct addr_outcome *outcome)
{
	struct slice fault =
	    tell_fault(planning, asking, outcome->fault, outcome->message);

	if (waits(asking) && may_go_without(planning, asking, outcome->fault))
		fault = arena_format(asking->arena,
		    "%.*s; it had one of a pool: to serve every address of the "
		    "host instead, name 0.0.0.0 or :: in spec.addresses",
		    SLICE_ARGS(fault));
	return slice_is_set(asking->ask->pool_where)
	    ? arena_format(asking->arena, "%.*s: %.*s",
	          SLICE_ARGS(asking->ask->pool_where), SLICE_ARGS(fault))
	    : fault;
}

static struct slice
tell_too_few(const struct planning *planning, const struct asking *asking,
    uint32_t count)
{
	const struct gw_ask *ask = asking->ask;
	bool one = ask->want == ADDR_IPV4 || ask->want == ADDR_IPV6;

	return planning->unread
	    ? tell_unread(planning, asking)
	    : arena_format(asking->arena,
	          "spec.addresses: %u have no value, and pools have %u for "
	          "them: one of each family that a pool has%s",
	          ask->some, count, one ? ", and that the Service has" : "");
}

static void
settle_some(const struct planning *planning, const struct asking *asking,
    const struct addr_outcome *outcome)
{
	for (uint32_t i = 0; i < outcome->count; i++)
		place(planning, asking, &outcome->items[i].ip,
		    outcome->items[i].pool);
	if (outcome->fault == ADDR_GOOD) {
		if (outcome->count < asking->ask->some)
			blame(asking->placed, "AddressNotAssigned",
			    tell_too_few(planning, asking, outcome->count));
		return;
	}
	if (waits(asking) || !may_go_without(planning, asking, outcome->fault))
		blame(asking->placed, "AddressNotAssigned",
		    tell_pool_fault(planning, asking, outcome));
	else if (asking->ask->named_count == 0 &&
	    !slice_is_set(asking->ask->fault))
		asking->placed->every = true;
}

static int
compare_addresses(const void *a, const void *b)
{
	const struct gw_address *left = a, *right = b;
	struct addr_ip ips[2] = {0};

	(void)addr_ip_parse(left->text, &ips[0]);
	(void)addr_ip_parse(right->text, &ips[1]);
	return addr_ip_compare(&ips[0], &ips[1]);
}

static void
settle(const struct planning *planning, const struct asking *asking,
    const struct addr_outcome *all)
{
	struct gw_placed *placed = asking->placed;
	const struct gw_ask *ask = asking->ask;
	uint32_t room = ask->named_count + 2;
	bool pooled = placed->pooled;

	gw_placed_fini(placed);
	placed->pooled = pooled;
	placed->held = memory_zero(room, sizeof(*placed->held));
	placed->items = arena_zero(asking->arena, room, sizeof(*placed->items));
	placed->bound = arena_zero(asking->arena, room, sizeof(*placed->bound));
	if (slice_is_set(ask->fault))
		blame(placed, "AddressNotUsable", ask->fault);
	if (asking->named != NONE)
		settle_named(planning, asking, &all[asking->named]);
	if (asking->some != NONE)
		settle_some(planning, asking, &all[asking->some]);
	if (placed->count > 1)
		qsort(placed->items, placed->count, sizeof(*placed->items),
		    compare_addresses);
	if (planning->state->addressing != GW_ADDRESSING_HOST)
		return;
	placed->missing = placed->count == 0 && !placed->every;
	if (!placed->missing)
		placed->pooled = placed->held_count > 0;
	placed->bound_count = placed->count;
	for (uint32_t i = 0; i < placed->count; i++)
		placed->bound[i] = placed->items[i].text;
}
