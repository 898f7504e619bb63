/* Any bytes as a chunked body with trailers: the same answer however they come;
 * what was decoded and is coded anew is decoded as the same. */
#include "wire/chunk.h"

#include "../unit/wire/chunk_feed.h"
#include "core/must.h"
#include "h1_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length of the body's framing and data, 0 when it does not end. */
static size_t
body_length(struct slice bytes, struct text *data)
{
	struct wire_chunk chunk;
	wire_chunk_init(&chunk);
	ssize_t length = chunk_feed_block(&chunk, bytes, data);
	return wire_chunk_is_last(&chunk) ? (size_t)length : 0;
}

static void
code_again(struct slice data)
{
	struct text coded, again;
	char line[18];
	size_t run = 1 + fuzz_number(data) % 300;
	text_init(&coded);
	text_init(&again);
	for (struct slice rest = data; rest.length > 0;) {
		if (run > rest.length)
			run = rest.length;
		text_push(&coded, slice_make(line, wire_chunk_line(line, run)));
		text_push(&coded, slice_make(rest.data, run));
		text_push_string(&coded, "\r\n");
		rest = slice_skip(rest, run);
	}
	text_push(&coded, slice_make(line, wire_chunk_line(line, 0)));
	must(body_length(text_slice(&coded), &again) == coded.length);
	must(slice_equal(text_slice(&again), data));
	text_fini(&coded);
	text_fini(&again);
}

static void
read_trailers(struct slice bytes)
{
	static struct feed feed;
	ssize_t result = fuzz_feed(&feed, bytes, FEED_TRAILERS, METHOD_GET);
	if (result <= 0)
		return;
	fuzz_fields(feed.trailers, feed.trailer_count);
	for (unsigned i = 0; i < feed.trailer_count; i++)
		must(wire_field_flags((enum field_id)feed.trailers[i].id) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_make((const char *)data, size);
	struct text whole, decoded;
	size_t number = fuzz_number(bytes);
	size_t step = 1 + number / 16 % 32;
	text_init(&whole);
	text_init(&decoded);
	chunk_feed_whole(bytes, &whole);
	must(
	    chunk_feed_gives(bytes, 1 + number % (size + 1), size + 1, &whole));
	must(chunk_feed_gives(bytes, step, step, &whole));
	must(chunk_feed_gives(bytes, 1, 1, &whole));
	size_t length = body_length(bytes, &decoded);
	if (length > 0) {
		code_again(text_slice(&decoded));
		read_trailers(slice_skip(bytes, length));
	}
	text_fini(&whole);
	text_fini(&decoded);
	return 0;
}
