/* What reconcile is told once: whose classes are ours, what the data plane can
 * do, where addresses come from. */
#ifndef YUMEN_GW_OPTIONS_H
#define YUMEN_GW_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "core/slice.h"
#include "gw/fleet.h"

/* What a data plane may carry besides requests of HTTP/1 in clear text. What it
 * does not is refused, in a condition that says so. */
enum gw_carry {
	GW_CARRY_HTTPS = 1, /* listeners of this protocol */
	GW_CARRY_TLS = 2,
	GW_CARRY_TCP = 4,
	GW_CARRY_UDP = 8,
	GW_CARRY_BACKEND_TLS = 16, /* towards backends */
	GW_CARRY_HTTP2 = 32, /* with clients and backends: gRPC needs it */
	GW_CARRY_FLEETS = 64, /* each Gateway has proxies of its own */
};

/* Where the addresses of Gateways come from, and what they are bound to. */
enum gw_addressing {
	/* This is one host: what is named is bound, of a pool or not; what asks
	 * for nothing gets an address of a pool that gives some, else is on
	 * every address. */
	GW_ADDRESSING_HOST,
	/* A cluster: each address is a pool's, and leads to pods of the
	 * Gateway's own, which listen on all that they have. */
	GW_ADDRESSING_CLUSTER,
};

/* The loadBalancerClass of Services that yumen gives addresses, and the
 * condition by which it says so. */
#define GW_BALANCER_CLASS "yumen.dev/lb"
#define GW_BALANCER_CONDITION "yumen.dev/AddressesAssigned"
/* The condition of a Gateway or Service that says which other machine has an
 * address of its; there while one does. */
#define GW_CONFLICT_CONDITION "yumen.dev/AddressConflict"

struct gw_options {
	/* classes that are ours; none: all */
	const struct slice *controller_names;
	uint32_t controller_name_count;
	/* files: a namespace needs no Namespace object */
	bool namespaces_implied;
	/* a cluster: no class is ours without an object that says so */
	bool classes_told;
	enum gw_addressing addressing;
	/* Of the namespaces whose pools of addresses count; none: all. */
	const struct slice *pool_namespaces;
	uint32_t pool_namespace_count;
	/* a cluster: Services of type LoadBalancer without a class are ours too
	 */
	bool takes_unclassed;
	/* a cluster: announcers lead what comes for addresses to pods of their
	 * own node, as if all were externalTrafficPolicy Local */
	bool forwards;
	/* a cluster: nodes that are kept from external load balancers by a
	 * label announce all the same */
	bool takes_excluded;
	bool once; /* it runs once: objects need not sleep between runs */
	uint32_t carries; /* enum gw_carry */
	/* a cluster: what is made for each Gateway, whose pods have the ports
	 * and whose Service the addresses; NULL: nothing */
	const struct gw_fleet_options *fleet;
};

#endif
