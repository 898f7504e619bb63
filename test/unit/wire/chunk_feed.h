/* Feeding the chunked coding in one piece and in every other way; the answers
 * must agree. Shared by the unit test and the fuzz target. An answer is the
 * data (a NUL as '?'), '|', and "last N", "more N" after N bytes, or "bad". */
#ifndef YUMEN_TEST_CHUNK_FEED_H
#define YUMEN_TEST_CHUNK_FEED_H

#include <stdlib.h>
#include "core/must.h"
#include "core/text.h"
#include "wire/chunk.h"

/* One block of bytes, as long as there is something to consume. */
static inline ssize_t
chunk_feed_block(
    struct wire_chunk *chunk, struct slice block, struct text *data)
{
	size_t at = 0;
	while (at < block.length && !wire_chunk_is_last(chunk)) {
		struct slice rest = slice_skip(block, at), run;
		ssize_t used = wire_chunk_feed(chunk, rest, &run);
		if (used < 0)
			return used;
		/* Without progress a caller would turn for ever. */
		must(used > 0 && (size_t)used <= rest.length);
		must(run.length <= (size_t)used);
		must(run.length == 0 ||
		    run.data + run.length == rest.data + used);
		for (size_t i = 0; i < run.length; i++)
			text_push_byte(data, run.data[i] ? run.data[i] : '?');
		at += (size_t)used;
	}
	return (ssize_t)at;
}

/* First so many bytes, then next more each time, in blocks of their own. */
static inline void
chunk_feed_in_steps(
    struct slice bytes, size_t first, size_t next, struct text *out)
{
	struct wire_chunk chunk;
	size_t at = 0;
	ssize_t used = 0;
	wire_chunk_init(&chunk);
	text_reset(out);
	while (at < bytes.length && !wire_chunk_is_last(&chunk)) {
		size_t length = at == 0 ? first : next;
		if (length > bytes.length - at)
			length = bytes.length - at;
		char *block = malloc(length);
		must(block != NULL);
		memcpy(block, bytes.data + at, length);
		used = chunk_feed_block(&chunk, slice_make(block, length), out);
		free(block);
		if (used < 0)
			break;
		at += (size_t)used;
	}
	if (used < 0)
		text_push_string(out, "|bad");
	else
		text_printf(out, "|%s %zu",
		    wire_chunk_is_last(&chunk) ? "last" : "more", at);
}

static inline void
chunk_feed_whole(struct slice bytes, struct text *out)
{
	chunk_feed_in_steps(bytes, bytes.length, 1, out);
}

/* Do bytes that come so give this answer too? */
static inline bool
chunk_feed_gives(
    struct slice bytes, size_t first, size_t next, const struct text *answer)
{
	struct text again;
	text_init(&again);
	chunk_feed_in_steps(bytes, first, next, &again);
	bool same = slice_equal(text_slice(answer), text_slice(&again));
	text_fini(&again);
	return same;
}

#endif
