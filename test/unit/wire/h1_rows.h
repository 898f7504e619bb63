/* Rows of tables of heads: each is fed in one piece, in two at every place and
 * in small steps; all must give what the row says. */
#ifndef YUMEN_TEST_H1_ROWS_H
#define YUMEN_TEST_H1_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "h1_feed.h"

static const struct wire_h1_limits limits = {1024, 100, 20};

struct row {
	const char *in;
	const char *out; /* see head_dump.h; "!label" for an error */
	size_t in_length; /* 0: up to the NUL */
	enum method_id method; /* for responses */
};

/* A row of bytes with a NUL in them. */
#define BYTES(literal, answer) \
	{ \
		.in = (literal), .in_length = sizeof(literal) - 1, \
		.out = (answer) \
	}

static inline void
check_row(struct feed *feed, const struct row *row, struct slice in)
{
	struct text whole;
	text_init(&whole);
	ssize_t result = feed_whole(feed, in, &whole);
	struct slice answer = text_slice(&whole);
	if (!slice_equal(answer, slice_from_string(row->out)))
		fail_msg("%s\ngives %.*s\n  not %s", row->in,
		    SLICE_ARGS(answer), row->out);
	assert_true(result <= (ssize_t)in.length);
	for (size_t split = 1; split < in.length; split++)
		if (!feed_gives(feed, in, (struct steps){split, in.length},
		        result, &whole))
			fail_msg("%s\nsplit at %zu", row->in, split);
	for (size_t step = 1; step < 8; step++)
		if (!feed_gives(
		        feed, in, (struct steps){step, step}, result, &whole))
			fail_msg("%s\nin steps of %zu", row->in, step);
	text_fini(&whole);
}

static inline void
check_rows(enum feed_kind kind, const struct row *rows, unsigned count)
{
	static struct feed feed;
	for (unsigned i = 0; i < count; i++) {
		struct slice in = slice_from_string(rows[i].in);
		if (rows[i].in_length > 0)
			in.length = rows[i].in_length;
		feed_init(&feed, kind, rows[i].method, &limits);
		check_row(&feed, &rows[i], in);
	}
}

#define CHECK(kind, rows) \
	check_rows((kind), (rows), sizeof(rows) / sizeof((rows)[0]))

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"
#define END "\r\n"
#define GOT "GET / [/][-] at a 1.1 keep body=none | Host=a"

#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH_5 "Content-Length: 5\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

#endif
