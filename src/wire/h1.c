/* Feeding heads: cuts bytes into lines, reads each field, bounds everything,
 * and gives the same answer however the bytes were split. What the first line
 * and the fields mean is decided in h1_start.c and h1_meaning.c once all lines
 * are there.
 *
 * A line is judged when its end has come, or a byte that ends no line: never
 * earlier, so that a short feed cannot say what a long one would not. */
#include "wire/h1_priv.h"

#include "core/limit.h"
#include "core/must.h"
#include "wire/field_priv.h"
#include "wire/scan.h"

/* What a request's line holds beside its target. */
#define REQUEST_LINE_SLACK 64

/* The bytes that are there. */
struct input {
	const char *begin, *end;
};

/* Where fields go. */
struct output {
	struct field *fields;
	unsigned max;
	bool odd; /* not all lines have one blank, and that after the colon */
	struct h1_seen seen;
};

/* Reads the first line, of messages that have one (trailers: NULL). >0: its
 * length with what stands before it; 0: it is not complete; <0: -(enum error).
 */
typedef ssize_t (*start_fn)(const struct wire_h1_parser *parser,
    struct input input, struct wire_head *head);

void
wire_h1_parser_init(
    struct wire_h1_parser *parser, const struct wire_h1_limits *limits)
{
	must(parser != NULL && limits != NULL);
	must(limits->fields <= HEAD_FIELDS_MAX - HEAD_FIELDS_OWN);
	*parser = (struct wire_h1_parser){.limits = *limits};
}

static void
rewind_parser(struct wire_h1_parser *parser)
{
	parser->line = 0;
	parser->scanned = 0;
	parser->fields = 0;
	parser->started = false;
}

/* Does stop, where a scan for a line's end stopped, decide the line? Not when
 * it is the end, or a CR of which the LF has not come. */
static inline bool
is_decided(const char *stop, const char *end)
{
	return end - stop >= 2 || (stop != end && *stop != '\r');
}

static inline bool
is_crlf(const char *at, const char *end)
{
	return end - at >= 2 && memcmp(at, "\r\n", 2) == 0;
}

/* A line that is decided, but not by CRLF. */
static enum error
stop_error(const char *stop)
{
	return *stop == '\r' || *stop == '\n' ? ERROR_HTTP_BAD_LINE_END
	                                      : ERROR_HTTP_BAD_FIELD_VALUE;
}

/* A line that does not end in CRLF: ERROR_OK when it may do so yet. */
static enum error
undone_error(const char *stop, struct input input)
{
	return is_decided(stop, input.end) ? stop_error(stop) : ERROR_OK;
}

/* Backends that make variables of fields (CGI and its kin) take any byte that
 * is no letter or digit for '-'. Is it then the name of a field that frames, or
 * that we take out or set? */
static set_apart bool
is_alias(struct slice name)
{
	char plain[FIELD_NAME_BYTES + 1]; /* more than any in the table */
	if (name.length > sizeof(plain))
		name.length = sizeof(plain);
	const char *end = name.data + name.length;
	memcpy(plain, name.data, name.length);
	for (const char *at = name.data; at < end; at++) {
		at = wire_scan_name(at, end, name.data);
		if (at != end)
			plain[at - name.data] = '-';
	}
	return field_rows[field_id_of_token(plain, name.length)].flags != 0 ||
	    wire_is_forwarded(slice_make(plain, name.length));
}

/* Are there letters, digits and dashes from name to its colon? Or what is
 * allowed too, though it is rare. */
static bool
is_good_name(const char *name, const char *colon, const char *begin)
{
	struct slice whole = slice_make(name, (size_t)(colon - name));
	if (likely(wire_scan_name(name, colon, begin) == colon))
		return whole.length > 0;
	return wire_is_token(whole) && !is_alias(whole);
}

/* A name that is not known, of a line that ends at stop. */
static enum error
check_name(
    const char *name, const char *colon, const char *stop, const char *begin)
{
	if (unlikely(colon >= stop || !is_good_name(name, colon, begin)))
		return *name == ' ' || *name == '\t'
		    ? ERROR_HTTP_LINE_FOLDING
		    : ERROR_HTTP_BAD_FIELD_NAME;
	return colon - name > UINT16_MAX ? ERROR_HTTP_HEAD_TOO_LARGE : ERROR_OK;
}

static inline bool
is_blank(char byte)
{
	return byte <= ' ' && (byte == ' ' || byte == '\t');
}

/* From after the colon to the CR, without the blanks around it: one before it,
 * mostly; *odd is set where it is not so. The CR and the colon end both loops.
 */
static inline void
set_value(struct field *field, const char *value, const char *end, bool *odd)
{
	if (likely(*value == ' '))
		value++;
	else
		*odd = true;
	for (; unlikely(is_blank(*value)); value++)
		*odd = true;
	if (likely(value != end))
		for (; unlikely(is_blank(end[-1])); end--)
			*odd = true;
	field->value = value;
	field->value_length = (uint32_t)(end - value);
}

