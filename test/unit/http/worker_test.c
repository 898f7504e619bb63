/* A worker's pools: slabs, queues of those who wait, pipes, the date. */
#include "http/worker_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "core/must.h"
#include "sim/loop.h"

struct setting {
	struct net_loop *loop;
	struct metrics metrics;
	struct http_worker worker;
};

static int
set_up(void **state)
{
	static struct setting setting;
	setting.loop = sim_loop_new(1);
	metrics_init(&setting.metrics);
	must(http_worker_init(
	         &setting.worker, setting.loop, &setting.metrics) == ERROR_OK);
	*state = &setting;
	return 0;
}

static int
tear_down(void **state)
{
	struct setting *setting = *state;
	http_worker_fini(&setting->worker);
	metrics_fini(&setting->metrics);
	net_loop_free(setting->loop);
	return 0;
}

static void
test_slab(void **state)
{
	enum { COUNT = 200, BYTES = 40 };
	struct http_slab slab;
	char *objects[COUNT], zeros[BYTES] = {0};
	(void)state;
	http_slab_init(&slab, BYTES);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < COUNT; i++) {
			objects[i] = http_slab_take(&slab);
			assert_memory_equal(objects[i], zeros, BYTES);
			assert_int_equal((uintptr_t)objects[i] % 16, 0);
			memset(objects[i], (int)i + 1, BYTES);
		}
		for (unsigned i = 0; i < COUNT; i++) {
			assert_int_equal(objects[i][0], (char)(i + 1));
			assert_int_equal(objects[i][BYTES - 1], (char)(i + 1));
		}
		for (unsigned i = 0; i < COUNT; i++)
			http_slab_give(&slab, objects[i]);
	}
	http_slab_fini(&slab);
}

static struct http_waiter *expired[4];
static unsigned expired_count;

static void
on_expire(struct http_waiter *waiter)
{
	expired[expired_count++] = waiter;
}

/* One timer for all; each waits its whole time, and those who leave are not
 * told. */
static void
test_queue(void **state)
{
	struct setting *setting = *state;
	struct http_queue queue;
	struct http_waiter waiters[4];
	expired_count = 0;
	http_queue_init(&queue, setting->loop, 1000, on_expire);
	for (unsigned i = 0; i < 4; i++) {
		list_init(&waiters[i].link);
		http_queue_push(&queue, &waiters[i]);
		assert_true(http_waiter_is_queued(&waiters[i]));
		sim_loop_pass(setting->loop, 300);
	}
	http_waiter_remove(&waiters[1]);
	assert_int_equal(expired_count, 1); /* 1200 ms have passed */
	assert_ptr_equal(expired[0], &waiters[0]);
	assert_false(http_waiter_is_queued(&waiters[0]));
	sim_loop_pass(setting->loop, 399);
	assert_int_equal(expired_count, 1);
	sim_loop_pass(setting->loop, 1 + NET_TIMER_TICK_MS);
	assert_int_equal(expired_count, 2);
	assert_ptr_equal(expired[1], &waiters[2]);
	/* The last one gone, the next one's time is its own. */
	http_waiter_remove(&waiters[3]);
	http_queue_push(&queue, &waiters[0]);
	sim_loop_pass(setting->loop, 999);
	assert_int_equal(expired_count, 2);
	sim_loop_pass(setting->loop, 1 + NET_TIMER_TICK_MS);
	assert_int_equal(expired_count, 3);
	net_timer_clear(&queue.timer);
}

static void
test_pipes(void **state)
{
	struct setting *setting = *state;
	struct http_pipe *pipes[LIMIT_VALUE_SPLICE_PIPES];
	for (unsigned i = 0; i < LIMIT_VALUE_SPLICE_PIPES; i++) {
		pipes[i] = http_pipe_take(&setting->worker);
		assert_non_null(pipes[i]);
		assert_true(pipes[i]->capacity > 0);
	}
	assert_null(http_pipe_take(&setting->worker));
	assert_int_equal(
	    atomic_load(&setting->metrics.limit_hits[LIMIT_SPLICE_PIPES]), 1);
	/* One with bytes in it is not used again. */
	assert_int_equal(write(pipes[0]->write_fd, "left", 4), 4);
	pipes[0]->bytes = 4;
	http_pipe_give(&setting->worker, &pipes[0]);
	assert_null(pipes[0]);
	assert_int_equal(
	    setting->worker.pools->pipe_count, LIMIT_VALUE_SPLICE_PIPES - 1);
	int read_fd = pipes[1]->read_fd;
	http_pipe_give(&setting->worker, &pipes[1]);
	pipes[1] = http_pipe_take(&setting->worker);
	assert_int_equal(pipes[1]->read_fd, read_fd);
	for (unsigned i = 1; i < LIMIT_VALUE_SPLICE_PIPES; i++)
		http_pipe_give(&setting->worker, &pipes[i]);
}

static bool
is_date(struct slice date)
{
	static const char form[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";
	if (date.length != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < date.length - 3; i++) {
		char c = date.data[i];
		bool fits = form[i] == 'A' ? c >= 'A' && c <= 'Z'
		    : form[i] == 'a'       ? c >= 'a' && c <= 'z'
		    : form[i] == '0'       ? c >= '0' && c <= '9'
		                           : c == form[i];
		if (!fits)
			return false;
	}
	return slice_ends_with(date, SLICE(" GMT"));
}

static void
test_date(void **state)
{
	struct setting *setting = *state;
	assert_true(is_date(field_value(http_worker_date(&setting->worker))));
	sim_loop_pass(setting->loop, 1500);
	assert_true(is_date(field_value(http_worker_date(&setting->worker))));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_slab),
	    TEST(test_queue),
	    TEST(test_pipes),
	    TEST(test_date),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
