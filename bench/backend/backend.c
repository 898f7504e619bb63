/* The backend of the benchmarks: one epoll loop that answers each request head
 * with a fixed body: /m 1 MiB, anything else 128 bytes. /e is answered with the
 * head that came and the number of connections so far, so that the bench sees
 * what a proxy does. It reads no bodies and checks nothing: it is to cost less
 * than what stands before it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define LARGE (1 << 20)

struct answer {
	size_t body, length;
	char *bytes;
};

struct connection {
	int fd;
	char head[4096];
	size_t filled;
	const struct answer *answer; /* being sent */
	struct answer echo; /* its bytes are owned */
	size_t sent;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static struct answer
answer_make(size_t body)
{
	struct answer answer = {.body = body};
	char head[128];
	int length = snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    body);

	answer.length = (size_t)length + body;
	answer.bytes = malloc(answer.length);
	if (answer.bytes == NULL)
		die("malloc");
	memcpy(answer.bytes, head, (size_t)length);
	memset(answer.bytes + length, 'x', body);
	return answer;
}

static unsigned long accepted;

/* The answer to /e, after a head of length bytes. */
static void
echo(struct connection *c, size_t length)
{
	struct answer *answer = &c->echo;
	char head[160];
	int head_bytes = snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "X-Accepted: %lu\r\nContent-Length: %zu\r\n\r\n",
	    accepted, length);

	answer->length = (size_t)head_bytes + length;
	answer->bytes = realloc(answer->bytes, answer->length);
	if (answer->bytes == NULL)
		die("realloc");
	memcpy(answer->bytes, head, (size_t)head_bytes);
	memcpy(answer->bytes + head_bytes, c->head, length);
	c->answer = answer;
}

/* False: the connection is over. */
static bool
send_on(struct connection *c)
{
	while (c->answer != NULL) {
		ssize_t n = send(c->fd, c->answer->bytes + c->sent,
		    c->answer->length - c->sent, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN;
		c->sent += (size_t)n;
		if (c->sent == c->answer->length)
			c->answer = NULL;
	}
	return true;
}

static bool
receive(struct connection *c, const struct answer answers[2])
{
	ssize_t n =
	    recv(c->fd, c->head + c->filled, sizeof(c->head) - c->filled, 0);
	const char *end;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->filled += (size_t)n;
	end = memmem(c->head, c->filled, "\r\n\r\n", 4);
	if (end == NULL)
		return c->filled < sizeof(c->head);
	c->answer = &answers[0];
	if (memcmp(c->head, "GET /m", 6) == 0)
		c->answer = &answers[1];
	if (memcmp(c->head, "GET /e", 6) == 0)
		echo(c, c->filled);
	c->sent = 0;
	c->filled = 0;
	return send_on(c);
}

static void
accept_all(int listener, int loop)
{
	int fd, one = 1;

	while ((fd = accept4(
	            listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *c = calloc(1, sizeof(*c));
		struct epoll_event event = {
		    .events = EPOLLIN | EPOLLOUT | EPOLLET};

		if (c == NULL)
			die("calloc");
		accepted++;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		c->fd = fd;
		event.data.ptr = c;
		if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) != 0)
			die("epoll_ctl");
	}
}

static int
listen_on(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	uint16_t number;

	if (sscanf(port, "%hu", &number) != 1)
		die(port);
	address.sin_port = htons(number);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(fd, 4096) != 0)
		die("listen");
	return fd;
}

int
main(int argc, char **argv)
{
	const struct answer answers[2] = {answer_make(128), answer_make(LARGE)};
	struct epoll_event events[EVENTS], first = {.events = EPOLLIN};
	int listener, loop = epoll_create1(0);

	if (argc != 2) {
		fputs("usage: backend PORT\n", stderr);
		return 2;
	}
	listener = listen_on(argv[1]);
	if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &first) != 0)
		die("epoll");
	for (;;) {
		int count = epoll_wait(loop, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			struct connection *c = events[i].data.ptr;

			if (c == NULL) {
				accept_all(listener, loop);
				continue;
			}
			if (c->answer != NULL ? send_on(c)
			                      : receive(c, answers))
				continue;
			close(c->fd);
			free(c->echo.bytes);
			free(c);
		}
	}
}
