/* Addresses: text there and back, and the kernel's form. */
#include "net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <unistd.h>

static const struct {
	const char *text;
	uint16_t port;
	const char *full, *ip; /* NULL: INVALID */
} rows[] = {
    {"10.0.0.1", 80, "10.0.0.1:80", "10.0.0.1"},
    {"255.255.255.255", 65535, "255.255.255.255:65535", "255.255.255.255"},
    {"0.0.0.0", 0, "0.0.0.0:0", "0.0.0.0"},
    {"192.168.10.209", 8080, "192.168.10.209:8080", "192.168.10.209"},
    {"::1", 80, "[::1]:80", "::1"},
    {"::", 1, "[::]:1", "::"},
    {"2001:DB8::0:1", 443, "[2001:db8::1]:443", "2001:db8::1"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 65535,
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"},
    {"::ffff:10.1.2.3", 80, "10.1.2.3:80", "10.1.2.3"},
    {"", 80, NULL, NULL},
    {"10.0.0", 80, NULL, NULL},
    {"10.0.0.256", 80, NULL, NULL},
    {"010.0.0.1", 80, NULL, NULL},
    {"10.0.0.1 ", 80, NULL, NULL},
    {"fe80::1%eth0", 80, NULL, NULL},
    {"[::1]", 80, NULL, NULL},
    {"example.com", 80, NULL, NULL},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 80, NULL, NULL},
};

static void
test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_address address, back;
		struct sockaddr_storage kernel;
		char out[NET_ADDRESS_TEXT];
		enum error error = net_address_parse(
		    slice_from_string(rows[i].text), rows[i].port, &address);
		if (!rows[i].full) {
			assert_int_equal(error, ERROR_INVALID);
			continue;
		}
		assert_int_equal(error, ERROR_OK);
		unsigned length = net_address_format(&address, out);
		assert_string_equal(out, rows[i].full);
		assert_int_equal(length, strlen(out));
		length = net_address_format_ip(&address, out);
		assert_string_equal(out, rows[i].ip);
		assert_int_equal(length, strlen(out));
		(void)net_address_to_sockaddr(&address, &kernel);
		net_address_from_sockaddr((struct sockaddr *)&kernel, &back);
		assert_true(net_address_equal(&address, &back));
	}
}

static void
test_nul_in_text(void **state)
{
	struct net_address address;
	(void)state;
	assert_int_equal(net_address_parse(slice_make("::1\0", 4), 1, &address),
	    ERROR_INVALID);
}

/* A client of a dual-stack socket is seen with its IPv4 address. */
static void
test_mapped(void **state)
{
	struct net_address address;
	struct sockaddr_in6 kernel = {
	    .sin6_family = AF_INET6, .sin6_port = htons(99)};
	char out[NET_ADDRESS_TEXT];
	(void)state;
	memcpy(
	    &kernel.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\001", 16);
	net_address_from_sockaddr((struct sockaddr *)&kernel, &address);
	(void)net_address_format(&address, out);
	assert_string_equal(out, "127.0.0.1:99");

	struct sockaddr path = {.sa_family = AF_UNIX};
	net_address_from_sockaddr(&path, &address);
	assert_int_equal(address.family, 0);
	(void)net_address_format(&address, out);
	assert_string_equal(out, "-");
}

static void
test_order(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
	} sorted[] = {{"9.9.9.9", 5}, {"10.0.0.1", 1}, {"10.0.0.1", 2},
	    {"::1", 0}, {"2001::", 0}};
	struct net_address a, b;
	(void)state;
	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < 5; j++) {
			assert_int_equal(
			    net_address_parse(slice_from_string(sorted[i].ip),
			        sorted[i].port, &a),
			    ERROR_OK);
			assert_int_equal(
			    net_address_parse(slice_from_string(sorted[j].ip),
			        sorted[j].port, &b),
			    ERROR_OK);
			int order = net_address_compare(&a, &b);
			assert_int_equal(
			    (order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(net_address_equal(&a, &b), i == j);
		}
	}
}

static void
test_local(void **state)
{
	struct net_address address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)state;
	assert_int_equal(net_address_local(fd, &address), ERROR_OK);
	assert_int_equal(address.family, AF_INET);
	close(fd);
	assert_int_not_equal(net_address_local(fd, &address), ERROR_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_nul_in_text),
	    cmocka_unit_test(test_mapped),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_local),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
