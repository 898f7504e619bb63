/* Bodies of the API: what is told of them, cut anywhere, and what is refused.
 */
#include "kube/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
on_value(void *context, struct slice json)
{
	text_push(context, json);
	text_push_byte(context, '|');
}

struct row {
	enum kube_body body;
	const char *bytes;
	enum error error;
	const char *told, *rest;
};

static const struct row rows[] = {
    {KUBE_LIST, "{\"metadata\":{\"continue\":\"x\"},\"items\":[{\"a\":1}, {}]}",
        ERROR_OK, "{\"a\":1}|{}|",
        "{\"metadata\":{\"continue\":\"x\"},\"items\":[]}"},
    {KUBE_LIST, "{\"items\":[{\"a\":\"]}\\\"\"}],\"b\":1}", ERROR_OK,
        "{\"a\":\"]}\\\"\"}|", "{\"items\":[],\"b\":1}"},
    {KUBE_LIST, "{\"items\":null}", ERROR_OK, "", "{\"items\":null}"},
    /* only the list's own items are items */
    {KUBE_LIST, "{\"a\":{\"items\":[{}]},\"b\":\"items\",\"c\":[{}]}", ERROR_OK,
        "", "{\"a\":{\"items\":[{}]},\"b\":\"items\",\"c\":[{}]}"},
    {KUBE_LIST, "{\"items\":[1]}", ERROR_INVALID, "", NULL},
    {KUBE_LIST, "{\"items\":[{}]", ERROR_TRUNCATED, "{}|", NULL},
    {KUBE_LIST, "", ERROR_TRUNCATED, "", NULL},
    {KUBE_LIST, "{}{}", ERROR_INVALID, "", NULL},
    {KUBE_LIST, "<html>", ERROR_INVALID, "", NULL},
    {KUBE_LIST, "{\"items\":[{\"a\":\"0123456789012345678901234567890\"}]}",
        ERROR_LIMIT, "", NULL},
    {KUBE_EVENTS, "{\"a\":{}}\n{\"b\":[1,2]}\n", ERROR_OK,
        "{\"a\":{}}|{\"b\":[1,2]}|", ""},
    {KUBE_EVENTS, "", ERROR_OK, "", ""},
    {KUBE_EVENTS, "{}{", ERROR_TRUNCATED, "{}|", NULL},
    {KUBE_EVENTS, "{}]", ERROR_INVALID, "{}|", NULL},
    {KUBE_WHOLE, " {\"code\":410} ", ERROR_OK, "", "{\"code\":410}"},
};

static void
check(const struct row *row, size_t step)
{
	struct slice bytes = slice_from_string(row->bytes);
	struct kube_decoder decoder;
	enum error error = ERROR_OK;
	struct text told;

	text_init(&told);
	kube_decoder_init(&decoder, row->body, on_value, &told);
	decoder.value_bytes_max = 32;
	decoder.rest_bytes_max = 64;
	while (bytes.length > 0 && error == ERROR_OK) {
		size_t length = bytes.length < step ? bytes.length : step;

		error =
		    kube_decoder_feed(&decoder, slice_make(bytes.data, length));
		bytes = slice_skip(bytes, length);
	}
	assert_int_equal(kube_decoder_end(&decoder), row->error);
	assert_true(
	    slice_equal(text_slice(&told), slice_from_string(row->told)));
	if (row->rest != NULL)
		assert_true(slice_equal(
		    text_slice(&decoder.rest), slice_from_string(row->rest)));
	kube_decoder_fini(&decoder);
	text_fini(&told);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t step = 1; step < 80; step++)
			check(&rows[i], step);
}

static void
test_reset(void **state)
{
	struct kube_decoder decoder;
	struct text told;

	(void)state;
	text_init(&told);
	kube_decoder_init(&decoder, KUBE_EVENTS, on_value, &told);
	assert_int_equal(
	    kube_decoder_feed(&decoder, SLICE("{\"a\":\"")), ERROR_OK);
	kube_decoder_reset(&decoder, KUBE_LIST);
	assert_int_equal(
	    kube_decoder_feed(&decoder, SLICE("{\"items\":[{}]}")), ERROR_OK);
	assert_int_equal(kube_decoder_end(&decoder), ERROR_OK);
	assert_true(slice_equal(text_slice(&told), SLICE("{}|")));
	kube_decoder_fini(&decoder);
	text_fini(&told);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
