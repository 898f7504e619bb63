/* Errors: each row has its own label; errno values map to rows. */
#include "core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void
test_rows(void **state)
{
	(void)state;
	assert_int_equal(ERROR_OK, 0);
	assert_string_equal(error_label(ERROR_OK), "ok");
	assert_string_equal(error_text(ERROR_TIMEOUT), "timed out");
	for (enum error i = 0; i < ERROR__COUNT; i++) {
		const char *label = error_label(i);

		assert_true(strlen(error_text(i)) > 0);
		/* What a metric's label and a log's value need no quotes for.
		 */
		assert_int_equal(
		    strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789_"),
		    strlen(label));
		for (enum error j = 0; j < i; j++)
			assert_string_not_equal(label, error_label(j));
	}
}

static void
test_errno(void **state)
{
	static const struct {
		int number;
		enum error error;
	} cases[] = {
	    {0, ERROR_OK},
	    {EAGAIN, ERROR_AGAIN},
	    {EWOULDBLOCK, ERROR_AGAIN},
	    {ECONNRESET, ERROR_RESET},
	    {EPIPE, ERROR_CLOSED},
	    {ECONNREFUSED, ERROR_REFUSED},
	    {EADDRINUSE, ERROR_IN_USE},
	    {EACCES, ERROR_DENIED},
	    {EMFILE, ERROR_LIMIT},
	    {EXDEV, ERROR_SYSTEM},
	    {-5, ERROR_SYSTEM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    error_from_errno(cases[i].number), cases[i].error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
