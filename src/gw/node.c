/* Nodes: made when a name is first needed, freed when nothing needs it any
 * more. */
#include "gw/node_priv.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "gw/policy_priv.h"

/* A reference names 253 characters of any kind, and 63 of a namespace. */
enum { KEY_BYTES = 253 * 4 + 1 + 63 };
enum { ARENA_BYTES = 512 };

static const size_t node_sizes[GW_KIND__COUNT] = {
    [GW_GATEWAYCLASS] = sizeof(struct gw_class_node),
    [GW_GATEWAY] = sizeof(struct gw_owner_node),
    [GW_LISTENERSET] = sizeof(struct gw_owner_node),
    [GW_HTTPROUTE] = sizeof(struct gw_route_node),
    [GW_GRPCROUTE] = sizeof(struct gw_route_node),
    [GW_TLSROUTE] = sizeof(struct gw_route_node),
    [GW_TCPROUTE] = sizeof(struct gw_route_node),
    [GW_UDPROUTE] = sizeof(struct gw_route_node),
    [GW_REFERENCEGRANT] = sizeof(struct gw_grant_node),
    [GW_XBACKEND] = sizeof(struct gw_xbackend_node),
    [GW_SERVICE] = sizeof(struct gw_backend_node),
    [GW_ENDPOINTSLICE] = sizeof(struct gw_slice_node),
    [GW_BACKENDTLSPOLICY] = sizeof(struct gw_policy_node),
    [GW_CONFIGMAP] = sizeof(struct gw_authority_node),
    [GW_CLUSTERTRUSTBUNDLE] = sizeof(struct gw_authority_node),
    [GW_SECRET] = sizeof(struct gw_secret_node),
    [GW_NAMESPACE] = sizeof(struct gw_namespace_node),
    [GW_NODE] = sizeof(struct gw_node),
    [GW_IPADDRESSPOOL] = sizeof(struct gw_pool_node),
    [GW_L2ADVERTISEMENT] = sizeof(struct gw_node),
    [GW_BGPADVERTISEMENT] = sizeof(struct gw_node),
    [GW_ENVOYPROXY] = sizeof(struct gw_node),
};

struct slice
gw_node_key_of(const void *node)
{
	return gw_node_key(node);
}

static bool
is_owner(enum gw_kind kind)
{
	return kind == GW_GATEWAY || kind == GW_LISTENERSET;
}

static struct slice
make_key(char *out, struct slice namespace, struct slice name)
{
	must(namespace.length + 1 + name.length <= KEY_BYTES);
	memcpy(out, namespace.data, namespace.length);
	out[namespace.length] = '/';
	memcpy(out + namespace.length + 1, name.data, name.length);
	return slice_make(out, namespace.length + 1 + name.length);
}

struct gw_node *
gw_node_get(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	char key[KEY_BYTES];

	if (namespace.length + 1 + name.length > KEY_BYTES)
		return NULL;
	return map_get(&state->nodes[kind], make_key(key, namespace, name));
}

static void
init_owner(struct gw_owner_node *owner)
{
	arena_init(&owner->arena, ARENA_BYTES);
	list_init(&owner->unproven);
	gw_owner_tls_init(owner);
}

struct gw_node *
gw_node_touch(struct gw_state *state, enum gw_kind kind, struct slice namespace,
    struct slice name)
{
	struct gw_node *node = gw_node_get(state, kind, namespace, name);

	if (node)
		return node;
	size_t size =
	    gw_kinds[kind].read ? node_sizes[kind] : sizeof(struct gw_node);
	size_t length = namespace.length + 1 + name.length;

	node = memory_zero(1, size + length + 1);
	must(namespace.length <= UINT8_MAX && name.length <= UINT16_MAX &&
	    size <= UINT16_MAX);
	node->kind = (uint8_t)kind;
	node->names = (uint16_t)size;
	(void)make_key((char *)node + size, namespace, name);
	node->namespace_length = (uint8_t) namespace.length;
	node->name_length = (uint16_t)name.length;
	list_init(&node->users);
	list_init(&node->dirty);

