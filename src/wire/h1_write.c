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

/* Under sanitizers, those of a stretch that the head tells of are held to it.
 */
static inline void
must_be_run(const struct wire_head *head, unsigned first, unsigned count)
{
	if (!SANITIZED || count == 0)
		return;
	const struct field *field = head->fields + first;
	const struct field *fields_end = field + count;
	must(first + count <= head->field_count);
	must(is_written(field) && is_joined(field));
	const char *end = field_end(field);
	must(extend_run(field + 1, fields_end, &end) == fields_end);
	must(is_pair(end, "\r\n"));
}

/* Those that are in no stretch: often none, or one that is removed. */
static inline void
push_others(struct output *output, const struct field *field,
    const struct field *fields_end)
{
	while (field < fields_end && !is_written(field))
		field++;
	if (unlikely(field < fields_end))
		push_fields(output, field, fields_end);
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
	unsigned count = 1;
	for (uint64_t least = 10; count < NUMBER_BYTES_MAX && length >= least;
	     least *= 10)
		count++;
	if (!has_room(output, LENGTH_NAME_BYTES + count + 2))
		return;
	char *at = output->at;
	memcpy(at, "Content-Length: ", LENGTH_NAME_BYTES);
	at += LENGTH_NAME_BYTES + count;
	memcpy(at, "\r\n", 2);
	output->at = at + 2;
	for (; count > 0; count--, length /= 10)
		*--at = (char)('0' + length % 10);
}

/* Those that lie behind the start line, which goes with them if it came (else
 * it was written). Returns the first one that does not. */
static inline const struct field *
push_came(
    struct output *output, const struct wire_head *head, struct slice line)
{
	const struct field *next = head->fields + head->came_count;
	const char *start = line.data;
	must_be_run(head, 0, head->came_count);
	if (likely(head->came_count > 0)) {
		if (!slice_is_set(line))
			start = head->fields->name;
		push_run(output, start, field_end(next - 1));
	} else if (slice_is_set(line)) {
		push_run(output, start, start + line.length);
	}
	return next;
}

/* All that follows the start line. came: that line, if it goes as it came, else
 * it was written. Returns what write is to return. */
static inline __attribute__((always_inline)) size_t
push_rest(struct output *output, const struct wire_head *head,
    struct slice came, const struct wire_h1_framing *framing, unsigned options)
{
	const struct field *fields_end = head->fields + head->field_count;
	const struct field *field = push_came(output, head, came);
	if (likely(head->made_count > 0)) {
		const struct field *made = head->fields + head->made_first;
		const struct field *last = made + head->made_count - 1;
		must_be_run(head, head->made_first, head->made_count);
		push_others(output, field, made);
		push_run(output, made->name, field_end(last));
		field = last + 1;
	}
	push_others(output, field, fields_end);
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

static set_apart void
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

/* The status line as it came, if it says what is to be said. */
static inline struct slice
status_line(const struct wire_head *head)
{
	struct slice line = head->start_line;
	const char *digits = line.data;
	if (unlikely(line.length != STATUS_START_BYTES + head->reason.length ||
	        head->reason.data != line.data + STATUS_START_BYTES ||
	        memcmp(line.data, "HTTP/1.1", VERSION_BYTES) != 0 ||
	        (digits[9] * 10 + digits[10]) * 10 + digits[11] !=
	            head->status + '0' * 111))
		return SLICE_NONE;
	return line;
}

static set_apart void
push_status_line(struct output *output, const struct wire_head *head)
{
	unsigned status = head->status;
	char before[] = "HTTP/1.1 000 ";
	before[9] += (char)(status / 100);
	before[10] += (char)(status / 10 % 10);
	before[11] += (char)(status % 10);
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
	struct slice came = status_line(head);
	if (unlikely(!slice_is_set(came)))
		push_status_line(&output, head);
	return push_rest(&output, head, came, framing, 0);
}
