/* See peer.h. What goes wrong here aborts the test. */
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/must.h"
#include "core/slice.h"

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static uint16_t
bound_port(int fd)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	must(getsockname(fd, (struct sockaddr *)&at, &size) == 0);
	return ntohs(at.sin_port);
}

int
peer_listen(uint16_t *port)
{
	struct sockaddr_in at = loopback(0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	must(fd >= 0);
	must(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	must(listen(fd, 512) == 0);
	*port = bound_port(fd);
	return fd;
}

int
peer_listen_full(uint16_t *port, int *other)
{
	int fd = peer_listen(port);

	/* The one that it has room for. */
	must(listen(fd, 0) == 0);
	*other = peer_connect(*port);
	must(*other >= 0);
	return fd;
}

uint16_t
peer_dead_port(void)
{
	uint16_t port;

	close(peer_listen(&port));
	return port;
}

int
peer_connect(uint16_t port)
{
	struct sockaddr_in at = loopback(port);
	struct timeval limit = {.tv_sec = 20};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool
peer_send(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		text += sent;
		left -= (size_t)sent;
	}
	return true;
}

/* A head, byte by byte: nothing of what follows is taken. */
static bool
read_head(int fd, char *head, size_t size)
{
	size_t length = 0;

	while (length + 1 < size) {
		if (recv(fd, head + length, 1, 0) != 1)
			return false;
		head[++length] = '\0';
		if (length >= 4 && strcmp(head + length - 4, "\r\n\r\n") == 0)
			return true;
	}
	return false;
}

static uint64_t
content_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length: ");
	uint64_t length = 0;

	if (!at)
		return 0;
	at += strlen("\r\ncontent-length: ");
	must(slice_to_number(
	    slice_make(at, strspn(at, "0123456789")), 1 << 20, &length));
	return length;
}

static bool
read_body(int fd, char *body, size_t size, uint64_t length)
{
	size_t done = 0;

	must(length < size);
	while (done < length) {
		ssize_t got = recv(fd, body + done, length - done, 0);
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	body[done] = '\0';
	return true;
}

bool
peer_receive(int fd, bool is_head, struct peer_answer *answer)
{
	uint64_t status;

	memset(answer, 0, sizeof(*answer));
	if (!read_head(fd, answer->head, sizeof(answer->head)))
		return false;
	must(strncmp(answer->head, "HTTP/1.1 ", 9) == 0);
	must(slice_to_number(slice_make(answer->head + 9, 3), 999, &status));
	answer->status = (int)status;
	answer->close =
	    strcasestr(answer->head, "\r\nconnection: close") != NULL;
	return is_head ||
	    read_body(fd, answer->body, sizeof(answer->body),
	        content_length(answer->head));
}

bool
peer_ask(int fd, const char *text, struct peer_answer *answer)
{
	return peer_send(fd, text) &&
	    peer_receive(fd, strncmp(text, "HEAD ", 5) == 0, answer);
}

bool
peer_get(uint16_t port, const char *path, struct peer_answer *answer)
{
	char text[512];
	int fd = peer_connect(port);

	if (fd < 0)
		return false;
	snprintf(text, sizeof(text),
	    "GET %s HTTP/1.1\r\nHost: a.example\r\n\r\n", path);
	bool answered = peer_ask(fd, text, answer);
	close(fd);
	return answered;
}

struct served {
	struct peer_backend *backend;
	int fd;
};

static bool
answer_with(int fd, const char *status, const char *fields, const char *body)
{
	char text[8192];

	snprintf(text, sizeof(text),
	    "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", status,
	    strlen(body), fields, body);
	return peer_send(fd, text);
}

/* One request of a connection; false: close it. */
static bool
answer_one(struct served *served, unsigned nth)
{
	char head[4096], body[4096], path[256] = "";
	int fd = served->fd;

	if (!read_head(fd, head, sizeof(head)) ||
	    !read_body(fd, body, sizeof(body), content_length(head)))
		return false;
	atomic_fetch_add(&served->backend->requests, 1);
	must(sscanf(head, "%*s %255[^ ?]", path) == 1);
	if (strcmp(path, "/die") == 0)
		return false;
	if (strcmp(path, "/die-later") == 0 && nth > 0)
		return false;
	if (strcmp(path, "/slow") == 0)
		nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	if (strcmp(path, "/head") == 0)
		return answer_with(fd, "200 OK", "", head);
	if (strcmp(path, "/teapot") == 0)
		return answer_with(
		    fd, "418 I'm a teapot", "Server: pot\r\n", "");
	if (strcmp(path, "/junk") == 0)
		return peer_send(fd, "garbage\r\n\r\n") && false;
	if (strcmp(path, "/half") == 0)
		return peer_send(fd,
		           "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx") &&
		    false;
	if (strcmp(path, "/close") == 0)
		return answer_with(fd, "200 OK", "Connection: close\r\n",
		           served->backend->name) &&
		    false;
	return answer_with(fd, "200 OK", "", served->backend->name);
}

static void *
serve(void *context)
{
	struct served *served = context;
	struct pollfd poll_fd = {.fd = served->fd, .events = POLLIN};
	unsigned nth = 0;

	while (!atomic_load(&served->backend->stop)) {
		if (poll(&poll_fd, 1, 20) == 0)
			continue;
		if (!answer_one(served, nth++))
			break;
	}
	close(served->fd);
	atomic_fetch_sub(&served->backend->open, 1);
	memory_free(served);
	return NULL;
}

static void *
accept_all(void *context)
{
	struct peer_backend *backend = context;
	struct pollfd poll_fd = {.fd = backend->fd, .events = POLLIN};

	while (!atomic_load(&backend->stop)) {
		pthread_t thread;
		int one = 1;

		if (poll(&poll_fd, 1, 20) == 0)
			continue;
		int fd = accept4(backend->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		struct served *served = memory_zero(1, sizeof(*served));
		served->backend = backend;
		served->fd = fd;
		atomic_fetch_add(&backend->connections, 1);
		atomic_fetch_add(&backend->open, 1);
		must(pthread_create(&thread, NULL, serve, served) == 0);
		pthread_detach(thread);
	}
	return NULL;
}

void
peer_backend_start(struct peer_backend *backend, const char *name)
{
	memset(backend, 0, sizeof(*backend));
	backend->name = name;
	backend->fd = peer_listen(&backend->port);
	must(pthread_create(&backend->thread, NULL, accept_all, backend) == 0);
}

void
peer_backend_stop(struct peer_backend *backend)
{
	atomic_store(&backend->stop, true);
	pthread_join(backend->thread, NULL);
	while (atomic_load(&backend->open) > 0)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	close(backend->fd);
}
