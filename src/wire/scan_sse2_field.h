/* Finding a field's colon and its line's end in one pass, 16 bytes at a time.
 * What the function finds is said in wire/scan.h. */
#ifndef YUMEN_WIRE_SCAN_SSE2_FIELD_H
#define YUMEN_WIRE_SCAN_SSE2_FIELD_H

#include "core/must.h"
#include "wire/scan_sse2.h"

/* Most names end within the first vector, and many lines. */
static inline const char *
scan_sse2_field(
    const char *at, const char *end, const char *begin, const char **colon)
{
	const char *first = at; /* of the first vector */
	if (unlikely(end - at < SCAN_SSE2_BYTES)) {
		if (unlikely(end - begin < SCAN_SSE2_BYTES))
			return scan_generic_field(at, end, begin, colon);
		first = end - SCAN_SSE2_BYTES;
	}
	const char *next = first + SCAN_SSE2_BYTES;
	__m128i bytes = scan_sse2_load(first);
	unsigned colons = scan_sse2_is_byte(bytes, ':') >> (at - first);
	unsigned ends = scan_sse2_ends_line(bytes, 0) >> (at - first);
	*colon = likely(colons != 0) ? at + __builtin_ctz(colons)
	                             : scan_sse2_byte(next, end, begin, ':');
	return ends != 0 ? at + __builtin_ctz(ends)
	                 : scan_sse2_line(next, end, begin);
}

#endif