static inline void
note_seen(struct h1_seen *seen, enum field_id id)
{
	seen->again |= seen->once & H1_BIT(id);
	seen->once |= H1_BIT(id);
}

/* Reads fields from at up to and with the empty line. */
static inline ssize_t
read_fields(struct wire_h1_parser *parser, const char *at, struct input input,
    struct output *output)
{
	struct field *first = output->fields;
	struct field *field = first + parser->fields;
	const struct field *end = first + output->max;
	struct h1_seen seen = {0};
	enum error error = ERROR_OK;
	for (;; field++) {
		if (unlikely(is_crlf(at, input.end))) {
			output->seen = seen;
			parser->fields = (uint16_t)(field - first);
			return at + 2 - input.begin;
		}
		const char *colon;
		const char *stop =
		    wire_scan_field(at, input.end, input.begin, &colon);
		if (unlikely(!is_crlf(stop, input.end))) {
			error = undone_error(stop, input);
			break;
		}
		size_t name_length = (size_t)(colon - at);
		enum field_id id = FIELD_OTHER;
		if (likely(colon < stop))
			id = field_id_of_token(at, name_length);
		if (likely(id != FIELD_OTHER))
			note_seen(&seen, id);
		else
			error = check_name(at, colon, stop, input.begin);
		if (unlikely(error == ERROR_OK && field == end))
			error = ERROR_HTTP_HEAD_TOO_LARGE;
		if (unlikely(error != ERROR_OK))
			break;
		field->name = at;
		field->name_length = (uint16_t)name_length;
		field->id = (uint16_t)id;
		set_value(field, colon + 1, stop, &output->odd);
		at = stop + 2;
	}
	parser->fields = (uint16_t)(field - first);
	parser->line = (uint32_t)(at - input.begin);
	return -(ssize_t)error;
}

/* One pass over the lines from parser->line on. */
static inline ssize_t
read_lines(struct wire_h1_parser *parser, struct input input, start_fn start,
    struct wire_head *head, struct output *output)
{
	const char *at = input.begin + parser->line;
	if (start != NULL && !parser->started) {
		ssize_t length = start(parser, input, head);
		if (length <= 0)
			return length;
		parser->started = true;
		at = input.begin + length;
	}
	return read_fields(parser, at, input, output);
}

/* After a feed that ended within a line: has a byte come that decides it? */
static bool
has_news(struct wire_h1_parser *parser, struct input input, start_fn start)
{
	const char *stop = wire_scan_line(
	    input.begin + parser->scanned, input.end, input.begin);
	if (is_decided(stop, input.end))
		return true;
	parser->scanned = (uint32_t)(stop - input.begin);
	return start != NULL && !parser->started &&
	    (size_t)(input.end - input.begin) >
	    (size_t)parser->limits.target_bytes + REQUEST_LINE_SLACK;
}

/* What was left undecided was scanned up to its end, or to a CR there. */
static void
mark_scanned(struct wire_h1_parser *parser, struct input input)
{
	parser->scanned = (uint32_t)(input.end - input.begin);
	if (input.end != input.begin && input.end[-1] == '\r')
		parser->scanned--;
}

/* The feed that all kinds share. too_large: the error for a head that is not
 * complete in bytes_max bytes. */
static inline __attribute__((always_inline)) ssize_t
feed(struct wire_h1_parser *parser, struct slice bytes, uint32_t bytes_max,
    enum error too_large, start_fn start, struct wire_head *head,
    struct output *output)
{
	if (bytes.length == 0)
		return 0;
	bool cut = bytes.length >= bytes_max;
	if (unlikely(cut))
		bytes.length = bytes_max;
	struct input input = {bytes.data, bytes.data + bytes.length};
	ssize_t result = 0;
	bool again = parser->scanned > 0;
	if (likely(!again) || has_news(parser, input, start)) {
		result = read_lines(parser, input, start, head, output);
		if (unlikely(again && result > 0)) {
			/* Only now do the slices have to be right. */
			rewind_parser(parser);
			output->odd = false;
			result = read_lines(parser, input, start, head, output);
		}
		if (result == 0)
			mark_scanned(parser, input);
	}
	if (result == 0 && cut)
		return -(ssize_t)too_large;
	return result;
}

static inline __attribute__((always_inline)) ssize_t
feed_head(struct wire_h1_parser *parser, struct slice bytes, start_fn start,
    struct wire_head *head, struct h1_seen *seen)
{
	must(parser != NULL && head != NULL);
	struct output output = {
	    .fields = head->fields, .max = parser->limits.fields};
	ssize_t result = feed(parser, bytes, parser->limits.head_bytes,
	    ERROR_HTTP_HEAD_TOO_LARGE, start, head, &output);
	head->field_count = parser->fields;
	head->came_count = output.odd ? 0 : parser->fields;
	*seen = output.seen;
	return result;
}

