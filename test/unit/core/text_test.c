/* Text: growth, numbers, formats, JSON strings. */
#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/memory.h"

static void
assert_text(const struct text *text, const char *wanted)
{
	assert_string_equal(text_slice(text).data, wanted);
	assert_int_equal(text->length, strlen(wanted));
}

static void
test_push(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	assert_text(&text, "");
	text_push(&text, SLICE_NONE);
	text_push(&text, SLICE(""));
	assert_text(&text, "");
	text_push(&text, slice_make("abc", 2));
	text_push_string(&text, "cd");
	text_push_byte(&text, '!');
	assert_text(&text, "abcd!");
	text_push_lower(&text, SLICE("LIMIT_[Z]9\xc3"));
	assert_text(&text, "abcd!limit_[z]9\xc3");
	text_reset(&text);
	assert_text(&text, "");
	for (int i = 0; i < 10000; i++)
		text_push_byte(&text, (char)('a' + i % 26));
	assert_int_equal(text.length, 10000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(text.data[i], 'a' + i % 26);
	assert_true(text.capacity < 20000);
	text_fini(&text);
	assert_text(&text, "");
}

static void
test_number(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	text_push_number(&text, 0);
	text_push_byte(&text, ' ');
	text_push_number(&text, 1203);
	text_push_byte(&text, ' ');
	text_push_number(&text, UINT64_MAX);
	assert_text(&text, "0 1203 18446744073709551615");
	text_fini(&text);
}

static void
test_printf(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	text_printf(&text, "%s", "");
	assert_text(&text, "");
	text_printf(&text, "%d/%s", 7, "x");
	text_printf(&text, "%100d", 5);
	assert_int_equal(text.length, 103);
	assert_int_equal(text.data[102], '5');
	text_fini(&text);
}

static void
test_reserve_and_take(void **state)
{
	struct text text;
	char *bytes;

	(void)state;
	text_init(&text);
	bytes = text_take(&text);
	assert_string_equal(bytes, "");
	memory_free(bytes);
	memcpy(text_reserve(&text, 100), "hello", 5);
	text_advance(&text, 5);
	assert_text(&text, "hello");
	bytes = text_take(&text);
	assert_string_equal(bytes, "hello");
	assert_null(text.data);
	memory_free(bytes);
}

static void
test_json(void **state)
{
	static const struct {
		struct slice given;
		const char *wanted;
	} cases[] = {
	    {{"", 0}, "\"\""},
	    {{NULL, 0}, "\"\""},
	    {{"a b/c", 5}, "\"a b/c\""},
	    {{"\"\\", 2}, "\"\\\"\\\\\""},
	    {{"\n\r\t\b\f", 5}, "\"\\n\\r\\t\\b\\f\""},
	    {{"\0\x1f\x7f", 3}, "\"\\u0000\\u001f\\u007f\""},
	    {{"\xc3\xa9\xe7\x8e\x89\xf0\x9f\x90\xab", 9},
	        "\"\xc3\xa9\xe7\x8e\x89\xf0\x9f\x90\xab\""},
	    {{"\xff", 1}, "\"\\ufffd\""},
	    {{"\x80x", 2}, "\"\\ufffdx\""}, /* lone continuation */
	    {{"\xc3", 1}, "\"\\ufffd\""}, /* cut off */
	    {{"\xc3x", 2}, "\"\\ufffdx\""},
	    {{"\xe7\x8e", 2}, "\"\\ufffd\\ufffd\""},
	    {{"\xc0\x80", 2}, "\"\\ufffd\\ufffd\""}, /* overlong */
	    {{"\xe0\x9f\xbf", 3}, "\"\\ufffd\\ufffd\\ufffd\""},
	    {{"\xed\xa0\x80", 3}, "\"\\ufffd\\ufffd\\ufffd\""}, /* surrogate */
	    {{"\xf4\x90\x80\x80", 4},
	        "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* past U+10FFFF */
	    {{"\xf0\x9f\x90x", 4}, "\"\\ufffd\\ufffd\\ufffdx\""},
	};
	struct text text;

	(void)state;
	text_init(&text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_reset(&text);
		text_push_json(&text, cases[i].given);
		assert_text(&text, cases[i].wanted);
	}
	text_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_push),
	    cmocka_unit_test(test_number),
	    cmocka_unit_test(test_printf),
	    cmocka_unit_test(test_reserve_and_take),
	    cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
