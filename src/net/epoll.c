/* The loop on epoll: edges, each descriptor registered once for all events.
 * Owns the epoll descriptor, the eventfd of wake-ups and the batch of events of
 * the turn. A watch that goes is looked up in the rest of the batch, so that
 * nothing reaches memory that may be freed. */
#include <errno.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/must.h"
#include "net/loop_priv.h"
#include "net/stream_priv.h"

enum { BATCH = 256 };

struct epoll_loop {
	struct net_loop base;
	struct net_watch wake_watch;
	atomic_bool woken; /* the eventfd was written and not read yet */
	int epoll_fd;
	int at, count; /* of the batch */
	struct epoll_event events[BATCH];
};

static const struct net_loop_ops epoll_ops;
static void on_wake_ready(struct net_watch *, unsigned);

static struct epoll_loop *
from_base(struct net_loop *loop)
{
	return container_of(loop, struct epoll_loop, base);
}

static unsigned
events_from_epoll(uint32_t mask)
{
	unsigned events = 0;
	if (mask & EPOLLIN)
		events |= NET_READABLE;
	if (mask & EPOLLOUT)
		events |= NET_WRITABLE;
	if (likely((mask & ~(uint32_t)(EPOLLIN | EPOLLOUT)) == 0))
		return events;
	if (mask & (EPOLLRDHUP | EPOLLHUP))
		events |= NET_READABLE | NET_PEER_CLOSED;
	if (mask & EPOLLERR)
		events |= NET_READABLE | NET_WRITABLE | NET_FAILED;
	return events;
}

static enum error
epoll_add(struct net_loop *loop, struct net_watch *watch)
{
	struct epoll_event event = {
	    .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	    .data.ptr = watch,
	};
	if (epoll_ctl(from_base(loop)->epoll_fd, EPOLL_CTL_ADD, watch->fd,
	        &event) != 0)
		return error_from_errno(errno);
	return ERROR_OK;
}

void
net_epoll_forget(struct net_loop *loop, const struct net_watch *watch)
{
	struct epoll_loop *self = from_base(loop);
	for (int i = self->at; i < self->count; i++) {
		if (self->events[i].data.ptr == watch)
			self->events[i].data.ptr = NULL;
	}
}

static void
epoll_remove(struct net_loop *loop, struct net_watch *watch)
{
	net_epoll_forget(loop, watch);
	(void)epoll_ctl(
	    from_base(loop)->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

static enum error
epoll_wait_turn(struct net_loop *loop, int timeout_ms)
{
	struct epoll_loop *self = from_base(loop);
	int count = epoll_wait(self->epoll_fd, self->events, BATCH, timeout_ms);
	int error = count < 0 ? errno : 0;
	loop->now_ms = clock_monotonic_ms();
	if (count < 0)
		return error == EINTR ? ERROR_OK : error_from_errno(error);

	self->count = count;
	for (self->at = 0; self->at < self->count; self->at++) {
		const struct epoll_event *event = &self->events[self->at];
		struct net_watch *watch = event->data.ptr;
		if (likely(watch))
			net_loop_dispatch(
			    loop, watch, events_from_epoll(event->events));
	}
	self->count = 0;
	return ERROR_OK;
}

/* The eventfd holds one at most, as only the first of many wakes writes it. */
static void
epoll_wake(struct net_loop *loop)
{
	struct epoll_loop *self = from_base(loop);
	if (atomic_exchange(&self->woken, true))
		return;
	static const uint64_t one = 1;
	ssize_t length = write(self->wake_watch.fd, &one, sizeof(one));
	must(length == sizeof(one));
}

/* The flag falls before on_wake looks at what callers left for it, so that no
 * wake is lost; by an exchange, so that what they wrote before it is seen. */
static void
on_wake_ready(struct net_watch *watch, unsigned events)
{
	struct epoll_loop *self =
	    container_of(watch, struct epoll_loop, wake_watch);
	uint64_t number;
	if (!(events & NET_READABLE) ||
	    read(watch->fd, &number, sizeof(number)) != sizeof(number))
		return;
	(void)atomic_exchange(&self->woken, false);
	if (self->base.on_wake)
		self->base.on_wake(self->base.on_wake_context);
}

static void
epoll_free(struct net_loop *loop)
{
	struct epoll_loop *self = from_base(loop);
	if (self->wake_watch.fd >= 0)
		close(self->wake_watch.fd);
	if (self->epoll_fd >= 0)
		close(self->epoll_fd);
	memory_free(self);
}

static const struct net_loop_ops epoll_ops = {
    .add = epoll_add,
    .remove = epoll_remove,
    .wait = epoll_wait_turn,
    .wake = epoll_wake,
    .open_fd = net_socket_open_fd,
    .connect = net_socket_connect,
    .free = epoll_free,
};

struct net_loop *
net_loop_new(void)
{
	struct epoll_loop *self = memory_zero(1, sizeof(*self));
	net_loop_init(&self->base, &epoll_ops, clock_monotonic_ms());
	self->wake_watch.on_ready = on_wake_ready;
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->wake_watch.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (self->epoll_fd < 0 || self->wake_watch.fd < 0 ||
	    epoll_add(&self->base, &self->wake_watch) != ERROR_OK) {
		int number = errno;
		epoll_free(&self->base);
		errno = number;
		return NULL;
	}
	return &self->base;
}
