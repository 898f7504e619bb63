/* Edges: which names a route depends on, and what an edge is to both ends. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/state_priv.h"

bool
gw_backend_kind(struct slice group, struct slice kind, enum gw_kind *kind_out)
{
	*kind_out = GW_SERVICE;
	if (group.length == 0 && slice_equal(kind, SLICE("Service")))
		return true;
	*kind_out = GW_XBACKEND;
	return slice_equal(group, SLICE(GW_GROUP_X)) &&
	    slice_equal(kind, SLICE("XBackend"));
}

bool
gw_parent_kind(const struct gw_parent_reference *parent, enum gw_kind *kind_out)
{
	*kind_out = GW_GATEWAY;
	if (!slice_equal(parent->group, SLICE(GW_GROUP)))
		return false;
	if (slice_equal(parent->kind, SLICE("Gateway")))
		return true;
	*kind_out = GW_LISTENERSET;
	return slice_equal(parent->kind, SLICE("ListenerSet"));
}

static void
add_edge(
    struct gw_route_node *route, struct gw_node *node, enum gw_edge_role role)
{
	gw_edge_init(
	    &route->edges[route->edge_count++], &route->node, node, role);
}

static void
add_parents(struct gw_state *state, struct gw_route_node *route)
{
	const struct gw_httproute_spec *spec = route->node.object->route;

	for (uint32_t i = 0; i < spec->parent_refs_count; i++) {
		const struct gw_parent_reference *parent =
		    &spec->parent_refs[i];
		struct slice namespace = slice_is_set(parent->namespace)
		    ? parent->namespace
		    : gw_node_namespace(&route->node);
		enum gw_kind kind;

		if (gw_parent_kind(parent, &kind))
			add_edge(route,
			    gw_node_touch(state, kind, namespace, parent->name),
			    GW_EDGE_PARENT);
	}
}

static void
add_backends(struct gw_state *state, struct gw_route_node *route)
{
	const struct gw_httproute_spec *spec = route->node.object->route;

	for (uint32_t i = 0; i < spec->rules_count; i++) {
		const struct gw_http_rule *rule = &spec->rules[i];

		for (uint32_t j = 0; j < rule->backend_refs_count; j++) {
			const struct gw_http_backend *ref =
			    &rule->backend_refs[j];
			struct slice namespace = slice_is_set(ref->namespace)
			    ? ref->namespace
			    : gw_node_namespace(&route->node);
			enum gw_kind kind;

			if (!gw_backend_kind(ref->group, ref->kind, &kind))
				continue;
			add_edge(route,
			    gw_node_touch(state, kind, namespace, ref->name),
			    GW_EDGE_BACKEND);
			route->edges[route->edge_count - 1].port =
			    (uint16_t)ref->port;
		}
	}
}

/* A grant of a namespace concerns the routes that lead into it. */
static void
add_namespaces(struct gw_state *state, struct gw_route_node *route)
{
	const struct gw_node *last = NULL;
	uint32_t end = route->edge_count;

	for (uint32_t i = route->backend_edge; i < end; i++) {
		struct slice namespace =
		    gw_node_namespace(route->edges[i].node);

		if (slice_equal(namespace, gw_node_namespace(&route->node)))
			continue;
		struct gw_node *into =
		    gw_node_touch(state, GW_NAMESPACE, SLICE(""), namespace);

		if (into != last)
			add_edge(route, into, GW_EDGE_INTO);
		last = into;
	}
}

/* How many it will be at the most. */
static uint32_t
count_edges(const struct gw_route_node *route)
{
	const struct gw_httproute_spec *spec = route->node.object->route;
	uint32_t backends = 0, into = 0;

	for (uint32_t i = 0; i < spec->rules_count; i++) {
		const struct gw_http_rule *rule = &spec->rules[i];

		backends += rule->backend_refs_count;
		for (uint32_t j = 0; j < rule->backend_refs_count; j++)
			into += slice_is_set(rule->backend_refs[j].namespace);
	}
	return 1 + spec->parent_refs_count + backends + into;
}

void
gw_edges_make(struct gw_state *state, struct gw_route_node *route)
{
	must(!route->edges && route->node.object);
	uint32_t room = count_edges(route);

	route->edges = memory_zero(room, sizeof(*route->edges));
	add_edge(route,
	    gw_node_touch(state, GW_NAMESPACE, SLICE(""),
	        gw_node_namespace(&route->node)),
	    GW_EDGE_NAMESPACE);
	route->parent_edge = route->edge_count;
	add_parents(state, route);
	route->backend_edge = route->edge_count;
	add_backends(state, route);
	add_namespaces(state, route);
	must(route->edge_count <= room);
}

void
gw_edges_free(struct gw_state *state, struct gw_route_node *route)
{
	gw_edges_unlink(state, route->edges, route->edge_count);
	memory_free(route->edges);
	route->edges = NULL;
	route->edge_count = 0;
}

void
gw_edge_init(struct gw_edge *edge, struct gw_node *user, struct gw_node *node,
    enum gw_edge_role role)
{
	*edge = (struct gw_edge){.user = user, .node = node, .role = role};
	list_init(&edge->link);
	list_insert(&node->users, &edge->link);
}

void
gw_edges_unlink(struct gw_state *state, struct gw_edge *edges, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		gw_edge_activate(state, &edges[i], false);
		list_remove(&edges[i].link);
	}
	for (uint32_t i = 0; i < count; i++) {
		bool seen = false;

		/* A node that two edges share is dropped once. */
		for (uint32_t j = 0; j < i && !seen; j++)
			seen = edges[j].node == edges[i].node;
		if (!seen)
			gw_node_drop(state, edges[i].node);
	}
}

void
gw_edge_activate(struct gw_state *state, struct gw_edge *edge, bool active)
{
	if (edge->active == active)
		return;
	struct gw_node *node = edge->node;

	edge->active = active;
	node->active += active ? 1 : -1U;
	/* Its unit begins or ends to be of use. */
	if (node->active == (active ? 1 : 0))
		gw_node_mark(state, node);
}
