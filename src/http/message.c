/* A message in memory: the client stream of an exchange that is answered here.
 * Its response is there from the start; a reflected body is peeked at and
 * consumed where it lies, in the server stream, so that nothing is copied. */
#include "http/message.h"

#include <assert.h>

#include "core/must.h"
#include "http/worker_priv.h"

struct http_message {
	struct http_stream stream;
	struct http_worker *worker;
	struct slice first; /* of the body, not consumed yet */
	uint16_t status; /* the final one */
	bool reflects;
	bool ended; /* the request is complete */
	struct wire_head head; /* last, for its table */
};

static_assert(sizeof(struct http_message) <= HTTP_BLOCK_BYTES,
    "a message must fit in a block");

static inline struct http_message *
message_of(struct http_stream *stream)
{
	return container_of(stream, struct http_message, stream);
}

static struct http_stream *
request_of(struct http_stream *stream)
{
	must(stream->exchange);
	return stream->exchange->server;
}

/* The end of the body, once all of it was consumed. */
static void
settle(struct http_message *message)
{
	struct http_stream *stream = &message->stream;

	if (message->first.length > 0 || stream->in != HTTP_IN_BODY)
		return;
	if (!message->reflects) {
		http_stream_set_in(stream, HTTP_IN_END);
		return;
	}
	struct http_stream *request = request_of(stream);
	if (request->in == HTTP_IN_END) {
		stream->trailers = request->trailers;
		http_stream_set_in(stream, HTTP_IN_END);
	} else if (request->in == HTTP_IN_FAILED) {
		http_stream_fail_in(stream, request->failure);
	}
}

static unsigned
message_peek(struct http_stream *stream, struct slice *slices, unsigned count)
{
	struct http_message *message = message_of(stream);

	must(count > 0);
	if (stream->in != HTTP_IN_BODY)
		return 0;
	if (message->first.length > 0) {
		slices[0] = message->first;
		return 1;
	}
	unsigned found = 0;
	if (message->reflects) {
		struct http_stream *request = request_of(stream);

		found = request->ops->peek(request, slices, count);
	}
	if (found == 0)
		settle(message);
	return found;
}

static void
message_consume(struct http_stream *stream, size_t length)
{
	struct http_message *message = message_of(stream);

	if (message->first.length > 0) {
		message->first = slice_skip(message->first, length);
	} else {
		struct http_stream *request = request_of(stream);

		must(message->reflects);
		request->ops->consume(request, length);
		stream->exchange->request_body_bytes += length;
	}
	settle(message);
}

static void
begin_body(struct http_message *message)
{
	bool body = message->head.body != HEAD_BODY_NONE;

	http_stream_set_in(&message->stream, body ? HTTP_IN_BODY : HTTP_IN_END);
}

/* The 100 that a reflected request waits for was dealt with. */
static void
message_take_interim(struct http_stream *stream)
{
	struct http_message *message = message_of(stream);

	must(stream->in == HTTP_IN_INTERIM);
	message->head.status = message->status;
	message->head.has_content_length =
	    message->head.body == HEAD_BODY_LENGTH;
	http_stream_set_in(stream, HTTP_IN_WAIT);
	begin_body(message);
}

static enum error
message_send_head(struct http_stream *stream, struct wire_head *head)
{
	(void)head;
	http_stream_set_out(stream, HTTP_OUT_BODY);
	return ERROR_OK;
}

static size_t
message_send_body(
    struct http_stream *stream, const struct slice *slices, unsigned count)
{
	size_t length = 0;

	if (message_of(stream)->reflects)
		return 0; /* it stays until it is peeked at from here */
	for (unsigned i = 0; i < count; i++)
		length += slices[i].length;
	return length;
}

static enum error
message_send_end(
    struct http_stream *stream, const struct http_trailers *trailers)
{
	(void)trailers;
	message_of(stream)->ended = true;
	return ERROR_OK;
}

static void
message_flush(struct http_stream *stream)
{
	if (message_of(stream)->ended && stream->out == HTTP_OUT_BODY)
		http_stream_set_out(stream, HTTP_OUT_END);
}

static void
message_release(struct http_stream *stream, enum error error)
{
	struct http_message *message = message_of(stream);

	(void)error;
	http_block_give(message->worker, message);
}

static const struct http_stream_ops message_ops = {
    .name = "message",
    .take_interim = message_take_interim,
    .peek = message_peek,
    .consume = message_consume,
    .send_head = message_send_head,
    .send_body = message_send_body,
    .send_end = message_send_end,
    .flush = message_flush,
    .release = message_release,
};

static struct http_message *
message_new(struct http_exchange *exchange, uint16_t status,
    const struct field *fields, unsigned field_count, struct slice first)
{
	must(status >= 200 && status <= 599);
	must(field_count <= HEAD_FIELDS_MAX - HEAD_FIELDS_OWN);
	struct http_message *message = http_block_take(exchange->worker);
	struct wire_head *head = &message->head;

	message->stream =
	    (struct http_stream){.ops = &message_ops, .head = head};
	message->worker = exchange->worker;
	message->first = first;
	message->status = status;
	message->reflects = false;
	message->ended = false;
	wire_head_reset(head);
	head->status = status;
	head->version_minor = 1;
	head->keep_alive = true;
	head->field_count = (uint16_t)field_count;
	if (field_count > 0)
		memcpy(head->fields, fields, field_count * sizeof(*fields));
	return message;
}

/* RFC 9110 8.6 and 9112 6.3: which messages have a body and tell its length. */
static void
frame(struct http_message *message, enum method_id method, bool length_known,
    uint64_t length)
{
	struct wire_head *head = &message->head;
	bool bodiless = head->status == 204 || head->status == 304;

	head->has_content_length = length_known && !bodiless;
	head->content_length = head->has_content_length ? length : 0;
	if (bodiless || method == METHOD_HEAD || (length_known && length == 0))
		head->body = HEAD_BODY_NONE;
	else
		head->body =
		    length_known ? HEAD_BODY_LENGTH : HEAD_BODY_UNTIL_END;
	if (head->body == HEAD_BODY_NONE)
		message->first = SLICE_NONE;
}

struct http_stream *
http_message_answer(struct http_exchange *exchange, uint16_t status,
    const struct field *fields, unsigned field_count, struct slice body)
{
	struct http_message *message =
	    message_new(exchange, status, fields, field_count, body);

	frame(message, exchange->request->method_id, true, body.length);
	begin_body(message);
	return &message->stream;
}

struct http_stream *
http_message_reflect(struct http_exchange *exchange, uint16_t status,
    const struct field *fields, unsigned field_count, struct slice first)
{
	const struct wire_head *request = exchange->request;
	struct http_message *message =
	    message_new(exchange, status, fields, field_count, first);
	uint64_t length = first.length;

	if (request->body == HEAD_BODY_LENGTH)
		length += request->content_length;
	frame(message, request->method_id, request->body != HEAD_BODY_UNTIL_END,
	    length);
	message->reflects = message->head.body != HEAD_BODY_NONE;
	if (message->reflects && exchange->server->expects_continue) {
		message->head.status = 100;
		message->head.has_content_length = false; /* RFC 9110 8.6 */
		http_stream_set_in(&message->stream, HTTP_IN_INTERIM);
	} else {
		begin_body(message);
	}
	return &message->stream;
}

bool
http_message_is(const struct http_stream *stream)
{
	return stream->ops == &message_ops;
}

bool
http_message_reflects(struct http_stream *stream)
{
	return http_message_is(stream) && message_of(stream)->reflects;
}
