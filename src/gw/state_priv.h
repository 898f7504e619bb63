/* Inside gw: the nodes that reconcile works on, and who depends on whom.
 *
 * A node stands for a name that has an object, or that a route refers to, or
 * both. An edge says that a route depends on a node: a change of the node makes
 * the routes of its edges dirty, and nothing else. Reconcile then goes through
 * what is dirty, once, in this order: classes, Gateways, policies by
 * themselves, routes, backends, authorities, statuses of policies and Gateways.
 */
#ifndef YUMEN_GW_STATE_PRIV_H
#define YUMEN_GW_STATE_PRIV_H

#include "core/list.h"
#include "core/map.h"
#include "gw/address_priv.h"
#include "gw/node_priv.h"
#include "gw/output_priv.h"
#include "gw/state.h"
#include "snap/unit.h"

#define GW_GROUP "gateway.networking.k8s.io"
#define GW_GROUP_X "gateway.networking.x-k8s.io"
#define GW_CLASS_BUILT_IN "yumen"

struct gw_class_node {
	struct gw_node node;
	bool ours, accepted;
	struct gw_sent_status status;
};

#define GW_BIT(kind) (UINT32_C(1) << (kind))

enum gw_family {
	GW_FAMILY_HTTP,
	GW_FAMILY_TLS,
	GW_FAMILY_TCP,
	GW_FAMILY_UDP,
	GW_FAMILY_OTHER,
	GW_FAMILY__COUNT
};

/* A row of protocol.def. */
struct gw_protocol {
	const char *name;
	int64_t unit; /* enum unit_protocol */
	uint32_t carry;
	enum gw_family family;
	uint32_t kinds; /* of routes: bits of enum gw_kind */
};

/* A list of references, as ResolvedRefs tells of it. */
struct gw_resolved {
	const char *reason; /* of False, or NULL */
	struct slice message; /* why */
	struct slice note; /* what is odd about what is resolved, or empty */
};

/* tls.options. */
struct gw_tls_settings {
	int64_t version_min; /* enum unit_tls_version */
	struct slice *ciphers, *curves; /* as OpenSSL calls them */
	uint32_t cipher_count, curve_count;
};

/* A listener's TLS as judged; it changes with Secrets and authorities alone. */
struct gw_tls_state {
	bool terminates; /* else the rest is nothing */
	bool distrusted; /* no authority is left to hold clients against */
	struct gw_resolved resolved;
	struct gw_node **certificates, **authorities; /* the good ones */
	uint32_t certificate_count, authority_count;
	int64_t clients; /* enum unit_client_validation */
};

/* What an object's TLS depends on; an owner's listener by listener. */
struct gw_tls_edges {
	struct gw_edge *items;
	uint32_t count, room;
};

/* What a Gateway's listeners and its ListenerSets' have in common. */
struct gw_tls_common {
	struct arena overlap_arena, client_arena;
	struct gw_node *client_certificate; /* shown to backends, or NULL */
	struct gw_resolved client_resolved;
};

/* A listener as judged; slices in the owner's object or arena. */
struct gw_listener_state {
	const struct gw_listener *spec;
	const struct gw_protocol *protocol; /* NULL: an unknown one */
	bool carried; /* the data plane carries the protocol */
	uint32_t takes; /* kinds of routes (GW_BIT) */
	bool kinds_invalid; /* some kinds were not understood, the first is: */
	uint32_t invalid_kind; /* in allowedRoutes.kinds */
	const char *conflict; /* the reason, or NULL */
	bool lost; /* to one of an owner that comes first */
	const char *refused; /* why Accepted=False: the reason, or NULL */
	struct slice message; /* of either */
	struct gw_tls_settings settings;
	struct gw_tls_state tls;
	bool tls_stale; /* a Secret or grant of its own changed */
	uint64_t tls_names; /* a hash of its certificates' names, in order */
	const char *overlap; /* the reason of OverlappingTLSConfig, or NULL */
	struct slice overlap_message;
};

/* What has listeners: a Gateway, or a ListenerSet, whose listeners are its
 * Gateway's too. */
