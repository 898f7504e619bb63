/* The connections of a service: opened within their limits, ended when they
 * have waited too long, drained, aborted. One queue a worker and kind of wait,
 * so that one timer serves all connections.
 *
 * What it never does: read or write on one. */
#include "http/server.h"

#include "core/must.h"
#include "http/exchange_priv.h"
#include "http/h1_server_priv.h"
#include "net/tls.h"

static void
expire(struct http_waiter *waiter, enum limit limit)
{
	struct http_server *server =
	    container_of(waiter, struct http_server, waiter);

	limit_hit(server->connection.worker->metrics, limit);
	h1_server_close(server);
}

static void
on_idle_expired(struct http_waiter *waiter)
{
	expire(waiter, LIMIT_KEEP_ALIVE_MS);
}

static void
on_linger_expired(struct http_waiter *waiter)
{
	expire(waiter, LIMIT_CLOSE_LINGER_MS);
}

static void
on_head_expired(struct http_waiter *waiter)
{
	struct http_server *server =
	    container_of(waiter, struct http_server, waiter);

	limit_hit(server->connection.worker->metrics, LIMIT_REQUEST_HEAD_MS);
	h1_server_refuse(server, ERROR_TIMEOUT, 408);
}

void
h1_servers_init(struct http_worker *worker)
{
	struct http_connection_pools *pools = worker->pools;

	http_slab_init(&pools->servers, sizeof(struct http_server));
	http_queue_init(&pools->idle, worker->loop, LIMIT_VALUE_KEEP_ALIVE_MS,
	    on_idle_expired);
	http_queue_init(&pools->heading, worker->loop,
	    LIMIT_VALUE_REQUEST_HEAD_MS, on_head_expired);
	http_queue_init(&pools->lingering, worker->loop,
	    LIMIT_VALUE_CLOSE_LINGER_MS, on_linger_expired);
}

void
h1_servers_fini(struct http_worker *worker)
{
	net_timer_clear(&worker->pools->idle.timer);
	net_timer_clear(&worker->pools->heading.timer);
	net_timer_clear(&worker->pools->lingering.timer);
}

/* Room for one more connection, at the cost of the one that rested longest. */
static bool
make_room(struct http_worker *worker)
{
	struct http_connection_pools *pools = worker->pools;

	if (likely(pools->server_count < LIMIT_VALUE_CONNECTIONS))
		return true;
	limit_hit(worker->metrics, LIMIT_CONNECTIONS);
	if (list_is_empty(&pools->idle.waiters))
		return false;
	h1_server_close(container_of(
	    pools->idle.waiters.next, struct http_server, waiter.link));
	return true;
}

enum error
http_server_open(struct http_service *service, int fd,
    const struct net_address *peer, const struct net_address *local)
{
	struct http_worker *worker = service->worker;
	struct http_server *server = http_slab_take(&worker->pools->servers);
	struct h1_connection *connection = &server->connection;

	enum error error = service->tls
	    ? net_tls_accept(&connection->socket, worker->loop, fd,
	          h1_server_on_ready, service->tls)
	    : net_stream_open_fd(
	          &connection->socket, worker->loop, fd, h1_server_on_ready);
	if (error == ERROR_OK && !make_room(worker)) {
		net_stream_close(&connection->socket);
		error = ERROR_LIMIT;
	}
	if (error != ERROR_OK) {
		http_slab_give(&worker->pools->servers, server);
		return error;
	}
	connection->worker = worker;
	net_task_init(&connection->task, h1_server_run);
	server->service = service;
	server->peer = *peer;
	server->local = *local;
	server->state = SERVER_IDLE;
	list_init(&server->waiter.link);
	list_insert(&service->connections, &server->link);
	service->connection_count++;
	worker->pools->server_count++;
	http_queue_push(&worker->pools->idle, &server->waiter);
	metric_add(worker->metrics, METRIC_CONNECTIONS_ACCEPTED, 1);
	metric_add(worker->metrics, METRIC_CONNECTIONS_OPEN, 1);
	return ERROR_OK;
}

static void
drain_idle(struct http_service *service)
{
	struct net_loop *loop = service->worker->loop;
	uint64_t now_ms = net_loop_now_ms(loop);

	LIST_FOR_EACH_SAFE(at, &service->connections)
	{
		struct http_server *server =
		    container_of(at, struct http_server, link);

		if (server->state == SERVER_IDLE &&
		    http_waiter_is_queued(&server->waiter) &&
		    now_ms - server->waiter.since_ms >=
		        LIMIT_VALUE_DRAIN_IDLE_MS) {
			limit_hit(
			    service->worker->metrics, LIMIT_DRAIN_IDLE_MS);
			h1_server_close(server);
		}
	}
	if (!list_is_empty(&service->connections))
		net_timer_set(
		    loop, &service->drain_timer, LIMIT_VALUE_DRAIN_IDLE_MS / 4);
}

static void
on_drain_timer(struct net_timer *timer)
{
	drain_idle(container_of(timer, struct http_service, drain_timer));
}

void
http_service_init(struct http_service *service, struct http_worker *worker,
    const struct http_handler *handler, void *handler_context)
{
	*service = (struct http_service){
	    .worker = worker,
	    .handler = handler,
	    .handler_context = handler_context,
	};
	list_init(&service->connections);
	net_timer_init(&service->drain_timer, on_drain_timer);
}

void
http_service_drain(struct http_service *service)
{
	service->draining = true;
	drain_idle(service);
}

void
http_service_abort(struct http_service *service)
{
	net_timer_clear(&service->drain_timer);
	LIST_FOR_EACH_SAFE(at, &service->connections)
	{
		struct http_server *server =
		    container_of(at, struct http_server, link);

		if (server->state == SERVER_BUSY)
			http_exchange_finish(
			    server->connection.flow->stream.exchange,
			    ERROR_CANCELLED);
		h1_server_close(server);
		h1_server_free(server);
	}
	must(service->connection_count == 0);
}

const struct net_address *
http_exchange_peer(const struct http_exchange *exchange)
{
	const struct http_server *server = h1_server_of(exchange->server);

	return server ? &server->peer : NULL;
}

const struct http_service *
http_exchange_service(const struct http_exchange *exchange)
{
	const struct http_server *server = h1_server_of(exchange->server);

	return server ? server->service : NULL;
}

const struct net_stream *
http_exchange_socket(const struct http_exchange *exchange)
{
	struct http_server *server = h1_server_of(exchange->server);

	return server ? &server->connection.socket : NULL;
}
