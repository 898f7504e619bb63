/* What a worker keeps of the backends that its requests went to: their
 * endpoints, each with its pool and counts. It outlives sets: an endpoint that
 * stays in the next set keeps its connections; one that went away gets no new
 * request and is freed when its last one has ended.
 *
 * How a backend is spoken to is part of what it is: with other settings of TLS,
 * or another certificate that is shown, it is another backend with connections
 * of its own, and the one before lets go of those that are idle. */
#ifndef YUMEN_PROXY_BACKEND_H
#define YUMEN_PROXY_BACKEND_H

#include "core/list.h"
#include "core/must.h"
#include "core/text.h"
#include "http/exchange.h"
#include "net/address.h"
#include "proxy/backend_tls.h"
#include "snap/set.h"

struct proxy_backend;

struct proxy_endpoint {
	struct list link; /* of the table, also when it is gone */
	struct proxy_backend *backend;
	struct http_worker *http;
	struct net_address address;
	struct proxy_endpoint_tls *tls; /* NULL: in plain text */
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
	struct proxy_backend *next; /* that is shown another certificate */
	struct proxy_backend_tls *tls; /* NULL: in plain text */
	bool superseded; /* the set has it otherwise by now */
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
	const struct net_tls_system *system;
	struct proxy_backends_tls *tls; /* NULL: none speaks it yet */
	struct proxy_backend **by_id;
	uint32_t capacity;
	uint32_t sweep_next;
};

void proxy_backends_init(
    struct proxy_backends *backends, struct http_worker *http);
/* No request may be in flight; closes all connections. */
void proxy_backends_fini(struct proxy_backends *backends);
/* Bring the state of a backend up to what the set says. Of one that speaks TLS
 * the one that is shown this certificate; NONE: that is shown none. */
struct proxy_backend *proxy_backends_sync(struct proxy_backends *backends,
    const struct snap_set *set, const struct snap_backend *snap,
    uint32_t certificate_id);
/* As proxy_backends_get, of one that speaks TLS; whether it can is in its
 * tls->is_usable. */
struct proxy_backend *proxy_backends_get_tls(struct proxy_backends *backends,
    const struct snap_set *set, const struct snap_backend *snap,
    uint32_t certificate_id);
/* Look at up to count backends: those that the set has no more, or has
 * otherwise, let go of what went away. False when all were looked at. */
bool proxy_backends_sweep(struct proxy_backends *backends,
    const struct snap_set *set, uint32_t count);
void proxy_backend_unref(struct proxy_backend *backend);
/* Frees an endpoint that is gone once nothing uses it; else does nothing. */
void proxy_endpoint_settle(struct proxy_endpoint *endpoint);

/* The state of a backend in plain text; serials are never given twice. */
static inline struct proxy_backend *
proxy_backends_get(
    struct proxy_backends *backends, const struct snap_backend *snap)
{
	if (likely(snap->id < backends->capacity)) {
		struct proxy_backend *backend = backends->by_id[snap->id];
		if (likely(backend && backend->serial == snap->serial))
			return backend;
	}
	return proxy_backends_sync(backends, NULL, snap, SNAP_ID_NONE);
}

#endif
