/* The client's side of HTTP/1: a connection to a server, lent for one request
 * at a time. It can serve another only when both messages were whole, framed
 * without doubt, and nothing came after them.
 *
 * What it never does: choose a server, pool, or retry. */
#include "http/client.h"

#include "core/must.h"
#include "http/h1_priv.h"
#include "http/worker_priv.h"
#include "net/tls.h"

enum client_state {
	CLIENT_CONNECTING,
	CLIENT_IDLE,
	CLIENT_LENT,
	CLIENT_CLOSED, /* the task tells the owner and frees */
};

#define BIT(state) (1u << (state))
static const unsigned moves[] = {
    [CLIENT_CONNECTING] = BIT(CLIENT_IDLE) | BIT(CLIENT_CLOSED),
    [CLIENT_IDLE] = BIT(CLIENT_LENT) | BIT(CLIENT_CLOSED),
    [CLIENT_LENT] = BIT(CLIENT_IDLE) | BIT(CLIENT_CLOSED),
    [CLIENT_CLOSED] = 0,
};

struct http_client {
	struct h1_connection connection; /* first */
	const struct http_client_owner_ops *ops; /* NULL: nobody to tell */
	void *owner;
	struct list link; /* the owner's */
	struct list worker_link;
	struct net_timer timer; /* for the connect */
	struct net_address address;
	uint32_t interim_bytes; /* of the interim head that was presented */
	uint8_t state;
	bool shakes; /* the connect's time is over, the handshake goes on */
	bool served; /* a request before */
	bool looked; /* for an answer, after a write has failed */
};

static const struct http_stream_ops client_ops;

static inline struct http_client *
client_of(struct h1_connection *connection)
{
	return container_of(connection, struct http_client, connection);
}

static void
set_state(struct http_client *client, enum client_state state)
{
	must(moves[client->state] & BIT(state));
	client->state = state;
}

/* Closing marks; the task tells the owner and frees. */
static void
client_close(struct http_client *client)
{
	struct h1_connection *connection = &client->connection;

	set_state(client, CLIENT_CLOSED);
	net_stream_close(&connection->socket);
	net_timer_clear(&client->timer);
	if (connection->flow)
		h1_flow_give(connection);
	net_loop_defer(connection->worker->loop, &connection->task);
}

static void
client_free(struct http_client *client)
{
	struct http_worker *worker = client->connection.worker;

	must(client->state == CLIENT_CLOSED);
	net_task_cancel(worker->loop, &client->connection.task);
	list_remove(&client->link);
	list_remove(&client->worker_link);
	metric_subtract(worker->metrics, METRIC_BACKEND_CONNECTIONS_OPEN, 1);
	http_slab_give(&worker->pools->clients, client);
}

/* The connect is over. */
static void
finish_connect(struct http_client *client, enum error error)
{
	const struct http_client_owner_ops *ops = client->ops;

	net_timer_clear(&client->timer);
	if (error == ERROR_OK) {
		set_state(client, CLIENT_IDLE);
		ops->on_connected(client, client->owner, ERROR_OK);
		return;
	}
	metric_add(client->connection.worker->metrics,
	    METRIC_BACKEND_CONNECT_FAILURES, 1);
	client->ops = NULL;
	client_close(client);
	ops->on_connected(client, client->owner, error);
}

static void
begin_response(struct http_client *client, size_t used)
{
	struct h1_flow *flow = client->connection.flow;
	struct wire_head *head = &flow->head;
	struct http_stream *stream = &flow->stream;

	if (head->status < 200 && head->status != 101) {
		if (++flow->interims > LIMIT_VALUE_INTERIM_RESPONSES) {
			limit_hit(client->connection.worker->metrics,
			    LIMIT_INTERIM_RESPONSES);
			http_stream_fail_in(stream, ERROR_LIMIT);
			return;
		}
		client->interim_bytes = (uint32_t)used;
		http_stream_set_in(stream, HTTP_IN_INTERIM);
		return;
	}
	bool upgraded = head->status == 101;
	if ((upgraded && (!flow->upgrade || stream->out != HTTP_OUT_END)) ||
	    (!upgraded && head->body == HEAD_BODY_TUNNEL)) {
		http_stream_fail_in(stream, ERROR_HTTP_BAD_UPGRADE);
		return;
	}
	h1_input_begin(flow, used);
	if (upgraded)
		h1_flow_tunnel(flow);
	if (!head->keep_alive || flow->in.framing == H1_FRAMING_UNTIL_CLOSE)
		flow->last = true;
}

static void
begin_parser(struct h1_flow *flow)
{
	static const struct wire_h1_limits limits = {
	    .head_bytes = LIMIT_VALUE_RESPONSE_HEAD_BYTES,
	    .target_bytes = 0,
	    .fields = LIMIT_VALUE_RESPONSE_FIELDS,
	};

	wire_h1_parser_init(&flow->in.parser, &limits);
}

/* Read and parse until a head is there or nothing more is. Bounded by the limit
 * on a head. */
