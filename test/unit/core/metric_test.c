/* Metrics: sums over blocks, blocks that go, Prometheus text. */
#include "core/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

static void
test_totals(void **state)
{
	struct metrics first, second;

	(void)state;
	metrics_init(&first);
	metrics_init(&second);
	metric_add(&first, METRIC_CONNECTIONS_ACCEPTED, 3);
	metric_add(&second, METRIC_CONNECTIONS_ACCEPTED, 4);
	assert_int_equal(metrics_total(METRIC_CONNECTIONS_ACCEPTED), 7);
	/* A gauge may go up in one block and down in another. */
	metric_add(&first, METRIC_CONNECTIONS_OPEN, 1);
	metric_subtract(&second, METRIC_CONNECTIONS_OPEN, 1);
	assert_int_equal(metrics_total(METRIC_CONNECTIONS_OPEN), 0);
	metrics_fini(&first);
	assert_int_equal(metrics_total(METRIC_CONNECTIONS_ACCEPTED), 7);
	metrics_fini(&second);
	assert_int_equal(metrics_total(METRIC_CONNECTIONS_ACCEPTED), 7);
}

/* How often line (with its newline) is a line of text. */
static unsigned
count_lines(struct slice text, const char *line)
{
	struct slice part;
	unsigned count = 0;

	while (slice_cut(&text, '\n', &part))
		count += slice_equal(part, slice_from_string(line));
	return count;
}

static void
test_write(void **state)
{
	struct metrics metrics;
	struct text out;

	(void)state;
	metrics_init(&metrics);
	text_init(&out);
	metric_add(&metrics, METRIC_BACKEND_CONNECTS, 12);
	metric_subtract(&metrics, METRIC_REQUESTS_ACTIVE, 1);
	limit_hit(&metrics, LIMIT_REQUEST_HEAD_BYTES);
	limit_hit(&metrics, LIMIT_REQUEST_HEAD_BYTES);
	metrics_write(&out);

	static const char *const lines[] = {
	    "# HELP yumen_backend_connects_total "
	    "connections opened to backends",
	    "# TYPE yumen_backend_connects_total counter",
	    "yumen_backend_connects_total 12",
	    "# TYPE yumen_http_active_requests gauge",
	    "yumen_http_active_requests -1",
	    "# TYPE yumen_limit_hits_total counter",
	    "yumen_limit_hits_total{limit=\"request_head_bytes\"} 2",
	    "# TYPE process_resident_memory_bytes gauge",
	    "# TYPE process_open_fds gauge",
	    "# TYPE process_cpu_seconds_total counter",
	    "# TYPE process_start_time_seconds gauge",
	    "# TYPE yumen_build_info gauge",
	    "yumen_build_info{version=\"" YUMEN_VERSION "\"} 1",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(count_lines(text_slice(&out), lines[i]), 1);
	assert_true(slice_ends_with(text_slice(&out), SLICE("\n")));
	metric_add(&metrics, METRIC_REQUESTS_ACTIVE, 1);
	metrics_fini(&metrics);
	text_fini(&out);
}

/* Each line is a comment or "name{labels} number", each name has one HELP and
 * one TYPE before its samples, and its samples stand together. */
static void
test_format(void **state)
{
	struct text out;
	struct slice rest, line, type_name = SLICE_NONE;
	unsigned samples = 0;

	(void)state;
	text_init(&out);
	metrics_write(&out);
	rest = text_slice(&out);
	while (slice_cut(&rest, '\n', &line) && slice_is_set(rest)) {
		struct slice word;

		if (slice_starts_with(line, SLICE("# HELP ")))
			continue;
		if (slice_starts_with(line, SLICE("# TYPE "))) {
			line = slice_skip(line, 7);
			assert_true(slice_cut(&line, ' ', &type_name));
			continue;
		}
		assert_true(slice_cut(&line, ' ', &word));
		word.length = slice_find(word, '{');
		assert_true(slice_equal(word, type_name));
		assert_true(line.length > 0);
		samples++;
	}
	assert_true(samples >= METRIC__COUNT + 5);
	text_fini(&out);
}

static void
test_labels(void **state)
{
	struct text out;

	(void)state;
	text_init(&out);
	metrics_label_push(&out, SLICE("a\\b\"c\nd\xc3\xa9"));
	assert_string_equal(out.data, "a\\\\b\\\"c\\nd\xc3\xa9");
	text_fini(&out);
}

static void *
count_in_thread(void *unused)
{
	struct metrics metrics;

	metrics_init(&metrics);
	for (int i = 0; i < 10000; i++)
		metric_add(&metrics, METRIC_BACKEND_RETRIES, 1);
	metrics_fini(&metrics);
	return unused;
}

static void
test_threads(void **state)
{
	pthread_t threads[4];
	uint64_t seen = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, count_in_thread, NULL),
		    0);
	/* Read while they count: never less than before. */
	for (int i = 0; i < 100; i++) {
		uint64_t total = metrics_total(METRIC_BACKEND_RETRIES);

		assert_true(total >= seen);
		seen = total;
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metrics_total(METRIC_BACKEND_RETRIES), 40000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_totals),
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
