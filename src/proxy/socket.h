/* Listening sockets lent to a worker: a small table under a lock, in which the
 * control thread notes what it wants and the worker does it when it wakes. */
#ifndef YUMEN_PROXY_SOCKET_H
#define YUMEN_PROXY_SOCKET_H

#include <pthread.h>
#include "http/server.h"
#include "net/listener.h"
#include "net/tls.h"
#include "proxy/stamp.h"

struct proxy_worker;

enum proxy_socket_state {
	PROXY_SOCKET_LENT, /* to be opened */
	PROXY_SOCKET_SERVES,
	PROXY_SOCKET_TAKEN, /* to be drained */
	PROXY_SOCKET_DRAINS,
};

struct proxy_socket {
	struct list link; /* under the lock */
	enum proxy_socket_state state; /* under the lock */
	bool opened; /* acceptor and service are in use */
	bool secure; /* it speaks TLS */
	uint32_t id; /* SNAP_ID_NONE once it was taken back */
	int fd; /* the lender's, and closed when it drains */
	uint16_t port;
	uint8_t port_length;
	uint8_t local_length;
	char port_text[PROXY_PORT_BYTES];
	char local_text[NET_ADDRESS_TEXT];
	struct proxy_worker *worker;
	struct net_acceptor acceptor;
	struct net_address local;
	struct http_service service;
	struct net_tls_server tls; /* when service.secure */
};

struct proxy_sockets {
	pthread_mutex_t lock;
	struct list list;
};

void proxy_sockets_init(struct proxy_sockets *sockets);
void proxy_sockets_fini(struct proxy_sockets *sockets);

/* Any thread. */
void proxy_sockets_lend(struct proxy_sockets *sockets,
    struct proxy_worker *worker, uint32_t id, int fd, uint16_t port, bool tls);
void proxy_sockets_take_back(struct proxy_sockets *sockets, int fd);
bool proxy_sockets_accepts(struct proxy_sockets *sockets, int fd);

/* The worker's thread. */
struct proxy_sockets_left {
	bool any; /* lent still */
	bool draining; /* look again soon */
	bool changed; /* one accepts no more */
};
/* Do with each what was asked for; with drain, drain all. */
struct proxy_sockets_left proxy_sockets_tend(
    struct proxy_sockets *sockets, bool drain);
/* Close all connections at once; true when some are not gone yet, but will be
 * within a turn of the loop. */
bool proxy_sockets_abort(struct proxy_sockets *sockets);

#endif
