/* What comes in on an HTTP/1 connection: reading into the buffer, and taking a
 * body out of it by its framing. The buffer is the bound: nothing is read that
 * does not fit, and nothing is read before it is asked for. */
#include "http/h1_priv.h"

#include "core/memory.h"
#include "core/must.h"

enum {
	READ_BYTES_MIN = 1024, /* a read into less is not worth its call */
	TRAILER_FIELDS_MAX = LIMIT_VALUE_REQUEST_FIELDS,
};

struct slice
h1_input_raw(const struct h1_input *in)
{
	if (!in->buffer)
		return SLICE_NONE;
	return slice_make(in->buffer->data + in->next, in->end - in->next);
}

static bool
wants_large(const struct h1_input *in)
{
	if (in->framing == H1_FRAMING_LENGTH)
		return in->left > HTTP_BUFFER_SMALL;
	return in->greedy;
}

/* Another buffer, with the body and the raw bytes of the old one. */
static void
move_to(struct h1_flow *flow, size_t capacity)
{
	struct h1_input *in = &flow->in;
	struct http_buffers *buffers = &flow->connection->worker->buffers;
	struct http_buffer *moved = http_buffer_take(buffers, capacity);
	uint32_t body_bytes = in->body_end - in->body;
	uint32_t raw_bytes = in->end - in->next;

	must(body_bytes + raw_bytes < capacity);
	memcpy(moved->data, in->buffer->data + in->body, body_bytes);
	memcpy(
	    moved->data + body_bytes, in->buffer->data + in->next, raw_bytes);
	http_buffer_unref(buffers, &in->buffer);
	in->buffer = moved;
	in->floor = in->body = 0;
	in->body_end = in->next = body_bytes;
	in->end = body_bytes + raw_bytes;
}

/* Close the gaps that consumed and decoded bytes have left. */
static void
close_gaps(struct h1_input *in)
{
	char *data = in->buffer->data;
	uint32_t body_bytes = in->body_end - in->body;
	uint32_t raw_bytes = in->end - in->next;
	uint32_t at = in->floor;

	if (body_bytes > 0 && in->body != at)
		memmove(data + at, data + in->body, body_bytes);
	in->body = at;
	in->body_end = at += body_bytes;
	if (raw_bytes > 0 && in->next != at)
		memmove(data + at, data + in->next, raw_bytes);
	in->next = at;
	in->end = at + raw_bytes;
}

/* make_room, in a buffer that is there. */
static set_apart bool
make_more_room(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;
	bool large = wants_large(in);
	uint32_t capacity = in->buffer->capacity;
	bool small = capacity == HTTP_BUFFER_SMALL;

	if (in->body == in->body_end && in->next == in->end)
		in->body = in->body_end = in->next = in->end = in->floor;
	if (capacity - in->end >= READ_BYTES_MIN && !(large && small))
		return true;
	close_gaps(in);
	if (large && small && in->end == in->floor)
		move_to(flow, HTTP_BUFFER_LARGE);
	else if (capacity - in->end < READ_BYTES_MIN &&
	    (small || in->floor > 0) && in->end - in->floor < HTTP_BUFFER_LARGE)
		move_to(flow, HTTP_BUFFER_LARGE);
	return in->end < in->buffer->capacity;
}

/* Room to read into; false when the buffer is full of what nobody has taken. */
static inline bool
make_room(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;

	if (in->buffer)
		return make_more_room(flow);
	in->buffer = http_buffer_take(&flow->connection->worker->buffers,
	    wants_large(in) ? HTTP_BUFFER_LARGE : HTTP_BUFFER_SMALL);
	in->floor = in->body = in->body_end = in->next = in->end = 0;
	return true;
}

/* The kernel tells an error once, then an end: to whoever asks first. */
static enum error
told(struct h1_connection *connection, enum error error)
{
	if (error == ERROR_CLOSED && connection->broken)
		return ERROR_RESET;
	if (error != ERROR_CLOSED && error != ERROR_AGAIN)
		connection->broken = true;
	return error;
}

/* A read has given nothing but this error. */
static set_apart enum error
end_read(struct h1_flow *flow, enum error error)
{
	h1_input_rest(flow);
	return told(flow->connection, error);
}

enum error
h1_input_read(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;
	size_t length;

	if (!make_room(flow))
		return ERROR_AGAIN;
	size_t room = in->buffer->capacity - in->end;
	enum error error = net_stream_read(&flow->connection->socket,
	    in->buffer->data + in->end, room, &length);

	if (unlikely(error != ERROR_OK))
		return end_read(flow, error);
	must(length > 0 && length <= room);
	in->end += (uint32_t)length;
	in->greedy = length == room;
	return ERROR_OK;
}

void
h1_input_rest(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;

	if (in->buffer && in->buffer != flow->head_buffer && in->floor == 0 &&
	    in->body == in->body_end && in->next == in->end && !in->trailing) {
		http_buffer_unref(
		    &flow->connection->worker->buffers, &in->buffer);
		in->body = in->body_end = in->next = in->end = 0;
	}
}