struct gw_owner_node {
	struct gw_node node;
	/* itself, or the Gateway that takes the ListenerSet; NULL: none does */
	struct gw_owner_node *gateway;
	bool tls_stale; /* something that listeners of it refer to changed */
	bool tls_all_stale; /* that all of them refer to */
	bool ours;
	bool orphan; /* its class does not exist, and all classes are ours */
	struct slice controller; /* in arena */
	struct arena arena; /* of what judging made */
	const char *refused; /* why Accepted=False: the reason, or NULL */
	struct slice message; /* why */
	struct slice
	    ignored; /* a Gateway's fields without effect, to be told */
	struct gw_ask ask; /* a Gateway's, in arena */
	bool asks; /* for an address of ours, as of the last plan */
	struct gw_placed placed; /* what it has: where it is bound */
	/* ListenerSets that a Gateway takes, the first first; in its arena */
	struct gw_owner_node **sets;
	uint32_t set_count;
	struct gw_listener_state *listeners;
	uint32_t listener_count;
	struct arena *tls_arenas; /* by listener: what judging its TLS made */
	uint32_t tls_arena_count;
	struct gw_tls_edges tls_edges;
	struct gw_tls_common tls; /* of a Gateway */
	/* A Gateway's fleet: where it is, in arena; what was told of it (0:
	 * nothing); its Service. */
	struct slice fleet_namespace, fleet_name;
	const struct slice *fleet_names; /* others, by gw_made; or NULL */
	bool fleet_envoy; /* as Envoy Gateway would have it */
	uint64_t fleet_told;
	uint64_t fleet_from; /* hash of what it is made of; 0: not made */
	struct text fleet_words[GW_FLEET_WORD__COUNT];
	struct tree_node *parameters; /* its EnvoyProxies' spec, or NULL */
	struct slice parameters_name; /* theirs: "namespace/name" */
	uint64_t parameters_hash;
	/* What its Service says or would say, in arena: of it what parameters
	 * were laid over (NULL: there are none), its labels and annotations. */
	const struct tree_node *service;
	const struct gw_metadata *said;
	struct gw_edge fleet_edge; /* node: NULL: none */
	struct text answered; /* its addresses that were proven: "a,b" */
	struct list unproven; /* in state.unproven; empty: it has no other */
	/* What attachment rests on; routes are judged anew when it changes. */
	bool facts_known;
	uint8_t facts_digest[32];
	uint32_t epoch;
	uint32_t *attached; /* routes, by listener */
	struct gw_sent_status status;
};

struct gw_attachment {
	struct gw_owner_node *owner;
	uint32_t epoch;
	uint32_t listener;
};

struct gw_route_node {
	struct gw_node node;
	struct gw_edge *edges; /* namespace, parents, backends, into */
	uint16_t edge_count, parent_edge, backend_edge;
	uint16_t attached_count;
	struct gw_attachment *attached; /* only_attached, or a block */
	struct gw_attachment only_attached;
	struct gw_sent unit;
	struct gw_sent_status status;
};

/* A Service or an XBackend. */
struct gw_backend_node {
	struct gw_node node;
	struct list slices; /* gw_slice_node.link */
	struct list policies; /* gw_policy_target.link */
	struct gw_balancer *balancer; /* of a Service that has addresses of
	                               * ours, or NULL */
	uint32_t fleet_count; /* of Gateways whose fleet has this Service */
	struct gw_sent unit;
};

/* An EndpointSlice. */
struct gw_slice_node {
	struct gw_node node;
	struct list link;
	struct gw_backend_node *service;
	struct gw_sent unit;
};

/* A ConfigMap: certificates to believe others by. */
struct gw_authority_node {
	struct gw_node node;
	bool judged;
	bool good; /* some certificate of it can be used */
	struct text fault; /* why it is not */
	struct gw_sent unit;
};

/* A Secret: a chain and its key. */
struct gw_secret_node {
	struct gw_node node;
	bool judged;
	bool sound; /* whatever the time, it can be shown */
	enum gw_certificate_health told;
	struct text fault, note; /* why it is not; what is odd all the same */
	struct arena arena; /* of names */
	struct slice *names; /* DNS */
	uint32_t name_count;
	unsigned line; /* of the certificate in its text */
	int64_t not_before, not_after;
	/* The one of those that issued it that expires first: its time (0:
	 * there is none), number in the chain and line. */
	int64_t issuer_until;
	unsigned issuer, issuer_line;
	int64_t staple_until; /* 0: no OCSP response is of use */
	struct gw_sent unit;
};

