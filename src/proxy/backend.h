/* What a worker keeps of the backends that its requests went to: their
 * endpoints, each with its pool and counts. It outlives sets: an endpoint that
 * stays in the next set keeps its connections; one that went away gets no new
 * request and is freed when its last one has ended. */
#ifndef YUMEN_PROXY_BACKEND_H
#define YUMEN_PROXY_BACKEND_H

#include "core/list.h"
#include "core/must.h"
#include "core/text.h"
#include "http/exchange.h"
#include "net/address.h"
#include "snap/set.h"

struct proxy_backend;

struct proxy_endpoint {
	struct list link; /* of the table, also when it is gone */
	struct proxy_backend *backend;
	struct http_worker *http;
	struct net_address address;
	uint8_t conditions; /* enum unit_endpoint_condition */
	bool gone; /* not in the set any more */
	uint32_t in_flight; /* requests that chose it, waiting ones too */
	uint64_t ejected_until_ms; /* after a failed connect */
	/* The pool, proxy/pool.c's. */
	uint32_t connections; /* opening, idle and lent */
	uint32_t opening_count, idle_count;
	uint32_t idle_low; /* the fewest since idle_timer was set */
	uint32_t waiting_count;
	uint32_t failed; /* connects since the task ran last */
	enum error failure;
	struct list opening, idle, waiters;
	struct net_task task;
	struct net_timer idle_timer, wait_timer;
	uint8_t text_length;
	char text[NET_ADDRESS_TEXT];
};

struct proxy_backend {
	uint64_t serial; /* of the snap_backend that it shows */
	uint32_t id;
	uint32_t references; /* requests, endpoints, and the table's one */
	uint32_t endpoint_count, candidate_count;
	struct proxy_endpoint **endpoints; /* sorted by address */
	struct proxy_endpoint **candidates; /* that may get requests */
	struct slice target; /* "service/ns/name" */
	struct slice name; /* with ":port" */
	uint16_t port;
};

struct proxy_backends {
	struct http_worker *http;
	struct list endpoints; /* all there are */
	struct proxy_backend **by_id;
	uint32_t capacity;
	uint32_t sweep_next;
};

void proxy_backends_init(
    struct proxy_backends *backends, struct http_worker *http);
/* No request may be in flight; closes all connections. */
void proxy_backends_fini(struct proxy_backends *backends);
/* Bring the state of a backend up to what the set says. */
struct proxy_backend *proxy_backends_sync(
    struct proxy_backends *backends, const struct snap_backend *snap);
/* Before another attempt: what a newer set may say of it. */
void proxy_backends_refresh(struct proxy_backends *backends,
    const struct snap_set *set, const struct proxy_backend *backend);
/* Look at up to count backends: those that the set has no more, or has
 * otherwise, let go of what went away. False when all were looked at. */
bool proxy_backends_sweep(struct proxy_backends *backends,
    const struct snap_set *set, uint32_t count);
void proxy_backend_unref(struct proxy_backend *backend);
/* Frees an endpoint that is gone once nothing uses it; else does nothing. */
void proxy_endpoint_settle(struct proxy_endpoint *endpoint);

/* The state of a backend; serials are never given twice. */
static inline struct proxy_backend *
proxy_backends_get(
    struct proxy_backends *backends, const struct snap_backend *snap)
{
	if (likely(snap->id < backends->capacity)) {
		struct proxy_backend *backend = backends->by_id[snap->id];
		if (likely(backend && backend->serial == snap->serial))
			return backend;
	}
	return proxy_backends_sync(backends, snap);
}

#endif
