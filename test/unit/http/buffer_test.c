/* The pool of buffers: counted references, two sizes, nothing is lost. */
#include "http/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/limit.h"
#include "http/worker_priv.h"

static void
test_sizes(void **state)
{
	struct http_buffers pool;
	(void)state;
	http_buffers_init(&pool);
	struct http_buffer *small = http_buffer_take(&pool, HTTP_BUFFER_SMALL);
	struct http_buffer *large = http_buffer_take(&pool, HTTP_BUFFER_LARGE);
	assert_int_equal(small->capacity, HTTP_BUFFER_SMALL);
	assert_int_equal(large->capacity, HTTP_BUFFER_LARGE);
	assert_int_equal(pool.bytes,
	    2 * sizeof(*small) + HTTP_BUFFER_SMALL + HTTP_BUFFER_LARGE);
	memset(small->data, 1, small->capacity);
	memset(large->data, 1, large->capacity);
	http_buffer_unref(&pool, &small);
	http_buffer_unref(&pool, &large);
	assert_null(small);
	http_buffers_fini(&pool);
}

static void
test_references(void **state)
{
	struct http_buffers pool;
	(void)state;
	http_buffers_init(&pool);
	struct http_buffer *one = http_buffer_take(&pool, HTTP_BUFFER_SMALL);
	struct http_buffer *two = http_buffer_ref(one);
	http_buffer_unref(&pool, &one);
	assert_null(one);
	assert_int_equal(two->references, 1);
	assert_int_equal(pool.small.count, 0);
	memset(two->data, 2, two->capacity);
	http_buffer_unref(&pool, &two);
	http_buffers_fini(&pool);
}

/* What is given back is used again, up to the limit. */
static void
test_reuse(void **state)
{
	enum { COUNT = LIMIT_VALUE_BUFFERS_FREE + 10 };
	struct http_buffers pool;
	struct http_buffer *taken[COUNT];
	size_t each = sizeof(struct http_buffer) + HTTP_BUFFER_SMALL;
	(void)state;
	http_buffers_init(&pool);
	for (unsigned i = 0; i < COUNT; i++)
		taken[i] = http_buffer_take(&pool, HTTP_BUFFER_SMALL);
	assert_int_equal(pool.bytes, COUNT * each);
	for (unsigned i = 0; i < COUNT; i++)
		http_buffer_unref(&pool, &taken[i]);
	assert_int_equal(pool.small.count, HTTP_FREE_MAX);
	assert_int_equal(pool.bytes, HTTP_FREE_MAX * each);
	for (unsigned i = 0; i < COUNT; i++)
		taken[i] = http_buffer_take(&pool, HTTP_BUFFER_SMALL);
	assert_int_equal(pool.small.count, 0);
	assert_int_equal(pool.bytes, COUNT * each);
	for (unsigned i = 0; i < COUNT; i++)
		http_buffer_unref(&pool, &taken[i]);
	http_buffers_fini(&pool);
	assert_int_equal(pool.bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_references),
	    cmocka_unit_test(test_reuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
