/* Gateways: which are ours, their addresses, and which of two that want one
 * address and port keeps it. */
#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "gw/fleet_priv.h"
#include "gw/honour.h"
#include "gw/tls_priv.h"

static void judge_first(struct gw_state *state, struct gw_owner_node *gateway);
static void judge_alone(struct gw_state *state, struct gw_owner_node *gateway);
static void judge_in_order(struct gw_state *state,
    struct gw_owner_node **gateways, uint32_t count, struct map *taken,
    struct map *ports);
static void judge_listener_sum(struct gw_owner_node *gateway);
static void settle_facts(struct gw_state *state, struct gw_owner_node *owner);

/* One that is no more: its routes lose it. */
static void
clear_owner(struct gw_state *state, struct gw_owner_node *owner)
{
	gw_owner_tls_clear(state, owner);
	gw_fleet_forget(state, owner);
	arena_reset(&owner->arena);
	owner->gateway = NULL;
	owner->ours = owner->orphan = false;
	owner->facts_known = false;
	owner->listener_count = 0;
	gw_placed_fini(&owner->placed);
	owner->status = (struct gw_sent_status){0};
	owner->epoch++;
	gw_node_mark_users(state, &owner->node, GW_EDGE_PARENT);
}

static void
sweep_removed(struct gw_state *state, enum gw_kind kind)
{
	const struct map *map = &state->nodes[kind];
	struct gw_node **gone =
	    arena_zero(&state->work, map->count + 1, sizeof(struct gw_node *));
	uint32_t count = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(map, &at, &key, &value);) {
		struct gw_owner_node *owner = value;

		if (!owner->node.object &&
		    (owner->facts_known || owner->status.hash != 0 ||
		        list_is_empty(&owner->node.users)))
			gone[count++] = &owner->node;
	}
	for (uint32_t i = 0; i < count; i++) {
		clear_owner(state, (void *)gone[i]);
		gw_node_drop(state, gone[i]);
	}
}

/* What is told of Gateways, once all that they have is known. */
static void
settle(struct gw_state *state, struct gw_owner_node **owners, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (owners[i]->gateway == owners[i])
			gw_gateway_judge_tls(state, owners[i]);
		settle_facts(state, owners[i]);
		gw_node_mark(state, &owners[i]->node);
	}
}

void
gw_gateways_judge(struct gw_state *state)
{
	uint32_t count, set_count;
	struct map taken, ports; /* by those that came first */

	sweep_removed(state, GW_GATEWAY);
	sweep_removed(state, GW_LISTENERSET);

	struct gw_owner_node **gateways =
	    (void *)gw_nodes_sorted(state, GW_GATEWAY, &state->work, &count);
	struct gw_owner_node **sets = (void *)gw_nodes_sorted(
	    state, GW_LISTENERSET, &state->work, &set_count);

	map_init(&taken);
	map_init(&ports);
	for (uint32_t i = 0; i < count; i++)
		judge_first(state, gateways[i]);
	gw_fleets_name(state, gateways, count);
	for (uint32_t i = 0; i < count; i++)
		judge_alone(state, gateways[i]);
	struct gw_owner_node **aged =
	    gw_listenersets_adopt(state, sets, set_count);
	judge_in_order(state, gateways, count, &taken, &ports);
	gw_listenersets_judge(state, aged, set_count, &taken, &ports);
	settle(state, gateways, count);
	settle(state, sets, set_count);
	gw_listeners_emit(state);
	gw_tickets_emit(state);
	gw_announced_emit(state);
	map_fini(&taken);
	map_fini(&ports);
	state->gateways_stale = false;
	arena_reset(&state->work);
}

/* ---- one Gateway by itself ---- */

static void
refuse(struct gw_owner_node *gateway, const char *reason, struct slice message)
{
	if (gateway->refused)
		return;
	gateway->refused = reason;
	gateway->message = message;
}

static void
judge_parameters(const struct gw_state *state, struct gw_owner_node *gateway)
{
	const struct gw_infrastructure *infra =
	    gateway->node.object->gateway->spec->infrastructure;
	const struct gw_local_reference *ref =
	    infra ? infra->parameters_ref : NULL;

	gateway->parameters = NULL;
	if (ref && !gw_honour_knows_parameters(ref->group, ref->kind))
		refuse(gateway, "InvalidParameters",
		    arena_format(&gateway->arena,
		        "spec.infrastructure.parametersRef: %.*s of group "
		        "\"%.*s\" is not a kind of parameters that yumen knows",
		        SLICE_ARGS(ref->kind), SLICE_ARGS(ref->group)));
	else if (state->has_fleets && !gw_parameters_judge(state, gateway))
		refuse(gateway, "InvalidParameters",
		    arena_format(&gateway->arena,
		        "spec.infrastructure.parametersRef: there is no "
		        "EnvoyProxy \"%.*s\" in the Gateway's namespace",
		        SLICE_ARGS(ref->name)));
}

/* Whom it is for must not be ignored, and kube-proxy alone sees to that. */
static void
judge_sources(const struct gw_state *state, struct gw_owner_node *gateway)
{
	if (state->forwards && gw_fleet_balances(state, gateway) &&
	    gw_parameter(gateway->service, "spec.loadBalancerSourceRanges"))
		refuse(gateway, "InvalidParameters",
		    arena_format(&gateway->arena,
		        "EnvoyProxy %.*s: the Service's "
		        "loadBalancerSourceRanges "
		        "cannot be held to where announcers lead what comes "
		        "to pods (--announcers-forward): leave it out, or "
		        "leave that to kube-proxy",
		        SLICE_ARGS(gateway->parameters_name)));
}