	void *whole = node;

	if (is_owner(kind))
		init_owner(whole);
	if (kind == GW_SECRET)
		arena_init(
		    &((struct gw_secret_node *)whole)->arena, ARENA_BYTES);
	if (kind == GW_SERVICE || kind == GW_XBACKEND) {
		list_init(&((struct gw_backend_node *)whole)->slices);
		list_init(&((struct gw_backend_node *)whole)->policies);
	}
	if (kind == GW_XBACKEND)
		arena_init(
		    &((struct gw_xbackend_node *)whole)->arena, ARENA_BYTES);
	if (gw_is_policy(kind))
		arena_init(
		    &((struct gw_policy_node *)whole)->arena, ARENA_BYTES);
	if (kind == GW_ENDPOINTSLICE)
		list_init(&((struct gw_slice_node *)whole)->link);
	if (kind == GW_NAMESPACE)
		list_init(&((struct gw_namespace_node *)whole)->grants);
	if (kind == GW_REFERENCEGRANT)
		list_init(&((struct gw_grant_node *)whole)->link);
	map_add(&state->nodes[kind], node);
	return node;
}

void
gw_attachments_free(struct gw_route_node *route)
{
	if (route->attached != &route->only_attached)
		memory_free(route->attached);
	route->attached = NULL;
	route->attached_count = 0;
}

void
gw_node_free(struct gw_node *node)
{
	void *whole = node;

	if (is_owner(node->kind)) {
		struct gw_owner_node *owner = whole;

		arena_fini(&owner->arena);
		gw_owner_tls_fini(owner);
		text_fini(&owner->answered);
		list_remove(&owner->unproven);
		for (unsigned i = 0; i < GW_FLEET_WORD__COUNT; i++)
			text_fini(&owner->fleet_words[i]);
		memory_free(owner->attached);
		gw_placed_fini(&owner->placed);
	}
	if (node->kind == GW_SERVICE)
		gw_balancer_free(whole);
	if (node->kind == GW_XBACKEND) {
		struct gw_xbackend_node *xbackend = whole;

		arena_fini(&xbackend->arena);
		memory_free(xbackend->tls_edges.items);
	}
	if (gw_route_row(node->kind)) {
		struct gw_route_node *route = whole;

		memory_free(route->edges);
		gw_attachments_free(route);
	}
	if (gw_is_policy(node->kind)) {
		struct gw_policy_node *policy = whole;

		arena_fini(&policy->arena);
		memory_free(policy->targets);
		memory_free(policy->edges);
	}
	if (node->kind == GW_CONFIGMAP || node->kind == GW_CLUSTERTRUSTBUNDLE)
		text_fini(&((struct gw_authority_node *)whole)->fault);
	if (node->kind == GW_SECRET) {
		struct gw_secret_node *secret = whole;

		arena_fini(&secret->arena);
		text_fini(&secret->fault);
		text_fini(&secret->note);
	}
	gw_object_free(&node->object);
	gw_asleep_free(&node->asleep);
	memory_free(node);
}

bool
gw_node_has_object(const struct gw_node *node)
{
	return node->object != NULL || node->asleep != NULL;
}

void
gw_node_rest(const struct gw_state *state, struct gw_node *node)
{
	if (node->object && gw_route_row(node->kind) && !state->once)
		node->asleep = gw_object_sleep(&node->object);
}

void
gw_node_wake(struct gw_node *node)
{
	if (node->asleep != NULL)
		node->object = gw_object_wake(
		    &node->asleep, gw_node_namespace(node), gw_node_name(node));
}

