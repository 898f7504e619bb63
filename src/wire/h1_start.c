/* The first line of a head: methods, targets in their four forms (RFC 9112 3),
 * versions, status lines. */
#include "wire/h1_priv.h"

#include "core/must.h"
#include "wire/scan.h"

/* The shortest: "G / HTTP/1.1". */
#define REQUEST_LINE_BYTES_MIN 12

/* With the space that follows, so that one comparison of 8 bytes decides. */
struct method_row {
	char text[8];
	uint64_t mask; /* of the bytes that count, as they lie in memory */
	uint8_t length;
	uint8_t id;
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FIRST_BYTES(count) (~UINT64_C(0) >> (64 - 8 * (count)))
#else
#define FIRST_BYTES(count) (~UINT64_C(0) << (64 - 8 * (count)))
#endif
#define METHOD(name) \
	{ \
#name " ", FIRST_BYTES(sizeof(#name)), sizeof(#name) - 1, \
		    METHOD_##name \
	}

static const struct method_row methods[] = {
    METHOD(GET),
    METHOD(POST),
    METHOD(HEAD),
    METHOD(PUT),
    METHOD(DELETE),
    METHOD(OPTIONS),
    METHOD(PATCH),
    METHOD(CONNECT),
    METHOD(TRACE),
};

/* The method at the start of a line of at least 8 bytes, with its length; 0
 * when it is none. */
static inline size_t
read_method(const char *at, const char *end, enum method_id *id)
{
	uint64_t bytes;
	memcpy(&bytes, at, sizeof(bytes));
	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		uint64_t text;
		memcpy(&text, methods[i].text, sizeof(text));
		if (((bytes ^ text) & methods[i].mask) == 0) {
			*id = (enum method_id)methods[i].id;
			return methods[i].length;
		}
	}
	*id = METHOD_OTHER;
	const char *space = wire_scan_byte(at, end, at, ' ');
	struct slice method = slice_make(at, (size_t)(space - at));
	return space != end && wire_is_token(method) ? method.length : 0;
}

/* The VERSION_BYTES at at (RFC 9112 2.3, 2.6): a higher minor version is
 * treated as the highest that is known. */
static inline enum error
read_version(const char *at, enum error malformed, uint8_t *minor)
{
	if (likely(memcmp(at, "HTTP/1.1", VERSION_BYTES) == 0)) {
		*minor = 1;
		return ERROR_OK;
	}
	if (memcmp(at, "HTTP/", 5) != 0 || at[5] < '0' || at[5] > '9' ||
	    at[6] != '.' || at[7] < '0' || at[7] > '9')
		return malformed;
	if (at[5] != '1')
		return ERROR_HTTP_BAD_VERSION;
	*minor = at[7] != '0';
	return ERROR_OK;
}

/* Divide an origin-form at its first '?'. */
static inline void
set_origin(struct wire_head *head, struct slice target, const char *query)
{
	head->target = head->path = target;
	if (query == NULL)
		return;
	head->path.length = (size_t)(query - target.data);
	head->query = slice_skip(target, head->path.length + 1);
}

/* RFC 9112 3.2.2. Its authority is what counts, whatever Host says. */
static enum error
read_absolute(struct slice target, const char *query, struct wire_head *head)
{
	static const struct slice schemes[] = {
	    SLICE("http://"), SLICE("https://")};
	size_t scheme = 0;
	for (unsigned i = 0; i < 2 && scheme == 0; i++) {
		size_t length = schemes[i].length;
		if (target.length >= length &&
		    slice_equal_nocase(
		        slice_make(target.data, length), schemes[i]))
			scheme = length;
	}
	if (scheme == 0)
		return ERROR_HTTP_BAD_REQUEST_LINE;
	struct slice rest = slice_skip(target, scheme);
	size_t authority = slice_find(rest, '/');
	if (query != NULL && authority > (size_t)(query - rest.data))
		authority = (size_t)(query - rest.data);
	if (authority == 0)
		return ERROR_HTTP_BAD_HOST;
	head->authority = slice_make(rest.data, authority);
	rest = slice_skip(rest, authority);
	if (rest.length > 0 && rest.data[0] == '/') {
		set_origin(head, rest, query);
	} else if (query != NULL) {
		/* "/" and the query: not in one piece. */
		head->path = SLICE("/");
		head->query = slice_skip(rest, 1);
	} else {
		/* RFC 9112 3.2.4 */
		bool options = head->method_id == METHOD_OPTIONS;
		head->target = options ? SLICE("*") : SLICE("/");
		head->path = head->target;
	}
	return ERROR_OK;
}

