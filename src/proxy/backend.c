/* The table of a worker's backends: brought up to the set's by merging sorted
 * addresses, so that an endpoint that stays keeps its pool. */
#include "proxy/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include "core/memory.h"
#include "proxy/pool.h"
#include "proxy/reading.h"
#include "snap/unit.h"

/* An endpoint as the set has it, its address read. */
struct wanted {
	struct net_address address;
	uint8_t conditions;
};

static int
compare_wanted(const void *left, const void *right)
{
	const struct wanted *a = left, *b = right;
	return net_address_compare(&a->address, &b->address);
}

void
proxy_backends_init(struct proxy_backends *backends, struct http_worker *http)
{
	*backends = (struct proxy_backends){.http = http};
	list_init(&backends->endpoints);
}

static struct proxy_endpoint *
endpoint_new(struct proxy_backends *backends, struct proxy_backend *backend,
    const struct wanted *wanted)
{
	struct proxy_endpoint *endpoint = memory_zero(1, sizeof(*endpoint));
	list_insert(&backends->endpoints, &endpoint->link);
	endpoint->http = backends->http;
	endpoint->backend = backend;
	backend->references++;
	endpoint->address = wanted->address;
	if (backend->tls)
		endpoint->tls = proxy_endpoint_tls_new(backend->tls);
	endpoint->text_length =
	    (uint8_t)net_address_format(&wanted->address, endpoint->text);
	proxy_pool_init(endpoint);
	return endpoint;
}

void
proxy_backend_unref(struct proxy_backend *backend)
{
	must(backend->references > 0);
	if (--backend->references > 0)
		return;
	proxy_backend_tls_free(&backend->tls);
	memory_free(backend->endpoints);
	memory_free(backend->candidates);
	memory_free(backend);
}

static void
endpoint_free(struct proxy_endpoint *endpoint)
{
	proxy_pool_fini(endpoint);
	proxy_endpoint_tls_free(&endpoint->tls);
	list_remove(&endpoint->link);
	proxy_backend_unref(endpoint->backend);
	memory_free(endpoint);
}

void
proxy_endpoint_settle(struct proxy_endpoint *endpoint)
{
	if (endpoint->gone && endpoint->in_flight == 0 &&
	    endpoint->connections == 0 && endpoint->waiting_count == 0)
		endpoint_free(endpoint);
}

static struct proxy_backend *
backend_new(struct proxy_backends *backends, const struct snap_backend *snap)
{
	size_t size = snap->target.length + sizeof(":65535");
	struct proxy_backend *backend = memory_zero(1, sizeof(*backend) + size);
	char *name = (char *)(backend + 1);
	int length = snprintf(
	    name, size, "%.*s:%u", SLICE_ARGS(snap->target), snap->port);
	/* An external name has a port of its own. */
	backend->name = slice_make(
	    name, snap->port > 0 ? (size_t)length : snap->target.length);
	backend->target = slice_make(name, snap->target.length);
	backend->port = snap->port;
	backend->id = snap->id;
	backend->references = 1;
	backend->next = backends->by_id[snap->id];
	backends->by_id[snap->id] = backend;
	return backend;
}

/* Is it the same backend, spoken to in the same way, and not one that was given
 * the number of another? */
static bool
is_same(const struct proxy_backend *backend, const struct snap_backend *snap)
{
	return backend->port == snap->port &&
	    (backend->tls != NULL) == (snap->tls != NULL) &&
	    (!backend->tls || proxy_backend_tls_is(backend->tls, snap->tls)) &&
	    slice_equal(backend->target, snap->target);
}

/* The table lets go of it; requests in flight may still hold it. */
static void
backend_retire(struct proxy_backends *backends, struct proxy_backend *backend)
{
	struct proxy_backend **place = &backends->by_id[backend->id];

	while (*place != backend)
		place = &(*place)->next;
	*place = backend->next;
	for (uint32_t i = 0; i < backend->endpoint_count; i++)
		proxy_pool_retire(backend->endpoints[i]);
	backend->endpoint_count = backend->candidate_count = 0;
	proxy_backend_unref(backend);
}

/* Whoever waits for it asks again. */
static void
supersede(struct proxy_backends *backends, struct proxy_backend *backend)
{
	backend->superseded = true;
	backend_retire(backends, backend);
}

/* The set's endpoints, sorted as ours are; one whose address cannot be read,
 * or is there twice, is left out. */
static struct wanted *
read_wanted(const struct snap_backend *snap, uint32_t *count)
{
	struct wanted *wanted =
	    memory_zero((size_t)snap->endpoint_count + 1, sizeof(*wanted));
	uint32_t found = 0;
	for (uint32_t i = 0; i < snap->endpoint_count; i++) {
		const struct snap_endpoint *endpoint = &snap->endpoints[i];
		struct wanted *next = &wanted[found];
		if (net_address_parse(endpoint->address, endpoint->port,
		        &next->address) != ERROR_OK)
			continue;
		next->conditions = endpoint->conditions;
		found++;
	}
	qsort(wanted, found, sizeof(wanted[0]), compare_wanted);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < found; i++)
		if (kept == 0 ||
		    compare_wanted(&wanted[kept - 1], &wanted[i]) != 0)
			wanted[kept++] = wanted[i];
	*count = kept;
	return wanted;
}

