/* Faults in one line. */
#include "crypt/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
assert_printed(struct crypt_fault fault, const char *wanted)
{
	struct text text;

	text_init(&text);
	crypt_fault_print(&fault, &text);
	assert_string_equal(text.data, wanted);
	text_fini(&text);
}

static void
test_print(void **state)
{
	(void)state;
	assert_printed((struct crypt_fault){.problem = CRYPT_NO_KEY},
	    "there is no private key in it");
	assert_printed(
	    (struct crypt_fault){.problem = CRYPT_PEM_BASE64, .line = 3},
	    "line 3: the PEM block is not base64");
	assert_printed((struct crypt_fault){.problem = CRYPT_EXPIRED,
	                   .certificate = 2,
	                   .line = 24,
	                   .seconds = 1767225600},
	    "certificate 2, line 24: the certificate has expired: "
	    "2026-01-01T00:00:00Z");
}

/* Every row has its texts, no label twice. */
static void
test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CRYPT_PROBLEM__COUNT; i++) {
		assert_true(strlen(crypt_problem_text(i)) > 0);
		assert_true(strlen(crypt_problem_fix(i)) > 0);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(
			    crypt_problem_label(i), crypt_problem_label(j));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_print),
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
