/* The two ends around a worker in tests, over loopback: a backend that answers
 * by the path it is asked for, and a blocking client. */
#ifndef YUMEN_TEST_PROXY_PEER_H
#define YUMEN_TEST_PROXY_PEER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A thread that accepts, and one a connection. Answers 200 with its name, but:
 * /head      the request's head comes back as the body
 * /slow      after 200 ms
 * /die       closes without an answer
 * /die-later closes without an answer when the connection has served before
 * /half      a body that ends too early
 * /junk      no HTTP
 * /teapot    418 and a Server field
 * /close     answers and closes */
struct peer_backend {
	const char *name;
	int fd;
	uint16_t port;
	pthread_t thread;
	_Atomic bool stop;
	_Atomic unsigned connections, requests, open;
};
void peer_backend_start(struct peer_backend *backend, const char *name);
void peer_backend_stop(struct peer_backend *backend);

/* A port of loopback on which nobody listens. */
uint16_t peer_dead_port(void);
/* A listening socket, and its port. */
int peer_listen(uint16_t *port);
/* One that takes nobody: who connects to it waits. *other: to be closed too. */
int peer_listen_full(uint16_t *port, int *other);

struct peer_answer {
	int status;
	bool close; /* Connection: close */
	char head[4096];
	char body[4096];
};
int peer_connect(uint16_t port);
/* Send text as it is; read one answer. False: the connection ended first. */
bool peer_ask(int fd, const char *text, struct peer_answer *answer);
bool peer_send(int fd, const char *text);
bool peer_receive(int fd, bool is_head, struct peer_answer *answer);
/* "GET <path>" on a connection of its own. */
bool peer_get(uint16_t port, const char *path, struct peer_answer *answer);

#endif
