/* Patterns: that a whole text is matched, RE2's usual words, what is refused,
 * that one text is compiled once, and that runaways end and are counted. */
#include "snap/pattern_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/memory.h"

static const struct {
	const char *pattern, *fits, *differs; /* NULL: none */
} cases[] = {
    {"/a", "/a", "/a/"},
    {"/a", NULL, "x/a"},
    {"/a|/ab", "/ab", "/abb"},
    {"a|b", "b", "ab"},
    {"", "", "a"},
    {".*", "", "a\nb"},
    {"(?s).*", "a\nb", NULL},
    {"^/a$", "/a", "/a\n"},
    {"/api/v[0-9]+/.*", "/api/v12/x/y", "/api/vx/y"},
    {"(?i)/A", "/a", "/b"},
    {"/A", NULL, "/a"},
    {"\\d{2,3}", "123", "1"},
    {"[[:alpha:]]+", "ab", "a1"},
    {"\\Qa.b\\E", "a.b", "axb"},
    {"(?P<name>a)+", "aa", "b"},
    {"\\x2fa", "/a", "a"},
    {"\\pL", "\xc3\xbc", "1"},
    {"[\xc3\xbc\xc3\xb6].", "\xc3\xb6\xc3\xbc", "\xc3\xc3"},
    {".", "\xc3\xbc", "\xc3"}, /* what is no UTF-8 fits nothing */
    {".*", NULL, "a\xff"},
    {"/(?:a|b|c|d|/)*", "/a/b/c/d", "/e"},
};

static struct slice
text(const char *string)
{
	return slice_from_string(string);
}

static void
test_cases(void **state)
{
	struct snap_matcher *matcher = snap_matcher_new(NULL, NULL);
	struct snap_patterns patterns;
	uint32_t tries = 0;

	(void)state;
	snap_patterns_init(&patterns);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snap_pattern *pattern;

		assert_int_equal(snap_pattern_ref(&patterns,
		                     text(cases[i].pattern), &pattern),
		    ERROR_OK);
		if (cases[i].fits &&
		    !snap_pattern_fits(
		        pattern, text(cases[i].fits), matcher, &tries))
			fail_msg("%s does not fit %s", cases[i].pattern,
			    cases[i].fits);
		if (cases[i].differs &&
		    snap_pattern_fits(
		        pattern, text(cases[i].differs), matcher, &tries))
			fail_msg(
			    "%s fits %s", cases[i].pattern, cases[i].differs);
		snap_pattern_unref(&patterns, pattern);
	}
	assert_true(tries < LIMIT_VALUE_PATTERN_TRIES);
	assert_int_equal(patterns.by_text.count, 0);
	snap_patterns_fini(&patterns);
	snap_matcher_free(&matcher);
	assert_null(matcher);
	snap_matcher_free(&matcher);
}

/* An empty text may be absent. */
static void
test_absent(void **state)
{
	struct snap_matcher *matcher = snap_matcher_new(NULL, NULL);
	struct snap_patterns patterns;
	struct snap_pattern *pattern;
	uint32_t tries = 0;

	(void)state;
	snap_patterns_init(&patterns);
	assert_int_equal(
	    snap_pattern_ref(&patterns, SLICE_NONE, &pattern), ERROR_OK);
	assert_true(snap_pattern_fits(pattern, SLICE_NONE, matcher, &tries));
	/* left to fini */
	snap_patterns_fini(&patterns);
	snap_matcher_free(&matcher);
}

static void
test_faults(void **state)
{
	static const char *const bad[] = {
	    "(", "[a", "a{2,1}", "*a", "(?<=a*)b", "\\C", "\xff", "a(?P<", ")"};
	char *large = memory_zero(LIMIT_VALUE_PATTERN_TEXT_BYTES + 2, 1);
	struct snap_patterns patterns;
	struct snap_pattern *pattern = NULL;
	struct text fault;

	(void)state;
	text_init(&fault);
	snap_patterns_init(&patterns);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text_reset(&fault);
		assert_int_equal(
		    snap_pattern_check(text(bad[i]), &fault), ERROR_INVALID);
		assert_true(fault.length > 0);
		assert_int_equal(
		    snap_pattern_ref(&patterns, text(bad[i]), &pattern),
		    ERROR_INVALID);
		assert_null(pattern);
	}
	text_reset(&fault);
	assert_int_equal(
	    snap_pattern_check(SLICE("/a(b"), &fault), ERROR_INVALID);
	assert_string_equal(
	    fault.data, "missing closing parenthesis, at byte 4");
	text_reset(&fault);
	assert_int_equal(snap_pattern_check(SLICE("a+"), &fault), ERROR_OK);
	assert_int_equal(fault.length, 0);
	memset(large, 'a', LIMIT_VALUE_PATTERN_TEXT_BYTES + 1);
	assert_int_equal(snap_pattern_check(text(large), &fault), ERROR_LIMIT);
	assert_int_equal(
	    snap_pattern_ref(&patterns, text(large), &pattern), ERROR_LIMIT);
	large[LIMIT_VALUE_PATTERN_TEXT_BYTES] = '\0';
	assert_int_equal(snap_pattern_check(text(large), &fault), ERROR_OK);
	snap_patterns_fini(&patterns);
	text_fini(&fault);
	memory_free(large);
}