static void
read_head(struct http_client *client)
{
	struct h1_connection *connection = &client->connection;
	struct h1_flow *flow = connection->flow;
	struct http_stream *stream = &flow->stream;

	if (stream->out == HTTP_OUT_HEAD) { /* an answer to what? */
		if (!net_stream_is_quiet(&connection->socket))
			http_stream_fail_in(stream, ERROR_CLOSED);
		return;
	}
	for (;;) {
		struct slice raw = h1_input_raw(&flow->in);
		ssize_t used = raw.length == 0
		    ? 0
		    : wire_h1_response_feed(
		          &flow->in.parser, raw, flow->method, &flow->head);
		if (used > 0) {
			begin_response(client, (size_t)used);
			return;
		}
		if (used < 0) {
			h1_count_limit(flow, (enum error) - used);
			http_stream_fail_in(stream, (enum error) - used);
			return;
		}
		if (!connection->socket.readable)
			return;
		enum error error = h1_input_read(flow);
		if (error == ERROR_AGAIN)
			return;
		if (error != ERROR_OK) {
			http_stream_fail_in(stream, error);
			return;
		}
		stream->fresh = false;
	}
}

static void
client_on_ready(struct net_watch *watch, unsigned events)
{
	struct http_client *client =
	    container_of(watch, struct http_client, connection.socket.watch);
	struct h1_connection *connection = &client->connection;
	struct http_stream *stream;
	enum error error;

	net_stream_note(&connection->socket, events);
	if (events & NET_FAILED)
		connection->broken = true;
	switch (client->state) {
	case CLIENT_CONNECTING:
		error = net_stream_connected(&connection->socket);
		if (error != ERROR_AGAIN)
			finish_connect(client, error);
		break;
	case CLIENT_IDLE:
		if (!net_stream_is_quiet(&connection->socket))
			client_close(client);
		break;
	case CLIENT_LENT:
		stream = &connection->flow->stream;
		if (events & NET_WRITABLE)
			h1_flush(stream);
		if (stream->in == HTTP_IN_WAIT)
			read_head(client);
		http_stream_wake(stream);
		break;
	default:
		break;
	}
}

/* Deferred: what could not be done where it was found out. */
static void
client_run(struct net_task *task)
{
	struct http_client *client =
	    container_of(task, struct http_client, connection.task);

	if (client->state == CLIENT_CLOSED) {
		const struct http_client_owner_ops *ops = client->ops;

		list_remove(&client->link);
		if (ops)
			ops->on_closed(client, client->owner);
		client_free(client);
	} else if (client->state == CLIENT_LENT &&
	    client->connection.flow->stream.in == HTTP_IN_WAIT) {
		read_head(client);
		http_stream_wake(&client->connection.flow->stream);
	}
}

static void
client_take_interim(struct http_stream *stream)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct http_client *client = client_of(flow->connection);

	must(stream->in == HTTP_IN_INTERIM);
	http_stream_set_in(stream, HTTP_IN_WAIT);
	flow->in.next += client->interim_bytes;
	flow->in.body = flow->in.body_end = flow->in.next;
	begin_parser(flow);
	read_head(client);
}

static enum error
client_send_head(struct http_stream *stream, struct wire_head *head)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct wire_h1_framing framing = {
	    .chunked = head->body == HEAD_BODY_UNTIL_END};

	must(stream->out == HTTP_OUT_HEAD);
	enum error error =
	    h1_output_head(flow, head, &framing, wire_h1_request_write);
	if (unlikely(error != ERROR_OK))
		return error;
	flow->method = head->method_id;
	flow->upgrade = slice_is_set(head->upgrade);
	if (framing.chunked) {
		flow->out.framing = H1_FRAMING_CHUNKED;
	} else if (head->body == HEAD_BODY_LENGTH) {
		flow->out.framing = H1_FRAMING_LENGTH;
		flow->out.left = head->content_length;
	}
	http_stream_set_out(stream, HTTP_OUT_BODY);
	return ERROR_OK;
}

/* A server that has answered early may have closed: what it said is there to be
 * read although it takes no more. One look is enough, edges tell the rest. */
static void
client_flush(struct http_stream *stream)
{
	struct h1_connection *connection = h1_flow_of(stream)->connection;
	struct http_client *client = client_of(connection);

	h1_flush(stream);
	if (unlikely(stream->out == HTTP_OUT_FAILED) && !client->looked &&
	    stream->in == HTTP_IN_WAIT && connection->socket.ops) {
		client->looked = true;
		connection->socket.readable = true;
		net_loop_defer(connection->worker->loop, &connection->task);
	}
}

static bool
can_serve_another(struct h1_flow *flow)
{
	struct h1_connection *connection = flow->connection;

	return flow->stream.in == HTTP_IN_END &&
	    flow->stream.out == HTTP_OUT_END && !flow->last &&
	    h1_input_raw(&flow->in).length == 0 && !connection->broken &&
	    net_stream_is_quiet(&connection->socket);
}

