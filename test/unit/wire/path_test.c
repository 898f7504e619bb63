/* Canonical paths, prefixes by segments, query parameters. */
#include "wire/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

struct row {
	const char *raw;
	const char *canonical; /* NULL: refused */
	size_t raw_length; /* 0: up to the NUL */
};

/* out is a block of exactly as many bytes as suffice. Canonical again gives the
 * same. */
static void
check_row(const struct row *row)
{
	struct slice raw = slice_from_string(row->raw), canonical, again;
	if (row->raw_length > 0)
		raw.length = row->raw_length;
	char *block = malloc(raw.length + 1);
	char *out = malloc(raw.length + 1);
	assert_non_null(block);
	assert_non_null(out);
	memcpy(block, raw.data, raw.length);
	block = realloc(block, raw.length > 0 ? raw.length : 1);
	out = realloc(out, raw.length > 0 ? raw.length : 1);
	enum error error =
	    wire_path_canonical(slice_make(block, raw.length), out, &canonical);
	if (row->canonical == NULL) {
		if (error != ERROR_HTTP_BAD_PATH)
			fail_msg("%s is not refused", row->raw);
	} else if (error != ERROR_OK ||
	    !slice_equal(canonical, slice_from_string(row->canonical))) {
		fail_msg("%s gives %.*s, not %s", row->raw,
		    error == ERROR_OK ? (int)canonical.length : 1,
		    error == ERROR_OK ? canonical.data : "!", row->canonical);
	} else {
		char *same = malloc(canonical.length);
		assert_non_null(same);
		assert_int_equal(
		    wire_path_canonical(canonical, same, &again), ERROR_OK);
		assert_true(slice_equal(again, canonical));
		free(same);
	}
	free(block);
	free(out);
}

static void
check_rows(const struct row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		check_row(&rows[i]);
}

#define CHECK(rows) check_rows((rows), sizeof(rows) / sizeof((rows)[0]))

static void
escapes(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"/", "/"},
	    {"/a", "/a"},
	    {"/a/b.c/-_~!$&'()*+,;=:@", "/a/b.c/-_~!$&'()*+,;=:@"},
	    /* unreserved: decoded */
	    {"/%61%7a%41%5A%30%39%2d%2e%5f%7e", "/azAZ09-._~"},
	    {"/a%2Eb", "/a.b"},
	    {"/%7Euser", "/~user"},
	    /* others: kept, with upper-case digits */
	    {"/%2f%5c%20%3f%23%25%c3%a4", "/%2F%5C%20%3F%23%25%C3%A4"},
	    {"/a%2Fb", "/a%2Fb"},
	    {"/a%2fb%5Cc", "/a%2Fb%5Cc"},
	    {"/%21", "/%21"},
	    {"/%3b", "/%3B"},
	    {"/%01%7f%ff", "/%01%7F%FF"},
	    /* once only */
	    {"/%2561", "/%2561"},
	    {"/%252e%252e/a", "/%252e%252e/a"},
	    {"/%25%32%65", "/%252e"},
	    /* none */
	    {"/%", NULL},
	    {"/%4", NULL},
	    {"/%g0", NULL},
	    {"/%0g", NULL},
	    {"/%%34%31", NULL},
	    {"/%u0041", NULL},
	    {"/%-1", NULL},
	    {"/a%", NULL},
	    {"/a%4/", NULL},
	    /* NUL */
	    {"/%00", NULL},
	    {"/a%00b", NULL},
	    {.raw = "/a\0b", .raw_length = 4},
	};
	CHECK(rows);
}

/* What RFC 3986 does not allow in a path. */
static void
every_byte(void **state)
{
	(void)state;
	static const char allowed[] = "-._~!$&'()*+,;=:@/";
	for (unsigned byte = 1; byte < 256; byte++) {
		char text[] = {'/', 'a', (char)byte, 'a', '\0'};
		bool is = (byte >= '0' && byte <= '9') ||
		    (byte >= 'A' && byte <= 'Z') ||
		    (byte >= 'a' && byte <= 'z') ||
		    strchr(allowed, (int)byte) != NULL;
		const struct row row = {text, is ? text : NULL};
		check_row(&row);
	}
}

static void
dot_segments(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"/.", "/"},
	    {"/./", "/"},
	    {"/a/.", "/a/"},
	    {"/a/./b", "/a/b"},
	    {"/a/..", "/"},
	    {"/a/../", "/"},
	    {"/a/../b", "/b"},
	    {"/a/b/../../c", "/c"},
	    {"/a/b/c/./../../g", "/a/g"},
	    {"/mid/content=5/../6", "/mid/6"},
	    {"/a/b/..", "/a/"},
	    /* escaped */
	    {"/%2e", "/"},
	    {"/a/%2e%2e/b", "/b"},
	    {"/a/%2E./b", "/b"},
	    {"/a/.%2e", "/"},
	    {"/a/%2e/b", "/a/b"},
	    /* with parameters */
	    {"/a/..;/b", "/b"},
	    {"/a/..;x=1;y/b", "/b"},
	    {"/a/.;x/b", "/a/b"},
	    {"/a/%2e%2e;x", "/"},
	    {"/;/b", "/;/b"},
	    {"/a;/../b", "/b"},
	    {"/a;x/..;y/b", "/b"},
	    /* empty segments are segments */
	    {"//", "//"},
	    {"//a", "//a"},
	    {"/a//b/", "/a//b/"},
	    {"/a//../b", "/a/b"},
	    {"//..", "/"},
	    {"//../a", "/a"},
	    /* none */
	    {"/...", "/..."},
	    {"/....", "/...."},
	    {"/..a", "/..a"},
	    {"/a..", "/a.."},
	    {"/.a", "/.a"},
	    {"/a.", "/a."},
	    {"/a;..", "/a;.."},
	    {"/...;", "/...;"},
	    {"/.htaccess/..x", "/.htaccess/..x"},
	    {"/%2e%2e%2e", "/..."},
	    {"/a/%2e%2ex", "/a/..x"},
	    {"/a%2e%2e/b", "/a../b"},
	    {"/a/b%2e/c", "/a/b./c"},
	};
	CHECK(rows);
}

