/* Backends: endpoints of a Service's port, or of an external name, gathered
 * from the units that say them. What a change touches is marked and built anew
 * at the commit, so that a batch with many slices of one Service builds it
 * once. */
#include <stdlib.h>

#include "core/memory.h"
#include "core/must.h"
#include "snap/store_priv.h"

/* In the set's array; callers see the part behind the header. */
struct backend_block {
	struct snap_limbo_block block;
	struct snap_backend backend;
	struct snap_endpoint endpoints[]; /* then the bytes of texts */
};

/* Endpoints while they are gathered; addresses are borrowed from units. */
struct gathering {
	struct snap_endpoint *endpoints;
	uint32_t count, capacity;
	bool exists, has_tls;
	struct snap_tls_source tls;
};

static void build(struct snap_store *store, struct snap_backend_state *state);

void
snap_backends_init(struct snap_store *store)
{
	map_init(&store->targets);
	store->backend_ids = snap_ids_new();
	list_init(&store->dirty_backends);
}

static void
free_target(struct snap_target *target)
{
	LIST_FOR_EACH_SAFE(at, &target->backends)
	{
		memory_free(
		    container_of(at, struct snap_backend_state, of_target));
	}
	for (uint32_t i = 0; i < target->use_count; i++)
		list_remove(&target->uses[i].link);
	memory_free(target->uses);
	memory_free(target->endpoints);
	memory_free(target);
}

void
snap_backends_fini(struct snap_store *store)
{
	struct slice name;
	void *value;
	size_t at = 0;

	while (map_next(&store->targets, &at, &name, &value))
		free_target(value);
	map_fini(&store->targets);
	memory_free(store->backend_states);
	snap_array_free(&store->backends, memory_free);
	snap_ids_free(store->backend_ids);
}

/* Made when it is not there. */
static struct snap_target *
target_get(struct snap_store *store, struct slice name)
{
	struct snap_target *target = map_get(&store->targets, name);

	if (target)
		return target;
	target = memory_zero(1, sizeof(*target) + name.length);
	list_init(&target->backends);
	list_init(&target->of_hostname);
	target->name_length = (uint32_t)name.length;
	memcpy(target->name, name.data, name.length);
	map_put(&store->targets, slice_make(target->name, name.length), target);
	return target;
}

/* Nothing speaks of it any more? Then it goes. */
static void
target_tidy(struct snap_store *store, struct snap_target *target)
{
	if (target->unit || target->endpoints_count > 0 ||
	    !list_is_empty(&target->backends))
		return;
	map_remove(
	    &store->targets, slice_make(target->name, target->name_length));
	free_target(target);
}

static void
mark(struct snap_store *store, struct snap_backend_state *state)
{
	if (list_is_empty(&state->dirty))
		list_insert(&store->dirty_backends, &state->dirty);
}

void
snap_target_mark(struct snap_store *store, const struct snap_target *target)
{
	LIST_FOR_EACH(at, &target->backends)
	{
		mark(store,
		    container_of(at, struct snap_backend_state, of_target));
	}
}

void
snap_backends_mark_users(struct snap_store *store, uint32_t credential)
{
	snap_credential_users(store, credential, snap_target_mark);
}

static struct snap_backend_state *
backend_find(const struct snap_target *target, uint16_t port, bool datagrams)
{
	LIST_FOR_EACH(at, &target->backends)
	{
		struct snap_backend_state *state =
		    container_of(at, struct snap_backend_state, of_target);

		if (state->port == port && state->datagrams == datagrams)
			return state;
	}
	return NULL;
}

