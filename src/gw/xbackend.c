/* XBackends: names outside of the cluster, and the TLS that one asks for
 * itself, which comes before what a policy says of it. That is judged before
 * the routes that lead there, as policies are. */
#include "core/hash.h"
#include "core/must.h"
#include "gw/policy_priv.h"

/* NULL: it asks for none. */
static const struct gw_xbackend_tls *
tls_of(const struct gw_node *node)
{
	const struct gw_xbackend_tls *tls =
	    node->object ? node->object->xbackend->spec->tls : NULL;

	return tls && !slice_equal(tls->mode, SLICE("None")) ? tls : NULL;
}

void
gw_xbackend_replace(struct gw_state *state, struct gw_xbackend_node *node)
{
	const struct gw_xbackend_tls *tls = tls_of(&node->backend.node);

	gw_tls_edges_free(state, &node->tls_edges);
	if (tls)
		gw_tls_edges_add_xbackend(
		    state, &node->tls_edges, &node->backend.node, tls);
}

/* ---- judging ---- */

static void
refuse(
    struct gw_policy_verdict *verdict, const char *reason, struct slice message)
{
	if (verdict->refused)
		return;
	verdict->refused = reason;
	verdict->message = message;
}

static void
judge_certificate(struct gw_state *state, struct gw_xbackend_node *node,
    const struct gw_secret_reference *reference)
{
	struct gw_resolved resolved;

	node->certificate = gw_tls_judge_client_certificate(state,
	    &node->backend.node, reference,
	    SLICE("spec.tls.clientCertificateRef"), &node->arena, &resolved);
	if (!node->certificate)
		refuse(&node->verdict, resolved.reason, resolved.message);
}

static void
judge(struct gw_state *state, struct gw_xbackend_node *node)
{
	const struct gw_xbackend_tls *tls = tls_of(&node->backend.node);
	struct gw_policy_verdict *verdict = &node->verdict;

	arena_reset(&node->arena);
	*verdict = (struct gw_policy_verdict){0};
	node->certificate = NULL;
	if (!tls)
		return;
	if (!(state->carries & GW_CARRY_BACKEND_TLS)) {
		refuse(verdict, "UnsupportedProtocol",
		    SLICE("TLS towards backends is not carried yet"));
		return;
	}
	gw_policy_tls_judge(&node->arena, tls->validation,
	    SLICE("spec.tls.validation"), node->tls_edges.items, verdict);
	if (verdict->refused)
		verdict->refused = verdict->unresolved ? verdict->unresolved
		                                       : "UnsupportedProtocol";
	if (tls->client_certificate_ref)
		judge_certificate(state, node, tls->client_certificate_ref);
}

/* The hash of what those that lead there are told. */
static uint64_t
effect_of(const struct gw_xbackend_node *node)
{
	const struct gw_policy_verdict *verdict = &node->verdict;

	return hash_bytes(verdict->message) + verdict->usable +
	    (verdict->refused ? UINT64_C(1) << 32 : 0) +
	    (tls_of(&node->backend.node) ? UINT64_C(1) << 33 : 0);
}

void
gw_xbackends_judge(struct gw_state *state)
{
	LIST_FOR_EACH(at, &state->dirty[GW_XBACKEND])
	{
		void *whole = container_of(at, struct gw_node, dirty);
		struct gw_xbackend_node *node = whole;
		uint64_t effect;

		if (!node->backend.node.object)
			continue;
		judge(state, node);
		effect = effect_of(node);
		if (effect != node->effect)
			gw_node_mark_users(
			    state, &node->backend.node, GW_EDGE_BACKEND);
		node->effect = effect;
	}
}

/* ---- units ---- */

bool
gw_xbackend_tls_make(struct arena *arena, const struct gw_node *node,
    struct unit_backend_tls **made)
{
	const struct gw_xbackend_tls *tls = tls_of(node);
	const void *whole = node;
	const struct gw_xbackend_node *xbackend = whole;

	if (!tls)
		return false;
	*made = arena_zero(arena, 1, sizeof(**made));
	if (xbackend->verdict.refused) {
		(*made)->refused = xbackend->verdict.message;
		return true;
	}
	gw_policy_tls_fill(arena, tls->validation, xbackend->tls_edges.items,
	    xbackend->verdict.usable, *made);
	if (xbackend->certificate)
		(*made)->certificate =
		    gw_secret_unit_name(arena, xbackend->certificate);
	return true;
}

/* What its unit names is of use, and nothing else. */
void
gw_xbackend_settle(struct gw_state *state, struct gw_xbackend_node *node)
{
	bool used = gw_is_out(&node->backend.unit) && !node->verdict.refused;

	for (uint32_t i = 0; i < node->tls_edges.count; i++) {
		struct gw_edge *edge = &node->tls_edges.items[i];
		bool usable = edge->role == GW_EDGE_CERTIFICATE
		    ? edge->node == node->certificate
		    : edge->role == GW_EDGE_AUTHORITY && i < 32 &&
		        (node->verdict.usable >> i & 1);

		gw_edge_activate(state, edge, used && usable);
	}
}

bool
gw_xbackend_is_tls(
    const struct gw_node *node, const struct gw_policy_verdict **verdict)
{
	const void *whole = node;

	*verdict = &((const struct gw_xbackend_node *)whole)->verdict;
	return tls_of(node) != NULL;
}
