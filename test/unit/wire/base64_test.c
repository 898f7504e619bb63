/* Base64: the vectors of RFC 4648 section 10, and what is none. */
#include "wire/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct {
	const char *text, *bytes; /* bytes NULL: refused */
	bool loose; /* not what would be written */
} cases[] = {
    {"", "", false},
    {"Zg==", "f", false},
    {"Zm8=", "fo", false},
    {"Zm9v", "foo", false},
    {"Zm9vYg==", "foob", false},
    {"Zm9vYmE=", "fooba", false},
    {"Zm9vYmFy", "foobar", false},
    {"Zm9v\r\nYmFy\n", "foobar", true},
    {"Zh==", "f", true},
    {"Zg=", NULL, false},
    {"Zg", NULL, false},
    {"Z", NULL, false},
    {"Z===", NULL, false},
    {"=", NULL, false},
    {"Zg===", NULL, false},
    {"Zg==Zg==", NULL, false},
    {"Zg=v", NULL, false},
    {"Zm9-", NULL, false},
    {"Zm 9", NULL, false},
};

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text out, again;
		bool ok;

		text_init(&out);
		text_init(&again);
		ok = wire_base64_take(&out, slice_from_string(cases[i].text));
		assert_int_equal(ok, cases[i].bytes != NULL);
		if (ok) {
			assert_true(slice_equal(text_slice(&out),
			    slice_from_string(cases[i].bytes)));
			wire_base64_push(&again, text_slice(&out));
			assert_int_equal(slice_equal(text_slice(&again),
			                     slice_from_string(cases[i].text)),
			    !cases[i].loose);
		}
		text_fini(&again);
		text_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
