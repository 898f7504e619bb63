/* The simulated loop itself: an echo over thousands of seeds, whatever the
 * manner; resets and ends at every call; connects; time. */
#include "sim/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/must.h"

enum { SEEDS = 3000 };

/* Sends back what it reads; splices when it can. */
struct echo {
	struct net_stream stream;
	struct net_task task;
	struct net_timer timer;
	char held[512];
	size_t at, end; /* of held, or in the pipe */
	int pipe[2];
	bool is_splicing, done;
	enum error error;
};

static void
finish(struct echo *echo, enum error error)
{
	echo->error = error;
	echo->done = true;
	net_stream_close(&echo->stream);
	net_task_cancel(echo->stream.loop, &echo->task);
}

static enum error
pull(struct echo *echo)
{
	echo->at = 0;
	if (echo->is_splicing)
		return net_stream_splice_in(
		    &echo->stream, echo->pipe[1], 300, &echo->end);
	return net_stream_read(
	    &echo->stream, echo->held, sizeof(echo->held), &echo->end);
}

static enum error
push(struct echo *echo)
{
	size_t length, left = echo->end - echo->at;
	enum error error;
	if (echo->is_splicing) {
		error = net_stream_splice_out(
		    &echo->stream, echo->pipe[0], left, &length);
	} else {
		struct iovec parts[] = {
		    {echo->held + echo->at, left / 2},
		    {echo->held + echo->at + left / 2, left - left / 2},
		};
		error = net_stream_write(&echo->stream, parts, 2, &length);
	}
	if (error == ERROR_OK)
		echo->at += length;
	return error;
}

static void
run(struct net_task *task)
{
	struct echo *echo = container_of(task, struct echo, task);
	for (;;) {
		enum error error;
		if (echo->at < echo->end) {
			if (!echo->stream.writable)
				return;
			error = push(echo);
		} else {
			if (!echo->stream.readable)
				return;
			error = pull(echo);
		}
		if (error != ERROR_OK && error != ERROR_AGAIN) {
			finish(echo, error);
			return;
		}
	}
}

static void
on_ready(struct net_watch *watch, unsigned events)
{
	struct echo *echo = container_of(watch, struct echo, stream.watch);
	net_stream_note(&echo->stream, events);
	net_loop_defer(echo->stream.loop, &echo->task);
}

static void
echo_open(struct echo *echo, struct net_loop *loop, struct sim_pipe *pipe)
{
	*echo = (struct echo){.pipe = {-1, -1}};
	net_task_init(&echo->task, run);
	must(net_stream_open_fd(
	         &echo->stream, loop, sim_pipe_fd(pipe), on_ready) == ERROR_OK);
	echo->is_splicing = net_stream_can_splice(&echo->stream);
	if (echo->is_splicing)
		must(pipe2(echo->pipe, O_NONBLOCK) == 0);
}

static void
echo_close(struct echo *echo)
{
	net_stream_close(&echo->stream);
	net_task_cancel(echo->stream.loop, &echo->task);
	if (echo->is_splicing) {
		close(echo->pipe[0]);
		close(echo->pipe[1]);
	}
}

static void
test_echo(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct net_loop *loop = sim_loop_new(seed);
		struct random *random = sim_loop_random(loop);
		struct sim_manner manner = sim_loop_draw_manner(loop);
		sim_loop_set_manner(loop, &manner);
		struct sim_pipe *pipe = sim_pipe_new(loop);
		struct echo echo;
		echo_open(&echo, loop, pipe);

		unsigned fed = 0, got = 0, total = random_below(random, 2000);
		while (got < total || fed < total) {
			char bytes[256];
			unsigned count = 0;
			while (count < random_below(random, 256) && fed < total)
				bytes[count++] = (char)(fed++ * 7 % 251);
			sim_pipe_feed(pipe, slice_make(bytes, count));
			if (random_below(random, 2))
				sim_loop_step(loop);
			else
				sim_loop_settle(loop);
			struct slice back = sim_pipe_written(pipe);
			for (size_t i = 0; i < back.length; i++, got++)
				if (back.data[i] != (char)(got * 7 % 251))
					fail_msg("seed %u", (unsigned)seed);
			sim_pipe_take(pipe, back.length);
		}
		assert_false(echo.done);
		assert_true(
		    net_stream_is_quiet(&echo.stream) || sim_loop_step(loop));
		sim_pipe_end(pipe);
		sim_loop_settle(loop);
		assert_true(echo.done);
		assert_int_equal(echo.error, ERROR_CLOSED);
		assert_true(sim_pipe_is_closed(pipe));
		assert_int_equal(sim_loop_open_count(loop), 0);
		echo_close(&echo);
		net_loop_free(loop);
	}
}

