/* The pumps: bodies from one stream to the other, in both directions alike.
 * What one side has and the other does not take stays where it lies, so memory
 * is bounded by the codecs' buffers. Long bodies between plain sockets go
 * through a pipe in the kernel. */
#include "http/exchange_priv.h"

#include "core/must.h"
#include "http/message.h"
#include "http/worker_priv.h"
#include "net/stream.h"

enum { SLICES_MAX = 8 };

struct way {
	struct http_exchange *exchange;
	struct http_stream *from, *to;
	struct http_pipe **pipe;
	uint64_t *bytes; /* counted */
	uint64_t turn_bytes; /* moved in this turn */
};

static inline struct way
way_of(struct http_exchange *exchange, enum exchange_way which)
{
	bool request = which == EXCHANGE_REQUEST_WAY;

	return (struct way){
	    .exchange = exchange,
	    .from = request ? exchange->server : exchange->client,
	    .to = request ? exchange->client : exchange->server,
	    .pipe = &exchange->state.pipes[which],
	    .bytes = request ? &exchange->request_body_bytes
	                     : &exchange->response_body_bytes,
	};
}

static inline bool
pipe_is_empty(const struct way *way)
{
	return !*way->pipe || (*way->pipe)->bytes == 0;
}

static inline void
moved(struct way *way, uint64_t bytes)
{
	*way->bytes += bytes;
	way->turn_bytes += bytes;
	way->exchange->state.flags |= EXCHANGE_PROGRESS;
}

static inline bool
has_had_its_turn(struct way *way)
{
	if (likely(way->turn_bytes < LIMIT_VALUE_BODY_BYTES_PER_TURN))
		return false;
	way->exchange->state.flags |= EXCHANGE_YIELD;
	return true;
}

void
http_exchange_drop_replay(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;

	if (state->replay)
		http_buffer_unref(&exchange->worker->buffers, &state->replay);
	state->replay_bytes = state->replay_sent = 0;
}

/* Some of the request is gone once it is sent. */
static void
keep_no_more(struct http_exchange *exchange)
{
	if (!exchange->replayable)
		return;
	limit_hit(exchange->worker->metrics, LIMIT_REPLAY_BYTES);
	exchange->replayable = false;
	http_exchange_drop_replay(exchange);
}

/* Keep what is about to be sent, as long as all of it can be kept. */
static void
keep(struct http_exchange *exchange, const struct slice *slices, size_t length)
{
	struct http_exchange_state *state = &exchange->state;

	if (!exchange->replayable)
		return;
	if (state->replay_bytes + length > LIMIT_VALUE_REPLAY_BYTES) {
		keep_no_more(exchange);
		return;
	}
	if (!state->replay) {
		const struct wire_head *head = exchange->request;
		bool small = head->body == HEAD_BODY_LENGTH &&
		    head->content_length <= HTTP_BUFFER_SMALL;

		state->replay = http_buffer_take(&exchange->worker->buffers,
		    small ? HTTP_BUFFER_SMALL : HTTP_BUFFER_LARGE);
	}
	for (; length > 0; slices++) {
		size_t part = slices->length < length ? slices->length : length;

		memcpy(state->replay->data + state->replay_bytes, slices->data,
		    part);
		state->replay_bytes += (uint32_t)part;
		length -= part;
	}
	state->replay_sent = state->replay_bytes;
}

/* Send again what an earlier attempt has sent; false: not all of it yet. */
static bool
resend(struct http_exchange *exchange)
{
	struct http_exchange_state *state = &exchange->state;
	struct http_stream *to = exchange->client;

	while (state->replay_sent < state->replay_bytes) {
		struct slice left =
		    slice_make(state->replay->data + state->replay_sent,
		        state->replay_bytes - state->replay_sent);
		size_t taken = to->ops->send_body(to, &left, 1);

		if (taken == 0)
			return false;
		state->replay_sent += (uint32_t)taken;
		state->flags |= EXCHANGE_PROGRESS;
	}
	return true;
}

/* What is in the pipe goes on; true when it is empty. */
static bool
empty_pipe(struct way *way, struct net_stream *out_socket)
{
	struct http_pipe *pipe = *way->pipe;

	while (pipe->bytes > 0 && out_socket->writable) {
		size_t length;
		enum error error = net_stream_splice_out(
		    out_socket, pipe->read_fd, pipe->bytes, &length);

		pipe->bytes -= (uint32_t)length;
		way->to->ops->splice->out_done(way->to, length, error);
		if (error != ERROR_OK)
			break;
		way->exchange->state.flags |= EXCHANGE_PROGRESS;
	}
	return pipe->bytes == 0;
}

/* The most that may go through a pipe now; 0: not worth it or not possible. */
static uint64_t
splice_bytes(struct way *way, struct net_stream **in, struct net_stream **out)
{
	const struct http_splice_ops *from = way->from->ops->splice;
	const struct http_splice_ops *to = way->to->ops->splice;

	if (!from || !to)
		return 0;
	uint64_t bytes = from->in_bytes(way->from, in);
	/* Once a pipe is there, the rest goes the same way. */
	if (bytes == 0 || (bytes < LIMIT_VALUE_SPLICE_BYTES && !*way->pipe))
		return 0;
	uint64_t room = to->out_bytes(way->to, out);

	return room < bytes ? room : bytes;
}

