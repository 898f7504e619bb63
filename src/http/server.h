/* Server connections: a client's connection from accept to close. HTTP/1 now;
 * which codec speaks is chosen here (preface or ALPN) when HTTP/2 comes. */
#ifndef YUMEN_HTTP_SERVER_H
#define YUMEN_HTTP_SERVER_H

#include "http/exchange.h"
#include "net/address.h"

struct http_server; /* a connection */

/* What connections of one listening socket have in common; outlives them (it is
 * counted: connections). */
struct http_service {
	struct http_worker *worker;
	const struct http_handler *handler;
	void *handler_context;
	struct list connections; /* of this service */
	uint32_t connection_count;
	bool draining; /* of this service alone: as worker->draining */
	bool secure; /* TLS: the scheme is https */
};

void http_service_init(struct http_service *service, struct http_worker *worker,
    const struct http_handler *handler, void *handler_context);
/* Serve a connected socket (owned from now on). */
enum error http_server_open(struct http_service *service, int fd,
    const struct net_address *peer, const struct net_address *local) must_check;
/* Close idle connections now; busy ones say Connection: close and end after
 * their request. New requests on old connections are still served once. */
void http_service_drain(struct http_service *service);
/* Close all at once. */
void http_service_abort(struct http_service *service);

/* Who is at the other end of the exchange's server side. */
const struct net_address *http_exchange_peer(const struct http_exchange *exchange);
const struct http_service *http_exchange_service(
    const struct http_exchange *exchange);

#endif
