/* The state: objects put and removed, what that makes dirty, and one run over
 * what is dirty. */
#include "gw/state.h"

#include "core/memory.h"
#include "core/must.h"
#include "gw/fleet_priv.h"
#include "gw/policy_priv.h"

enum { WORK_BYTES = 16384, SORT_BYTES = 512 };

static void on_change(struct gw_state *state, struct gw_node *node,
    const struct gw_object *before);

static struct slice *
copy_texts(const struct slice *texts, uint32_t count)
{
	struct slice *copies = memory_zero(count + 1, sizeof(*copies));

	for (uint32_t i = 0; i < count; i++) {
		char *copy = memory_alloc(texts[i].length + 1);

		memcpy(copy, texts[i].data, texts[i].length);
		copies[i] = slice_make(copy, texts[i].length);
	}
	return copies;
}

static void
free_texts(struct slice *texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		memory_free((char *)(uintptr_t)texts[i].data);
	memory_free(texts);
}

struct gw_state *
gw_state_new(const struct gw_options *options)
{
	must(options != NULL);
	struct gw_state *state = memory_zero(1, sizeof(*state));

	state->controller_names = copy_texts(
	    options->controller_names, options->controller_name_count);
	state->controller_name_count = options->controller_name_count;
	state->pool_namespaces =
	    copy_texts(options->pool_namespaces, options->pool_namespace_count);
	state->pool_namespace_count = options->pool_namespace_count;
	state->addressing = options->addressing;
	state->forwards = options->forwards;
	state->takes_excluded = options->takes_excluded;
	state->takes_unclassed = options->takes_unclassed;
	list_init(&state->balancers);
	list_init(&state->unproven);
	text_init(&state->metallb);
	state->namespaces_implied = options->namespaces_implied;
	state->classes_told = options->classes_told;
	state->once = options->once;
	state->carries = options->carries;
	state->has_fleets = options->fleet != NULL;
	if (options->fleet)
		state->fleet = *options->fleet;
	text_init(&state->fleet_bundle);
	state->turns_at = INT64_MAX;
	state->silence_due = INT64_MAX;
	for (unsigned i = 0; i < GW_KIND__COUNT; i++) {
		map_init_keyed(&state->nodes[i], gw_node_key_of);
		list_init(&state->dirty[i]);
	}
	map_init(&state->reports);
	map_init_keyed(&state->listener_units, gw_named_key);
	map_init_keyed(&state->tickets, gw_named_key);
	map_init_keyed(&state->claims, gw_named_key);
	map_init_keyed(&state->told, gw_told_key);
	map_init_keyed(&state->l2, gw_named_key);
	gw_outbox_init(&state->outbox);
	arena_init(&state->work, WORK_BYTES);
	return state;
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
			gw_node_free(value);
		map_fini(&s->nodes[i]);
	}
	gw_reports_fini(s);
	for (size_t at = 0; map_next(&s->listener_units, &at, &key, &value);)
		memory_free(value);
	map_fini(&s->listener_units);
	gw_tickets_fini(s);
	gw_announced_fini(s);
	gw_told_fini(s);
	gw_l2_fini(s);
	text_fini(&s->metallb);
	text_fini(&s->fleet_bundle);
	gw_outbox_fini(&s->outbox);
	arena_fini(&s->work);
	free_texts(s->controller_names, s->controller_name_count);
	free_texts(s->pool_namespaces, s->pool_namespace_count);
	memory_free(s);
}

void
gw_state_succeed(struct gw_state *state, struct gw_object *object)
{
	must(state != NULL && object != NULL);
	struct gw_node *node =
	    gw_node_get(state, object->kind, object->namespace, object->name);

	if (!node)
		return;
	gw_node_wake(node);
	gw_object_succeed(object, node->object);
	gw_node_rest(state, node);
}

void
gw_state_put(struct gw_state *state, struct gw_object **object)
{
	must(state != NULL && object != NULL && *object != NULL);
	struct gw_object *new = *object;
	struct gw_node *node =
	    gw_node_touch(state, new->kind, new->namespace, new->name);
	gw_node_wake(node);
	struct gw_object *before = node->object;

	*object = NULL;
	node->object = new;
	on_change(state, node, before);
	gw_node_rest(state, node);
	gw_object_free(&before);
}

void
gw_state_remove(struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT);
	struct gw_node *node = gw_node_get(state, kind, namespace, name);

	if (!node || !gw_node_has_object(node))
		return;
	gw_node_wake(node);
	struct gw_object *before = node->object;

	node->object = NULL;
	/* It took its status along: one that comes in its place is told anew.
	 */
	if (gw_node_status(node) != NULL)
		*gw_node_status(node) = (struct gw_sent_status){0};
	on_change(state, node, before);
	gw_object_free(&before);
}

