/* The state: objects put and removed, what that makes dirty, and one run over
 * what is dirty. */
#include "gw/state.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "gw/state_priv.h"

enum { WORK_BYTES = 16384, KEY_BYTES = 512 };

static void on_change(struct gw_state *state, struct gw_node *node,
    const struct gw_object *before);
static void free_node(struct gw_node *node);

struct gw_state *
gw_state_new(const struct gw_options *options)
{
	must(options != NULL);
	struct gw_state *state = memory_zero(1, sizeof(*state));

	state->controller_names = memory_zero(
	    options->controller_name_count + 1, sizeof(struct slice));
	state->controller_name_count = options->controller_name_count;
	for (uint32_t i = 0; i < options->controller_name_count; i++) {
		struct slice name = options->controller_names[i];
		char *copy = memory_alloc(name.length + 1);

		memcpy(copy, name.data, name.length);
		state->controller_names[i] = slice_make(copy, name.length);
	}
	state->namespaces_implied = options->namespaces_implied;
	for (unsigned i = 0; i < GW_KIND__COUNT; i++) {
		map_init(&state->nodes[i]);
		list_init(&state->dirty[i]);
	}
	map_init(&state->reports);
	map_init(&state->listener_units);
	gw_outbox_init(&state->outbox);
	arena_init(&state->work, WORK_BYTES);
	return state;
}

static void
free_report(struct gw_report *report)
{
	text_fini(&report->why);
	text_fini(&report->refused);
	memory_free(report);
}

void
gw_state_free(struct gw_state **state)
{
	must(state != NULL);
	struct gw_state *s = *state;
	struct slice key;
	void *value;

	*state = NULL;
	if (!s)
		return;
	for (unsigned i = 0; i < GW_KIND__COUNT; i++) {
		for (size_t at = 0; map_next(&s->nodes[i], &at, &key, &value);)
			free_node(value);
		map_fini(&s->nodes[i]);
	}
	for (size_t at = 0; map_next(&s->reports, &at, &key, &value);)
		free_report(value);
	map_fini(&s->reports);
	for (size_t at = 0; map_next(&s->listener_units, &at, &key, &value);)
		memory_free(value);
	map_fini(&s->listener_units);
	gw_outbox_fini(&s->outbox);
	arena_fini(&s->work);
	for (uint32_t i = 0; i < s->controller_name_count; i++)
		memory_free((char *)(uintptr_t)s->controller_names[i].data);
	memory_free(s->controller_names);
	memory_free(s);
}

void
gw_state_put(struct gw_state *state, struct gw_object **object)
{
	must(state != NULL && object != NULL && *object != NULL);
	struct gw_object *new = *object;
	struct gw_node *node =
	    gw_node_touch(state, new->kind, new->namespace, new->name);
	struct gw_object *before = node->object;

	*object = NULL;
	node->object = new;
	on_change(state, node, before);
	gw_object_free(&before);
}

/* A removed object took its status along: one that comes in its place is told
 * anew. */
static void
forget_status(struct gw_node *node)
{
	void *whole = node;

	if (node->kind == GW_GATEWAYCLASS)
		((struct gw_class_node *)whole)->status = (struct gw_sent){0};
	if (node->kind == GW_GATEWAY)
		((struct gw_gateway_node *)whole)->status = (struct gw_sent){0};
	if (node->kind == GW_HTTPROUTE)
		((struct gw_route_node *)whole)->status = (struct gw_sent){0};
}

void
gw_state_remove(struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT);
	struct gw_node *node = gw_node_get(state, kind, namespace, name);

	if (!node || !node->object)
		return;
	struct gw_object *before = node->object;

	node->object = NULL;
	forget_status(node);
	on_change(state, node, before);
	gw_object_free(&before);
}

const struct gw_object *
gw_state_get(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT);
	const struct gw_node *node = gw_node_get(state, kind, namespace, name);

	return node ? node->object : NULL;
}

void
gw_state_each(const struct gw_state *state, enum gw_kind kind,
    bool (*fn)(void *context, const struct gw_object *object), void *context)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT && fn != NULL);
	struct arena arena;
	uint32_t count;

	arena_init(&arena, KEY_BYTES);
	struct gw_node **nodes = gw_nodes_sorted(state, kind, &arena, &count);

	for (uint32_t i = 0; i < count && fn(context, nodes[i]->object); i++)
		;
	arena_fini(&arena);
}

/* ---- what a change makes dirty ---- */

static bool
has_same_spec(const struct gw_object *a, const struct gw_object *b)
{
	return a && b &&
	    memcmp(a->spec_digest, b->spec_digest, sizeof(a->spec_digest)) == 0;
}

static bool
has_same_digest(const struct gw_object *a, const struct gw_object *b)
{
	return a && b && memcmp(a->digest, b->digest, sizeof(a->digest)) == 0;
}

