/* Gateways: which are ours, their addresses, and which of two that want one
 * address and port keeps it. */
#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "gw/form.h"
#include "gw/honour.h"
#include "gw/state_priv.h"

/* A port of an address that a Gateway has. */
struct claim {
	struct claim *next; /* of the same port */
	const struct gw_gateway_node *gateway;
	struct slice address; /* empty: all */
};

static void judge_alone(
    const struct gw_state *state, struct gw_gateway_node *gateway);
static void judge_addresses(struct gw_gateway_node *gateway);
static void judge_claims(
    struct gw_state *state, struct gw_gateway_node **gateways, uint32_t count);
static void judge_tls(struct gw_state *state, struct gw_gateway_node *gateway);
static void judge_listener_sum(struct gw_gateway_node *gateway);
static void settle_facts(
    struct gw_state *state, struct gw_gateway_node *gateway);

/* A Gateway that is no more: its routes lose it. */
static void
clear_gateway(struct gw_state *state, struct gw_gateway_node *gateway)
{
	gw_tls_edges_free(state, &gateway->tls_edges);
	arena_reset(&gateway->tls_arena);
	arena_reset(&gateway->arena);
	gateway->ours = gateway->orphan = false;
	gateway->facts_known = false;
	gateway->listener_count = 0;
	gateway->status = (struct gw_sent){0};
	gateway->epoch++;
	gw_node_mark_users(state, &gateway->node, GW_EDGE_PARENT);
}

static void
sweep_removed(struct gw_state *state)
{
	const struct map *map = &state->nodes[GW_GATEWAY];
	struct gw_node **gone =
	    arena_zero(&state->work, map->count + 1, sizeof(struct gw_node *));
	uint32_t count = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(map, &at, &key, &value);) {
		struct gw_gateway_node *gateway = value;

		if (!gateway->node.object &&
		    (gateway->facts_known || gateway->status.is_out ||
		        list_is_empty(&gateway->node.users)))
			gone[count++] = &gateway->node;
	}
	for (uint32_t i = 0; i < count; i++) {
		clear_gateway(state, (void *)gone[i]);
		gw_node_drop(state, gone[i]);
	}
}

void
gw_gateways_judge(struct gw_state *state)
{
	uint32_t count;

	sweep_removed(state);

	struct gw_gateway_node **gateways =
	    (void *)gw_nodes_sorted(state, GW_GATEWAY, &state->work, &count);

	for (uint32_t i = 0; i < count; i++) {
		arena_reset(&gateways[i]->arena);
		judge_alone(state, gateways[i]);
	}
	judge_claims(state, gateways, count);
	for (uint32_t i = 0; i < count; i++) {
		judge_listener_sum(gateways[i]);
		judge_tls(state, gateways[i]);
		settle_facts(state, gateways[i]);
		gw_node_mark(state, &gateways[i]->node);
	}
	gw_listeners_emit(state);
	state->gateways_stale = false;
	arena_reset(&state->work);
}

/* ---- one Gateway by itself ---- */

static void
refuse(
    struct gw_gateway_node *gateway, const char *reason, struct slice message)
{
	if (gateway->refused)
		return;
	gateway->refused = reason;
	gateway->message = message;
}

static void
judge_parameters(struct gw_gateway_node *gateway)
{
	const struct gw_infrastructure *infra =
	    gateway->node.object->gateway->spec->infrastructure;
	const struct gw_local_reference *ref =
	    infra ? infra->parameters_ref : NULL;

	if (ref && !gw_honour_knows_parameters(ref->group, ref->kind))
		refuse(gateway, "InvalidParameters",
		    arena_format(&gateway->arena,
		        "spec.infrastructure.parametersRef: %.*s of group "
		        "\"%.*s\" is not a kind of parameters that yumen knows",
		        SLICE_ARGS(ref->kind), SLICE_ARGS(ref->group)));
}

/* MetalLB's way to ask for an address, on the Service that it would serve. */
static bool
asks_metallb(const struct gw_infrastructure *infra)
{
	for (uint32_t i = 0; infra && i < infra->annotations_count; i++)
		if (slice_equal(infra->annotations[i].key,
		        SLICE("metallb.io/loadBalancerIPs")) ||
		    slice_equal(infra->annotations[i].key,
		        SLICE("metallb.universe.tf/loadBalancerIPs")))
			return true;
	return false;
}

