/* Authorities, hostnames and their patterns. */
#include "wire/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/text.h"

#define LABEL_63 \
	"a23456789012345678901234567890123456789012345678901234567890123"

static void
check(struct slice authority, const char *host, unsigned port)
{
	struct slice read;
	uint16_t read_port;
	char *out = malloc(WIRE_HOST_BYTES + 3);
	char *block = malloc(authority.length > 0 ? authority.length : 1);
	assert_non_null(out);
	assert_non_null(block);
	memcpy(block, authority.data, authority.length);
	enum error error = wire_authority_parse(
	    slice_make(block, authority.length), out, &read, &read_port);
	/* A plain host is one that is given as it is. */
	bool plain = error == ERROR_OK && block[0] != '[' &&
	    slice_equal(read, slice_make(block, authority.length));
	if (wire_is_plain_host(slice_make(block, authority.length), block) !=
	    plain)
		fail_msg("%.*s: plain", SLICE_ARGS(authority));
	if ((error == ERROR_OK) != (host != NULL))
		fail_msg("%.*s: %s", SLICE_ARGS(authority), error_text(error));
	if (host == NULL) {
		assert_int_equal(error, ERROR_HTTP_BAD_HOST);
	} else {
		assert_true(slice_equal(read, slice_from_string(host)));
		assert_int_equal(read_port, port);
	}
	free(block);
	free(out);
}

