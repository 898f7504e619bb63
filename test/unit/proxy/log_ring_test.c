/* The log's ring: order, wrap, fullness; two threads at once. */
#include "proxy/log_ring.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_wrap(void **state)
{
	struct proxy_log_ring ring;
	struct slice parts[2];

	(void)state;
	proxy_log_ring_init(&ring, 50);
	assert_int_equal(ring.capacity, 64);
	assert_int_equal(proxy_log_ring_peek(&ring, parts), 0);
	for (unsigned round = 0; round < 100; round++) {
		assert_true(proxy_log_ring_push(&ring, SLICE("0123456789")));
		assert_true(proxy_log_ring_push(&ring, SLICE("abcdefghi")));
		unsigned count = proxy_log_ring_peek(&ring, parts);
		char joined[20] = "";
		size_t length = 0;

		for (unsigned i = 0; i < count; i++) {
			memcpy(joined + length, parts[i].data, parts[i].length);
			length += parts[i].length;
			proxy_log_ring_pop(&ring, parts[i].length);
		}
		assert_int_equal(length, 19);
		assert_memory_equal(joined, "0123456789abcdefghi", 19);
	}
	proxy_log_ring_fini(&ring);
}

static void
test_full(void **state)
{
	struct proxy_log_ring ring;
	struct slice parts[2];
	char bytes[65] = "";

	(void)state;
	proxy_log_ring_init(&ring, 64);
	assert_false(proxy_log_ring_push(&ring, slice_make(bytes, 65)));
	assert_true(proxy_log_ring_push(&ring, slice_make(bytes, 32)));
	assert_false(proxy_log_ring_is_filling(&ring));
	assert_true(proxy_log_ring_push(&ring, slice_make(bytes, 32)));
	assert_true(proxy_log_ring_is_filling(&ring));
	assert_false(proxy_log_ring_push(&ring, slice_make(bytes, 1)));
	assert_int_equal(proxy_log_ring_peek(&ring, parts), 1);
	proxy_log_ring_pop(&ring, 33);
	assert_false(proxy_log_ring_is_filling(&ring));
	assert_true(proxy_log_ring_push(&ring, slice_make(bytes, 33)));
	assert_false(proxy_log_ring_push(&ring, slice_make(bytes, 1)));
	proxy_log_ring_fini(&ring);
}

#define LINES 200000u

static void *
push_all(void *context)
{
	struct proxy_log_ring *ring = context;

	for (uint32_t i = 0; i < LINES; i++)
		while (!proxy_log_ring_push(
		    ring, slice_make((const char *)&i, sizeof(i))))
			sched_yield();
	return NULL;
}

static void
test_threads(void **state)
{
	struct proxy_log_ring ring;
	struct slice parts[2];
	pthread_t thread;
	uint32_t next = 0;

	(void)state;
	proxy_log_ring_init(&ring, 1024);
	assert_int_equal(pthread_create(&thread, NULL, push_all, &ring), 0);
	while (next < LINES) {
		unsigned count = proxy_log_ring_peek(&ring, parts);

		if (count == 0)
			sched_yield();
		/* 4 divides the capacity: a number is never in two parts. */
		for (unsigned i = 0; i < count; i++) {
			for (size_t at = 0; at < parts[i].length; at += 4) {
				uint32_t number;

				memcpy(&number, parts[i].data + at, 4);
				assert_int_equal(number, next++);
			}
			proxy_log_ring_pop(&ring, parts[i].length);
		}
	}
	pthread_join(thread, NULL);
	proxy_log_ring_fini(&ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_wrap),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