static struct snap_backend_state *
backend_new(struct snap_store *store, struct snap_target *target, uint16_t port,
    bool datagrams)
{
	struct snap_backend_state *state = memory_zero(1, sizeof(*state));
	uint32_t capacity = store->backend_states_capacity;
	struct text name;

	text_init(&name);
	text_push(&name, slice_make(target->name, target->name_length));
	text_push_byte(&name, ' ');
	text_push_number(&name, port);
	if (datagrams)
		text_push_string(&name, "/udp");
	state->id = snap_ids_ref(store->backend_ids, text_slice(&name));
	text_fini(&name);
	state->target = target;
	state->port = port;
	state->datagrams = datagrams;
	list_insert(&target->backends, &state->of_target);
	list_init(&state->dirty);
	mark(store, state);
	if (state->id >= capacity) {
		uint32_t wanted = capacity ? capacity * 2 : 16;

		must(state->id < wanted);
		store->backend_states = memory_resize(store->backend_states,
		    wanted, sizeof(store->backend_states[0]));
		store->backend_states_capacity = wanted;
	}
	store->backend_states[state->id] = state;
	return state;
}

uint32_t
snap_backend_ref(
    struct snap_store *store, struct slice name, uint16_t port, bool datagrams)
{
	struct snap_target *target = target_get(store, name);
	struct snap_backend_state *state =
	    backend_find(target, port, datagrams);

	if (!state)
		state = backend_new(store, target, port, datagrams);
	state->references++;
	return state->id;
}

struct slice
snap_backend_target(const struct snap_store *store, uint32_t id)
{
	must(id < store->backend_states_capacity);
	const struct snap_target *target = store->backend_states[id]->target;

	return slice_make(target->name, target->name_length);
}

void
snap_backend_unref(struct snap_store *store, uint32_t id)
{
	must(id < store->backend_states_capacity);
	struct snap_backend_state *state = store->backend_states[id];
	struct snap_target *target = state->target;

	must(state->references > 0);
	if (--state->references > 0)
		return;
	snap_limbo_push(&store->limbo, snap_array_get(&store->backends, id));
	snap_array_put(&store->limbo, &store->backends, id, NULL);
	snap_ids_unref(store->backend_ids, id);
	store->backend_states[id] = NULL;
	list_remove(&state->of_target);
	list_remove(&state->dirty);
	memory_free(state);
	target_tidy(store, target);
}

static void
replace_target(
    struct snap_store *store, const struct unit *old, const struct unit *unit)
{
	const struct unit *any = unit ? unit : old;
	struct snap_target *target = target_get(store, any->name);

	must(target->unit == old);
	target->unit = unit;
	snap_target_use(store, target);
	if (any->kind == UNIT_EXTERNAL)
		snap_target_name(store, target,
		    unit ? unit->external->hostname : SLICE_NONE);
	snap_target_mark(store, target);
	target_tidy(store, target);
}

static void
remove_endpoints(struct snap_store *store, const struct unit *unit)
{
	struct snap_target *target =
	    target_get(store, unit->endpoints->service);
	uint32_t i = 0;

	while (i < target->endpoints_count && target->endpoints[i] != unit)
		i++;
	must(i < target->endpoints_count);
	target->endpoints[i] = target->endpoints[--target->endpoints_count];
	snap_target_mark(store, target);
	target_tidy(store, target);
}

static void
add_endpoints(struct snap_store *store, const struct unit *unit)
{
	struct snap_target *target =
	    target_get(store, unit->endpoints->service);

	if (target->endpoints_count == target->endpoints_capacity) {
		uint32_t capacity = target->endpoints_capacity;

		target->endpoints_capacity = capacity ? capacity * 2 : 2;
		target->endpoints = memory_resize(target->endpoints,
		    target->endpoints_capacity, sizeof(target->endpoints[0]));
	}
	target->endpoints[target->endpoints_count++] = unit;
	snap_target_mark(store, target);
}

void
snap_backends_replace(
    struct snap_store *store, const struct unit *old, const struct unit *unit)
{
	const struct unit *any = unit ? unit : old;

	if (any->kind != UNIT_ENDPOINTS) {
		replace_target(store, old, unit);
		return;
	}
	if (old)
		remove_endpoints(store, old);
	if (unit)
		add_endpoints(store, unit);
}

