/* A worker: one thread with its own loop, connections, pools and counters. It
 * shares nothing on the request path: sets come by an atomic pointer, sockets
 * by a small queue, both with a wake-up. */
#ifndef YUMEN_PROXY_WORKER_H
#define YUMEN_PROXY_WORKER_H

#include "core/error.h"
#include "core/text.h"
#include "net/address.h"
#include "snap/decide.h"
#include "snap/set.h"

struct proxy_worker;
struct proxy_log;
struct net_tls_system;

struct proxy_options {
	struct proxy_log *access_log; /* NULL: off */
	struct snap_store *store; /* only for snap_holds_new */
	/* All of it is read before a set is published that asks for it. */
	const struct net_tls_system *system;
	/* Called in the worker's thread when proxy_worker_served or _is_idle
	 * or _accepts may have changed: wake your loop, do no more.
	 */
	void (*on_progress)(void *context);
	void *context;
	unsigned number; /* of this worker, from 0 */
};

enum error proxy_worker_start(const struct proxy_options *options,
    struct proxy_worker **worker) must_check;
/* Ends the thread at once and frees all; connections are closed. */
void proxy_worker_stop(struct proxy_worker **worker);

/* Control thread. The set is borrowed until the worker has served a newer one.
 */
void proxy_worker_publish(
    struct proxy_worker *worker, const struct snap_set *set);
/* The number of the set that it serves, 0: none yet. */
uint64_t proxy_worker_served(const struct proxy_worker *worker);
struct snap_holds *proxy_worker_holds(struct proxy_worker *worker);

/* Lend a listening descriptor of this socket (the fd stays the lender's). */
void proxy_worker_lend(struct proxy_worker *worker, uint32_t socket, int fd,
    uint16_t port, bool tls);
/* Stop accepting on it and drain its connections, which belong to no socket of
 * a set any more: its number may be another's soon. */
void proxy_worker_take_back(struct proxy_worker *worker, int fd);
/* False: taken back or drained, what was in its queue is accepted, nothing more
 * will be: the fd may be closed, although its connections are still served. */
bool proxy_worker_accepts(const struct proxy_worker *worker, int fd);

/* Stop accepting, say Connection: close, close idle connections. */
void proxy_worker_drain(struct proxy_worker *worker);
/* After drain: no connection is left. */
bool proxy_worker_is_idle(const struct proxy_worker *worker);

/* yumen_http_requests_total and what else has labels from configuration, summed
 * over the workers, in Prometheus text. Control thread. */
void proxy_workers_metrics(struct proxy_worker *const *workers, unsigned count,
    const struct snap_store *store, struct text *out);

#endif
