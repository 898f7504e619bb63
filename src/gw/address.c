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

/* Who asks, and its requests: one for what it names, one for some more. */
struct asking {
	struct gw_owner_node *gateway;
	struct gw_asker asker;
	uint32_t named, some; /* numbers of requests, or NONE */
};
enum { NONE = UINT32_MAX };

struct planning {
	struct gw_state *state;
	struct gw_pools pools;
	struct addr_request *requests;
	uint32_t count;
};

static void settle(
    struct planning *planning, struct asking *asking, struct addr_outcome *all);

void
gw_placed_fini(struct gw_placed *placed)
{
	memory_free(placed->held);
	*placed = (struct gw_placed){0};
}

/* ---- what is asked ---- */

/* As the labels of the Service that it would have. */
static const struct gw_metadata *
labels_of(const struct gw_owner_node *gateway, struct arena *arena)
{
	const struct gw_infrastructure *infrastructure =
	    gateway->node.object->gateway->spec->infrastructure;
	struct gw_metadata *made = arena_zero(arena, 1, sizeof(*made));
	uint32_t count = infrastructure ? infrastructure->labels_count : 0;

	made->labels = arena_zero(arena, count + 1, sizeof(*made->labels));
	if (count > 0)
		memcpy(made->labels, infrastructure->labels,
		    count * sizeof(*made->labels));
	made->labels[count] = (struct record_pair){
	    SLICE("gateway.networking.k8s.io/gateway-name"),
	    gateway->node.object->name};
	made->labels_count = count + 1;
	return made;
}

/* What it came with, then what it was given here: another replica may have
 * given it the first. */
static uint32_t
gather_held(const struct gw_owner_node *gateway, struct arena *arena,
    struct addr_ip **held)
{
	const struct gw_told_addresses *told =
	    gateway->node.object->told_addresses;
	uint32_t count = 0,
	         room = gateway->placed.held_count +
	    (told ? told->addresses_count : 0);

	*held = arena_zero(arena, room + 1, sizeof(**held));
	for (uint32_t i = 0; told && i < told->addresses_count; i++)
		if (addr_ip_parse(told->addresses[i].value, &(*held)[count]))
			count++;
	for (uint32_t i = 0; i < gateway->placed.held_count; i++)
		(*held)[count++] = gateway->placed.held[i];
	return count;
}

static uint32_t
gather_ports(const struct gw_owner_node *gateway, struct arena *arena,
    struct addr_port **ports)
{
	*ports =
	    arena_zero(arena, gateway->listener_count + 1, sizeof(**ports));
	for (uint32_t i = 0; i < gateway->listener_count; i++) {
		const struct gw_listener *spec = gateway->listeners[i].spec;

		(*ports)[i] = (struct addr_port){
		    .protocol = slice_equal(spec->protocol, SLICE("UDP"))
		        ? SLICE("UDP")
		        : SLICE("TCP"),
		    .number = spec->port,
		};
	}
	return gateway->listener_count;
}

