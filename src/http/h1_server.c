/* The server's side of HTTP/1: a client's connection from accept to close. It
 * reads heads, lends each request to an exchange, refuses what is no request,
 * and closes so that the last answer is not lost. One request at a time: what
 * is pipelined waits in the buffer.
 *
 * What it never does: decide anything about a request. */
#include "http/h1_server_priv.h"

#include "core/must.h"

#define BIT(state) (1u << (state))
static const unsigned moves[] = {
    [SERVER_IDLE] = BIT(SERVER_HEAD) | BIT(SERVER_BUSY) | BIT(SERVER_REFUSING) |
        BIT(SERVER_LINGERING) | BIT(SERVER_CLOSED),
    [SERVER_HEAD] = BIT(SERVER_IDLE) | BIT(SERVER_BUSY) | BIT(SERVER_REFUSING) |
        BIT(SERVER_CLOSED),
    [SERVER_BUSY] =
        BIT(SERVER_IDLE) | BIT(SERVER_LINGERING) | BIT(SERVER_CLOSED),
    [SERVER_REFUSING] = BIT(SERVER_LINGERING) | BIT(SERVER_CLOSED),
    [SERVER_LINGERING] = BIT(SERVER_CLOSED),
    [SERVER_CLOSED] = 0,
};

static const struct http_stream_ops server_ops;

static inline struct http_server *
server_of(struct h1_connection *connection)
{
	return container_of(connection, struct http_server, connection);
}

static void
set_state(struct http_server *server, enum server_state state)
{
	must(moves[server->state] & BIT(state));
	server->state = state;
	http_waiter_remove(&server->waiter);
}

void
h1_server_close(struct http_server *server)
{
	struct h1_connection *connection = &server->connection;

	if (server->state == SERVER_CLOSED)
		return;
	set_state(server, SERVER_CLOSED);
	net_stream_close(&connection->socket);
	if (connection->flow)
		h1_flow_give(connection);
	net_loop_defer(connection->worker->loop, &connection->task);
}

void
h1_server_free(struct http_server *server)
{
	struct http_worker *worker = server->connection.worker;

	must(server->state == SERVER_CLOSED);
	net_task_cancel(worker->loop, &server->connection.task);
	list_remove(&server->link);
	server->service->connection_count--;
	worker->pools->server_count--;
	metric_subtract(worker->metrics, METRIC_CONNECTIONS_OPEN, 1);
	http_slab_give(&worker->pools->servers, server);
}

static void
linger_read(struct http_server *server)
{
	struct net_stream *socket = &server->connection.socket;
	struct http_buffers *buffers = &server->connection.worker->buffers;
	struct http_buffer *thrown = NULL;
	enum error error = ERROR_OK;
	size_t total = 0, length;

	while (error == ERROR_OK && socket->readable &&
	    total < LIMIT_VALUE_BODY_BYTES_PER_TURN) {
		if (!thrown)
			thrown = http_buffer_take(buffers, HTTP_BUFFER_LARGE);
		error = net_stream_read(
		    socket, thrown->data, thrown->capacity, &length);
		if (error == ERROR_OK)
			total += length;
	}
	if (thrown)
		http_buffer_unref(buffers, &thrown);
	bool ended = !socket->readable && socket->peer_closed;
	if (ended || (error != ERROR_OK && error != ERROR_AGAIN))
		h1_server_close(server);
	else if (socket->readable)
		net_loop_yield(
		    server->connection.worker->loop, &server->connection.task);
}

/* RFC 9112 9.6: end our side, and read what still comes, so that the kernel
 * does not answer it with a reset that overtakes the response. */
static void
server_linger(struct http_server *server)
{
	if (server->connection.flow)
		h1_flow_give(&server->connection);
	set_state(server, SERVER_LINGERING);
	if (net_stream_shutdown(&server->connection.socket) != ERROR_OK) {
		h1_server_close(server);
		return;
	}
	http_queue_push(&h1_server_pools(server)->lingering, &server->waiter);
	linger_read(server);
}

static bool
is_draining(const struct http_server *server)
{
	return server->service->draining || server->connection.worker->draining;
}

static void
refuse_flush(struct http_server *server)
{
	struct http_stream *stream = &server->connection.flow->stream;

	h1_flush(stream);
	if (stream->out == HTTP_OUT_END)
		server_linger(server);
	else if (stream->out == HTTP_OUT_FAILED)
		h1_server_close(server);
}

