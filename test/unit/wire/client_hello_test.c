/* ClientHellos: whole, cut anywhere, in many records, and what is none. */
#include "wire/client_hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/limit.h"
#include "core/writer.h"

struct parts {
	struct slice names; /* the server_name extension's body; or absent */
	struct slice protocols; /* the ALPN extension's body; or absent */
	struct slice versions;
	struct slice extra; /* behind the extensions */
	unsigned padding; /* bytes of an extension that nobody knows */
};

#define SNI_A SLICE("\0\014\0\0\011a.example")
#define ALPN_TWO SLICE("\0\014\2h2\10http/1.1")

static void
push_extension(struct text *out, uint16_t kind, struct slice body)
{
	if (!slice_is_set(body))
		return;
	writer_u16(out, kind);
	writer_u16(out, (uint16_t)body.length);
	text_push(out, body);
}

/* The handshake message. */
static void
push_message(struct text *out, const struct parts *parts)
{
	struct text body, extensions;

	text_init(&body);
	text_init(&extensions);
	push_extension(&extensions, 0, parts->names);
	push_extension(&extensions, 16, parts->protocols);
	push_extension(&extensions, 43, parts->versions);
	if (parts->padding) {
		writer_u16(&extensions, 21);
		writer_u16(&extensions, (uint16_t)parts->padding);
		memset(text_reserve(&extensions, parts->padding), 0,
		    parts->padding);
		text_advance(&extensions, parts->padding);
	}
	writer_u16(&body, 0x0303);
	text_push(&body, SLICE("0123456789abcdef0123456789abcdef"));
	writer_u8(&body, 0);
	text_push(&body, SLICE("\0\2\x13\1\1"));
	writer_u8(&body, 0);
	if (extensions.length > 0) {
		writer_u16(&body, (uint16_t)extensions.length);
		text_push(&body, text_slice(&extensions));
	}
	text_push(&body, parts->extra);
	writer_u8(out, 1);
	writer_u8(out, (uint8_t)(body.length >> 16));
	writer_u16(out, (uint16_t)body.length);
	text_push(out, text_slice(&body));
	text_fini(&body);
	text_fini(&extensions);
}

/* As records of at most size bytes. */
static void
push_records(struct text *out, struct slice message, size_t size)
{
	while (message.length > 0) {
		size_t length = message.length < size ? message.length : size;

		text_push(out, SLICE("\26\3\1"));
		writer_u16(out, (uint16_t)length);
		text_push(out, slice_make(message.data, length));
		message = slice_skip(message, length);
	}
}

static ssize_t
feed_all(struct wire_client_hello *hello, struct slice raw, size_t step)
{
	ssize_t used = 0;

	wire_client_hello_init(hello);
	for (size_t length = step; used == 0; length += step) {
		/* A block of its own: nothing is read past what came. */
		size_t some = length < raw.length ? length : raw.length;
		char *copy = malloc(some ? some : 1);

		assert_non_null(copy);
		memcpy(copy, raw.data, some);
		used = wire_client_hello_feed(hello, slice_make(copy, some));
		free(copy);
		if (used == 0 && length >= raw.length)
			return 0;
	}
	/* Again with bytes that stay, to look at the results. */
	if (used > 0) {
		wire_client_hello_fini(hello);
		wire_client_hello_init(hello);
		assert_int_equal(wire_client_hello_feed(hello, raw), used);
	}
	return used;
}

static void
test_whole(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 5, 40, 100, 16384};
	const struct parts parts = {.names = SNI_A,
	    .protocols = ALPN_TWO,
	    .versions = SLICE("\4\3\4\3\3"),
	    .padding = 300};
	struct text message, raw;

	(void)state;
	text_init(&message);
	text_init(&raw);
	push_message(&message, &parts);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t step = 1; step <= 64; step += 9) {
			struct wire_client_hello hello;

			text_reset(&raw);
			push_records(&raw, text_slice(&message), sizes[i]);
			size_t whole = raw.length;
			text_push_string(&raw, "more");
			assert_int_equal(
			    feed_all(&hello, text_slice(&raw), step), whole);
			assert_true(
			    slice_equal(hello.server_name, SLICE("a.example")));
			assert_true(
			    wire_client_hello_offers(&hello, SLICE("h2")));
			assert_true(wire_client_hello_offers(
			    &hello, SLICE("http/1.1")));
			assert_false(
			    wire_client_hello_offers(&hello, SLICE("http/1")));
			assert_true(hello.has_tls13);
			assert_int_equal(hello.version, 0x0303);
			wire_client_hello_fini(&hello);
		}
	}
	text_fini(&message);
	text_fini(&raw);
}

