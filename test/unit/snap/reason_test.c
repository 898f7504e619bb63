/* The reasons: each has a word of its own and a status that fits. */
#include "snap/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_rows(void **state)
{
	(void)state;
	assert_int_equal(reason_rows[REASON_NONE].word.length, 0);
	assert_int_equal(reason_rows[REASON_NO_ROUTE].status, 404);
	for (unsigned i = 1; i < REASON__COUNT; i++) {
		const struct reason_row *row = &reason_rows[i];

		assert_true(row->word.length > 0);
		assert_true(row->status >= 300 && row->status <= 599);
		assert_true(row->meaning[0] != '\0');
		for (unsigned j = 1; j < i; j++)
			assert_false(
			    slice_equal(row->word, reason_rows[j].word));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
