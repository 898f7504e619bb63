/* What one worker has; all of it is its thread's but what says otherwise. */
#ifndef YUMEN_PROXY_WORKER_PRIV_H
#define YUMEN_PROXY_WORKER_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include "core/metric.h"
#include "core/random.h"
#include "proxy/backend.h"
#include "proxy/counters.h"
#include "proxy/log_priv.h"
#include "proxy/socket.h"
#include "proxy/tls.h"
#include "proxy/worker.h"

struct proxy_request;

struct proxy_worker {
	struct proxy_options options;
	pthread_t thread;
	struct net_loop *loop;
	struct http_worker http;
	struct random random;
	struct snap_holds *holds;
	struct snap_matcher *matcher; /* for the patterns of routes */
	const struct snap_set *set; /* NULL: none yet */
	struct proxy_backends backends;
	struct proxy_tls *tls; /* NULL: no socket speaks it */
	struct proxy_request *free_requests;
	uint32_t free_request_count;
	struct proxy_log_port *log; /* NULL: off */
	int64_t wall_offset_ms; /* wall clock less the loop's */
	uint64_t wall_until_ms; /* look at the clock again then */
	struct net_timer drain_timer; /* is anything gone yet? */
	struct net_timer sweep_timer; /* backends that a set let go */

	/* From other threads. */
	_Atomic(const struct snap_set *) wanted;
	_Atomic uint64_t served;
	_Atomic bool stop, drain, idle;
	struct proxy_sockets *sockets;

	struct metrics metrics;
	struct proxy_counters counters;
	char scratch[LIMIT_VALUE_REQUEST_TARGET_BYTES];
};

extern const struct http_handler proxy_handler, proxy_secure_handler;

#endif
