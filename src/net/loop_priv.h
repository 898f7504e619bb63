/* What every implementation of a loop embeds, first in its own struct. For the
 * files of this room and the simulated loop. */
#ifndef YUMEN_NET_LOOP_PRIV_H
#define YUMEN_NET_LOOP_PRIV_H

#include "net/loop.h"
#include "net/timer_priv.h"

struct net_loop {
	const struct net_loop_ops *ops;
	uint64_t now_ms; /* ops->wait sets it */
	struct list tasks; /* of this round */
	struct list later; /* put off to the next turn */
	struct net_wheel wheel;
	void (*on_wake)(void *context);
	void *on_wake_context;
	void (*on_turn_end)(void *context);
	void *on_turn_end_context;
	bool stopped;
};

void net_loop_init(
    struct net_loop *loop, const struct net_loop_ops *ops, uint64_t now_ms);
void net_loop_run_tasks(struct net_loop *loop);

/* ops->wait: tell one descriptor, then run what it queued. */
static inline void
net_loop_dispatch(
    struct net_loop *loop, struct net_watch *watch, unsigned events)
{
	watch->on_ready(watch, events);
	if (!list_is_empty(&loop->tasks))
		net_loop_run_tasks(loop);
}

/* No event of this turn's batch goes to watch any more; for a descriptor that
 * is closed at once, which takes it out of epoll. */
void net_epoll_forget(struct net_loop *loop, const struct net_watch *watch);

#endif