struct gw_namespace_node {
	struct gw_node node;
	struct list grants; /* gw_grant_node.link */
};

/* An IPAddressPool. */
struct gw_pool_node {
	struct gw_node node;
	bool counted; /* addresses are given of it, by us alone */
	struct addr_count count;
	struct gw_sent_status status;
};

struct gw_grant_node {
	struct gw_node node;
	struct list link;
	struct gw_namespace_node *namespace;
};

/* What agents said of a unit. */
struct gw_report {
	enum error error;
	struct text why, refused;
	char name[];
};

struct gw_state {
	struct slice *controller_names;
	uint32_t controller_name_count;
	bool namespaces_implied, classes_told;
	enum gw_addressing addressing;
	bool forwards, takes_excluded;
	struct slice *pool_namespaces; /* none: all */
	uint32_t pool_namespace_count;
	bool takes_unclassed;
	struct list balancers; /* gw_balancer.link */
	struct list unproven; /* gw_owner_node.unproven */
	struct text metallb; /* as of gw_state_metallb */
	/* as of gw_state_unread, by kind */
	enum gw_unread unread[GW_KIND__COUNT];
	bool once;
	uint32_t carries;
	struct map nodes[GW_KIND__COUNT];
	struct list dirty[GW_KIND__COUNT];
	bool classes_stale, gateways_stale, claims_stale;
	uint32_t stamp; /* of one object's listeners */
	int64_t now; /* seconds since 1970; 0: not known */
	int64_t turns_at; /* when a certificate is not what it was */
	int64_t silence_due; /* when that of a claim is told, or INT64_MAX */
	int64_t listens_since; /* gw_state_listen */
	bool is_deaf;
	struct map reports; /* by name of unit */
	struct map listener_units, tickets, claims; /* struct gw_named */
	struct map told; /* by claim, of told.c */
	struct map l2; /* struct gw_named, by Service */
	bool l2_stale;
	uint8_t ticket_seeds[GW_TICKET_SEEDS_MAX][GW_TICKET_SEED_BYTES];
	unsigned ticket_seed_count;
	bool has_fleets;
	struct gw_fleet_options fleet;
	struct text fleet_bundle;
	struct gw_outbox outbox;
	struct arena work; /* of one node's judging */
};

/* ---- node.c ---- */
/* For the maps of nodes. */
struct slice gw_node_key_of(const void *node);
/* NULL when there is none. */
struct gw_node *gw_node_get(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name);
/* Made when there is none. */
struct gw_node *gw_node_touch(struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name);
/* Freed when nothing needs it. */
void gw_node_drop(struct gw_state *state, struct gw_node *node);
void gw_node_mark(struct gw_state *state, struct gw_node *node);
/* It has an object, awake or asleep. */
bool gw_node_has_object(const struct gw_node *node);
/* Where there are many of a kind, and only their own judging reads them (those
 * of routes), their objects sleep but for that; the others' are awake. */
void gw_node_rest(const struct gw_state *state, struct gw_node *node);
void gw_node_wake(struct gw_node *node);
/* NULL: objects of its kind have no status. */
struct gw_sent_status *gw_node_status(struct gw_node *node);
/* The dirty nodes of a kind, sorted by namespace and name, for the caller to
 * free; NULL: there are none. */
struct gw_node **gw_nodes_dirty(
    const struct gw_state *state, enum gw_kind kind, size_t *count);
/* Marks who depends on node in this role. */
void gw_node_mark_users(
    struct gw_state *state, struct gw_node *node, enum gw_edge_role role);
/* All nodes of a kind that have an object, sorted by namespace and name, in
 * arena. */
struct gw_node **gw_nodes_sorted(const struct gw_state *state,
    enum gw_kind kind, struct arena *arena, uint32_t *count);
