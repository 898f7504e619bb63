/* Many slow clients at once: each costs its connection's memory and nothing
 * else, for as long as limit.def says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/memory.h"
#include "http/message.h"
#include "http/server.h"
#include "sim/loop.h"

enum { CLIENTS = 200 };

struct crowd {
	struct net_loop *loop;
	struct metrics metrics;
	struct http_worker worker;
	struct http_service service;
	struct sim_pipe *pipes[CLIENTS];
	unsigned requests, ends;
};

static void
on_request(struct http_exchange *exchange)
{
	struct crowd *crowd = exchange->handler_context;
	crowd->requests++;
	if (slice_equal(exchange->request->path, SLICE("/large"))) {
		static const char body[1 << 20];
		http_exchange_forward(exchange,
		    http_message_answer(
		        exchange, 200, NULL, 0, slice_make(body, sizeof(body))),
		    0);
	} else {
		http_exchange_answer(
		    exchange, 200, NULL, 0, SLICE("a small answer"));
	}
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	struct crowd *crowd = exchange->handler_context;
	(void)error;
	crowd->ends++;
}

static const struct http_handler handler = {
    .on_request = on_request,
    .on_end = on_end,
};

static int
set_up(void **state)
{
	struct crowd *crowd = memory_zero(1, sizeof(*crowd));
	struct net_address none = {0};
	crowd->loop = sim_loop_new(1);
	metrics_init(&crowd->metrics);
	assert_int_equal(
	    http_worker_init(&crowd->worker, crowd->loop, &crowd->metrics),
	    ERROR_OK);
	http_service_init(&crowd->service, &crowd->worker, &handler, crowd);
	sim_loop_set_manner(
	    crowd->loop, &(struct sim_manner){.window_bytes = 4096});
	for (unsigned i = 0; i < CLIENTS; i++) {
		crowd->pipes[i] = sim_pipe_new(crowd->loop);
		assert_int_equal(
		    http_server_open(&crowd->service,
		        sim_pipe_fd(crowd->pipes[i]), &none, &none),
		    ERROR_OK);
	}
	*state = crowd;
	return 0;
}

static int
tear_down(void **state)
{
	struct crowd *crowd = *state;
	http_service_abort(&crowd->service);
	http_worker_fini(&crowd->worker);
	assert_int_equal(sim_loop_pending_count(crowd->loop), 0);
	metrics_fini(&crowd->metrics);
	net_loop_free(crowd->loop);
	memory_free(crowd);
	return 0;
}

static size_t
bytes_in_use(const struct crowd *crowd)
{
	const struct http_buffers *buffers = &crowd->worker.buffers;
	size_t head = sizeof(struct http_buffer);
	return buffers->bytes -
	    buffers->small.count * (head + HTTP_BUFFER_SMALL) -
	    buffers->large.count * (head + HTTP_BUFFER_LARGE);
}

static uint64_t
hits(const struct crowd *crowd, enum limit limit)
{
	return atomic_load(&crowd->metrics.limit_hits[limit]);
}

static void
feed_all(struct crowd *crowd, struct slice bytes)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (!sim_pipe_is_closed(crowd->pipes[i]))
			sim_pipe_feed(crowd->pipes[i], bytes);
	sim_loop_settle(crowd->loop);
}

/* Connections that say nothing hold no buffer, and go with the keep-alive. */
static void
test_silence(void **state)
{
	struct crowd *crowd = *state;
	sim_loop_settle(crowd->loop);
	assert_int_equal(bytes_in_use(crowd), 0);
	sim_loop_pass(crowd->loop, LIMIT_VALUE_KEEP_ALIVE_MS - 1);
	assert_int_equal(crowd->service.connection_count, CLIENTS);
	sim_loop_pass(crowd->loop, 1 + NET_TIMER_TICK_MS);
	assert_int_equal(crowd->service.connection_count, 0);
	assert_int_equal(hits(crowd, LIMIT_KEEP_ALIVE_MS), CLIENTS);
	assert_int_equal(crowd->requests, 0);
}

/* A byte of a head every second: one small buffer each, no exchange, and the
 * time is counted from the first byte. */
static void
test_heads(void **state)
{
	struct crowd *crowd = *state;
	static const char head[] = "GET / HTTP/1.1\r\nHost: a.example\r\n";
	size_t small = sizeof(struct http_buffer) + HTTP_BUFFER_SMALL;
	uint64_t start_ms = net_loop_now_ms(crowd->loop);
	for (unsigned i = 0; net_loop_now_ms(crowd->loop) - start_ms + 1000 <
	     LIMIT_VALUE_REQUEST_HEAD_MS;
	     i++) {
		feed_all(crowd, slice_make(head + i, 1));
		assert_int_equal(bytes_in_use(crowd), CLIENTS * small);
		sim_loop_pass(crowd->loop, 1000);
	}
	assert_int_equal(hits(crowd, LIMIT_REQUEST_HEAD_MS), 0);
	sim_loop_pass(crowd->loop, 1000 + NET_TIMER_TICK_MS);
	assert_int_equal(hits(crowd, LIMIT_REQUEST_HEAD_MS), CLIENTS);
	assert_int_equal(bytes_in_use(crowd), 0);
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_true(slice_starts_with(
		    sim_pipe_written(crowd->pipes[i]), SLICE("HTTP/1.1 408 ")));
	sim_loop_pass(crowd->loop, LIMIT_VALUE_CLOSE_LINGER_MS + 100);
	assert_int_equal(hits(crowd, LIMIT_CLOSE_LINGER_MS), CLIENTS);
	assert_int_equal(crowd->service.connection_count, 0);
	assert_int_equal(crowd->requests, 0);
}

/* A large answer that nobody reads: what is written from lies with the handler;
 * the connection holds a head and one buffer more. */
static void
test_readers(void **state)
{
	struct crowd *crowd = *state;
	size_t small = sizeof(struct http_buffer) + HTTP_BUFFER_SMALL;
	feed_all(
	    crowd, SLICE("GET /large HTTP/1.1\r\nHost: a.example\r\n\r\n"));
	assert_int_equal(crowd->requests, CLIENTS);
	assert_true(bytes_in_use(crowd) <= CLIENTS * 2 * small);
	sim_loop_pass(crowd->loop, LIMIT_VALUE_BODY_PROGRESS_MS - 1);
	assert_int_equal(crowd->ends, 0);
	sim_loop_pass(crowd->loop, 1 + NET_TIMER_TICK_MS);
	assert_int_equal(crowd->ends, CLIENTS);
	assert_int_equal(hits(crowd, LIMIT_BODY_PROGRESS_MS), CLIENTS);
	assert_int_equal(bytes_in_use(crowd), 0);
	assert_int_equal(crowd->service.connection_count, 0);
}

/* The slow ones among them do not slow down the others. */
static void
test_others(void **state)
{
	struct crowd *crowd = *state;
	feed_all(crowd, SLICE("GET / HTTP/1.1\r\n"));
	struct sim_pipe *quick = crowd->pipes[CLIENTS / 2];
	for (unsigned i = 0; i < 100; i++) {
		sim_pipe_feed(quick,
		    i == 0
		        ? SLICE("Host: a.example\r\n\r\n")
		        : SLICE("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
		sim_loop_settle(crowd->loop);
		struct slice answer = sim_pipe_written(quick);
		assert_true(slice_starts_with(answer, SLICE("HTTP/1.1 200 ")));
		sim_pipe_take(quick, answer.length);
	}
	assert_int_equal(crowd->ends, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_silence),
	    TEST(test_heads),
	    TEST(test_readers),
	    TEST(test_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
