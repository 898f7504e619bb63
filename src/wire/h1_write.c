/* Writing heads: the start line, the fields that are still there, the framing
 * of this connection. What lies one behind the other as it is to be written,
 * which is most of a head that came in, is copied in one go. */
#include "wire/h1_priv.h"

#include "core/must.h"
#include "wire/scan.h"

/* The codec writes these itself. */
static const h1_set not_written =
    h1_hop_fields | h1_framing_fields | H1_BIT(FIELD_REMOVED);

/* Decimal digits of 2^64 - 1. */
#define NUMBER_BYTES_MAX 20
#define LENGTH_NAME_BYTES (sizeof("Content-Length: ") - 1)

/* The rest of the output; full once something did not fit. */
struct output {
	char *begin, *at, *end;
	bool full;
};

/* Room for that many bytes more? */
static inline bool
has_room(struct output *output, size_t bytes)
{
	if (likely((size_t)(output->end - output->at) >= bytes))
		return true;
	output->full = true;
	return false;
}

static inline void
push(struct output *output, const char *bytes, size_t length)
{
	if (!has_room(output, length))
		return;
	memcpy(output->at, bytes, length);
	output->at += length;
}

static inline void
push_slice(struct output *output, struct slice s)
{
	if (s.length > 0)
		push(output, s.data, s.length);
}

#define PUSH_LITERAL(output, literal) \
	push((output), (literal), sizeof(literal) - 1)

/* What was written since must be part of one line. */
static inline void
must_be_line(const struct output *output, const char *since)
{
	must(wire_scan_line(since, output->at, output->begin) == output->at);
}

static inline bool
is_written(const struct field *field)
{
	return (H1_BIT(field->id) & not_written) == 0;
}

/* Are the two bytes at at these? */
static inline bool
is_pair(const char *at, const char pair[static 2])
{
	return memcmp(at, pair, 2) == 0;
}

/* Does it lie in memory as it is to be written? */
static inline bool
is_joined(const struct field *field)
{
	const char *name_end = field->name + field->name_length;
	return field->value == name_end + 2 && is_pair(name_end, ": ");
}

/* Does the field lie in the line after the one that ends at end? */
static inline bool
is_next_line(const char *end, const struct field *field)
{
	return field->name == end + 2 && is_pair(end, "\r\n");
}

static inline const char *
field_end(const struct field *field)
{
	return field->value + field->value_length;
}

static void
push_field(struct output *output, const struct field *field)
{
	const char *since = output->at;
	size_t length = (size_t)field->name_length + field->value_length;
	if (!has_room(output, length + 4))
		return;
	if (is_joined(field)) {
		push(output, field->name, length + 2);
	} else {
		push_slice(output, field_name(field));
		PUSH_LITERAL(output, ": ");
		push_slice(output, field_value(field));
	}
	must_be_line(output, since);
	PUSH_LITERAL(output, "\r\n");
}

/* The lines from start on, the last of which ends at end: they were cut from a
 * head that was checked as a whole, or were made in one block. */
static inline void
push_run(struct output *output, const char *start, const char *end)
{
	size_t length = (size_t)(end - start);
	if (!has_room(output, length + 2))
		return;
	memcpy(output->at, start, length);
	memcpy(output->at + length, "\r\n", 2);
	output->at += length + 2;
}

/* The first field from field on that is not in the run whose last line ends at
 * *end. */
static inline const struct field *
extend_run(
    const struct field *field, const struct field *fields_end, const char **end)
{
	for (; field < fields_end; field++) {
		if (!is_next_line(*end, field) || !is_written(field) ||
		    !is_joined(field))
			break;
		*end = field_end(field);
	}
	return field;
}

static inline void
push_fields(struct output *output, const struct field *field,
    const struct field *fields_end)
{
	while (field < fields_end) {
		const struct field *first = field++;
		if (!is_written(first))
			continue;
		const char *end = NULL;
		if (is_joined(first)) {
			end = field_end(first);
			field = extend_run(field, fields_end, &end);
		}
		if (field > first + 1)
			push_run(output, first->name, end);
		else
			push_field(output, first);
	}
}

/* What Connection has to say, in this order. */
enum option {
	OPTION_CLOSE = 1,
	OPTION_KEEP_ALIVE = 2,
	OPTION_UPGRADE = 4,
	OPTION_TE = 8,
};

static void
push_connection(
    struct output *output, const struct wire_head *head, unsigned options)
{
	static const struct slice names[] = {
	    SLICE("close"), SLICE("keep-alive"), SLICE("upgrade"), SLICE("TE")};
	const char *before = "Connection: ";
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((options >> i & 1) == 0)
			continue;
		push_slice(output, slice_from_string(before));
		push_slice(output, names[i]);
		before = ", ";
	}
	PUSH_LITERAL(output, "\r\n");
	if (options & OPTION_TE)
		PUSH_LITERAL(output, "TE: trailers\r\n");
	if ((options & OPTION_UPGRADE) == 0)
		return;
	PUSH_LITERAL(output, "Upgrade: ");
	const char *since = output->at;
	push_slice(output, head->upgrade);
	must_be_line(output, since);
	PUSH_LITERAL(output, "\r\n");
}

