/* The event loop: descriptors that became ready, timers, deferred tasks, and
 * wake-ups from other threads. One thread owns a loop; only loop_wake may be
 * called from others. Two real implementations of its ops: epoll (edge
 * triggered, a descriptor is registered once) and the simulated loop of the tests.
 *
 * Order of a turn: wait; for each ready descriptor its on_ready, then all tasks;
 * expired timers, then all tasks; then what net_loop_on_turn_end set. A task that
 * is queued by a task runs in the same round, so callbacks never call up the
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
	struct net_task *next;
	void (*run)(struct net_task *task);
	bool queued;
};

/* A timer; embedded. Set costs O(1); moving a deadline later is one store (the
 * wheel looks again when the old one comes). */
struct net_timer {
	struct list link;
	uint64_t deadline_ms; /* 0: not set */
	uint64_t wheel_ms; /* where it stands in the wheel */
	void (*on_expire)(struct net_timer *timer);
};

struct net_loop;
struct net_loop_ops {
	enum error (*add)(struct net_loop *, struct net_watch *);
	void (*remove)(struct net_loop *, struct net_watch *);
	/* Wait at most timeout_ms (-1: no end) and dispatch. */
	enum error (*wait)(struct net_loop *, int timeout_ms);
	uint64_t (*clock_ms)(struct net_loop *);
	void (*free)(struct net_loop *);
};

/* NULL and errno when the kernel refuses. */
struct net_loop *net_loop_new(void);
void net_loop_free(struct net_loop *loop);
/* Run turns until net_loop_stop. */
enum error net_loop_run(struct net_loop *loop) must_check;
void net_loop_stop(struct net_loop *loop);
/* One turn, waiting at most timeout_ms; for tests and short-lived clients. */
enum error net_loop_turn(struct net_loop *loop, int timeout_ms) must_check;

/* Milliseconds, monotonic, as of this turn. */
uint64_t net_loop_now_ms(const struct net_loop *loop);

/* Watch watch->fd for all events from now on; edges only. */
enum error net_loop_add(struct net_loop *loop, struct net_watch *watch) must_check;
/* Before the descriptor is closed. No event is delivered after it, also none
 * that this turn has already gathered. */
void net_loop_remove(struct net_loop *loop, struct net_watch *watch);

void net_loop_defer(struct net_loop *loop, struct net_task *task);
void net_task_init(struct net_task *task, void (*run)(struct net_task *));
/* Take a queued task back. */
void net_task_cancel(struct net_loop *loop, struct net_task *task);

void net_timer_init(
    struct net_timer *timer, void (*on_expire)(struct net_timer *));
/* Fire once at now + after_ms; replaces an earlier deadline. */
void net_timer_set(
    struct net_loop *loop, struct net_timer *timer, uint64_t after_ms);
void net_timer_clear(struct net_timer *timer);

/* Make the loop run on_wake in its own thread soon; from any thread. Wakes
 * that come together may be one call. Set once, before the loop runs. */
void net_loop_on_wake(
    struct net_loop *loop, void (*on_wake)(void *context), void *context);
void net_loop_wake(struct net_loop *loop);
/* Called at the end of every turn. */
void net_loop_on_turn_end(
    struct net_loop *loop, void (*on_turn_end)(void *context), void *context);

#endif
