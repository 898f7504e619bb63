/* HTTP/1 connections: what the server's and the client's side share. A
 * connection at rest is small; while it carries a message it holds a flow: the
 * stream it offers to an exchange, a head, the buffer it reads into and the one
 * it writes from. */
#ifndef YUMEN_HTTP_H1_PRIV_H
#define YUMEN_HTTP_H1_PRIV_H

#include "http/buffer.h"
#include "http/exchange.h"
#include "http/stream.h"
#include "net/stream.h"
#include "wire/chunk.h"
#include "wire/h1.h"

/* How a body is delimited, in either direction. */
enum h1_framing {
	H1_FRAMING_NONE, /* no body */
	H1_FRAMING_LENGTH, /* ->left bytes are to come */
	H1_FRAMING_CHUNKED,
	H1_FRAMING_UNTIL_CLOSE, /* also a tunnel */
};

/* What comes in. The buffer is cut, in this order, by
 *	floor	below it lie heads and trailers that somebody still reads
 *	body	decoded body that was not consumed, up to body_end
 *	next	bytes as they came, not looked at, up to end
 * Chunks are moved together as they are decoded, so that the body is one run.
 */
struct h1_input {
	struct http_buffer *buffer; /* NULL: nothing is held */
	uint32_t floor, body, body_end, next, end;
	uint8_t framing;
	bool trailing; /* after the last chunk: trailers are being read */
	bool complete; /* all of the message was decoded */
	bool greedy; /* the last read filled its buffer: read more at once */
	enum error error; /* to be told when the body before it was consumed */
	uint64_t left;
	struct wire_chunk chunk;
	struct wire_h1_parser parser; /* of the head, then of the trailers */
};

/* What goes out: heads, framing and small bodies are put together in the buffer
 * and leave in one write; large ones are written from where they lie. */
struct h1_output {
	struct http_buffer *buffer; /* NULL: nothing is pending */
	uint32_t start, end;
	uint8_t framing;
	bool ending; /* send_end was called */
	bool half_close; /* a tunnel: our end of it ends the socket's side */
	uint64_t left; /* of the body (LENGTH) or of the chunk that was begun */
};

struct h1_connection;
struct h1_flow {
	struct http_stream stream;
	struct h1_connection *connection;
	struct h1_input in;
	struct h1_output out;
	struct http_buffer *head_buffer; /* where ->head lies; counted */
	struct field *trailers; /* the table of stream.trailers, owned */
	enum method_id method; /* of the request */
	bool upgrade; /* the request asked for one */
	bool last; /* the connection serves no other message after this one */
	uint8_t interims;
	struct wire_head head; /* what came in; last, for its table */
};

/* Embedded first in struct http_server and struct http_client. */
struct h1_connection {
	struct net_stream socket;
	struct net_task task;
	struct http_worker *worker;
	struct h1_flow *flow; /* NULL: at rest */
	bool broken; /* an error was told: an end is no orderly end any more */
};

static inline struct h1_flow *
h1_flow_of(struct http_stream *stream)
{
	return container_of(stream, struct h1_flow, stream);
}

/* A flow for connection, at its first message; NULL ops: the caller's. */
struct h1_flow *h1_flow_take(
    struct h1_connection *connection, const struct http_stream_ops *ops);
/* Give back what the message held, but not bytes that came after it. The flow
 * is then ready for the next message, or to be given back. */
void h1_flow_reset(struct h1_flow *flow);
/* Give back the flow with all it holds. */
void h1_flow_give(struct h1_connection *connection);
/* A message that is cut short must not look whole: where only the end of the
 * connection delimits it, that is now a reset. */
void h1_flow_break(struct h1_flow *flow);
/* From now on both directions are raw (after 101). */
void h1_flow_tunnel(struct h1_flow *flow);

/* One read into the buffer, which is taken or made larger as needed. */
enum error h1_input_read(struct h1_flow *flow) must_check;
/* The bytes that were not looked at. */
struct slice h1_input_raw(const struct h1_input *in);
/* Count the limit that the peer has reached when reading gave error, if that is
 * one; the head, or the trailers, are what was not read yet. */
void h1_count_limit(struct h1_flow *flow, enum error error);
/* A head of length bytes stands at ->next: keep it, the body begins. */
void h1_input_begin(struct h1_flow *flow, size_t head_bytes);
/* As the stream's ops; shared by both sides. */
unsigned h1_peek(
    struct http_stream *stream, struct slice *slices, unsigned count);
void h1_consume(struct http_stream *stream, size_t length);
uint64_t h1_in_bytes(struct http_stream *stream, struct net_stream **socket);
void h1_in_done(struct http_stream *stream, uint64_t length, enum error error);
/* What is left of the body lies in the buffer: throw it away; false: not all
 * of it has come. */
bool h1_input_drop(struct h1_flow *flow);
/* Give the buffer back when nothing in it is wanted any more. */
void h1_input_rest(struct h1_flow *flow);

typedef size_t (*h1_write_fn)(char *out, size_t capacity,
    const struct wire_head *head, const struct wire_h1_framing *framing);
/* Put a head behind what is pending. */
enum error h1_output_head(struct h1_flow *flow, const struct wire_head *head,
    const struct wire_h1_framing *framing, h1_write_fn write) must_check;
size_t h1_send_body(
    struct http_stream *stream, const struct slice *slices, unsigned count);
enum error h1_send_end(
    struct http_stream *stream, const struct http_trailers *trailers);
void h1_flush(struct http_stream *stream);
uint64_t h1_out_bytes(struct http_stream *stream, struct net_stream **socket);
void h1_out_done(struct http_stream *stream, uint64_t length, enum error error);
static inline bool
h1_output_is_pending(const struct h1_output *out)
{
	return out->end > out->start;
}

extern const struct http_splice_ops h1_splice_ops;

void h1_servers_init(struct http_worker *worker);
void h1_servers_fini(struct http_worker *worker);
void h1_clients_init(struct http_worker *worker);
void h1_clients_fini(struct http_worker *worker);
/* The server connection that stream belongs to, NULL when it is none. */
struct http_server *h1_server_of(struct http_stream *stream);

#endif