static enum h1_framing
framing_of(const struct wire_head *head)
{
	switch (head->body) {
	case HEAD_BODY_NONE:
		return H1_FRAMING_NONE;
	case HEAD_BODY_LENGTH:
		return H1_FRAMING_LENGTH;
	case HEAD_BODY_UNTIL_END:
		return head->chunked ? H1_FRAMING_CHUNKED
		                     : H1_FRAMING_UNTIL_CLOSE;
	case HEAD_BODY_TUNNEL:
		break;
	}
	return H1_FRAMING_UNTIL_CLOSE;
}

void
h1_input_begin(struct h1_flow *flow, size_t head_bytes)
{
	struct h1_input *in = &flow->in;

	must(head_bytes <= in->end - in->next);
	if (!flow->head_buffer)
		flow->head_buffer = http_buffer_ref(in->buffer);
	must(flow->head_buffer == in->buffer);
	in->next += (uint32_t)head_bytes;
	in->floor = in->body = in->body_end = in->next;
	in->framing = framing_of(&flow->head);
	in->left = flow->head.content_length;
	in->complete = in->framing == H1_FRAMING_NONE;
	if (in->framing == H1_FRAMING_CHUNKED)
		wire_chunk_init(&in->chunk);
	http_stream_set_in(
	    &flow->stream, in->complete ? HTTP_IN_END : HTTP_IN_BODY);
}

/* count raw bytes, which begin at ->next, are body. */
static void
take_run(struct h1_input *in, uint32_t skip, uint32_t count)
{
	if (in->body == in->body_end)
		in->body = in->body_end = in->next + skip;
	else if (in->body_end != in->next + skip)
		memmove(in->buffer->data + in->body_end,
		    in->buffer->data + in->next + skip, count);
	in->body_end += count;
	in->next += skip + count;
}

static enum limit
limit_of_head(size_t bytes, bool is_request)
{
	if (is_request)
		return bytes >= LIMIT_VALUE_REQUEST_HEAD_BYTES
		    ? LIMIT_REQUEST_HEAD_BYTES
		    : LIMIT_REQUEST_FIELDS;
	return bytes >= LIMIT_VALUE_RESPONSE_HEAD_BYTES
	    ? LIMIT_RESPONSE_HEAD_BYTES
	    : LIMIT_RESPONSE_FIELDS;
}

void
h1_count_limit(struct h1_flow *flow, enum error error)
{
	struct metrics *metrics = flow->connection->worker->metrics;
	bool is_request = h1_server_of(&flow->stream) != NULL;

	switch (error) {
	case ERROR_HTTP_HEAD_TOO_LARGE:
		limit_hit(metrics,
		    limit_of_head(h1_input_raw(&flow->in).length, is_request));
		break;
	case ERROR_HTTP_TARGET_TOO_LONG:
		limit_hit(metrics, LIMIT_REQUEST_TARGET_BYTES);
		break;
	case ERROR_HTTP_TOO_MANY_LINES:
		limit_hit(metrics, LIMIT_PIPELINED_EMPTY_LINES);
		break;
	case ERROR_HTTP_TOO_MANY_OPTIONS:
		limit_hit(metrics, LIMIT_CONNECTION_OPTIONS);
		break;
	case ERROR_HTTP_CHUNK_LINE_TOO_LONG:
		limit_hit(metrics, LIMIT_CHUNK_LINE_BYTES);
		break;
	case ERROR_HTTP_TRAILERS_TOO_LARGE:
		limit_hit(metrics, LIMIT_TRAILER_BYTES);
		break;
	default:
		break;
	}
}

static void
fail_body(struct h1_flow *flow, enum error error)
{
	flow->in.error = error;
	h1_count_limit(flow, error);
}

static void
decode_trailers(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;
	struct http_trailers *trailers = &flow->stream.trailers;

	if (!flow->trailers) {
		flow->trailers =
		    memory_alloc(TRAILER_FIELDS_MAX * sizeof(*flow->trailers));
		trailers->fields = flow->trailers;
	}
	trailers->count = 0;
	ssize_t used = wire_h1_trailers_feed(&in->parser, h1_input_raw(in),
	    flow->trailers, TRAILER_FIELDS_MAX, &trailers->count);
	if (used < 0) {
		fail_body(flow, (enum error) - used);
	} else if (used > 0) {
		in->next += (uint32_t)used;
		in->complete = true;
	}
}

