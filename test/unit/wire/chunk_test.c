/* The chunked coding: each row is fed in one piece, in two at every place and
 * in small steps; the data, what was consumed and the end must be the same. */
#include "wire/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "chunk_feed.h"
#include "core/limit.h"

struct row {
	const char *in;
	const char *out; /* data, then what came of it: see chunk_feed.h */
	size_t in_length; /* 0: up to the NUL */
};

/* A row of bytes with a NUL in them. */
#define BYTES(literal, answer) \
	{ \
		.in = (literal), .in_length = sizeof(literal) - 1, \
		.out = (answer) \
	}

static void
check_row(const struct row *row, struct slice in)
{
	struct text whole;
	text_init(&whole);
	chunk_feed_whole(in, &whole);
	if (!slice_equal(text_slice(&whole), slice_from_string(row->out)))
		fail_msg("%s\ngives %.*s\n  not %s", row->in,
		    SLICE_ARGS(text_slice(&whole)), row->out);
	for (size_t split = 1; split < in.length; split++)
		if (!chunk_feed_gives(in, split, in.length, &whole))
			fail_msg("%s\nsplit at %zu", row->in, split);
	for (size_t step = 1; step < 8; step++)
		if (!chunk_feed_gives(in, step, step, &whole))
			fail_msg("%s\nin steps of %zu", row->in, step);
	text_fini(&whole);
}

static void
check_rows(const struct row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct slice in = slice_from_string(rows[i].in);
		if (rows[i].in_length > 0)
			in.length = rows[i].in_length;
		check_row(&rows[i], in);
	}
}

#define CHECK(rows) check_rows((rows), sizeof(rows) / sizeof((rows)[0]))

/* RFC 9112 7.1 */
static void
chunks(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"0\r\n", "|last 3"},
	    {"0\r\n\r\nGET", "|last 3"},
	    {"000\r\n", "|last 5"},
	    {"5\r\nhello\r\n0\r\n\r\n", "hello|last 13"},
	    {"1\r\na\r\n2\r\nbc\r\n0\r\n", "abc|last 16"},
	    {"a\r\n0123456789\r\n0\r\n", "0123456789|last 18"},
	    {"A\r\n0123456789\r\n0\r\n", "0123456789|last 18"},
	    {"0000000000000003\r\nabc\r\n0\r\n", "abc|last 26"},
	    {"2\r\n\r\n\r\n0\r\n", "\r\n|last 10"},
	    BYTES("1\r\n\0\r\n0\r\n", "?|last 9"),
	    {"ffffffffffffffff\r\nabc", "abc|more 21"},
	    /* extensions say nothing (7.1.1) */
	    {"3;a\r\nabc\r\n0;b=c\r\n", "abc|last 17"},
	    {"3 \t;\ta = \"b;\\\"\"\r\nabc\r\n0\r\n", "abc|last 25"},
	    {"3;\r\nabc\r\n0\r\n", "abc|last 12"},
	    {"3;\xc3\xa4\r\nabc\r\n0\r\n", "abc|last 14"},
	    /* not complete */
	    {"", "|more 0"},
	    {"5", "|more 1"},
	    {"5\r", "|more 2"},
	    {"5\r\nhel", "hel|more 6"},
	    {"5\r\nhello", "hello|more 8"},
	    {"5\r\nhello\r", "hello|more 9"},
	    {"0", "|more 1"},
	    {"0\r", "|more 2"},
	};
	CHECK(rows);
}

static void
bad_chunks(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"\r\n", "|bad"},
	    {"g\r\n", "|bad"},
	    {"-1\r\n", "|bad"},
	    {"+1\r\n", "|bad"},
	    {"0x1\r\n", "|bad"},
	    {"1_0\r\n", "|bad"},
	    {"1.0\r\n", "|bad"},
	    {" 1\r\n", "|bad"},
	    {"\t1\r\n", "|bad"},
	    {"\n1\r\n", "|bad"},
	    {";a\r\n", "|bad"},
	    {"\"1\"\r\n", "|bad"},
	    BYTES("\0"
	          "1\r\n",
	        "|bad"),
	    BYTES("1\0\r\n", "|bad"),
	    /* 17 digits, though their number is small */
	    {"00000000000000001\r\n", "|bad"},
	    {"10000000000000000\r\n", "|bad"},
	    /* white space that is not before an extension */
	    {"1 \r\n", "|bad"},
	    {"1 1\r\n", "|bad"},
	    {"1\t\r\n", "|bad"},
	    /* line ends */
	    {"1\n", "|bad"},
	    {"1\ra", "|bad"},
	    {"1\r\r\n", "|bad"},
	    {"1;a\n", "|bad"},
	    {"1;a\rb\r\n", "|bad"},
	    {"1 ;a\n\r\n", "|bad"},
	    {"0\n", "|bad"},
	    {"0\r0", "|bad"},
	    /* control bytes in extensions */
	    {"1;a\x01\r\n", "|bad"},
	    {"1;a\x7f\r\n", "|bad"},
	    BYTES("1;\0\r\n", "|bad"),
	    /* after data */
	    {"1\r\nab\r\n", "a|bad"},
	    {"1\r\na\n0\r\n", "a|bad"},
	    {"1\r\na\r0", "a|bad"},
	    {"1\r\na0\r\n", "a|bad"},
	    {"1\r\na\r\n\r\n", "a|bad"},
	    {"1\r\na\r\n 0\r\n", "a|bad"},
	};
	CHECK(rows);
}

/* A line of exactly length bytes, CRLF included. */
static void
check_line(size_t length, const char *out)
{
	struct text text;
	text_init(&text);
	text_push_string(&text, "1;");
	while (text.length < length - 2)
		text_push_byte(&text, 'a');
	text_push_string(&text, "\r\nb");
	const struct row row = {.in = text.data, .out = out};
	check_row(&row, text_slice(&text));
	text_fini(&text);
}

static void
long_lines(void **state)
{
	(void)state;
	char out[32];
	snprintf(
	    out, sizeof(out), "b|more %u", LIMIT_VALUE_CHUNK_LINE_BYTES + 1);
	check_line(LIMIT_VALUE_CHUNK_LINE_BYTES, out);
	check_line(LIMIT_VALUE_CHUNK_LINE_BYTES + 1, "|bad");
}

static void
an_error_stays(void **state)
{
	(void)state;
	struct wire_chunk chunk;
	struct slice data;
	wire_chunk_init(&chunk);
	assert_int_equal(
	    wire_chunk_feed(&chunk, SLICE("x"), &data), -ERROR_HTTP_BAD_CHUNK);
	assert_int_equal(wire_chunk_feed(&chunk, SLICE("0\r\n"), &data),
	    -ERROR_HTTP_BAD_CHUNK);
	assert_false(wire_chunk_is_last(&chunk));
}

static void
written_lines(void **state)
{
	(void)state;
	static const struct {
		uint64_t length;
		const char *out;
	} rows[] = {
	    {0, "0\r\n"},
	    {1, "1\r\n"},
	    {15, "f\r\n"},
	    {16, "10\r\n"},
	    {0x1a2b, "1a2b\r\n"},
	    {UINT64_C(1) << 60, "1000000000000000\r\n"},
	    {UINT64_MAX, "ffffffffffffffff\r\n"},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[18];
		unsigned length = wire_chunk_line(line, rows[i].length);
		assert_int_equal(length, strlen(rows[i].out));
		assert_memory_equal(line, rows[i].out, length);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chunks),
	    cmocka_unit_test(bad_chunks),
	    cmocka_unit_test(long_lines),
	    cmocka_unit_test(an_error_stays),
	    cmocka_unit_test(written_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