struct gw_sent_status *
gw_node_status(struct gw_node *node)
{
	void *whole = node;

	if (node->kind == GW_GATEWAYCLASS)
		return &((struct gw_class_node *)whole)->status;
	if (is_owner(node->kind))
		return &((struct gw_owner_node *)whole)->status;
	if (gw_route_row(node->kind))
		return &((struct gw_route_node *)whole)->status;
	if (gw_is_policy(node->kind))
		return &((struct gw_policy_node *)whole)->status;
	if (node->kind == GW_SERVICE)
		return gw_balancer_status(whole);
	if (node->kind == GW_IPADDRESSPOOL)
		return &((struct gw_pool_node *)whole)->status;
	return NULL;
}

static bool
is_needed(const struct gw_node *node)
{
	const void *whole = node;

	if (gw_node_has_object(node) || !list_is_empty(&node->users) ||
	    !list_is_empty(&node->dirty))
		return true;
	if (node->kind == GW_SERVICE || node->kind == GW_XBACKEND) {
		const struct gw_backend_node *backend = whole;

		return !list_is_empty(&backend->slices) ||
		    !list_is_empty(&backend->policies);
	}
	if (node->kind == GW_NAMESPACE)
		return !list_is_empty(
		    &((const struct gw_namespace_node *)whole)->grants);
	return false;
}

void
gw_node_drop(struct gw_state *state, struct gw_node *node)
{
	if (is_needed(node))
		return;
	must(map_remove(&state->nodes[node->kind], gw_node_key(node)) == node);
	gw_node_free(node);
}

void
gw_node_mark(struct gw_state *state, struct gw_node *node)
{
	if (list_is_empty(&node->dirty))
		list_insert(&state->dirty[node->kind], &node->dirty);
}

void
gw_node_mark_users(
    struct gw_state *state, struct gw_node *node, enum gw_edge_role role)
{
	LIST_FOR_EACH(at, &node->users)
	{
		struct gw_edge *edge = container_of(at, struct gw_edge, link);

		if (edge->role != role)
			continue;
		gw_node_mark(state, edge->user);
		/* Its other edges are of TLS. */
		if (is_owner(edge->user->kind) && role != GW_EDGE_FLEET)
			gw_owner_tls_note(edge);
	}
}

static int
compare_nodes(const void *a, const void *b)
{
	const struct gw_node *left = *(struct gw_node *const *)a;
	const struct gw_node *right = *(struct gw_node *const *)b;
	int order =
	    slice_compare(gw_node_namespace(left), gw_node_namespace(right));

	return order ? order
	             : slice_compare(gw_node_name(left), gw_node_name(right));
}

/* They often come in order, as they stand in files. */
static void
sort_nodes(struct gw_node **nodes, size_t count)
{
	size_t i = 1;

	while (i < count && compare_nodes(&nodes[i - 1], &nodes[i]) < 0)
		i++;
	if (i < count)
		qsort(nodes, count, sizeof(struct gw_node *), compare_nodes);
}

struct gw_node **
gw_nodes_dirty(const struct gw_state *state, enum gw_kind kind, size_t *count)
{
	const struct list *list = &state->dirty[kind];
	size_t room = 0;

	LIST_FOR_EACH(at, list)
	{
		room++;
	}
	*count = 0;
	if (room == 0)
		return NULL;
	struct gw_node **nodes = memory_alloc(room * sizeof(struct gw_node *));

	LIST_FOR_EACH(at, list)
	{
		nodes[(*count)++] = container_of(at, struct gw_node, dirty);
	}
	sort_nodes(nodes, room);
	return nodes;
}

struct gw_node **
gw_nodes_sorted(const struct gw_state *state, enum gw_kind kind,
    struct arena *arena, uint32_t *count)
{
	const struct map *map = &state->nodes[kind];
	struct gw_node **nodes =
	    arena_zero(arena, map->count + 1, sizeof(*nodes));
	struct slice key;
	void *value;

	*count = 0;
	for (size_t at = 0; map_next(map, &at, &key, &value);)
		if (gw_node_has_object(value))
			nodes[(*count)++] = value;
	sort_nodes(nodes, *count);
	return nodes;
}
