/* The toy codec: see toy.h. Both sides are one struct, as they differ only in
 * who begins. */
#include "sim/toy.h"

#include "core/memory.h"
#include "core/must.h"
#include "net/stream.h"

enum {
	FRAME_BYTES = 5, /* before a payload */
	READ_BYTES = 2000,
	OUT_BYTES_MAX = 8192,
	TRAILERS_MAX = 4,
};

struct toy {
	struct net_stream socket;
	struct net_task task;
	struct http_worker *worker;
	const struct http_handler *handler; /* servers */
	void *handler_context;
	unsigned *count;
	const struct http_client_owner_ops *ops; /* clients; NULL: closed */
	void *owner;
	bool busy; /* an exchange has the stream */
	bool closed, served, ending;
	bool is_bare; /* what is sent has no body */
	struct http_stream stream;
	struct text in, out, head_text, trailer_text;
	size_t at; /* in in */
	size_t body_left; /* of the B frame there */
	struct field trailers[TRAILERS_MAX];
	struct wire_head head;
};

static const struct http_stream_ops toy_ops;

static struct toy *
toy_of(struct http_stream *stream)
{
	return container_of(stream, struct toy, stream);
}

static void
begin(struct toy *toy)
{
	toy->stream = (struct http_stream){.ops = &toy_ops,
	    .head = &toy->head,
	    .fresh = true,
	    .reused = toy->served};
	toy->ending = false;
	toy->body_left = 0;
	memmove(toy->in.data, toy->in.data + toy->at, toy->in.length - toy->at);
	toy->in.length -= toy->at;
	toy->at = 0;
}

static void
toy_close(struct toy *toy)
{
	if (toy->closed)
		return;
	toy->closed = true;
	net_stream_close(&toy->socket);
	net_loop_defer(toy->worker->loop, &toy->task);
}

static void
toy_free(struct toy *toy)
{
	if (toy->count)
		--*toy->count;
	text_fini(&toy->in);
	text_fini(&toy->out);
	text_fini(&toy->head_text);
	text_fini(&toy->trailer_text);
	memory_free(toy);
}

static enum error
read_some(struct toy *toy)
{
	size_t length;
	char *at = text_reserve(&toy->in, READ_BYTES);
	if (!toy->socket.readable)
		return ERROR_AGAIN;
	enum error error =
	    net_stream_read(&toy->socket, at, READ_BYTES, &length);
	if (error == ERROR_OK) {
		text_advance(&toy->in, length);
		toy->stream.fresh = false;
	}
	return error;
}

/* A frame that is there: its type, 0 when there is none; the payload of a B
 * frame need not have come. */
static char
find_frame(struct slice bytes, struct slice *payload)
{
	if (bytes.length < FRAME_BYTES)
		return 0;
	const unsigned char *size = (const unsigned char *)bytes.data + 1;
	size_t length = (size_t)size[0] << 24 | (size_t)size[1] << 16 |
	    (size_t)size[2] << 8 | size[3];
	*payload = slice_make(bytes.data + FRAME_BYTES, length);
	return bytes.data[0] == 'B' || bytes.length - FRAME_BYTES >= length
	    ? bytes.data[0]
	    : 0;
}

/* The next frame is taken: its type, and its payload but for B; else an error,
 * AGAIN for more to come. */
static char
next_frame(struct toy *toy, struct slice *payload, enum error *error)
{
	for (*error = ERROR_OK; *error == ERROR_OK;) {
		struct slice rest = slice_make(
		    toy->in.data + toy->at, toy->in.length - toy->at);
		char type = toy->in.data ? find_frame(rest, payload) : 0;
		if (type) {
			toy->at += FRAME_BYTES;
			if (type == 'B')
				toy->body_left = payload->length;
			else
				toy->at += payload->length;
			return type;
		}
		*error = read_some(toy);
	}
	return 0;
}