static inline ssize_t
request_start(const struct wire_h1_parser *parser, struct input input,
    struct wire_head *head)
{
	const char *line = input.begin;
	const char *line_max = input.end;
	unsigned empty = 0;
	for (; is_crlf(line, input.end); line += 2)
		if (++empty > LIMIT_VALUE_PIPELINED_EMPTY_LINES)
			return -ERROR_HTTP_TOO_MANY_LINES;
	size_t max = (size_t)parser->limits.target_bytes + REQUEST_LINE_SLACK;
	if (unlikely((size_t)(input.end - line) > max))
		line_max = line + max;
	const char *stop = wire_scan_line(line, line_max, input.begin);
	if (unlikely(stop == line_max && line_max != input.end))
		return -ERROR_HTTP_TARGET_TOO_LONG;
	if (unlikely(!is_crlf(stop, input.end))) {
		if (!is_decided(stop, input.end))
			return 0;
		return stop_error(stop) == ERROR_HTTP_BAD_LINE_END
		    ? -ERROR_HTTP_BAD_LINE_END
		    : -ERROR_HTTP_BAD_REQUEST_LINE;
	}
	wire_head_reset(head);
	struct slice bytes =
	    slice_make(input.begin, (size_t)(input.end - input.begin));
	enum error error =
	    h1_request_line(&parser->limits, line, stop, bytes, head);
	if (unlikely(error != ERROR_OK))
		return -(ssize_t)error;
	return stop + 2 - input.begin;
}

ssize_t
wire_h1_request_feed(
    struct wire_h1_parser *parser, struct slice bytes, struct wire_head *head)
{
	struct h1_seen seen;
	ssize_t result = feed_head(parser, bytes, request_start, head, &seen);
	if (result == 0)
		return 0;
	rewind_parser(parser);
	if (unlikely(result < 0))
		return result;
	enum error error = h1_request_meaning(head, &seen);
	return likely(error == ERROR_OK) ? result : -(ssize_t)error;
}

static inline ssize_t
response_start(const struct wire_h1_parser *parser, struct input input,
    struct wire_head *head)
{
	(void)parser;
	const char *stop = wire_scan_line(input.begin, input.end, input.begin);
	if (unlikely(!is_crlf(stop, input.end))) {
		if (!is_decided(stop, input.end))
			return 0;
		return stop_error(stop) == ERROR_HTTP_BAD_LINE_END
		    ? -ERROR_HTTP_BAD_LINE_END
		    : -ERROR_HTTP_BAD_STATUS_LINE;
	}
	wire_head_reset(head);
	enum error error = h1_status_line(input.begin, stop, head);
	if (unlikely(error != ERROR_OK))
		return -(ssize_t)error;
	return stop + 2 - input.begin;
}

ssize_t
wire_h1_response_feed(struct wire_h1_parser *parser, struct slice bytes,
    enum method_id method, struct wire_head *head)
{
	struct h1_seen seen;
	ssize_t result = feed_head(parser, bytes, response_start, head, &seen);
	if (result == 0)
		return 0;
	rewind_parser(parser);
	if (unlikely(result < 0))
		return result;
	enum error error = h1_response_meaning(head, &seen, method);
	return likely(error == ERROR_OK) ? result : -(ssize_t)error;
}

int
wire_h1_status(enum error error)
{
	switch (error) {
	case ERROR_HTTP_HEAD_TOO_LARGE:
		return 431;
	case ERROR_HTTP_TARGET_TOO_LONG:
		return 414;
	case ERROR_HTTP_BAD_EXPECT:
		return 417;
	case ERROR_HTTP_UNKNOWN_TRANSFER_CODING:
	case ERROR_HTTP_METHOD_REFUSED:
		return 501;
	case ERROR_HTTP_BAD_VERSION:
		return 505;
	default:
		return 400;
	}
}

/* RFC 9110 6.5.1: what frames or routes the message cannot come after it; nor
 * can what a backend would believe because a gateway has set it. */
static const h1_set not_in_trailers = h1_hop_fields | h1_framing_fields |
    h1_trust_fields | H1_BIT(FIELD_HOST) | H1_BIT(FIELD_EXPECT) |
    H1_BIT(FIELD_MAX_FORWARDS) | H1_BIT(FIELD_TRAILER);

ssize_t
wire_h1_trailers_feed(struct wire_h1_parser *parser, struct slice bytes,
    struct field *fields, unsigned max, unsigned *count)
{
	must(parser != NULL && fields != NULL && count != NULL);
	must(max <= UINT16_MAX);
	struct output output = {.fields = fields, .max = max};
	ssize_t result = feed(parser, bytes, LIMIT_VALUE_TRAILER_BYTES,
	    ERROR_HTTP_TRAILERS_TOO_LARGE, NULL, NULL, &output);
	*count = 0;
	if (result == 0)
		return 0;
	unsigned read = parser->fields;
	rewind_parser(parser);
	if (result < 0)
		return result;
	if (output.seen.once & not_in_trailers)
		return -ERROR_HTTP_BAD_TRAILER;
	for (unsigned i = 0; i < read; i++)
		if (wire_is_forwarded(field_name(&fields[i])))
			return -ERROR_HTTP_BAD_TRAILER;
	*count = read;
	return result;
}