static void
client_release(struct http_stream *stream, enum error error)
{
	struct h1_flow *flow = h1_flow_of(stream);
	struct http_client *client = client_of(flow->connection);

	must(client->state == CLIENT_LENT);
	stream->exchange = NULL;
	if (error != ERROR_OK || !can_serve_another(flow)) {
		h1_flow_break(flow);
		client_close(client);
		return;
	}
	h1_flow_give(&client->connection);
	set_state(client, CLIENT_IDLE);
	client->served = true;
	client->ops->on_idle(client, client->owner);
}

static const struct http_stream_ops client_ops = {
    .name = "h1 client",
    .take_interim = client_take_interim,
    .peek = h1_peek,
    .consume = h1_consume,
    .send_head = client_send_head,
    .send_body = h1_send_body,
    .send_end = h1_send_end,
    .flush = client_flush,
    .release = client_release,
    .splice = &h1_splice_ops,
};

/* A handshake that is under way has some time more. */
static void
on_connect_timer(struct net_timer *timer)
{
	struct http_client *client =
	    container_of(timer, struct http_client, timer);
	const struct net_stream *socket = &client->connection.socket;
	struct metrics *metrics = client->connection.worker->metrics;
	bool shakes = net_stream_is_tls(socket) && net_tls_is_shaking(socket);

	if (shakes && !client->shakes) {
		client->shakes = true;
		net_timer_set(
		    socket->loop, timer, LIMIT_VALUE_BACKEND_HANDSHAKE_MS);
		return;
	}
	if (shakes)
		metric_add(metrics, METRIC_TLS_CLIENT_FAILED_TIMEOUT, 1);
	limit_hit(
	    metrics, shakes ? LIMIT_BACKEND_HANDSHAKE_MS : LIMIT_CONNECT_MS);
	finish_connect(client, ERROR_TIMEOUT);
}

void
h1_clients_init(struct http_worker *worker)
{
	http_slab_init(&worker->pools->clients, sizeof(struct http_client));
	list_init(&worker->pools->client_list);
}

/* Those whose owners closed them, but whose task has not come. */
void
h1_clients_fini(struct http_worker *worker)
{
	LIST_FOR_EACH_SAFE(at, &worker->pools->client_list)
	client_free(container_of(at, struct http_client, worker_link));
}

struct http_client *
http_client_open(struct http_worker *worker, const struct net_address *address,
    const struct net_tls_client *tls, const struct http_client_owner_ops *ops,
    void *owner, uint32_t connect_ms, enum error *error)
{
	must(ops && connect_ms > 0);
	struct http_client *client = http_slab_take(&worker->pools->clients);
	struct h1_connection *connection = &client->connection;

	metric_add(worker->metrics, METRIC_BACKEND_CONNECTS, 1);
	*error = tls ? net_tls_connect(&connection->socket, worker->loop,
	                   address, client_on_ready, tls)
	             : net_stream_connect(&connection->socket, worker->loop,
	                   address, client_on_ready);
	if (*error != ERROR_OK) {
		metric_add(worker->metrics, METRIC_BACKEND_CONNECT_FAILURES, 1);
		http_slab_give(&worker->pools->clients, client);
		return NULL;
	}
	connection->worker = worker;
	net_task_init(&connection->task, client_run);
	client->ops = ops;
	client->owner = owner;
	client->address = *address;
	client->state = CLIENT_CONNECTING;
	list_init(&client->link);
	list_insert(&worker->pools->client_list, &client->worker_link);
	net_timer_init(&client->timer, on_connect_timer);
	net_timer_set(worker->loop, &client->timer, connect_ms);
	metric_add(worker->metrics, METRIC_BACKEND_CONNECTIONS_OPEN, 1);
	return client;
}

void
http_client_set_owner(struct http_client *client, void *owner)
{
	client->owner = owner;
}

const struct net_address *
http_client_address(const struct http_client *client)
{
	return &client->address;
}

const struct net_stream *
http_client_socket(const struct http_client *client)
{
	return &client->connection.socket;
}

struct list *
http_client_link(struct http_client *client)
{
	return &client->link;
}

struct http_client *
http_client_from_link(struct list *link)
{
	return container_of(link, struct http_client, link);
}

struct http_stream *
http_client_lend(struct http_client *client)
{
	struct h1_connection *connection = &client->connection;

	if (client->state == CLIENT_CLOSED)
		return NULL;
	must(client->state == CLIENT_IDLE);
	if (!net_stream_is_quiet(&connection->socket)) {
		client_close(client);
		return NULL;
	}
	struct h1_flow *flow = h1_flow_take(connection, &client_ops);

	begin_parser(flow);
	flow->stream.fresh = true;
	flow->stream.reused = client->served;
	set_state(client, CLIENT_LENT);
	return &flow->stream;
}

void
http_client_close(struct http_client *client)
{
	must(client->state != CLIENT_LENT);
	client->ops = NULL;
	list_remove(&client->link);
	if (client->state != CLIENT_CLOSED)
		client_close(client);
}
