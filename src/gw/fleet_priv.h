/* Inside gw: fleets. */
#ifndef YUMEN_GW_FLEET_PRIV_H
#define YUMEN_GW_FLEET_PRIV_H

#include "gw/fleet.h"
#include "gw/state_priv.h"

/* A port of the fleet's Service. */
struct gw_fleet_port {
	struct slice name; /* "http-80" */
	const char *transport; /* "TCP" */
	int64_t number;
};

/* What the objects of a fleet are made of; texts are in the caller's arena. */
struct gw_fleet_plan {
	const struct gw_object *gateway;
	const struct gw_fleet_options *options;
	struct slice controller; /* the class's controllerName */
	bool envoy; /* it was Envoy Gateway's */
	struct slice namespace, name; /* of all objects */
	const struct slice *names; /* but these, by gw_made; or NULL */
	const struct tree_node *parameters; /* or NULL */
	uint64_t parameters_hash;
	struct slice host; /* of the stream */
	struct slice bundle;
	struct slice addresses; /* "a,b"; absent: another gives them */
	struct gw_fleet_port *ports; /* sorted, each once */
	uint32_t port_count;
};

/* The documents, in arena. */
const struct gw_fleet_object *gw_fleet_make(
    const struct gw_fleet_plan *plan, struct arena *arena, uint32_t *count);
/* ---- fleet_parameters.c ---- */
/* The node at a path of keys below parameters (or NULL), or NULL. */
struct tree_node *gw_parameter(
    const struct tree_node *parameters, const char *path);
/* Are pods to be on each node, in place of so many? */
bool gw_fleet_has_daemons(const struct tree_node *parameters);
/* Does what comes for it go to pods of the node alone that it came to? */
bool gw_fleet_is_local(
    const struct gw_state *state, const struct gw_owner_node *gateway);
/* Is there to be one of this kind? */
bool gw_fleet_has(const struct gw_fleet_plan *plan, enum gw_made kind);
/* What the parameters ask for, laid over a document of this kind. */
void gw_fleet_lay(const struct gw_fleet_plan *plan, enum gw_made kind,
    struct arena *arena, struct tree_node *document);

/* ---- families.c ---- */
/* Of which families a Gateway's addresses are to be; after gw_ask_read. */
void gw_ask_families(
    const struct gw_state *state, struct gw_owner_node *gateway);
/* Of its Service as it is made, where nobody says otherwise: both, of which it
 * has those that the cluster has. */
void gw_fleet_put_families(struct arena *arena, struct tree_node *document);

/* ---- fleet_said.c ---- */
/* What a Gateway's Service says or would say, once it has parameters. */
void gw_fleet_say(const struct gw_state *state, struct gw_owner_node *gateway);
/* Who says this annotation: "EnvoyProxy namespace/name spec.path"; absent: the
 * Gateway itself. In arena. */
struct slice gw_fleet_said_where(
    const struct gw_owner_node *gateway, struct slice key, struct arena *arena);
/* Its loadBalancerIP, and who says it; or absent. */
struct slice gw_fleet_said_ip(const struct gw_owner_node *gateway,
    struct arena *arena, struct slice *where);

/* ---- fleet_names.c ---- */
/* Gives those names that EnvoyProxies ask for, once all have parameters. */
void gw_fleets_name(
    struct gw_state *state, struct gw_owner_node **gateways, uint32_t count);
/* What its fleet's object of this kind is called. */
struct slice gw_fleet_name(
    const struct gw_owner_node *gateway, enum gw_made kind);
/* Does this path of its parameters ask for a name that it was not given? */
bool gw_fleet_keeps_name(
    const struct gw_owner_node *gateway, struct slice path);

/* ---- fleet_flags.c ---- */
/* What the parameters ask of the proxy itself, laid over its pod and container.
 */
void gw_fleet_lay_flags(const struct tree_node *parameters, struct arena *arena,
    struct tree_node *pod, struct tree_node *container);
/* Is it a number of workers that a proxy takes? */
bool gw_fleet_takes_workers(int64_t count);

/* ---- fleet.c ---- */
/* Where a Gateway's fleet is, once its class is known; which Service it has,
 * once that has a name. */
void gw_fleet_judge(struct gw_state *state, struct gw_owner_node *gateway);
void gw_fleet_link(struct gw_state *state, struct gw_owner_node *gateway);
void gw_fleet_emit(struct gw_state *state, struct gw_owner_node *gateway);
/* The Gateway is no more, or not ours any more. */
void gw_fleet_forget(struct gw_state *state, struct gw_owner_node *gateway);
/* A name of 63 bytes at most of text: cut, and with eight digits of the hash of
 * hashed, where it is longer or asked for. */
struct slice gw_fleet_cut(
    struct arena *arena, struct slice text, struct slice hashed, bool always);

/* ---- fleet_reach.c ---- */
struct gw_fleet_reach {
	/* That are told: those that answer or cannot be asked; all where it is
	 * alone; in arena */
	struct gw_status_address *addresses;
	uint32_t count;
	bool given; /* its Service has some, whether they answer or not */
	bool as_asked; /* of another load balancer: all that were named */
	struct slice *unproven; /* as of gw_unproven; in arena */
	uint32_t unproven_count;
	bool alone;
};
/* What is said of its pods that are not ready behind a message, in arena. */
struct slice gw_fleet_add_late(const struct gw_owner_node *gateway,
    struct arena *arena, struct slice message);
/* Of a Gateway with an object; nothing where no fleets are made. */
struct gw_fleet_reach gw_fleet_reach(const struct gw_state *state,
    const struct gw_owner_node *gateway, struct arena *arena);

/* ---- fleet_prove.c ---- */
/* Has it addresses that are to be proven (gw_state_each_unproven)? */
void gw_fleet_prove(struct gw_state *state, struct gw_owner_node *gateway);
/* Not a name, nor any of a Service that has ports of UDP alone. */
bool gw_fleet_can_be_asked(
    const struct gw_object *service, const struct gw_status_address *address);
bool gw_fleet_has_answered(
    const struct gw_owner_node *gateway, struct slice address);

/* ---- fleet_nodes.c ---- */
/* Is it reached at the addresses of nodes? service: or NULL. */
bool gw_fleet_is_at_nodes(const struct gw_object *service);
/* Of nodes; their count. The Service has an object. */
uint32_t gw_fleet_node_addresses(const struct gw_state *state,
    const struct gw_backend_node *service, struct arena *arena,
    struct gw_status_address **addresses);
/* Appends at which ports, if it is. */
void gw_fleet_tell_ports(
    const struct gw_owner_node *gateway, struct text *text);
/* A Node is another. */
void gw_fleet_on_node(struct gw_state *state);

#endif
