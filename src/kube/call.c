/* The codec is wire's; here is when what is read and written. All work is done
 * in one task, in the order: connect, write, read, tell. What was kept open may
 * have been closed meanwhile: a request that got nothing over such a connection
 * goes once more over a new one. */
#include "kube/call.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "kube/client_priv.h"
#include "net/tls.h"

#define READ_BYTES 65536
#define KEPT_BYTES 65536

static void on_work(struct net_task *task);
static void on_timer(struct net_timer *timer);
static void fail(struct kube_call *call, enum error error);

/* ---- its life ---- */

void
kube_call_init(struct kube_call *call, struct kube_client *client,
    const struct kube_call_handler *handler)
{
	must(call != NULL && client != NULL && handler != NULL);
	*call = (struct kube_call){.client = client, .handler = handler};
	net_task_init(&call->work, on_work);
	net_timer_init(&call->timer, on_timer);
	text_init(&call->request);
	text_init(&call->in);
	call->waiter = memory_zero(1, sizeof(*call->waiter));
	call->waiter->task = &call->work;
	list_init(&call->waiter->link);
}

static void
close_stream(struct kube_call *call)
{
	if (call->open)
		net_stream_close(&call->stream);
	call->open = false;
	kube_tls_unref(&call->tls);
	memory_wipe(call->in.data, call->in.length);
	text_reset(&call->in);
	if (call->in.capacity > KEPT_BYTES)
		text_fini(&call->in);
}

static void
free_head(struct kube_call *call)
{
	memory_free(call->head);
	call->head = NULL;
}

void
kube_call_close(struct kube_call *call)
{
	must(call != NULL);
	close_stream(call);
	free_head(call);
	text_wipe(&call->request);
	list_remove(&call->waiter->link);
	net_task_cancel(call->client->loop, &call->work);
	net_timer_clear(&call->timer);
	call->state = KUBE_CALL_CLOSED;
}

void
kube_call_fini(struct kube_call *call)
{
	kube_call_close(call);
	text_fini(&call->request);
	text_fini(&call->in);
	memory_free(call->waiter);
	call->waiter = NULL;
}

/* ---- the request ---- */

void
kube_push_escaped(struct text *out, struct slice value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
	                            "QRSTUVWXYZ0123456789-._~";

	for (size_t i = 0; i < value.length; i++) {
		unsigned char byte = (unsigned char)value.data[i];

		if (byte != 0 && strchr(plain, byte) != NULL)
			text_push_byte(out, (char)byte);
		else
			text_printf(out, "%%%02X", byte);
	}
}

static void
push_head(struct kube_call *call, const struct kube_request *request)
{
	const struct kube_access *access = call->client->access;
	struct text *out = &call->request;
	bool is_ip6 = strchr(access->host, ':') != NULL;

	text_printf(out,
	    "%s %.*s%.*s HTTP/1.1\r\nHost: %s%s%s:%u\r\n"
	    "User-Agent: yumen/" YUMEN_VERSION "\r\n"
	    "Accept: application/json\r\n",
	    request->method, SLICE_ARGS(access->prefix),
	    SLICE_ARGS(request->target), is_ip6 ? "[" : "", access->host,
	    is_ip6 ? "]" : "", access->port);
	if (slice_is_set(request->body))
		text_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		    request->content_type != NULL ? request->content_type
		                                  : "application/json",
		    request->body.length);
	text_push_string(out, "\r\n");
}

void
kube_call_start(struct kube_call *call, const struct kube_request *request)
{
	must(kube_call_is_free(call) && request != NULL &&
	    request->silent_ms > 0);
	struct net_loop *loop = call->client->loop;

	metric_add(&call->client->metrics, METRIC_KUBE_CALLS, 1);
	text_wipe(&call->request);
	push_head(call, request);
	text_push(&call->request, request->body);
	call->sent = 0;
	call->has_token = false;
	call->silent_ms = request->silent_ms;
	call->heard_ms = net_loop_now_ms(loop);
	call->error = ERROR_OK;
	call->reused = call->state == KUBE_CALL_IDLE;
	call->state = call->reused ? KUBE_CALL_ASKED : KUBE_CALL_CONNECTING;
	net_timer_set(loop, &call->timer, call->silent_ms);
	net_loop_defer(loop, &call->work);
}

