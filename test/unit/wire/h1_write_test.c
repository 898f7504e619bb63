/* Writing heads: each row is read, then written for another connection, into a
 * block of exactly its length, and refused a block of any smaller one. */
#include "wire/h1.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/limit.h"
#include "h1_feed.h"

static const struct wire_h1_limits limits = {1024, 100, 20};

typedef size_t (*write_fn)(char *out, size_t capacity,
    const struct wire_head *head, const struct wire_h1_framing *framing);

static void
check_written(write_fn write_head, const struct wire_head *head,
    const struct wire_h1_framing *framing, const char *expected)
{
	size_t length = strlen(expected);
	for (size_t capacity = 1; capacity <= length + 1; capacity++) {
		char *out = malloc(capacity);
		assert_non_null(out);
		size_t written = write_head(out, capacity, head, framing);
		if (written > 0 && memcmp(out, expected, written) != 0)
			fail_msg(
			    "%.*s\nis not\n%s", (int)written, out, expected);
		assert_int_equal(written, capacity >= length ? length : 0);
		free(out);
	}
}

struct row {
	const char *in, *out;
	struct wire_h1_framing framing;
};

static void
check_rows(enum feed_kind kind, write_fn write_head, const struct row *rows,
    unsigned count)
{
	static struct feed feed;
	for (unsigned i = 0; i < count; i++) {
		struct slice in = slice_from_string(rows[i].in);
		feed_init(&feed, kind, METHOD_GET, &limits);
		assert_int_equal(feed_bytes(&feed, in), in.length);
		check_written(
		    write_head, &feed.head, &rows[i].framing, rows[i].out);
	}
}

#define CHECK(kind, write_head, rows) \
	check_rows( \
	    (kind), (write_head), (rows), sizeof(rows) / sizeof((rows)[0]))

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n"

static void
requests(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {GET HOST END, GET HOST END},
	    {GET HOST "b: c\r\nd: e\r\n" END, GET HOST "b: c\r\nd: e\r\n" END},
	    /* blanks, case and what is hop by hop */
	    {GET "Host:a\r\nB:\t c \r\nd:\r\ne: f\r\n" END,
	        GET HOST "B: c\r\nd: \r\ne: f\r\n" END},
	    {GET HOST "b: c\r\nKeep-Alive: 5\r\nd: e\r\n" END,
	        GET HOST "b: c\r\nd: e\r\n" END},
	    {GET HOST "Connection: b\r\nb: c\r\nd: e\r\nf: g\r\n" END,
	        GET HOST "d: e\r\nf: g\r\n" END},
	    {"GET http://b/c?d HTTP/1.1\r\n" HOST END,
	        "GET /c?d HTTP/1.1\r\nHost: b\r\n" END},
	    {"GET http://b?d HTTP/1.1\r\n" HOST END,
	        "GET /?d HTTP/1.1\r\nHost: b\r\n" END},
	    {"GET http://b/ HTTP/1.0\r\n\r\n",
	        "GET / HTTP/1.1\r\nhost: b\r\n" END},
	    {"OPTIONS * HTTP/1.1\r\n" HOST END,
	        "OPTIONS * HTTP/1.1\r\n" HOST END},
	    /* framing is written anew */
	    {"PUT / HTTP/1.1\r\nContent-Length: 007\r\n" HOST END,
	        "PUT / HTTP/1.1\r\n" HOST "Content-Length: 7\r\n" END},
	    {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST END,
	        "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n" END,
	        {.chunked = true}},
	    /* connections */
	    {GET HOST END, GET HOST "Connection: close\r\n" END,
	        {.close = true}},
	    {GET HOST "TE: trailers, gzip\r\n" END,
	        GET HOST "Connection: TE\r\nTE: trailers\r\n" END},
	    {GET HOST "TE: trailers\r\n" END,
	        GET HOST "Connection: close, TE\r\nTE: trailers\r\n" END,
	        {.close = true}},
	    {GET HOST "TE: trailers\r\nConnection: upgrade\r\n"
	              "Upgrade: websocket\r\n" END,
	        GET HOST "Connection: keep-alive, upgrade, TE\r\n"
	                 "TE: trailers\r\nUpgrade: websocket\r\n" END,
	        {.keep_alive_1_0 = true}},
	    {GET HOST "Connection: upgrade\r\nUpgrade: h2c, WebSocket\r\n" END,
	        GET HOST "Connection: upgrade\r\nUpgrade: WebSocket\r\n" END},
	    {GET HOST "Connection: upgrade\r\nUpgrade: h2c\r\n" END,
	        GET HOST END},
	};
	CHECK(FEED_REQUEST, wire_h1_request_write, rows);
}

