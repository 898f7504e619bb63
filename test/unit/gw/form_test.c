#include "gw/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct row {
	const char *text;
	bool good;
};

#define CHECK_ROWS(rows, predicate) \
	for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) \
		if (predicate(slice_from_string((rows)[i].text)) != \
		    (rows)[i].good) \
			fail_msg("%s: %s", #predicate, (rows)[i].text);

static void
names(void **unused)
{
	static const struct row labels[] = {
	    {"a", true},
	    {"a-b", true},
	    {"0a9", true},
	    {"", false},
	    {"-a", false},
	    {"a-", false},
	    {"A", false},
	    {"a.b", false},
	    {"a_b", false},
	    {"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij123",
	        true},
	    {"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij1234",
	        false},
	};
	static const struct row subdomains[] = {
	    {"a", true},
	    {"a.b-c.d", true},
	    {"", false},
	    {".", false},
	    {"a.", false},
	    {".a", false},
	    {"a..b", false},
	    {"a.-b", false},
	};
	static const struct row groups[] = {
	    {"", true},
	    {"a.b", true},
	    {"A", false},
	    {"a/b", false},
	};
	static const struct row kinds[] = {
	    {"Service", true},
	    {"x-Y1", true},
	    {"1a", false},
	    {"a-", false},
	    {"a.b", false},
	};

	(void)unused;
	CHECK_ROWS(labels, gw_form_is_label);
	CHECK_ROWS(subdomains, gw_form_is_name);
	CHECK_ROWS(groups, gw_form_is_group);
	CHECK_ROWS(kinds, gw_form_is_kind);
}

static void
labels_and_paths(void **unused)
{
	static const struct row keys[] = {
	    {"a", true},
	    {"A_b.c", true},
	    {"example.com/A", true},
	    {"/a", false},
	    {"example.com/", false},
	    {"a/b/c", false},
	    {"a b", false},
	    {"-a", false},
	    {"", false},
	};
	static const struct row values[] = {
	    {"", true},
	    {"A_b.c", true},
	    {"a b", false},
	    {".a", false},
	};
	static const struct row domain_paths[] = {
	    {"a.b/c", true},
	    {"a.b/C~%!$&'()*+,;=:/d", true},
	    {"a.b", false},
	    {"a.b/", false},
	    {"/c", false},
	    {"A.b/c", false},
	    {"a.b/c d", false},
	};
	static const struct row protocols[] = {
	    {"HTTP", true},
	    {"my-proto", true},
	    {"a.b/Proto", true},
	    {"a.b/x-y", false},
	    {"-a", false},
	    {"", false},
	    {"a.b/", false},
	};
	static const struct row header_values[] = {
	    {"a", true},
	    {"a b", true},
	    {"a\tb", true},
	    {"", false},
	    {" a", false},
	    {"a ", false},
	    {"a  b", false},
	    {"a\nb", false},
	    {"\xc3\xa9", false},
	};

	(void)unused;
	CHECK_ROWS(keys, gw_form_is_label_key);
	CHECK_ROWS(values, gw_form_is_label_value);
	CHECK_ROWS(domain_paths, gw_form_is_domain_path);
	CHECK_ROWS(protocols, gw_form_is_protocol);
	CHECK_ROWS(header_values, gw_form_is_header_value);
}

static void
addresses(void **unused)
{
	static const struct {
		const char *text, *canonical; /* NULL: none */
		unsigned family;
	} rows[] = {
	    {"10.0.0.1", "10.0.0.1", 4},
	    {"2001:DB8:0:0::1", "2001:db8::1", 6},
	    {"::", "::", 6},
	    {"::ffff:10.0.0.1", "::ffff:10.0.0.1", 6},
	    {"10.0.0", NULL, 0},
	    {"10.0.0.256", NULL, 0},
	    {"10.0.0.01", NULL, 0},
	    {"fe80::1%eth0", NULL, 0},
	    {"", NULL, 0},
	    {"2001:db8:0000:0000:0000:0000:0000:0000:0000:0000:0001", NULL, 0},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[GW_ADDRESS_BYTES];
		unsigned family = 0;
		bool good = gw_form_is_address(
		    slice_from_string(rows[i].text), out, &family);

		assert_int_equal(good, rows[i].canonical != NULL);
		if (!good)
			continue;
		assert_string_equal(out, rows[i].canonical);
		assert_int_equal(family, rows[i].family);
	}
	char out[GW_ADDRESS_BYTES];
	unsigned family;

	assert_false(
	    gw_form_is_address(slice_make("10.0.0.1\0x", 10), out, &family));
}

static void
durations(void **unused)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: none */
	} rows[] = {
	    {"0s", 0},
	    {"500ms", 500},
	    {"10s", 10000},
	    {"1h30m", 5400000},
	    {"1h1m1s1ms", 3661001},
	    {"00001s", 1000},
	    {"", -1},
	    {"5", -1},
	    {"1x", -1},
	    {"s", -1},
	    {"-1s", -1},
	    {"1.5s", -1},
	    {"100000s", -1},
	    {"1s1s1s1s1s", -1},
	    {"1s ", -1},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ms;
		bool good =
		    gw_form_is_duration(slice_from_string(rows[i].text), &ms);

		if (good != (rows[i].ms >= 0))
			fail_msg("%s", rows[i].text);
		if (good)
			assert_int_equal(ms, rows[i].ms);
	}
}

static void
paths(void **unused)
{
	static const struct row rows[] = {
	    {"/", true},
	    {"/a", true},
	    {"/a/", true},
	    {"/a.b/..c", true},
	    {"/%41", true},
	    {"/a;b=c,d@e:f", true},
	    {"", false},
	    {"a", false},
	    {"//", false},
	    {"/./a", false},
	    {"/../a", false},
	    {"/a/..", false},
	    {"/a/.", false},
	    {"/%2f", false},
	    {"/%2F", false},
	    {"/#", false},
	    {"/ ", false},
	    {"/%4", false},
	    {"/%g0", false},
	    {"/?", false},
	    {"/\x7f", false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((gw_form_path_fault(slice_from_string(rows[i].text)) ==
		        NULL) != rows[i].good)
			fail_msg("%s", rows[i].text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(labels_and_paths),
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(durations),
	    cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
