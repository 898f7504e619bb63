/* Limits: rows, names and constants say the same. */
#include "core/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static void
test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LIMIT__COUNT; i++) {
		const struct limit_row *row = &limit_rows[i];

		assert_true(row->value > 0);
		assert_true(strlen(row->why) > 0);
		assert_true(strlen(row->unit) > 0);
		assert_true(row->status == 0 ||
		    (row->status >= 400 && row->status < 600));
	}
	assert_string_equal(
	    limit_rows[LIMIT_REQUEST_HEAD_BYTES].name, "REQUEST_HEAD_BYTES");
	assert_int_equal(limit_rows[LIMIT_REQUEST_HEAD_BYTES].value,
	    LIMIT_VALUE_REQUEST_HEAD_BYTES);
	assert_int_equal(limit_rows[LIMIT_REQUEST_HEAD_BYTES].status, 431);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
