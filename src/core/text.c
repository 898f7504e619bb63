/* Text: grows by doubling, always ends in NUL. */
#include "core/text.h"

#include <stdint.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/must.h"

/* What holds a key is not larger than WIPED_BYTES_MAX: an object of Kubernetes
 * is not. */
enum {
	CAPACITY_MIN = 64,
	FORMATTED_BYTES = 40,
	WIPED_BYTES_MAX = 4 * 1024 * 1024
};

void
text_init(struct text *text)
{
	*text = (struct text){0};
}

void
text_fini(struct text *text)
{
	memory_free(text->data);
	text_init(text);
}

void
text_wipe(struct text *text)
{
	memory_wipe(text->data, text->capacity);
	text_fini(text);
}

void
text_reset(struct text *text)
{
	text->length = 0;
	if (text->data)
		text->data[0] = '\0';
}

static void
move(struct text *text, size_t capacity)
{
	char *old = text->data;

	if (old == NULL || text->capacity > WIPED_BYTES_MAX) {
		text->data = memory_resize(old, capacity, 1);
	} else {
		text->data = memory_alloc(capacity);
		memcpy(text->data, old, text->length + 1);
		memory_wipe(old, text->capacity);
		memory_free(old);
	}
	text->capacity = capacity;
}

/* Make room for length more bytes and the NUL. */
static void __attribute__((noinline)) grow(struct text *text, size_t length)
{
	must(length < SIZE_MAX / 4 - text->length);
	size_t needed = text->length + length + 1;
	size_t capacity = text->capacity * 2;

	if (capacity < CAPACITY_MIN)
		capacity = CAPACITY_MIN;
	if (capacity < needed)
		capacity = needed;
	move(text, capacity);
}

char *
text_reserve(struct text *text, size_t length)
{
	if (unlikely(length >= text->capacity - text->length))
		grow(text, length);
	return text->data + text->length;
}

void
text_advance(struct text *text, size_t length)
{
	must(length < text->capacity - text->length);
	text->length += length;
	text->data[text->length] = '\0';
}

void
text_push(struct text *text, struct slice s)
{
	if (s.length == 0)
		return;
	memcpy(text_reserve(text, s.length), s.data, s.length);
	text_advance(text, s.length);
}

void
text_push_string(struct text *text, const char *string)
{
	text_push(text, slice_from_string(string));
}

void
text_push_byte(struct text *text, char byte)
{
	*text_reserve(text, 1) = byte;
	text_advance(text, 1);
}

void
text_push_number(struct text *text, uint64_t number)
{
	char digits[20]; /* of UINT64_MAX */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	text_push(text, slice_make(digits + at, sizeof(digits) - at));
}

void
text_push_lower(struct text *text, struct slice s)
{
	char *to = text_reserve(text, s.length);

	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];

		to[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	text_advance(text, s.length);
}

/* What the first two bytes of a UTF-8 sequence may be (RFC 3629, section 4: no
 * overlong form, no surrogate, nothing past U+10FFFF). */
static const struct {
	unsigned char first_low, first_high, second_low, second_high;
	unsigned length;
} utf8_rows[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* The length of the UTF-8 sequence that s starts with, 0 if it is none. */
static unsigned
utf8_length(struct slice s)
{
	const unsigned char *bytes = (const unsigned char *)s.data;
	size_t row = 0;

	if (bytes[0] < 0x80)
		return 1;
	while (row < sizeof(utf8_rows) / sizeof(utf8_rows[0]) &&
	    bytes[0] > utf8_rows[row].first_high)
		row++;
	if (row == sizeof(utf8_rows) / sizeof(utf8_rows[0]) ||
	    bytes[0] < utf8_rows[row].first_low ||
	    s.length < utf8_rows[row].length ||
	    bytes[1] < utf8_rows[row].second_low ||
	    bytes[1] > utf8_rows[row].second_high)
		return 0;
	for (unsigned i = 2; i < utf8_rows[row].length; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return utf8_rows[row].length;
}

/* One byte below 0x80 inside a JSON string. */
static void
push_json_ascii(struct text *text, char byte)
{
	static const char named[] = "\"\"\\\\\nn\rr\tt\bb\ff";

	for (const char *at = named; *at; at += 2)
		if (*at == byte) {
			text_push_byte(text, '\\');
			text_push_byte(text, at[1]);
			return;
		}
	if ((unsigned char)byte < 0x20 || byte == 0x7f)
		text_printf(text, "\\u%04x", (unsigned)(unsigned char)byte);
	else
		text_push_byte(text, byte);
}

void
text_push_json(struct text *text, struct slice s)
{
	text_push_byte(text, '"');
	while (s.length > 0) {
		unsigned length = utf8_length(s);

		if (length == 0)
			text_push_string(text, "\\ufffd");
		else if (length == 1)
			push_json_ascii(text, s.data[0]);
		else
			text_push(text, slice_make(s.data, length));
		s = slice_skip(s, length ? length : 1);
	}
	text_push_byte(text, '"');
}

void
text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vprintf(text, format, arguments);
	va_end(arguments);
}

void
text_vprintf(struct text *text, const char *format, va_list arguments)
{
	char *out = text_reserve(text, FORMATTED_BYTES);
	size_t room = text->capacity - text->length;
	va_list again;

	/* It nearly always fits: formatting twice is for what does not. */
	va_copy(again, arguments);
	int length = vsnprintf(out, room, format, again);
	va_end(again);
	must(length >= 0);
	if ((size_t)length >= room)
		vsnprintf(text_reserve(text, (size_t)length),
		    (size_t)length + 1, format, arguments);
	text_advance(text, (size_t)length);
}

struct slice
text_slice(const struct text *text)
{
	/* Empty, not absent, before anything was pushed. */
	return slice_make(text->data ? text->data : "", text->length);
}

char *
text_take(struct text *text)
{
	char *bytes = text_reserve(text, 0) - text->length;

	bytes[text->length] = '\0';
	text_init(text);
	return bytes;
}
