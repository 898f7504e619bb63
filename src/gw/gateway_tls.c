/* The TLS of a Gateway and its ListenerSets: each listener is judged by itself,
 * when something that it refers to has changed, so that a Secret among many
 * costs its own listeners. It owns what that judging made; what a certificate
 * or a reference is worth is others' to say. */
#include "core/memory.h"
#include "core/must.h"
#include "gw/tls_priv.h"

enum { ARENA_BYTES = 512 };

void
gw_owner_tls_init(struct gw_owner_node *owner)
{
	arena_init(&owner->tls.overlap_arena, ARENA_BYTES);
	arena_init(&owner->tls.client_arena, ARENA_BYTES);
}

static void
free_arenas(struct gw_owner_node *owner)
{
	for (uint32_t i = 0; i < owner->tls_arena_count; i++)
		arena_fini(&owner->tls_arenas[i]);
	memory_free(owner->tls_arenas);
	owner->tls_arenas = NULL;
	owner->tls_arena_count = 0;
}

void
gw_owner_tls_fini(struct gw_owner_node *owner)
{
	free_arenas(owner);
	arena_fini(&owner->tls.overlap_arena);
	arena_fini(&owner->tls.client_arena);
	memory_free(owner->tls_edges.items);
}

void
gw_owner_tls_clear(struct gw_state *state, struct gw_owner_node *owner)
{
	gw_tls_edges_free(state, &owner->tls_edges);
	free_arenas(owner);
	arena_reset(&owner->tls.overlap_arena);
	arena_reset(&owner->tls.client_arena);
	owner->tls.client_certificate = NULL;
	owner->tls_stale = owner->tls_all_stale = false;
}

void
gw_owner_tls_note(const struct gw_edge *edge)
{
	void *user = edge->user;
	struct gw_owner_node *owner = user;

	owner->tls_stale = true;
	if (edge->listener == GW_ALL_LISTENERS)
		owner->tls_all_stale = true;
	else if (edge->listener < owner->listener_count)
		owner->listeners[edge->listener].tls_stale = true;
}

/* ---- what it depends on ---- */

static void
remake_edges(struct gw_state *state, struct gw_owner_node *owner)
{
	if (!owner->node.replaced)
		return;
	gw_tls_edges_free(state, &owner->tls_edges);
	for (uint32_t i = 0; i < owner->listener_count; i++)
		gw_tls_edges_add(state, &owner->tls_edges, &owner->node,
		    owner->listeners[i].spec, (uint16_t)i);
	if (owner->node.kind == GW_GATEWAY)
		gw_tls_edges_add_gateway(state, &owner->tls_edges, &owner->node,
		    owner->node.object->gateway->spec->tls);
	owner->node.replaced = false;
}

static void
remake_arenas(struct gw_owner_node *owner)
{
	free_arenas(owner);
	owner->tls_arenas =
	    memory_zero(owner->listener_count + 1, sizeof(*owner->tls_arenas));
	owner->tls_arena_count = owner->listener_count;
	for (uint32_t i = 0; i < owner->tls_arena_count; i++)
		arena_init(&owner->tls_arenas[i], ARENA_BYTES);
}

static bool
uses_credentials(
    const struct gw_owner_node *owner, const struct gw_listener_state *listener)
{
	return gw_listener_is_served(owner, listener) &&
	    listener->tls.terminates && gw_tls_is_shown(listener);
}

/* What is shown is used where a listener is served by it. */
static void
use_certificates(
    struct gw_state *state, struct gw_owner_node *owner, uint32_t number)
{
	const struct gw_listener_state *listener = &owner->listeners[number];

	gw_tls_edges_begin(state);
	if (uses_credentials(owner, listener))
		gw_tls_use(state, listener->tls.certificates,
		    listener->tls.certificate_count);
	gw_tls_edges_end(state, &owner->tls_edges, (uint16_t)number);
}

/* ---- all that a Gateway has ---- */

/* number: its own listeners, then those of its sets; NULL: there are no more.
 */
static struct gw_owner_node *
owner_at(struct gw_owner_node *gateway, uint32_t number)
{
	if (number == 0)
		return gateway;
	return number <= gateway->set_count ? gateway->sets[number - 1] : NULL;
}

