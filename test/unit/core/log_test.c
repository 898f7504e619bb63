/* The log: lines in both forms, quoting, levels, the limit a second. */
#include "core/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/limit.h"

/* Standard error, while a test runs, is a file in memory. */
struct capture {
	int kept, file;
};

static void
capture_open(struct capture *capture)
{
	capture->file = memfd_create("log", 0);
	capture->kept = dup(STDERR_FILENO);
	assert_true(capture->file >= 0 && capture->kept >= 0);
	dup2(capture->file, STDERR_FILENO);
}

/* What was written, in buffer. */
static struct slice
capture_close(struct capture *capture, char *buffer, size_t size)
{
	dup2(capture->kept, STDERR_FILENO);
	ssize_t length = pread(capture->file, buffer, size, 0);

	assert_true(length >= 0 && (size_t)length < size);
	close(capture->kept);
	close(capture->file);
	return slice_make(buffer, (size_t)length);
}

/* The line without its time, which must be one. */
static struct slice
strip_time(struct slice line, struct slice before)
{
	int64_t seconds;

	assert_true(slice_starts_with(line, before));
	line = slice_skip(line, before.length);
	assert_true(line.length > CLOCK_RFC3339_BYTES);
	assert_true(
	    clock_parse(slice_make(line.data, CLOCK_RFC3339_BYTES), &seconds));
	return slice_skip(line, CLOCK_RFC3339_BYTES);
}

static void
test_key_value(void **state)
{
	struct capture capture;
	char buffer[4096];

	(void)state;
	capture_open(&capture);
	log_event(LOG_RUN_READY, LOG_NUMBER("listeners", -2),
	    LOG_STRING("plain", "default/web:80"), LOG_STRING("empty", ""),
	    LOG_STRING("space", "a b"), LOG_STRING("quote", "a\"b\n"),
	    LOG_STRING("equals", "a=b"), LOG_TEXT("absent", SLICE_NONE),
	    LOG_STRING("none", NULL), LOG_NUMBER("lowest", INT64_MIN));
	struct slice line = strip_time(
	    capture_close(&capture, buffer, sizeof(buffer)), SLICE("time="));

	assert_true(slice_equal(line,
	    SLICE(" level=info event=run.ready listeners=-2 "
	          "plain=default/web:80 empty=\"\" space=\"a b\" "
	          "quote=\"a\\\"b\\n\" equals=\"a=b\" "
	          "lowest=-9223372036854775808\n")));
}

static void
test_json(void **state)
{
	struct capture capture;
	char buffer[4096];

	(void)state;
	capture_open(&capture);
	log_set_json(true);
	log_event(LOG_RUN_READY, LOG_NUMBER("listeners", 2),
	    LOG_STRING("name", "a\"\xff"), LOG_TEXT("absent", SLICE_NONE));
	log_set_json(false);
	struct slice line =
	    strip_time(capture_close(&capture, buffer, sizeof(buffer)),
	        SLICE("{\"time\":\""));

	assert_true(slice_equal(line,
	    SLICE("\",\"level\":\"info\",\"event\":\"run.ready\","
	          "\"listeners\":2,\"name\":\"a\\\"\\ufffd\"}\n")));
}

static void
test_long_value(void **state)
{
	struct capture capture;
	char value[3000], buffer[8192];

	(void)state;
	memset(value, 'x', sizeof(value));
	capture_open(&capture);
	log_event(
	    LOG_RUN_READY, LOG_TEXT("value", slice_make(value, sizeof(value))));
	struct slice line = capture_close(&capture, buffer, sizeof(buffer));
	size_t start = slice_find(line, 'x');

	assert_int_equal(line.length - start, LIMIT_VALUE_LOG_VALUE_BYTES + 1);
}

static void
test_levels(void **state)
{
	static const char *const names[] = {
	    "debug", "info", "warning", "error"};
	enum log_level level;
	struct capture capture;
	char buffer[4096];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_true(
		    log_level_parse(slice_from_string(names[i]), &level));
		assert_int_equal(level, i);
	}
	assert_false(log_level_parse(SLICE("INFO"), &level));
	assert_false(log_level_parse(SLICE("warn"), &level));
	assert_false(log_level_parse(SLICE_NONE, &level));

	capture_open(&capture);
	log_set_level(LOG_LEVEL_WARNING);
	log_event(LOG_RUN_READY, LOG_NUMBER("n", 1));
	log_set_level(LOG_LEVEL_INFO);
	assert_int_equal(
	    capture_close(&capture, buffer, sizeof(buffer)).length, 0);
}

static void
wait_for_next_second(void)
{
	struct timespec pause = {
	    .tv_nsec = 1000000 * (1001 - clock_wall_ms() % 1000)};

	if (pause.tv_nsec >= 1000000000)
		pause = (struct timespec){.tv_sec = 1};
	nanosleep(&pause, NULL);
}

/* Of a burst, each second writes its share and the next one tells of the
 * rest: nothing is lost without being counted. */
static void
test_limit(void **state)
{
	enum { BURST = 1000 };
	static char buffer[1 << 20];
	struct capture capture;
	struct slice rest, line;
	uint64_t written = 0, told = 0;

	(void)state;
	wait_for_next_second();
	capture_open(&capture);
	for (int i = 0; i < BURST; i++)
		log_event(LOG_RUN_READY, LOG_NUMBER("n", i));
	wait_for_next_second();
	log_event(LOG_RUN_READY, LOG_NUMBER("n", BURST));
	rest = capture_close(&capture, buffer, sizeof(buffer));
	while (slice_cut(&rest, '\n', &line) && line.length > 0) {
		struct slice mark = SLICE("event=log.suppressed lines=");
		uint64_t lines;
		size_t at = line.length;

		for (size_t i = 0; i + mark.length < line.length; i++)
			if (slice_starts_with(slice_skip(line, i), mark))
				at = i + mark.length;
		if (at == line.length) {
			written++;
			continue;
		}
		assert_true(
		    slice_to_number(slice_skip(line, at), UINT64_MAX, &lines));
		told += lines;
	}
	assert_int_equal(written + told, BURST + 1);
	assert_true(told > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_key_value),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_long_value),
	    cmocka_unit_test(test_levels),
	    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