/* The credential goes in when it is known: behind the first line. */
static enum error
add_token(struct kube_call *call)
{
	struct slice token, request = text_slice(&call->request);
	enum error error = kube_client_token(call->client, &token);
	struct text whole;
	size_t line;

	if (error != ERROR_OK || !slice_is_set(token) || call->has_token)
		return error;
	call->has_token = true;
	line = slice_find(request, '\n') + 1;
	text_init(&whole);
	text_push(&whole, slice_make(request.data, line));
	text_printf(
	    &whole, "Authorization: Bearer %.*s\r\n", SLICE_ARGS(token));
	text_push(&whole, slice_skip(request, line));
	text_wipe(&call->request);
	call->request = whole;
	return ERROR_OK;
}

/* ---- the end of an answer ---- */

static void
finish(struct kube_call *call, enum error error)
{
	bool keep = error == ERROR_OK && call->keep && call->in.length == 0;

	free_head(call);
	text_wipe(&call->request);
	net_timer_clear(&call->timer);
	list_remove(&call->waiter->link);
	if (!keep)
		close_stream(call);
	call->error = error;
	call->state = KUBE_CALL_OVER;
	net_loop_defer(call->client->loop, &call->work);
}

static void
tell_done(struct kube_call *call)
{
	call->state = call->open ? KUBE_CALL_IDLE : KUBE_CALL_CLOSED;
	call->handler->on_done(call, call->error);
}

/* Once more, over a new connection. */
static void
begin_again(struct kube_call *call)
{
	close_stream(call);
	free_head(call);
	call->reused = false;
	call->sent = 0;
	call->state = KUBE_CALL_CONNECTING;
	net_loop_defer(call->client->loop, &call->work);
}

static void
fail(struct kube_call *call, enum error error)
{
	if (call->reused && call->state == KUBE_CALL_ASKED &&
	    error != ERROR_TIMEOUT) {
		begin_again(call);
		return;
	}
	metric_add(&call->client->metrics, METRIC_KUBE_CALLS_FAILED, 1);
	kube_client_tell(call->client, error);
	finish(call, error);
}

static void
on_timer(struct net_timer *timer)
{
	struct kube_call *call = container_of(timer, struct kube_call, timer);
	uint64_t now_ms = net_loop_now_ms(call->client->loop);
	uint64_t end_ms = call->heard_ms + call->silent_ms;

	if (now_ms < end_ms)
		net_timer_set(
		    call->client->loop, &call->timer, end_ms - now_ms);
	else
		fail(call, ERROR_TIMEOUT);
}

/* ---- connecting and writing ---- */

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct net_stream *stream =
	    container_of(watch, struct net_stream, watch);
	struct kube_call *call = container_of(stream, struct kube_call, stream);

	net_stream_note(stream, events);
	net_loop_defer(call->client->loop, &call->work);
}

static enum error
dial(struct kube_call *call)
{
	struct kube_client *client = call->client;
	struct net_address address;
	enum error error = kube_client_address(client, &address);

	if (error == ERROR_OK)
		error = kube_client_tls(client, &call->tls);
	if (error == ERROR_AGAIN) {
		kube_client_wait_for(client, call->waiter);
		return error;
	}
	if (error != ERROR_OK)
		return error;
	if (call->tls != NULL)
		error = net_tls_connect(&call->stream, client->loop, &address,
		    on_ready, &call->tls->how);
	else
		error = net_stream_connect(
		    &call->stream, client->loop, &address, on_ready);
	call->open = error == ERROR_OK;
	return error;
}

