/* The pool of one endpoint: idle connections, newest first, and the requests
 * that wait for one. One worker's; nothing is shared. */
#ifndef YUMEN_PROXY_POOL_H
#define YUMEN_PROXY_POOL_H

#include "http/client.h"
#include "proxy/backend.h"

/* A request that waits; embedded in it. */
struct proxy_waiter {
	struct list link;
	struct proxy_endpoint *endpoint; /* NULL: does not wait */
	uint64_t deadline_ms;
	/* A stream, or NULL and why there is none (LIMIT: it waited too long).
	 * From a task of the loop, never from within proxy_pool_take. */
	void (*on_stream)(
	    struct proxy_waiter *, struct http_stream *, enum error);
};

void proxy_pool_init(struct proxy_endpoint *endpoint);
/* Closes all connections; nobody may wait. */
void proxy_pool_fini(struct proxy_endpoint *endpoint);
/* A stream at once. NULL and OK: waiter will be told. NULL and an error: there
 * is none to be had. fresh: a connection that was idle is not wanted. */
struct http_stream *proxy_pool_take(struct proxy_endpoint *endpoint,
    struct proxy_waiter *waiter, bool fresh, enum error *error);
/* The waiter waits no more; also when it does not wait. */
void proxy_pool_cancel(struct proxy_waiter *waiter);
/* A request that counted itself in in_flight is done with the endpoint, which
 * may be freed by a later task. */
void proxy_pool_leave(struct proxy_endpoint *endpoint);
/* The endpoint went away: idle connections are closed. Waiters are told
 * CANCELLED where the backend has others, or is spoken to in another way by
 * now; else they get what they wait for. */
void proxy_pool_retire(struct proxy_endpoint *endpoint);

#endif