/* Splice until one side has no more to give or to take. False: this body, or
 * what is left of it, has to be copied. */
static bool
splice(struct way *way)
{
	struct http_exchange *exchange = way->exchange;
	struct net_stream *in, *out;

	if (*way->pipe && (*way->pipe)->bytes > 0) {
		(void)way->to->ops->splice->out_bytes(way->to, &out);
		if (!empty_pipe(way, out))
			return true;
	}
	for (;;) {
		uint64_t bytes = splice_bytes(way, &in, &out);

		if (bytes == 0)
			return false;
		if (!in->readable || has_had_its_turn(way))
			return true;
		if (!*way->pipe &&
		    !(*way->pipe = http_pipe_take(exchange->worker)))
			return false;
		struct http_pipe *pipe = *way->pipe;
		size_t length;
		enum error error = net_stream_splice_in(in, pipe->write_fd,
		    bytes < pipe->capacity ? (size_t)bytes : pipe->capacity,
		    &length);

		pipe->bytes += (uint32_t)length;
		way->from->ops->splice->in_done(way->from, length, error);
		if (error != ERROR_OK)
			return true;
		if (way->from == exchange->server)
			keep_no_more(exchange);
		moved(way, length);
		metric_add(
		    exchange->worker->metrics, METRIC_SPLICED_BYTES, length);
		if (!empty_pipe(way, out))
			return true;
	}
}

/* May this way splice at all? A request's body only when it is too long to be
 * kept for a second attempt. */
static bool
may_splice(const struct way *way)
{
	const struct http_exchange *exchange = way->exchange;

	if (*way->pipe)
		return true;
	if (way->from == exchange->client || exchange->tunnel)
		return true;
	return !exchange->replayable ||
	    (exchange->request->body == HEAD_BODY_LENGTH &&
	        exchange->request->content_length > LIMIT_VALUE_REPLAY_BYTES);
}

/* Move body until one side stops. */
static void
pump(struct way *way)
{
	struct http_stream *from = way->from, *to = way->to;
	struct slice slices[SLICES_MAX];
	bool keeps = from == way->exchange->server && !http_message_is(to);

	if (from->in != HTTP_IN_BODY && pipe_is_empty(way))
		return;
	while (to->out == HTTP_OUT_BODY && !has_had_its_turn(way)) {
		if (from->ops->splice && may_splice(way) && splice(way))
			break;
		unsigned count = from->ops->peek(from, slices, SLICES_MAX);
		if (count == 0)
			break;
		size_t taken = to->ops->send_body(to, slices, count);
		if (taken == 0)
			break;
		if (keeps)
			keep(way->exchange, slices, taken);
		from->ops->consume(from, taken);
		moved(way, taken);
	}
	/* Others may use it while nothing comes. */
	if (*way->pipe && pipe_is_empty(way))
		http_pipe_give(way->exchange->worker, way->pipe);
}

/* The message's end, once all before it was handed over. */
static void
pump_end(struct way *way, enum exchange_flag ended, bool trailers)
{
	struct http_stream *from = way->from, *to = way->to;

	if (from->in != HTTP_IN_END || !pipe_is_empty(way))
		return;
	if (to->out == HTTP_OUT_FAILED)
		return;
	const struct http_trailers *told =
	    trailers && from->trailers.count > 0 ? &from->trailers : NULL;
	if (to->ops->send_end(to, told) != ERROR_OK)
		return; /* no room yet, or it has failed */
	way->exchange->state.flags |= ended | EXCHANGE_PROGRESS;
}

/* RFC 9110 10.1.1: nothing is asked of a client that waits for 100, unless it
 * did not wait. */
static bool
may_pull(struct http_exchange *exchange)
{
	struct http_stream *server = exchange->server;
	struct slice slice;

	return !server->expects_continue ||
	    (exchange->state.flags & EXCHANGE_MAY_PULL) ||
	    server->in != HTTP_IN_BODY ||
	    server->ops->peek(server, &slice, 1) > 0;
}

static void
pump_request(struct http_exchange *exchange)
{
	struct way way = way_of(exchange, EXCHANGE_REQUEST_WAY);

	if (resend(exchange) && may_pull(exchange)) {
		pump(&way);
		pump_end(&way, EXCHANGE_REQUEST_ENDED, true);
	}
}

void
http_exchange_pump_request(struct http_exchange *exchange)
{
	struct http_stream *client = exchange->client;

	if (!(exchange->state.flags &
	        (EXCHANGE_REQUEST_ENDED | EXCHANGE_REFUSING)))
		pump_request(exchange);
	if (client->out != HTTP_OUT_END)
		client->ops->flush(client);
}

static void
pump_response(struct http_exchange *exchange)
{
	struct way way = way_of(exchange, EXCHANGE_RESPONSE_WAY);

	pump(&way);
	pump_end(&way, EXCHANGE_RESPONSE_ENDED, exchange->request->te_trailers);
}

void
http_exchange_pump_response(struct http_exchange *exchange)
{
	struct http_stream *server = exchange->server;

	if (!(exchange->state.flags & EXCHANGE_RESPONSE_ENDED))
		pump_response(exchange);
	if (server->out != HTTP_OUT_END)
		server->ops->flush(server);
}
