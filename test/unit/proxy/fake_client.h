/* Connections to backends as the http room offers them, without sockets: a
 * test says when a connect is done, a request over, a connection gone. */
#ifndef YUMEN_TEST_PROXY_FAKE_CLIENT_H
#define YUMEN_TEST_PROXY_FAKE_CLIENT_H

#include "http/client.h"

#define FAKE_CLIENTS 2048

struct http_client {
	struct list link; /* the owner's */
	struct http_stream stream;
	const struct http_client_owner_ops *ops;
	void *owner;
	struct net_address address;
	enum { FAKE_FREE, FAKE_OPENING, FAKE_IDLE, FAKE_LENT, FAKE_DEAD } state;
};

struct fake {
	struct http_client clients[FAKE_CLIENTS];
	unsigned opened; /* the next one */
	enum error refuse; /* http_client_open fails so */
};
extern struct fake fake;

void fake_reset(void);
/* How many are in that state. */
unsigned fake_count(int state);
void fake_connected(struct http_client *client, enum error error);
void fake_done(struct http_client *client); /* its request is over */
void fake_gone(struct http_client *client); /* it is closed */
struct http_client *fake_of(struct http_stream *stream);

#endif