void
h1_server_refuse(struct http_server *server, enum error error, int status)
{
	static const struct wire_h1_framing framing = {.close = true};
	static const struct slice text = {
	    "yumen: the request was refused\n", 31};
	struct h1_connection *connection = &server->connection;
	struct h1_flow *flow = connection->flow;
	struct wire_head *head = &flow->head;
	struct http_service *service = server->service;

	set_state(server, SERVER_REFUSING);
	if (service->handler->on_refused)
		service->handler->on_refused(
		    service, &server->peer, error, status);
	wire_head_reset(head);
	head->status = (uint16_t)status;
	head->version_minor = 1;
	head->body = HEAD_BODY_LENGTH;
	head->has_content_length = true;
	head->content_length = text.length;
	wire_head_add(head, FIELD_OTHER, SLICE("content-type"),
	    SLICE("text/plain; charset=utf-8"));
	(void)wire_head_add_field(head, http_worker_date(connection->worker));
	http_stream_set_out(&flow->stream, HTTP_OUT_BODY);
	flow->out.framing = H1_FRAMING_LENGTH;
	flow->out.left = text.length;
	if (h1_output_head(flow, head, &framing, wire_h1_response_write) !=
	    ERROR_OK) {
		h1_server_close(server);
		return;
	}
	h1_send_body(&flow->stream, &text, 1);
	(void)h1_send_end(&flow->stream, NULL);
	http_queue_push(&h1_server_pools(server)->lingering, &server->waiter);
	refuse_flush(server);
}

/* RFC 9110 10.1.1: 1.0 and no content make the expectation void. */
static void
note_expectation(struct h1_flow *flow)
{
	struct wire_head *head = &flow->head;

	if (!head->expect_continue)
		return;
	if (head->version_minor == 0 || head->body == HEAD_BODY_NONE) {
		head->expect_continue = false;
		wire_head_remove(head, FIELD_EXPECT);
		return;
	}
	flow->stream.expects_continue = true;
}

static void
begin_request(struct http_server *server, size_t head_bytes)
{
	struct h1_connection *connection = &server->connection;
	struct h1_flow *flow = connection->flow;
	struct wire_head *head = &flow->head;
	struct http_service *service = server->service;

	h1_input_begin(flow, head_bytes);
	flow->method = head->method_id;
	if (slice_is_set(head->upgrade) &&
	    (head->version_minor == 0 || head->body != HEAD_BODY_NONE))
		head->upgrade = SLICE_NONE;
	flow->upgrade = slice_is_set(head->upgrade);
	flow->last = !head->keep_alive;
	note_expectation(flow);
	set_state(server, SERVER_BUSY);
	if (unlikely(!http_exchange_new(connection->worker, service->handler,
	        service->handler_context, &flow->stream)))
		h1_server_close(server);
}

/* No whole head has come. */
static void
await_head(struct http_server *server)
{
	struct http_connection_pools *pools = h1_server_pools(server);
	bool begun = h1_input_raw(&server->connection.flow->in).length > 0;

	if (!begun)
		h1_flow_give(&server->connection);
	if (server->state != SERVER_IDLE)
		return;
	if (begun) {
		set_state(server, SERVER_HEAD);
		http_queue_push(&pools->heading, &server->waiter);
	} else if (!http_waiter_is_queued(&server->waiter)) {
		http_queue_push(&pools->idle, &server->waiter);
	}
}

/* Read and parse until a request begins or nothing more is there. Bounded by
 * the limit on a head. */
static void
read_head(struct http_server *server)
{
	static const struct wire_h1_limits limits = {
	    .head_bytes = LIMIT_VALUE_REQUEST_HEAD_BYTES,
	    .target_bytes = LIMIT_VALUE_REQUEST_TARGET_BYTES,
	    .fields = LIMIT_VALUE_REQUEST_FIELDS,
	};
	struct h1_connection *connection = &server->connection;
	struct h1_flow *flow = connection->flow;

	if (!flow)
		flow = h1_flow_take(connection, &server_ops);
	if (server->state == SERVER_IDLE)
		wire_h1_parser_init(&flow->in.parser, &limits);
	for (;;) {
		struct slice raw = h1_input_raw(&flow->in);
		ssize_t used = raw.length == 0
		    ? 0
		    : wire_h1_request_feed(&flow->in.parser, raw, &flow->head);
		if (used > 0) {
			begin_request(server, (size_t)used);
			return;
		}
		if (used < 0) {
			enum error error = (enum error) - used;

			h1_count_limit(flow, error);
			h1_server_refuse(server, error, wire_h1_status(error));
			return;
		}
		if (!connection->socket.readable)
			break;
		enum error error = h1_input_read(flow);
		if (error == ERROR_AGAIN)
			break;
		if (error != ERROR_OK) {
			h1_server_close(server);
			return;
		}
	}
	await_head(server);
}

void
h1_server_on_ready(struct net_watch *watch, unsigned events)
{
	struct http_server *server =
	    container_of(watch, struct http_server, connection.socket.watch);
	struct h1_connection *connection = &server->connection;
	struct http_stream *stream;

	net_stream_note(&connection->socket, events);
	switch (server->state) {
	case SERVER_IDLE:
	case SERVER_HEAD:
		if (connection->socket.readable)
			read_head(server);
		break;
	case SERVER_BUSY:
		stream = &connection->flow->stream;
		if (events & NET_WRITABLE)
			h1_flush(stream);
		/* Nobody may be reading or writing now: tell at once. */
		if (events & NET_FAILED) {
			connection->broken = true;
			http_stream_fail_out(stream, ERROR_RESET);
		}
		http_stream_wake(stream);
		break;
	case SERVER_REFUSING:
		refuse_flush(server);
		break;
	case SERVER_LINGERING:
		linger_read(server);
		break;
	default:
		break;
	}
}