static void
authorities(void **state)
{
	(void)state;
	static const struct {
		const char *authority, *host;
		unsigned port;
	} rows[] = {
	    {"a", "a", 0},
	    {"A.Example", "a.example", 0},
	    {"a.example.", "a.example", 0},
	    {"a.example.:80", "a.example", 80},
	    {"a:80", "a", 80},
	    {"a:", "a", 0},
	    {"a:1", "a", 1},
	    {"a:65535", "a", 65535},
	    {"a:00080", "a", 80},
	    {"x_y-z.9", "x_y-z.9", 0},
	    {"127.0.0.1:8080", "127.0.0.1", 8080},
	    {"[::1]", "[::1]", 0},
	    {"[::1]:80", "[::1]", 80},
	    {"[::1]:", "[::1]", 0},
	    {"[2001:DB8::FfFf]:443", "[2001:db8::ffff]", 443},
	    {"[::A]", "[::a]", 0},
	    {"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", 0},
	    {LABEL_63, LABEL_63, 0},
	    {LABEL_63 ".a", LABEL_63 ".a", 0},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(slice_from_string(rows[i].authority), rows[i].host,
		    rows[i].port);
}

static void
bad_authorities(void **state)
{
	(void)state;
	static const char *const rows[] = {"", ".", "..", "a..b", ".a", "a..",
	    ":", ":80", " a", "a ", "a b", "a,b", "a/b", "a\\b", "a?b", "a#b",
	    "u@a", "u:p@a", "a@", "a%41", "a\"", "a<", "a\x01", "a\x7f",
	    "a\xff", "*", "*.a", "a:0", "a:00000", "a:65536", "a:99999",
	    "a:000080", "a:x", "a:8x", "a:+8", "a:-8", "a: 8", "a:80:80",
	    "a:80/", "[", "]", "[]", "[a]", "[::1", "::1", "[::1]a", "[::1]80",
	    "[::1]]", "[[::1]]", "[::1%eth0]", "[v1.a]", "[1.2.3.4]", "[:::1]",
	    "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[::12345]", "[::G]",
	    "[ ::1]",
	    "[\x1a\x1a"
	    "1]",
	    "[::1 ]", "[0000:0000:0000:0000:0000:ffff:255.255.255.2555]",
	    LABEL_63 "4", LABEL_63 "4.a", "a." LABEL_63 "4:80"};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(slice_from_string(rows[i]), NULL, 0);
	check(SLICE("a\0b"), NULL, 0);
	check(SLICE("a:8\0"), NULL, 0);
	check(SLICE("[::1\0]"), NULL, 0);
}

/* Names of 253 bytes are the longest, a dot at the end aside. */
static void
long_names(void **state)
{
	(void)state;
	struct text text;
	text_init(&text);
	text_push_string(&text, LABEL_63 "." LABEL_63 "." LABEL_63 ".");
	while (text.length < WIRE_HOST_BYTES)
		text_push_byte(&text, 'b');
	char name[WIRE_HOST_BYTES + 1];
	memcpy(name, text.data, WIRE_HOST_BYTES + 1);
	check(text_slice(&text), name, 0);
	assert_true(wire_is_hostname(text_slice(&text), false));
	text_push_string(&text, ":80");
	check(text_slice(&text), name, 80);
	text.length = WIRE_HOST_BYTES;
	text_push_string(&text, ".");
	check(text_slice(&text), name, 0);
	text_push_string(&text, ":80");
	check(text_slice(&text), name, 80);
	text.length = WIRE_HOST_BYTES;
	text_push_string(&text, "b");
	assert_false(wire_is_hostname(text_slice(&text), false));
	check(text_slice(&text), NULL, 0);
	text_push_string(&text, ":80");
	check(text_slice(&text), NULL, 0);
	text.length = WIRE_HOST_BYTES;
	text_push_string(&text, "..");
	check(text_slice(&text), NULL, 0);
	text_fini(&text);
}

static void
hostnames(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool plain, wildcard;
	} rows[] = {
	    {"a", true, true},
	    {"a-b.c9", true, true},
	    {"9.a", true, true},
	    {"z.az", true, true},
	    {LABEL_63 ".a", true, true},
	    {"*.a", false, true},
	    {"*.a.b", false, true},
	    {"", false, false},
	    {"*", false, false},
	    {"*.", false, false},
	    {"*a", false, false},
	    {"a.*", false, false},
	    {"*.*.a", false, false},
	    {"A", false, false},
	    {"a.", false, false},
	    {".a", false, false},
	    {"a..b", false, false},
	    {"-a", false, false},
	    {"a-", false, false},
	    {"a_b", false, false},
	    {"a b", false, false},
	    {"a:80", false, false},
	    {LABEL_63 "4", false, false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice name = slice_from_string(rows[i].name);
		if (wire_is_hostname(name, false) != rows[i].plain ||
		    wire_is_hostname(name, true) != rows[i].wildcard)
			fail_msg("%s", rows[i].name);
	}
}

static void
patterns(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *name;
		bool covers;
	} rows[] = {
	    {"", "a", true},
	    {"a", "a", true},
	    {"a.b", "a.b", true},
	    {"a.b", "b", false},
	    {"b", "a.b", false},
	    {"*.b", "a.b", true},
	    {"*.b", "c.a.b", true},
	    {"*.b", "b", false},
	    {"*.b", "ab", false},
	    {"*.b", "a.bb", false},
	    {"*.a.b", "c.b", false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (wire_hostname_covers(slice_from_string(rows[i].pattern),
		        slice_from_string(rows[i].name)) != rows[i].covers)
			fail_msg("%s, %s", rows[i].pattern, rows[i].name);
}

static void
intersections(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool intersect;
	} rows[] = {
	    {"", "", true},
	    {"", "a", true},
	    {"", "*.a", true},
	    {"a", "a", true},
	    {"a", "b", false},
	    {"*.b", "a.b", true},
	    {"*.b", "b", false},
	    {"*.b", "*.b", true},
	    {"*.b", "*.a.b", true},
	    {"*.a.b", "*.c.b", false},
	    {"*.b", "*.ab", false},
	    {"*.b.a", "*.b", false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice a = slice_from_string(rows[i].a);
		struct slice b = slice_from_string(rows[i].b);
		if (wire_hostnames_intersect(a, b) != rows[i].intersect ||
		    wire_hostnames_intersect(b, a) != rows[i].intersect)
			fail_msg("%s, %s", rows[i].a, rows[i].b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(authorities),
	    cmocka_unit_test(bad_authorities),
	    cmocka_unit_test(long_names),
	    cmocka_unit_test(hostnames),
	    cmocka_unit_test(patterns),
	    cmocka_unit_test(intersections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