static void
name_addresses(struct planning *planning, const struct gw_ask *ask,
    struct addr_request *request)
{
	struct addr_ip *named = arena_zero(
	    &planning->state->work, ask->named_count, sizeof(*named));

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

static void
ask_for(struct planning *planning, struct asking *asking)
{
	struct arena *work = &planning->state->work;
	const struct gw_owner_node *gateway = asking->gateway;
	const struct gw_ask *ask = &gateway->ask;
	struct addr_ip *held;
	struct addr_port *ports;

	asking->asker = (struct gw_asker){
	    .namespace = gw_node_namespace(&gateway->node),
	    .labels = labels_of(gateway, work),
	};
	struct addr_request request = {
	    .name = arena_format(
	        work, "Gateway %.*s", SLICE_ARGS(gw_node_key(&gateway->node))),
	    .context = &asking->asker,
	    .want = ask->some > 1 ? ADDR_BOTH_IF_CAN : ADDR_EITHER,
	    .pool = ask->pool,
	    .share = ask->share,
	    .held_count = gather_held(gateway, work, &held),
	    .port_count = gather_ports(gateway, work, &ports),
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

void
gw_addresses_judge(
    struct gw_state *state, struct gw_owner_node **aged, uint32_t count)
{
	must(state != NULL);
	struct arena *work = &state->work;
	struct asking *all = arena_zero(work, count + 1, sizeof(*all));
	struct planning planning = {
	    .state = state,
	    .requests =
	        arena_zero(work, 2 * count + 1, sizeof(struct addr_request)),
	};
	uint32_t asking = 0;

	gw_pools_gather(state, work, &planning.pools);
	for (uint32_t i = 0; i < count; i++) {
		if (!aged[i]->ours) {
			gw_placed_fini(&aged[i]->placed);
			continue;
		}
		all[asking].gateway = aged[i];
		ask_for(&planning, &all[asking++]);
	}
	struct addr_plan plan = {
	    .pools = planning.pools.items,
	    .pool_count = planning.pools.count,
	    .requests = planning.requests,
	    .request_count = planning.count,
	    .fits = gw_pool_fits,
	    .context = state,
	};
	struct addr_outcome *outcomes = addr_plan_make(&plan, work);

	for (uint32_t i = 0; i < asking; i++)
		settle(&planning, &all[i], outcomes);
}

/* ---- what came of it ---- */

static void
blame(struct gw_placed *placed, const char *reason, struct slice message)
{
	if (placed->reason)
		return;
	placed->reason = reason;
	placed->message = message;
}

static void
place(struct gw_owner_node *gateway, const struct addr_ip *ip,
    const struct addr_pool *pool)
{
	struct gw_placed *placed = &gateway->placed;
	char text[ADDR_IP_BYTES];

	if (pool)
		placed->held[placed->held_count++] = *ip;
	placed->items[placed->count++] = (struct gw_address){
	    .text = arena_copy(&gateway->arena, addr_ip_print(ip, text)),
	    .pool = pool ? arena_copy(&gateway->arena, pool->name) : SLICE_NONE,
	    .family = ip->family,
	};
}

/* On one host an address that no pool has is the host's own, or becomes it. */
static bool
is_good(const struct planning *planning, enum addr_fault fault)
{
	return fault == ADDR_GOOD ||
	    (planning->state->addressing == GW_ADDRESSING_HOST &&
	        (fault == ADDR_NO_POOLS || fault == ADDR_IN_NO_POOL));
}

static void
settle_named(const struct planning *planning, struct gw_owner_node *gateway,
    const struct addr_outcome *outcome)
{
	for (uint32_t i = 0; i < outcome->count; i++) {
		const struct addr_given *given = &outcome->items[i];

		if (is_good(planning, given->fault))
			place(gateway, &given->ip, given->pool);
		else
			blame(&gateway->placed, "AddressNotUsable",
			    arena_format(&gateway->arena, "%.*s: %.*s",
			        SLICE_ARGS(gateway->ask.named[i].where),
			        SLICE_ARGS(given->message)));
	}
}

/* On one host who does not ask for a pool need not have an address of one. */
static bool
may_go_without(const struct planning *planning,
    const struct gw_owner_node *gateway, enum addr_fault fault)
{
	return planning->state->addressing == GW_ADDRESSING_HOST &&
	    !slice_is_set(gateway->ask.pool) &&
	    (fault == ADDR_NO_POOLS || fault == ADDR_POOL_NOT_FOR ||
	        fault == ADDR_POOL_MANUAL);
}

static void
settle_some(const struct planning *planning, struct gw_owner_node *gateway,
    const struct addr_outcome *outcome)
{
	for (uint32_t i = 0; i < outcome->count; i++)
		place(gateway, &outcome->items[i].ip, outcome->items[i].pool);
	if (outcome->fault == ADDR_GOOD) {
		if (outcome->count < gateway->ask.some)
			blame(&gateway->placed, "AddressNotAssigned",
			    arena_format(&gateway->arena,
			        "spec.addresses: %u have no value, and pools "
			        "have %u for them: one of each family that a "
			        "pool has",
			        gateway->ask.some, outcome->count));
		return;
	}
	if (!may_go_without(planning, gateway, outcome->fault))
		blame(&gateway->placed, "AddressNotAssigned",
		    arena_copy(&gateway->arena, outcome->message));
	else if (gateway->ask.named_count == 0 &&
	    !slice_is_set(gateway->ask.fault))
		gateway->placed.every = true;
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
settle(
    struct planning *planning, struct asking *asking, struct addr_outcome *all)
{
	struct gw_owner_node *gateway = asking->gateway;
	struct gw_placed *placed = &gateway->placed;
	const struct gw_ask *ask = &gateway->ask;
	uint32_t room = ask->named_count + 2;

	gw_placed_fini(placed);
	placed->held = memory_zero(room, sizeof(*placed->held));
	placed->items =
	    arena_zero(&gateway->arena, room, sizeof(*placed->items));
	placed->bound =
	    arena_zero(&gateway->arena, room, sizeof(*placed->bound));
	if (slice_is_set(ask->fault))
		blame(placed, "AddressNotUsable", ask->fault);
	if (asking->named != NONE)
		settle_named(planning, gateway, &all[asking->named]);
	if (asking->some != NONE)
		settle_some(planning, gateway, &all[asking->some]);
	if (placed->count > 1)
		qsort(placed->items, placed->count, sizeof(*placed->items),
		    compare_addresses);
	if (planning->state->addressing != GW_ADDRESSING_HOST)
		return;
	placed->missing = placed->count == 0 && !placed->every;
	placed->bound_count = placed->count;
	for (uint32_t i = 0; i < placed->count; i++)
		placed->bound[i] = placed->items[i].text;
}

uint32_t
gw_state_addresses(const struct gw_state *state, struct slice namespace,
    struct slice name, const struct gw_address **addresses)
{
	must(state != NULL && addresses != NULL);
	const struct gw_owner_node *gateway =
	    (const void *)gw_node_get(state, GW_GATEWAY, namespace, name);

	*addresses = gateway ? gateway->placed.items : NULL;
	return gateway ? gateway->placed.count : 0;
}