/* What is not honoured yet and only has no effect. */
static void
find_ignored(const struct gw_state *state, struct gw_gateway_node *gateway)
{
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;
	const struct {
		const char *field;
		bool ignored;
	} fields[] = {
	    {"spec.allowedListeners", gw_honour_ignores_listener_sets(spec)},
	    {"spec.defaultScope",
	        slice_equal(spec->default_scope, SLICE("All"))},
	    {"spec.infrastructure.annotations[metallb.io/loadBalancerIPs]",
	        asks_metallb(spec->infrastructure)},
	    {"spec.infrastructure.parametersRef",
	        spec->infrastructure && spec->infrastructure->parameters_ref},
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
	gateway->ignored = arena_copy(&gateway->arena, text_slice(&told));
	text_fini(&told);
}

static void
judge_class(const struct gw_state *state, struct gw_gateway_node *gateway)
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

static void
judge_alone(const struct gw_state *state, struct gw_gateway_node *gateway)
{
	gateway->refused = NULL;
	gateway->message = SLICE_NONE;
	judge_class(state, gateway);
	judge_parameters(gateway);
	find_ignored(state, gateway);
	judge_addresses(gateway);
	gw_listeners_judge(state, gateway);
}

static int
compare_slices(const void *a, const void *b)
{
	return slice_compare(
	    *(const struct slice *)a, *(const struct slice *)b);
}

static void
judge_addresses(struct gw_gateway_node *gateway)
{
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;
	struct arena *arena = &gateway->arena;

	gateway->address_count = 0;
	gateway->addresses = arena_zero(
	    arena, spec->addresses_count + 1, sizeof(*gateway->addresses));
	for (uint32_t i = 0; i < spec->addresses_count; i++) {
		const struct gw_gateway_address *address = &spec->addresses[i];
		char canonical[GW_ADDRESS_BYTES];
		unsigned family;

		if (!slice_equal(address->type, SLICE("IPAddress")))
			refuse(gateway, "UnsupportedAddress",
			    arena_format(arena,
			        "spec.addresses[%u].type: %.*s is not "
			        "supported, only IPAddress is",
			        i, SLICE_ARGS(address->type)));
		else if (address->routability.length > 0)
			refuse(gateway, "UnsupportedAddress",
			    arena_format(arena,
			        "spec.addresses[%u].routability: \"%.*s\" is "
			        "not supported",
			        i, SLICE_ARGS(address->routability)));
		else if (address->value.length > 0 &&
		    gw_form_is_address(address->value, canonical, &family))
			gateway->addresses[gateway->address_count++] =
			    arena_copy(arena, slice_from_string(canonical));
	}
	if (gateway->address_count < 2)
		return;
	qsort(gateway->addresses, gateway->address_count,
	    sizeof(*gateway->addresses), compare_slices);

	uint32_t kept = 1;

	for (uint32_t i = 1; i < gateway->address_count; i++)
		if (!slice_equal(
		        gateway->addresses[i], gateway->addresses[kept - 1]))
			gateway->addresses[kept++] = gateway->addresses[i];
	gateway->address_count = kept;
}

/* ---- claims: the older keeps an address and port ---- */

static int
compare_ages(const void *a, const void *b)
{
	const struct gw_object *left =
	    (*(struct gw_gateway_node *const *)a)->node.object;
	const struct gw_object *right =
	    (*(struct gw_gateway_node *const *)b)->node.object;
	int order;

	if (left->created != right->created)
		return left->created < right->created ? -1 : 1;
	order = slice_compare(left->namespace, right->namespace);
	return order ? order : slice_compare(left->name, right->name);
}

static bool
is_every(struct slice address, bool six)
{
	return address.length == 0 ||
	    slice_equal(address, six ? SLICE("::") : SLICE("0.0.0.0"));
}

static bool
overlaps(struct slice a, struct slice b)
{
	bool a_six = slice_find(a, ':') < a.length;
	bool b_six = slice_find(b, ':') < b.length;

	return slice_equal(a, b) || a.length == 0 || b.length == 0 ||
	    (a_six == b_six && (is_every(a, a_six) || is_every(b, b_six)));
}

static const struct claim *
find_claim(const struct claim *claims, const struct gw_gateway_node *gateway,
    struct slice address)
{
	for (; claims; claims = claims->next)
		if (claims->gateway != gateway &&
		    overlaps(claims->address, address))
			return claims;
	return NULL;
}

static void
claim_port(struct gw_state *state, struct map *ports,
    struct gw_gateway_node *gateway, struct gw_listener_state *listener)
{
	static const struct slice all = {.data = "", .length = 0};
	const struct slice *addresses = gateway->addresses;
	uint32_t count = gateway->address_count;
	const struct slice key = slice_make(
	    (const char *)&listener->spec->port, sizeof(listener->spec->port));
	struct claim *claims = map_get(ports, key);

	if (count == 0) {
		addresses = &all;
		count = 1;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct claim *claim =
		    find_claim(claims, gateway, addresses[i]);

		if (!claim)
			continue;
		listener->refused = "PortUnavailable";
		listener->message = arena_format(&gateway->arena,
		    "port %lld of %s%.*s belongs to Gateway %.*s, which is "
		    "older or comes first by name",
		    (long long)listener->spec->port,
		    addresses[i].length > 0 ? "" : "every address",
		    SLICE_ARGS(addresses[i]),
		    SLICE_ARGS(claim->gateway->node.key));
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct claim *claim = arena_alloc(&state->work, sizeof(*claim));

		*claim = (struct claim){.next = claims,
		    .gateway = gateway,
		    .address = addresses[i]};
		claims = claim;
	}
	map_put(ports, key, claims);
}

static void
judge_claims(
    struct gw_state *state, struct gw_gateway_node **gateways, uint32_t count)
{
	struct gw_gateway_node **aged =
	    arena_zero(&state->work, count + 1, sizeof(*aged));
	struct map ports;

	map_init(&ports);
	memcpy(aged, gateways, count * sizeof(*aged));
	if (count > 1)
		qsort(aged, count, sizeof(*aged), compare_ages);
	for (uint32_t i = 0; i < count; i++) {
		struct gw_gateway_node *gateway = aged[i];

		for (uint32_t j = 0; j < gateway->listener_count; j++)
			if (gw_listener_is_served(
			        gateway, &gateway->listeners[j]))
				claim_port(state, &ports, gateway,
				    &gateway->listeners[j]);
	}
	map_fini(&ports);
}

/* A Gateway with no listener that can be served is not accepted. */
static void
judge_listener_sum(struct gw_gateway_node *gateway)
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

/* ---- TLS ---- */

static void
remake_edges(struct gw_state *state, struct gw_gateway_node *gateway)
{
	const struct gw_gateway_spec *spec =
	    gateway->node.object->gateway->spec;

	gw_tls_edges_free(state, &gateway->tls_edges);
	for (uint32_t i = 0; i < spec->listeners_count; i++)
		gw_tls_edges_add(state, &gateway->tls_edges, &gateway->node,
		    &spec->listeners[i]);
	gw_tls_edges_add_gateway(
	    state, &gateway->tls_edges, &gateway->node, spec->tls);
	gateway->replaced = false;
}

/* What is shown and believed by is used where a listener is served by it. */
static void
use_tls(struct gw_state *state, struct gw_gateway_node *gateway)
{
	bool any = false;

	for (uint32_t i = 0; i < gateway->listener_count; i++) {
		const struct gw_listener_state *listener =
		    &gateway->listeners[i];

		if (!gw_listener_is_served(gateway, listener))
			continue;
		any = true;
		if (!listener->tls.terminates || !gw_tls_is_shown(listener))
			continue;
		gw_tls_use(state, listener->tls.certificates,
		    listener->tls.certificate_count);
		gw_tls_use(state, listener->tls.authorities,
		    listener->tls.authority_count);
	}
	if (any && gateway->client_certificate)
		gw_tls_use(state, &gateway->client_certificate, 1);
}

static void
judge_tls(struct gw_state *state, struct gw_gateway_node *gateway)
{
	struct gw_listener_state **all =
	    arena_zero(&state->work, gateway->listener_count + 1, sizeof(*all));

	if (gateway->replaced)
		remake_edges(state, gateway);
	gateway->tls_stale = false;
	arena_reset(&gateway->tls_arena);
	for (uint32_t i = 0; i < gateway->listener_count; i++) {
		all[i] = &gateway->listeners[i];
		gw_tls_judge(state, gateway, &gateway->node, all[i],
		    &gateway->tls_arena);
	}
	gw_tls_judge_backend(state, gateway, &gateway->tls_arena);
	gw_tls_overlaps_judge(
	    &state->work, &gateway->tls_arena, all, gateway->listener_count);
	gw_tls_edges_begin(state);
	use_tls(state, gateway);
	gw_tls_edges_end(state, &gateway->tls_edges);
}

void
gw_gateway_refresh_tls(struct gw_state *state, struct gw_gateway_node *gateway)
{
	if (!gateway->tls_stale || !gateway->node.object)
		return;
	judge_tls(state, gateway);
	gw_gateway_emit_listeners(state, gateway);
}

/* ---- what routes rest on ---- */

/* Attachment reads the spec and whose the Gateway is; whether a listener is
 * served in the end is not its business. */
static void
settle_facts(struct gw_state *state, struct gw_gateway_node *gateway)
{
	const struct gw_object *object = gateway->node.object;
	const char whose[] = {gateway->ours ? 1 : 0, gateway->orphan ? 1 : 0};
	const struct slice parts[] = {
	    slice_make((const char *)&object->spec_digest,
	        sizeof(object->spec_digest)),
	    slice_make(whose, sizeof(whose)),
	    gateway->controller,
	};
	uint8_t digest[sizeof(gateway->facts_digest)];

	crypt_sha256(parts, sizeof(parts) / sizeof(parts[0]), digest);
	if (gateway->facts_known &&
	    memcmp(digest, gateway->facts_digest, sizeof(digest)) == 0)
		return;
	memcpy(gateway->facts_digest, digest, sizeof(digest));
	gateway->facts_known = true;
	gateway->epoch++;
	memory_free(gateway->attached);
	gateway->attached =
	    memory_zero(gateway->listener_count + 1, sizeof(uint32_t));
	gw_node_mark_users(state, &gateway->node, GW_EDGE_PARENT);
}