static void
take_line(struct wire_head *head, struct slice line)
{
	size_t colon = slice_find(line, ':');
	struct slice name = slice_make(line.data, colon);
	struct slice value = slice_trim(slice_skip(line, colon + 1));
	enum field_id id = wire_field_id(name);
	if (id == FIELD_CONTENT_LENGTH)
		head->has_content_length =
		    slice_to_number(value, UINT32_MAX, &head->content_length);
	else if (!(wire_field_flags(id) & (FIELD_HOP | FIELD_FRAMING)))
		must(wire_head_add(head, id, name, value));
}

/* The start line: a method and a target, or a version and a status. */
static void
take_start(struct wire_head *head, struct slice line)
{
	struct slice first, second;
	uint64_t status;
	must(slice_cut(&line, ' ', &first) && slice_cut(&line, ' ', &second));
	if (slice_starts_with(first, SLICE("HTTP/"))) {
		must(slice_to_number(second, 999, &status));
		head->status = (uint16_t)status;
		return;
	}
	head->method = first;
	head->method_id = slice_equal(first, SLICE("GET")) ? METHOD_GET
	    : slice_equal(first, SLICE("HEAD"))            ? METHOD_HEAD
	    : slice_equal(first, SLICE("POST"))            ? METHOD_POST
	    : slice_equal(first, SLICE("PUT"))             ? METHOD_PUT
	                                                   : METHOD_OTHER;
	head->target = head->path = second;
	head->te_trailers = true;
}

static void
take_head(struct toy *toy, char type, struct slice payload)
{
	struct wire_head *head = &toy->head;
	struct slice rest, line;
	text_reset(&toy->head_text);
	text_push(&toy->head_text, payload);
	rest = text_slice(&toy->head_text);
	wire_head_reset(head);
	head->version_minor = 1;
	head->keep_alive = true;
	must(slice_cut(&rest, '\n', &line));
	take_start(head, slice_make(line.data, line.length - 1));
	while (slice_cut(&rest, '\n', &line) && line.length > 0)
		take_line(head, slice_make(line.data, line.length - 1));
	struct field *host = wire_head_find(head, FIELD_HOST);
	if (host)
		head->authority = field_value(host);
	head->body = type != 'H'       ? HEAD_BODY_NONE
	    : head->has_content_length ? HEAD_BODY_LENGTH
	                               : HEAD_BODY_UNTIL_END;
}

static void
take_trailers(struct toy *toy, struct slice payload)
{
	struct http_trailers *trailers = &toy->stream.trailers;
	struct slice rest, line;
	text_reset(&toy->trailer_text);
	text_push(&toy->trailer_text, payload);
	rest = text_slice(&toy->trailer_text);
	trailers->fields = toy->trailers;
	while (slice_cut(&rest, '\n', &line) && line.length > 0) {
		size_t colon = slice_find(line, ':');
		must(trailers->count < TRAILERS_MAX);
		toy->trailers[trailers->count++] = (struct field){
		    .name = line.data,
		    .name_length = (uint16_t)colon,
		    .value = line.data + colon + 2,
		    .value_length = (uint32_t)(line.length - colon - 3),
		};
	}
}

/* Read until a head is there, for who waits for one. */
static void
read_head(struct toy *toy)
{
	struct slice payload;
	enum error error;
	char type = next_frame(toy, &payload, &error);
	if (type == 'I' || type == 'H' || type == 'N') {
		take_head(toy, type, payload);
		http_stream_set_in(
		    &toy->stream, type == 'I' ? HTTP_IN_INTERIM : HTTP_IN_BODY);
		if (toy->head.body == HEAD_BODY_NONE && type == 'N')
			http_stream_set_in(&toy->stream, HTTP_IN_END);
		if (toy->handler) {
			toy->busy = true;
			must(http_exchange_new(toy->worker, toy->handler,
			    toy->handler_context, &toy->stream));
		}
	} else if (error != ERROR_AGAIN) {
		if (toy->busy)
			http_stream_fail_in(&toy->stream,
			    type ? ERROR_HTTP_BAD_STATUS_LINE : error);
		else
			toy_close(toy);
	}
}

