/* See plain.h. */
#include "sim/plain.h"

/* The first place of what in s, SIZE_MAX: none. */
static size_t
find(struct slice s, const char *what)
{
	const char *at =
	    s.length ? memmem(s.data, s.length, what, strlen(what)) : NULL;
	return at ? (size_t)(at - s.data) : SIZE_MAX;
}

struct slice
plain_field(const struct plain *message, const char *name)
{
	struct slice rest = message->head, line;
	while (slice_cut(&rest, '\n', &line)) {
		size_t colon = slice_find(line, ':');
		if (colon < line.length &&
		    slice_equal_nocase(slice_make(line.data, colon),
		        slice_from_string(name))) {
			line = slice_skip(line, colon + 1);
			line.length--; /* the CR */
			return slice_trim(line);
		}
	}
	return SLICE_NONE;
}

static size_t
number(struct slice digits, unsigned base)
{
	size_t value = 0;
	for (size_t i = 0; i < digits.length; i++) {
		char c = digits.data[i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
		    : c >= 'a' && c <= 'f'            ? (unsigned)(c - 'a') + 10
		                                      : 99;
		if (digit >= base)
			return SIZE_MAX;
		value = value * base + digit;
	}
	return digits.length > 0 ? value : SIZE_MAX;
}

/* rest begins after the head. */
static void
read_length(struct plain *message, struct slice rest, size_t length)
{
	if (rest.length < length) {
		text_push(&message->body, rest);
		return;
	}
	text_push(&message->body, slice_make(rest.data, length));
	message->bytes = message->head.length + 2 + length;
	message->state = PLAIN_WHOLE;
}

static void
read_chunks(struct plain *message, struct slice all, size_t at)
{
	for (;;) {
		struct slice rest = slice_skip(all, at);
		size_t line = find(rest, "\r\n");
		if (line == SIZE_MAX)
			return;
		size_t digits = slice_find(slice_make(rest.data, line), ';');
		size_t length = number(slice_make(rest.data, digits), 16);
		if (length == SIZE_MAX) {
			message->state = PLAIN_BAD;
			return;
		}
		at += line + 2;
		rest = slice_skip(rest, line + 2);
		if (length == 0)
			break;
		text_push(&message->body,
		    slice_make(rest.data,
		        rest.length < length ? rest.length : length));
		if (rest.length < length + 2)
			return;
		if (memcmp(rest.data + length, "\r\n", 2) != 0) {
			message->state = PLAIN_BAD;
			return;
		}
		at += length + 2;
	}
	struct slice rest = slice_skip(all, at);
	bool none = rest.length >= 2 && memcmp(rest.data, "\r\n", 2) == 0;
	size_t end = none ? 0 : find(rest, "\r\n\r\n");
	if (end == SIZE_MAX)
		return;
	if (!none)
		text_push(&message->trailers, slice_make(rest.data, end + 2));
	message->bytes = at + (none ? 2 : end + 4);
	message->state = PLAIN_WHOLE;
}

bool
plain_read_start(struct plain *message, enum plain_kind kind)
{
	struct slice line =
	    slice_make(message->head.data, find(message->head, "\r\n"));
	if (kind == PLAIN_REQUEST)
		return slice_ends_with(line, SLICE(" HTTP/1.1"));
	if (!slice_starts_with(line, SLICE("HTTP/1.1 ")) || line.length < 13)
		return false;
	message->status = (unsigned)number(slice_make(line.data + 9, 3), 10);
	return message->status >= 100 && message->status <= 599;
}

void
plain_read(
    struct plain *message, struct slice bytes, enum plain_kind kind, bool ended)
{
	*message = (struct plain){.state = PLAIN_NONE};
	text_init(&message->body);
	text_init(&message->trailers);
	if (bytes.length == 0)
		return;
	message->state = PLAIN_PART;
	size_t end = find(bytes, "\r\n\r\n");
	if (end == SIZE_MAX)
		return;
	message->has_head = true;
	message->head = slice_make(bytes.data, end + 2);
	if (!plain_read_start(message, kind)) {
		message->state = PLAIN_BAD;
		return;
	}
	struct slice rest = slice_skip(bytes, end + 4);
	struct slice length = plain_field(message, "content-length");
	bool is_bare = message->status / 100 == 1 || message->status == 204 ||
	    message->status == 304 || kind == PLAIN_RESPONSE_TO_HEAD;
	bool is_chunked =
	    slice_is_set(plain_field(message, "transfer-encoding"));
	message->has_body = !is_bare && is_chunked;
	if (is_bare)
		read_length(message, rest, 0);
	else if (is_chunked)
		read_chunks(message, bytes, end + 4);
	else if (slice_is_set(length))
		read_length(message, rest, number(length, 10));
	else if (kind == PLAIN_REQUEST)
		read_length(message, rest, 0);
	else {
		message->until_close = true;
		text_push(&message->body, rest);
		if (ended) {
			message->bytes = bytes.length;
			message->state = PLAIN_WHOLE;
		}
	}
}

void
plain_free(struct plain *message)
{
	text_fini(&message->body);
	text_fini(&message->trailers);
}
