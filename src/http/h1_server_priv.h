/* A client's connection, as its two files know it: h1_server.c speaks HTTP/1 on
 * it, h1_service.c opens it, lets it wait and ends it. */
#ifndef YUMEN_HTTP_H1_SERVER_PRIV_H
#define YUMEN_HTTP_H1_SERVER_PRIV_H

#include "http/h1_priv.h"
#include "http/server.h"
#include "http/worker_priv.h"

enum server_state {
	SERVER_IDLE, /* between requests: no flow, no buffer */
	SERVER_HEAD, /* some of a head has come */
	SERVER_BUSY, /* an exchange has the stream */
	SERVER_REFUSING, /* the answer to what was no request is going out */
	SERVER_LINGERING, /* our side has ended; what comes is thrown away */
	SERVER_CLOSED, /* freed by the task */
};

struct http_server {
	struct h1_connection connection; /* first */
	struct http_service *service;
	struct list link; /* in the service */
	struct http_waiter waiter; /* in one of the worker's queues */
	struct net_address peer, local;
	uint8_t state;
};

static inline struct http_connection_pools *
h1_server_pools(struct http_server *server)
{
	return server->connection.worker->pools;
}

/* Closing marks; the task frees, when nobody up the stack can hold it. */
void h1_server_close(struct http_server *server);
/* Of a closed one, at once: not from within its own call. */
void h1_server_free(struct http_server *server);
/* Answer what is no request, then end. */
void h1_server_refuse(struct http_server *server, enum error error, int status);
void h1_server_on_ready(struct net_watch *watch, unsigned events);
/* Deferred: free what was closed, go on with what is pipelined. */
void h1_server_run(struct net_task *task);

#endif