static void
test_shared(void **state)
{
	struct snap_patterns patterns;
	struct snap_pattern *first, *second, *other;

	(void)state;
	snap_patterns_init(&patterns);
	assert_int_equal(
	    snap_pattern_ref(&patterns, SLICE("a+"), &first), ERROR_OK);
	assert_int_equal(
	    snap_pattern_ref(&patterns, SLICE("a+"), &second), ERROR_OK);
	assert_int_equal(
	    snap_pattern_ref(&patterns, SLICE("a*"), &other), ERROR_OK);
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, other);
	assert_int_equal(patterns.by_text.count, 2);
	snap_pattern_unref(&patterns, first);
	assert_int_equal(patterns.by_text.count, 2);
	snap_pattern_unref(&patterns, second);
	assert_int_equal(patterns.by_text.count, 1);
	snap_pattern_unref(&patterns, other);
	assert_int_equal(patterns.by_text.count, 0);
	snap_patterns_fini(&patterns);
}

static void
count_limit(void *context, enum limit limit)
{
	unsigned *counts = context;

	counts[limit]++;
}

/* A nested repetition takes time without end; of one request it may a few
 * times, then nothing is tried any more. */
static void
test_limits(void **state)
{
	unsigned counts[LIMIT__COUNT] = {0};
	struct snap_matcher *matcher = snap_matcher_new(count_limit, counts);
	struct snap_patterns patterns;
	struct snap_pattern *runaway, *plain;
	struct text subject;
	uint32_t tries = 0;

	(void)state;
	text_init(&subject);
	for (unsigned i = 0; i < 60; i++)
		text_push_byte(&subject, 'a');
	text_push_byte(&subject, 'c');
	snap_patterns_init(&patterns);
	assert_int_equal(snap_pattern_ref(&patterns,
	                     SLICE("(a|aa)+[bd]?c[xy]?z|.*q"), &runaway),
	    ERROR_OK);
	assert_int_equal(
	    snap_pattern_ref(&patterns, SLICE("a"), &plain), ERROR_OK);
	assert_true(snap_pattern_fits(plain, SLICE("a"), matcher, &tries));
	assert_int_equal(tries, 1);
	text_push_string(&subject, "zq!");
	for (unsigned i = 0; i < 10; i++)
		assert_false(snap_pattern_fits(
		    runaway, text_slice(&subject), matcher, &tries));
	assert_int_equal(counts[LIMIT_PATTERN_STEPS], 10);
	assert_int_equal(counts[LIMIT_PATTERN_TRIES], 0);
	assert_false(snap_pattern_fits(plain, SLICE("a"), matcher, &tries));
	assert_int_equal(counts[LIMIT_PATTERN_TRIES], 1);
	/* the next request */
	tries = 0;
	assert_true(snap_pattern_fits(plain, SLICE("a"), matcher, &tries));
	snap_patterns_fini(&patterns);
	text_fini(&subject);
	snap_matcher_free(&matcher);
}

/* What costs memory. */
static void
test_memory(void **state)
{
	unsigned counts[LIMIT__COUNT] = {0};
	struct snap_matcher *matcher = snap_matcher_new(count_limit, counts);
	size_t length = 16 * 1024 * 1024;
	char *subject = memory_alloc(length);
	struct snap_patterns patterns;
	struct snap_pattern *pattern;
	uint32_t tries = 0;

	(void)state;
	memset(subject, 'a', length);
	snap_patterns_init(&patterns);
	assert_int_equal(
	    snap_pattern_ref(&patterns, SLICE("(?:a|b)*"), &pattern), ERROR_OK);
	/* as long a path as a request may have */
	assert_true(snap_pattern_fits(pattern,
	    slice_make(subject, LIMIT_VALUE_REQUEST_TARGET_BYTES), matcher,
	    &tries));
	assert_int_equal(tries, 1);
	assert_false(snap_pattern_fits(
	    pattern, slice_make(subject, length), matcher, &tries));
	assert_int_equal(
	    counts[LIMIT_PATTERN_BYTES] + counts[LIMIT_PATTERN_STEPS], 1);
	snap_patterns_fini(&patterns);
	memory_free(subject);
	snap_matcher_free(&matcher);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_absent),
	    cmocka_unit_test(test_faults),
	    cmocka_unit_test(test_shared),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
