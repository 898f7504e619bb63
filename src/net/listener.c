/* Listening sockets, and accepting from them: so many a turn, then the others
 * get theirs; with no descriptor left it rests instead of spinning. */
#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/must.h"
#include "net/route.h"

static void accept_some(struct net_acceptor *);

static bool
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* The error in errno; closes *fd. */
static enum error
give_up(int *fd)
{
	enum error error = error_from_errno(errno);
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return error;
}

/* An IPv6 address that the host has by a local route alone can only be bound by
 * who says that it may be any. */
static bool
bind_freely(int fd, const struct net_address *address,
    const struct sockaddr_storage *at)
{
	if (errno != EADDRNOTAVAIL || address->family != AF_INET6)
		return false;
	bool is_local = net_route_local(address) != NET_LOCAL_NO;
	errno = EADDRNOTAVAIL; /* what asking the kernel made of it */
	return is_local && set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) &&
	    bind(fd, (const struct sockaddr *)at,
	        sizeof(struct sockaddr_in6)) == 0;
}

/* A TCP socket bound there, alone or with others. TCP_NODELAY is inherited by
 * what is accepted: a call less for each. */
static enum error
bind_tcp(const struct net_address *address, bool is_shared, int *fd)
{
	must(address->family);
	struct sockaddr_storage at;
	socklen_t size = net_address_to_sockaddr(address, &at);
	*fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    IPPROTO_TCP);
	if (*fd < 0 || !set(*fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    !set(*fd, SOL_SOCKET, SO_REUSEPORT, is_shared) ||
	    !set(*fd, IPPROTO_TCP, TCP_NODELAY, 1) ||
	    (at.ss_family == AF_INET6 &&
	        !set(*fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) ||
	    (bind(*fd, (struct sockaddr *)&at, size) != 0 &&
	        !bind_freely(*fd, address, &at)))
		return give_up(fd);
	return ERROR_OK;
}

enum error
net_listen_tcp(const struct net_address *address, int backlog, int *fd)
{
	enum error error = bind_tcp(address, true, fd);
	if (error == ERROR_OK && listen(*fd, backlog) != 0)
		error = give_up(fd);
	return error;
}

enum error
net_listen_is_free(const struct net_address *address)
{
	int fd;
	enum error error = bind_tcp(address, false, &fd);
	if (error == ERROR_OK)
		close(fd);
	return error;
}

static bool
is_every(const struct net_address *address)
{
	static const uint8_t every[sizeof(address->ip)];

	return address->family == AF_INET6 &&
	    memcmp(address->ip, every, sizeof(every)) == 0;
}

enum error
net_listen_settle(struct net_address *address)
{
	enum error error = net_listen_is_free(address);

	if (error != ERROR_UNSUPPORTED || !is_every(address))
		return error;
	error = net_address_parse(SLICE("0.0.0.0"), address->port, address);
	must(error == ERROR_OK);
	return net_listen_is_free(address);
}

static enum error
unix_address(const char *path, struct sockaddr_un *at)
{
	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(at->sun_path))
		return ERROR_INVALID;
	memcpy(at->sun_path, path, length);
	return ERROR_OK;
}

/* Remove a socket that its process left behind. */
static enum error
remove_stale(const char *path)
{
	struct stat status;
	int fd;
	if (lstat(path, &status) != 0)
		return error_from_errno(errno);
	if (!S_ISSOCK(status.st_mode))
		return ERROR_EXISTS;
	enum error error = net_connect_unix(path, &fd);
	if (error == ERROR_OK) {
		close(fd);
		return ERROR_IN_USE;
	}
	if (error != ERROR_REFUSED)
		return error;
	return unlink(path) == 0 ? ERROR_OK : error_from_errno(errno);
}

