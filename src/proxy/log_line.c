/* Writes lines of the access log. The cost of a line is that of its bytes: keys
 * are constants that the compiler stores in words, text that needs no escape is
 * tested and copied eight bytes at a time. */
#include "proxy/log_line.h"

#include "core/must.h"

#define VALUE_BYTES LIMIT_VALUE_ACCESS_LOG_VALUE_BYTES
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "load_tail puts words together as they lie");
#define ONES UINT64_C(0x0101010101010101)
#define HIGH (ONES << 7)

/* Bytes that JSON cannot hold as they are, or that must be valid UTF-8 first.
 * A borrow may mark a byte too many: the slow way then finds nothing. */
static inline uint64_t
marks(uint64_t word)
{
	uint64_t quotes = word ^ (ONES * '"'), slashes = word ^ (ONES * '\\');
	return (word | (word - ONES * 0x20) | (quotes - ONES) |
	           (slashes - ONES)) &
	    HIGH;
}

/* The length of the well-formed UTF-8 sequence at s, 0 if it is none (RFC
 * 3629: no overlong forms, no surrogates, nothing past U+10FFFF). */
static size_t
sequence_length(struct slice s)
{
	const uint8_t *at = (const uint8_t *)s.data;
	uint8_t low = 0x80, high = 0xbf;
	size_t length;
	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		length = 2;
	else if (at[0] >= 0xe0 && at[0] <= 0xef)
		length = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (s.length < length)
		return 0;
	low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : low;
	high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : high;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (at[i] < 0x80 || at[i] > 0xbf)
			return 0;
	return length;
}

/* One escaped character from s to out; returns the bytes taken from s. At most
 * 6 bytes are written. */
static size_t
escape_one(struct slice s, char **out)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t byte = (uint8_t)s.data[0];
	size_t length = sequence_length(s);
	if (byte == '"' || byte == '\\') {
		*(*out)++ = '\\';
		*(*out)++ = (char)byte;
	} else if (byte < 0x20) {
		memcpy(*out, "\\u00", 4);
		(*out)[4] = digits[byte >> 4];
		(*out)[5] = digits[byte & 15];
		*out += 6;
	} else if (length == 0) {
		memcpy(*out, "\\ufffd", 6);
		*out += 6;
		length = 1;
	} else {
		memcpy(*out, s.data, length);
		*out += length;
	}
	return length;
}

/* The last count bytes, 1 to 7, with spaces behind them. */
static inline uint64_t
load_tail(const char *at, size_t count)
{
	uint64_t spaces = (ONES * ' ') << (8 * count);
	if (count >= 4) {
		uint32_t front, back;
		memcpy(&front, at, 4);
		memcpy(&back, at + count - 4, 4);
		return spaces | front | (uint64_t)back << (8 * (count - 4));
	}
	uint64_t first = (uint8_t)at[0];
	uint64_t middle = (uint8_t)at[count / 2];
	uint64_t last = (uint8_t)at[count - 1];
	return spaces | first | middle << (8 * (count / 2)) |
	    last << (8 * (count - 1));
}

/* At most VALUE_BYTES are written: what does not fit is cut, never within an
 * escape or a character. */
static char *
put_escaped(char *out, struct slice s)
{
	const char *at = s.data, *end = s.data + s.length;
	char *limit = out + VALUE_BYTES;
	while (at < end && limit - out >= 8) {
		size_t count = end - at >= 8 ? 8 : (size_t)(end - at);
		uint64_t word;
		if (likely(count == 8))
			memcpy(&word, at, 8);
		else
			word = load_tail(at, count);
		if (likely(marks(word) == 0)) {
			memcpy(out, &word, 8);
			at += count;
			out += count;
			continue;
		}
		for (const char *stop = at + count;
		     at < stop && limit - out >= 6;)
			at += escape_one(
			    slice_make(at, (size_t)(end - at)), &out);
	}
	return out;
}