void gw_attachments_free(struct gw_route_node *route);
/* Whatever still needs it: the end of the state. */
void gw_node_free(struct gw_node *node);

/* ---- report.c ---- */
const struct gw_report *gw_report_get(
    const struct gw_state *state, struct slice unit);
void gw_report_forget(struct gw_state *state, struct slice unit);
void gw_reports_fini(struct gw_state *state);

/* ---- named.c ---- */
struct gw_named {
	struct gw_sent sent;
	bool wanted; /* since the last sweep */
	size_t length;
	char name[];
};
/* For the maps of them. */
struct slice gw_named_key(const void *named);
/* Made when there is none. */
struct gw_named *gw_named_touch(struct map *all, struct slice name);
/* Drops what nobody wanted. */
void gw_named_sweep(struct gw_state *state, struct map *all);

/* ---- class.c ---- */
void gw_classes_judge(struct gw_state *state);
struct gw_class_view {
	bool exists, ours, accepted;
	struct slice controller;
};
struct gw_class_view gw_class_view(
    const struct gw_state *state, struct slice name);
/* Is it one of the names that we answer to, or that a class of ours has? */
bool gw_controller_is_ours(
    const struct gw_state *state, struct slice controller);

/* ---- gateway.c, listener.c ---- */
void gw_gateways_judge(struct gw_state *state);
/* By creationTimestamp, then by namespace and name: for qsort of owners. */
int gw_owner_compare_ages(const void *a, const void *b);
/* The owner's listeners by themselves: protocol, kinds, filters. */
void gw_listeners_judge(
    const struct gw_state *state, struct gw_owner_node *owner);
bool gw_listener_is_served(const struct gw_owner_node *owner,
    const struct gw_listener_state *listener);
/* Of one that a Gateway takes. */
struct slice gw_listener_unit_name(struct arena *arena,
    const struct gw_owner_node *owner, struct slice listener);
/* Units of all listeners that are served; the others are dropped. */
void gw_listeners_emit(struct gw_state *state);
void gw_listener_emit(struct gw_state *state, const struct gw_owner_node *owner,
    const struct gw_listener_state *listener);
/* gateway_status.c */
void gw_owner_emit_status(struct gw_state *state, struct gw_owner_node *owner);
/* As its status says. */
bool gw_owner_is_accepted(const struct gw_owner_node *owner);

/* ---- listenerset.c ---- */
/* To each Gateway those that it takes, once it is known whose it is, and before
 * its address is chosen: their ports are its own. Returned in order of age. */
struct gw_owner_node **gw_listenersets_adopt(
    struct gw_state *state, struct gw_owner_node *const *sets, uint32_t count);
/* After all Gateways; taken, ports: what these have. */
void gw_listenersets_judge(struct gw_state *state, struct gw_owner_node **aged,
    uint32_t count, struct map *taken, struct map *ports);
/* TLS is a matter of all that a Gateway has: where one's is stale, its is. */
void gw_listenersets_spread_tls(struct gw_state *state);

/* ---- conflict.c, claim.c: an owner after those that come first, which have
 * filled the map (empty at first; its content is the state's work) ---- */
void gw_conflicts_judge(
    struct gw_state *state, struct map *taken, struct gw_owner_node *owner);
void gw_claims_judge(
    struct gw_state *state, struct map *ports, struct gw_owner_node *owner);

/* The kinds of routes that listeners of a protocol may take here. */
uint32_t gw_listener_kinds(
    const struct gw_state *state, const struct gw_protocol *protocol);

/* ---- match.c: the matches of a rule, by its number, as units say them; fault
 * gets the first one that is left out, and why ---- */
typedef void (*gw_match_fn)(const struct gw_object *route, uint32_t rule,
    struct arena *arena, struct unit_rule *unit, struct text *fault);
void gw_match_http(const struct gw_object *route, uint32_t rule,
    struct arena *arena, struct unit_rule *unit, struct text *fault);
void gw_match_grpc(const struct gw_object *route, uint32_t rule,
    struct arena *arena, struct unit_rule *unit, struct text *fault);
/* Of what has no matches. */
void gw_match_all(const struct gw_object *route, uint32_t rule,
    struct arena *arena, struct unit_rule *unit, struct text *fault);