/* The mode is set before it listens, so that nobody gets in before. */
enum error
net_listen_unix(const char *path, unsigned mode, int *fd)
{
	enum { BACKLOG = 64 };
	struct sockaddr_un at;
	*fd = -1;
	enum error error = unix_address(path, &at);
	if (error != ERROR_OK)
		return error;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return give_up(fd);
	int result = bind(*fd, (struct sockaddr *)&at, sizeof(at));
	if (result != 0 && errno == EADDRINUSE) {
		error = remove_stale(path);
		if (error != ERROR_OK) {
			close(*fd);
			*fd = -1;
			return error;
		}
		result = bind(*fd, (struct sockaddr *)&at, sizeof(at));
	}
	if (result != 0 || chmod(path, mode) != 0 || listen(*fd, BACKLOG) != 0)
		return give_up(fd);
	return ERROR_OK;
}

enum error
net_connect_unix(const char *path, int *fd)
{
	struct sockaddr_un at;
	*fd = -1;
	enum error error = unix_address(path, &at);
	if (error != ERROR_OK)
		return error;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0 || connect(*fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return give_up(fd);
	return ERROR_OK;
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	(void)events;
	accept_some(container_of(watch, struct net_acceptor, watch));
}

static void
on_again(struct net_task *task)
{
	accept_some(container_of(task, struct net_acceptor, again));
}

static void
on_pause_over(struct net_timer *timer)
{
	accept_some(container_of(timer, struct net_acceptor, pause));
}

enum error
net_acceptor_open(struct net_acceptor *acceptor, struct net_loop *loop, int fd,
    void (*on_accept)(struct net_acceptor *, int, const struct net_address *))
{
	must(on_accept);
	*acceptor = (struct net_acceptor){
	    .watch = {.on_ready = on_ready, .fd = fd},
	    .loop = loop,
	    .accepts_per_turn = LIMIT_VALUE_ACCEPTS_PER_TURN,
	    .on_accept = on_accept,
	};
	net_task_init(&acceptor->again, on_again);
	net_timer_init(&acceptor->pause, on_pause_over);
	/* For sockets that others opened; a Unix socket refuses it. */
	(void)set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	enum error error = net_loop_add(loop, &acceptor->watch);
	if (error != ERROR_OK)
		acceptor->loop = NULL;
	return error;
}

void
net_acceptor_close(struct net_acceptor *acceptor)
{
	if (!acceptor->loop)
		return;
	net_loop_remove(acceptor->loop, &acceptor->watch);
	net_task_cancel(acceptor->loop, &acceptor->again);
	net_timer_clear(&acceptor->pause);
	acceptor->loop = NULL;
}

/* Did this one connection fail, and not accepting as such? (accept(2)) */
static bool
is_of_connection(int number)
{
	switch (number) {
	case EINTR:
	case ECONNABORTED:
	case EPERM: /* a firewall */
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

static void
rest(struct net_acceptor *acceptor)
{
	if (acceptor->metrics)
		metric_add(acceptor->metrics, METRIC_ACCEPT_PAUSES, 1);
	net_timer_set(
	    acceptor->loop, &acceptor->pause, LIMIT_VALUE_ACCEPT_PAUSE_MS);
}

static void
accept_some(struct net_acceptor *acceptor)
{
	for (unsigned i = 0; i < acceptor->accepts_per_turn; i++) {
		struct sockaddr_storage from = {0};
		struct net_address peer;
		socklen_t size = sizeof(from);
		int fd = accept4(acceptor->watch.fd, (struct sockaddr *)&from,
		    &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EAGAIN)
				return;
			if (is_of_connection(errno))
				continue;
			rest(acceptor);
			return;
		}
		net_address_from_sockaddr((struct sockaddr *)&from, &peer);
		acceptor->on_accept(acceptor, fd, &peer);
		if (!acceptor->loop)
			return;
	}
	if (acceptor->metrics)
		limit_hit(acceptor->metrics, LIMIT_ACCEPTS_PER_TURN);
	net_loop_yield(acceptor->loop, &acceptor->again);
}