static void
push_length(struct output *output, uint64_t length)
{
	char digits[NUMBER_BYTES_MAX];
	unsigned count = 0;
	do {
		digits[count++] = (char)('0' + length % 10);
		length /= 10;
	} while (length > 0);
	if (!has_room(output, LENGTH_NAME_BYTES + count + 2))
		return;
	char *at = output->at;
	memcpy(at, "Content-Length: ", LENGTH_NAME_BYTES);
	at += LENGTH_NAME_BYTES;
	while (count > 0)
		*at++ = digits[--count];
	memcpy(at, "\r\n", 2);
	output->at = at + 2;
}

/* All that follows the start line. came: that line, if it goes as it came, else
 * it was written. Returns what write is to return. */
static inline __attribute__((always_inline)) size_t
push_rest(struct output *output, const struct wire_head *head,
    struct slice came, const struct wire_h1_framing *framing, unsigned options)
{
	const struct field *field = head->fields;
	const struct field *fields_end = field + head->field_count;
	if (likely(slice_is_set(came))) {
		const char *end = came.data + came.length;
		field = extend_run(field, fields_end, &end);
		push_run(output, came.data, end);
	}
	push_fields(output, field, fields_end);
	if (framing->chunked)
		PUSH_LITERAL(output, "Transfer-Encoding: chunked\r\n");
	else if (head->has_content_length)
		push_length(output, head->content_length);
	if (framing->close)
		options |= OPTION_CLOSE;
	else if (framing->keep_alive_1_0)
		options |= OPTION_KEEP_ALIVE;
	if (slice_is_set(head->upgrade))
		options |= OPTION_UPGRADE;
	if (options != 0)
		push_connection(output, head, options);
	PUSH_LITERAL(output, "\r\n");
	return output->full ? 0 : (size_t)(output->at - output->begin);
}

/* The request line as it came, if nothing of it has changed. */
static inline struct slice
request_line(const struct wire_head *head)
{
	struct slice line = head->start_line;
	size_t before = head->method.length + 1;
	if (unlikely(line.length !=
	            before + head->target.length + VERSION_BYTES + 1 ||
	        head->method.data != line.data ||
	        head->target.data != line.data + before ||
	        memcmp(line.data + line.length - VERSION_BYTES, "HTTP/1.1",
	            VERSION_BYTES) != 0))
		return SLICE_NONE;
	return line;
}

static void
push_request_line(struct output *output, const struct wire_head *head)
{
	push_slice(output, head->method);
	PUSH_LITERAL(output, " ");
	if (slice_is_set(head->target)) {
		push_slice(output, head->target);
	} else {
		push_slice(output, head->path);
		if (slice_is_set(head->query))
			PUSH_LITERAL(output, "?");
		push_slice(output, head->query);
	}
	PUSH_LITERAL(output, " HTTP/1.1");
	must_be_line(output, output->begin);
	PUSH_LITERAL(output, "\r\n");
}

size_t
wire_h1_request_write(char *out, size_t capacity, const struct wire_head *head,
    const struct wire_h1_framing *framing)
{
	must(out != NULL && head != NULL && framing != NULL);
	must(head->method.length > 0);
	must(!framing->chunked || !head->has_content_length);
	struct output output = {out, out, out + capacity, false};
	struct slice came = request_line(head);
	if (unlikely(!slice_is_set(came)))
		push_request_line(&output, head);
	return push_rest(
	    &output, head, came, framing, head->te_trailers ? OPTION_TE : 0);
}

/* The usual phrase, empty where there is none. */
static struct slice
reason_phrase(unsigned status)
{
	switch (status) {
#define STATUS(code, phrase) \
	case code: \
		return SLICE(phrase);
#include "wire/status.def"
#undef STATUS
	default:
		return SLICE_NONE;
	}
}

#define STATUS_START_BYTES (sizeof("HTTP/1.1 200 ") - 1)

/* All of the status line before its phrase. */
static inline void
write_status(char out[STATUS_START_BYTES], unsigned status)
{
	memcpy(out, "HTTP/1.1 000 ", STATUS_START_BYTES);
	out[9] = (char)('0' + status / 100);
	out[10] = (char)('0' + status / 10 % 10);
	out[11] = (char)('0' + status % 10);
}

/* The status line as it came, if it says what is to be said. */
static inline struct slice
status_line(const struct wire_head *head, const char *before)
{
	struct slice line = head->start_line;
	if (unlikely(line.length != STATUS_START_BYTES + head->reason.length ||
	        head->reason.data != line.data + STATUS_START_BYTES ||
	        memcmp(line.data, before, STATUS_START_BYTES) != 0))
		return SLICE_NONE;
	return line;
}

static void
push_status_line(
    struct output *output, const struct wire_head *head, const char *before)
{
	push(output, before, STATUS_START_BYTES);
	push_slice(output,
	    slice_is_set(head->reason) ? head->reason
	                               : reason_phrase(head->status));
	must_be_line(output, output->begin);
	PUSH_LITERAL(output, "\r\n");
}

size_t
wire_h1_response_write(char *out, size_t capacity, const struct wire_head *head,
    const struct wire_h1_framing *framing)
{
	must(out != NULL && head != NULL && framing != NULL);
	must(head->status >= 100 && head->status <= 999);
	must(!framing->chunked || !head->has_content_length);
	struct output output = {out, out, out + capacity, false};
	char before[STATUS_START_BYTES];
	write_status(before, head->status);
	struct slice came = status_line(head, before);
	if (unlikely(!slice_is_set(came)))
		push_status_line(&output, head, before);
	return push_rest(&output, head, came, framing, 0);
}
