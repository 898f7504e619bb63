/* Listeners and the sockets they share. A listener's state stays while a route
 * names it, there or not, so that its index outlives the unit that it belongs
 * to and units may come in any order. */
#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "snap/store_priv.h"

#define LISTENER_PREFIX (sizeof("listener/") - 1)

static const struct slice every_address = {.data = "", .length = 0};

void
snap_listeners_init(struct snap_store *store)
{
	map_init(&store->listener_states);
	map_init(&store->socket_states);
	store->rule_ids = snap_rule_ids_new();
	store->socket_ids = snap_ids_new();
}

static void
free_listener(void *value)
{
	struct snap_listener *listener = value;

	snap_index_free(listener->hosts);
	memory_free(listener);
}

static void
free_claims(void *value)
{
	memory_free(value);
}

static void
free_socket(void *value)
{
	snap_radix_free(value, free_claims);
}

static void
free_states(struct map *states)
{
	size_t at = 0;
	struct slice name;
	void *state;

	while (map_next(states, &at, &name, &state))
		memory_free(state);
	map_fini(states);
}

void
snap_listeners_fini(struct snap_store *store)
{
	free_states(&store->listener_states);
	free_states(&store->socket_states);
	snap_array_free(&store->listeners, free_listener);
	snap_array_free(&store->sockets, free_socket);
	memory_free(store->socket_list);
	snap_rule_ids_free(store->rule_ids);
	snap_ids_free(store->socket_ids);
}

static struct slice
state_name(const struct snap_listener_state *state)
{
	return slice_make(state->name, state->name_length);
}

struct snap_listener_state *
snap_listener_ref(struct snap_store *store, struct slice name)
{
	struct snap_listener_state *state =
	    map_get(&store->listener_states, name);

	if (!state) {
		must(name.length > LISTENER_PREFIX);
		state = memory_zero(1, sizeof(*state) + name.length);
		state->name_length = (uint32_t)name.length;
		memcpy(state->name, name.data, name.length);
		state->id = snap_rule_ids_listener(store->rule_ids,
		    slice_skip(state_name(state), LISTENER_PREFIX));
		map_put(&store->listener_states, state_name(state), state);
	}
	state->references++;
	return state;
}

struct slice
snap_listener_name(const struct snap_store *store, struct slice name)
{
	const struct snap_listener_state *state =
	    map_get(&store->listener_states, name);

	must(state != NULL);
	return state_name(state);
}

void
snap_listener_unref(struct snap_store *store, struct snap_listener_state *state)
{
	struct snap_listener *shown;

	must(state->references > 0);
	if (--state->references > 0)
		return;
	must(state->unit == NULL);
	shown = snap_array_get(&store->listeners, state->id);
	if (shown) {
		must(shown->hosts == NULL);
		snap_array_put(
		    &store->limbo, &store->listeners, state->id, NULL);
		snap_limbo_push(&store->limbo, shown);
	}
	map_remove(&store->listener_states, state_name(state));
	snap_rule_ids_unref_listener(store->rule_ids, state->id);
	memory_free(state);
}

struct snap_listener *
snap_listener_writable(
    struct snap_store *store, struct snap_listener_state *state)
{
	struct snap_listener *shown =
	    snap_array_get(&store->listeners, state->id);
	struct snap_listener *fresh;

	if (shown && snap_limbo_is_fresh(&store->limbo, &shown->block))
		return shown;
	fresh = snap_limbo_new(&store->limbo, sizeof(*fresh));
	fresh->id = state->id;
	fresh->unit = state->unit;
	fresh->hosts = shown ? shown->hosts : NULL;
	snap_array_put(&store->limbo, &store->listeners, state->id, fresh);
	snap_limbo_push(&store->limbo, shown);
	return fresh;
}

static bool
is_tls(const struct unit_listener *listener)
{
	return listener->protocol == UNIT_PROTOCOL_HTTPS ||
	    listener->protocol == UNIT_PROTOCOL_TLS;
}

/* What carries no names to find a listener by; else 0. */
static enum unit_protocol
flow_of(const struct unit_listener *listener)
{
	return listener->protocol > UNIT_PROTOCOL_TLS
	    ? (enum unit_protocol)listener->protocol
	    : 0;
}