static void
begin_answer(struct kube_call *call)
{
	static const struct wire_h1_limits limits = {
	    .head_bytes = LIMIT_VALUE_RESPONSE_HEAD_BYTES,
	    .fields = LIMIT_VALUE_RESPONSE_FIELDS,
	};

	call->state = KUBE_CALL_ASKED;
	wire_h1_parser_init(&call->parser, &limits);
	if (call->head == NULL)
		call->head = memory_alloc(sizeof(*call->head));
}

static void
connect_to(struct kube_call *call)
{
	enum error error = ERROR_OK;

	if (!call->open)
		error = dial(call);
	if (error == ERROR_OK)
		error = net_stream_connected(&call->stream);
	if (error == ERROR_AGAIN)
		return;
	if (error == ERROR_OK)
		call->state = KUBE_CALL_ASKED;
	else
		fail(call, error);
}

static void
write_out(struct kube_call *call)
{
	enum error error = ERROR_OK;

	if (call->sent == 0 && call->head == NULL) {
		error = add_token(call);
		if (error == ERROR_AGAIN) {
			kube_client_wait_for(call->client, call->waiter);
			return;
		}
		if (error != ERROR_OK) {
			fail(call, error);
			return;
		}
		begin_answer(call);
	}
	while (call->stream.writable && call->sent < call->request.length) {
		struct iovec part = {
		    .iov_base = call->request.data + call->sent,
		    .iov_len = call->request.length - call->sent};
		size_t length;

		error = net_stream_write(&call->stream, &part, 1, &length);
		if (error == ERROR_AGAIN)
			return;
		if (error != ERROR_OK) {
			/* It may have said why before it closed. */
			call->stream.readable = true;
			call->sent = call->request.length;
			return;
		}
		call->sent += length;
	}
}

/* ---- reading ---- */

/* Secrets are among what comes. */
static void
use(struct kube_call *call, size_t length)
{
	struct text *in = &call->in;

	memmove(in->data, in->data + length, in->length - length);
	in->length -= length;
	memory_wipe(in->data + in->length, length);
}

static void
on_head(struct kube_call *call)
{
	const struct wire_head *head = call->head;
	unsigned status = head->status;

	call->chunked = head->chunked;
	call->keep = head->keep_alive;
	call->left = UINT64_MAX;
	call->state = KUBE_CALL_BODY;
	if (head->body == HEAD_BODY_NONE)
		call->left = 0;
	else if (head->body == HEAD_BODY_LENGTH)
		call->left = head->content_length;
	else if (!head->chunked)
		call->keep = false;
	wire_chunk_init(&call->chunk);
	kube_client_tell(call->client, ERROR_OK);
	if (status == 401) {
		kube_client_doubt(call->client);
		/* Who we are may be the connection's: its certificate. */
		call->keep = false;
	}
	call->handler->on_status(call, status);
}

/* False: more is wanted, or it failed. */
static bool
take_head(struct kube_call *call)
{
	ssize_t length = wire_h1_response_feed(
	    &call->parser, text_slice(&call->in), METHOD_GET, call->head);

	if (length == 0)
		return false;
	call->reused = false;
	if (length < 0) {
		fail(call, (enum error) - length);
		return false;
	}
	use(call, (size_t)length);
	if (call->head->status == 101) {
		fail(call, ERROR_HTTP_BAD_UPGRADE);
		return false;
	}
	if (call->head->status >= 200)
		on_head(call);
	return true;
}

static bool
tell_body(struct kube_call *call, struct slice bytes)
{
	enum error error =
	    bytes.length > 0 ? call->handler->on_body(call, bytes) : ERROR_OK;

	if (error == ERROR_OK)
		return true;
	call->keep = false;
	finish(call, error);
	return false;
}

