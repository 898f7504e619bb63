/* HTTP/1 heads as lines of fields, their limits, trailers. */
#include "wire/h1.h"

#include "core/limit.h"
#include "h1_rows.h"

/* RFC 9112 5 and 2.2: the lines of fields. */
static void
request_fields(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {GET HOST "a: b\r\nc:d\r\ne: \t f \t\r\ng:\r\nh: \r\n" END,
	        GOT " | a=b | c=d | e=f | g= | h="},
	    {GET HOST "A-b.C_d!#$%&'*+^`|~9: x\r\n" END,
	        GOT " | A-b.C_d!#$%&'*+^`|~9=x"},
	    {GET HOST "X_Custom: 5\r\n" END, GOT " | X_Custom=5"},
	    {GET HOST "_: 5\r\n" END, GOT " | _=5"},
	    {GET HOST "a: b: c\r\n" END, GOT " | a=b: c"},
	    {GET HOST "a: \xc3\xa4\tb\r\n" END, GOT " | a=\xc3\xa4\tb"},
	    {GET HOST "te : b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a : b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\t: b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a b: c\r\n" END, "!http_bad_field_name"},
	    {GET HOST ": b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\r\n" END, "!http_bad_field_name"},
	    {GET HOST "(a): b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "\"a\": b\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a@b: c\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\x80: c\r\n" END, "!http_bad_field_name"},
	    {GET HOST "a\x01: c\r\n" END, "!http_bad_field_value"},
	    BYTES(GET HOST "a\0: c\r\n" END, "!http_bad_field_value"),
	    BYTES(GET HOST "a: b\0c\r\n" END, "!http_bad_field_value"),
	    {GET HOST "a: b\x01\r\n" END, "!http_bad_field_value"},
	    {GET HOST "a: b\x0b\r\n" END, "!http_bad_field_value"},
	    {GET HOST "a: b\x1b\r\n" END, "!http_bad_field_value"},
	    {GET HOST "a: b\x7f\r\n" END, "!http_bad_field_value"},
	    /* what a backend may take for a field that frames or is trusted */
	    {GET HOST "Content_Length: 5\r\n" END, "!http_bad_field_name"},
	    {GET HOST "transfer.encoding: chunked\r\n" END,
	        "!http_bad_field_name"},
	    {GET HOST "X_FORWARDED_FOR: 1.2.3.4\r\n" END,
	        "!http_bad_field_name"},
	    {GET HOST "X-Forwarded_Prefix: /a\r\n" END, "!http_bad_field_name"},
	    {GET HOST "X_Forwarded_Ssl: on\r\n" END, "!http_bad_field_name"},
	    {GET HOST "x_forwarded_anything.that-is_longer: on\r\n" END,
	        "!http_bad_field_name"},
	    {GET HOST "X_Forwarded: a\r\nX.Forwarded_a: b\r\n" END,
	        "!http_bad_field_name"},
	    {GET HOST "X_Forwarded: a\r\nY_Forwarded_For: b\r\n" END,
	        GOT " | X_Forwarded=a | Y_Forwarded_For=b"},
	    /* line ends */
	    {GET "Host: a\n" END, "!http_bad_line_end"},
	    {GET HOST "\n", "!http_bad_line_end"},
	    {GET HOST "a: b\r", "more"},
	    {GET HOST "a: b\rc: d\r\n" END, "!http_bad_line_end"},
	    {GET HOST "a: b\r\r\n" END, "!http_bad_line_end"},
	    {GET HOST "a: b\n\r\n" END, "!http_bad_line_end"},
	    {GET HOST "\r\r\n", "!http_bad_line_end"},
	    {GET HOST "\rX", "!http_bad_line_end"},
	    {GET HOST "a\n: b\r\n" END, "!http_bad_line_end"},
	    {GET HOST "a\r\n: b\r\n" END, "!http_bad_field_name"},
	    /* obs-fold, white space before the first field */
	    {GET HOST "a: b\r\n c\r\n" END, "!http_line_folding"},
	    {GET HOST "a: b\r\n\tc: d\r\n" END, "!http_line_folding"},
	    {GET " Host: a\r\n" END, "!http_line_folding"},
	    {GET HOST " \r\n" END, "!http_line_folding"},
	    /* not complete, therefore not judged */
	    {GET HOST "a b", "more"},
	    {GET HOST, "more"},
	    {GET HOST "\r", "more"},
	    {"GET (", "more"},
	    {"\r", "more"},
	};
	CHECK(FEED_REQUEST, rows);
}

