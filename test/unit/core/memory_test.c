/* Memory: nothing is NULL, zero sizes work, zeroed is zero. */
#include "core/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void
test_sizes(void **state)
{
	unsigned char *block;

	(void)state;
	block = memory_alloc(0);
	assert_non_null(block);
	block = memory_resize(block, 10, 100);
	memset(block, 7, 1000);
	block = memory_resize(block, 20, 100);
	assert_int_equal(block[999], 7);
	block = memory_resize(block, 0, 100);
	assert_non_null(block);
	memory_free(block);
	block = memory_resize(NULL, 1, 1);
	memory_free(block);
	block = memory_zero(0, 8);
	assert_non_null(block);
	memory_free(block);
	block = memory_zero(100, 8);
	for (int i = 0; i < 800; i++)
		assert_int_equal(block[i], 0);
	memory_free(block);
	memory_free(NULL);
}

static void
test_wipe(void **state)
{
	char key[] = "secret";

	(void)state;
	memory_wipe(key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++)
		assert_int_equal(key[i], 0);
	memory_wipe(NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
