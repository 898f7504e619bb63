/* Inside gw: policies, which attach to objects that others use. One engine
 * serves every kind of policy: what a policy targets, which of several it loses
 * to, and the Gateways that its status tells of. A row of gw_policy_rows is a
 * kind: it says what is in the object, and judges it by itself. */
#ifndef YUMEN_GW_POLICY_PRIV_H
#define YUMEN_GW_POLICY_PRIV_H

#include "gw/tls_priv.h"

/* Of Gateway API, for all that use a list of ancestors. */
enum { GW_ANCESTORS_MAX = 16 };

struct gw_policy_target {
	struct list link; /* in gw_policies_of(node), or empty */
	struct gw_policy_node *policy;
	struct gw_node *node; /* NULL: it cannot be a target */
	const struct gw_policy_target_reference *reference; /* in the object */
};

/* What is wrong with a policy by itself, in its arena. */
struct gw_policy_verdict {
	const char *refused; /* the reason of Accepted=False, or NULL */
	struct slice message;
	const char *unresolved; /* the reason of ResolvedRefs=False, or NULL */
	struct slice unresolved_message;
	struct slice ignored; /* what has no effect, to be told */
	uint32_t usable; /* bit i: edges[i] leads to what can be used */
};

struct gw_policy_node {
	struct gw_node node;
	struct gw_policy_target *targets;
	uint32_t target_count;
	struct gw_edge *edges; /* what it refers to */
	uint32_t edge_count;
	struct arena arena;
	struct gw_policy_verdict verdict;
	uint64_t effect; /* a hash of what targets are told by the verdict */
	struct gw_sent_status status;
};

struct gw_policy_row {
	const struct gw_policy_target_reference *(*targets)(
	    const struct gw_object *object, uint32_t *count);
	/* May this be a target? */
	bool (*takes)(enum gw_kind kind);
	/* Edges to what the object refers to. */
	void (*refer)(struct gw_state *state, struct gw_policy_node *policy);
	void (*judge)(
	    const struct gw_state *state, struct gw_policy_node *policy);
	bool has_references; /* the status has ResolvedRefs */
};
extern const struct gw_policy_row gw_policy_rows[GW_KIND__COUNT];

/* ---- policy.c ---- */
bool gw_is_policy(enum gw_kind kind);
/* The policies that target a node: gw_policy_target.link; NULL: it cannot be a
 * target. */
struct list *gw_policies_of(const struct gw_node *node);
/* The object came, went or changed. */
void gw_policy_replace(struct gw_state *state, struct gw_policy_node *policy,
    const struct gw_object *before);
/* Policies that are dirty, by themselves; their targets are marked. */
void gw_policies_judge(struct gw_state *state);
/* Does the section of the target exist (empty: the whole)? */
bool gw_policy_has_section(const struct gw_node *node, struct slice section);
/* The one of the same target and section that this one loses to, or NULL. */
const struct gw_policy_node *gw_policy_winner(
    const struct gw_policy_target *target);
/* The policy of a kind in force for a section of node; NULL: none. That of the
 * section comes before one of the whole. */
struct gw_policy_node *gw_policy_in_force(
    const struct gw_node *node, enum gw_kind kind, struct slice section);
/* What stands above node changed: their statuses tell of it. */
void gw_policies_mark(struct gw_state *state, struct gw_node *node);
/* Whose entries are other controllers' may have changed. */
void gw_policies_on_classes(struct gw_state *state);
/* A target's unit came, went or changed: what its policies refer to is of use
 * or not. */
void gw_policies_settle(struct gw_state *state, struct gw_node *node);

/* ---- policy_status.c ---- */
void gw_policy_emit_status(
    struct gw_state *state, struct gw_policy_node *policy);

/* ---- policy_tls.c: BackendTLSPolicy ---- */
/* Whom to believe, wherever it is said (path): edges are those of its
 * references that have one, in their order, the first ones. */
void gw_policy_tls_judge(struct arena *arena,
    const struct gw_server_validation *validation, struct slice path,
    const struct gw_edge *edges, struct gw_policy_verdict *verdict);
void gw_policy_tls_fill(struct arena *arena,
    const struct gw_server_validation *validation, const struct gw_edge *edges,
    uint32_t usable, struct unit_backend_tls *tls);
/* How a section of node is spoken to, in arena; NULL: in plain text. */
struct unit_backend_tls *gw_policy_tls_make(
    struct arena *arena, const struct gw_node *node, struct slice section);
/* Why its targets are refused. */
struct slice gw_policy_tls_refusal(
    struct arena *arena, const struct gw_policy_node *policy);

/* ---- xbackend.c ---- */
struct gw_xbackend_node {
	struct gw_backend_node backend; /* first */
	/* Of the TLS that it asks for itself. */
	struct gw_tls_edges tls_edges;
	struct gw_policy_verdict verdict;
	struct gw_node *certificate; /* to be shown; NULL: none */
	uint64_t effect; /* a hash of what routes are told */
	struct arena arena;
};
/* The object came, went or changed. */
void gw_xbackend_replace(struct gw_state *state, struct gw_xbackend_node *node);
/* Those that are dirty, by themselves; routes that lead there are marked. */
void gw_xbackends_judge(struct gw_state *state);
/* Does it ask for TLS itself? Then the verdict says whether it can be had. */
bool gw_xbackend_is_tls(
    const struct gw_node *node, const struct gw_policy_verdict **verdict);
/* How it is spoken to then; false: it does not say. */
bool gw_xbackend_tls_make(struct arena *arena, const struct gw_node *node,
    struct unit_backend_tls **made);
/* Its unit came, went or changed: what it refers to is of use or not. */
void gw_xbackend_settle(struct gw_state *state, struct gw_xbackend_node *node);

#endif
