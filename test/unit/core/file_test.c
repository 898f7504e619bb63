/* Small files, read whole. */
#include "core/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
test_read(void **state)
{
	char path[] = "/tmp/yumen-file-test-XXXXXX";
	struct text out;
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	text_init(&out);
	text_push_string(&out, "before ");
	assert_int_equal(file_read(path, 10000, &out), ERROR_OK);
	assert_int_equal(out.length, 10007);
	assert_memory_equal(out.data, "before 0123456789012", 20);
	text_reset(&out);
	assert_int_equal(file_read(path, 9999, &out), ERROR_LIMIT);
	unlink(path);
	assert_int_equal(file_read(path, 10000, &out), ERROR_NOT_FOUND);
	assert_int_equal(file_read("/tmp", 10000, &out), ERROR_IS_FOLDER);
	text_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