static void
on_change(struct gw_state *state, struct gw_node *node,
    const struct gw_object *before)
{
	const struct gw_object *now = node->object;

	switch (node->kind) {
	case GW_GATEWAYCLASS:
		state->classes_stale = true;
		if (!now)
			gw_node_drop(state, node);
		break;
	case GW_GATEWAY:
		state->gateways_stale = true;
		break;
	case GW_HTTPROUTE:
		((struct gw_route_node *)(void *)node)->replaced = true;
		gw_node_mark(state, node);
		break;
	case GW_SERVICE:
	case GW_XBACKEND:
		if (!has_same_spec(before, now))
			gw_node_mark_users(state, node, GW_EDGE_BACKEND);
		gw_node_mark(state, node);
		break;
	case GW_ENDPOINTSLICE:
		gw_slice_relink(state, (struct gw_slice_node *)(void *)node);
		gw_node_mark(state, node);
		break;
	case GW_NAMESPACE:
		if (!has_same_digest(before, now))
			gw_node_mark_users(state, node, GW_EDGE_NAMESPACE);
		if (!now)
			gw_node_drop(state, node);
		break;
	case GW_REFERENCEGRANT:
		gw_grant_relink(state, (struct gw_grant_node *)(void *)node);
		if (!now)
			gw_node_drop(state, node);
		break;
	case GW_KIND__COUNT:
		must(!"a kind");
	}
}

/* ---- reports ---- */

static struct gw_report *
touch_report(struct gw_state *state, struct slice unit)
{
	struct gw_report *report = map_get(&state->reports, unit);

	if (report)
		return report;
	report = memory_zero(1, sizeof(*report) + unit.length + 1);
	memcpy(report->name, unit.data, unit.length);
	text_init(&report->why);
	text_init(&report->refused);
	map_put(&state->reports, slice_make(report->name, unit.length), report);
	return report;
}

/* The node whose status tells of a unit: "listener/ns/gateway/name" of the
 * Gateway, "route/HTTPRoute/ns/name" of the route. */
static struct gw_node *
node_of_unit(const struct gw_state *state, struct slice unit)
{
	struct slice rest = unit, word, namespace, name;

	if (!slice_cut(&rest, '/', &word))
		return NULL;
	bool route = slice_equal(word, SLICE("route"));

	if (route && !slice_cut(&rest, '/', &word))
		return NULL;
	if ((!route && !slice_equal(word, SLICE("listener"))) ||
	    !slice_cut(&rest, '/', &namespace) || !slice_cut(&rest, '/', &name))
		return NULL;
	return gw_node_get(
	    state, route ? GW_HTTPROUTE : GW_GATEWAY, namespace, name);
}

/* Reports that say nothing are not kept. */
static void
after_report(struct gw_state *state, struct gw_report *report)
{
	struct slice unit = slice_from_string(report->name);
	struct gw_node *node = node_of_unit(state, unit);

	if (node)
		gw_node_mark(state, node);
	if (!node || (report->error == ERROR_OK && report->refused.length == 0))
		gw_report_forget(state, unit);
}

void
gw_state_report_listener(struct gw_state *state, struct slice unit,
    enum error error, struct slice why)
{
	must(state != NULL && (unsigned)error < ERROR__COUNT);
	struct gw_report *report = touch_report(state, unit);

	report->error = error;
	text_reset(&report->why);
	text_push(&report->why, why);
	after_report(state, report);
}

void
gw_state_report_refused(
    struct gw_state *state, struct slice unit, struct slice why)
{
	must(state != NULL);
	struct gw_report *report = touch_report(state, unit);

	text_reset(&report->refused);
	text_push(&report->refused, why);
	after_report(state, report);
}

const struct gw_report *
gw_report_get(const struct gw_state *state, struct slice unit)
{
	return state->reports.count > 0 ? map_get(&state->reports, unit) : NULL;
}

void
gw_report_forget(struct gw_state *state, struct slice unit)
{
	struct gw_report *report = map_remove(&state->reports, unit);

	if (report)
		free_report(report);
}

/* ---- the run ---- */

/* The first dirty node of a kind, taken off the list, or NULL. */
static struct gw_node *
take_dirty(struct gw_state *state, enum gw_kind kind)
{
	struct list *list = &state->dirty[kind];

	if (list_is_empty(list))
		return NULL;
	struct gw_node *node = container_of(list->next, struct gw_node, dirty);

	list_remove(&node->dirty);
	return node;
}