static void
toy_take_interim(struct http_stream *stream)
{
	http_stream_set_in(stream, HTTP_IN_WAIT);
	read_head(toy_of(stream));
}

/* What comes where a body is expected; false: nothing now. */
static bool
read_body(struct toy *toy)
{
	struct slice payload;
	enum error error;
	char type = next_frame(toy, &payload, &error);
	if (type == 'B')
		return true;
	if (type == 'E') {
		take_trailers(toy, payload);
		http_stream_set_in(&toy->stream, HTTP_IN_END);
	} else if (error != ERROR_AGAIN) {
		http_stream_fail_in(&toy->stream,
		    error == ERROR_OK || error == ERROR_CLOSED
		        ? ERROR_HTTP_BODY_INCOMPLETE
		        : error);
	}
	return false;
}

static unsigned
toy_peek(struct http_stream *stream, struct slice *slices, unsigned count)
{
	struct toy *toy = toy_of(stream);
	must(count > 0);
	while (stream->in == HTTP_IN_BODY) {
		size_t there = toy->in.length - toy->at;
		if (toy->body_left == 0) {
			if (!read_body(toy))
				return 0;
		} else if (there > 0) {
			slices[0] = slice_make(toy->in.data + toy->at,
			    there < toy->body_left ? there : toy->body_left);
			return 1;
		} else {
			enum error error;
			toy->in.length = toy->at = 0;
			error = read_some(toy);
			if (error == ERROR_AGAIN)
				return 0;
			if (error != ERROR_OK)
				http_stream_fail_in(stream,
				    error == ERROR_CLOSED
				        ? ERROR_HTTP_BODY_INCOMPLETE
				        : error);
		}
	}
	return 0;
}

static void
toy_consume(struct http_stream *stream, size_t length)
{
	struct toy *toy = toy_of(stream);
	must(length <= toy->body_left);
	toy->at += length;
	toy->body_left -= length;
}

static void
push_frame(struct text *out, char type, struct slice payload)
{
	const char bytes[] = {type, (char)(payload.length >> 24),
	    (char)(payload.length >> 16), (char)(payload.length >> 8),
	    (char)payload.length};
	text_push(out, slice_make(bytes, sizeof(bytes)));
	if (payload.length > 0)
		text_push(out, payload);
}

static void
push_fields(struct text *out, const struct field *fields, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (fields[i].id != FIELD_REMOVED)
			text_printf(out, "%.*s: %.*s\r\n",
			    SLICE_ARGS(field_name(&fields[i])),
			    SLICE_ARGS(field_value(&fields[i])));
}

static enum error
toy_send_head(struct http_stream *stream, struct wire_head *head)
{
	struct toy *toy = toy_of(stream);
	struct text text;
	bool is_interim = head->status / 100 == 1;
	text_init(&text);
	if (toy->handler)
		text_printf(&text, "HTTP/1.1 %u Toy\r\n", head->status);
	else
		text_printf(&text, "%.*s %.*s HTTP/1.1\r\n",
		    SLICE_ARGS(head->method), SLICE_ARGS(head->target));
	push_fields(&text, head->fields, head->field_count);
	if (head->has_content_length)
		text_printf(&text, "Content-Length: %llu\r\n",
		    (unsigned long long)head->content_length);
	push_frame(&toy->out,
	    is_interim                         ? 'I'
	        : head->body == HEAD_BODY_NONE ? 'N'
	                                       : 'H',
	    text_slice(&text));
	text_fini(&text);
	toy->is_bare = head->body == HEAD_BODY_NONE;
	if (!is_interim)
		http_stream_set_out(stream, HTTP_OUT_BODY);
	return ERROR_OK;
}

