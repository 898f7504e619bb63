/* Small files, read and written whole. */
#include "core/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

static void
test_replace(void **state)
{
	char folder[] = "/tmp/yumen-file-test-XXXXXX", path[64], path_new[64];
	struct stat facts;
	struct text out;
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(path_new, sizeof(path_new), "%s/file.new", folder);
	text_init(&out);
	assert_int_equal(file_replace(path, 0600, SLICE("one")), ERROR_OK);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	/* What one that was killed has left does not matter. */
	assert_int_equal(symlink("/dev/null", path_new), 0);
	assert_int_equal(file_replace(path, 0600, SLICE("two")), ERROR_OK);
	assert_int_equal(file_read(path, 10, &out), ERROR_OK);
	assert_true(slice_equal(text_slice(&out), SLICE("two")));
	/* What cannot be done leaves nothing behind, and what there was. */
	assert_int_not_equal(file_replace(folder, 0600, SLICE("x")), ERROR_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(file_replace(path, 0600, SLICE("x")), ERROR_NOT_FOUND);
	snprintf(path_new, sizeof(path_new), "%s.new", folder);
	assert_int_equal(unlink(path_new), -1);
	text_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read),
	    cmocka_unit_test(test_replace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
