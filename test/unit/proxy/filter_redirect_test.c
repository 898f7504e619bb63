/* RequestRedirect: the Location, by the rules of Gateway API. */
#include "proxy/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PLAIN \
	{ \
		.host = SLICE("a.example"), .port = 80, .path = SLICE("/p") \
	}
#define AT_8080 \
	{ \
		.host = SLICE("a.example"), .port = 8080, .path = SLICE("/p") \
	}
#define SECURE \
	{ \
		.host = SLICE("a.example"), .port = 443, .path = SLICE("/p"), \
		.secure = true \
	}

static void
test_location(void **state)
{
	static const struct {
		struct proxy_redirect redirect;
		struct unit_filter filter;
		const char *wanted;
	} cases[] = {
	    {PLAIN, {.hostname = SLICE("b.example")}, "http://b.example/p"},
	    {PLAIN, {.scheme = SLICE("https")}, "https://a.example/p"},
	    {AT_8080, {.scheme = SLICE("https")}, "https://a.example/p"},
	    {AT_8080, {.scheme = SLICE("http")}, "http://a.example/p"},
	    {AT_8080, {.hostname = SLICE("b")}, "http://b:8080/p"},
	    {AT_8080, {.port = 80}, "http://a.example/p"},
	    {PLAIN, {.port = 8443}, "http://a.example:8443/p"},
	    {PLAIN, {.port = 443}, "http://a.example:443/p"},
	    {PLAIN, {.scheme = SLICE("https"), .port = 443},
	        "https://a.example/p"},
	    {PLAIN, {.scheme = SLICE("https"), .port = 80},
	        "https://a.example:80/p"},
	    {SECURE, {.hostname = SLICE("b")}, "https://b/p"},
	    {SECURE, {.scheme = SLICE("http")}, "http://a.example/p"},
	    {SECURE, {.port = 8443}, "https://a.example:8443/p"},
	    {{.host = SLICE("a"),
	         .port = 80,
	         .path = SLICE("/p"),
	         .query = SLICE("x=1&y")},
	        {.hostname = SLICE("b")}, "http://b/p?x=1&y"},
	    {{.host = SLICE("a"),
	         .port = 80,
	         .path = SLICE("/p"),
	         .query = SLICE("")},
	        {.hostname = SLICE("b")}, "http://b/p?"},
	    {{.host = SLICE("a"),
	         .port = 80,
	         .path = SLICE("/p"),
	         .query = SLICE("q")},
	        {.path_change = UNIT_PATH_REPLACE_FULL, .path = SLICE("/n")},
	        "http://a/n?q"},
	    {{.host = SLICE("a"),
	         .port = 80,
	         .path = SLICE("/old/x"),
	         .query = SLICE("q"),
	         .prefix = SLICE("/old")},
	        {.path_change = UNIT_PATH_REPLACE_PREFIX, .path = SLICE("/n")},
	        "http://a/n/x?q"},
	    {{.port = 80, .path = SLICE("/p"), .query = SLICE("q")},
	        {.scheme = SLICE("https")}, "/p?q"},
	    {{.port = 80, .path = SLICE("/p")}, {.hostname = SLICE("b")},
	        "http://b/p"},
	    {{.host = SLICE("[2001:db8::1]"), .port = 8080, .path = SLICE("/")},
	        {.path_change = UNIT_PATH_REPLACE_FULL, .path = SLICE("/n")},
	        "http://[2001:db8::1]:8080/n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena;

		arena_init(&arena, 256);
		struct slice location = proxy_redirect_location(
		    &arena, &cases[i].redirect, &cases[i].filter);
		if (!slice_equal(location, slice_from_string(cases[i].wanted)))
			fail_msg(
			    "%s: %.*s", cases[i].wanted, SLICE_ARGS(location));
		arena_fini(&arena);
	}
}

/* The table of Gateway API's HTTPPathModifier. */
static void
test_replace_prefix(void **state)
{
	static const struct {
		const char *path, *prefix, *replacement, *wanted;
	} cases[] = {
	    {"/foo/bar", "/foo", "/xyz", "/xyz/bar"},
	    {"/foo/bar", "/foo", "/xyz/", "/xyz/bar"},
	    {"/foo/bar", "/foo/", "/xyz", "/xyz/bar"},
	    {"/foo/bar", "/foo/", "/xyz/", "/xyz/bar"},
	    {"/foo", "/foo", "/xyz", "/xyz"},
	    {"/foo/", "/foo", "/xyz", "/xyz/"},
	    {"/foo/bar", "/foo", "", "/bar"},
	    {"/foo/", "/foo", "", "/"},
	    {"/foo", "/foo", "", "/"},
	    {"/foo/", "/foo", "/", "/"},
	    {"/foo", "/foo", "/", "/"},
	    {"/foo/bar", "/", "/xyz", "/xyz/foo/bar"},
	    {"/foo//bar", "/foo", "/x", "/x//bar"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena;

		arena_init(&arena, 256);
		struct slice path = proxy_path_replace_prefix(&arena,
		    slice_from_string(cases[i].path),
		    slice_from_string(cases[i].prefix),
		    slice_from_string(cases[i].replacement));
		if (!slice_equal(path, slice_from_string(cases[i].wanted)))
			fail_msg("%s %s %s: %.*s", cases[i].path,
			    cases[i].prefix, cases[i].replacement,
			    SLICE_ARGS(path));
		arena_fini(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_location),
	    cmocka_unit_test(test_replace_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