const struct gw_object *
gw_state_get(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT &&
	    !gw_kind_is_route(kind));
	const struct gw_node *node = gw_node_get(state, kind, namespace, name);

	return node ? node->object : NULL;
}

bool
gw_state_has(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT);
	const struct gw_node *node = gw_node_get(state, kind, namespace, name);

	return node != NULL && gw_node_has_object(node);
}

struct gw_status_tag *
gw_state_status_tag(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT);
	struct gw_node *node = gw_node_get(state, kind, namespace, name);
	struct gw_sent_status *status = node != NULL && gw_node_has_object(node)
	    ? gw_node_status(node)
	    : NULL;

	return status != NULL ? &status->tag : NULL;
}

void
gw_state_each(const struct gw_state *state, enum gw_kind kind,
    bool (*fn)(void *context, const struct gw_object *object), void *context)
{
	must(state != NULL && (unsigned)kind < GW_KIND__COUNT && fn != NULL);
	struct arena arena;
	uint32_t count;

	arena_init(&arena, SORT_BYTES);
	struct gw_node **nodes = gw_nodes_sorted(state, kind, &arena, &count);

	for (uint32_t i = 0; i < count; i++) {
		bool more;

		gw_node_wake(nodes[i]);
		more = fn(context, nodes[i]->object);
		gw_node_rest(state, nodes[i]);
		if (!more)
			break;
	}
	arena_fini(&arena);
}

/* ---- what a change makes dirty ---- */

static bool
has_same_spec(const struct gw_object *a, const struct gw_object *b)
{
	return a && b && a->spec_digest == b->spec_digest;
}

static bool
has_same_digest(const struct gw_object *a, const struct gw_object *b)
{
	return a && b && a->digest == b->digest;
}

/* What listeners and policies show, or believe by. */
static void
on_credential(struct gw_state *state, struct gw_node *node)
{
	void *whole = node;

	if (node->kind == GW_SECRET)
		((struct gw_secret_node *)whole)->judged = false;
	else
		((struct gw_authority_node *)whole)->judged = false;
	gw_node_mark_users(state, node,
	    node->kind == GW_SECRET ? GW_EDGE_CERTIFICATE : GW_EDGE_AUTHORITY);
	gw_node_mark(state, node);
}

static void
drop_removed(struct gw_state *state, struct gw_node *node)
{
	if (!node->object)
		gw_node_drop(state, node);
}

static void
on_route(struct gw_state *state, struct gw_node *node)
{
	node->replaced = true;
	gw_node_mark(state, node);
}

static bool
is_balanced(const struct gw_object *service)
{
	return service && service->service->spec &&
	    slice_equal(service->service->spec->type, SLICE("LoadBalancer"));
}

static void
on_backend(struct gw_state *state, struct gw_node *node,
    const struct gw_object *before)
{
	if (!has_same_spec(before, node->object))
		gw_node_mark_users(state, node, GW_EDGE_BACKEND);
	if (node->kind == GW_XBACKEND)
		gw_xbackend_replace(state, (void *)node);
	if (node->kind == GW_SERVICE) {
		if ((is_balanced(before) || is_balanced(node->object)) &&
		    !has_same_spec(before, node->object))
			state->claims_stale = true;
		gw_fleet_on_service(state, node);
		gw_families_replace(state, (void *)node, before);
		gw_balancer_replace(state, (void *)node);
		gw_taken_replace(state, node, before);
	}
	gw_policies_mark(state, node);
	gw_node_mark(state, node);
}

/* On the labels of a namespace hang which routes a listener takes, which
 * ListenerSets a Gateway, and which pools are for it; on pools its addresses;
 * on nodes who may announce them. */
static void
on_surroundings(struct gw_state *state, struct gw_node *node,
    const struct gw_object *before)
{
	if (node->kind == GW_NODE) {
		state->claims_stale = true;
		gw_fleet_on_node(state);
	}
	if (node->kind == GW_NODE || has_same_digest(before, node->object))
		return;
	gw_node_mark_users(state, node, GW_EDGE_NAMESPACE);
	if (node->kind != GW_NAMESPACE ||
	    state->nodes[GW_LISTENERSET].count > 0 ||
	    state->nodes[GW_IPADDRESSPOOL].count > 0)
		state->gateways_stale = true;
}

