/* Sockets that are lent to a worker. A listening descriptor is the lender's: it
 * is accepted on, never closed here. */
#include "proxy/socket.h"

#include <stdio.h>
#include "core/log.h"
#include "core/memory.h"
#include "core/must.h"
#include "proxy/worker_priv.h"

#define PENDING_MAX 4096 /* as long as a backlog may be, net.core.somaxconn */

void
proxy_sockets_init(struct proxy_sockets *sockets)
{
	pthread_mutex_init(&sockets->lock, NULL);
	list_init(&sockets->list);
}

static void
free_socket(struct proxy_socket *socket)
{
	if (socket->opened) {
		must(socket->service.connection_count == 0);
		net_acceptor_close(&socket->acceptor);
		net_timer_clear(&socket->service.drain_timer);
	}
	list_remove(&socket->link);
	memory_free(socket);
}

void
proxy_sockets_fini(struct proxy_sockets *sockets)
{
	LIST_FOR_EACH_SAFE(at, &sockets->list)
	{
		free_socket(container_of(at, struct proxy_socket, link));
	}
	pthread_mutex_destroy(&sockets->lock);
}

void
proxy_sockets_lend(struct proxy_sockets *sockets, struct proxy_worker *worker,
    uint32_t id, int fd, uint16_t port, bool tls)
{
	must(fd >= 0);
	struct proxy_socket *socket = memory_zero(1, sizeof(*socket));
	socket->worker = worker;
	socket->id = id;
	socket->fd = fd;
	socket->port = port;
	socket->secure = tls;
	socket->port_length = (uint8_t)snprintf(
	    socket->port_text, sizeof(socket->port_text), "%u", port);
	pthread_mutex_lock(&sockets->lock);
	list_insert(&sockets->list, &socket->link);
	pthread_mutex_unlock(&sockets->lock);
}

void
proxy_sockets_take_back(struct proxy_sockets *sockets, int fd)
{
	pthread_mutex_lock(&sockets->lock);
	LIST_FOR_EACH(at, &sockets->list)
	{
		struct proxy_socket *socket =
		    container_of(at, struct proxy_socket, link);
		if (socket->fd == fd && socket->state < PROXY_SOCKET_TAKEN)
			socket->state = PROXY_SOCKET_TAKEN;
	}
	pthread_mutex_unlock(&sockets->lock);
}

bool
proxy_sockets_accepts(struct proxy_sockets *sockets, int fd)
{
	bool found = false;
	pthread_mutex_lock(&sockets->lock);
	LIST_FOR_EACH(at, &sockets->list)
	{
		struct proxy_socket *socket =
		    container_of(at, struct proxy_socket, link);
		found |=
		    socket->fd == fd && socket->state != PROXY_SOCKET_DRAINS;
	}
	pthread_mutex_unlock(&sockets->lock);
	return found;
}

static void
on_accept(struct net_acceptor *acceptor, int fd, const struct net_address *peer)
{
	struct proxy_socket *socket =
	    container_of(acceptor, struct proxy_socket, acceptor);
	/* When it fails the connection is closed, and counted, below us. */
	(void)!http_server_open(&socket->service, fd, peer, &socket->local);
}

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	const struct proxy_socket *socket = context;
	struct proxy_worker *worker = socket->worker;
	return proxy_tls_choose(
	    worker->tls, worker->set, socket->id, server_name, choice);
}

static void
open_tls(struct proxy_socket *socket)
{
	struct proxy_worker *worker = socket->worker;
	if (!worker->tls)
		worker->tls = proxy_tls_new(&worker->metrics);
	socket->tls = (struct net_tls_server){
	    .profile = proxy_tls_profile(worker->tls),
	    .choose = choose,
	    .context = socket,
	};
	socket->service.tls = &socket->tls;
	socket->service.secure = true;
}

static void
open_socket(struct proxy_socket *socket)
{
	struct proxy_worker *worker = socket->worker;
	socket->state = PROXY_SOCKET_SERVES;
	socket->opened = true;
	http_service_init(&socket->service, &worker->http,
	    socket->secure ? &proxy_secure_handler : &proxy_handler, socket);
	if (socket->secure)
		open_tls(socket);
	/* It fails for none of our sockets; "-" is then what is told. */
	(void)!net_address_local(socket->fd, &socket->local);
	socket->local_length =
	    (uint8_t)net_address_format(&socket->local, socket->local_text);
	enum error error = net_acceptor_open(
	    &socket->acceptor, worker->loop, socket->fd, on_accept);
	socket->acceptor.metrics = &worker->metrics;
	if (error != ERROR_OK)
		log_event(LOG_WORKER_SOCKET_FAILED,
		    LOG_NUMBER("worker", worker->options.number),
		    LOG_NUMBER("port", socket->port),
		    LOG_STRING("error", error_text(error)));
}

/* What the kernel has accepted for us already is served too: it would be reset
 * when the lender closes the descriptor. */
static void
accept_pending(struct net_acceptor *acceptor)
{
	if (!acceptor->loop)
		return;
	acceptor->accepts_per_turn = PENDING_MAX;
	acceptor->watch.on_ready(&acceptor->watch, NET_READABLE);
}

static void
drain_socket(struct proxy_socket *socket)
{
	if (socket->state == PROXY_SOCKET_TAKEN)
		socket->id = SNAP_ID_NONE;
	socket->state = PROXY_SOCKET_DRAINS;
	if (!socket->opened)
		return;
	accept_pending(&socket->acceptor);
	net_acceptor_close(&socket->acceptor);
	http_service_drain(&socket->service);
}

struct proxy_sockets_left
proxy_sockets_tend(struct proxy_sockets *sockets, bool drain)
{
	struct proxy_sockets_left left = {0};
	pthread_mutex_lock(&sockets->lock);
	LIST_FOR_EACH_SAFE(at, &sockets->list)
	{
		struct proxy_socket *socket =
		    container_of(at, struct proxy_socket, link);
		if (socket->state == PROXY_SOCKET_LENT && !drain)
			open_socket(socket);
		if (socket->state == PROXY_SOCKET_TAKEN ||
		    (drain && socket->state < PROXY_SOCKET_TAKEN)) {
			drain_socket(socket);
			left.changed = true;
		}
		if (socket->state == PROXY_SOCKET_DRAINS &&
		    socket->service.connection_count == 0) {
			free_socket(socket);
			left.changed = true;
			continue;
		}
		left.any = true;
		left.draining |= socket->state == PROXY_SOCKET_DRAINS;
	}
	pthread_mutex_unlock(&sockets->lock);
	return left;
}

bool
proxy_sockets_abort(struct proxy_sockets *sockets)
{
	bool left = false;
	pthread_mutex_lock(&sockets->lock);
	LIST_FOR_EACH(at, &sockets->list)
	{
		struct proxy_socket *socket =
		    container_of(at, struct proxy_socket, link);
		if (!socket->opened)
			continue;
		net_acceptor_close(&socket->acceptor);
		http_service_abort(&socket->service);
		left |= socket->service.connection_count > 0;
	}
	pthread_mutex_unlock(&sockets->lock);
	return left;
}