static void
name_socket(struct text *name, struct slice address,
    const struct unit_listener *listener)
{
	text_push(name, address);
	text_push_byte(name, ':');
	text_push_number(name, (uint64_t)listener->port);
	if (is_tls(listener))
		text_push_string(name, " tls");
	else if (flow_of(listener))
		text_push_string(name,
		    listener->protocol == UNIT_PROTOCOL_UDP ? " udp" : " tcp");
}

static struct snap_socket_state *
socket_get(struct snap_store *store, struct slice address,
    const struct unit_listener *listener)
{
	struct snap_socket_state *state;
	struct text name;

	text_init(&name);
	name_socket(&name, address, listener);
	state = map_get(&store->socket_states, text_slice(&name));
	text_fini(&name);
	return state;
}

static struct snap_socket_state *
socket_new(struct snap_store *store, struct slice address,
    const struct unit_listener *listener)
{
	struct snap_socket_state *state;
	struct text name;

	text_init(&name);
	name_socket(&name, address, listener);
	state = memory_zero(1, sizeof(*state) + name.length);
	state->id = snap_ids_ref(store->socket_ids, text_slice(&name));
	state->port = (uint16_t)listener->port;
	state->tls = is_tls(listener);
	state->flow = flow_of(listener);
	state->address_length = (uint32_t)address.length;
	state->name_length = (uint32_t)name.length;
	memcpy(state->name, name.data, name.length);
	text_fini(&name);
	map_put(&store->socket_states,
	    slice_make(state->name, state->name_length), state);
	store->sockets_changed = true;
	return state;
}

/* It goes with the commit, if nobody asks for it until then: one that a dropped
 * listener leaves to a new one keeps its number, and so its queue. */
static void
socket_unref(struct snap_store *store, struct snap_socket_state *state)
{
	must(state->references > 0);
	if (--state->references == 0)
		store->sockets_changed = true;
}

static void
sweep_sockets(struct snap_store *store)
{
	struct map old = store->socket_states;
	struct slice name;
	void *value;

	map_init(&store->socket_states);
	for (size_t at = 0; map_next(&old, &at, &name, &value);) {
		struct snap_socket_state *state = value;

		if (state->references > 0) {
			map_put(&store->socket_states, name, state);
			continue;
		}
		must(snap_array_get(&store->sockets, state->id) == NULL);
		snap_ids_unref(store->socket_ids, state->id);
		memory_free(state);
	}
	map_fini(&old);
}

static struct snap_claims *
claims_new(struct snap_limbo *limbo, uint32_t count)
{
	struct snap_claims *claims = snap_limbo_new(
	    limbo, sizeof(*claims) + count * sizeof(claims->ids[0]));

	claims->count = count;
	return claims;
}

static struct snap_claims *
claims_add(struct snap_store *store, struct snap_claims *old, uint32_t id)
{
	struct slice name = snap_rule_ids_listener_name(store->rule_ids, id);
	uint32_t count = old ? old->count : 0, at = 0;
	struct snap_claims *claims = claims_new(&store->limbo, count + 1);

	while (at < count &&
	    slice_compare(
	        snap_rule_ids_listener_name(store->rule_ids, old->ids[at]),
	        name) < 0) {
		claims->ids[at] = old->ids[at];
		at++;
	}
	claims->ids[at] = id;
	for (; at < count; at++)
		claims->ids[at + 1] = old->ids[at];
	snap_limbo_push(&store->limbo, old);
	return claims;
}

static struct snap_claims *
claims_remove(struct snap_store *store, struct snap_claims *old, uint32_t id)
{
	struct snap_claims *claims = NULL;
	uint32_t to = 0;

	must(old != NULL);
	if (old->count > 1) {
		claims = claims_new(&store->limbo, old->count - 1);
		for (uint32_t i = 0; i < old->count; i++) {
			if (old->ids[i] == id)
				continue;
			must(to < claims->count);
			claims->ids[to++] = old->ids[i];
		}
	} else {
		must(old->ids[0] == id);
	}
	snap_limbo_push(&store->limbo, old);
	return claims;
}

/* The listener serves its hostname on this socket from now on, or no longer. */
static void
change_claim(struct snap_store *store, const struct snap_socket_state *socket,
    struct slice hostname, uint32_t listener, bool add)
{
	char reversed[SNAP_HOST_BYTES];
	enum snap_radix_place place;
	struct slice key = snap_hostname_key(hostname, reversed, &place);
	struct snap_radix *old = snap_array_get(&store->sockets, socket->id);
	struct snap_claims *claims = snap_radix_get(old, key, place);
	struct snap_radix *root;

