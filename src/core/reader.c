/* The reader: all arithmetic on pointers into binary input is here. */
#include "core/reader.h"

#include "core/must.h"

enum { VARINT_BYTES_MAX = 10 };

void
reader_init(struct reader *reader, struct slice bytes)
{
	const uint8_t *start = (const uint8_t *)bytes.data;

	*reader = (struct reader){.next = start, .end = start};
	if (bytes.length > 0)
		reader->end = start + bytes.length;
}

size_t
reader_left(const struct reader *reader)
{
	return (size_t)(reader->end - reader->next);
}

void
reader_fail(struct reader *reader, enum error error)
{
	must(error != ERROR_OK);
	if (reader->error == ERROR_OK)
		reader->error = error;
	/* Nothing is left, so that loops over the rest end. */
	reader->next = reader->end;
}

/* length bytes in network order as a number. */
static uint64_t
read_fixed(struct reader *reader, unsigned length)
{
	uint64_t value = 0;

	if (reader_left(reader) < length) {
		reader_fail(reader, ERROR_TRUNCATED);
		return 0;
	}
	for (unsigned i = 0; i < length; i++)
		value = value << 8 | *reader->next++;
	return value;
}

uint8_t
reader_u8(struct reader *reader)
{
	return (uint8_t)read_fixed(reader, 1);
}

uint16_t
reader_u16(struct reader *reader)
{
	return (uint16_t)read_fixed(reader, 2);
}

uint32_t
reader_u32(struct reader *reader)
{
	return (uint32_t)read_fixed(reader, 4);
}

uint64_t
reader_u64(struct reader *reader)
{
	return read_fixed(reader, 8);
}

/* A value has one encoding: zero bytes at its end and bits past the 64th are
 * INVALID, so that equal values have equal digests. */
uint64_t
reader_varint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
		if (reader->next == reader->end) {
			reader_fail(reader, ERROR_TRUNCATED);
			return 0;
		}
		uint8_t byte = *reader->next++;

		if (i == VARINT_BYTES_MAX - 1 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if (byte == 0 && i > 0)
			break;
		return value;
	}
	reader_fail(reader, ERROR_INVALID);
	return 0;
}

struct slice
reader_bytes(struct reader *reader, size_t length)
{
	if (reader->error != ERROR_OK)
		return SLICE_NONE;
	if (length > reader_left(reader)) {
		reader_fail(reader, ERROR_TRUNCATED);
		return SLICE_NONE;
	}
	/* An empty block is there, even at the end of nothing. */
	struct slice bytes =
	    slice_make(reader->next ? (const char *)reader->next : "", length);

	if (length > 0)
		reader->next += length;
	return bytes;
}

struct slice
reader_block(struct reader *reader)
{
	uint64_t length = reader_varint(reader);

	if (length > reader_left(reader)) {
		reader_fail(reader, ERROR_TRUNCATED);
		return SLICE_NONE;
	}
	return reader_bytes(reader, (size_t)length);
}

struct reader
reader_sub(struct reader *reader)
{
	struct reader sub;

	reader_init(&sub, reader_block(reader));
	sub.error = reader->error;
	return sub;
}
