/* What goes out on an HTTP/1 connection. Heads, chunk lines and small bodies
 * gather in one buffer and leave in one write; a large body leaves from where
 * it lies, together with what is pending. Nothing is kept beyond the buffer: a
 * socket that does not take more stops whoever sends. */
#include "http/h1_priv.h"

#include "core/must.h"

enum {
	SLICES_MAX = 14, /* of body in one write */
	COPY_BYTES_MAX = 2048, /* a copy costs less than another part */
};

static inline uint32_t
pending_bytes(const struct h1_output *out)
{
	return out->end - out->start;
}

static char *
take_buffer(struct h1_flow *flow, size_t bytes)
{
	struct h1_output *out = &flow->out;

	out->buffer = http_buffer_take(&flow->connection->worker->buffers,
	    likely(bytes <= HTTP_BUFFER_SMALL) ? HTTP_BUFFER_SMALL
	                                       : HTTP_BUFFER_LARGE);
	out->start = out->end = 0;
	return out->buffer->data;
}

/* reserve, where the buffer has not room behind what is pending. */
static set_apart char *
reserve_anew(struct h1_flow *flow, size_t bytes)
{
	struct h1_output *out = &flow->out;
	struct http_buffers *buffers = &flow->connection->worker->buffers;
	uint32_t pending = pending_bytes(out);

	if (out->buffer->capacity - pending >= bytes) {
		memmove(
		    out->buffer->data, out->buffer->data + out->start, pending);
	} else {
		if (HTTP_BUFFER_LARGE - pending < bytes)
			return NULL;
		struct http_buffer *larger =
		    http_buffer_take(buffers, HTTP_BUFFER_LARGE);

		memcpy(larger->data, out->buffer->data + out->start, pending);
		http_buffer_unref(buffers, &out->buffer);
		out->buffer = larger;
	}
	out->start = 0;
	out->end = pending;
	return out->buffer->data + out->end;
}

/* Room for bytes behind what is pending; NULL: not even in a large buffer. */
static inline char *
reserve(struct h1_flow *flow, size_t bytes)
{
	struct h1_output *out = &flow->out;

	if (!out->buffer)
		return likely(bytes <= HTTP_BUFFER_LARGE)
		    ? take_buffer(flow, bytes)
		    : NULL;
	if (likely(out->buffer->capacity - out->end >= bytes))
		return out->buffer->data + out->end;
	return reserve_anew(flow, bytes);
}

/* Room that is there already or costs one small buffer. */
static size_t
room_now(const struct h1_output *out)
{
	return out->buffer ? out->buffer->capacity - out->end
	                   : HTTP_BUFFER_SMALL;
}

static void
push(struct h1_flow *flow, struct slice s)
{
	char *at = reserve(flow, s.length);

	must(at);
	memcpy(at, s.data, s.length);
	flow->out.end += (uint32_t)s.length;
}

enum error
h1_output_head(struct h1_flow *flow, const struct wire_head *head,
    const struct wire_h1_framing *framing, h1_write_fn write)
{
	struct h1_output *out = &flow->out;
	char *at = reserve(flow, 1);

	if (unlikely(!at)) /* of heads that nobody takes */
		return ERROR_HTTP_HEAD_TOO_LARGE;
	size_t length =
	    write(at, out->buffer->capacity - out->end, head, framing);

	if (unlikely(length == 0)) {
		size_t most = HTTP_BUFFER_LARGE - pending_bytes(out);

		at = reserve(flow, most);
		length = write(at, most, head, framing);
		if (length == 0)
			return ERROR_HTTP_HEAD_TOO_LARGE;
	}
	out->end += (uint32_t)length;
	return ERROR_OK;
}

static void
break_off(struct h1_flow *flow, enum error error)
{
	flow->connection->broken = true;
	http_stream_fail_out(&flow->stream, error);
}

/* One write of what is pending and of parts that lie elsewhere, in parts[1..].
 * Returns how many bytes of the latter were taken. */
