/* Output that nobody takes: heads gather up to one large buffer, and what does
 * not fit is an error and nothing else. */
#include "http/h1_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/must.h"

static size_t wanted; /* bytes that the next head has */

static size_t
write_head(char *out, size_t capacity, const struct wire_head *head,
    const struct wire_h1_framing *framing)
{
	(void)head;
	(void)framing;
	assert_non_null(out);
	if (wanted > capacity)
		return 0;
	memset(out, 'x', wanted);
	return wanted;
}

static enum error
push(struct h1_flow *flow, size_t bytes)
{
	wanted = bytes;
	return h1_output_head(flow, &flow->head, NULL, write_head);
}

static void
test_heads(void **state)
{
	struct metrics metrics;
	struct http_worker worker;
	struct h1_connection connection = {.worker = &worker};
	struct net_loop *loop = net_loop_new();
	(void)state;
	metrics_init(&metrics);
	must(http_worker_init(&worker, loop, &metrics) == ERROR_OK);
	struct h1_flow *flow = h1_flow_take(&connection, NULL);
	const struct h1_output *out = &flow->out;

	assert_int_equal(push(flow, 100), ERROR_OK);
	assert_int_equal(out->buffer->capacity, HTTP_BUFFER_SMALL);
	assert_int_equal(push(flow, HTTP_BUFFER_SMALL), ERROR_OK);
	assert_int_equal(out->buffer->capacity, HTTP_BUFFER_LARGE);
	assert_int_equal(out->end - out->start, HTTP_BUFFER_SMALL + 100);
	assert_int_equal(
	    push(flow, HTTP_BUFFER_LARGE), ERROR_HTTP_HEAD_TOO_LARGE);
	/* To the last byte. */
	assert_int_equal(
	    push(flow, HTTP_BUFFER_LARGE - HTTP_BUFFER_SMALL - 100), ERROR_OK);
	assert_int_equal(out->end - out->start, HTTP_BUFFER_LARGE);
	assert_int_equal(push(flow, 1), ERROR_HTTP_HEAD_TOO_LARGE);
	assert_int_equal(out->end - out->start, HTTP_BUFFER_LARGE);

	h1_flow_give(&connection);
	http_worker_fini(&worker);
	metrics_fini(&metrics);
	net_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_heads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