static void
on_change(struct gw_state *state, struct gw_node *node,
    const struct gw_object *before)
{
	const struct gw_object *now = node->object;

	switch (node->kind) {
	case GW_GATEWAYCLASS:
	case GW_ENVOYPROXY: /* classes refer to them, too */
		state->classes_stale = true;
		drop_removed(state, node);
		break;
	case GW_GATEWAY:
	case GW_LISTENERSET:
		state->gateways_stale = true;
		node->replaced = true;
		break;
	case GW_SERVICE:
	case GW_XBACKEND:
		on_backend(state, node, before);
		break;
	case GW_BACKENDTLSPOLICY:
		gw_policy_replace(state, (void *)node, before);
		break;
	case GW_ENDPOINTSLICE:
		gw_slice_replace(state, (struct gw_slice_node *)(void *)node);
		break;
	case GW_NAMESPACE:
	case GW_IPADDRESSPOOL:
	case GW_L2ADVERTISEMENT:
	case GW_BGPADVERTISEMENT:
	case GW_NODE:
		on_surroundings(state, node, before);
		drop_removed(state, node);
		break;
	case GW_CONFIGMAP:
	case GW_CLUSTERTRUSTBUNDLE:
	case GW_SECRET:
		if (!has_same_spec(before, now))
			on_credential(state, node);
		break;
	case GW_REFERENCEGRANT:
		gw_grant_relink(state, (struct gw_grant_node *)(void *)node);
		__attribute__((fallthrough));
	default: /* is only shown */
		if (gw_kind_is_route(node->kind))
			on_route(state, node);
		else
			drop_removed(state, node);
		break;
	}
}

/* ---- the run ---- */

static void
judge(struct gw_state *state, struct gw_node *node)
{
	void *whole = node;

	switch (node->kind) {
	case GW_HTTPROUTE:
	case GW_GRPCROUTE:
	case GW_TLSROUTE:
	case GW_TCPROUTE:
	case GW_UDPROUTE:
		gw_route_judge(state, whole);
		break;
	case GW_SERVICE:
		gw_balancer_emit_status(state, whole);
		__attribute__((fallthrough));
	case GW_XBACKEND:
		gw_backend_emit(state, whole);
		break;
	case GW_ENDPOINTSLICE:
		gw_slice_emit(state, whole);
		break;
	case GW_BACKENDTLSPOLICY:
		gw_policy_emit_status(state, whole);
		break;
	case GW_GATEWAY:
		gw_gateway_refresh_tls(state, whole);
		gw_fleet_emit(state, whole);
		gw_fleet_prove(state, whole);
		gw_owner_emit_status(state, whole);
		break;
	case GW_LISTENERSET:
		gw_owner_emit_status(state, whole);
		break;
	case GW_CONFIGMAP:
	case GW_CLUSTERTRUSTBUNDLE:
		gw_authority_emit(state, whole);
		break;
	case GW_SECRET:
		gw_secret_emit(state, whole);
		break;
	case GW_IPADDRESSPOOL:
		gw_pool_emit_status(state, whole);
		break;
	case GW_GATEWAYCLASS:
	case GW_REFERENCEGRANT:
	case GW_NAMESPACE:
	default:
		must(!"a kind that is judged alone");
	}
}

/* What is dirty of a kind, in order of name. Nothing on the list is freed; what
 * becomes dirty meanwhile is judged after it. */
static void
judge_dirty(struct gw_state *state, enum gw_kind kind)
{
	struct gw_node **nodes;
	size_t count;

	while ((nodes = gw_nodes_dirty(state, kind, &count)) != NULL) {
		for (size_t i = 0; i < count; i++) {
			struct gw_node *node = nodes[i];

			list_remove(&node->dirty);
			gw_node_wake(node);
			judge(state, node);
			gw_node_rest(state, node);
			gw_node_drop(state, node);
			arena_reset(&state->work);
			gw_outbox_reset(&state->outbox);
		}
		memory_free(nodes);
	}
}

void
gw_state_reconcile(struct gw_state *state, const struct gw_output *output)
{
	must(state != NULL && output != NULL);
	must(output->on_unit != NULL && output->on_status != NULL);
	must(output->on_fleet != NULL || !state->has_fleets);
	state->outbox.output = output;
	if (state->classes_stale) {
		gw_classes_judge(state);
		gw_policies_on_classes(state);
	}
	if (state->gateways_stale)
		gw_gateways_judge(state);
	else if (state->claims_stale)
		gw_announced_renew(state);
	gw_l2_emit(state);
	gw_policies_judge(state);
	gw_xbackends_judge(state);
	gw_outbox_reset(&state->outbox);
	for (unsigned i = 0; i < GW_KIND__COUNT; i++)
		if (gw_route_row(i))
			judge_dirty(state, i);
	judge_dirty(state, GW_SERVICE);
	judge_dirty(state, GW_XBACKEND);
	judge_dirty(state, GW_ENDPOINTSLICE);
	judge_dirty(state, GW_BACKENDTLSPOLICY);
	gw_listenersets_spread_tls(state);
	judge_dirty(state, GW_GATEWAY);
	judge_dirty(state, GW_LISTENERSET);
	judge_dirty(state, GW_CONFIGMAP);
	judge_dirty(state, GW_CLUSTERTRUSTBUNDLE);
	judge_dirty(state, GW_SECRET);
	judge_dirty(state, GW_IPADDRESSPOOL);
	state->outbox.output = NULL;
}
