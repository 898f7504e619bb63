/* The exchange's inside: phases, flags, steps, and the pumps that move bodies.
 */
#ifndef YUMEN_HTTP_EXCHANGE_PRIV_H
#define YUMEN_HTTP_EXCHANGE_PRIV_H

#include "http/exchange.h"

enum exchange_phase {
	EXCHANGE_NEW, /* the handler has not seen the request */
	EXCHANGE_DECIDING, /* its forward or answer is awaited */
	EXCHANGE_ATTEMPT, /* the request goes out, no final response came */
	EXCHANGE_RESPONSE, /* the final head was sent on */
	EXCHANGE_TUNNEL,
	EXCHANGE_ENDED,
};

enum exchange_flag {
	EXCHANGE_RUNNING = 1, /* its run is on the stack */
	EXCHANGE_ABORTED = 2, /* state.abort_error is set */
	EXCHANGE_EXPIRED = 4, /* the deadline has passed */
	EXCHANGE_REQUEST_ENDED = 8, /* send_end of the request */
	EXCHANGE_RESPONSE_ENDED = 16,
	EXCHANGE_MAY_PULL = 32, /* the client was told to send its body */
	EXCHANGE_REFUSING = 64, /* the request's body is broken: answering */
	EXCHANGE_PROGRESS =
	    128, /* something moved since the deadline was set */
	EXCHANGE_YIELD = 256, /* enough for this turn */
};

enum exchange_way { EXCHANGE_REQUEST_WAY, EXCHANGE_RESPONSE_WAY };

/* What the timer is for. */
enum exchange_watch {
	EXCHANGE_WATCH_NOTHING,
	EXCHANGE_WATCH_CONTINUE, /* for an answer to Expect: 100-continue */
	EXCHANGE_WATCH_HEAD, /* for the response's head */
	EXCHANGE_WATCH_PROGRESS, /* for a body to move */
	EXCHANGE_WATCH_TUNNEL,
};

/* Its task and its timer: exchange_step.c. */
void http_exchange_run(struct net_task *task);
void http_exchange_expire(struct net_timer *timer);
/* The one way from a phase to the next. */
void http_exchange_set_phase(
    struct http_exchange *exchange, enum exchange_phase phase);
static inline void
http_stream_release(struct http_stream *stream, enum error error)
{
	stream->ops->release(stream, error);
}

/* Make it end at once, from the top of the stack alone. */
void http_exchange_finish(struct http_exchange *exchange, enum error error);

/* Move what can be moved of the request's, of the response's body, its end
 * included. They set PROGRESS and YIELD. */
void http_exchange_pump_request(struct http_exchange *exchange);
void http_exchange_pump_response(struct http_exchange *exchange);
/* Nothing needs to be kept any more. */
void http_exchange_drop_replay(struct http_exchange *exchange);

#endif
