/* Inside gw: nodes and edges (gw/state_priv.h says what they are for). */
#ifndef YUMEN_GW_NODE_PRIV_H
#define YUMEN_GW_NODE_PRIV_H

#include "core/list.h"
#include "gw/object.h"

struct gw_node {
	uint32_t active; /* edges that are: its unit is of use */
	uint32_t stamp; /* the state's, when a listener last used it */
	uint8_t kind; /* enum gw_kind */
	bool replaced; /* of an owner and a route: edges are to be made anew */
	uint8_t namespace_length;
	uint16_t name_length;
	uint16_t names; /* where they are behind the node, "namespace/name" */
	struct gw_object *object; /* NULL: only referred to, or asleep */
	struct gw_asleep *asleep;
	struct list users; /* gw_edge.link */
	struct list dirty; /* in the state's list of its kind, or empty */
};

static inline struct slice
gw_node_key(const struct gw_node *node)
{
	return slice_make((const char *)node + node->names,
	    (size_t)node->namespace_length + 1 + node->name_length);
}

static inline struct slice
gw_node_namespace(const struct gw_node *node)
{
	return slice_make(
	    (const char *)node + node->names, node->namespace_length);
}

static inline struct slice
gw_node_name(const struct gw_node *node)
{
	return slice_skip(
	    gw_node_key(node), (size_t)node->namespace_length + 1);
}

enum gw_edge_role {
	GW_EDGE_NAMESPACE, /* the route's own */
	GW_EDGE_PARENT,
	GW_EDGE_BACKEND,
	GW_EDGE_INTO, /* the namespace of a backend elsewhere: its grants */
	GW_EDGE_AUTHORITY, /* to believe certificates by */
	GW_EDGE_CERTIFICATE, /* to be shown */
	GW_EDGE_FLEET, /* the Service of a Gateway's fleet */
};

struct gw_edge {
	struct list link;
	struct gw_node *user; /* who depends on node */
	struct gw_node *node;
	uint8_t role; /* enum gw_edge_role */
	bool active; /* a unit made of user leads to that of node */
	uint16_t port; /* of a Service that a route leads to, else 0 */
	uint16_t listener; /* of an owner whose it is, or GW_ALL_LISTENERS */
};
#define GW_ALL_LISTENERS UINT16_MAX

#endif