static void
responses(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {OK "Content-Length: 5\r\n" END, OK "Content-Length: 5\r\n" END},
	    {OK "Content-Length: 5\r\nb: c\r\n" END,
	        OK "b: c\r\nContent-Length: 5\r\n" END},
	    {OK END, OK "Transfer-Encoding: chunked\r\n" END,
	        {.chunked = true}},
	    {OK END, OK "Connection: close\r\n" END, {.close = true}},
	    {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n" END,
	        OK "Content-Length: 5\r\nConnection: keep-alive\r\n" END,
	        {.keep_alive_1_0 = true}},
	    {"HTTP/1.1 200\r\nContent-Length: 0\r\n" END,
	        "HTTP/1.1 200 \r\nContent-Length: 0\r\n" END},
	    {"HTTP/1.1 404 No such thing\r\nContent-Length: 0\r\n" END,
	        "HTTP/1.1 404 No such thing\r\nContent-Length: 0\r\n" END},
	    {"HTTP/1.1 204 X\r\nContent-Length: 0\r\n" END,
	        "HTTP/1.1 204 X\r\n" END},
	    {"HTTP/1.1 304 X\r\nContent-Length: 5\r\n" END,
	        "HTTP/1.1 304 X\r\nContent-Length: 5\r\n" END},
	    {"HTTP/1.1 101 X\r\nConnection: upgrade\r\n"
	     "Upgrade: websocket\r\n" END,
	        "HTTP/1.1 101 X\r\nConnection: upgrade\r\n"
	        "Upgrade: websocket\r\n" END},
	};
	CHECK(FEED_RESPONSE, wire_h1_response_write, rows);
}

/* Phrases of ours. */
static void
phrases(void **state)
{
	(void)state;
	static struct wire_head head;
	static const struct wire_h1_framing framing = {0};
	head.status = 503;
	check_written(wire_h1_response_write, &head, &framing,
	    "HTTP/1.1 503 Service Unavailable\r\n\r\n");
	head.status = 299;
	check_written(
	    wire_h1_response_write, &head, &framing, "HTTP/1.1 299 \r\n\r\n");
	head.has_content_length = true;
	head.content_length = UINT64_MAX;
	check_written(wire_h1_response_write, &head, &framing,
	    "HTTP/1.1 299 \r\nContent-Length: 18446744073709551615\r\n\r\n");
}

/* Entries that lie elsewhere, among those that lie as they came in. */
static void
moved_entries(void **state)
{
	(void)state;
	static struct feed feed;
	static const struct wire_h1_framing framing = {0};
	const struct slice in =
	    SLICE(GET HOST "b: c\r\nd: e\r\nf: g\r\nh: i\r\n" END);
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(feed_bytes(&feed, in), in.length);
	struct wire_head *head = &feed.head;
	struct field *field = wire_head_find_name(head, SLICE("d"));
	field->value = "new";
	field->value_length = 3;
	wire_head_touch(head, (unsigned)(field - head->fields));
	wire_head_remove_name(head, SLICE("f"));
	assert_true(wire_head_add(head, FIELD_OTHER, SLICE("j"), SLICE_NONE));
	/* The order in memory is another than the one in the list. */
	struct field first = head->fields[0];
	head->fields[0] = head->fields[1];
	head->fields[1] = first;
	wire_head_touch(head, 0);
	check_written(wire_h1_request_write, head, &framing,
	    GET "b: c\r\n" HOST "d: new\r\nh: i\r\nj: \r\n" END);
}

/* A head goes as it came up to the first entry that was changed, wherever that
 * is; what is odd about its blanks goes nowhere. */
static void
touched_entries(void **state)
{
	(void)state;
	static struct feed feed;
	static const struct wire_h1_framing framing = {0};
	static const char *const lines[] = {HOST, "b: c\r\n", "d: e\r\n"};
	const struct slice in = SLICE(GET HOST "b: c\r\nd: e\r\n" END);
	for (unsigned removed = 0; removed < 3; removed++) {
		char out[128];
		snprintf(out, sizeof(out), GET "%s%s%s" END,
		    removed == 0 ? "" : lines[0], removed == 1 ? "" : lines[1],
		    removed == 2 ? "" : lines[2]);
		feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
		assert_int_equal(feed_bytes(&feed, in), in.length);
		assert_int_equal(feed.head.came_count, 3);
		feed.head.fields[removed].id = FIELD_REMOVED;
		wire_head_touch(&feed.head, removed);
		assert_int_equal(feed.head.came_count, removed);
		check_written(wire_h1_request_write, &feed.head, &framing, out);
	}
	const struct slice odd = SLICE(GET HOST "b:c\r\nd: e \r\n" END);
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(feed_bytes(&feed, odd), odd.length);
	assert_int_equal(feed.head.came_count, 0);
	check_written(wire_h1_request_write, &feed.head, &framing,
	    GET HOST "b: c\r\nd: e\r\n" END);
}

