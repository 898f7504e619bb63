/* What the fuzz targets of HTTP/1 heads share: bytes are fed in one piece, in
 * two, and in steps, which must give the same; and the scanners must agree. */
#ifndef YUMEN_TEST_H1_FUZZ_H
#define YUMEN_TEST_H1_FUZZ_H

#include "../unit/wire/h1_feed.h"
#include "../unit/wire/scan_agree.h"

/* Small, so that inputs reach them; what was written and is read again has a
 * few more fields and bytes. */
static const struct wire_h1_limits fuzz_limits = {2048, 512, 24};
static const struct wire_h1_limits fuzz_limits_again = {
    8192, 4096, LIMIT_VALUE_REQUEST_FIELDS};

/* A number that any change of the bytes changes. */
static inline size_t
fuzz_number(struct slice bytes)
{
	uint64_t number = 0xcbf29ce484222325u;
	for (size_t i = 0; i < bytes.length; i++)
		number =
		    (number ^ (unsigned char)bytes.data[i]) * 0x100000001b3u;
	return (size_t)(number >> 8);
}

static inline void
fuzz_scans(struct slice bytes)
{
	size_t number = fuzz_number(bytes);
	for (unsigned i = 0; i < 8 && bytes.length > 0; i++) {
		size_t from = number % bytes.length;
		const char *at = bytes.data + from;
		const char *end = at + number / 8 % (bytes.length - from + 1);
		must(scan_agrees(at, end, bytes.data, ':'));
		number = number * 0x9e3779b97f4a7c15u >> 7;
	}
}

/* Feeds bytes in every way: the result, with the slices of bytes in the feed.
 */
static inline ssize_t
fuzz_feed(struct feed *feed, struct slice bytes, enum feed_kind kind,
    enum method_id method)
{
	struct text answer;
	size_t number = fuzz_number(bytes);
	size_t split = 1 + number % (bytes.length + 1);
	size_t step = 1 + number / 16 % 32 + bytes.length / 64;
	text_init(&answer);
	feed_init(feed, kind, method, &fuzz_limits);
	ssize_t result = feed_whole(feed, bytes, &answer);
	must(result <= (ssize_t)bytes.length);
	must(feed_gives(
	    feed, bytes, (struct steps){split, bytes.length}, result, &answer));
	must(feed_gives(
	    feed, bytes, (struct steps){step, step}, result, &answer));
	if (bytes.length < 128)
		must(feed_gives(
		    feed, bytes, (struct steps){1, 1}, result, &answer));
	text_fini(&answer);
	return result == 0 ? 0 : feed_bytes(feed, bytes);
}

/* What every entry of a head that was read keeps to. */
static inline void
fuzz_fields(const struct field *fields, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct slice name = field_name(&fields[i]);
		struct slice value = field_value(&fields[i]);
		if (fields[i].id == FIELD_REMOVED)
			continue;
		must(wire_is_token(name) && wire_is_field_value(value));
		must(slice_equal(slice_trim(value), value));
		must(fields[i].id == wire_field_id(name));
		must((wire_field_flags((enum field_id)fields[i].id) &
		         (FIELD_HOP | FIELD_FRAMING)) == 0);
	}
}

#endif
