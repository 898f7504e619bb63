/* Attachment: which listeners of a Gateway or a ListenerSet a route's parentRef
 * reaches, or why none. */
#include "core/must.h"
#include "gw/honour.h"
#include "gw/state_priv.h"
#include "wire/host.h"

enum { MESSAGE_ITEMS = 4 };

static bool
is_meant(const struct gw_listener *listener,
    const struct gw_parent_reference *parent)
{
	return (parent->section_name.length == 0 ||
	           slice_equal(parent->section_name, listener->name)) &&
	    (parent->port == 0 || parent->port == listener->port);
}

static const struct slice *
find_pair(const struct record_pair *pairs, uint32_t count, struct slice key)
{
	for (uint32_t i = 0; i < count; i++)
		if (slice_equal(pairs[i].key, key))
			return &pairs[i].value;
	return NULL;
}

/* A namespace has its name as a label, whoever made it. */
static const struct slice *
find_label(const struct gw_metadata *metadata, const struct slice *name,
    struct slice key)
{
	if (slice_equal(key, SLICE("kubernetes.io/metadata.name")))
		return name;
	if (!metadata)
		return NULL;
	return find_pair(metadata->labels, metadata->labels_count, key);
}

static bool
holds(const struct gw_label_expression *expression, const struct slice *value)
{
	bool listed = false;

	for (uint32_t i = 0; value && i < expression->values_count; i++)
		listed = listed || slice_equal(expression->values[i], *value);
	if (slice_equal(expression->operator, SLICE("In")))
		return listed;
	if (slice_equal(expression->operator, SLICE("NotIn")))
		return !listed;
	if (slice_equal(expression->operator, SLICE("Exists")))
		return value != NULL;
	return value == NULL;
}

bool
gw_selector_matches(const struct gw_label_selector *selector,
    const struct gw_metadata *metadata, struct slice name)
{
	if (!selector || gw_honour_selector_fault(selector))
		return false; /* as Kubernetes reads it: nothing */
	for (uint32_t i = 0; i < selector->match_labels_count; i++) {
		const struct slice *value =
		    find_label(metadata, &name, selector->match_labels[i].key);

		if (!value ||
		    !slice_equal(*value, selector->match_labels[i].value))
			return false;
	}
	for (uint32_t i = 0; i < selector->match_expressions_count; i++) {
		const struct gw_label_expression *expression =
		    &selector->match_expressions[i];

		if (!holds(expression,
		        find_label(metadata, &name, expression->key)))
			return false;
	}
	return true;
}

bool
gw_namespace_is_allowed(const struct gw_state *state, struct slice namespace,
    struct slice own, struct slice from,
    const struct gw_label_selector *selector)
{
	if (slice_equal(from, SLICE("All")))
		return true;
	if (slice_equal(from, SLICE("Same")))
		return slice_equal(namespace, own);
	if (!slice_equal(from, SLICE("Selector")))
		return false; /* None */

	const struct gw_node *node =
	    gw_node_get(state, GW_NAMESPACE, SLICE(""), namespace);

	if (!node || !node->object)
		return state->namespaces_implied &&
		    gw_selector_matches(selector, NULL, namespace);
	return gw_selector_matches(selector, node->object->metadata, namespace);
}

static bool
is_namespace_allowed(const struct gw_state *state,
    const struct gw_route_node *route, const struct gw_owner_node *owner,
    const struct gw_listener *listener)
{
	const struct gw_route_namespaces *namespaces = listener->allowed_routes
	    ? listener->allowed_routes->namespaces
	    : NULL;

	return gw_namespace_is_allowed(state, gw_node_namespace(&route->node),
	    gw_node_namespace(&owner->node),
	    namespaces ? namespaces->from : SLICE("Same"),
	    namespaces ? namespaces->selector : NULL);
}

static bool
is_hostname_shared(
    const struct gw_httproute_spec *route, const struct gw_listener *listener)
{
	if (route->hostnames_count == 0 || listener->hostname.length == 0)
		return true;
	for (uint32_t i = 0; i < route->hostnames_count; i++)
		if (wire_hostnames_intersect(
		        route->hostnames[i], listener->hostname))
			return true;
	return false;
}

/* ---- why not ---- */

static struct slice
tell_listeners(struct arena *arena, const struct gw_owner_node *owner,
    const struct gw_parent_reference *parent)
{
	struct text text;
	struct slice told;

	text_init(&text);
	text_printf(&text, "%s %.*s has no listener",
	    gw_kinds[owner->node.kind].kind,
	    SLICE_ARGS(gw_node_key(&owner->node)));
	if (parent->section_name.length > 0)
		text_printf(
		    &text, " \"%.*s\"", SLICE_ARGS(parent->section_name));
	if (parent->port)
		text_printf(&text, " on port %lld", (long long)parent->port);
	text_push_string(&text, "; it has");
	for (uint32_t i = 0; i < owner->listener_count; i++) {
		const struct gw_listener *spec = owner->listeners[i].spec;

		if (i == MESSAGE_ITEMS) {
			text_push_string(&text, ", ...");
			break;
		}
		text_printf(&text, "%s \"%.*s\" on port %lld", i ? "," : "",
		    SLICE_ARGS(spec->name), (long long)spec->port);
	}
	told = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return told;
}