	claims = add ? claims_add(store, claims, listener)
	             : claims_remove(store, claims, listener);
	root = snap_radix_put(&store->limbo, old, key, place, claims);
	if (root != old)
		snap_array_put(
		    &store->limbo, &store->sockets, socket->id, root);
}

/* The nth address that a listener asks for; false behind the last. Skipped: an
 * address that stood there before. */
static bool
nth_address(
    const struct unit_listener *listener, uint32_t *nth, struct slice *address)
{
	if (listener->addresses_count == 0) {
		*address = every_address;
		return (*nth)++ == 0;
	}
	for (; *nth < listener->addresses_count; (*nth)++) {
		uint32_t before = 0;

		*address = listener->addresses[*nth];
		while (!slice_equal(listener->addresses[before], *address))
			before++;
		if (before == *nth) {
			(*nth)++;
			return true;
		}
	}
	return false;
}

/* References first, claims later: a socket that stays must not be without any
 * in between, or its number would change. */
static void
ref_sockets(struct snap_store *store, const struct unit_listener *listener)
{
	struct snap_socket_state *socket;
	struct slice address;
	uint32_t nth = 0;

	while (nth_address(listener, &nth, &address)) {
		socket = socket_get(store, address, listener);
		if (!socket)
			socket = socket_new(store, address, listener);
		socket->references++;
	}
}

static void
change_claims(struct snap_store *store, const struct unit_listener *listener,
    uint32_t id, bool add)
{
	struct slice address;
	uint32_t nth = 0;

	while (nth_address(listener, &nth, &address)) {
		struct snap_socket_state *socket =
		    socket_get(store, address, listener);

		change_claim(store, socket, listener->hostname, id, add);
		if (!add)
			socket_unref(store, socket);
	}
}

void
snap_listener_replace(
    struct snap_store *store, const struct unit *old, const struct unit *unit)
{
	const struct unit *any = unit ? unit : old;
	struct snap_listener_state *state = snap_listener_ref(store, any->name);

	must(state->unit == old);
	if (unit)
		ref_sockets(store, unit->listener);
	if (old)
		change_claims(store, old->listener, state->id, false);
	if (unit)
		change_claims(store, unit->listener, state->id, true);
	state->unit = unit;
	snap_listener_writable(store, state)->unit = unit;
	/* The unit holds the state from when it comes until it goes. */
	if (old)
		snap_listener_unref(store, state);
	if (!unit)
		snap_listener_unref(store, state);
}

static int
compare_sockets(const void *a, const void *b)
{
	const struct snap_socket *left = a, *right = b;
	int order = slice_compare(left->address, right->address);

	if (order == 0)
		order = (int)left->port - (int)right->port;
	if (order == 0)
		order = (int)left->tls - (int)right->tls;
	return order ? order : (int)left->flow - (int)right->flow;
}

void
snap_listeners_commit(struct snap_store *store)
{
	struct snap_sockets *list;
	struct slice name;
	void *value;
	size_t bytes = 0, at = 0;
	char *text;

	if (!store->sockets_changed && store->socket_list)
		return;
	sweep_sockets(store);
	while (map_next(&store->socket_states, &at, &name, &value))
		bytes += name.length + sizeof(list->sockets[0]);
	list = snap_limbo_new(&store->limbo, sizeof(*list) + bytes);
	text = (char *)&list->sockets[store->socket_states.count];
	at = 0;
	while (map_next(&store->socket_states, &at, &name, &value)) {
		const struct snap_socket_state *state = value;

		memcpy(text, state->name, state->address_length);
		list->sockets[list->count++] = (struct snap_socket){
		    .address = slice_make(text, state->address_length),
		    .port = state->port,
		    .tls = state->tls,
		    .flow = state->flow,
		    .id = state->id,
		};
		text += state->address_length;
	}
	qsort(list->sockets, list->count, sizeof(list->sockets[0]),
	    compare_sockets);
	snap_limbo_push(&store->limbo, store->socket_list);
	store->socket_list = list;
	store->sockets_changed = false;
}

const struct unit *
snap_set_listener(const struct snap_set *set, uint32_t id)
{
	const struct snap_listener *listener =
	    snap_array_get(&set->listeners, id);

	return listener ? listener->unit : NULL;
}