void
snap_backends_commit(struct snap_store *store)
{
	snap_hostnames_commit(store);
	LIST_FOR_EACH_SAFE(at, &store->dirty_backends)
	{
		list_remove(at);
		build(
		    store, container_of(at, struct snap_backend_state, dirty));
	}
}

static void
gather(struct gathering *gathering, struct slice address, int64_t port,
    int64_t conditions)
{
	if (gathering->count == gathering->capacity) {
		gathering->capacity =
		    gathering->capacity ? gathering->capacity * 2 : 16;
		gathering->endpoints = memory_resize(gathering->endpoints,
		    gathering->capacity, sizeof(gathering->endpoints[0]));
	}
	gathering->endpoints[gathering->count++] = (struct snap_endpoint){
	    .address = address,
	    .port = (uint16_t)port,
	    .conditions = (uint8_t)conditions,
	};
}

static void
gather_slice(struct gathering *gathering, const struct unit_service_port *of,
    const struct unit_endpoints *slice)
{
	for (uint32_t i = 0; i < slice->ports_count; i++) {
		const struct unit_service_port *port = &slice->ports[i];

		/* Absent and empty are both unnamed; without a number there
		 * is nothing to connect to. */
		if (!slice_equal(port->name, of->name) || port->number == 0 ||
		    !port->datagrams != !of->datagrams)
			continue;
		for (uint32_t j = 0; j < slice->endpoints_count; j++) {
			const struct unit_endpoint *endpoint =
			    &slice->endpoints[j];

			if (endpoint->addresses_count > 0)
				gather(gathering, endpoint->addresses[0],
				    port->number, endpoint->conditions);
		}
	}
}

/* How it is spoken to, and so whether. */
static void
gather_tls(struct gathering *gathering, const struct snap_store *store,
    const struct unit_backend_tls *record, const uint32_t *authority_ids)
{
	gathering->exists = !record || !slice_is_set(record->refused);
	gathering->has_tls = record != NULL;
	if (record)
		snap_tls_source_init(
		    &gathering->tls, store, record, authority_ids);
}

static void
gather_service(struct gathering *gathering, const struct snap_store *store,
    const struct snap_target *target, const struct snap_backend_state *state)
{
	const struct unit_service *service = target->unit->service;
	const uint32_t *ids = target->unit->credential_ids;

	for (uint32_t i = 0; i < service->ports_count; i++) {
		const struct unit_service_port *port = &service->ports[i];

		if (port->number != state->port ||
		    (port->datagrams != 0) != state->datagrams) {
			if (ids)
				ids += snap_credentials_of_backend(port->tls);
			continue;
		}
		gather_tls(gathering, store, port->tls, ids);
		for (uint32_t j = 0; j < target->endpoints_count; j++)
			gather_slice(
			    gathering, port, target->endpoints[j]->endpoints);
		return;
	}
}

static void
gather_external(struct gathering *gathering, const struct snap_store *store,
    const struct snap_target *target)
{
	const struct snap_hostname *hostname = target->hostname;

	gather_tls(gathering, store, target->unit->external->tls,
	    target->unit->credential_ids);
	for (uint32_t i = 0; i < hostname->address_count; i++)
		gather(gathering, hostname->addresses[i],
		    target->unit->external->port,
		    UNIT_ENDPOINT_READY | UNIT_ENDPOINT_SERVING);
}

static int
compare_endpoints(const void *a, const void *b)
{
	const struct snap_endpoint *left = a, *right = b;
	int order = slice_compare(left->address, right->address);

	return order ? order : (int)left->port - (int)right->port;
}

/* Of two that speak of one endpoint the more hopeful is believed: while it
 * moves from slice to slice, the older word is that it is not ready. */
static unsigned
hope(unsigned conditions)
{
	return (conditions & UNIT_ENDPOINT_READY ? 4u : 0u) +
	    (conditions & UNIT_ENDPOINT_SERVING ? 2u : 0u) +
	    (conditions & UNIT_ENDPOINT_TERMINATING ? 0u : 1u);
}