/* A line that was made goes with one copy, until it is changed. */
static void
made_lines(void **state)
{
	(void)state;
	static struct feed feed;
	static const struct wire_h1_framing framing = {0};
	static const char line[] = "Date: now\r\n";
	const struct field date = {.name = line,
	    .name_length = 4,
	    .value = line + 6,
	    .value_length = 3,
	    .id = FIELD_DATE};
	const struct slice in = SLICE(GET HOST END);
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(feed_bytes(&feed, in), in.length);
	struct wire_head *head = &feed.head;
	wire_head_add(head, FIELD_OTHER, SLICE("a"), SLICE("b"));
	assert_true(wire_head_add_line(head, &date));
	assert_true(wire_head_add_line(head, &date));
	assert_int_equal(head->made_first, 2);
	assert_int_equal(head->made_count, 1);
	wire_head_add(head, FIELD_OTHER, SLICE("c"), SLICE("d"));
	check_written(wire_h1_request_write, head, &framing,
	    GET HOST "a: b\r\nDate: now\r\nDate: now\r\nc: d\r\n" END);
	wire_head_remove(head, FIELD_DATE);
	assert_int_equal(head->made_count, 0);
	check_written(wire_h1_request_write, head, &framing,
	    GET HOST "a: b\r\nc: d\r\n" END);
}

/* Entries that lie as if they were joined, with other bytes between. */
static void
near_entries(void **state)
{
	(void)state;
	static struct wire_head head;
	static const struct wire_h1_framing framing = {0};
	static const char bytes[] =
	    "a: b\r\nc--d\r\ne:-f\r\ng- h\r\ni: j\n\nk: l"
	    "\r-m: n";
	wire_head_reset(&head);
	head.status = 299;
	for (unsigned i = 0; i < 7; i++)
		wire_head_add(&head, FIELD_OTHER, slice_make(bytes + 6 * i, 1),
		    slice_make(bytes + 6 * i + 3, 1));
	check_written(wire_h1_response_write, &head, &framing,
	    "HTTP/1.1 299 \r\na: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\n"
	    "k: l\r\nm: n\r\n\r\n");
}

/* Does writing end the process? A line that was not checked must not get out:
 * whoever made it has a fault, and a message in two would be the answer. */
static bool
dies(write_fn write_head, const struct wire_head *head)
{
	static const struct wire_h1_framing framing = {0};
	char out[256];
	int status = 0;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		write_head(out, sizeof(out), head, &framing);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
nothing_is_injected(void **state)
{
	(void)state;
	static struct wire_head head;
	static const struct slice bad[] = {SLICE("a\r\nb: c"), SLICE("a\n"),
	    SLICE("\r"), SLICE("a\0b"), SLICE("\x7f")};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wire_head_reset(&head);
		head.method = SLICE("GET");
		head.target = SLICE("/");
		head.status = 200;
		assert_false(dies(wire_h1_request_write, &head));
		assert_false(dies(wire_h1_response_write, &head));
		head.target = bad[i];
		assert_true(dies(wire_h1_request_write, &head));
		head.target = SLICE_NONE;
		head.path = SLICE("/");
		head.query = bad[i];
		assert_true(dies(wire_h1_request_write, &head));
		head.query = SLICE_NONE;
		head.method = bad[i];
		assert_true(dies(wire_h1_request_write, &head));
		head.reason = bad[i];
		assert_true(dies(wire_h1_response_write, &head));
		head.method = head.reason = SLICE("GET");
		head.upgrade = bad[i];
		assert_true(dies(wire_h1_request_write, &head));
		assert_true(dies(wire_h1_response_write, &head));
		head.upgrade = SLICE_NONE;
		wire_head_add(&head, FIELD_OTHER, SLICE("a"), bad[i]);
		assert_true(dies(wire_h1_request_write, &head));
		assert_true(dies(wire_h1_response_write, &head));
		head.field_count = 0;
		wire_head_add(&head, FIELD_OTHER, bad[i], SLICE("a"));
		assert_true(dies(wire_h1_request_write, &head));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests),
	    cmocka_unit_test(responses),
	    cmocka_unit_test(phrases),
	    cmocka_unit_test(moved_entries),
	    cmocka_unit_test(touched_entries),
	    cmocka_unit_test(made_lines),
	    cmocka_unit_test(near_entries),
	    cmocka_unit_test(nothing_is_injected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
