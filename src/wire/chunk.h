/* The chunked transfer coding (RFC 9112 7.1), strict: sizes are 1 to 16 hex
 * digits, lines end in CRLF, extensions are checked for control bytes and
 * dropped, a line is at most LIMIT_CHUNK_LINE_BYTES. */
#ifndef YUMEN_WIRE_CHUNK_H
#define YUMEN_WIRE_CHUNK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/error.h"
#include "core/slice.h"

struct wire_chunk {
	uint64_t left; /* data bytes of the current chunk still to come */
	uint16_t line_bytes;
	uint8_t digits;
	uint8_t state;
};

void wire_chunk_init(struct wire_chunk *chunk);
/* Consume framing and find the next run of data. >=0: bytes consumed; *data is
 * then the run of data found right after them (it points into bytes and may be
 * empty), counted as consumed too. <0: -(enum error). After the last chunk's
 * line (size 0) wire_chunk_is_last is true and nothing more is consumed: the
 * trailers follow (wire_h1_trailers_feed). */
ssize_t wire_chunk_feed(
    struct wire_chunk *chunk, struct slice bytes, struct slice *data);
bool wire_chunk_is_last(const struct wire_chunk *chunk);
/* Write "1a2b\r\n" for a chunk of length bytes; returns its length (<= 18). */
unsigned wire_chunk_line(char out[18], uint64_t length);

#endif