static bool
take_chunks(struct kube_call *call)
{
	struct slice left = text_slice(&call->in), data;

	while (left.length > 0 && !wire_chunk_is_last(&call->chunk)) {
		ssize_t length = wire_chunk_feed(&call->chunk, left, &data);

		if (length < 0) {
			fail(call, (enum error) - length);
			return false;
		}
		if (!tell_body(call, data))
			return false;
		if (length == 0)
			break;
		left = slice_skip(left, (size_t)length);
	}
	use(call, call->in.length - left.length);
	if (!wire_chunk_is_last(&call->chunk))
		return false;
	call->state = KUBE_CALL_TRAILERS;
	return true;
}

static bool
take_body(struct kube_call *call)
{
	struct slice body = text_slice(&call->in);

	if (call->chunked)
		return take_chunks(call);
	if (body.length > call->left)
		body.length = call->left;
	if (!tell_body(call, body))
		return false;
	use(call, body.length);
	if (call->left != UINT64_MAX)
		call->left -= body.length;
	if (call->left == 0)
		finish(call, ERROR_OK);
	return false;
}

static bool
take_trailers(struct kube_call *call)
{
	struct field fields[LIMIT_VALUE_RESPONSE_FIELDS];
	unsigned count = 0;
	ssize_t length = wire_h1_trailers_feed(&call->parser,
	    text_slice(&call->in), fields, LIMIT_VALUE_RESPONSE_FIELDS, &count);

	if (length < 0) {
		fail(call, (enum error) - length);
	} else if (length > 0) {
		use(call, (size_t)length);
		finish(call, ERROR_OK);
	}
	return false;
}

static void
take_in(struct kube_call *call)
{
	bool more = true;

	while (more)
		switch (call->state) {
		case KUBE_CALL_ASKED:
			more = call->in.length > 0 && take_head(call);
			break;
		case KUBE_CALL_BODY:
			more = take_body(call);
			break;
		case KUBE_CALL_TRAILERS:
			more = take_trailers(call);
			break;
		default:
			return;
		}
}

static bool
is_answered(const struct kube_call *call)
{
	return call->state >= KUBE_CALL_ASKED &&
	    call->state <= KUBE_CALL_TRAILERS;
}

/* The connection ended: right where the answer's end is, or not. */
static void
on_stream_end(struct kube_call *call, enum error error)
{
	if (call->state == KUBE_CALL_BODY && !call->chunked &&
	    call->left == UINT64_MAX && error == ERROR_CLOSED) {
		call->keep = false;
		finish(call, ERROR_OK);
		return;
	}
	fail(call, error);
}

static void
read_in(struct kube_call *call)
{
	size_t left = LIMIT_VALUE_STREAM_BYTES_PER_TURN;

	while (is_answered(call) && call->stream.readable) {
		size_t length;
		char *buffer = text_reserve(&call->in, READ_BYTES);
		enum error error =
		    net_stream_read(&call->stream, buffer, READ_BYTES, &length);

		if (error == ERROR_AGAIN)
			return;
		if (error != ERROR_OK) {
			on_stream_end(call, error);
			return;
		}
		text_advance(&call->in, length);
		call->heard_ms = net_loop_now_ms(call->client->loop);
		take_in(call);
		if (length >= left) {
			if (is_answered(call))
				net_loop_yield(call->client->loop, &call->work);
			return;
		}
		left -= length;
	}
}

static void
on_work(struct net_task *task)
{
	struct kube_call *call = container_of(task, struct kube_call, work);

	/* Nobody asked: it can only be the end of the connection. */
	if (call->state == KUBE_CALL_IDLE) {
		if (net_stream_is_quiet(&call->stream))
			return;
		close_stream(call);
		call->state = KUBE_CALL_CLOSED;
		return;
	}
	if (call->state == KUBE_CALL_CONNECTING)
		connect_to(call);
	if (call->state == KUBE_CALL_ASKED)
		write_out(call);
	if (is_answered(call) && call->head != NULL)
		read_in(call);
	if (call->state == KUBE_CALL_OVER)
		tell_done(call);
}
