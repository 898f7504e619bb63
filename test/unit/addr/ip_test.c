#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "addr/ip.h"

static void
check_print(const char *text, const char *wanted)
{
	struct addr_ip ip;
	char out[ADDR_IP_BYTES];

	assert_true(addr_ip_parse(slice_from_string(text), &ip));
	assert_string_equal(addr_ip_print(&ip, out).data, wanted);
}

static void
test_addresses(void **state)
{
	static const char *const wrong[] = {"", "1.2.3", "1.2.3.256",
	    "1.2.3.4 ", "01.2.3.4", "::ffff:1.2.3.4", "fe80::1%eth0",
	    ":::", "host"};
	struct addr_ip ip;

	(void)state;
	check_print("192.168.50.150", "192.168.50.150");
	check_print("0.0.0.0", "0.0.0.0");
	check_print("2001:DB8:0::1", "2001:db8::1");
	check_print("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(addr_ip_parse(slice_from_string(wrong[i]), &ip));
	assert_false(addr_ip_parse(slice_make("1.2.3.4\0x", 9), &ip));
}

static void
test_ranges(void **state)
{
	static const struct {
		const char *text, *first, *last;
	} rows[] = {
	    {"198.51.100.10/24", "198.51.100.0", "198.51.100.255"},
	    {"10.0.0.0/8", "10.0.0.0", "10.255.255.255"},
	    {"1.2.3.4/32", "1.2.3.4", "1.2.3.4"},
	    {"0.0.0.0/0", "0.0.0.0", "255.255.255.255"},
	    {"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	    {"fd00:1::5/64", "fd00:1::", "fd00:1::ffff:ffff:ffff:ffff"},
	    {"fd00::7/128", "fd00::7", "fd00::7"},
	    {"192.168.50.100-192.168.50.200", "192.168.50.100",
	        "192.168.50.200"},
	    {"10.0.0.1 - 10.0.0.1", "10.0.0.1", "10.0.0.1"},
	    {"fd00::1-fd00::ff", "fd00::1", "fd00::ff"},
	};
	static const char *const wrong[] = {"", "1.2.3.4", "1.2.3.4/33",
	    "fd00::/129", "1.2.3.4/", "/24", "1.2.3.4-", "-1.2.3.4",
	    "1.2.3.9-1.2.3.4", "1.2.3.4-fd00::1", "1.2.3.4/24/24", "1.2.3.4/-1",
	    "a-b"};
	struct addr_range range;
	char out[ADDR_IP_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(
		    addr_range_parse(slice_from_string(rows[i].text), &range));
		assert_string_equal(
		    addr_ip_print(&range.first, out).data, rows[i].first);
		assert_string_equal(
		    addr_ip_print(&range.last, out).data, rows[i].last);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_non_null(
		    addr_range_parse(slice_from_string(wrong[i]), &range));
}

static void
test_buggy(void **state)
{
	struct addr_ip ip;

	(void)state;
	assert_true(addr_ip_parse(SLICE("10.0.1.0"), &ip));
	assert_true(addr_ip_is_buggy(&ip));
	assert_true(addr_ip_parse(SLICE("10.0.1.255"), &ip));
	assert_true(addr_ip_is_buggy(&ip));
	assert_true(addr_ip_parse(SLICE("10.0.1.1"), &ip));
	assert_false(addr_ip_is_buggy(&ip));
	assert_true(addr_ip_parse(SLICE("fd00::ff"), &ip));
	assert_false(addr_ip_is_buggy(&ip));
}

static void
test_faults(void **state)
{
	static const char *const bad[] = {"0.0.0.0", "0.255.255.255",
	    "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
	    "::", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	static const char *const loopback[] = {
	    "127.0.0.0", "127.255.255.255", "::1"};
	static const char *const good[] = {"1.0.0.0", "126.255.255.255",
	    "128.0.0.0", "223.255.255.255", "10.0.0.255", "::2",
	    "::fffe:ffff:ffff", "::1:0:0:0",
	    "2001:db8::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	struct addr_ip ip, mapped = {.family = 6, .number = 0xffff01020304};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(addr_ip_parse(slice_from_string(bad[i]), &ip));
		assert_non_null(addr_ip_fault(&ip, false));
		assert_non_null(addr_ip_fault(&ip, true));
	}
	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
		assert_true(addr_ip_parse(slice_from_string(loopback[i]), &ip));
		assert_non_null(addr_ip_fault(&ip, false));
		assert_null(addr_ip_fault(&ip, true));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(addr_ip_parse(slice_from_string(good[i]), &ip));
		assert_null(addr_ip_fault(&ip, false));
	}
	assert_non_null(addr_ip_fault(&mapped, true));
}

/* "first-last first-last" of what can be given. */
static void
check_parts(const char *text, bool loopback, const char *wanted)
{
	struct addr_range range;
	char got[512] = "", first[ADDR_IP_BYTES], last[ADDR_IP_BYTES];
	size_t length = 0;

	assert_null(addr_range_parse(slice_from_string(text), &range));
	struct addr_parts parts = addr_range_parts(&range, loopback);
	for (unsigned i = 0; i < parts.count; i++) {
		addr_ip_print(&parts.items[i].first, first);
		addr_ip_print(&parts.items[i].last, last);
		length += (size_t)snprintf(got + length, sizeof(got) - length,
		    "%s%s-%s", i > 0 ? " " : "", first, last);
	}
	assert_string_equal(got, wanted);
}

static void
test_parts(void **state)
{
	(void)state;
	check_parts("10.0.0.0/24", false, "10.0.0.0-10.0.0.255");
	check_parts("0.0.0.0/0", false,
	    "1.0.0.0-126.255.255.255 128.0.0.0-223.255.255.255");
	check_parts("0.0.0.0/0", true, "1.0.0.0-223.255.255.255");
	check_parts("0.0.0.0/8", false, "");
	check_parts("127.0.0.5/32", false, "");
	check_parts("127.0.0.5/32", true, "127.0.0.5-127.0.0.5");
	check_parts("223.255.255.255-255.255.255.255", false,
	    "223.255.255.255-223.255.255.255");
	check_parts("255.255.255.255/32", false, "");
	check_parts("::/0", false,
	    "::2-::fffe:ffff:ffff "
	    "::1:0:0:0-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	check_parts("::-::3", true, "::1-::3");
	check_parts("ff02::/16", false, "");
	/* the first of a prefix is all routers'; a range has none */
	check_parts("fd00::/64", false, "fd00::1-fd00::ffff:ffff:ffff:ffff");
	check_parts("fd00::5/126", false, "fd00::5-fd00::7");
	check_parts("fd00::/127", false, "fd00::-fd00::1");
	check_parts("fd00::/128", false, "fd00::-fd00::");
	check_parts("fd00::-fd00::3", false, "fd00::-fd00::3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_buggy),
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