static void
refused(void **state)
{
	(void)state;
	static const struct row rows[] = {
	    {"", NULL},
	    {"a", NULL},
	    {"*", NULL},
	    {"?", NULL},
	    {"./a", NULL},
	    {"%2Fa", NULL},
	    /* over the root */
	    {"/..", NULL},
	    {"/../", NULL},
	    {"/../a", NULL},
	    {"/a/../..", NULL},
	    {"/a/../../a", NULL},
	    {"/./..", NULL},
	    {"/%2e%2e/a", NULL},
	    {"/..;/a", NULL},
	    {"//../..", NULL},
	    /* dots that are a segment for who decodes more */
	    {"/a/..%2fb", NULL},
	    {"/a/..%5Cb", NULL},
	    {"/a%2F..", NULL},
	    {"/a%2f..%2fb", NULL},
	    {"/a%5c%2e%2e", NULL},
	    {"/a%2F.", NULL},
	    {"/a%2F..;x", NULL},
	    {"/..;x%2Fa", NULL},
	    {"/%2e%2e%2f", NULL},
	    {"/a/..%3b", NULL},
	    {"/a/.%3Bx", NULL},
	    {"/a%3B..", "/a%3B.."},
	    {"/a%3B.b", "/a%3B.b"},
	    {"/a%2F..%3Bx/b", NULL},
	    {"/a/..%2e%2fb", "/a/...%2Fb"},
	    {"/a%2F..b", "/a%2F..b"},
	    {"/a%2F...", "/a%2F..."},
	    {"/a..%2Fb", "/a..%2Fb"},
	    {"/a/...%3b", "/a/...%3B"},
	    {"/a..%3b", "/a..%3B"},
	    /* also in what is taken back */
	    {"/a/..%2Fb/../c", NULL},
	    {"/a%00/../c", NULL},
	    {"/a|/../c", NULL},
	};
	CHECK(rows);
}

static void
prefixes(void **state)
{
	(void)state;
	static const struct {
		const char *path, *prefix;
		bool has;
	} rows[] = {
	    {"/v2", "/v2", true},
	    {"/v2/", "/v2", true},
	    {"/v2/x", "/v2", true},
	    {"/v2x", "/v2", false},
	    {"/v2", "/v2/", true},
	    {"/v2/", "/v2/", true},
	    {"/v2/x", "/v2/", true},
	    {"/v2x", "/v2/", false},
	    {"/v", "/v2", false},
	    {"/V2", "/v2", false},
	    {"/", "/", true},
	    {"/a", "/", true},
	    {"//", "/", true},
	    {"/v2;x", "/v2", false},
	    {"/v2%2Fx", "/v2", false},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (wire_path_has_prefix(slice_from_string(rows[i].path),
		        slice_from_string(rows[i].prefix)) != rows[i].has)
			fail_msg("%s, %s", rows[i].path, rows[i].prefix);
}

static void
queries(void **state)
{
	(void)state;
	static const struct {
		const char *query, *name, *value; /* NULL: absent */
	} rows[] = {
	    {"a=1", "a", "1"},
	    {"b=2&a=1", "a", "1"},
	    {"a=1&a=2", "a", "1"},
	    {"a", "a", ""},
	    {"a=", "a", ""},
	    {"a&b", "b", ""},
	    {"a=b=c", "a", "b=c"},
	    {"&&a=1&", "a", "1"},
	    {"%61=%31+%32", "a", "1 2"},
	    {"a+b=1", "a b", "1"},
	    {"a%2bb=1", "a+b", "1"},
	    {"a%26b=%3d", "a&b", "="},
	    {"a=%", "a", "%"},
	    {"a=%4", "a", "%4"},
	    {"a=%zz", "a", "%zz"},
	    {"a=1;b=2", "b", NULL},
	    {"a=1;b=2", "a", "1;b=2"},
	    {"A=1", "a", NULL},
	    {"aa=1", "a", NULL},
	    {"=1", "a", NULL},
	    {"", "a", NULL},
	    {"b=a", "a", NULL},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice value;
		char out[32];
		bool found = wire_query_get(slice_from_string(rows[i].query),
		    slice_from_string(rows[i].name), out, &value);
		if (found != (rows[i].value != NULL) ||
		    (found &&
		        !slice_equal(value, slice_from_string(rows[i].value))))
			fail_msg("%s of %s", rows[i].name, rows[i].query);
	}
	struct slice value;
	char out[1];
	char zero[8];
	assert_true(wire_query_get(SLICE("a=%00b"), SLICE("a"), zero, &value));
	assert_true(slice_equal(value, SLICE("\0b")));
	assert_false(wire_query_get(SLICE_NONE, SLICE("a"), out, &value));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(escapes),
	    cmocka_unit_test(every_byte),
	    cmocka_unit_test(dot_segments),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(prefixes),
	    cmocka_unit_test(queries),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
