/* Inside gw: pools of addresses, what is asked of them, and what came of it. */
#ifndef YUMEN_GW_ADDRESS_PRIV_H
#define YUMEN_GW_ADDRESS_PRIV_H

#include "addr/plan.h"
#include "core/list.h"
#include "gw/address.h"
#include "gw/finding.h"
#include "gw/output_priv.h"
#include "snap/unit.h"

struct gw_node;
struct gw_owner_node;
struct gw_backend_node;

/* ---- pool.c ---- */
/* The pools that count, by name, then by namespace; contexts are their
 * objects. */
struct gw_pools {
	struct addr_pool *items;
	uint32_t count;
};
struct slice gw_pool_namespace(const struct addr_pool *pool);
void gw_pools_gather(
    const struct gw_state *state, struct arena *arena, struct gw_pools *pools);
/* Does the pool count, by its namespace? */
bool gw_pool_is_read(const struct gw_state *state, struct slice namespace);
/* Who asks, as a pool's serviceAllocation sees it: a request's context. */
struct gw_asker {
	struct slice namespace;
	const struct gw_metadata *labels; /* or NULL: it has none */
	bool names_us; /* a MetalLB's pools are for it as well */
};
/* For addr_plan: context is the state. */
bool gw_pool_fits(void *context, const struct addr_pool *pool,
    const struct addr_request *request);
/* The L2Advertisements of an address, by its pool, that one of these labels (a
 * Service's, NULL: whoever) has; in arena. */
struct gw_advertised {
	const struct gw_l2advertisement_spec **specs;
	uint32_t count;
};
struct gw_advertised gw_pool_advertised(const struct gw_state *state,
    const struct gw_address *address, const struct gw_metadata *labels,
    struct arena *arena);
/* Does an L2Advertisement name the pool (or all of them), for one of these
 * labels (NULL: whoever)? */
bool gw_pool_is_announced(const struct gw_state *state,
    const struct gw_object *pool, const struct gw_metadata *labels);
/* The first BGPAdvertisement by name that names the pool; absent: none does. */
struct slice gw_pool_bgp(
    const struct gw_state *state, const struct gw_object *pool);
/* Why nothing announces what somebody of these labels has of the pool, or
 * absent; in arena. */
struct slice gw_pool_silence(const struct gw_state *state,
    const struct gw_object *pool, const struct gw_metadata *labels,
    struct arena *arena);

/* ---- unread.c ---- */
bool gw_is_unread(const struct gw_state *state, enum gw_kind kind);
/* Why, in arena. */
struct slice gw_unread_why(
    const struct gw_state *state, enum gw_kind kind, struct arena *arena);
/* Instead of pools: one that gives nothing, and has what requests held, which
 * are of no other. */
void gw_unread_hold(struct addr_request *requests, uint32_t count,
    struct arena *arena, struct gw_pools *pools);

/* ---- pool_verdict.c ---- */
typedef void (*gw_pool_verdict_fn)(void *context, enum gw_finding_row row,
    struct slice field, struct slice text, const char *fix);
/* What is odd about a pool, or about an L2Advertisement, beside the others. */
void gw_pool_verdicts(const struct gw_state *state,
    const struct gw_object *object, gw_pool_verdict_fn tell, void *context);

/* ---- pool_status.c ---- */
/* What each pool has, and has left, as a plan has come out. */
void gw_pools_count(struct gw_state *state, const struct addr_plan *plan,
    const struct addr_outcome *outcomes);

/* ---- ask.c ---- */
struct gw_asked {
	struct addr_ip ip;
	struct slice where; /* "spec.addresses[0].value" */
};
/* What is asked for: addresses by themselves, and some of whatever pool. */
struct gw_ask {
	struct gw_asked *named;
	uint32_t named_count;
	uint32_t some; /* how many more, of one family each */
	enum addr_want want; /* of them, and of those that it names */
	struct slice both_by; /* as addr_request has it */
	struct slice pool; /* of this one, absent: of any */
	struct slice pool_where; /* who says so, or absent: its own object */
	struct slice share; /* allow-shared-ip, or absent */
	struct slice backend; /* of who shares, as addr_request has it */
	struct slice fault; /* of what is not understood, or absent */
	bool names_us; /* yumen shall give it, whoever else may */
};
/* spec.addresses and what the Gateway's Service says (gw_fleet_say), in the
 * Gateway's arena; a type that is not supported refuses the Gateway. */
void gw_ask_read(const struct gw_state *state, struct gw_owner_node *gateway);
/* The annotations and the spec of a Service. */
void gw_ask_read_service(const struct gw_state *state,
    const struct gw_object *service, struct arena *arena, struct gw_ask *ask);

/* ---- families.c ---- */
/* Has it addresses of this one's family, as far as is known? */
bool gw_service_has_family(
    const struct gw_service_spec *service, struct slice address);
