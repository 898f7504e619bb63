/* Canonical paths: most are canonical as they come, which one pass over them
 * finds; the others are written anew, segment by segment, in one pass with no
 * second look at what was written but to take a segment back. */
#include "wire/path.h"

#include "core/must.h"

/* What a byte is in a path (RFC 3986 3.3: pchar and '/'). */
enum kind { BAD, PLAIN, DOT, ESCAPE };

static const uint8_t kinds[256] = {
    ['!'] = PLAIN,
    ['$'] = PLAIN,
    ['%'] = ESCAPE,
    ['&' ... '-'] = PLAIN, /* & ' ( ) * + , - */
    ['.'] = DOT,
    ['/'] = PLAIN,
    ['0' ... '9'] = PLAIN,
    [':'] = PLAIN,
    [';'] = PLAIN,
    ['='] = PLAIN,
    ['@' ... 'Z'] = PLAIN,
    ['_'] = PLAIN,
    ['a' ... 'z'] = PLAIN,
    ['~'] = PLAIN,
};

static inline enum kind
kind_of(char byte)
{
	return (enum kind)kinds[(unsigned char)byte];
}

static int
hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The byte that the escape at at stands for, -1 if it is none. */
static int
escaped_byte(const char *at, const char *end)
{
	if (end - at < 3)
		return -1;
	int high = hex_value(at[1]), low = hex_value(at[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* RFC 3986 2.3 */
static bool
is_unreserved(int byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
	    byte == '_' || byte == '~';
}

/* The first byte that needs a closer look: not PLAIN, and not a dot within a
 * segment. */
static const char *
skip_canonical(const char *at, const char *end)
{
	for (; at < end; at++) {
		enum kind kind = kind_of(*at);
		if (kind != PLAIN && (kind != DOT || at[-1] == '/'))
			break;
	}
	return at;
}

/* A path that is written. */
struct output {
	char *begin, *at;
	char *segment; /* behind the last '/' */
};

/* "." is 1, ".." is 2, other text 0; what begins with ';' is left aside. */
static unsigned
count_dots(const char *at, const char *end)
{
	unsigned dots = 0;
	for (; at < end && *at == '.'; at++)
		dots++;
	return dots <= 2 && (at == end || *at == ';') ? dots : 0;
}

static bool
is_escape(const char *at, const char *end, const char *escape)
{
	return end - at >= 3 && memcmp(at, escape, 3) == 0;
}

/* Is the segment, or a part of it, a dot segment for who decodes the slashes in
 * it, or the ';' behind the dots? */
static bool
hides_dots(const char *at, const char *end)
{
	const char *part = at;
	bool divided = false;
	for (; at < end; at++) {
		bool slash =
		    is_escape(at, end, "%2F") || is_escape(at, end, "%5C");
		if (!slash && !is_escape(at, end, "%3B"))
			continue;
		if (count_dots(part, at) > 0)
			return true;
		divided |= slash;
		if (slash)
			part = at + 3;
	}
	return divided && count_dots(part, end) > 0;
}

enum segment { SEGMENT_KEPT, SEGMENT_GONE, SEGMENT_BAD };

/* The segment is complete: take it back if it is a dot segment, for ".." with
 * the one before it (RFC 3986 5.2.4). BAD: that climbs over the root. */
static enum segment
end_segment(struct output *output)
{
	if (hides_dots(output->segment, output->at))
		return SEGMENT_BAD;
	unsigned dots = count_dots(output->segment, output->at);
	if (dots == 0)
		return SEGMENT_KEPT;
	output->at = output->segment;
	if (dots == 1)
		return SEGMENT_GONE;
	char *slash = output->segment - 1;
	if (slash == output->begin)
		return SEGMENT_BAD;
	while (slash[-1] != '/')
		slash--;
	output->at = slash;
	return SEGMENT_GONE;
}

/* Writes one character of the path; its length in the input, 0 if it is bad. */
static size_t
push_character(struct output *output, const char *at, const char *end)
{
	static const char digits[] = "0123456789ABCDEF";
	switch (kind_of(*at)) {
	case PLAIN:
	case DOT:
		*output->at++ = *at;
		return 1;
	case ESCAPE: {
		int byte = escaped_byte(at, end);
		if (byte <= 0)
			return 0;
		if (is_unreserved(byte)) {
			*output->at++ = (char)byte;
			return 3;
		}
		*output->at++ = '%';
		*output->at++ = digits[byte >> 4];
		*output->at++ = digits[byte & 15];
		return 3;
	}
	case BAD:
	default:
		return 0;
	}
}

/* From the start of a segment on. */
static bool
push_segments(struct output *output, const char *at, const char *end)
{
	for (;; at++) {
		output->segment = output->at;
		while (at < end && *at != '/') {
			size_t length = push_character(output, at, end);
			if (length == 0)
				return false;
			at += length;
		}
		enum segment segment = end_segment(output);
		if (segment == SEGMENT_BAD)
			return false;
		if (at == end)
			return true;
		if (segment == SEGMENT_KEPT)
			*output->at++ = '/';
	}
}

enum error
wire_path_canonical(struct slice raw, char *out, struct slice *canonical)
{
	must(out != NULL && canonical != NULL);
	if (raw.length == 0 || raw.data[0] != '/')
		return ERROR_HTTP_BAD_PATH;
	const char *end = raw.data + raw.length;
	const char *at = skip_canonical(raw.data, end);
	if (likely(at == end)) {
		*canonical = raw;
		return ERROR_OK;
	}
	/* Go on from the start of the segment that is not canonical. */
	while (at[-1] != '/')
		at--;
	size_t done = (size_t)(at - raw.data);
	memcpy(out, raw.data, done);
	struct output output = {out, out + done, out + done};
	if (!push_segments(&output, at, end))
		return ERROR_HTTP_BAD_PATH;
	*canonical = slice_make(out, (size_t)(output.at - out));
	return ERROR_OK;
}

bool
wire_path_has_prefix(struct slice path, struct slice prefix)
{
	if (slice_ends_with(prefix, SLICE("/")))
		prefix.length--;
	return slice_starts_with(path, prefix) &&
	    (path.length == prefix.length || path.data[prefix.length] == '/');
}

/* Decodes '+' and escapes; what is no escape stays as it is. */
static size_t
decode_query(struct slice text, char *out)
{
	const char *end = text.data + text.length;
	size_t length = 0;
	for (const char *at = text.data; at < end;) {
		int byte = *at == '%' ? escaped_byte(at, end) : -1;
		if (byte >= 0) {
			out[length++] = (char)byte;
			at += 3;
		} else {
			out[length++] = *at == '+' ? ' ' : *at;
			at++;
		}
	}
	return length;
}

bool
wire_query_get(
    struct slice query, struct slice name, char *out, struct slice *value)
{
	must(out != NULL && value != NULL);
	struct slice part;
	while (slice_cut(&query, '&', &part)) {
		size_t equals = slice_find(part, '=');
		struct slice key = slice_make(part.data, equals);
		/* Decoding never makes it longer than it was. */
		if (key.length < name.length)
			continue;
		size_t length = decode_query(key, out);
		if (!slice_equal(slice_make(out, length), name))
			continue;
		if (equals < part.length)
			equals++;
		length = decode_query(slice_skip(part, equals), out);
		*value = slice_make(out, length);
		return true;
	}
	return false;
}
