/* The event loop: descriptors that became ready, timers, deferred tasks, and
 * wake-ups from other threads. One thread owns a loop; only net_loop_wake may
 * be called from others. Two real implementations of its ops: epoll (edge
 * triggered, a descriptor is registered once) and the simulated loop of the
 * tests.
 *
 * Order of a turn: wait; for each ready descriptor (a wake-up is one) its
 * on_ready and at once all tasks that this queued; the tasks that the last turn
 * put off; expired timers, then all tasks; then on_turn_end. A task that is
 * queued by a task runs in the same round, so callbacks never call up the
 * stack: they queue. */
#ifndef YUMEN_NET_LOOP_H
#define YUMEN_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "core/error.h"
#include "core/list.h"

enum net_event {
	NET_READABLE = 1,
	NET_WRITABLE = 2,
	NET_PEER_CLOSED = 4, /* the peer ended its side; read until CLOSED */
	NET_FAILED = 8, /* the next read, write or connect tells the error */
};

/* A descriptor on a loop; embedded by its owner. */
struct net_watch {
	void (*on_ready)(struct net_watch *watch, unsigned events);
	int fd;
};

/* Work to run later in this turn; embedded, queued at most once. */
struct net_task {
	struct list link; /* empty: not queued */
	void (*run)(struct net_task *task);
};

/* A timer; embedded. Set costs O(1); moving a deadline later is one store (the
 * wheel looks again when the old one comes). */
struct net_timer {
	struct list link;
	uint64_t deadline_ms; /* 0: not set */
	uint64_t wheel_ms; /* when the wheel looks at it; UINT64_MAX: never */
	void (*on_expire)(struct net_timer *timer);
};

/* A timer fires within so many ms after its deadline, never before. */
#define NET_TIMER_TICK_MS 8
/* The longest time a timer may be set to: two years. */
#define NET_TIMER_MS_MAX ((uint64_t)1 << 36)

struct net_address;
struct net_loop;
struct net_stream;
struct net_loop_ops {
	enum error (*add)(struct net_loop *, struct net_watch *);
	void (*remove)(struct net_loop *, struct net_watch *);
	/* Wait at most timeout_ms (-1: no end), read the clock, dispatch. */
	enum error (*wait)(struct net_loop *, int timeout_ms);
	void (*wake)(struct net_loop *);
	/* The streams of this loop: set ->ops and what else net_stream_open_fd
	 * and net_stream_connect have not, and add the watch. */
	enum error (*open_fd)(struct net_loop *, struct net_stream *, int fd);
	enum error (*connect)(
	    struct net_loop *, struct net_stream *, const struct net_address *);
	void (*free)(struct net_loop *);
};

/* NULL and errno when the kernel refuses. */
struct net_loop *net_loop_new(void);
/* What is still watched, queued or set is forgotten, not told. */
void net_loop_free(struct net_loop *loop);
/* Run turns until net_loop_stop. */
enum error net_loop_run(struct net_loop *loop) must_check;
void net_loop_stop(struct net_loop *loop);
/* One turn, waiting at most timeout_ms; for tests and short-lived clients. */
enum error net_loop_turn(struct net_loop *loop, int timeout_ms) must_check;

/* Milliseconds, monotonic, as of this turn. */
uint64_t net_loop_now_ms(const struct net_loop *loop);

/* Watch watch->fd for all events from now on; edges only. */
enum error net_loop_add(
    struct net_loop *loop, struct net_watch *watch) must_check;
/* Before the descriptor is closed. No event is delivered after it, also none
 * that this turn has already gathered; the watch's memory may go at once. */
void net_loop_remove(struct net_loop *loop, struct net_watch *watch);

void net_task_init(struct net_task *task, void (*run)(struct net_task *));
/* Run it in this turn's current round; nothing when it is queued already. */
void net_loop_defer(struct net_loop *loop, struct net_task *task);
/* Run it in the next turn, which then does not wait: for work that would go on
 * for long, so that others get their turn. */
void net_loop_yield(struct net_loop *loop, struct net_task *task);
/* Take a queued task back; also when it is not queued. */
void net_task_cancel(struct net_loop *loop, struct net_task *task);
static inline bool
net_task_is_queued(const struct net_task *task)
{
	return !list_is_empty(&task->link);
}

void net_timer_init(
    struct net_timer *timer, void (*on_expire)(struct net_timer *));
/* Fire once at now + after_ms; replaces an earlier deadline. */
void net_timer_set(
    struct net_loop *loop, struct net_timer *timer, uint64_t after_ms);
/* Its memory may go after this. */
void net_timer_clear(struct net_timer *timer);
static inline bool
net_timer_is_set(const struct net_timer *timer)
{
	return timer->deadline_ms != 0;
}
/* Do not fire, but keep the place in the wheel: one store, and often the next
 * set is one too. Clear it before its memory goes. */
static inline void
net_timer_pause(struct net_timer *timer)
{
	timer->deadline_ms = 0;
}

/* Make the loop run on_wake in its own thread soon; from any thread. Wakes
 * that come together may be one call. Set once, before the loop runs. */
void net_loop_on_wake(
    struct net_loop *loop, void (*on_wake)(void *context), void *context);
void net_loop_wake(struct net_loop *loop);
/* Called at the end of every turn. */
void net_loop_on_turn_end(
    struct net_loop *loop, void (*on_turn_end)(void *context), void *context);

#endif
