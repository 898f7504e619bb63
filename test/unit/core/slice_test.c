/* Slices: comparing, cutting, trimming and reading numbers. */
#include "core/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_compare(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
		bool same_but_for_case;
	} cases[] = {
	    {"", "", 0, true},
	    {"a", "", 1, false},
	    {"", "a", -1, false},
	    {"ab", "ab", 0, true},
	    {"ab", "aB", 1, true},
	    {"ab", "abc", -1, false},
	    {"b", "abc", 1, false},
	    {"\xff", "a", 1, false},
	    {"[", "{", -1, false}, /* 0x20 apart, but no letters */
	    {"@", "`", -1, false},
	    {"Content-Length", "content-LENGTH", -1, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice a = slice_from_string(cases[i].a);
		struct slice b = slice_from_string(cases[i].b);
		int order = slice_compare(a, b);

		assert_int_equal((order > 0) - (order < 0), cases[i].order);
		order = slice_compare(b, a);
		assert_int_equal((order < 0) - (order > 0), cases[i].order);
		assert_int_equal(slice_equal(a, b), cases[i].order == 0);
		assert_int_equal(
		    slice_equal_nocase(a, b), cases[i].same_but_for_case);
	}
	assert_true(slice_equal(SLICE_NONE, SLICE("")));
	assert_int_equal(slice_compare(SLICE_NONE, SLICE_NONE), 0);
	assert_true(slice_is_set(SLICE("")));
	assert_false(slice_is_set(SLICE_NONE));
}

static void
test_start_and_end(void **state)
{
	struct slice s = SLICE("gateway");

	(void)state;
	assert_true(slice_starts_with(s, SLICE("gate")));
	assert_true(slice_starts_with(s, s));
	assert_true(slice_starts_with(s, SLICE("")));
	assert_false(slice_starts_with(s, SLICE("way")));
	assert_false(slice_starts_with(SLICE("gat"), SLICE("gate")));
	assert_true(slice_ends_with(s, SLICE("way")));
	assert_true(slice_ends_with(s, SLICE("")));
	assert_false(slice_ends_with(s, SLICE("gate")));
	assert_false(slice_ends_with(SLICE("ay"), SLICE("way")));
	assert_true(slice_ends_with(SLICE_NONE, SLICE_NONE));
	assert_int_equal(slice_find(s, 'w'), 4);
	assert_int_equal(slice_find(s, 'x'), 7);
	assert_int_equal(slice_find(SLICE_NONE, 'x'), 0);
	assert_true(slice_equal(slice_skip(s, 4), SLICE("way")));
	assert_true(slice_is_set(slice_skip(s, 7)));
}

static void
test_trim(void **state)
{
	static const struct {
		const char *given, *wanted;
	} cases[] = {
	    {"", ""}, {" \t ", ""}, {"a", "a"}, {" \ta b\t ", "a b"},
	    {"\ra\n", "\ra\n"}, /* OWS is SP and HTAB alone */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(
		    slice_equal(slice_trim(slice_from_string(cases[i].given)),
		        slice_from_string(cases[i].wanted)));
}

static void
test_cut(void **state)
{
	static const struct {
		const char *given;
		const char *parts[4]; /* to the first NULL */
	} cases[] = {
	    {"a,b,c", {"a", "b", "c"}},
	    {"a", {"a"}},
	    {"", {""}},
	    {",", {"", ""}},
	    {"a,", {"a", ""}},
	    {",a,", {"", "a", ""}},
	};
	struct slice rest, part;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rest = slice_from_string(cases[i].given);
		for (size_t j = 0; cases[i].parts[j]; j++) {
			assert_true(slice_cut(&rest, ',', &part));
			assert_true(slice_equal(
			    part, slice_from_string(cases[i].parts[j])));
			assert_true(slice_is_set(part));
		}
		assert_false(slice_cut(&rest, ',', &part));
	}
}

static void
test_number(void **state)
{
	static const struct {
		const char *text;
		uint64_t maximum;
		bool good;
		uint64_t number;
	} cases[] = {
	    {"0", 0, true, 0},
	    {"1", 0, false, 0},
	    {"00042", 100, true, 42},
	    {"9", 8, false, 0},
	    {"65535", 65535, true, 65535},
	    {"65536", 65535, false, 0},
	    {"655350", 65535, false, 0},
	    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
	    {"18446744073709551616", UINT64_MAX, false, 0},
	    {"99999999999999999999999", UINT64_MAX, false, 0},
	    {"", 9, false, 0},
	    {"+1", 9, false, 0},
	    {"-1", 9, false, 0},
	    {" 1", 9, false, 0},
	    {"1 ", 9, false, 0},
	    {"0x1", 99, false, 0},
	    {"1\xb2", 99, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t number = 0;

		assert_int_equal(
		    slice_to_number(slice_from_string(cases[i].text),
		        cases[i].maximum, &number),
		    cases[i].good);
		assert_int_equal(number, cases[i].number);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_compare),
	    cmocka_unit_test(test_start_and_end),
	    cmocka_unit_test(test_trim),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
