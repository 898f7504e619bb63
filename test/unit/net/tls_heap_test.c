/* What a thread keeps of OpenSSL's heap. */
#include "net/tls_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/limit.h"
#include "core/must.h"

enum { READ_BYTES = 16384 + 328, WRITE_BYTES = 16384 + 100 };

static void *
take(size_t size)
{
	void *block = OPENSSL_malloc(size);

	assert_non_null(block);
	memset(block, 'x', size);
	return block;
}

/* What was kept is not malloc's to give to others; one size serves both. */
static void
test_kept(void **state)
{
	void *first, *other, *second;

	(void)state;
	net_tls_heap_open();
	first = take(READ_BYTES);
	OPENSSL_free(first);
	other = malloc(READ_BYTES);
	second = take(WRITE_BYTES);
	if (!SANITIZED) {
		assert_ptr_not_equal(other, first);
		assert_ptr_equal(second, first);
	}
	free(other);
	OPENSSL_free(second);
	net_tls_heap_close();
}

static void
test_sizes(void **state)
{
	static const size_t sizes[] = {
	    1, 1024, 16384, 16385, 17408, 17409, 17472, 17473, 65536, 1048576};
	void *blocks[sizeof(sizes) / sizeof(sizes[0])];

	(void)state;
	net_tls_heap_open();
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			blocks[i] = take(sizes[i]);
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			OPENSSL_free(blocks[i]);
	}
	char *grown = OPENSSL_strdup("grown");
	grown = OPENSSL_realloc(grown, READ_BYTES);
	grown = OPENSSL_realloc(grown, 2 * READ_BYTES);
	assert_string_equal(grown, "grown");
	OPENSSL_free(grown);
	OPENSSL_free(NULL);
	net_tls_heap_close();
}

/* Each of them once, with what a list that broke would hand out twice. */
static void
test_bound(void **state)
{
	enum { COUNT = LIMIT_VALUE_BUFFERS_FREE + 8 };
	static char *blocks[COUNT];
	struct mallinfo2 before = mallinfo2();

	(void)state;
	net_tls_heap_open();
	for (unsigned turn = 0; turn < 2; turn++) {
		for (unsigned i = 0; i < COUNT; i++) {
			blocks[i] = take(READ_BYTES);
			memcpy(blocks[i], &i, sizeof(i));
		}
		for (unsigned i = 0; i < COUNT; i++) {
			assert_memory_equal(blocks[i], &i, sizeof(i));
			OPENSSL_free(blocks[i]);
		}
	}
	if (!SANITIZED) {
		size_t kept = mallinfo2().uordblks - before.uordblks;

		assert_true(kept > LIMIT_VALUE_BUFFERS_FREE * 17408);
		assert_true(kept < (LIMIT_VALUE_BUFFERS_FREE + 1) * 17472);
	}
	net_tls_heap_close();
	assert_true(mallinfo2().uordblks <= before.uordblks + 4096);
}

/* A thread that did not ask keeps nothing. */
static void
test_closed(void **state)
{
	struct mallinfo2 before = mallinfo2();

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		OPENSSL_free(take(READ_BYTES));
	assert_true(mallinfo2().uordblks <= before.uordblks + 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kept),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_bound),
	    cmocka_unit_test(test_closed),
	};

	net_tls_heap_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