static inline char *
put_name(char *out, struct slice s)
{
	size_t length = s.length < VALUE_BYTES ? s.length : VALUE_BYTES;
	memcpy(out, s.data, length);
	return out + length;
}

static inline char *
put_number(char *out, int64_t number)
{
	char digits[20];
	uint64_t rest = number < 0 ? 0 : (uint64_t)number;
	if (likely(rest < 10)) {
		*out = (char)('0' + rest);
		return out + 1;
	}
	unsigned at = sizeof(digits);
	for (; rest > 0; rest /= 10)
		digits[--at] = (char)('0' + rest % 10);
	memcpy(out, digits + at, sizeof(digits) - at);
	return out + sizeof(digits) - at;
}

static inline char *
put_time(char *out, int64_t wall_ms, struct proxy_log_clock *clock)
{
	int64_t second = wall_ms / 1000;
	unsigned ms = (unsigned)(wall_ms % 1000);
	if (unlikely(second != clock->second)) {
		clock_format(wall_ms, clock->text);
		clock->second = second;
	}
	memcpy(out, clock->text, CLOCK_RFC3339_BYTES);
	/* "2026-11-24T04:05:06.789Z": the fraction. */
	out[20] = (char)('0' + ms / 100);
	out[21] = (char)('0' + ms / 10 % 10);
	out[22] = (char)('0' + ms % 10);
	return out + CLOCK_RFC3339_BYTES;
}

#define PUT(literal) \
	(memcpy(out, literal, sizeof(literal) - 1), out += sizeof(literal) - 1)

size_t
proxy_log_line_json(
    char *out, const struct proxy_log_line *line, struct proxy_log_clock *clock)
{
	char *start = out;
	PUT("{\"ts\":\"");
	out = put_time(out, line->wall_ms, clock);
	PUT("\"");
#define NAME(key) \
	if (line->key.length > 0) { \
		PUT(",\"" #key "\":\""); \
		out = put_name(out, line->key); \
		PUT("\""); \
	}
#define TEXT(key) \
	if (line->key.length > 0) { \
		PUT(",\"" #key "\":\""); \
		out = put_escaped(out, line->key); \
		PUT("\""); \
	}
#define NUMBER(key) \
	if (line->key != LOG_LINE_ABSENT) { \
		PUT(",\"" #key "\":"); \
		out = put_number(out, line->key); \
	}
#include "proxy/log_line.def"
#undef NAME
#undef TEXT
#undef NUMBER
	PUT("}\n");
	return (size_t)(out - start);
}

/* May it stand without quotes? */
static bool
is_bare(struct slice s)
{
	for (size_t i = 0; i < s.length; i++) {
		uint8_t byte = (uint8_t)s.data[i];
		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' ||
		    byte == '\\')
			return false;
	}
	return true;
}

static char *
put_quoted(char *out, struct slice s)
{
	if (is_bare(s))
		return put_name(out, s);
	PUT("\"");
	out = put_escaped(out, s);
	PUT("\"");
	return out;
}

size_t
proxy_log_line_text(
    char *out, const struct proxy_log_line *line, struct proxy_log_clock *clock)
{
	char *start = out;
	PUT("ts=");
	out = put_time(out, line->wall_ms, clock);
#define NAME(key) \
	if (line->key.length > 0) { \
		PUT(" " #key "="); \
		out = put_name(out, line->key); \
	}
#define TEXT(key) \
	if (line->key.length > 0) { \
		PUT(" " #key "="); \
		out = put_quoted(out, line->key); \
	}
#define NUMBER(key) \
	if (line->key != LOG_LINE_ABSENT) { \
		PUT(" " #key "="); \
		out = put_number(out, line->key); \
	}
#include "proxy/log_line.def"
#undef NAME
#undef TEXT
#undef NUMBER
	PUT("\n");
	return (size_t)(out - start);
}
