/* Client connections to a server: open, lend a stream for one request, keep
 * for the next. Which idle connection is used is the caller's pool's business.
 */
#ifndef YUMEN_HTTP_CLIENT_H
#define YUMEN_HTTP_CLIENT_H

#include "http/exchange.h"
#include "net/address.h"

struct http_client; /* a connection */
struct net_tls_client;

struct http_client_owner_ops {
	/* The connect is done (OK) or failed (the connection is then closed
	 * after this call). Never called from within http_client_open. */
	void (*on_connected)(
	    struct http_client *, void *owner, enum error error);
	/* The request it was lent for is over and it can serve another. It may
	 * be lent again at once. */
	void (*on_idle)(struct http_client *, void *owner);
	/* It is gone (idle or lent); do not touch it after, the link is taken
	 * off the owner's list. Not called after a failed connect. */
	void (*on_closed)(struct http_client *, void *owner);
};

/* Start to connect. NULL when the socket cannot be made at all (*error). tls:
 * how it is spoken, NULL: in plain text; borrowed until on_connected or close,
 * its session as long as the connection. connect_ms bounds the connect; a
 * handshake that is under way by then has LIMIT_BACKEND_HANDSHAKE_MS more. */
struct http_client *http_client_open(struct http_worker *worker,
    const struct net_address *address, const struct net_tls_client *tls,
    const struct http_client_owner_ops *ops, void *owner, uint32_t connect_ms,
    enum error *error);
/* Change the owner argument (a pool that moved). */
void http_client_set_owner(struct http_client *client, void *owner);
/* Who it is connected to, and by what; for net_tls_facts. */
const struct net_stream *http_client_socket(const struct http_client *client);
const struct net_address *http_client_address(const struct http_client *client);
/* For the owner's list of idle connections; empty at first. */
struct list *http_client_link(struct http_client *client);
struct http_client *http_client_from_link(struct list *link);
/* A stream for one request on a connected, idle connection; NULL when the peer
 * has closed it meanwhile (on_closed comes, or came). */
struct http_stream *http_client_lend(struct http_client *client);
/* Close an idle or connecting one; on_closed is not called. */
void http_client_close(struct http_client *client);

#endif
