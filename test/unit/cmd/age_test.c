/* Ages as kubectl writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "cmd/age.h"

static const struct {
	int64_t seconds;
	const char *want;
} rows[] = {
    {-5, "0s"},
    {0, "0s"},
    {119, "119s"},
    {120, "2m"},
    {330, "5m30s"},
    {600, "10m"},
    {7199, "119m"},
    {10800, "3h"},
    {12000, "3h20m"},
    {28800, "8h"},
    {172799, "47h"},
    {172800, "2d"},
    {187200, "2d4h"},
    {691200, "8d"},
    {31536000 * 2 - 1, "729d"},
    {31536000LL * 2 + 86400 * 3, "2y3d"},
    {31536000LL * 9, "9y"},
};

static void
test_ages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out;

		text_init(&out);
		age_push(&out, rows[i].seconds);
		assert_string_equal(out.data, rows[i].want);
		text_fini(&out);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
