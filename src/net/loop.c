/* The loop: the order of a turn, tasks, and what every implementation shares.
 * It knows no system call; its ops do. */
#include "net/loop.h"

#include <limits.h>

#include "core/must.h"
#include "net/loop_priv.h"

static int wait_ms(const struct net_loop *, int);
static void move_all(struct list *, struct list *);

void
net_loop_init(
    struct net_loop *loop, const struct net_loop_ops *ops, uint64_t now_ms)
{
	must(now_ms > 0);
	loop->ops = ops;
	loop->now_ms = now_ms;
	list_init(&loop->tasks);
	list_init(&loop->later);
	net_wheel_init(&loop->wheel, now_ms);
	loop->on_wake = NULL;
	loop->on_turn_end = NULL;
	loop->stopped = false;
}

void
net_loop_free(struct net_loop *loop)
{
	if (loop)
		loop->ops->free(loop);
}

enum error
net_loop_run(struct net_loop *loop)
{
	enum error error = ERROR_OK;
	loop->stopped = false;
	while (!loop->stopped && error == ERROR_OK)
		error = net_loop_turn(loop, -1);
	return error;
}

void
net_loop_stop(struct net_loop *loop)
{
	loop->stopped = true;
}

enum error
net_loop_turn(struct net_loop *loop, int timeout_ms)
{
	struct list due;
	int within_ms = wait_ms(loop, timeout_ms);
	list_init(&due);
	move_all(&due, &loop->later);

	enum error error = loop->ops->wait(loop, within_ms);
	move_all(&loop->tasks, &due);
	net_loop_run_tasks(loop);
	if (loop->now_ms >= loop->wheel.next_ms) {
		net_wheel_advance(loop);
		net_loop_run_tasks(loop);
	}
	if (loop->on_turn_end)
		loop->on_turn_end(loop->on_turn_end_context);
	return error;
}

uint64_t
net_loop_now_ms(const struct net_loop *loop)
{
	return loop->now_ms;
}

enum error
net_loop_add(struct net_loop *loop, struct net_watch *watch)
{
	must(watch->on_ready);
	must(watch->fd >= 0);
	return loop->ops->add(loop, watch);
}

void
net_loop_remove(struct net_loop *loop, struct net_watch *watch)
{
	must(watch->fd >= 0);
	loop->ops->remove(loop, watch);
}

void
net_task_init(struct net_task *task, void (*run)(struct net_task *))
{
	must(run);
	list_init(&task->link);
	task->run = run;
}

void
net_loop_defer(struct net_loop *loop, struct net_task *task)
{
	if (!net_task_is_queued(task))
		list_insert(&loop->tasks, &task->link);
}

void
net_loop_yield(struct net_loop *loop, struct net_task *task)
{
	if (!net_task_is_queued(task))
		list_insert(&loop->later, &task->link);
}

void
net_task_cancel(struct net_loop *loop, struct net_task *task)
{
	(void)loop;
	list_remove(&task->link);
}

void
net_loop_run_tasks(struct net_loop *loop)
{
	while (!list_is_empty(&loop->tasks)) {
		struct net_task *task =
		    container_of(loop->tasks.next, struct net_task, link);
		list_remove(&task->link);
		task->run(task);
	}
}

void
net_loop_on_wake(
    struct net_loop *loop, void (*on_wake)(void *context), void *context)
{
	loop->on_wake = on_wake;
	loop->on_wake_context = context;
}

void
net_loop_wake(struct net_loop *loop)
{
	loop->ops->wake(loop);
}

void
net_loop_on_turn_end(
    struct net_loop *loop, void (*on_turn_end)(void *context), void *context)
{
	loop->on_turn_end = on_turn_end;
	loop->on_turn_end_context = context;
}

/* How long this turn may wait. */
static int
wait_ms(const struct net_loop *loop, int timeout_ms)
{
	if (!list_is_empty(&loop->later) || !list_is_empty(&loop->tasks))
		return 0;
	if (loop->wheel.next_ms == UINT64_MAX)
		return timeout_ms;
	uint64_t left_ms = loop->wheel.next_ms > loop->now_ms
	    ? loop->wheel.next_ms - loop->now_ms
	    : 0;
	if (left_ms > INT_MAX)
		left_ms = INT_MAX;
	return timeout_ms < 0 || left_ms < (uint64_t)timeout_ms ? (int)left_ms
	                                                        : timeout_ms;
}

/* Move all of from to the end of to. */
static void
move_all(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	struct list *first = from->next, *last = from->previous;
	list_init(from);
	first->previous = to->previous;
	to->previous->next = first;
	last->next = to;
	to->previous = last;
}
