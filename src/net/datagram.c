/* A UDP socket bound to an interface and joined to a group. */
#include "net/datagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/must.h"

#define DATAGRAM_BYTES 2048
/* That one turn takes; the rest waits for the next. */
#define DATAGRAMS_PER_TURN 128
/* What waits while the process stands still. */
#define BUFFER_BYTES (1 << 20)

static void
read_datagrams(struct net_datagrams *datagrams)
{
	char bytes[DATAGRAM_BYTES];
	struct sockaddr_in from = {0};

	for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
		socklen_t size = sizeof(from);
		ssize_t length = recvfrom(datagrams->watch.fd, bytes,
		    sizeof(bytes), 0, (struct sockaddr *)&from, &size);
		if (length < 0 && errno != ECONNREFUSED)
			return;
		if (length < 0)
			continue;
		net_address_from_sockaddr(
		    (struct sockaddr *)&from, &datagrams->from);
		datagrams->on_datagram(
		    datagrams, slice_make(bytes, (size_t)length));
	}
	net_loop_yield(datagrams->loop, &datagrams->again);
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	(void)events;
	read_datagrams(container_of(watch, struct net_datagrams, watch));
}

static void
on_again(struct net_task *task)
{
	read_datagrams(container_of(task, struct net_datagrams, again));
}

static bool
set(int fd, int level, int option, const void *value, size_t size)
{
	return setsockopt(fd, level, option, value, (socklen_t)size) == 0;
}

/* Before others' traffic, where queues tell it apart; these may be refused. */
static void
hasten(int fd)
{
	static const int class = IPTOS_CLASS_CS6, priority = 6,
	                 bytes = BUFFER_BYTES;

	(void)set(fd, IPPROTO_IP, IP_TOS, &class, sizeof(class));
	(void)set(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	(void)set(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static enum error
set_up(const struct net_datagrams *datagrams, const char *interface,
    unsigned index, int fd)
{
	static const int on = 1, off = 0;
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_port = htons(datagrams->group.port)};
	struct ip_mreqn group = {.imr_ifindex = (int)index};

	memcpy(&group.imr_multiaddr, datagrams->group.ip + 12,
	    sizeof(group.imr_multiaddr));
	if (!set(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
	        strlen(interface)) ||
	    !set(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    !set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof(off)) ||
	    !set(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group)) ||
	    !set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)))
		return error_from_errno(errno);
	hasten(fd);
	return ERROR_OK;
}

enum error
net_datagrams_open(struct net_datagrams *datagrams, struct net_loop *loop,
    const char *interface, unsigned index, const struct net_address *group)
{
	must(datagrams->on_datagram && group->family == AF_INET);
	datagrams->group = *group;
	datagrams->watch.on_ready = on_ready;
	net_task_init(&datagrams->again, on_again);
	datagrams->watch.fd =
	    socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (datagrams->watch.fd < 0)
		return error_from_errno(errno);
	enum error error =
	    set_up(datagrams, interface, index, datagrams->watch.fd);
	if (error == ERROR_OK)
		error = net_loop_add(loop, &datagrams->watch);
	if (error == ERROR_OK)
		datagrams->loop = loop;
	else
		close(datagrams->watch.fd);
	return error;
}

void
net_datagrams_close(struct net_datagrams *datagrams)
{
	if (datagrams->loop == NULL)
		return;
	net_task_cancel(datagrams->loop, &datagrams->again);
	net_loop_remove(datagrams->loop, &datagrams->watch);
	close(datagrams->watch.fd);
	datagrams->loop = NULL;
}

enum error
net_datagrams_send(struct net_datagrams *datagrams, struct slice bytes)
{
	struct sockaddr_storage to;
	socklen_t length = net_address_to_sockaddr(&datagrams->group, &to);

	must(datagrams->loop != NULL);
	if (sendto(datagrams->watch.fd, bytes.data, bytes.length, 0,
	        (struct sockaddr *)&to, length) < 0)
		return error_from_errno(errno);
	return ERROR_OK;
}
