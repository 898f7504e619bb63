/* Names of certificates against names that are asked for. */
#include "crypt/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_dns(void **state)
{
	static const struct {
		struct slice name, host;
		bool covers;
	} rows[] = {
	    {SLICE("a.example"), SLICE("a.example"), true},
	    {SLICE("A.Example"), SLICE("a.eXAMPLE"), true},
	    {SLICE("a.example"), SLICE("b.example"), false},
	    {SLICE("a.example"), SLICE("a.example.org"), false},
	    {SLICE("a.example\0.evil.org"), SLICE("a.example"), false},
	    {SLICE("a.example"), SLICE("a.example\0.evil.org"), false},
	    {SLICE("*.a.example"), SLICE("b.a.example"), true},
	    {SLICE("*.a.example"), SLICE("c.b.a.example"), false},
	    {SLICE("*.a.example"), SLICE("a.example"), false},
	    {SLICE("*.a.example"), SLICE(".a.example"), false},
	    {SLICE("*.example"), SLICE("a.example"), false},
	    {SLICE("*."), SLICE("a."), false},
	    {SLICE("*"), SLICE("a"), false},
	    {SLICE("*"), SLICE("*"), false},
	    {SLICE("b*.a.example"), SLICE("b1.a.example"), false},
	    {SLICE("*.*.example"), SLICE("a.*.example"), false},
	    {SLICE("a.*.example"), SLICE("a.*.example"), false},
	    {SLICE(""), SLICE(""), false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (crypt_dns_name_covers(rows[i].name, rows[i].host) !=
		    rows[i].covers)
			fail_msg("row %u: %s, %s", i, rows[i].name.data,
			    rows[i].host.data);
}

/* One kind never stands for another, and only DNS knows case and wildcards. */
static void
test_kinds(void **state)
{
	const struct crypt_name uri = {CRYPT_NAME_URI, SLICE("spiffe://a/b")};
	struct crypt_name other = uri;

	(void)state;
	assert_true(crypt_name_matches(uri, other));
	other.kind = CRYPT_NAME_DNS;
	assert_false(crypt_name_matches(uri, other));
	other = (struct crypt_name){CRYPT_NAME_URI, SLICE("spiffe://A/b")};
	assert_false(crypt_name_matches(uri, other));
	other.value = SLICE("");
	assert_false(crypt_name_matches(other, other));
	/* A wildcard on either side, or on both. */
	struct crypt_name wild = {CRYPT_NAME_DNS, SLICE("*.b.example")};
	struct crypt_name one = {CRYPT_NAME_DNS, SLICE("A.b.example")};
	struct crypt_name two = {CRYPT_NAME_DNS, SLICE("x.a.b.example")};
	assert_true(crypt_name_matches(wild, one));
	assert_true(crypt_name_matches(one, wild));
	assert_true(crypt_name_matches(wild, wild));
	assert_false(crypt_name_matches(two, wild));
	assert_false(crypt_name_matches(one, two));
}

static void
test_sane(void **state)
{
	static const struct {
		struct crypt_name name;
		bool sane;
	} rows[] = {
	    {{CRYPT_NAME_DNS, SLICE("a.example")}, true},
	    {{CRYPT_NAME_DNS, SLICE("")}, false},
	    {{CRYPT_NAME_DNS, SLICE("a.example\0")}, false},
	    {{CRYPT_NAME_DNS, SLICE("a example")}, false},
	    {{CRYPT_NAME_URI, SLICE("spiffe://a\r\nX: y")}, false},
	    {{CRYPT_NAME_DNS, SLICE("\303\244.example")}, false},
	    {{CRYPT_NAME_IP, SLICE("\177\0\0\1")}, true},
	    {{CRYPT_NAME_IP, SLICE("\177\0\0")}, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    crypt_name_is_sane(rows[i].name), rows[i].sane);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dns),
	    cmocka_unit_test(test_kinds),
	    cmocka_unit_test(test_sane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