/* ---- route.c ---- */
/* A row of route.def. */
struct gw_route_row {
	uint32_t carry; /* enum gw_carry */
	const char *needs; /* the same in words, or NULL */
	const char *transport;
	bool requests;
	const char *fault;
	gw_match_fn matches;
};
/* NULL: no kind of route. */
const struct gw_route_row *gw_route_row(enum gw_kind kind);
void gw_route_judge(struct gw_state *state, struct gw_route_node *route);

/* ---- edge.c ---- */
/* The edges of the route's object. */
void gw_edges_make(struct gw_state *state, struct gw_route_node *route);
/* Unlinks all; nodes that nothing needs any more are freed. */
void gw_edges_free(struct gw_state *state, struct gw_route_node *route);
void gw_edge_init(struct gw_edge *edge, struct gw_node *user,
    struct gw_node *node, enum gw_edge_role role);
/* Sets edge->active, counting. */
void gw_edge_activate(
    struct gw_state *state, struct gw_edge *edge, bool active);
/* Unlinks them; nodes that nothing needs any more are freed. */
void gw_edges_unlink(
    struct gw_state *state, struct gw_edge *edges, uint32_t count);
/* Can a route's parentRef be of this kind: a Gateway or a ListenerSet? */
bool gw_parent_kind(
    const struct gw_parent_reference *parent, enum gw_kind *kind_out);
/* Does this backendRef get an edge: a Service or an XBackend? */
bool gw_backend_kind(
    struct slice group, struct slice kind, enum gw_kind *kind_out);

/* ---- attach.c ---- */
/* What becomes of one parentRef. */
struct gw_attach {
	const char *refused; /* the reason of Accepted=False, or NULL */
	struct slice message; /* why not */
	uint64_t listeners; /* bit i: listeners[i] */
};
void gw_attach_route(const struct gw_state *state,
    const struct gw_route_node *route, const struct gw_owner_node *owner,
    const struct gw_parent_reference *parent, struct arena *arena,
    struct gw_attach *attach);
/* Does who takes from these namespaces, itself in own, take from this one? */
bool gw_namespace_is_allowed(const struct gw_state *state,
    struct slice namespace, struct slice own, struct slice from,
    const struct gw_label_selector *selector);
/* A node's labels satisfy the selector (namespaces). */
bool gw_selector_matches(const struct gw_label_selector *selector,
    const struct gw_metadata *metadata, struct slice name);

/* ---- backend.c ---- */
struct gw_backend_verdict {
	const char *refused; /* the reason of ResolvedRefs=False, or NULL */
	struct slice message;
};
/* May route lead here, and does it exist? opens: the connection to it is
 * opened anew, so that it may be one of TLS. */
void gw_backend_judge(const struct gw_state *state,
    const struct gw_route_node *route, bool opens,
    const struct gw_http_backend *reference, const struct gw_node *node,
    struct arena *arena, struct gw_backend_verdict *verdict);
void gw_backend_emit(struct gw_state *state, struct gw_backend_node *backend);
void gw_slice_emit(struct gw_state *state, struct gw_slice_node *slice);
/* Has it an endpoint that takes traffic? */
bool gw_backend_is_ready(const struct gw_backend_node *backend);
/* The slice is another, or gone. */
void gw_slice_replace(struct gw_state *state, struct gw_slice_node *slice);
struct slice gw_backend_unit_name(
    struct arena *arena, const struct gw_node *node);

/* ---- authority.c ---- */
/* May certificates be believed by it? fault (of the node) says why not. */
bool gw_authority_is_good(struct gw_node *node, struct slice *fault);
void gw_authority_emit(
    struct gw_state *state, struct gw_authority_node *authority);
struct slice gw_authority_unit_name(
    struct arena *arena, const struct gw_node *node);

/* ---- secret.c ---- */
/* May it be shown to peers now? told gets why not, or what is odd. */
bool gw_secret_is_good(
    struct gw_state *state, struct gw_node *node, struct text *told);
/* Of one that was asked for. */
enum gw_certificate_health gw_secret_health(
    const struct gw_state *state, const struct gw_node *node);
