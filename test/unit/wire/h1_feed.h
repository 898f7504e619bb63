/* Feeding a parser of heads in one piece and in every other way; the answers
 * must agree. Shared by the unit tests and the fuzz targets. */
#ifndef YUMEN_TEST_H1_FEED_H
#define YUMEN_TEST_H1_FEED_H

#include <stdlib.h>
#include "core/must.h"
#include "head_dump.h"
#include "wire/h1.h"

enum feed_kind { FEED_REQUEST, FEED_RESPONSE, FEED_TRAILERS };

#define FEED_TRAILERS_MAX 16

struct feed {
	enum feed_kind kind;
	enum method_id method; /* that a response answers */
	struct wire_h1_parser parser;
	struct wire_head head;
	struct field trailers[FEED_TRAILERS_MAX];
	unsigned trailer_count;
};

static inline void
feed_init(struct feed *feed, enum feed_kind kind, enum method_id method,
    const struct wire_h1_limits *limits)
{
	feed->kind = kind;
	feed->method = method;
	feed->trailer_count = 0;
	wire_h1_parser_init(&feed->parser, limits);
}

static inline ssize_t
feed_bytes(struct feed *feed, struct slice bytes)
{
	switch (feed->kind) {
	case FEED_REQUEST:
		return wire_h1_request_feed(&feed->parser, bytes, &feed->head);
	case FEED_RESPONSE:
		return wire_h1_response_feed(
		    &feed->parser, bytes, feed->method, &feed->head);
	case FEED_TRAILERS:
		break;
	}
	return wire_h1_trailers_feed(&feed->parser, bytes, feed->trailers,
	    FEED_TRAILERS_MAX, &feed->trailer_count);
}

/* What came of it: the length and the head, or the error. */
static inline void
feed_dump(struct text *out, const struct feed *feed, ssize_t result)
{
	if (result == 0) {
		text_push_string(out, "more");
	} else if (result < 0) {
		text_push_byte(out, '!');
		text_push_string(out, error_label((enum error)(-result)));
	} else if (feed->kind == FEED_REQUEST) {
		dump_request(out, &feed->head);
	} else if (feed->kind == FEED_RESPONSE) {
		dump_response(out, &feed->head);
	} else {
		dump_fields(out, feed->trailers, feed->trailer_count);
	}
}

/* How bytes come: first so many, then so many more each time. */
struct steps {
	size_t first, next;
};

/* Feeds bytes as they come: each time in a block of its own, so that a pointer
 * kept from the time before is seen. Puts a dump in *out; the result. */
static inline ssize_t
feed_in_steps(
    struct feed *feed, struct slice bytes, struct steps steps, struct text *out)
{
	ssize_t result = 0;
	char *block = NULL;
	size_t length = 0;
	while (result == 0 && length < bytes.length) {
		length += length == 0 ? steps.first : steps.next;
		if (length > bytes.length)
			length = bytes.length;
		free(block);
		block = malloc(length);
		must(block != NULL);
		memcpy(block, bytes.data, length);
		result = feed_bytes(feed, slice_make(block, length));
	}
	text_reset(out);
	feed_dump(out, feed, result);
	free(block);
	/* What was not complete is not gone on with. */
	if (result == 0)
		wire_h1_parser_init(&feed->parser, &feed->parser.limits);
	return result;
}

/* The answer to bytes in one piece. */
static inline ssize_t
feed_whole(struct feed *feed, struct slice bytes, struct text *out)
{
	struct steps steps = {bytes.length, 1};
	return feed_in_steps(feed, bytes, steps, out);
}

/* Do bytes that come so give this answer too? */
static inline bool
feed_gives(struct feed *feed, struct slice bytes, struct steps steps,
    ssize_t result, const struct text *answer)
{
	struct text again;
	text_init(&again);
	bool same = feed_in_steps(feed, bytes, steps, &again) == result &&
	    slice_equal(text_slice(answer), text_slice(&again));
	text_fini(&again);
	return same;
}

#endif