static void
toy_flush(struct http_stream *stream)
{
	struct toy *toy = toy_of(stream);
	struct iovec part = {toy->out.data, toy->out.length};
	size_t length = 0;
	if (stream->out == HTTP_OUT_FAILED)
		return;
	if (toy->out.length > 0 && toy->socket.writable) {
		enum error error =
		    net_stream_write(&toy->socket, &part, 1, &length);
		if (error != ERROR_OK && error != ERROR_AGAIN) {
			http_stream_fail_out(stream, error);
			return;
		}
		toy->out.length -= length;
		memmove(toy->out.data, toy->out.data + length, toy->out.length);
	}
	if (toy->ending && toy->out.length == 0 && stream->out == HTTP_OUT_BODY)
		http_stream_set_out(stream, HTTP_OUT_END);
}

static size_t
toy_send_body(
    struct http_stream *stream, const struct slice *slices, unsigned count)
{
	struct toy *toy = toy_of(stream);
	struct slice first = slices[0];
	(void)count;
	if (toy->out.length + FRAME_BYTES >= OUT_BYTES_MAX)
		toy_flush(stream);
	if (toy->out.length + FRAME_BYTES >= OUT_BYTES_MAX)
		return 0;
	size_t room = OUT_BYTES_MAX - toy->out.length - FRAME_BYTES;
	if (first.length > room)
		first.length = room;
	push_frame(&toy->out, 'B', first);
	return first.length;
}

static enum error
toy_send_end(struct http_stream *stream, const struct http_trailers *trailers)
{
	struct toy *toy = toy_of(stream);
	struct text text;
	toy->ending = true;
	if (toy->is_bare)
		return ERROR_OK;
	text_init(&text);
	if (trailers)
		push_fields(&text, trailers->fields, trailers->count);
	push_frame(&toy->out, 'E', text_slice(&text));
	text_fini(&text);
	return ERROR_OK;
}

static void
toy_release(struct http_stream *stream, enum error error)
{
	struct toy *toy = toy_of(stream);
	bool is_whole = error == ERROR_OK && stream->in == HTTP_IN_END &&
	    stream->out == HTTP_OUT_END;
	stream->exchange = NULL;
	toy->busy = false;
	if (!is_whole ||
	    (toy->ops &&
	        (toy->at < toy->in.length ||
	            !net_stream_is_quiet(&toy->socket)))) {
		toy_close(toy);
		return;
	}
	toy->served = true;
	begin(toy);
	if (toy->ops)
		toy->ops->on_idle(NULL, toy->owner);
	else
		net_loop_defer(toy->worker->loop, &toy->task);
}

static const struct http_stream_ops toy_ops = {
    .name = "toy",
    .take_interim = toy_take_interim,
    .peek = toy_peek,
    .consume = toy_consume,
    .send_head = toy_send_head,
    .send_body = toy_send_body,
    .send_end = toy_send_end,
    .flush = toy_flush,
    .release = toy_release,
};

static void
toy_on_ready(struct net_watch *watch, unsigned events)
{
	struct toy *toy = container_of(watch, struct toy, socket.watch);
	struct http_stream *stream = &toy->stream;
	net_stream_note(&toy->socket, events);
	if (toy->socket.connecting) {
		enum error error = net_stream_connected(&toy->socket);
		if (error == ERROR_AGAIN)
			return;
		const struct http_client_owner_ops *ops = toy->ops;
		if (error != ERROR_OK) {
			toy->ops = NULL;
			toy_close(toy);
		}
		ops->on_connected(NULL, toy->owner, error);
	} else if (toy->busy) {
		if (events & NET_WRITABLE)
			toy_flush(stream);
		if ((events & NET_FAILED) && toy->handler)
			http_stream_fail_out(stream, ERROR_RESET);
		if (stream->in == HTTP_IN_WAIT)
			read_head(toy);
		http_stream_wake(stream);
	} else if (toy->handler) {
		read_head(toy);
	} else if (!net_stream_is_quiet(&toy->socket)) {
		toy_close(toy);
	}
}

