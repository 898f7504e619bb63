/* Lines of the access log: both forms, escapes, cuts. */
#include "proxy/log_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "core/memory.h"

static struct proxy_log_line
make_line(void)
{
	return (struct proxy_log_line){
	    .wall_ms = 1763957106789, /* 2025-11-24T04:05:06.789Z */
	    .gateway = SLICE("default/gate"),
	    .listener = SLICE("http"),
	    .route = SLICE("HTTPRoute/default/r"),
	    .rule = SLICE("first"),
	    .backend = SLICE("service/default/b:80"),
	    .endpoint = SLICE("10.0.0.1:8080"),
	    .client = SLICE("192.0.2.7"),
	    .method = SLICE("GET"),
	    .host = SLICE("a.example"),
	    .path = SLICE("/x"),
	    .proto = SLICE("HTTP/1.1"),
	    .status = 200,
	    .bytes_in = 0,
	    .bytes_out = 1234567890123,
	    .duration_ms = 12,
	    .upstream_ms = 9,
	    .attempts = 1,
	    .request_id = SLICE("id-1"),
	    .user_agent = SLICE("curl/8 (x)"),
	};
}

static const char *
print(size_t (*write)(
          char *, const struct proxy_log_line *, struct proxy_log_clock *),
    const struct proxy_log_line *line)
{
	static char out[PROXY_LOG_LINE_BYTES + 1];
	struct proxy_log_clock clock = {.second = INT64_MIN};
	size_t length = write(out, line, &clock);

	assert_true(length <= PROXY_LOG_LINE_BYTES);
	out[length] = '\0';
	return out;
}

static void
test_json(void **state)
{
	struct proxy_log_line line = make_line();

	(void)state;
	assert_string_equal(print(proxy_log_line_json, &line),
	    "{\"ts\":\"2025-11-24T04:05:06.789Z\",\"gateway\":\"default/gate\","
	    "\"listener\":\"http\",\"route\":\"HTTPRoute/default/r\","
	    "\"rule\":\"first\",\"backend\":\"service/default/b:80\","
	    "\"endpoint\":\"10.0.0.1:8080\",\"client\":\"192.0.2.7\","
	    "\"method\":\"GET\",\"host\":\"a.example\",\"path\":\"/x\","
	    "\"proto\":\"HTTP/1.1\",\"status\":200,\"bytes_in\":0,"
	    "\"bytes_out\":1234567890123,\"duration_ms\":12,\"upstream_ms\":9,"
	    "\"attempts\":1,\"request_id\":\"id-1\","
	    "\"user_agent\":\"curl/8 (x)\"}\n");
}

static void
test_text(void **state)
{
	struct proxy_log_line line = make_line();

	(void)state;
	assert_string_equal(print(proxy_log_line_text, &line),
	    "ts=2025-11-24T04:05:06.789Z gateway=default/gate listener=http "
	    "route=HTTPRoute/default/r rule=first backend=service/default/b:80 "
	    "endpoint=10.0.0.1:8080 client=192.0.2.7 method=GET host=a.example "
	    "path=/x proto=HTTP/1.1 status=200 bytes_in=0 "
	    "bytes_out=1234567890123 duration_ms=12 upstream_ms=9 attempts=1 "
	    "request_id=id-1 user_agent=\"curl/8 (x)\"\n");
}

/* What there is not is left out. */
static void
test_absent(void **state)
{
	struct proxy_log_line line = {
	    .wall_ms = 0,
	    .client = SLICE("::1"),
	    .status = 404,
	    .bytes_in = LOG_LINE_ABSENT,
	    .bytes_out = LOG_LINE_ABSENT,
	    .duration_ms = LOG_LINE_ABSENT,
	    .upstream_ms = LOG_LINE_ABSENT,
	    .attempts = LOG_LINE_ABSENT,
	    .reason = SLICE("no_route"),
	};

	(void)state;
	assert_string_equal(print(proxy_log_line_json, &line),
	    "{\"ts\":\"1970-01-01T00:00:00.000Z\",\"client\":\"::1\","
	    "\"status\":404,\"reason\":\"no_route\"}\n");
	assert_string_equal(print(proxy_log_line_text, &line),
	    "ts=1970-01-01T00:00:00.000Z client=::1 status=404 "
	    "reason=no_route\n");
}