/* The same of one that may be none (NULL), or not read. */
bool gw_lacks_family(const struct gw_node *service, struct slice address);
#define GW_LACKS_FAMILY "the Service has none of its family (ipFamilies)"
/* The Service is another, or gone. */
void gw_families_replace(struct gw_state *state,
    const struct gw_backend_node *service, const struct gw_object *before);
/* What is asked for is of the families that the Service has. */
void gw_ask_families_of(
    struct gw_ask *ask, const struct gw_service_spec *service);

/* ---- placement.c ---- */
/* Does what comes for a Service (or none: NULL) go to endpoints of the node
 * alone that it came to? */
bool gw_is_local(const struct gw_state *state, const struct gw_node *service);
/* From which nodes an address may be announced: those that an advertisement of
 * its pool selects; under externalTrafficPolicy Local those alone with an
 * endpoint (MetalLB keeps to the same), first those where one is ready; never
 * one that is kept from load balancers, or whose network is down. Of an address
 * that several have, those that are good for each. Each announces on the
 * interfaces of those advertisements that select it, which also say whether it
 * is preferred to others: by the sum of what they give it. On one host nothing
 * is asked of nodes. */
struct gw_interfaces {
	bool every;
	struct slice *names;
	uint32_t count;
};
/* Why a node may not announce an address; of several reasons the later one, for
 * without it the others would not matter. */
enum gw_bar {
	GW_BAR_NONE, /* it may */
	GW_BAR_EXCLUDED, /* by GW_EXCLUDE_LABEL */
	GW_BAR_NETWORK,
	GW_BAR_UNSELECTED, /* no advertisement selects it */
	GW_BAR_NO_ENDPOINT,
	GW_BAR__COUNT,
};
/* KEP-1143. */
#define GW_EXCLUDE_LABEL \
	"node.kubernetes.io/exclude-from-external-load-balancers"
struct gw_placement {
	const struct gw_state *state;
	struct arena *arena;
	struct slice *names;
	const struct gw_object **objects; /* NULL: no Nodes are known */
	enum gw_bar *bars;
	int64_t *weights; /* of each node: of who prefers it most */
	bool *ends; /* what serves there is about to end */
	struct gw_interfaces *on; /* of each node, by what selects it */
	struct gw_interfaces everywhere; /* by what selects no nodes */
	uint32_t count;
	bool open; /* nobody has asked for certain ones */
	bool is_local; /* only where there are endpoints */
	bool leads; /* to somebody whose Service has its family */
};
/* All of it in arena. */
void gw_placement_begin(const struct gw_state *state, struct arena *arena,
    struct gw_placement *placement);
/* service: of one who has the address, or NULL. */
void gw_placement_ask(struct gw_placement *placement,
    const struct gw_advertised *advertised, const struct gw_node *service,
    struct slice address);
/* What the unit says of it. */
void gw_placement_end(struct gw_placement *placement, struct unit_claim *claim);

/* ---- nowhere.c ---- */
/* Why no node may announce what was placed so, and what would help; absent: one
 * may. In the placement's arena. */
struct slice gw_placement_tell(
    const struct gw_placement *placement, const struct unit_claim *claim);
/* Of those alone that may, "node a" or "nodes a and b"; empty: of any. */
struct slice gw_placement_tell_nodes(
    const struct gw_placement *placement, const struct unit_claim *claim);

/* Of a Service's list of slices: NULL where it has no addresses of this one's
 * family, or none at all. */
const struct gw_endpointslice *gw_slice_at(
    struct list *at, struct slice address);
/* Does an endpoint serve, if only until it ends? *ready: for longer. */
bool gw_endpoint_serves(const struct gw_endpoint *endpoint, bool *ready);

/* ---- targets.c ---- */
/* The ports of an address, and what serves each of them on which node, of all
 * Services that have the address. In arena, which is the first to be set. */
struct gw_targets {
	struct arena *arena;
	struct unit_claim_port *ports;
	uint32_t count;
	struct slice omitted; /* what is left out, for people; or absent */
};
/* What stands behind a Service (NULL: none), for an address of its. */
void gw_targets_ask(struct gw_targets *targets, const struct gw_node *service,
    struct slice address);
/* What the unit says of it; what is left out, or absent. */
struct slice gw_targets_end(
    struct gw_targets *targets, struct unit_claim *claim);

/* ---- asker_port.c ---- */
/* As the plan wants them, in arena; their count. */
uint32_t gw_asker_ports(
    const struct gw_node *node, struct arena *arena, struct addr_port **ports);

/* ---- address.c ---- */
/* As pools and advertisements see who has an address: a Service's, or those
 * of the Service that a Gateway would have; in arena. */
const struct gw_metadata *gw_asker_labels(
    const struct gw_node *node, struct arena *arena);

