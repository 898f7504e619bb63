/* The copy: written, read again, cut off and spoilt anywhere, made smaller. */
#include "stream/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

static char folder[] = "/tmp/yumen-copy-XXXXXX";
static char path[64];

static void
commit(struct stream_copy *copy, struct stream_table *table,
    struct feed_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		if (slice_is_set(batch->changes[i].bytes))
			stream_table_put(table, batch->changes[i].name,
			    batch->changes[i].bytes);
		else
			stream_table_drop(table, batch->changes[i].name);
	}
	assert_int_equal(stream_copy_append(copy, table, batch), ERROR_OK);
	feed_batch_free(&batch);
}

static enum error
open_copy(struct stream_table *table, struct stream_copy **copy)
{
	const char *why;

	stream_table_init(table);
	return stream_copy_open(path, SLICE("ns/gw"), table, copy, &why);
}

/* Three commits; the second changes a, drops b and adds c. */
static void
write_three(void)
{
	struct stream_table table;
	struct stream_copy *copy;
	struct feed_batch *batch = feed_batch_new();

	(void)unlink(path);
	assert_int_equal(open_copy(&table, &copy), ERROR_OK);
	assert_false(stream_copy_is_there(copy));
	feed_batch_put(batch, SLICE("service/ns/a"), SLICE("one"));
	feed_batch_put(batch, SLICE("service/ns/b"), SLICE("two"));
	commit(copy, &table, batch);
	batch = feed_batch_new();
	feed_batch_put(batch, SLICE("service/ns/a"), SLICE("three"));
	feed_batch_drop(batch, SLICE("service/ns/b"));
	feed_batch_put(batch, SLICE("service/ns/c"), SLICE(""));
	commit(copy, &table, batch);
	batch = feed_batch_new();
	feed_batch_put(batch, SLICE("service/ns/d"), SLICE("four"));
	commit(copy, &table, batch);
	stream_table_fini(&table);
	stream_copy_close(&copy);
}

static void
assert_holds(const struct stream_copy *copy, const struct stream_table *table,
    const char *name, const char *bytes)
{
	struct feed_batch *batch = feed_batch_new();
	struct slice found = SLICE_NONE;

	assert_int_equal(stream_copy_put_all(copy, table, batch), ERROR_OK);
	for (uint32_t i = 0; i < batch->count; i++)
		if (slice_equal(
		        batch->changes[i].name, slice_from_string(name)))
			found = batch->changes[i].bytes;
	assert_true(slice_is_set(found) == (bytes != NULL));
	assert_true(slice_equal(found, slice_from_string(bytes)));
	feed_batch_free(&batch);
}

static void
test_again(void **state)
{
	struct stream_table table;
	struct stream_copy *copy;
	struct stat facts;

	(void)state;
	write_three();
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	assert_int_equal(open_copy(&table, &copy), ERROR_OK);
	assert_int_equal(table.rows.count, 3);
	assert_holds(copy, &table, "service/ns/a", "three");
	assert_holds(copy, &table, "service/ns/b", NULL);
	assert_holds(copy, &table, "service/ns/c", "");
	assert_holds(copy, &table, "service/ns/d", "four");
	stream_table_fini(&table);
	stream_copy_close(&copy);
}

static off_t
size_of(void)
{
	struct stat facts;

	assert_int_equal(stat(path, &facts), 0);
	return facts.st_size;
}

/* Cut at any byte it is the state of a commit, or of no use. */
static void
test_cut(void **state)
{
	unsigned seen[5] = {0};

	(void)state;
	write_three();
	for (off_t length = size_of(); length >= 0; length--) {
		struct stream_table table;
		struct stream_copy *copy;

		assert_int_equal(truncate(path, length), 0);
		enum error error = open_copy(&table, &copy);

		assert_in_range(table.rows.count, 0, 3);
		assert_true(error == ERROR_OK || table.rows.count == 0);
		seen[error == ERROR_OK ? table.rows.count : 4]++;
		if (error == ERROR_OK)
			assert_holds(copy, &table, "service/ns/a",
			    table.rows.count == 2 &&
			            stream_table_get(
			                &table, SLICE("service/ns/b")) != NULL
			        ? "one"
			        : "three");
		stream_table_fini(&table);
		stream_copy_close(&copy);
	}
	assert_true(seen[2] > 0 && seen[3] > 0 && seen[4] > 0);
}

/* One wrong bit anywhere never brings what was not committed. */
static void
test_spoilt(void **state)
{
	off_t length;

	(void)state;
	write_three();
	length = size_of();
	for (off_t at = 0; at < length; at++) {
		struct stream_table table;
		struct stream_copy *copy;
		char byte;

		write_three();
		int fd = open(path, O_RDWR | O_CLOEXEC);

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		close(fd);
		enum error error = open_copy(&table, &copy);

		if (error == ERROR_OK)
			assert_holds(copy, &table, "service/ns/a",
			    stream_table_get(&table, SLICE("service/ns/b")) !=
			            NULL
			        ? "one"
			        : "three");
		else
			assert_int_equal(table.rows.count, 0);
		stream_table_fini(&table);
		stream_copy_close(&copy);
	}
}

static void
test_refused(void **state)
{
	struct stream_table table;
	struct stream_copy *copy;
	const char *why;

	(void)state;
	write_three();
	stream_table_init(&table);
	assert_int_equal(
	    stream_copy_open(path, SLICE("ns/other"), &table, &copy, &why),
	    ERROR_DENIED);
	assert_int_equal(table.rows.count, 0);
	stream_copy_close(&copy);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(open_copy(&table, &copy), ERROR_DENIED);
	stream_copy_close(&copy);
	stream_table_fini(&table);
}

/* A unit that changes for ever does not fill the disk. */
static void
test_stays_small(void **state)
{
	struct stream_table table;
	struct stream_copy *copy;
	char *bytes = memory_zero(1, 100000);

	(void)state;
	write_three();
	assert_int_equal(open_copy(&table, &copy), ERROR_OK);
	for (unsigned i = 0; i < 200; i++) {
		struct feed_batch *batch = feed_batch_new();

		snprintf(bytes, 100000, "%u", i);
		feed_batch_put(
		    batch, SLICE("service/ns/e"), slice_make(bytes, 100000));
		commit(copy, &table, batch);
		assert_in_range(size_of(), 100000, 2000000);
	}
	stream_table_fini(&table);
	stream_copy_close(&copy);
	assert_int_equal(open_copy(&table, &copy), ERROR_OK);
	assert_int_equal(table.rows.count, 4);
	assert_holds(copy, &table, "service/ns/a", "three");
	stream_table_fini(&table);
	stream_copy_close(&copy);
	memory_free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_spoilt),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_stays_small),
	};

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/copy", folder);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	(void)unlink(path);
	(void)rmdir(folder);
	return failed;
}
