/* Clocks: writing and reading RFC 3339. */
#include "core/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

static void
test_format(void **state)
{
	static const struct {
		int64_t wall_ms;
		const char *wanted;
	} cases[] = {
	    {0, "1970-01-01T00:00:00.000Z"},
	    {-1, "1970-01-01T00:00:00.000Z"},
	    {951827696789, "2000-02-29T12:34:56.789Z"},
	    {1709251199999, "2024-02-29T23:59:59.999Z"},
	    {1709251200000, "2024-03-01T00:00:00.000Z"},
	    {4107542400000, "2100-03-01T00:00:00.000Z"},
	    {253402300799999, "9999-12-31T23:59:59.999Z"},
	    {INT64_MAX, "9999-12-31T23:59:59.999Z"},
	};
	char out[CLOCK_RFC3339_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clock_format(cases[i].wall_ms, out);
		assert_string_equal(out, cases[i].wanted);
	}
}

/* Each day of 400 years, as the C library has it, and read back. */
static void
test_every_day(void **state)
{
	char out[CLOCK_RFC3339_BYTES + 1], wanted[32];

	(void)state;
	for (time_t day = 0; day < 146097; day++) {
		time_t second = day * 86400 + day % 86400;
		struct tm parts;
		int64_t parsed;

		gmtime_r(&second, &parts);
		strftime(wanted, sizeof(wanted), "%FT%T.000Z", &parts);
		clock_format((int64_t)second * 1000, out);
		assert_string_equal(out, wanted);
		assert_true(clock_parse(slice_from_string(out), &parsed));
		assert_int_equal(parsed, second);
	}
}

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		bool good;
		int64_t seconds;
	} cases[] = {
	    {"1970-01-01T00:00:00Z", true, 0},
	    {"2026-11-24T04:05:06Z", true, 1795493106},
	    {"2026-11-24T04:05:06.123456789Z", true, 1795493106},
	    {"2026-11-24T05:35:06+01:30", true, 1795493106},
	    {"2026-11-23T23:05:06.5-05:00", true, 1795493106},
	    {"0001-01-01T00:00:00Z", true, -62135596800},
	    {"1969-12-31T23:59:59Z", true, -1},
	    {"2000-02-29T00:00:00Z", true, 951782400},
	    {"1900-02-29T00:00:00Z", false, 0},
	    {"2023-02-29T00:00:00Z", false, 0},
	    {"2023-04-31T00:00:00Z", false, 0},
	    {"2023-13-01T00:00:00Z", false, 0},
	    {"2023-00-01T00:00:00Z", false, 0},
	    {"2023-01-00T00:00:00Z", false, 0},
	    {"2023-01-01T24:00:00Z", false, 0},
	    {"2023-01-01T00:60:00Z", false, 0},
	    {"2023-01-01T00:00:60Z", false, 0},
	    {"2023-01-01T00:00:00", false, 0},
	    {"2023-01-01T00:00:00.Z", false, 0},
	    {"2023-01-01T00:00:00ZZ", false, 0},
	    {"2023-01-01T00:00:00+0100", false, 0},
	    {"2023-01-01T00:00:00+24:00", false, 0},
	    {"2023-01-01T00:00:00+01:00x", false, 0},
	    {"2023-01-01 00:00:00Z", false, 0},
	    {"2023-01-01t00:00:00z", false, 0},
	    {"23-01-01T00:00:00Z", false, 0},
	    {"+023-01-01T00:00:00Z", false, 0},
	    {"2023-1-01T00:00:00Z", false, 0},
	    {"2023-01-01", false, 0},
	    {"0000-01-01T00:00:00Z", false, 0},
	    {"", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t seconds = 0;

		assert_int_equal(
		    clock_parse(slice_from_string(cases[i].text), &seconds),
		    cases[i].good);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void
test_now(void **state)
{
	uint64_t before = clock_monotonic_ms();

	(void)state;
	assert_true(clock_monotonic_ns() / 1000000 >= before);
	assert_true(clock_wall_ms() / 1000 - time(NULL) <= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_every_day),
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
