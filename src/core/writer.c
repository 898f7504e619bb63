/* The writer: what core/reader.h reads, made. */
#include "core/writer.h"

#include "core/must.h"

enum { VARINT_BYTES_MAX = 10 };

static void
write_fixed(struct text *out, uint64_t value, unsigned length)
{
	char *to = text_reserve(out, length);

	for (unsigned i = 0; i < length; i++)
		to[i] = (char)(value >> (8 * (length - 1 - i)));
	text_advance(out, length);
}

void
writer_u8(struct text *out, uint8_t value)
{
	write_fixed(out, value, 1);
}

void
writer_u16(struct text *out, uint16_t value)
{
	write_fixed(out, value, 2);
}

void
writer_u32(struct text *out, uint32_t value)
{
	write_fixed(out, value, 4);
}

void
writer_u64(struct text *out, uint64_t value)
{
	write_fixed(out, value, 8);
}

static size_t
encode_varint(char to[VARINT_BYTES_MAX], uint64_t value)
{
	size_t length = 0;

	for (; value >= 0x80; value >>= 7)
		to[length++] = (char)(value | 0x80);
	to[length++] = (char)value;
	return length;
}

void
writer_varint(struct text *out, uint64_t value)
{
	char bytes[VARINT_BYTES_MAX];

	text_push(out, slice_make(bytes, encode_varint(bytes, value)));
}

void
writer_block(struct text *out, struct slice bytes)
{
	writer_varint(out, bytes.length);
	text_push(out, bytes);
}

size_t
writer_block_open(struct text *out)
{
	return out->length;
}

void
writer_block_close(struct text *out, size_t mark)
{
	char prefix[VARINT_BYTES_MAX];

	must(mark <= out->length);
	size_t length = out->length - mark;
	size_t extra = encode_varint(prefix, length);

	text_reserve(out, extra);
	memmove(out->data + mark + extra, out->data + mark, length);
	memcpy(out->data + mark, prefix, extra);
	text_advance(out, extra);
}