static __attribute__((noinline)) void
decode_chunks(struct h1_flow *flow)
{
	static const struct wire_h1_limits limits = {
	    .head_bytes = LIMIT_VALUE_TRAILER_BYTES,
	    .target_bytes = 0,
	    .fields = TRAILER_FIELDS_MAX,
	};
	struct h1_input *in = &flow->in;

	while (in->next < in->end && !in->trailing) {
		struct slice data = SLICE_NONE;
		ssize_t used =
		    wire_chunk_feed(&in->chunk, h1_input_raw(in), &data);
		if (used < 0) {
			fail_body(flow, (enum error) - used);
			return;
		}
		take_run(in, (uint32_t)(used - (ssize_t)data.length),
		    (uint32_t)data.length);
		if (wire_chunk_is_last(&in->chunk)) {
			in->trailing = true;
			wire_h1_parser_init(&in->parser, &limits);
		} else if (used == 0) {
			return;
		}
	}
	if (in->trailing)
		decode_trailers(flow);
}

/* Turn raw bytes into body, as far as they go. */
static void
decode(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;
	uint32_t raw_bytes = in->end - in->next;

	if (raw_bytes == 0 || in->complete || in->error != ERROR_OK)
		return;
	switch (in->framing) {
	case H1_FRAMING_LENGTH:
		if (raw_bytes > in->left)
			raw_bytes = (uint32_t)in->left;
		take_run(in, 0, raw_bytes);
		in->left -= raw_bytes;
		in->complete = in->left == 0;
		break;
	case H1_FRAMING_CHUNKED:
		decode_chunks(flow);
		break;
	case H1_FRAMING_UNTIL_CLOSE:
		take_run(in, 0, raw_bytes);
		break;
	default:
		must(false);
	}
}

/* The socket has ended or broken. */
static void
note_end(struct h1_input *in, enum error error)
{
	if (error != ERROR_CLOSED)
		in->error = error;
	else if (in->framing == H1_FRAMING_UNTIL_CLOSE)
		in->complete = true;
	else
		in->error = ERROR_HTTP_BODY_INCOMPLETE;
}

/* Tell the state when the body before it was consumed. */
static void
settle(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;

	if (in->body != in->body_end || flow->stream.in != HTTP_IN_BODY)
		return;
	if (in->complete)
		http_stream_set_in(&flow->stream, HTTP_IN_END);
	else if (in->error != ERROR_OK)
		http_stream_fail_in(&flow->stream, in->error);
}

/* Read until there is body, or no more for now. Each read brings a byte at
 * least, and framing between two bytes of body is bounded by its own limits. */
static __attribute__((noinline)) void
read_body(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;
	struct net_stream *socket = &flow->connection->socket;

	while (in->body == in->body_end && !in->complete &&
	    in->error == ERROR_OK && socket->readable) {
		enum error error = h1_input_read(flow);

		if (error == ERROR_OK)
			decode(flow);
		else if (error == ERROR_AGAIN)
			break;
		else
			note_end(in, error);
	}
}

unsigned
h1_peek(struct http_stream *stream, struct slice *slices, unsigned count)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct h1_input *in = &flow->in;

	must(count > 0);
	if (stream->in != HTTP_IN_BODY)
		return 0;
	if (in->body == in->body_end)
		decode(flow);
	if (in->body == in->body_end)
		read_body(flow);
	if (in->body == in->body_end) {
		settle(flow);
		h1_input_rest(flow);
		return 0;
	}
	slices[0] =
	    slice_make(in->buffer->data + in->body, in->body_end - in->body);
	return 1;
}

void
h1_consume(struct http_stream *stream, size_t length)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct h1_input *in = &flow->in;

	must(length <= in->body_end - in->body);
	in->body += (uint32_t)length;
	if (in->body == in->body_end)
		settle(flow);
}

bool
h1_input_drop(struct h1_flow *flow)
{
	struct h1_input *in = &flow->in;

	if (flow->stream.in != HTTP_IN_BODY)
		return flow->stream.in == HTTP_IN_END;
	in->body = in->body_end;
	decode(flow);
	in->body = in->body_end;
	settle(flow);
	return flow->stream.in == HTTP_IN_END;
}

uint64_t
h1_in_bytes(struct http_stream *stream, struct net_stream **socket)
{
	struct h1_flow *flow = h1_flow_of(stream);
	const struct h1_input *in = &flow->in;

	*socket = &flow->connection->socket;
	if (stream->in != HTTP_IN_BODY || in->body != in->body_end ||
	    in->next != in->end || in->complete || in->error != ERROR_OK ||
	    !net_stream_can_splice(*socket))
		return 0;
	switch (in->framing) {
	case H1_FRAMING_LENGTH:
		return in->left;
	case H1_FRAMING_UNTIL_CLOSE:
		/* A tunnel of small messages is better copied. */
		return in->greedy ? UINT64_MAX : 0;
	default:
		return 0;
	}
}

void
h1_in_done(struct http_stream *stream, uint64_t length, enum error error)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct h1_input *in = &flow->in;

	if (in->framing == H1_FRAMING_LENGTH) {
		must(length <= in->left);
		in->left -= length;
		in->complete = in->left == 0;
	}
	if (error == ERROR_AGAIN)
		in->greedy = false;
	h1_input_rest(flow);
	if (!in->complete && error != ERROR_OK && error != ERROR_AGAIN)
		note_end(in, told(flow->connection, error));
	settle(flow);
}