static void
merge(struct proxy_backends *backends, struct proxy_backend *backend,
    const struct wanted *wanted, uint32_t count)
{
	struct proxy_endpoint **merged =
	    memory_zero((size_t)count + 1, sizeof(*merged));
	struct proxy_endpoint **old = backend->endpoints;
	uint32_t old_at = 0, old_count = backend->endpoint_count;
	for (uint32_t i = 0; i < count; i++) {
		int order = 1;
		while (old_at < old_count &&
		    (order = net_address_compare(
		         &old[old_at]->address, &wanted[i].address)) < 0)
			proxy_pool_retire(old[old_at++]);
		merged[i] = old_at < old_count && order == 0
		    ? old[old_at++]
		    : endpoint_new(backends, backend, &wanted[i]);
		merged[i]->conditions = wanted[i].conditions;
	}
	while (old_at < old_count)
		proxy_pool_retire(old[old_at++]);
	memory_free(old);
	backend->endpoints = merged;
	backend->endpoint_count = count;
}

static void
select_candidates(struct proxy_backend *backend)
{
	const uint8_t *choices = proxy_candidate_conditions;
	backend->candidates = memory_resize(backend->candidates,
	    (size_t)backend->endpoint_count + 1, sizeof(*backend->candidates));
	backend->candidate_count = 0;
	for (unsigned c = 0; c < 2 && backend->candidate_count == 0; c++)
		for (uint32_t i = 0; i < backend->endpoint_count; i++) {
			struct proxy_endpoint *one = backend->endpoints[i];
			if ((one->conditions & choices[c]) != choices[c])
				continue;
			backend->candidates[backend->candidate_count++] = one;
		}
}

static void
make_room(struct proxy_backends *backends, uint32_t id)
{
	if (id < backends->capacity)
		return;
	uint32_t capacity = backends->capacity ? backends->capacity : 16;
	while (capacity <= id)
		capacity *= 2;
	backends->by_id =
	    memory_resize(backends->by_id, capacity, sizeof(*backends->by_id));
	memset(&backends->by_id[backends->capacity], 0,
	    (capacity - backends->capacity) * sizeof(*backends->by_id));
	backends->capacity = capacity;
}

/* The one that is spoken to as the set says; what was spoken to otherwise goes.
 */
static struct proxy_backend *
find(struct proxy_backends *backends, const struct snap_set *set,
    const struct snap_backend *snap, uint32_t certificate_id)
{
	struct proxy_backend *next, *found = NULL;

	for (struct proxy_backend *at = backends->by_id[snap->id]; at;
	     at = next) {
		next = at->next;
		if (!is_same(at, snap))
			supersede(backends, at);
		else if (!at->tls ||
		    proxy_backend_tls_shows(at->tls, set, certificate_id))
			found = at;
	}
	return found;
}

struct proxy_backend *
proxy_backends_sync(struct proxy_backends *backends, const struct snap_set *set,
    const struct snap_backend *snap, uint32_t certificate_id)
{
	must(snap->id < UINT32_MAX / 2);
	make_room(backends, snap->id);
	struct proxy_backend *backend =
	    find(backends, set, snap, certificate_id);
	if (!backend)
		backend = backend_new(backends, snap);
	if (snap->tls && !backend->tls) {
		if (!backends->tls)
			backends->tls = proxy_backends_tls_new(
			    backends->http->metrics, backends->system);
		backend->tls = proxy_backend_tls_new(
		    backends->tls, set, snap->tls, certificate_id);
	}
	uint32_t count;
	struct wanted *wanted = read_wanted(snap, &count);
	merge(backends, backend, wanted, count);
	memory_free(wanted);
	select_candidates(backend);
	backend->serial = snap->serial;
	return backend;
}

struct proxy_backend *
proxy_backends_get_tls(struct proxy_backends *backends,
    const struct snap_set *set, const struct snap_backend *snap,
    uint32_t certificate_id)
{
	must(snap->tls);
	if (snap->id < backends->capacity)
		for (struct proxy_backend *at = backends->by_id[snap->id]; at;
		     at = at->next)
			if (at->serial == snap->serial &&
			    proxy_backend_tls_shows(
			        at->tls, set, certificate_id))
				return at;
	return proxy_backends_sync(backends, set, snap, certificate_id);
}

/* What the set says of a backend that nobody may ask for again. */
static void
look_at(struct proxy_backends *backends, const struct snap_set *set,
    struct proxy_backend *backend)
{
	const struct snap_backend *snap = snap_set_backend(set, backend->id);
	uint32_t certificate_id =
	    backend->tls ? backend->tls->certificate_id : SNAP_ID_NONE;

	if (!snap)
		backend_retire(backends, backend);
	else if (!is_same(backend, snap) ||
	    (backend->tls &&
	        !proxy_backend_tls_shows(backend->tls, set, certificate_id)))
		supersede(backends, backend);
	else if (backend->serial != snap->serial)
		(void)proxy_backends_sync(backends, set, snap, certificate_id);
}

bool
proxy_backends_sweep(
    struct proxy_backends *backends, const struct snap_set *set, uint32_t count)
{
	for (; count > 0 && backends->sweep_next < backends->capacity;
	     count--) {
		uint32_t id = backends->sweep_next++;
		struct proxy_backend *next;

		for (struct proxy_backend *at = backends->by_id[id]; at;
		     at = next) {
			next = at->next;
			look_at(backends, set, at);
		}
	}
	if (backends->sweep_next < backends->capacity)
		return true;
	backends->sweep_next = 0;
	return false;
}

void
proxy_backends_fini(struct proxy_backends *backends)
{
	for (uint32_t id = 0; id < backends->capacity; id++)
		while (backends->by_id[id])
			backend_retire(backends, backends->by_id[id]);
	LIST_FOR_EACH_SAFE(at, &backends->endpoints)
	{
		endpoint_free(container_of(at, struct proxy_endpoint, link));
	}
	memory_free(backends->by_id);
	proxy_backends_tls_free(&backends->tls);
	*backends = (struct proxy_backends){0};
}