static ssize_t
judge(const struct parts *parts, struct wire_client_hello *hello)
{
	struct text message, raw;

	text_init(&message);
	text_init(&raw);
	push_message(&message, parts);
	push_records(&raw, text_slice(&message), 16384);
	ssize_t used = feed_all(hello, text_slice(&raw), 7);
	ssize_t whole = (ssize_t)raw.length;
	text_fini(&message);
	text_fini(&raw);
	wire_client_hello_fini(hello);
	return used == whole ? 1 : used;
}

static void
test_parts(void **state)
{
	static const struct {
		struct parts parts;
		bool good;
	} rows[] = {
	    {{.padding = 0}, true},
	    {{.padding = 1}, true},
	    {{.names = SNI_A}, true},
	    /* another kind of name beside it */
	    {{.names = SLICE("\0\7\0\0\1a\1\0\0")}, true},
	    /* no name at all, an empty one, two, one with a NUL */
	    {{.names = SLICE("\0\0")}, false},
	    {{.names = SLICE("")}, false},
	    {{.names = SLICE("\0\3\0\0\0")}, false},
	    {{.names = SLICE("\0\10\0\0\1a\0\0\1b")}, false},
	    {{.names = SLICE("\0\5\0\0\2a\0")}, false},
	    /* lengths that do not fit */
	    {{.names = SLICE("\0\4\0\0\2a")}, false},
	    {{.names = SLICE("\0\5\0\0\1a")}, false},
	    {{.names = SLICE("\0\4\0\0\1ab")}, false},
	    {{.protocols = SLICE("\0\0")}, false},
	    {{.protocols = SLICE("\0\1\0")}, false},
	    {{.protocols = SLICE("\0\3\3h2")}, false},
	    {{.protocols = SLICE("\0\3\2h2!")}, false},
	    {{.versions = SLICE("\3\3\4\3")}, false},
	    {{.extra = SLICE("\0\0")}, true}, /* no extensions, said so */
	    {{.names = SNI_A, .extra = SLICE("!")}, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_client_hello hello;
		ssize_t used = judge(&rows[i].parts, &hello);

		if (used != (rows[i].good ? 1 : -ERROR_TLS_BAD_HELLO))
			fail_msg("row %u: %zd", i, used);
	}
}

/* What is no TLS is told from as few bytes as show it. */
static void
test_not_tls(void **state)
{
	static const struct {
		struct slice raw;
		bool open;
	} rows[] = {
	    {SLICE(""), true}, {SLICE("G"), false}, {SLICE("\26"), true},
	    {SLICE("\26\2"), false}, {SLICE("\26\3\1\0"), true},
	    {SLICE("\26\3\1\0\0"), false}, {SLICE("\26\3\1\100\1"), false},
	    {SLICE("\26\3\1\100\0"), true}, {SLICE("\26\3\1\0\100\1"), true},
	    {SLICE("\26\3\1\0\100\2"), false},
	    {SLICE("\26\3\1\0\1\1\27"), false}, /* data within */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wire_client_hello hello;

		wire_client_hello_init(&hello);
		assert_int_equal(wire_client_hello_feed(&hello, rows[i].raw),
		    rows[i].open ? 0 : -ERROR_TLS_BAD_HELLO);
		wire_client_hello_fini(&hello);
	}
}

/* Long ones: the most, one more, and one that is cut into single bytes. */
static void
test_limit(void **state)
{
	struct wire_client_hello hello;
	struct parts parts = {
	    .padding = LIMIT_VALUE_CLIENT_HELLO_BYTES - 4 - 45 - 4 - 5 - 2 - 4};
	struct text message, raw;

	(void)state;
	while (judge(&parts, &hello) == 1)
		parts.padding++;
	assert_int_equal(judge(&parts, &hello), -ERROR_LIMIT);
	parts.padding = 4000;
	assert_int_equal(judge(&parts, &hello), 1);
	text_init(&message);
	text_init(&raw);
	push_message(&message, &parts);
	push_records(&raw, text_slice(&message), 1);
	assert_int_equal(feed_all(&hello, text_slice(&raw), 100), -ERROR_LIMIT);
	wire_client_hello_fini(&hello);
	/* A length that promises more is refused when it is said. */
	text_reset(&raw);
	push_records(&raw, SLICE("\1\1\0\0"), 1);
	assert_int_equal(feed_all(&hello, text_slice(&raw), 1), -ERROR_LIMIT);
	wire_client_hello_fini(&hello);
	text_fini(&message);
	text_fini(&raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_not_tls),
	    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
