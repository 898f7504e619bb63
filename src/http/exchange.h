/* The exchange: one request and its response between a server stream (where the
 * request came from) and a client stream (where it is answered), whatever
 * codecs they speak. It moves bodies both ways with backpressure, passes 1xx
 * and trailers on, splices where both ends can, watches progress, and asks its
 * handler at each turning point. The handler decides; the exchange carries.
 *
 *	server codec ==request==> exchange ==request==> client codec
 *	server codec <=response== exchange <=response== client codec
 *
 * A local answer is the same: the client stream is then a message in memory
 * (http/message.h). */
#ifndef YUMEN_HTTP_EXCHANGE_H
#define YUMEN_HTTP_EXCHANGE_H

#include "core/arena.h"
#include "core/metric.h"
#include "http/buffer.h"
#include "http/stream.h"
#include "net/loop.h"

struct http_service;
struct net_address;

/* What all connections of one worker share: passed, never global. */
struct http_worker {
	struct net_loop *loop;
	struct http_buffers buffers;
	struct metrics *metrics;
	struct http_connection_pools *pools; /* private to the room */
	bool draining; /* answers say Connection: close */
};

enum error http_worker_init(struct http_worker *worker, struct net_loop *loop,
    struct metrics *metrics) must_check;
/* After all services were aborted and all clients closed. No callback comes. */
void http_worker_fini(struct http_worker *worker);
/* "Tue, 24 Nov 2026 04:05:06 GMT" (29 bytes), made once a second. */
const struct field *http_worker_date(struct http_worker *worker);

/* Called in this order; each may be called only as often as said. None of them
 * frees the exchange; it ends by itself after on_end. */
struct http_handler {
	/* The request head is complete, in exchange->request (hop-by-hop and
	 * framing fields are out). Once. The handler edits it in place, then
	 * calls http_exchange_forward, now or later, or http_exchange_answer.
	 */
	void (*on_request)(struct http_exchange *);
	/* A response head came in exchange->response, final or 1xx but 100 and
	 * 101: edit it in place. Returning false means: do not send it; a later
	 * http_exchange_forward or _answer replaces it (a final one). Not
	 * called for a local answer; it and on_failure may be NULL where
	 * nothing is forwarded. */
	bool (*on_response)(struct http_exchange *);
	/* The client stream failed before any of its final response was sent
	 * on: it was released. Call _forward again (only when
	 * exchange->replayable) or _answer. Once an attempt; exchange->failed
	 * tells about it. */
	void (*on_failure)(struct http_exchange *, enum error error);
	/* All was sent, or error says what broke. Last chance to read the
	 * exchange (both streams are released right after): log it. Once. */
	void (*on_end)(struct http_exchange *, enum error error);
	/* A peer sent something that is no request, or no whole head in time:
	 * it was answered with status (0: not at all) and will be closed. There
	 * is no exchange. May be NULL. */
	void (*on_refused)(const struct http_service *service,
	    const struct net_address *peer, enum error error, int status);
};

/* About an attempt that failed, for RFC 9110 9.2.2. */
struct http_attempt {
	bool reused; /* its connection had served a request before */
	bool fresh; /* not one byte of a response had come */
	bool sent; /* some of the request had been handed to the connection */
};

struct http_exchange {
	struct net_task task;
	struct http_worker *worker;
	const struct http_handler *handler;
	void *handler_context; /* of the connection: set with the handler */
	void *handler_state; /* of this exchange: the handler's own */
	struct http_stream *server; /* NULL once released */
	struct http_stream *client;
	struct wire_head *request; /* valid until on_end has returned */
	struct wire_head *response; /* of the last attempt, or local */
	struct arena arena; /* for this exchange; freed after on_end */
	uint64_t started_ms; /* the request head was complete */
	uint64_t request_body_bytes, response_body_bytes; /* passed on */
	uint16_t status; /* of the final response sent on, 0: none */
	bool replayable; /* all of the request so far is kept and can be resent
	                  */
	bool
	    response_started; /* final response bytes went to the server side */
	bool tunnel; /* 101 was passed on */
	struct http_attempt failed; /* the last one that failed */
	/* The rest is http/exchange.c's. */
	struct http_exchange_state {
		struct net_timer timer; /* paused rather than cleared */
		struct http_exchange *next_free;
		struct http_stream *next_client; /* given by _forward */
		struct http_buffer *replay; /* request body kept for a resend */
		uint32_t replay_bytes, replay_sent;
		struct http_pipe
		    *pipes[2]; /* of the request, of the response */
		uint32_t wait_ms; /* for the response head; 0: the limit's */
		uint32_t flags;
		uint8_t phase;
		uint8_t watch; /* what the timer is for */
		enum error end_error; /* of an abort or a refused body */
	} state;
};

/* Called by server codecs when a request head is complete: makes an exchange
 * and queues its run. NULL when the worker has no room: the codec answers 503
 * itself. */
struct http_exchange *http_exchange_new(struct http_worker *worker,
    const struct http_handler *handler, void *handler_context,
    struct http_stream *server);

/* Send the request, as it is now in exchange->request, to client (taken over).
 * Once an attempt; it starts soon, not within this call. wait_ms: how long the
 * response head may take after the request was sent, 0: LIMIT_RESPONSE_HEAD_MS.
 */
void http_exchange_forward(struct http_exchange *exchange,
    struct http_stream *client, uint32_t wait_ms);
/* Answer here: status, fields and body (copied). Content-Length and Date are
 * added. */
void http_exchange_answer(struct http_exchange *exchange, uint16_t status,
    const struct field *fields, unsigned field_count, struct slice body);
/* Wake from outside (a filter's wait is over). */
void http_exchange_wake(struct http_exchange *exchange);
/* Give up: on_end comes soon, both streams are released with error. */
void http_exchange_abort(struct http_exchange *exchange, enum error error);

#endif
