/* The access log's thread: lines reach the file, also after it was moved away,
 * after a rest, and at the end; what finds no room is dropped and counted. */
#include "proxy/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "proxy/log_priv.h"

struct place {
	char folder[64], path[96], moved[96], specification[128];
};

static void
make_place(struct place *place, const char *format)
{
	snprintf(place->folder, sizeof(place->folder), "/tmp/yumen-log-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/log", place->folder);
	snprintf(place->moved, sizeof(place->moved), "%s/log.1", place->folder);
	snprintf(place->specification, sizeof(place->specification), "%s:%s",
	    format, place->path);
}

static void
remove_place(const struct place *place)
{
	unlink(place->path);
	unlink(place->moved);
	rmdir(place->folder);
}

/* Lines in the file; with a substring of each. */
static unsigned
count_lines(const char *path, const char *wanted)
{
	FILE *file = fopen(path, "r");
	char line[PROXY_LOG_LINE_BYTES];
	unsigned count = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		assert_non_null(strstr(line, wanted));
		assert_non_null(strchr(line, '\n'));
		count++;
	}
	fclose(file);
	return count;
}

static void
wait_lines(const char *path, const char *wanted, unsigned count)
{
	struct timespec pause = {.tv_nsec = 10000000};

	for (unsigned i = 0; i < 500; i++) {
		if (count_lines(path, wanted) >= count)
			break;
		nanosleep(&pause, NULL);
	}
	assert_int_equal(count_lines(path, wanted), count);
}

static void
put(struct proxy_log_port *port, unsigned count)
{
	struct proxy_log_line line = {
	    .path = SLICE("/x"), .status = 200, .client = SLICE("::1")};

	while (count-- > 0)
		proxy_log_port_put(port, &line);
}

static void
test_specifications(void **state)
{
	static const char *const bad[] = {
	    "", "on", "json:", "JSON", "text:", ":x", "off:x", "json;x"};
	struct proxy_log *log = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    proxy_log_open(slice_from_string(bad[i]), &log),
		    ERROR_UNKNOWN);
		assert_null(log);
	}
	assert_int_equal(proxy_log_open(SLICE("off"), &log), ERROR_OK);
	assert_null(log);
	proxy_log_close(&log);
	assert_int_not_equal(
	    proxy_log_open(SLICE("json:/nonexistent/x"), &log), ERROR_OK);
	assert_null(log);
}

static void
test_lines(void **state)
{
	struct place place;
	struct proxy_log *log;
	struct metrics metrics;

	(void)state;
	make_place(&place, "json");
	metrics_init(&metrics);
	assert_int_equal(
	    proxy_log_open(slice_from_string(place.specification), &log),
	    ERROR_OK);
	struct proxy_log_port *port = proxy_log_port_open(log, &metrics);
	struct proxy_log_port *other = proxy_log_port_open(log, &metrics);

	put(port, 3);
	put(other, 4);
	wait_lines(place.path, "{\"ts\":\"", 7);
	/* Long enough that the thread sleeps for good. */
	struct timespec rest = {.tv_sec = 1, .tv_nsec = 300000000};
	nanosleep(&rest, NULL);
	put(other, 1);
	wait_lines(place.path, "\"path\":\"/x\"", 8);

	assert_int_equal(rename(place.path, place.moved), 0);
	proxy_log_reopen(log);
	wait_lines(place.path, "", 0);
	for (unsigned i = 0; i < 500 && access(place.path, F_OK) != 0; i++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	put(port, 2);
	proxy_log_port_close(&port);
	proxy_log_port_close(&other);
	assert_null(port);
	proxy_log_close(&log);
	assert_null(log);
	assert_int_equal(count_lines(place.path, "/x"), 2);
	assert_int_equal(count_lines(place.moved, "/x"), 8);
	metrics_fini(&metrics);
	remove_place(&place);
}

/* A reader that does not read: the worker goes on, lines are dropped and
 * counted, and the end does not hang. */
static void
test_stuck(void **state)
{
	struct place place;
	struct proxy_log *log;
	struct metrics metrics;

	(void)state;
	make_place(&place, "text");
	assert_int_equal(mkfifo(place.path, 0600), 0);
	int reader = open(place.path, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	metrics_init(&metrics);
	assert_int_equal(
	    proxy_log_open(slice_from_string(place.specification), &log),
	    ERROR_OK);
	struct proxy_log_port *port = proxy_log_port_open(log, &metrics);
	put(port, 60000);
	assert_true(metrics.values[METRIC_ACCESS_LOG_DROPPED] > 0);
	assert_true(metrics.limit_hits[LIMIT_ACCESS_LOG_BYTES] > 0);
	proxy_log_port_close(&port);
	proxy_log_close(&log);
	/* What was not written counts too: some of the pipe's may be. */
	assert_true(metrics_total(METRIC_ACCESS_LOG_DROPPED) > 55000);
	metrics_fini(&metrics);
	close(reader);
	remove_place(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_specifications),
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_stuck),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
