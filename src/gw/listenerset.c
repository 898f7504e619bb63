/* ListenerSets: which Gateway takes which, and what of it can be served. */
#include <stdlib.h>

#include "core/must.h"
#include "gw/tls_priv.h"

static void
refuse(struct gw_owner_node *set, const char *reason, struct slice message)
{
	if (set->refused)
		return;
	set->refused = reason;
	set->message = message;
}

static bool
is_allowed(const struct gw_state *state, const struct gw_owner_node *set,
    const struct gw_owner_node *gateway)
{
	const struct gw_allowed_listeners *allowed =
	    gateway->node.object->gateway->spec->allowed_listeners;
	const struct gw_listener_namespaces *namespaces =
	    allowed ? allowed->namespaces : NULL;

	return namespaces &&
	    gw_namespace_is_allowed(state, gw_node_namespace(&set->node),
	        gw_node_namespace(&gateway->node), namespaces->from,
	        namespaces->selector);
}

static struct slice
tell_not_allowed(const struct gw_owner_node *gateway, struct gw_owner_node *set)
{
	const struct gw_allowed_listeners *allowed =
	    gateway->node.object->gateway->spec->allowed_listeners;
	struct slice from = allowed && allowed->namespaces
	    ? allowed->namespaces->from
	    : SLICE("None");

	if (slice_equal(from, SLICE("None")))
		return arena_format(&set->arena,
		    "Gateway %.*s takes no ListenerSets "
		    "(allowedListeners.namespaces.from is None)",
		    SLICE_ARGS(gw_node_key(&gateway->node)));
	if (slice_equal(from, SLICE("Same")))
		return arena_format(&set->arena,
		    "Gateway %.*s takes ListenerSets of its own namespace only "
		    "(allowedListeners.namespaces.from is Same)",
		    SLICE_ARGS(gw_node_key(&gateway->node)));
	return arena_format(&set->arena,
	    "namespace %.*s is not selected by "
	    "allowedListeners.namespaces.selector of Gateway %.*s",
	    SLICE_ARGS(gw_node_namespace(&set->node)),
	    SLICE_ARGS(gw_node_key(&gateway->node)));
}

/* Without a Gateway: where all classes are ours, that is for us to tell. */
static void
leave_alone(const struct gw_state *state, struct gw_owner_node *set,
    const char *reason, struct slice message)
{
	set->ours = state->controller_name_count == 0;
	set->orphan = false;
	set->controller = SLICE(GW_CONTROLLER);
	refuse(set, reason, message);
}

static void
judge_parent(const struct gw_state *state, struct gw_owner_node *set)
{
	const struct gw_object_reference *reference =
	    set->node.object->listenerset->spec->parent_ref;
	struct slice namespace = reference->namespace.length > 0
	    ? reference->namespace
	    : gw_node_namespace(&set->node);
	struct gw_owner_node *gateway;

	set->gateway = NULL;
	if (!slice_equal(reference->group, SLICE(GW_GROUP)) ||
	    !slice_equal(reference->kind, SLICE("Gateway"))) {
		leave_alone(state, set, "Invalid",
		    arena_format(&set->arena,
		        "spec.parentRef: %.*s of group \"%.*s\" is not a kind "
		        "of parent that yumen knows, only Gateway is",
		        SLICE_ARGS(reference->kind),
		        SLICE_ARGS(reference->group)));
		return;
	}
	gateway =
	    (void *)gw_node_get(state, GW_GATEWAY, namespace, reference->name);
	if (!gateway || !gateway->node.object) {
		leave_alone(state, set, "ParentNotAccepted",
		    arena_format(&set->arena,
		        "spec.parentRef: there is no Gateway %.*s/%.*s",
		        SLICE_ARGS(namespace), SLICE_ARGS(reference->name)));
		return;
	}
	set->ours = gateway->ours;
	set->orphan = gateway->orphan;
	set->controller = arena_copy(&set->arena, gateway->controller);
	if (is_allowed(state, set, gateway))
		set->gateway = gateway;
	else
		refuse(set, "NotAllowed", tell_not_allowed(gateway, set));
}

/* With no listener that can be served it is not accepted. */
static void
judge_listener_sum(struct gw_owner_node *set)
{
	for (uint32_t i = 0; i < set->listener_count; i++)
		if (!set->listeners[i].refused)
			return;
	refuse(set, "ListenersNotValid",
	    arena_format(&set->arena,
	        "no listener can be served; \"%.*s\": %.*s",
	        SLICE_ARGS(set->listeners[0].spec->name),
	        SLICE_ARGS(set->listeners[0].message)));
}

static void
judge_set(struct gw_state *state, struct gw_owner_node *set, struct map *taken,
    struct map *ports)
{
	if (!set->gateway) {
		gw_owner_tls_clear(state, set);
		set->node.replaced = true;
		return;
	}
	if (set->gateway->refused)
		refuse(set, "ParentNotAccepted",
		    arena_format(&set->arena, "Gateway %.*s is not accepted",
		        SLICE_ARGS(gw_node_key(&set->gateway->node))));
	gw_conflicts_judge(state, taken, set);
	gw_claims_judge(state, ports, set);
	judge_listener_sum(set);
}

static void
judge_first(const struct gw_state *state, struct gw_owner_node *set)
{
	arena_reset(&set->arena);
	set->refused = NULL;
	set->message = SLICE_NONE;
	judge_parent(state, set);
	gw_listeners_judge(state, set);
	if (set->gateway)
		set->gateway->set_count++;
}

/* To each Gateway those that it takes, which have been counted. */
static void
hand_over(struct gw_owner_node **sets, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct gw_owner_node *gateway = sets[i]->gateway;

		if (!gateway)
			continue;
		if (!gateway->sets) {
			gateway->sets = arena_zero(&gateway->arena,
			    gateway->set_count, sizeof(struct gw_owner_node *));
			gateway->set_count = 0;
		}
		gateway->sets[gateway->set_count++] = sets[i];
	}
}

struct gw_owner_node **
gw_listenersets_adopt(
    struct gw_state *state, struct gw_owner_node *const *sets, uint32_t count)
{
	struct gw_owner_node **aged =
	    arena_zero(&state->work, count + 1, sizeof(*aged));

	if (count == 0)
		return aged;
	memcpy(aged, sets, count * sizeof(*aged));
	qsort(aged, count, sizeof(*aged), gw_owner_compare_ages);
	for (uint32_t i = 0; i < count; i++)
		judge_first(state, aged[i]);
	hand_over(aged, count);
	return aged;
}

void
gw_listenersets_judge(struct gw_state *state, struct gw_owner_node **aged,
    uint32_t count, struct map *taken, struct map *ports)
{
	for (uint32_t i = 0; i < count; i++)
		judge_set(state, aged[i], taken, ports);
}

void
gw_listenersets_spread_tls(struct gw_state *state)
{
	LIST_FOR_EACH(at, &state->dirty[GW_LISTENERSET])
	{
		struct gw_node *node = container_of(at, struct gw_node, dirty);
		struct gw_owner_node *set = (void *)node;

		if (!set->tls_stale || !set->gateway)
			continue;
		set->gateway->tls_stale = true;
		gw_node_mark(state, &set->gateway->node);
	}
}
