/* Writing heads: the start line, the fields that are still there, the framing
 * of this connection. Fields that lie one behind the other as they came in,
 * which is most of them, are copied in one go. */
#include "wire/h1_priv.h"

#include "core/must.h"
#include "wire/scan.h"

/* The codec writes these itself. */
static const h1_set not_written =
    h1_hop_fields | h1_framing_fields | H1_BIT(FIELD_REMOVED);

/* Decimal digits of 2^64 - 1. */
#define NUMBER_BYTES_MAX 20

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

static void
push_number(struct output *output, uint64_t number)
{
	char digits[NUMBER_BYTES_MAX];
	char *at = digits + sizeof(digits);
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	push(output, at, (size_t)(digits + sizeof(digits) - at));
}

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

/* Does it lie in memory as it is to be written? */
static inline bool
is_joined(const struct field *field)
{
	return field->value == field->name + field->name_length + 2 &&
	    field->value[-2] == ':' && field->value[-1] == ' ';
}

/* Does the next one lie behind it so? */
static inline bool
is_followed(const struct field *field, const struct field *next)
{
	const char *end = field->value + field->value_length;
	return next->name == end + 2 && end[0] == '\r' && end[1] == '\n';
}

static void
push_field(struct output *output, const struct field *field)
{
	const char *since = output->at;
	size_t length = (size_t)field->name_length + field->value_length;
	if (!has_room(output, length + 4))
		return;
	push_slice(output, field_name(field));
	PUSH_LITERAL(output, ": ");
	push_slice(output, field_value(field));
	must_be_line(output, since);
	PUSH_LITERAL(output, "\r\n");
}

/* From first to last, that lie one behind the other: they were cut from a head
 * that was checked as a whole. */
static void
push_run(
    struct output *output, const struct field *first, const struct field *last)
{
	const char *end = last->value + last->value_length;
	push(output, first->name, (size_t)(end - first->name));
	PUSH_LITERAL(output, "\r\n");
}

static void
push_fields(struct output *output, const struct wire_head *head)
{
	const struct field *field = head->fields;
	const struct field *end = field + head->field_count;
	while (field < end) {
		const struct field *first = field++;
		const struct field *last = first;
		if (!is_written(first))
			continue;
		if (is_joined(first))
			while (field < end && is_followed(last, field) &&
			    is_written(field) && is_joined(field))
				last = field++;
		if (last > first)
			push_run(output, first, last);
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

/* All that follows the start line. Returns what write is to return. */
static size_t
push_rest(struct output *output, const struct wire_head *head,
    const struct wire_h1_framing *framing, unsigned options)
{
	push_fields(output, head);
	if (framing->chunked) {
		PUSH_LITERAL(output, "Transfer-Encoding: chunked\r\n");
	} else if (head->has_content_length) {
		PUSH_LITERAL(output, "Content-Length: ");
		push_number(output, head->content_length);
		PUSH_LITERAL(output, "\r\n");
	}
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

static void
push_target(struct output *output, const struct wire_head *head)
{
	if (slice_is_set(head->target)) {
		push_slice(output, head->target);
		return;
	}
	push_slice(output, head->path);
	if (slice_is_set(head->query)) {
		PUSH_LITERAL(output, "?");
		push_slice(output, head->query);
	}
}

size_t
wire_h1_request_write(char *out, size_t capacity, const struct wire_head *head,
    const struct wire_h1_framing *framing)
{
	must(out != NULL && head != NULL && framing != NULL);
	must(head->method.length > 0);
	must(!framing->chunked || !head->has_content_length);
	struct output output = {out, out, out + capacity, false};
	push_slice(&output, head->method);
	PUSH_LITERAL(&output, " ");
	push_target(&output, head);
	PUSH_LITERAL(&output, " HTTP/1.1");
	must_be_line(&output, out);
	PUSH_LITERAL(&output, "\r\n");
	return push_rest(
	    &output, head, framing, head->te_trailers ? OPTION_TE : 0);
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

size_t
wire_h1_response_write(char *out, size_t capacity, const struct wire_head *head,
    const struct wire_h1_framing *framing)
{
	must(out != NULL && head != NULL && framing != NULL);
	must(head->status >= 100 && head->status <= 999);
	must(!framing->chunked || !head->has_content_length);
	struct output output = {out, out, out + capacity, false};
	const char digits[3] = {(char)('0' + head->status / 100),
	    (char)('0' + head->status / 10 % 10),
	    (char)('0' + head->status % 10)};
	PUSH_LITERAL(&output, "HTTP/1.1 ");
	push(&output, digits, sizeof(digits));
	PUSH_LITERAL(&output, " ");
	push_slice(&output,
	    slice_is_set(head->reason) ? head->reason
	                               : reason_phrase(head->status));
	must_be_line(&output, out);
	PUSH_LITERAL(&output, "\r\n");
	return push_rest(&output, head, framing, 0);
}