static void
test_escapes(void **state)
{
	static const struct {
		const char *raw, *json, *text;
	} cases[] = {
	    {"plain", "plain", "plain"},
	    {"a b", "a b", "\"a b\""},
	    {"a\"b", "a\\\"b", "\"a\\\"b\""},
	    {"a\\b", "a\\\\b", "\"a\\\\b\""},
	    {"a=b", "a=b", "\"a=b\""},
	    {"tab\there", "tab\\u0009here", "\"tab\\u0009here\""},
	    {"line\r\nend", "line\\u000d\\u000aend", NULL},
	    {"12345678\"", "12345678\\\"", NULL},
	    {"1234567\"8", "1234567\\\"8", NULL},
	    {"longer than one word \x01 and on and on",
	        "longer than one word \\u0001 and on and on", NULL},
	    {"caf\xc3\xa9", "caf\xc3\xa9", "\"caf\xc3\xa9\""},
	    {"\xe7\x8e\x89\xe9\x97\xa8", "\xe7\x8e\x89\xe9\x97\xa8", NULL},
	    {"\xf0\x9f\x9a\xaa", "\xf0\x9f\x9a\xaa", NULL},
	    {"bad \x80", "bad \\ufffd", NULL},
	    {"cut \xe7\x8e", "cut \\ufffd\\ufffd", NULL},
	    {"overlong \xc0\xaf", "overlong \\ufffd\\ufffd", NULL},
	    {"surrogate \xed\xa0\x80", "surrogate \\ufffd\\ufffd\\ufffd", NULL},
	    {"beyond \xf4\x90\x80\x80", "beyond \\ufffd\\ufffd\\ufffd\\ufffd",
	        NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct proxy_log_line line = {
		    .user_agent = slice_from_string(cases[i].raw)};
		char wanted[256];

		snprintf(wanted, sizeof(wanted), "\"user_agent\":\"%s\"}\n",
		    cases[i].json);
		if (!strstr(print(proxy_log_line_json, &line), wanted))
			fail_msg("%s: %s", wanted,
			    print(proxy_log_line_json, &line));
		if (!cases[i].text)
			continue;
		snprintf(
		    wanted, sizeof(wanted), "user_agent=%s\n", cases[i].text);
		if (!strstr(print(proxy_log_line_text, &line), wanted))
			fail_msg("%s: %s", wanted,
			    print(proxy_log_line_text, &line));
	}
}

/* Every byte at every place in a word: the fast way and the slow one agree. */
static void
test_every_byte(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++)
		for (unsigned at = 0; at < 17; at++) {
			char raw[17], wanted[64];
			struct proxy_log_line line = {
			    .user_agent = slice_make(raw, sizeof(raw))};
			bool good = byte >= 0x20 && byte < 0x80 &&
			    byte != '"' && byte != '\\';

			memset(raw, 'x', sizeof(raw));
			raw[at] = (char)byte;
			if (byte == '"' || byte == '\\')
				snprintf(wanted, sizeof(wanted), "\\%c", byte);
			else if (byte >= 0x80)
				snprintf(wanted, sizeof(wanted), "\\ufffd");
			else
				snprintf(wanted, sizeof(wanted),
				    good ? "%c" : "\\u%04x", byte);
			assert_non_null(
			    strstr(print(proxy_log_line_json, &line), wanted));
		}
}

/* A value is cut, never within an escape, and a line fits its bound. */
static void
test_cut(void **state)
{
	size_t length = 100000;
	char *long_text = memory_alloc(length);
	struct slice text = slice_make(long_text, length);
	struct proxy_log_line line = {
#define NAME(key) .key = text,
#define TEXT(key) .key = text,
#define NUMBER(key) .key = INT64_MAX,
#include "proxy/log_line.def"
#undef NAME
#undef TEXT
#undef NUMBER
	};

	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		memset(long_text, (int)byte, length);
		const char *printed = print(proxy_log_line_json, &line);

		assert_int_equal(printed[strlen(printed) - 1], '\n');
		(void)print(proxy_log_line_text, &line);
	}
	memset(long_text, 1, length);
	struct proxy_log_line one = {.user_agent = text};
	const char *printed = print(proxy_log_line_json, &one);
	const char *value = strstr(printed, "user_agent\":\"");

	assert_non_null(value);
	value += strlen("user_agent\":\"");
	size_t written = strlen(value) - strlen("\"}\n");
	assert_int_equal(written % 6, 0);
	assert_in_range(written, LIMIT_VALUE_ACCESS_LOG_VALUE_BYTES - 8,
	    LIMIT_VALUE_ACCESS_LOG_VALUE_BYTES);
	memory_free(long_text);
}

static void
test_clock(void **state)
{
	static const int64_t times[] = {0, 1, 999, 1000, 1001, 1763957106789,
	    1763957106790, 1763957107000, 5};
	struct proxy_log_clock clock = {.second = INT64_MIN};
	char out[PROXY_LOG_LINE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct proxy_log_line line = {.wall_ms = times[i]};
		char wanted[CLOCK_RFC3339_BYTES + 1];

		clock_format(times[i], wanted);
		(void)proxy_log_line_text(out, &line, &clock);
		assert_memory_equal(out + 3, wanted, CLOCK_RFC3339_BYTES);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_escapes),
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_clock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
