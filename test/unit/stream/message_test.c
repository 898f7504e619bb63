/* Messages in frames: every kind there and back, cut anywhere, from a newer
 * version, and what is refused. */
#include "stream/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/limit.h"
#include "core/writer.h"

static enum error
take(struct text *bytes, struct arena *arena, struct stream_message *message,
    size_t *used)
{
	return stream_message_take(text_slice(bytes),
	    LIMIT_VALUE_STREAM_FRAME_BYTES, arena, message, used);
}

static void
test_round_trip(void **state)
{
	struct slice kinds[] = {SLICE("listener"), SLICE("route")};
	struct stream_hello hello = {
	    .major = 1,
	    .minor = 3,
	    .version = SLICE("9.9"),
	    .gateway = SLICE("default/web"),
	    .name = SLICE("web-1"),
	    .token = SLICE("secret"),
	    .kinds = kinds,
	    .kinds_count = 2,
	    .generation = SLICE("0123456789abcdef"),
	    .held = 7,
	};
	struct stream_put put = {SLICE("service/default/a"), SLICE("\0\1\2")};
	struct stream_message message;
	struct arena arena;
	struct text bytes;
	size_t used;

	(void)state;
	text_init(&bytes);
	arena_init(&arena, 1024);
	stream_message_push(&bytes, STREAM_HELLO, &hello);
	size_t first = bytes.length;

	stream_message_push(&bytes, STREAM_PUT, &put);
	assert_int_equal(take(&bytes, &arena, &message, &used), ERROR_OK);
	assert_int_equal(used, first);
	assert_int_equal(message.kind, STREAM_HELLO);
	assert_int_equal(message.hello->minor, 3);
	assert_int_equal(message.hello->held, 7);
	assert_true(slice_equal(message.hello->token, SLICE("secret")));
	assert_int_equal(stream_kinds_parse(
	                     message.hello->kinds, message.hello->kinds_count),
	    1u << UNIT_LISTENER | 1u << UNIT_ROUTE);
	assert_int_equal(
	    stream_message_take(slice_skip(text_slice(&bytes), used), 4096,
	        &arena, &message, &used),
	    ERROR_OK);
	assert_int_equal(message.kind, STREAM_PUT);
	assert_true(slice_equal(message.put->bytes, SLICE("\0\1\2")));
	arena_fini(&arena);
	text_fini(&bytes);
}

/* However short it is cut, more is wanted and nothing is used. */
static void
test_cut(void **state)
{
	struct stream_commit commit = {SLICE("0123456789abcdef")};
	struct stream_message message;
	struct arena arena;
	struct text bytes;
	size_t used;

	(void)state;
	text_init(&bytes);
	arena_init(&arena, 1024);
	stream_message_push(&bytes, STREAM_COMMIT, &commit);
	for (size_t length = 0; length < bytes.length; length++) {
		assert_int_equal(
		    stream_message_take(slice_make(bytes.data, length), 4096,
		        &arena, &message, &used),
		    ERROR_AGAIN);
		assert_int_equal(used, 0);
	}
	arena_fini(&arena);
	text_fini(&bytes);
}

static void
push_raw(struct text *out, unsigned kind, struct slice record)
{
	writer_u32(out, (uint32_t)record.length + 2);
	writer_u16(out, (uint16_t)kind);
	text_push(out, record);
}

/* What a newer version says: skipped, unless it is critical. */
static void
test_newer(void **state)
{
	/* number << 4 | kind << 1 | critical; a text of one byte */
	static const struct {
		unsigned kind;
		struct slice record;
		enum error error;
		enum stream_kind taken;
	} cases[] = {
	    {0x0101, SLICE("what?"), ERROR_OK, STREAM_UNKNOWN},
	    {0x8101, SLICE("what?"), ERROR_UNSUPPORTED, STREAM_UNKNOWN},
	    /* PING with a field 9, a text, optional and critical */
	    {STREAM_PING, SLICE("\x90\x01\x01x"), ERROR_OK, STREAM_PING},
	    {STREAM_PING, SLICE("\x91\x01\x01x"), ERROR_UNSUPPORTED,
	        STREAM_UNKNOWN},
	    {STREAM_COMMIT,
	        SLICE("\x10\x03"
	              "abc"),
	        ERROR_INVALID, STREAM_COMMIT},
	    {STREAM_DROP, SLICE(""), ERROR_INVALID, STREAM_DROP},
	    {STREAM_HELD, SLICE("\x10\x01x"), ERROR_INVALID, STREAM_HELD},
	    {STREAM_PUT,
	        SLICE("\x10\x03"
	              "a"),
	        ERROR_TRUNCATED, STREAM_UNKNOWN},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream_message message;
		struct arena arena;
		struct text bytes;
		size_t used;

		text_init(&bytes);
		arena_init(&arena, 1024);
		push_raw(&bytes, cases[i].kind, cases[i].record);
		assert_int_equal(
		    take(&bytes, &arena, &message, &used), cases[i].error);
		assert_int_equal(used, bytes.length);
		assert_int_equal(message.kind, cases[i].taken);
		arena_fini(&arena);
		text_fini(&bytes);
	}
}

/* Garbage on the port: HTTP, TLS, zeros, a length beyond the limit. */
static void
test_garbage(void **state)
{
	static const struct {
		struct slice bytes;
		enum error error;
	} cases[] = {
	    {SLICE("GET / HTTP/1.1\r\n\r\n"), ERROR_LIMIT},
	    {SLICE("\x16\x03\x01\x02\x00\x01\x00"), ERROR_LIMIT},
	    {SLICE("\0\0\0\0\0\0\0\0"), ERROR_INVALID},
	    {SLICE("\xff\xff\xff\xff\xff\xff"), ERROR_LIMIT},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream_message message;
		struct arena arena;
		size_t used;

		arena_init(&arena, 1024);
		assert_int_equal(stream_message_take(cases[i].bytes, 32768,
		                     &arena, &message, &used),
		    cases[i].error);
		arena_fini(&arena);
	}
}

static void
test_errors(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERROR__COUNT; i++)
		assert_int_equal(stream_error_parse(slice_from_string(
		                     error_label((enum error)i))),
		    i);
	assert_int_equal(
	    stream_error_parse(SLICE("something newer")), ERROR_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_newer),
	    cmocka_unit_test(test_garbage),
	    cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