static void
toy_run(struct net_task *task)
{
	struct toy *toy = container_of(task, struct toy, task);
	if (!toy->closed) {
		if (toy->handler && !toy->busy)
			read_head(toy);
		return;
	}
	if (toy->ops)
		toy->ops->on_closed(NULL, toy->owner);
	toy_free(toy);
}

static struct toy *
toy_new(struct http_worker *worker)
{
	struct toy *toy = memory_zero(1, sizeof(*toy));
	toy->worker = worker;
	net_task_init(&toy->task, toy_run);
	text_init(&toy->in);
	text_init(&toy->out);
	text_init(&toy->head_text);
	text_init(&toy->trailer_text);
	text_reserve(&toy->in, READ_BYTES);
	begin(toy);
	return toy;
}

void
toy_server_open(struct http_worker *worker, const struct http_handler *handler,
    void *handler_context, int fd, unsigned *count)
{
	struct toy *toy = toy_new(worker);
	toy->handler = handler;
	toy->handler_context = handler_context;
	toy->count = count;
	++*count;
	must(net_stream_open_fd(&toy->socket, worker->loop, fd, toy_on_ready) ==
	    ERROR_OK);
}

struct toy *
toy_client_open(struct http_worker *worker, const struct net_address *address,
    const struct http_client_owner_ops *ops, void *owner)
{
	struct toy *toy = toy_new(worker);
	toy->ops = ops;
	toy->owner = owner;
	must(net_stream_connect(&toy->socket, worker->loop, address,
	         toy_on_ready) == ERROR_OK);
	return toy;
}

struct http_stream *
toy_client_lend(struct toy *toy)
{
	if (toy->closed)
		return NULL;
	if (!net_stream_is_quiet(&toy->socket)) {
		toy_close(toy);
		return NULL;
	}
	begin(toy);
	toy->busy = true;
	return &toy->stream;
}

void
toy_client_close(struct toy *toy)
{
	toy->ops = NULL;
	toy_close(toy);
}

void
toy_plain_read(
    struct plain *message, struct slice bytes, enum plain_kind kind, bool ended)
{
	struct slice payload = SLICE_NONE;
	size_t at = 0;
	char type = 0;
	(void)ended;
	*message =
	    (struct plain){.state = bytes.length > 0 ? PLAIN_PART : PLAIN_NONE};
	text_init(&message->body);
	text_init(&message->trailers);
	while (type != 'E' && type != 'I' && type != 'N') {
		struct slice rest = slice_skip(bytes, at);
		type = find_frame(rest, &payload);
		if (!type)
			return;
		at += FRAME_BYTES + payload.length;
		if (type == 'B' && at > bytes.length)
			payload.length = rest.length - FRAME_BYTES;
		if ((type == 'B' || type == 'E') == !message->has_head ||
		    !memchr("IHNBE", type, 5)) {
			message->state = PLAIN_BAD;
			return;
		}
		if (type == 'B') {
			text_push(&message->body, payload);
			if (at > bytes.length)
				return;
		} else if (type == 'E') {
			text_push(&message->trailers, payload);
		} else {
			message->has_head = true;
			message->head = payload;
			(void)plain_read_start(message, kind);
		}
	}
	message->bytes = at;
	message->state = PLAIN_WHOLE;
}

void
toy_plain_push(
    struct text *out, const struct plain *message, struct random *random)
{
	struct slice body = text_slice(&message->body);
	if (message->status / 100 == 1) {
		push_frame(out, 'I', message->head);
		return;
	}
	bool has_body = body.length > 0 || message->has_body;
	push_frame(out, has_body ? 'H' : 'N', message->head);
	if (!has_body)
		return;
	while (body.length > 0) {
		size_t length = 1 + random_below(random, (uint32_t)body.length);
		push_frame(out, 'B', slice_make(body.data, length));
		body = slice_skip(body, length);
	}
	push_frame(out, 'E', text_slice(&message->trailers));
}