static void
use_common_of(struct gw_state *state, struct gw_owner_node *owner)
{
	bool any = false;

	for (uint32_t i = 0; i < owner->listener_count; i++) {
		const struct gw_listener_state *listener = &owner->listeners[i];

		any = any || gw_listener_is_served(owner, listener);
		if (uses_credentials(owner, listener))
			gw_tls_use(state, listener->tls.authorities,
			    listener->tls.authority_count);
	}
	if (any && owner->gateway->tls.client_certificate)
		gw_tls_use(state, &owner->gateway->tls.client_certificate, 1);
}

/* What the Gateway refers to for all of them. */
static void
use_common(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct gw_owner_node *owner;

	gw_tls_edges_begin(state);
	for (uint32_t at = 0; (owner = owner_at(gateway, at)); at++)
		use_common_of(state, owner);
	gw_tls_edges_end(state, &gateway->tls_edges, GW_ALL_LISTENERS);
}

/* Between all of them. */
static void
judge_overlaps(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct gw_listener_state **all;
	struct gw_owner_node *owner;
	uint32_t room = 0, count = 0;

	for (uint32_t at = 0; (owner = owner_at(gateway, at)); at++)
		room += owner->listener_count;
	all = arena_zero(&state->work, room + 1, sizeof(*all));
	for (uint32_t at = 0; (owner = owner_at(gateway, at)); at++)
		for (uint32_t i = 0; i < owner->listener_count; i++)
			all[count++] = &owner->listeners[i];
	arena_reset(&gateway->tls.overlap_arena);
	gw_tls_overlaps_judge(
	    &state->work, &gateway->tls.overlap_arena, all, count);
}

static void
judge_listener(
    struct gw_state *state, struct gw_owner_node *owner, uint32_t number)
{
	struct gw_listener_state *listener = &owner->listeners[number];

	arena_reset(&owner->tls_arenas[number]);
	gw_tls_judge(state, owner->gateway, &owner->node, listener,
	    &owner->tls_arenas[number]);
	listener->tls_stale = false;
	listener->tls_names = gw_tls_hash_names(listener);
	use_certificates(state, owner, number);
}

void
gw_gateway_judge_tls(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct gw_owner_node *owner;

	for (uint32_t at = 0; (owner = owner_at(gateway, at)); at++) {
		remake_edges(state, owner);
		remake_arenas(owner);
		owner->tls_stale = owner->tls_all_stale = false;
		for (uint32_t i = 0; i < owner->listener_count; i++)
			judge_listener(state, owner, i);
	}
	gw_tls_judge_backend(state, gateway);
	judge_overlaps(state, gateway);
	use_common(state, gateway);
}

/* ---- a change ---- */

struct refresh {
	bool all; /* all listeners are stale */
	bool names; /* some have other names: overlaps are others */
	bool uses; /* what is used of the Gateway's own may be another */
};

static void
refresh_listener(struct gw_state *state, struct gw_owner_node *owner,
    uint32_t number, struct refresh *refresh)
{
	struct gw_listener_state *listener = &owner->listeners[number];
	bool used = uses_credentials(owner, listener);
	uint64_t names = listener->tls_names;

	judge_listener(state, owner, number);
	if (listener->tls_names != names)
		refresh->names = true;
	if (uses_credentials(owner, listener) != used)
		refresh->uses = true;
	gw_listener_emit(state, owner, listener);
}

/* Its status may be another. */
static void
mark_set(struct gw_state *state, struct gw_owner_node *owner)
{
	if (owner->node.kind == GW_LISTENERSET)
		gw_node_mark(state, &owner->node);
}

void
gw_gateway_refresh_tls(struct gw_state *state, struct gw_owner_node *gateway)
{
	struct refresh refresh = {.all = gateway->tls_all_stale};
	struct gw_owner_node *owner;

	if (!gateway->tls_stale || !gateway->node.object)
		return;
	if (refresh.all)
		gw_tls_judge_backend(state, gateway);
	for (uint32_t at = 0; (owner = owner_at(gateway, at)); at++) {
		if (!refresh.all && !owner->tls_stale)
			continue;
		for (uint32_t i = 0; i < owner->listener_count; i++)
			if (refresh.all || owner->listeners[i].tls_stale)
				refresh_listener(state, owner, i, &refresh);
		owner->tls_stale = owner->tls_all_stale = false;
		mark_set(state, owner);
	}
	if (refresh.names) {
		judge_overlaps(state, gateway);
		for (uint32_t at = 0; (owner = owner_at(gateway, at)); at++)
			mark_set(state, owner);
	}
	if (refresh.all || refresh.uses)
		use_common(state, gateway);
}