/* What came of it. */
struct gw_placed {
	struct gw_address *items; /* in the owner's arena, as texts are */
	uint32_t count;
	/* Those that sockets are bound to: on one host all of them, in a
	 * cluster none, for its pods have every address of their own. */
	struct slice *bound;
	uint32_t bound_count;
	bool every; /* every address of the host */
	bool missing; /* none that it may be bound to: it is not served */
	const char *reason; /* why it has not all that it asked for, or NULL */
	struct slice message;
	/* Those of pools, kept from run to run. */
	struct addr_ip *held;
	uint32_t held_count;
	/* It had one of a pool, and has had nothing else since: kept, too. */
	bool pooled;
};
/* Of all Gateways, once each is judged alone, and of Services. */
void gw_addresses_judge(
    struct gw_state *state, struct gw_owner_node **gateways, uint32_t count);

/* ---- placed.c ---- */
void gw_placed_fini(struct gw_placed *placed);
/* Appends of which pools they are, and why nobody announces them, or not for
 * this Service (NULL: there is none). arena: for the moment. */
void gw_placed_tell(const struct gw_state *state,
    const struct gw_placed *placed, const struct gw_node *service,
    struct arena *arena, struct text *text);

/* ---- told.c ---- */
/* For its map. */
struct slice gw_told_key(const void *told);
void gw_told_forget(struct gw_state *state, struct slice unit);
void gw_told_fini(struct gw_state *state);
/* Appends which other machines have which of these addresses. True: nobody
 * announces one of them for us. */
bool gw_told_rivals(const struct gw_state *state,
    const struct gw_placed *placed, struct arena *arena, struct text *out);
/* What a claim's own placing says of it; copied. */
struct gw_told_placing {
	struct slice omitted; /* what is not led to pods; absent: all is */
	struct slice nowhere; /* why no node may announce it; absent: one may */
	struct slice nodes; /* that alone may; empty: any */
};
void gw_told_place(struct gw_state *state, struct slice unit,
    const struct gw_told_placing *placing);
/* Time has come to this: claims of which nobody has said anything for long are
 * told. */
void gw_told_clock(struct gw_state *state, int64_t now);
/* Appends why nobody announces it for us, but for rivals, and what announcers
 * do not do with what comes for it. arena: for the moment. */
void gw_told_fault(const struct gw_state *state, struct slice address,
    struct arena *arena, struct text *out);
/* Adds the condition of rivals, if there are any. */
void gw_told_conflict(const struct gw_state *state,
    const struct gw_placed *placed, struct gw_conditions *conditions,
    struct arena *arena);

/* What the unit says of who announces it. */
void gw_told_fence(const struct gw_state *state, struct slice address,
    struct arena *arena, struct unit_claim *claim);
/* What each announcer says that announces it for us, by node. */
void gw_told_each(const struct gw_state *state, struct slice address,
    struct arena *arena,
    void (*fn)(void *context, const struct feed_claim *word), void *context);

/* ---- beside.c ---- */
/* Does a MetalLB that runs here give its addresses as well? */
bool gw_pool_is_metallbs(
    const struct gw_state *state, const struct gw_object *pool);
/* What Services have that is not to be given, a request each. */
struct gw_taken {
	struct addr_request *items;
	uint32_t count;
	/* The first of them have it of others; the rest of us, for Gateways
	 * that do not ask for it any more. */
	uint32_t other_count;
};
/* In arena; once it is known which Gateways ask. */
void gw_taken_gather(
    const struct gw_state *state, struct arena *arena, struct gw_taken *taken);
/* A Service is another than it was before, or gone. */
void gw_taken_replace(struct gw_state *state, const struct gw_node *service,
    const struct gw_object *before);

/* ---- balancer.c ---- */
/* A Service of type LoadBalancer that yumen gives addresses. */
struct gw_balancer {
	struct list link; /* in the state's */
	struct gw_backend_node *service;
	bool leaves; /* it is ours no more */
	struct arena arena;
	struct gw_ask ask;
	struct gw_placed placed;
	struct gw_sent_status status;
};
/* The Service is another, or gone. */
void gw_balancer_replace(
    struct gw_state *state, struct gw_backend_node *service);
/* Is who has this loadBalancerClass (absent: none) ours to give addresses? */
bool gw_balancer_takes(const struct gw_state *state, struct slice class);
/* Are its addresses ours to give, as such a Service or of a Gateway, or has it
 * none to be given? */
bool gw_balancer_is_for(
    const struct gw_state *state, const struct gw_object *service);
/* Is it of what is made for Gateways, whose addresses these have? */
bool gw_balancer_is_made(const struct gw_object *service);
/* What all ask for; those that are ours no more are gone. Their count. */
uint32_t gw_balancers_ask(struct gw_state *state);
void gw_balancer_emit_status(
    struct gw_state *state, struct gw_backend_node *service);
/* NULL: it is none of ours. */
struct gw_sent_status *gw_balancer_status(struct gw_backend_node *service);
void gw_balancer_free(struct gw_backend_node *service);

#endif