static void
sort_unique(struct gathering *gathering)
{
	struct snap_endpoint *endpoints = gathering->endpoints;
	uint32_t kept = 0;

	if (gathering->count == 0)
		return;
	qsort(endpoints, gathering->count, sizeof(endpoints[0]),
	    compare_endpoints);
	for (uint32_t i = 1; i < gathering->count; i++) {
		if (compare_endpoints(&endpoints[kept], &endpoints[i]) != 0)
			endpoints[++kept] = endpoints[i];
		else if (hope(endpoints[kept].conditions) <
		    hope(endpoints[i].conditions))
			endpoints[kept] = endpoints[i];
	}
	gathering->count = kept + 1;
}

static bool
is_same(const struct snap_backend *backend, const struct gathering *gathering)
{
	if (backend->exists != gathering->exists ||
	    (backend->tls != NULL) != gathering->has_tls ||
	    (backend->tls &&
	        !snap_tls_is_same(backend->tls, &gathering->tls)) ||
	    backend->endpoint_count != gathering->count)
		return false;
	for (uint32_t i = 0; i < gathering->count; i++)
		if (compare_endpoints(&backend->endpoints[i],
		        &gathering->endpoints[i]) != 0 ||
		    backend->endpoints[i].conditions !=
		        gathering->endpoints[i].conditions)
			return false;
	return true;
}

static struct backend_block *
make_block(struct snap_store *store, const struct snap_backend_state *state,
    const struct gathering *gathering)
{
	const struct snap_target *target = state->target;
	size_t tls_bytes =
	    gathering->has_tls ? snap_tls_copy_bytes(&gathering->tls) : 0;
	size_t bytes = tls_bytes + target->name_length;
	struct backend_block *made;
	char *text;

	for (uint32_t i = 0; i < gathering->count; i++)
		bytes += gathering->endpoints[i].address.length;
	made = snap_limbo_new(&store->limbo,
	    sizeof(*made) + gathering->count * sizeof(made->endpoints[0]) +
	        bytes);
	text = (char *)&made->endpoints[gathering->count] + tls_bytes;
	memcpy(text, target->name, target->name_length);
	made->backend = (struct snap_backend){
	    .serial = ++store->serial,
	    .id = state->id,
	    .target = slice_make(text, target->name_length),
	    .port = state->port,
	    .datagrams = state->datagrams,
	    .exists = gathering->exists,
	    .is_plain = gathering->exists && !gathering->has_tls,
	    .tls = tls_bytes > 0 ? snap_tls_copy(&gathering->tls,
	                               &made->endpoints[gathering->count])
	                         : NULL,
	    .endpoints = made->endpoints,
	    .endpoint_count = gathering->count,
	};
	text += target->name_length;
	for (uint32_t i = 0; i < gathering->count; i++) {
		struct slice address = gathering->endpoints[i].address;

		made->endpoints[i] = gathering->endpoints[i];
		made->endpoints[i].address = slice_make(text, address.length);
		if (address.length > 0)
			memcpy(text, address.data, address.length);
		text += address.length;
	}
	return made;
}

static void
build(struct snap_store *store, struct snap_backend_state *state)
{
	const struct snap_target *target = state->target;
	struct backend_block *old = snap_array_get(&store->backends, state->id);
	struct gathering gathering = {0};

	if (target->unit && target->unit->kind == UNIT_SERVICE)
		gather_service(&gathering, store, target, state);
	else if (target->unit)
		gather_external(&gathering, store, target);
	sort_unique(&gathering);
	if (!old || !is_same(&old->backend, &gathering)) {
		snap_array_put(&store->limbo, &store->backends, state->id,
		    make_block(store, state, &gathering));
		snap_limbo_push(&store->limbo, old);
		store->changed = true;
	}
	memory_free(gathering.endpoints);
}

const struct snap_backend *
snap_set_backend(const struct snap_set *set, uint32_t id)
{
	const struct backend_block *found = snap_array_get(&set->backends, id);

	return found ? &found->backend : NULL;
}
