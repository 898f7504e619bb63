/* A stream: one request and its response on one connection, as a codec offers
 * it to an exchange. Each codec (HTTP/1 server and client, HTTP/2 later, a
 * message in memory, the toy of the tests) embeds one and fills the ops.
 *
 * What comes IN from the peer is pulled: the codec parses, sets the state and
 * wakes the exchange (http_stream_wake); the exchange peeks at body bytes where
 * they lie and says how many are done. Not pulling is the backpressure: a codec
 * reads no more than fits in its buffer. What goes OUT is pushed and taken only
 * as far as there is room; the codec wakes the exchange when there is room
 * again.
 *
 * A codec never calls its exchange but through http_stream_wake, which queues.
 */
#ifndef YUMEN_HTTP_STREAM_H
#define YUMEN_HTTP_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/error.h"
#include "core/slice.h"
#include "net/loop.h"
#include "wire/head.h"

struct http_exchange;
struct http_stream;

/* What has come in from the peer, in this order; FAILED from anywhere. */
enum http_in {
	HTTP_IN_WAIT, /* no head yet */
	HTTP_IN_INTERIM, /* a 1xx head is in ->head; http_stream take_interim */
	HTTP_IN_BODY, /* the head is in ->head; body may be peeked */
	HTTP_IN_END, /* all of the body was consumed; trailers are in. At once
	              * after WAIT when there is no body */
	HTTP_IN_FAILED, /* ->failure says why; nothing more comes */
};

/* A 101 makes a tunnel of both streams: what was at its END begins once more as
 * BODY, in both directions, raw until each side ends. */

enum http_out {
	HTTP_OUT_HEAD, /* nothing final was sent yet */
	HTTP_OUT_BODY,
	HTTP_OUT_END, /* send_end was called and the kernel has all of it */
	HTTP_OUT_FAILED,
};

struct http_trailers {
	struct field *fields;
	unsigned count;
};

struct http_stream_ops {
	const char *name;
	/* The interim head was dealt with; go on to the next one. */
	void (*take_interim)(struct http_stream *);
	/* Up to count slices of body that have come, in order; returns how
	 * many. They stay valid until consume. */
	unsigned (*peek)(
	    struct http_stream *, struct slice *slices, unsigned count);
	void (*consume)(struct http_stream *, size_t length);
	/* Send a head (interim when status is 1xx, which leaves HTTP_OUT_HEAD).
	 * The head is written out or copied before this returns. May wait with
	 * the system call for the body that follows, until flush. */
	enum error (*send_head)(struct http_stream *, struct wire_head *head);
	/* Send body; returns the bytes taken (0: no room now). Slices that were
	 * not taken whole stay the sender's. */
	size_t (*send_body)(
	    struct http_stream *, const struct slice *slices, unsigned count);
	/* The body is complete; trailers may be NULL. AGAIN: no room, call
	 * again.
	 * ->out is END when all has gone out (after flush, now or later). */
	enum error (*send_end)(
	    struct http_stream *, const struct http_trailers *trailers);
	/* Push out what send_* kept back. */
	void (*flush)(struct http_stream *);
	/* The exchange is done with the stream: the connection goes on to its
	 * next request, or ends when the message was not complete both ways or
	 * error is not OK (then as abruptly as the protocol needs to tell). The
	 * stream is the codec's again and must not be touched after. */
	void (*release)(struct http_stream *, enum error error);
	/* The plain socket behind it and how many body bytes it may move past
	 * the codec in this direction right now, nothing being buffered; 0:
	 * cannot. After the exchange moved some, it tells by spliced. NULL:
	 * never. */
	const struct http_splice_ops *splice;
};

struct net_stream;
struct http_splice_ops {
	uint64_t (*in_bytes)(struct http_stream *, struct net_stream **socket);
	void (*in_done)(
	    struct http_stream *, uint64_t length, enum error error);
	uint64_t (*out_bytes)(struct http_stream *, struct net_stream **socket);
	void (*out_done)(
	    struct http_stream *, uint64_t length, enum error error);
};

struct http_stream {
	const struct http_stream_ops *ops;
	struct http_exchange *exchange; /* NULL: nobody to wake */
	struct wire_head *head; /* what came in; see enum http_in */
	struct http_trailers trailers; /* valid at HTTP_IN_END */
	enum http_in in;
	enum http_out out;
	enum error failure; /* with HTTP_IN_FAILED or HTTP_OUT_FAILED */
	bool fresh; /* client streams: no response byte has come yet */
	bool reused; /* client streams: the connection served before */
	bool expects_continue; /* server streams: waits for 100 (Expect) */
	bool closing; /* server streams, set by the exchange or its handler
	               * before the head is sent: nothing more will be read */
};

/* The one way to change these: holds the legal moves. */
void http_stream_set_in(struct http_stream *stream, enum http_in in);
void http_stream_set_out(struct http_stream *stream, enum http_out out);
/* IN_FAILED, OUT_FAILED, for the first error that came. */
void http_stream_fail_in(struct http_stream *stream, enum error error);
void http_stream_fail_out(struct http_stream *stream, enum error error);

/* Queue a run of the exchange that owns the stream, if any. */
void http_stream_wake(struct http_stream *stream);

#endif