static size_t
write_parts(struct h1_flow *flow, struct iovec *parts, unsigned count)
{
	struct h1_output *out = &flow->out;
	uint32_t pending = pending_bytes(out);
	unsigned first = 1;
	size_t written = 0;

	if (pending > 0) {
		parts[0].iov_base = out->buffer->data + out->start;
		parts[0].iov_len = pending;
		first = 0;
	}
	enum error error = net_stream_write(
	    &flow->connection->socket, parts + first, count - first, &written);
	if (error != ERROR_OK) {
		if (error != ERROR_AGAIN)
			break_off(flow, error);
		return 0;
	}
	if (written < pending) {
		out->start += (uint32_t)written;
		return 0;
	}
	out->start = out->end = 0;
	return written - pending;
}

/* Begin a chunk of length bytes; false: no room for its line now. */
static __attribute__((noinline)) bool
open_chunk(struct h1_flow *flow, size_t length)
{
	char line[18];
	unsigned line_bytes = wire_chunk_line(line, length);

	/* Its line, some data and the CRLF after it. */
	if (room_now(&flow->out) < line_bytes + 64)
		h1_flush(&flow->stream);
	if (room_now(&flow->out) < line_bytes + 64)
		return false;
	push(flow, slice_make(line, line_bytes));
	flow->out.left = length;
	return true;
}

/* Copy the first length bytes of slices behind what is pending. */
static size_t
copy_slices(struct h1_flow *flow, const struct slice *slices, size_t length)
{
	size_t left = length;

	for (; left > 0; slices++) {
		size_t part = slices->length < left ? slices->length : left;

		push(flow, slice_make(slices->data, part));
		left -= part;
	}
	return length;
}

/* Write the first length bytes of slices from where they lie; *tail follows
 * them when they all went. Returns how many went. */
static __attribute__((noinline)) size_t
write_slices(struct h1_flow *flow, const struct slice *slices, unsigned count,
    size_t length, struct slice *tail)
{
	struct iovec parts[2 + SLICES_MAX];
	size_t left = length;
	unsigned used = 1;

	for (unsigned i = 0; i < count && left > 0; i++) {
		if (used == 1 + SLICES_MAX) {
			tail->length = 0; /* not all of it this time */
			break;
		}
		size_t part = slices[i].length < left ? slices[i].length : left;
		parts[used].iov_base = (void *)(uintptr_t)slices[i].data;
		parts[used++].iov_len = part;
		left -= part;
	}
	if (tail->length > 0) {
		parts[used].iov_base = (void *)(uintptr_t)tail->data;
		parts[used++].iov_len = tail->length;
	}
	size_t written = write_parts(flow, parts, used);
	if (written <= length)
		return written;
	*tail = slice_skip(*tail, written - length);
	return length;
}

/* How much of length may go now by the framing, a chunk being begun for it. */
static size_t
allowed_bytes(struct h1_flow *flow, size_t length)
{
	struct h1_output *out = &flow->out;

	switch (out->framing) {
	case H1_FRAMING_UNTIL_CLOSE:
		return length;
	case H1_FRAMING_CHUNKED:
		if (out->left == 0 && !open_chunk(flow, length))
			return 0;
		break;
	default:
		if (out->left == 0) { /* more than the head has told */
			http_stream_fail_out(
			    &flow->stream, ERROR_HTTP_BAD_CONTENT_LENGTH);
			return 0;
		}
	}
	return length < out->left ? length : (size_t)out->left;
}

size_t
h1_send_body(
    struct http_stream *stream, const struct slice *slices, unsigned count)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct h1_output *out = &flow->out;
	struct slice tail = SLICE_NONE;
	size_t length = 0, taken = 0;

	for (unsigned i = 0; i < count; i++)
		length += slices[i].length;
	if (stream->out != HTTP_OUT_BODY || out->ending || length == 0)
		return 0;
	length = allowed_bytes(flow, length);
	if (length == 0)
		return 0;
	bool chunked = out->framing == H1_FRAMING_CHUNKED;
	if (chunked && length == out->left)
		tail = SLICE("\r\n");
	if (length + tail.length <= room_now(out) &&
	    (h1_output_is_pending(out) || length <= COPY_BYTES_MAX))
		taken = copy_slices(flow, slices, length);
	else if (flow->connection->socket.writable)
		taken = write_slices(flow, slices, count, length, &tail);
	if (out->framing != H1_FRAMING_UNTIL_CLOSE)
		out->left -= taken;
	if (chunked && taken == length && out->left == 0 && tail.length > 0)
		push(flow, tail);
	return taken;
}

