/* Server connections: a client's connection from accept to close. HTTP/1 now;
 * which codec speaks is chosen here (preface or ALPN) when HTTP/2 comes. */
#ifndef YUMEN_HTTP_SERVER_H
#define YUMEN_HTTP_SERVER_H

#include "http/exchange.h"
#include "net/address.h"

struct http_server; /* a connection */
struct net_stream;
struct net_tls_server;

/* What connections of one listening socket have in common; outlives them (it is
 * counted: connections). */
struct http_service {
	struct http_worker *worker;
	const struct http_handler *handler;
	void *handler_context;
	struct list connections; /* of this service */
	uint32_t connection_count;
	struct net_timer drain_timer;
	bool draining; /* of this service alone: as worker->draining */
	bool secure; /* TLS: the scheme is https */
	/* NULL: plain. Outlives the connections; secure is set with it. */
	const struct net_tls_server *tls;
};

void http_service_init(struct http_service *service, struct http_worker *worker,
    const struct http_handler *handler, void *handler_context);
/* Serve a connected socket (owned from now on, also when this fails). LIMIT:
 * too many connections and none of them idle. */
enum error http_server_open(struct http_service *service, int fd,
    const struct net_address *peer, const struct net_address *local) must_check;
/* Connections that have been idle for LIMIT_DRAIN_IDLE_MS are closed, now and
 * as they become so; an answer says Connection: close and ends its connection,
 * so that a client in the midst of sending loses nothing. */
void http_service_drain(struct http_service *service);
/* Close all at once: on_end comes, with CANCELLED, for each open request before
 * this returns. Not from a handler. */
void http_service_abort(struct http_service *service);

/* Who is at the other end of the exchange's server side; NULL when that is no
 * connection of this room. */
const struct net_address *http_exchange_peer(
    const struct http_exchange *exchange);
const struct http_service *http_exchange_service(
    const struct http_exchange *exchange);
/* The connection of its server side, for net_tls_facts; NULL as above. */
const struct net_stream *http_exchange_socket(
    const struct http_exchange *exchange);

#endif
