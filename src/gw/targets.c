/* What serves the ports of an address, where announcers lead what comes for it
 * to pods of their own node: the endpoints of its Services, by node. On a node
 * where some are ready those that end get nothing new. What is past a limit, or
 * not for every client, is left out, and told to who has the address. */
#include <netinet/in.h>
#include <stdlib.h>

#include "core/limit.h"
#include "gw/address_priv.h"
#include "gw/state_priv.h"

static int64_t
transport_of(struct slice protocol)
{
	if (slice_equal(protocol, SLICE("UDP")))
		return IPPROTO_UDP;
	return slice_equal(protocol, SLICE("SCTP")) ? IPPROTO_SCTP
	                                            : IPPROTO_TCP;
}

struct target {
	struct unit_claim_target record;
	bool ready;
};

/* Of a port. */
struct gathering {
	const struct gw_service_port *port;
	struct target *found;
	uint32_t count;
};

/* The number that a slice's endpoints have for the port; 0: none. */
static int64_t
number_of(const struct gathering *gathering, const struct gw_endpointslice *of)
{
	const struct gw_service_port *port = gathering->port;

	for (uint32_t i = 0; i < of->ports_count; i++)
		if (slice_equal(of->ports[i].name, port->name) &&
		    transport_of(of->ports[i].protocol) ==
		        transport_of(port->protocol))
			return of->ports[i].port;
	return 0;
}

static void
gather(struct gathering *gathering, const struct gw_endpointslice *of)
{
	int64_t number = number_of(gathering, of);

	for (uint32_t i = 0; number > 0 && i < of->endpoints_count; i++) {
		const struct gw_endpoint *endpoint = &of->endpoints[i];
		struct target *target = &gathering->found[gathering->count];

		if (endpoint->addresses_count == 0 ||
		    !gw_endpoint_serves(endpoint, &target->ready))
			continue;
		target->record = (struct unit_claim_target){
		    endpoint->node_name, endpoint->addresses[0], number, false};
		gathering->count++;
	}
}

static int
compare(const void *a, const void *b)
{
	const struct target *left = a, *right = b;
	int order = slice_compare(left->record.node, right->record.node);

	if (order == 0 && left->ready != right->ready)
		order = left->ready ? -1 : 1;
	if (order == 0)
		order =
		    slice_compare(left->record.address, right->record.address);
	return order;
}

/* Of several the first is told of. */
static void
omit_targets(struct gw_targets *targets, const struct unit_claim_port *port,
    struct slice node)
{
	if (!slice_is_set(targets->omitted))
		targets->omitted = arena_format(targets->arena,
		    "more than %d pods of node %.*s serve port %lld: "
		    "announcers lead to the first %d of them by address",
		    LIMIT_VALUE_FORWARD_TARGETS, SLICE_ARGS(node),
		    (long long)port->port, LIMIT_VALUE_FORWARD_TARGETS);
}

/* In order, each once; at most LIMIT_FORWARD_TARGETS of a node. Flows of UDP
 * stay with a pod that ends, which is told of for that. */
static void
take(struct gw_targets *targets, struct gathering *gathering,
    struct unit_claim_port *port)
{
	const struct target *all = gathering->found;
	uint32_t first = 0, kept = 0;

	port->targets = arena_zero(
	    targets->arena, gathering->count + 1, sizeof(*port->targets));
	if (gathering->count > 1)
		qsort(
		    gathering->found, gathering->count, sizeof(*all), compare);
	for (uint32_t i = 0; i < gathering->count; i++) {
		if (!slice_equal(all[first].record.node, all[i].record.node)) {
			first = i;
			kept = 0;
		}
		bool again = i > first &&
		    slice_equal(
		        all[i - 1].record.address, all[i].record.address);
		bool ends = all[first].ready && !all[i].ready;
		if (again || (ends && port->transport != IPPROTO_UDP))
			continue;
		if (kept == LIMIT_VALUE_FORWARD_TARGETS) {
			if (!ends)
				omit_targets(targets, port, all[i].record.node);
			continue;
		}
		kept++;
		port->targets[port->targets_count] = all[i].record;
		port->targets[port->targets_count++].ending = ends;
	}
}

static void
add_port(struct gw_targets *targets, const struct gw_backend_node *service,
    const struct gw_service_port *port, struct slice address)
{
	struct gathering gathering = {.port = port};
	uint32_t room = 1;

	LIST_FOR_EACH(at, &service->slices)
	{
		const struct gw_endpointslice *slice = gw_slice_at(at, address);
		room += slice ? slice->endpoints_count : 0;
	}
	gathering.found =
	    arena_zero(targets->arena, room, sizeof(*gathering.found));
	LIST_FOR_EACH(at, &service->slices)
	{
		const struct gw_endpointslice *slice = gw_slice_at(at, address);
		if (slice)
			gather(&gathering, slice);
	}
	struct unit_claim_port *made = &targets->ports[targets->count++];
	*made = (struct unit_claim_port){
	    .port = port->port, .transport = transport_of(port->protocol)};
	take(targets, &gathering, made);
}

/* Announcers let in whom they lead; kube-proxy knows whom to refuse. */
static void
omit_service(struct gw_targets *targets, const struct gw_object *service)
{
	if (!slice_is_set(targets->omitted))
		targets->omitted = arena_format(targets->arena,
		    "announcers do not lead to the pods of Service "
		    "%.*s/%.*s, whose loadBalancerSourceRanges they would "
		    "not hold clients to: that is left to kube-proxy",
		    SLICE_ARGS(service->namespace), SLICE_ARGS(service->name));
}

void
gw_targets_ask(struct gw_targets *targets, const struct gw_node *service,
    struct slice address)
{
	const struct gw_service_spec *spec =
	    service && service->object ? service->object->service->spec : NULL;
	uint32_t count = spec ? spec->ports_count : 0;
	struct unit_claim_port *ports = arena_zero(
	    targets->arena, targets->count + count + 1, sizeof(*ports));

	for (uint32_t i = 0; i < targets->count; i++)
		ports[i] = targets->ports[i];
	targets->ports = ports;
	if (spec && spec->load_balancer_source_ranges_count > 0) {
		omit_service(targets, service->object);
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		add_port(
		    targets, (const void *)service, &spec->ports[i], address);
}

static int
compare_ports(const void *a, const void *b)
{
	const struct unit_claim_port *left = a, *right = b;

	if (left->port != right->port)
		return left->port < right->port ? -1 : 1;
	return (int)(left->transport - right->transport);
}

struct slice
gw_targets_end(struct gw_targets *targets, struct unit_claim *claim)
{
	if (targets->count > 1)
		qsort(targets->ports, targets->count, sizeof(*targets->ports),
		    compare_ports);
	claim->ports = targets->ports;
	claim->ports_count = targets->count;
	if (targets->count > LIMIT_VALUE_FORWARD_PORTS) {
		claim->ports_count = LIMIT_VALUE_FORWARD_PORTS;
		targets->omitted = arena_format(targets->arena,
		    "it has %u ports: announcers lead what comes for the "
		    "lowest %d of them to pods",
		    targets->count, LIMIT_VALUE_FORWARD_PORTS);
	}
	return targets->omitted;
}