/* RFC 9112 7.1.2, RFC 9110 6.5.1 */
static void
trailers(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {END, ""},
	    {END "GET", ""},
	    {"a: b\r\nGrpc-Status: 0\r\n" END, " | a=b | Grpc-Status=0"},
	    {"a: b\r\n", "more"},
	    {"\r", "more"},
	    {"a: b\n" END, "!http_bad_line_end"},
	    {" a: b\r\n" END, "!http_line_folding"},
	    {"a: b\r\n c\r\n" END, "!http_line_folding"},
	    {"a : b\r\n" END, "!http_bad_field_name"},
	    {"GET / HTTP/1.1\r\n" END, "!http_bad_field_name"},
	    {"a: \x01\r\n" END, "!http_bad_field_value"},
	    {"Content-Length: 5\r\n" END, "!http_bad_trailer"},
	    {"a: b\r\ntransfer-encoding: chunked\r\n" END, "!http_bad_trailer"},
	    {"Host: a\r\n" END, "!http_bad_trailer"},
	    {"Connection: close\r\n" END, "!http_bad_trailer"},
	    {"Keep-Alive: 1\r\n" END, "!http_bad_trailer"},
	    {"TE: trailers\r\n" END, "!http_bad_trailer"},
	    {"Trailer: a\r\n" END, "!http_bad_trailer"},
	    {"Upgrade: h2c\r\n" END, "!http_bad_trailer"},
	    {"Expect: 100-continue\r\n" END, "!http_bad_trailer"},
	    {"X-Forwarded-For: 1.2.3.4\r\n" END, "!http_bad_trailer"},
	    {"a: b\r\nx-forwarded-ssl: on\r\n" END, "!http_bad_trailer"},
	};
	CHECK(FEED_TRAILERS, rows);
}

/* A row of length bytes of one kind, for limits. */
static void
push_repeated(struct text *text, const char *part, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		text_push_string(text, part);
}

static void
check_built(enum feed_kind kind, const struct text *in, const char *out)
{
	const struct row rows[] = {
	    {.in = in->data, .in_length = in->length, .out = out}};
	CHECK(kind, rows);
}

static void
limits_of_heads(void **state)
{
	(void)state;
	struct text text;
	text_init(&text);
	/* target_bytes: 100 are allowed, and one is too many */
	text_push_string(&text, "OPTIONS /");
	push_repeated(&text, "a", 99);
	text_push_string(&text, " HTTP/1.1\r\n" HOST END);
	static struct feed feed;
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(feed_bytes(&feed, text_slice(&text)), text.length);
	assert_int_equal(feed.head.target.length, limits.target_bytes);
	text_reset(&text);
	text_push_string(&text, "OPTIONS /");
	push_repeated(&text, "a", 100);
	text_push_string(&text, " HTTP/1.1\r\n" HOST END);
	check_built(FEED_REQUEST, &text, "!http_target_too_long");
	/* also when its end never comes */
	text_reset(&text);
	text_push_string(&text, "GET /");
	push_repeated(&text, "a", 300);
	check_built(FEED_REQUEST, &text, "!http_target_too_long");
	text_reset(&text);
	push_repeated(&text, "a", 300);
	check_built(FEED_REQUEST, &text, "!http_target_too_long");
	/* nor when a CR has come that ends nothing yet */
	text_reset(&text);
	push_repeated(&text, "a", 164);
	text_push_string(&text, "\r");
	check_built(FEED_REQUEST, &text, "!http_target_too_long");
	/* fields */
	text_reset(&text);
	text_push_string(&text, GET HOST);
	push_repeated(&text, "a:b\r\n", limits.fields - 1);
	text_push_string(&text, END);
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(feed_bytes(&feed, text_slice(&text)), text.length);
	assert_int_equal(feed.head.field_count, limits.fields);
	text_reset(&text);
	text_push_string(&text, GET HOST);
	push_repeated(&text, "a:b\r\n", limits.fields);
	text_push_string(&text, END);
	check_built(FEED_REQUEST, &text, "!http_head_too_large");
	/* head_bytes */
	text_reset(&text);
	text_push_string(&text, GET HOST "a:");
	push_repeated(&text, "b", limits.head_bytes);
	check_built(FEED_REQUEST, &text, "!http_head_too_large");
	text_reset(&text);
	text_push_string(&text, OK "a:");
	push_repeated(&text, "b", limits.head_bytes);
	check_built(FEED_RESPONSE, &text, "!http_head_too_large");
	text_reset(&text);
	push_repeated(&text, "a", limits.head_bytes);
	check_built(FEED_RESPONSE, &text, "!http_head_too_large");
	/* trailers: too many */
	text_reset(&text);
	push_repeated(&text, "a:b\r\n", FEED_TRAILERS_MAX + 1);
	text_push_string(&text, END);
	check_built(FEED_TRAILERS, &text, "!http_head_too_large");
	text_fini(&text);
}