/* What is not honoured yet and only has no effect. */
static void
find_ignored(const struct gw_state *state, struct gw_owner_node *gateway)
{
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;
	const struct {
		const char *field;
		bool ignored;
	} fields[] = {
	    {"spec.defaultScope",
	        slice_equal(spec->default_scope, SLICE("All"))},
	    {"spec.infrastructure.parametersRef",
	        spec->infrastructure && spec->infrastructure->parameters_ref &&
	            !state->has_fleets},
	    {"spec.tls.backend",
	        spec->tls && spec->tls->backend &&
	            !(state->carries & GW_CARRY_BACKEND_TLS)},
	    {"spec.tls.frontend",
	        spec->tls && spec->tls->frontend &&
	            !(state->carries & GW_CARRY_HTTPS)},
	};
	struct text told;

	text_init(&told);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].ignored)
			text_printf(&told, "%s%s", told.length ? ", " : "",
			    fields[i].field);
	gw_parameters_tell_ignored(state, gateway, &told);
	gateway->ignored = arena_copy(&gateway->arena, text_slice(&told));
	text_fini(&told);
}

static void
judge_class(const struct gw_state *state, struct gw_owner_node *gateway)
{
	struct slice name =
	    gateway->node.object->gateway->spec->gateway_class_name;
	struct gw_class_view view = gw_class_view(state, name);

	gateway->ours = view.ours;
	gateway->orphan = !view.exists && state->controller_name_count == 0;
	gateway->controller = arena_copy(&gateway->arena,
	    view.exists ? view.controller : SLICE(GW_CONTROLLER));
	if (view.exists && !view.accepted)
		refuse(gateway, "NotReconciled",
		    arena_format(&gateway->arena,
		        "GatewayClass \"%.*s\" is not accepted",
		        SLICE_ARGS(name)));
}

/* What it is, and what is asked of its fleet. */
static void
judge_first(struct gw_state *state, struct gw_owner_node *gateway)
{
	arena_reset(&gateway->arena);
	gateway->gateway = gateway;
	gateway->sets = NULL;
	gateway->set_count = 0;
	gateway->refused = NULL;
	gateway->message = SLICE_NONE;
	judge_class(state, gateway);
	gw_fleet_judge(state, gateway);
	judge_parameters(state, gateway);
}

static void
judge_alone(struct gw_state *state, struct gw_owner_node *gateway)
{
	gw_fleet_link(state, gateway);
	find_ignored(state, gateway);
	gw_fleet_say(state, gateway);
	judge_sources(state, gateway);
	gw_ask_read(state, gateway);
	gw_ask_families(state, gateway);
	gw_listeners_judge(state, gateway);
}

/* ---- which of them comes first ---- */

int
gw_owner_compare_ages(const void *a, const void *b)
{
	const struct gw_object *left =
	    (*(struct gw_owner_node *const *)a)->node.object;
	const struct gw_object *right =
	    (*(struct gw_owner_node *const *)b)->node.object;
	int order;

	if (left->created != right->created)
		return left->created < right->created ? -1 : 1;
	order = slice_compare(left->namespace, right->namespace);
	return order ? order : slice_compare(left->name, right->name);
}

/* In order of age: of two that want one address or port the older keeps it. */
static void
judge_in_order(struct gw_state *state, struct gw_owner_node **gateways,
    uint32_t count, struct map *taken, struct map *ports)
{
	struct gw_owner_node **aged =
	    arena_zero(&state->work, count + 1, sizeof(*aged));

	memcpy(aged, gateways, count * sizeof(*aged));
	if (count > 1)
		qsort(aged, count, sizeof(*aged), gw_owner_compare_ages);
	gw_addresses_judge(state, gateways, count);
	for (uint32_t i = 0; i < count; i++) {
		gw_conflicts_judge(state, taken, aged[i]);
		gw_claims_judge(state, ports, aged[i]);
		judge_listener_sum(aged[i]);
	}
}

/* A Gateway with no listener that can be served is not accepted. */
static void
judge_listener_sum(struct gw_owner_node *gateway)
{
	for (uint32_t i = 0; i < gateway->listener_count; i++)
		if (!gateway->listeners[i].refused)
			return;
	refuse(gateway, "ListenersNotValid",
	    arena_format(&gateway->arena,
	        "no listener can be served; \"%.*s\": %.*s",
	        SLICE_ARGS(gateway->listeners[0].spec->name),
	        SLICE_ARGS(gateway->listeners[0].message)));
}

/* ---- what routes rest on ---- */

/* Attachment reads the spec, whose the owner is, and whether a Gateway takes
 * it; whether a listener is served in the end is not its business. */
static void
settle_facts(struct gw_state *state, struct gw_owner_node *owner)
{
	const struct gw_object *object = owner->node.object;
	const char whose[] = {
	    owner->ours ? 1 : 0, owner->orphan ? 1 : 0, owner->gateway ? 1 : 0};
	const struct slice parts[] = {
	    slice_make((const char *)&object->spec_digest,
	        sizeof(object->spec_digest)),
	    slice_make(whose, sizeof(whose)),
	    owner->controller,
	    owner->gateway ? SLICE("") : owner->message,
	};
	uint8_t digest[sizeof(owner->facts_digest)];

	crypt_sha256(parts, sizeof(parts) / sizeof(parts[0]), digest);
	if (owner->facts_known &&
	    memcmp(digest, owner->facts_digest, sizeof(digest)) == 0)
		return;
	memcpy(owner->facts_digest, digest, sizeof(digest));
	owner->facts_known = true;
	owner->epoch++;
	memory_free(owner->attached);
	owner->attached =
	    memory_zero(owner->listener_count + 1, sizeof(uint32_t));
	gw_node_mark_users(state, &owner->node, GW_EDGE_PARENT);
}