static struct slice
tell_hostnames(struct arena *arena, const struct gw_route_node *route,
    const struct gw_owner_node *owner, uint64_t allowed)
{
	const struct gw_httproute_spec *spec = route->node.object->route;
	struct text text;
	struct slice told;
	uint32_t count = 0;

	text_init(&text);
	text_printf(&text,
	    "hostname \"%.*s\"%s matches no hostname of the "
	    "listeners:",
	    SLICE_ARGS(spec->hostnames[0]),
	    spec->hostnames_count > 1 ? " (and the others)" : "");
	for (uint32_t i = 0; i < owner->listener_count; i++) {
		const struct gw_listener *listener = owner->listeners[i].spec;

		if (!(allowed & UINT64_C(1) << i))
			continue;
		if (count == MESSAGE_ITEMS) {
			text_push_string(&text, ", ...");
			break;
		}
		text_printf(&text, "%s \"%.*s\" has \"%.*s\"", count ? "," : "",
		    SLICE_ARGS(listener->name), SLICE_ARGS(listener->hostname));
		count++;
	}
	told = arena_copy(arena, text_slice(&text));
	text_fini(&text);
	return told;
}

static struct slice
tell_refusal(const struct gw_state *state, struct arena *arena,
    const struct gw_route_node *route, const struct gw_owner_node *owner,
    uint32_t last)
{
	const struct gw_listener_state *listener = &owner->listeners[last];
	const char *kind = gw_kinds[route->node.kind].kind;
	uint32_t bit = GW_BIT(route->node.kind);
	const struct gw_allowed_routes *rules = listener->spec->allowed_routes;
	struct slice name = listener->spec->name;
	bool by_selector = rules && rules->namespaces &&
	    slice_equal(rules->namespaces->from, SLICE("Selector"));

	if (!listener->carried || !(listener->protocol->kinds & bit))
		return arena_format(arena,
		    "listener \"%.*s\" takes no %s: protocol %.*s %s",
		    SLICE_ARGS(name), kind,
		    SLICE_ARGS(listener->spec->protocol),
		    listener->carried ? "has other kinds of routes"
		                      : "is not served yet");
	if (!(gw_listener_kinds(state, listener->protocol) & bit))
		return arena_format(arena,
		    "listener \"%.*s\" takes no %s: %s is not served yet",
		    SLICE_ARGS(name), kind,
		    gw_route_row(route->node.kind)->needs);
	if (!(listener->takes & bit))
		return arena_format(arena,
		    "listener \"%.*s\" takes no %s: it is not among "
		    "allowedRoutes.kinds",
		    SLICE_ARGS(name), kind);
	if (by_selector)
		return arena_format(arena,
		    "listener \"%.*s\": namespace %.*s is not selected by "
		    "allowedRoutes.namespaces.selector",
		    SLICE_ARGS(name),
		    SLICE_ARGS(gw_node_namespace(&route->node)));
	return arena_format(arena,
	    "listener \"%.*s\" takes routes of namespace %.*s only "
	    "(allowedRoutes.namespaces.from is Same)",
	    SLICE_ARGS(name), SLICE_ARGS(gw_node_namespace(&owner->node)));
}

/* Whether it is served or not. */
static bool
is_for_kind(const struct gw_listener_state *listener, enum gw_kind kind)
{
	return listener->protocol && (listener->protocol->kinds & GW_BIT(kind));
}

void
gw_attach_route(const struct gw_state *state, const struct gw_route_node *route,
    const struct gw_owner_node *owner, const struct gw_parent_reference *parent,
    struct arena *arena, struct gw_attach *attach)
{
	const struct gw_httproute_spec *spec = route->node.object->route;
	enum gw_kind kind = route->node.kind;
	uint64_t meant = 0, allowed = 0;
	bool told = false; /* last is of a protocol that has the kind */
	uint32_t last = 0;

	must(owner->listener_count <= 64);
	*attach = (struct gw_attach){0};
	if (!owner->gateway) {
		attach->refused = "NoMatchingParent";
		attach->message =
		    arena_format(arena, "%s %.*s is not accepted: %.*s",
		        gw_kinds[owner->node.kind].kind,
		        SLICE_ARGS(gw_node_key(&owner->node)),
		        SLICE_ARGS(owner->message));
		return;
	}
	for (uint32_t i = 0; i < owner->listener_count; i++) {
		const struct gw_listener_state *listener = &owner->listeners[i];
		uint64_t bit = UINT64_C(1) << i;

		if (!is_meant(listener->spec, parent))
			continue;
		meant |= bit;
		if (!told || is_for_kind(listener, kind))
			last = i;
		told = told || is_for_kind(listener, kind);
		if (!(listener->takes & GW_BIT(kind)) ||
		    !is_namespace_allowed(state, route, owner, listener->spec))
			continue;
		allowed |= bit;
		if (is_hostname_shared(spec, listener->spec))
			attach->listeners |= bit;
	}
	if (attach->listeners)
		return;
	if (!meant) {
		attach->refused = "NoMatchingParent";
		attach->message = tell_listeners(arena, owner, parent);
	} else if (!allowed) {
		attach->refused = "NotAllowedByListeners";
		attach->message =
		    tell_refusal(state, arena, route, owner, last);
	} else {
		attach->refused = "NoMatchingListenerHostname";
		attach->message = tell_hostnames(arena, route, owner, allowed);
	}
}
