/* What the TLS of an object's listeners depends on: Secrets, authorities, and
 * the grants of the namespaces that they are in. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/tls_priv.h"

static void
add_edge(struct gw_tls_edges *edges, struct gw_node *user, struct gw_node *node,
    enum gw_edge_role role)
{
	if (edges->count == edges->room) {
		uint32_t room = edges->room ? edges->room * 2 : 4;
		struct gw_edge *grown = memory_zero(room, sizeof(*grown));

		/* Edges are linked where they stand. */
		for (uint32_t i = 0; i < edges->count; i++) {
			list_remove(&edges->items[i].link);
			gw_edge_init(&grown[i], edges->items[i].user,
			    edges->items[i].node, edges->items[i].role);
			grown[i].listener = edges->items[i].listener;
		}
		memory_free(edges->items);
		edges->items = grown;
		edges->room = room;
	}
	gw_edge_init(&edges->items[edges->count], user, node, role);
	edges->items[edges->count++].listener = GW_ALL_LISTENERS;
}

static void
add_object(struct gw_state *state, struct gw_tls_edges *edges,
    struct gw_node *user, struct gw_node *node, enum gw_edge_role role)
{
	add_edge(edges, user, node, role);
	if (!gw_kinds[node->kind].namespaced ||
	    slice_equal(gw_node_namespace(node), gw_node_namespace(user)))
		return;
	add_edge(edges, user,
	    gw_node_touch(
	        state, GW_NAMESPACE, SLICE(""), gw_node_namespace(node)),
	    GW_EDGE_INTO);
}

static void
add_certificate(struct gw_state *state, struct gw_tls_edges *edges,
    struct gw_node *user, const struct gw_secret_reference *reference)
{
	struct slice namespace = slice_is_set(reference->namespace)
	    ? reference->namespace
	    : gw_node_namespace(user);

	if (reference->group.length == 0 &&
	    slice_equal(reference->kind, SLICE("Secret")))
		add_object(state, edges, user,
		    gw_node_touch(state, GW_SECRET, namespace, reference->name),
		    GW_EDGE_CERTIFICATE);
}

static void
add_authorities(struct gw_state *state, struct gw_tls_edges *edges,
    struct gw_node *user, const struct gw_frontend_config *config)
{
	const struct gw_client_validation *validation =
	    config ? config->validation : NULL;

	for (uint32_t i = 0;
	     validation && i < validation->ca_certificate_refs_count; i++) {
		const struct gw_object_reference *reference =
		    &validation->ca_certificate_refs[i];
		enum gw_kind kind;

		if (!gw_authority_kind(
		        reference->group, reference->kind, &kind))
			continue;
		struct slice namespace = gw_node_namespace(user);

		if (!gw_kinds[kind].namespaced)
		namespace = SLICE("");
		else if (slice_is_set(reference->namespace)) namespace =
		    reference->namespace;
		add_object(state, edges, user,
		    gw_node_touch(state, kind, namespace, reference->name),
		    GW_EDGE_AUTHORITY);
	}
}

void
gw_tls_edges_add(struct gw_state *state, struct gw_tls_edges *edges,
    struct gw_node *user, const struct gw_listener *listener, uint16_t number)
{
	const struct gw_listener_tls *tls = listener->tls;
	uint32_t first = edges->count;

	for (uint32_t i = 0; tls && i < tls->certificate_refs_count; i++)
		add_certificate(state, edges, user, &tls->certificate_refs[i]);
	for (uint32_t i = first; i < edges->count; i++)
		edges->items[i].listener = number;
}

void
gw_tls_edges_add_gateway(struct gw_state *state, struct gw_tls_edges *edges,
    struct gw_node *user, const struct gw_gateway_tls *tls)
{
	const struct gw_frontend_tls *frontend = tls ? tls->frontend : NULL;

	if (tls && tls->backend && tls->backend->client_certificate_ref)
		add_certificate(
		    state, edges, user, tls->backend->client_certificate_ref);
	if (!frontend)
		return;
	add_authorities(state, edges, user, frontend->fallback);
	for (uint32_t i = 0; i < frontend->per_port_count; i++)
		add_authorities(state, edges, user, frontend->per_port[i].tls);
}

void
gw_tls_edges_add_xbackend(struct gw_state *state, struct gw_tls_edges *edges,
    struct gw_node *user, const struct gw_xbackend_tls *tls)
{
	const struct gw_server_validation *validation = tls->validation;

	for (uint32_t i = 0; i < validation->ca_certificate_refs_count; i++) {
		const struct gw_local_reference *reference =
		    &validation->ca_certificate_refs[i];
		enum gw_kind kind;

		if (gw_authority_kind(reference->group, reference->kind, &kind))
			add_edge(edges, user,
			    gw_node_touch(state, kind,
			        gw_kinds[kind].namespaced
			            ? gw_node_namespace(user)
			            : SLICE(""),
			        reference->name),
			    GW_EDGE_AUTHORITY);
	}
	if (tls->client_certificate_ref)
		add_certificate(
		    state, edges, user, tls->client_certificate_ref);
}

void
gw_tls_edges_free(struct gw_state *state, struct gw_tls_edges *edges)
{
	gw_edges_unlink(state, edges->items, edges->count);
	memory_free(edges->items);
	*edges = (struct gw_tls_edges){0};
}

void
gw_tls_edges_begin(struct gw_state *state)
{
	state->stamp++;
}

void
gw_tls_use(struct gw_state *state, struct gw_node *const *nodes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		nodes[i]->stamp = state->stamp;
}

/* The first edge of a listener, or of one that comes later. */
static uint32_t
find_first(const struct gw_tls_edges *edges, uint16_t listener)
{
	uint32_t low = 0, high = edges->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (edges->items[middle].listener < listener)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
gw_tls_edges_end(
    struct gw_state *state, struct gw_tls_edges *edges, uint16_t listener)
{
	for (uint32_t i = find_first(edges, listener);
	     i < edges->count && edges->items[i].listener == listener; i++) {
		struct gw_edge *edge = &edges->items[i];

		if (edge->role != GW_EDGE_INTO)
			gw_edge_activate(
			    state, edge, edge->node->stamp == state->stamp);
	}
}
