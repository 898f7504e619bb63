/* The chunked transfer coding. The state is kept to the byte, so that framing
 * may be split anywhere. */
#include "wire/chunk.h"

#include "core/limit.h"
#include "core/must.h"

#define DIGITS_MAX 16

enum state {
	STATE_SIZE, /* digits */
	STATE_BLANK, /* after them, before ';' (BWS) */
	STATE_EXTENSION, /* after ';' */
	STATE_LINE_END, /* LF of the size's line */
	STATE_DATA, /* left bytes */
	STATE_DATA_CR, /* CR after data */
	STATE_DATA_LF, /* LF after data */
	STATE_LAST, /* the last chunk's line was read */
	STATE_BAD, /* an error was reported: every feed reports it again */
};

void
wire_chunk_init(struct wire_chunk *chunk)
{
	must(chunk != NULL);
	*chunk = (struct wire_chunk){.state = STATE_SIZE};
}

bool
wire_chunk_is_last(const struct wire_chunk *chunk)
{
	return chunk->state == STATE_LAST;
}

static int
hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static enum state
feed_size(struct wire_chunk *chunk, char byte)
{
	int value = hex_value(byte);
	if (value >= 0 && chunk->digits < DIGITS_MAX) {
		chunk->digits++;
		chunk->left = chunk->left << 4 | (unsigned)value;
		return STATE_SIZE;
	}
	if (chunk->digits == 0)
		return STATE_BAD;
	switch (byte) {
	case '\r':
		return STATE_LINE_END;
	case ';':
		return STATE_EXTENSION;
	case ' ':
	case '\t':
		return STATE_BLANK;
	default:
		return STATE_BAD;
	}
}

static enum state
feed_blank(char byte)
{
	if (byte == ' ' || byte == '\t')
		return STATE_BLANK;
	return byte == ';' ? STATE_EXTENSION : STATE_BAD;
}

static enum state
feed_extension(char byte)
{
	unsigned char value = (unsigned char)byte;
	if (value == '\r')
		return STATE_LINE_END;
	if ((value < 0x20 && value != '\t') || value == 0x7f)
		return STATE_BAD;
	return STATE_EXTENSION;
}

/* The LF of a size's line: data follows, or nothing more. */
static enum state
feed_line_end(struct wire_chunk *chunk, char byte)
{
	if (byte != '\n')
		return STATE_BAD;
	chunk->digits = 0;
	chunk->line_bytes = 0;
	return chunk->left == 0 ? STATE_LAST : STATE_DATA;
}

static enum state
feed_byte(struct wire_chunk *chunk, char byte)
{
	if (chunk->state < STATE_DATA &&
	    ++chunk->line_bytes > LIMIT_VALUE_CHUNK_LINE_BYTES)
		return STATE_BAD;
	switch ((enum state)chunk->state) {
	case STATE_SIZE:
		return feed_size(chunk, byte);
	case STATE_BLANK:
		return feed_blank(byte);
	case STATE_EXTENSION:
		return feed_extension(byte);
	case STATE_LINE_END:
		return feed_line_end(chunk, byte);
	case STATE_DATA_CR:
		return byte == '\r' ? STATE_DATA_LF : STATE_BAD;
	case STATE_DATA_LF:
		return byte == '\n' ? STATE_SIZE : STATE_BAD;
	case STATE_DATA:
	case STATE_LAST:
	case STATE_BAD:
		break;
	}
	return STATE_BAD;
}

ssize_t
wire_chunk_feed(
    struct wire_chunk *chunk, struct slice bytes, struct slice *data)
{
	must(chunk != NULL && data != NULL && chunk->state <= STATE_BAD);
	size_t at = 0;
	while (at < bytes.length && chunk->state != STATE_DATA &&
	    chunk->state != STATE_LAST && chunk->state != STATE_BAD)
		chunk->state = feed_byte(chunk, bytes.data[at++]);
	*data = slice_make(bytes.data, 0);
	if (chunk->state == STATE_BAD)
		return chunk->line_bytes > LIMIT_VALUE_CHUNK_LINE_BYTES
		    ? -ERROR_HTTP_CHUNK_LINE_TOO_LONG
		    : -ERROR_HTTP_BAD_CHUNK;
	if (chunk->state != STATE_DATA)
		return (ssize_t)at;
	size_t run = bytes.length - at;
	if (run > chunk->left)
		run = chunk->left;
	*data = slice_make(bytes.data + at, run);
	chunk->left -= run;
	if (chunk->left == 0)
		chunk->state = STATE_DATA_CR;
	return (ssize_t)(at + run);
}

unsigned
wire_chunk_line(char out[18], uint64_t length)
{
	static const char digits[] = "0123456789abcdef";
	unsigned count = 1;
	while (count < DIGITS_MAX && length >> (4 * count) != 0)
		count++;
	for (unsigned i = count; i > 0; i--, length >>= 4)
		out[i - 1] = digits[length & 15];
	out[count] = '\r';
	out[count + 1] = '\n';
	return count + 2;
}
