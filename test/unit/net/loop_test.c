/* The loop on epoll: the order of a turn, events of watches that go, wakes from
 * other threads, time. */
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/must.h"

static struct net_loop *loop;

static int
setup(void **state)
{
	(void)state;
	loop = net_loop_new();
	return loop ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	net_loop_free(loop);
	return 0;
}

static void
turn(void)
{
	assert_int_equal(net_loop_turn(loop, 0), ERROR_OK);
}

/* A watch on a socket pair. */
struct end {
	struct net_watch watch;
	struct end *victim; /* removed and freed when this is ready */
	unsigned calls, events;
	int other;
};

static const struct end *freed; /* to compare, not to follow */

static void
end_free(struct end *end)
{
	net_loop_remove(loop, &end->watch);
	close(end->watch.fd);
	close(end->other);
	memory_free(end);
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct end *end = container_of(watch, struct end, watch);
	end->calls++;
	end->events = events;
	if (end->victim) {
		freed = end->victim;
		end_free(end->victim);
		end->victim = NULL;
	}
}

static struct end *
end_new(void)
{
	int pair[2];
	struct end *end = memory_zero(1, sizeof(*end));
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	end->watch = (struct net_watch){.on_ready = on_ready, .fd = pair[0]};
	end->other = pair[1];
	must(net_loop_add(loop, &end->watch) == ERROR_OK);
	return end;
}

static void
test_edges(void **state)
{
	(void)state;
	struct end *end = end_new();
	turn();
	assert_int_equal(end->calls, 1);
	assert_int_equal(end->events, NET_WRITABLE);
	turn();
	assert_int_equal(end->calls, 1);
	assert_int_equal(write(end->other, "x", 1), 1);
	turn();
	assert_int_equal(end->calls, 2);
	assert_int_equal(end->events, NET_READABLE | NET_WRITABLE);
	turn();
	assert_int_equal(end->calls, 2);
	assert_int_equal(shutdown(end->other, SHUT_WR), 0);
	turn();
	assert_int_equal(end->calls, 3);
	assert_int_equal(
	    end->events, NET_READABLE | NET_WRITABLE | NET_PEER_CLOSED);
	end_free(end);
}

/* Two are ready in one batch; whichever comes first frees the other. */
static void
test_no_event_after_remove(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct end *ends[] = {end_new(), end_new()};
		ends[0]->victim = ends[1];
		ends[1]->victim = ends[0];
		freed = NULL;
		turn();
		assert_non_null(freed);
		struct end *left = freed == ends[0] ? ends[1] : ends[0];
		assert_int_equal(left->calls, 1);
		end_free(left);
	}
}

struct step {
	struct net_task task;
	struct step *next; /* to defer when run */
	char name;
	bool yields;
};

static char trace[64];
static unsigned trace_length;

static void
note(char name)
{
	must(trace_length < sizeof(trace) - 1);
	trace[trace_length++] = name;
	trace[trace_length] = '\0';
}

static void
on_step(struct net_task *task)
{
	struct step *step = container_of(task, struct step, task);
	note(step->name);
	if (step->next)
		net_loop_defer(loop, &step->next->task);
	if (step->yields)
		net_loop_yield(loop, &step->task);
}

static void
on_turn_end(void *context)
{
	(void)context;
	note('.');
}

static void
test_tasks(void **state)
{
	struct step c = {.name = 'c'};
	struct step b = {.name = 'b', .next = &c};
	struct step a = {.name = 'a', .next = &b};
	struct step x = {.name = 'x'}, y = {.name = 'y', .yields = true};
	(void)state;
	net_task_init(&a.task, on_step);
	net_task_init(&b.task, on_step);
	net_task_init(&c.task, on_step);
	net_task_init(&x.task, on_step);
	net_task_init(&y.task, on_step);
	net_loop_on_turn_end(loop, on_turn_end, NULL);
	trace_length = 0;

	net_loop_defer(loop, &a.task);
	net_loop_defer(loop, &x.task);
	net_loop_defer(loop, &a.task);
	net_loop_yield(loop, &y.task);
	assert_true(net_task_is_queued(&x.task));
	net_task_cancel(loop, &x.task);
	net_task_cancel(loop, &x.task);
	assert_false(net_task_is_queued(&x.task));
	/* A yielding task does not wait, nor keep others from a turn. */
	assert_int_equal(net_loop_turn(loop, 10000), ERROR_OK);
	assert_string_equal(trace, "abcy.");
	assert_int_equal(net_loop_turn(loop, 10000), ERROR_OK);
	assert_string_equal(trace, "abcy.y.");
	net_task_cancel(loop, &y.task);
	turn();
	assert_string_equal(trace, "abcy.y..");
}

struct alarm {
	struct net_timer timer;
	uint64_t at_ns;
};

static void
on_expire(struct net_timer *timer)
{
	struct alarm *alarm = container_of(timer, struct alarm, timer);
	alarm->at_ns = clock_monotonic_ns();
	net_loop_stop(loop);
}

static void
test_time(void **state)
{
	struct alarm alarm = {0};
	(void)state;
	net_timer_init(&alarm.timer, on_expire);
	turn();
	uint64_t start_ns = clock_monotonic_ns();
	net_timer_set(loop, &alarm.timer, 30);
	assert_int_equal(net_loop_run(loop), ERROR_OK);
	/* The turn's clock is in ms, cut. */
	assert_true(alarm.at_ns - start_ns >= 29000000);
	assert_true(alarm.at_ns - start_ns < 5000000000);
}

struct caller {
	pthread_t thread;
	atomic_uint *sum;
};

static void *
call(void *context)
{
	struct caller *caller = context;
	for (unsigned i = 0; i < 5000; i++) {
		atomic_fetch_add(caller->sum, 1);
		net_loop_wake(loop);
	}
	return NULL;
}

struct woken {
	atomic_uint sum;
	unsigned seen, calls;
};

static void
on_wake(void *context)
{
	struct woken *woken = context;
	woken->seen = woken->sum;
	woken->calls++;
}

/* The last wake is never lost: all is seen without waiting for a time-out. */
static void
test_wake(void **state)
{
	struct woken woken = {0};
	struct caller callers[2];
	(void)state;
	net_loop_on_wake(loop, on_wake, &woken);
	for (unsigned i = 0; i < 2; i++) {
		callers[i].sum = &woken.sum;
		must(pthread_create(
		         &callers[i].thread, NULL, call, &callers[i]) == 0);
	}
	while (woken.seen < 10000)
		assert_int_equal(net_loop_turn(loop, -1), ERROR_OK);
	for (unsigned i = 0; i < 2; i++)
		must(pthread_join(callers[i].thread, NULL) == 0);
	assert_true(woken.calls <= 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_edges, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        test_no_event_after_remove, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_tasks, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