/* However early the peer goes, the stream is told once and ends. */
static void
test_reset_at_every_call(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct net_loop *loop = sim_loop_new(seed);
		struct sim_manner manner = sim_loop_draw_manner(loop);
		sim_loop_set_manner(loop, &manner);
		struct sim_pipe *pipe = sim_pipe_new(loop);
		struct echo echo;
		echo_open(&echo, loop, pipe);
		sim_pipe_reset_at(pipe, 1 + (unsigned)seed % 10);
		for (unsigned i = 0; i < 20 && !echo.done; i++) {
			sim_pipe_feed(pipe, SLICE("some bytes to be echoed"));
			sim_loop_settle(loop);
			sim_pipe_take(pipe, sim_pipe_written(pipe).length);
		}
		assert_true(echo.done);
		assert_true(
		    echo.error == ERROR_RESET || echo.error == ERROR_CLOSED);
		echo_close(&echo);
		net_loop_free(loop);
	}
}

static void
test_backpressure(void **state)
{
	(void)state;
	struct net_loop *loop = sim_loop_new(1);
	sim_loop_set_manner(loop, &(struct sim_manner){.window_bytes = 10});
	struct sim_pipe *pipe = sim_pipe_new(loop);
	struct echo echo;
	echo_open(&echo, loop, pipe);
	sim_pipe_feed(pipe, SLICE("0123456789abcdef"));
	sim_loop_settle(loop);
	assert_true(slice_equal(sim_pipe_written(pipe), SLICE("0123456789")));
	sim_pipe_take(pipe, 4);
	sim_loop_settle(loop);
	assert_true(slice_equal(sim_pipe_written(pipe), SLICE("456789abcd")));
	sim_pipe_feed(pipe, SLICE("more"));
	sim_loop_settle(loop);
	assert_int_equal(sim_pipe_unread(pipe), 4);
	echo_close(&echo);
	assert_true(sim_pipe_is_aborted(pipe));
	net_loop_free(loop);
}

static unsigned told;
static void
on_connect_ready(struct net_watch *watch, unsigned events)
{
	struct net_stream *stream =
	    container_of(watch, struct net_stream, watch);
	net_stream_note(stream, events);
	told++;
}

static void
test_connect(void **state)
{
	(void)state;
	struct net_loop *loop = sim_loop_new(1);
	struct net_address to, seen;
	struct net_stream a, b;
	told = 0;
	assert_int_equal(
	    net_address_parse(SLICE("10.0.0.1"), 80, &to), ERROR_OK);
	assert_int_equal(
	    net_stream_connect(&a, loop, &to, on_connect_ready), ERROR_OK);
	assert_int_equal(
	    net_stream_connect(&b, loop, &to, on_connect_ready), ERROR_OK);
	struct sim_pipe *first = sim_loop_take_connect(loop, &seen);
	struct sim_pipe *second = sim_loop_take_connect(loop, NULL);
	assert_true(net_address_equal(&seen, &to));
	assert_null(sim_loop_take_connect(loop, NULL));
	assert_false(sim_loop_step(loop));
	assert_int_equal(net_stream_connected(&a), ERROR_AGAIN);

	sim_pipe_accept(first);
	sim_pipe_refuse(second, ERROR_REFUSED);
	sim_loop_settle(loop);
	assert_int_equal(told, 2);
	assert_int_equal(net_stream_connected(&a), ERROR_OK);
	assert_int_equal(net_stream_connected(&b), ERROR_REFUSED);
	assert_true(net_stream_is_quiet(&a));
	net_stream_close(&a);
	net_stream_close(&b);

	sim_loop_fail_connects(loop, ERROR_UNREACHABLE);
	assert_int_equal(net_stream_connect(&a, loop, &to, on_connect_ready),
	    ERROR_UNREACHABLE);
	net_loop_free(loop);
}

static void
on_expire(struct net_timer *timer)
{
	struct echo *echo = container_of(timer, struct echo, timer);
	echo->done = true;
}

static void
test_time(void **state)
{
	(void)state;
	struct net_loop *loop = sim_loop_new(1);
	struct echo echo = {0};
	net_timer_init(&echo.timer, on_expire);
	assert_false(sim_loop_jump(loop));
	uint64_t start_ms = net_loop_now_ms(loop);
	net_timer_set(loop, &echo.timer, 10000);
	sim_loop_pass(loop, 9999);
	assert_false(echo.done);
	sim_loop_pass(loop, 1 + NET_TIMER_TICK_MS);
	assert_true(echo.done);
	assert_int_equal(
	    net_loop_now_ms(loop), start_ms + 10000 + NET_TIMER_TICK_MS);
	echo.done = false;
	net_timer_set(loop, &echo.timer, 5000000);
	while (!echo.done)
		assert_true(sim_loop_jump(loop));
	assert_false(sim_loop_jump(loop));
	net_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_reset_at_every_call),
	    cmocka_unit_test(test_backpressure),
	    cmocka_unit_test(test_connect),
	    cmocka_unit_test(test_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