/* Is there something to tell of one that is shown, which time has brought: an
 * issuer that expired, an OCSP response that holds no more? */
bool gw_secret_is_dated(
    const struct gw_state *state, const struct gw_node *node);
/* When these change by themselves; INT64_MAX: never. */
int64_t gw_secret_turns_at(
    const struct gw_state *state, const struct gw_node *node);
struct slice gw_secret_unit_name(
    struct arena *arena, const struct gw_node *node);
void gw_secret_emit(struct gw_state *state, struct gw_secret_node *secret);

/* ---- certificate.c ---- */
void gw_clock_note(struct gw_state *state, const struct gw_secret_node *secret);
/* Whoever listens hears of a certificate whose health is another. */
void gw_certificate_tell(struct gw_state *state, struct gw_secret_node *secret);

/* ---- announced.c ---- */
void gw_announced_emit(struct gw_state *state);
/* The same where no Gateway is judged: other nodes may announce. */
void gw_announced_renew(struct gw_state *state);
/* Whoever has the address is to be told anew. */
void gw_announced_mark(struct gw_state *state, struct slice address);
void gw_announced_fini(struct gw_state *state);

/* ---- l2status.c ---- */
void gw_l2_emit(struct gw_state *state);
void gw_l2_fini(struct gw_state *state);

/* ---- pool_status.c ---- */
void gw_pool_emit_status(struct gw_state *state, struct gw_pool_node *pool);

/* ---- tickets.c ---- */
bool gw_tickets_are_given(const struct gw_state *state);
struct slice gw_tickets_unit_name(
    struct arena *arena, const struct gw_node *gateway);
/* Once all listeners are known. */
void gw_tickets_emit(struct gw_state *state);
void gw_tickets_fini(struct gw_state *state);

/* ---- parameters.c ---- */
/* Is what the class's parametersRef names there? (Without fleets nobody asks.)
 */
bool gw_parameters_are_there(
    const struct gw_state *state, const struct gw_object *class);
/* Sets the Gateway's parameters, of its class and its own, in its arena. False:
 * what it refers to itself is not there. */
bool gw_parameters_judge(
    const struct gw_state *state, struct gw_owner_node *gateway);
/* Appends what of them has no effect. */
void gw_parameters_tell_ignored(const struct gw_state *state,
    const struct gw_owner_node *gateway, struct text *told);

/* ---- fleet.c ---- */
/* May it have an address of a load balancer at all; of which
 * (loadBalancerClass, or absent); and are we that one of its fleet's Service?
 */
bool gw_fleet_asks(
    const struct gw_state *state, const struct gw_owner_node *gateway);
struct slice gw_fleet_balancer(
    const struct gw_state *state, const struct gw_owner_node *gateway);
bool gw_fleet_balances(
    const struct gw_state *state, const struct gw_owner_node *gateway);
void gw_fleet_on_service(struct gw_state *state, struct gw_node *service);
/* A Service's (or nobody's: NULL) endpoints are others. */
void gw_fleet_on_slice(struct gw_state *state, struct gw_backend_node *service);
/* Of its fleet's Service; NULL: there is none yet. */
const struct gw_service_status *gw_fleet_service_status(
    const struct gw_owner_node *gateway);

/* ---- grant.c ---- */
void gw_grant_relink(struct gw_state *state, struct gw_grant_node *grant);
bool gw_grant_permits(const struct gw_state *state, struct slice from_group,
    struct slice from_kind, struct slice from_namespace,
    const struct gw_node *to);

/* ---- rule.c ---- */
/* A route's rules as units say them, and what is wrong with them. */
struct gw_rules {
	struct unit_rule *rules;
	uint32_t count;
	uint32_t refused, total; /* of the object's rules: not served, all */
	bool *leads; /* by backend edge: its backend is used */
	const char *ref_reason; /* the first unresolved reference's, or NULL */
	struct text refused_text, ref_text, ignored_text;
};
/* opens: as of gw_backend_judge. */
void gw_rules_make(const struct gw_state *state,
    const struct gw_route_node *route, bool opens, struct arena *arena,
    struct gw_rules *rules);
void gw_rules_fini(struct gw_rules *rules);

#endif