static size_t
end_bytes(const struct http_trailers *trailers)
{
	size_t bytes = sizeof("0\r\n\r\n") - 1;

	for (unsigned i = 0; trailers && i < trailers->count; i++)
		bytes += trailers->fields[i].name_length +
		    trailers->fields[i].value_length + sizeof(": \r\n") - 1;
	return bytes;
}

enum error
h1_send_end(struct http_stream *stream, const struct http_trailers *trailers)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct h1_output *out = &flow->out;

	must(!out->ending);
	if (stream->out != HTTP_OUT_BODY)
		return ERROR_OK; /* it has failed */
	if (out->framing != H1_FRAMING_UNTIL_CLOSE && out->left > 0) {
		http_stream_fail_out(stream, ERROR_HTTP_BODY_INCOMPLETE);
		return ERROR_HTTP_BODY_INCOMPLETE;
	}
	if (out->framing == H1_FRAMING_CHUNKED) {
		if (!reserve(flow, end_bytes(trailers)))
			return ERROR_AGAIN;
		push(flow, SLICE("0\r\n"));
		for (unsigned i = 0; trailers && i < trailers->count; i++) {
			const struct field *field = &trailers->fields[i];

			push(flow, field_name(field));
			push(flow, SLICE(": "));
			push(flow, field_value(field));
			push(flow, SLICE("\r\n"));
		}
		push(flow, SLICE("\r\n"));
	}
	out->ending = true;
	return ERROR_OK;
}

/* All went out that was pending. */
static void
drained(struct h1_flow *flow)
{
	struct h1_output *out = &flow->out;

	if (out->buffer)
		http_buffer_unref(
		    &flow->connection->worker->buffers, &out->buffer);
	out->start = out->end = 0;
	if (!out->ending || flow->stream.out != HTTP_OUT_BODY)
		return;
	http_stream_set_out(&flow->stream, HTTP_OUT_END);
	if (out->half_close &&
	    net_stream_shutdown(&flow->connection->socket) != ERROR_OK)
		break_off(flow, ERROR_RESET);
}

void
h1_flush(struct http_stream *stream)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct iovec parts[1];

	if (h1_output_is_pending(&flow->out)) {
		if (stream->out == HTTP_OUT_FAILED ||
		    !flow->connection->socket.writable)
			return;
		write_parts(flow, parts, 1);
	}
	if (!h1_output_is_pending(&flow->out))
		drained(flow);
}

uint64_t
h1_out_bytes(struct http_stream *stream, struct net_stream **socket)
{
	struct h1_flow *flow = h1_flow_of(stream);
	const struct h1_output *out = &flow->out;

	*socket = &flow->connection->socket;
	/* A head that waits for company goes alone. */
	if (h1_output_is_pending(out) && out->framing != H1_FRAMING_CHUNKED)
		h1_flush(stream);
	if (stream->out != HTTP_OUT_BODY || h1_output_is_pending(out) ||
	    out->ending || !net_stream_can_splice(*socket))
		return 0;
	switch (out->framing) {
	case H1_FRAMING_LENGTH:
		return out->left;
	case H1_FRAMING_UNTIL_CLOSE:
		return UINT64_MAX;
	default:
		return 0;
	}
}

void
h1_out_done(struct http_stream *stream, uint64_t length, enum error error)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct h1_output *out = &flow->out;

	if (out->framing == H1_FRAMING_LENGTH) {
		must(length <= out->left);
		out->left -= length;
	}
	if (error != ERROR_OK && error != ERROR_AGAIN)
		break_off(flow, error);
}
