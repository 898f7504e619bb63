/* A few texts a pattern; tools/crds holds all of them against Go's regexp. */
#include "gw/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void
texts_match_or_not(void **unused)
{
	static const struct {
		enum gw_pattern pattern;
		const char *good, *bad;
	} rows[] = {
	    {GW_PATTERN_DURATION, "1h30m10s500ms", "1h1h1h1h1h"},
	    {GW_PATTERN_GROUP, "", "a..b"},
	    {GW_PATTERN_KIND, "HTTPRoute", "1a"},
	    {GW_PATTERN_NAME, "a-b.c", "a-.b"},
	    {GW_PATTERN_WILDCARD_HOSTNAME, "*.a.b", "*"},
	    {GW_PATTERN_HEADER_NAME, "x-`|~", "a b"},
	    {GW_PATTERN_HEADER_VALUE, "a b\tc", "a  b"},
	    {GW_PATTERN_PATH, "/%2e", "/%2"},
	    {GW_PATTERN_QUANTITY, "+1.5e-3", "1ki"},
	    {GW_PATTERN_SHA256,
	        "0123456789abcdef0123456789abcdef"
	        "0123456789abcdef0123456789abcdef",
	        "0123456789abcdef"},
	    {GW_PATTERN_GRPC_SERVICE, ".Foo.bar", "a."},
	    {GW_PATTERN_ONE_LINE, "caf\303\251", "a\nb"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(gw_pattern_matches(
		    rows[i].pattern, slice_from_string(rows[i].good)));
		assert_false(gw_pattern_matches(
		    rows[i].pattern, slice_from_string(rows[i].bad)));
	}
}

/* A label key's name has 63 characters at most; its prefix any number. */
static void
lengths_are_counted(void **unused)
{
	char key[200];

	(void)unused;
	memset(key, 'a', sizeof(key));
	for (size_t length = 1; length <= 70; length++)
		assert_int_equal(gw_pattern_matches(GW_PATTERN_LABEL_KEY,
		                     slice_make(key, length)),
		    length <= 63);
	key[100] = '/';
	for (size_t length = 102; length <= 170; length++)
		assert_int_equal(gw_pattern_matches(GW_PATTERN_LABEL_KEY,
		                     slice_make(key, length)),
		    length <= 101 + 63);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_match_or_not),
	    cmocka_unit_test(lengths_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