static void
judge_dirty(struct gw_state *state, enum gw_kind kind)
{
	for (struct gw_node *node; (node = take_dirty(state, kind));) {
		void *whole = node;

		switch (kind) {
		case GW_HTTPROUTE:
			gw_route_judge(state, whole);
			break;
		case GW_SERVICE:
		case GW_XBACKEND:
			gw_backend_emit(state, whole);
			break;
		case GW_ENDPOINTSLICE:
			gw_slice_emit(state, whole);
			break;
		case GW_GATEWAY:
			gw_gateway_emit_status(state, whole);
			break;
		case GW_GATEWAYCLASS:
		case GW_REFERENCEGRANT:
		case GW_NAMESPACE:
		case GW_KIND__COUNT:
			must(!"a kind that is judged alone");
		}
		gw_node_drop(state, node);
		arena_reset(&state->work);
	}
}

void
gw_state_reconcile(struct gw_state *state, const struct gw_output *output)
{
	must(state != NULL && output != NULL);
	must(output->on_unit != NULL && output->on_status != NULL);
	gw_outbox_reset(&state->outbox);
	if (state->classes_stale)
		gw_classes_judge(state);
	if (state->gateways_stale)
		gw_gateways_judge(state);
	judge_dirty(state, GW_HTTPROUTE);
	judge_dirty(state, GW_SERVICE);
	judge_dirty(state, GW_XBACKEND);
	judge_dirty(state, GW_ENDPOINTSLICE);
	judge_dirty(state, GW_GATEWAY);
	gw_outbox_tell(&state->outbox, output);
}

/* ---- nodes ---- */

static const size_t node_sizes[GW_KIND__COUNT] = {
    [GW_GATEWAYCLASS] = sizeof(struct gw_class_node),
    [GW_GATEWAY] = sizeof(struct gw_gateway_node),
    [GW_HTTPROUTE] = sizeof(struct gw_route_node),
    [GW_REFERENCEGRANT] = sizeof(struct gw_grant_node),
    [GW_XBACKEND] = sizeof(struct gw_backend_node),
    [GW_SERVICE] = sizeof(struct gw_backend_node),
    [GW_ENDPOINTSLICE] = sizeof(struct gw_slice_node),
    [GW_NAMESPACE] = sizeof(struct gw_namespace_node),
};

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

struct gw_node *
gw_node_touch(struct gw_state *state, enum gw_kind kind, struct slice namespace,
    struct slice name)
{
	struct gw_node *node = gw_node_get(state, kind, namespace, name);

	if (node)
		return node;
	size_t size = node_sizes[kind];
	size_t length = namespace.length + 1 + name.length;

	node = memory_zero(1, size + length + 1);
	node->kind = kind;
	node->key = make_key((char *)node + size, namespace, name);
	node->namespace = slice_make(node->key.data, namespace.length);
	node->name = slice_skip(node->key, namespace.length + 1);
	list_init(&node->users);
	list_init(&node->dirty);

	void *whole = node;

	if (kind == GW_GATEWAY)
		arena_init(
		    &((struct gw_gateway_node *)whole)->arena, KEY_BYTES);
	if (kind == GW_SERVICE || kind == GW_XBACKEND)
		list_init(&((struct gw_backend_node *)whole)->slices);
	if (kind == GW_ENDPOINTSLICE)
		list_init(&((struct gw_slice_node *)whole)->link);
	if (kind == GW_NAMESPACE)
		list_init(&((struct gw_namespace_node *)whole)->grants);
	if (kind == GW_REFERENCEGRANT)
		list_init(&((struct gw_grant_node *)whole)->link);
	map_put(&state->nodes[kind], node->key, node);
	return node;
}

static void
free_node(struct gw_node *node)
{
	void *whole = node;

	if (node->kind == GW_GATEWAY) {
		struct gw_gateway_node *gateway = whole;

		arena_fini(&gateway->arena);
		memory_free(gateway->attached);
	}
	if (node->kind == GW_HTTPROUTE) {
		struct gw_route_node *route = whole;

		memory_free(route->edges);
		memory_free(route->attached);
	}
	gw_object_free(&node->object);
	memory_free(node);
}

static bool
is_needed(const struct gw_node *node)
{
	const void *whole = node;

	if (node->object || !list_is_empty(&node->users) ||
	    !list_is_empty(&node->dirty))
		return true;
	if (node->kind == GW_SERVICE || node->kind == GW_XBACKEND)
		return !list_is_empty(
		    &((const struct gw_backend_node *)whole)->slices);
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
	must(map_remove(&state->nodes[node->kind], node->key) == node);
	free_node(node);
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

		if (edge->role == role)
			gw_node_mark(state, &edge->route->node);
	}
}

static int
compare_nodes(const void *a, const void *b)
{
	const struct gw_node *left = *(struct gw_node *const *)a;
	const struct gw_node *right = *(struct gw_node *const *)b;
	int order = slice_compare(left->namespace, right->namespace);

	return order ? order : slice_compare(left->name, right->name);
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
		if (((struct gw_node *)value)->object)
			nodes[(*count)++] = value;
	if (*count > 1)
		qsort(nodes, *count, sizeof(struct gw_node *), compare_nodes);
	return nodes;
}
