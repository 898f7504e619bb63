/* A reader: a cursor over borrowed bytes with a sticky error, for binary
 * formats. After an error every read gives zero or absent; test once at the
 * end. Nested lengths get a sub-reader. Integers are little-endian varints
 * (LEB128, at most 10 bytes) or fixed width in network order. */
#ifndef YUMEN_CORE_READER_H
#define YUMEN_CORE_READER_H

#include <stdint.h>
#include "core/error.h"
#include "core/slice.h"

struct reader {
	const uint8_t *next, *end;
	enum error error; /* the first one: TRUNCATED or INVALID */
};

void reader_init(struct reader *reader, struct slice bytes);
size_t reader_left(const struct reader *reader);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
uint64_t reader_varint(struct reader *reader);
/* The next length bytes, borrowed. */
struct slice reader_bytes(struct reader *reader, size_t length);
/* A varint length and that many bytes, borrowed. */
struct slice reader_block(struct reader *reader);
/* A reader over the next block; its errors do not reach this one. */
struct reader reader_sub(struct reader *reader);
void reader_fail(struct reader *reader, enum error error);

#endif