void
h1_server_run(struct net_task *task)
{
	struct http_server *server =
	    container_of(task, struct http_server, connection.task);

	if (server->state == SERVER_CLOSED)
		h1_server_free(server);
	else if (server->state == SERVER_IDLE)
		read_head(server);
	else if (server->state == SERVER_LINGERING)
		linger_read(server);
}

static enum error
server_send_interim(struct h1_flow *flow, struct wire_head *head)
{
	static const struct wire_h1_framing framing = {0};

	if (flow->head.version_minor == 0)
		return ERROR_OK; /* RFC 9110 15.2 */
	if (head->status == 100)
		flow->stream.expects_continue = false;
	return h1_output_head(flow, head, &framing, wire_h1_response_write);
}

/* How the response's body is delimited for this client; a length that is not
 * known needs chunks, or the end of the connection where it speaks 1.0. */
static enum h1_framing
response_framing(const struct h1_flow *flow, const struct wire_head *head)
{
	switch (head->body) {
	case HEAD_BODY_NONE:
		return H1_FRAMING_NONE;
	case HEAD_BODY_LENGTH:
		return H1_FRAMING_LENGTH;
	default:
		return flow->head.version_minor > 0 ? H1_FRAMING_CHUNKED
		                                    : H1_FRAMING_UNTIL_CLOSE;
	}
}

static enum error
server_send_head(struct http_stream *stream, struct wire_head *head)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct http_server *server = server_of(flow->connection);

	must(stream->out == HTTP_OUT_HEAD);
	if (head->status == 101) {
		struct wire_h1_framing upgrade = {0};
		enum error error = h1_output_head(
		    flow, head, &upgrade, wire_h1_response_write);

		must(flow->upgrade && stream->in == HTTP_IN_END);
		if (error == ERROR_OK)
			h1_flow_tunnel(flow);
		return error;
	}
	if (head->status < 200)
		return server_send_interim(flow, head);
	enum h1_framing framing = response_framing(flow, head);
	/* A client that waits for 100 may or may not send its body now, so what
	 * follows on the connection could not be told apart. */
	if (framing == H1_FRAMING_UNTIL_CLOSE || stream->closing ||
	    stream->expects_continue || is_draining(server))
		flow->last = true;
	struct wire_h1_framing told = {
	    .chunked = framing == H1_FRAMING_CHUNKED,
	    .close = flow->last,
	    .keep_alive_1_0 = !flow->last && flow->head.version_minor == 0,
	};
	enum error error =
	    h1_output_head(flow, head, &told, wire_h1_response_write);
	if (error != ERROR_OK)
		return error;
	flow->out.framing = (uint8_t)framing;
	flow->out.left =
	    framing == H1_FRAMING_LENGTH ? head->content_length : 0;
	http_stream_set_out(stream, HTTP_OUT_BODY);
	return ERROR_OK;
}

/* On to the next request, which may have come already. */
static void
rest(struct http_server *server)
{
	struct h1_connection *connection = &server->connection;

	set_state(server, SERVER_IDLE);
	if (h1_input_raw(&connection->flow->in).length > 0 ||
	    connection->socket.readable) {
		h1_flow_reset(connection->flow);
		net_loop_defer(connection->worker->loop, &connection->task);
		return;
	}
	h1_flow_give(connection);
	http_queue_push(&h1_server_pools(server)->idle, &server->waiter);
}

static void
server_take_interim(struct http_stream *stream)
{
	(void)stream;
	must(false); /* requests have none */
}

static void
server_release(struct http_stream *stream, enum error error)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct http_server *server = server_of(flow->connection);

	must(server->state == SERVER_BUSY);
	stream->exchange = NULL;
	if (error != ERROR_OK || stream->out != HTTP_OUT_END) {
		h1_flow_break(flow);
		h1_server_close(server);
		return;
	}
	bool asked_to_close = !flow->head.keep_alive;
	bool whole = h1_input_drop(flow);
	if (whole && !flow->last)
		rest(server);
	else if (whole && asked_to_close &&
	    h1_input_raw(&flow->in).length == 0 &&
	    !server->connection.socket.readable)
		h1_server_close(server);
	else
		server_linger(server);
}

static const struct http_stream_ops server_ops = {
    .name = "h1 server",
    .take_interim = server_take_interim,
    .peek = h1_peek,
    .consume = h1_consume,
    .send_head = server_send_head,
    .send_body = h1_send_body,
    .send_end = h1_send_end,
    .flush = h1_flush,
    .release = server_release,
    .splice = &h1_splice_ops,
};

struct http_server *
h1_server_of(struct http_stream *stream)
{
	if (!stream || stream->ops != &server_ops)
		return NULL;
	return server_of(h1_flow_of(stream)->connection);
}