static void
exact_head_bytes(void **state)
{
	(void)state;
	struct text text;
	text_init(&text);
	text_push_string(&text, GET HOST "a:");
	push_repeated(
	    &text, "b", limits.head_bytes - (unsigned)text.length - 4);
	text_push_string(&text, "\r\n\r\n");
	static struct feed feed;
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(text.length, limits.head_bytes);
	assert_int_equal(feed_bytes(&feed, text_slice(&text)), text.length);
	/* The parser goes on with the next head by itself. */
	assert_int_equal(feed_bytes(&feed, text_slice(&text)), text.length);
	text_fini(&text);
}

static void
trailer_bytes(void **state)
{
	(void)state;
	static struct feed feed;
	struct text text;
	text_init(&text);
	text_push_string(&text, "a:");
	push_repeated(&text, "b", LIMIT_VALUE_TRAILER_BYTES);
	feed_init(&feed, FEED_TRAILERS, METHOD_GET, &limits);
	assert_int_equal(feed_bytes(&feed, text_slice(&text)),
	    -ERROR_HTTP_TRAILERS_TOO_LARGE);
	text_fini(&text);
}

static void
length_is_the_heads_own(void **state)
{
	(void)state;
	static struct feed feed;
	const struct slice bytes = SLICE("\r\n" GET HOST END "GET /");
	feed_init(&feed, FEED_REQUEST, METHOD_GET, &limits);
	assert_int_equal(
	    feed_bytes(&feed, bytes), sizeof("\r\n" GET HOST END) - 1);
	assert_int_equal(feed_bytes(&feed, SLICE_NONE), 0);
	assert_int_equal(feed_bytes(&feed, SLICE("")), 0);
}

static void
statuses(void **state)
{
	(void)state;
	static const struct {
		enum error error;
		int status;
	} rows[] = {
	    {ERROR_HTTP_BAD_HOST, 400},
	    {ERROR_HTTP_TWO_FRAMINGS, 400},
	    {ERROR_HTTP_BAD_TRANSFER_ENCODING, 400},
	    {ERROR_HTTP_UNKNOWN_TRANSFER_CODING, 501},
	    {ERROR_HTTP_METHOD_REFUSED, 501},
	    {ERROR_HTTP_BAD_VERSION, 505},
	    {ERROR_HTTP_HEAD_TOO_LARGE, 431},
	    {ERROR_HTTP_TARGET_TOO_LONG, 414},
	    {ERROR_HTTP_BAD_EXPECT, 417},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(wire_h1_status(rows[i].error), rows[i].status);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_fields),
	    cmocka_unit_test(trailers),
	    cmocka_unit_test(limits_of_heads),
	    cmocka_unit_test(exact_head_bytes),
	    cmocka_unit_test(trailer_bytes),
	    cmocka_unit_test(length_is_the_heads_own),
	    cmocka_unit_test(statuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