static enum error
read_odd_target(struct slice target, const char *query, struct wire_head *head)
{
	if (head->method_id == METHOD_CONNECT) {
		if (target.data[0] == '/' || query != NULL)
			return ERROR_HTTP_BAD_REQUEST_LINE;
		head->target = head->authority = target;
		return ERROR_OK;
	}
	if (slice_equal(target, SLICE("*"))) {
		if (head->method_id != METHOD_OPTIONS)
			return ERROR_HTTP_BAD_REQUEST_LINE;
		head->target = head->path = target;
		return ERROR_OK;
	}
	return read_absolute(target, query, head);
}

/* Where the first '?' is, or NULL. At end is a space, which ends the scans:
 * they may look as far as there are bytes. */
static inline enum error
check_target(
    const char *at, const char *end, struct slice bytes, const char **query)
{
	const char *bytes_end = bytes.data + bytes.length;
	const char *stop = wire_scan_target(at, bytes_end, bytes.data);
	*query = stop != end && *stop == '?' ? stop : NULL;
	while (stop != end && *stop == '?')
		stop = wire_scan_target(stop + 1, bytes_end, bytes.data);
	if (likely(stop == end))
		return ERROR_OK;
	return *stop == '#' ? ERROR_HTTP_BAD_PATH : ERROR_HTTP_BAD_REQUEST_LINE;
}

enum error
h1_request_line(const struct wire_h1_limits *limits, const char *at,
    const char *end, struct slice bytes, struct wire_head *head)
{
	const char *query;
	if (end - at < REQUEST_LINE_BYTES_MIN)
		return ERROR_HTTP_BAD_REQUEST_LINE;
	size_t method = read_method(at, end, &head->method_id);
	const char *first = at + method + 1;
	const char *last = end - VERSION_BYTES - 1;
	if (method == 0 || last <= first || *last != ' ')
		return ERROR_HTTP_BAD_REQUEST_LINE;
	head->method = slice_make(at, method);
	enum error error = read_version(
	    last + 1, ERROR_HTTP_BAD_REQUEST_LINE, &head->version_minor);
	if (error != ERROR_OK)
		return error;
	struct slice target = slice_make(first, (size_t)(last - first));
	if (target.length > limits->target_bytes)
		return ERROR_HTTP_TARGET_TOO_LONG;
	error = check_target(first, last, bytes, &query);
	if (error != ERROR_OK)
		return error;
	if (unlikely(*first != '/' || head->method_id == METHOD_CONNECT))
		return read_odd_target(target, query, head);
	set_origin(head, target, query);
	head->start_line = slice_make(at, (size_t)(end - at));
	return ERROR_OK;
}

enum error
h1_status_line(const char *at, const char *end, struct wire_head *head)
{
	unsigned status = 0;
	/* "HTTP/1.1 200"; the space after it is often left out. */
	if (end - at < VERSION_BYTES + 4 || at[VERSION_BYTES] != ' ')
		return ERROR_HTTP_BAD_STATUS_LINE;
	enum error error =
	    read_version(at, ERROR_HTTP_BAD_STATUS_LINE, &head->version_minor);
	if (error != ERROR_OK)
		return error;
	const char *digits = at + VERSION_BYTES + 1;
	for (unsigned i = 0; i < 3; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return ERROR_HTTP_BAD_STATUS_LINE;
		status = status * 10 + (unsigned)(digits[i] - '0');
	}
	const char *reason = digits + 3;
	if (status < 100 || (reason != end && *reason != ' '))
		return ERROR_HTTP_BAD_STATUS_LINE;
	if (reason != end)
		reason++;
	head->status = (uint16_t)status;
	head->reason = slice_make(reason, (size_t)(end - reason));
	head->start_line = slice_make(at, (size_t)(end - at));
	return ERROR_OK;
}
