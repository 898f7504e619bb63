/* Label selectors: what they take, what they leave, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cmd/selector.h"

enum { NO, YES, NONE };

static const struct {
	const char *selector;
	int want;
} rows[] = {
    {"", YES},
    {"app=web", YES},
    {"app==web", YES},
    {"app = web", YES},
    {"app=other", NO},
    {"app!=other", YES},
    {"app!=web", NO},
    {"nothing!=web", YES},
    {"app", YES},
    {"!app", NO},
    {"nothing", NO},
    {"!nothing", YES},
    {"empty=", YES},
    {"empty", YES},
    {"app in (web,api)", YES},
    {"app in ( web , api )", YES},
    {"app in(web)", YES},
    {"app in (api)", NO},
    {"app notin (api)", YES},
    {"app notin (web)", NO},
    {"nothing notin (web)", YES},
    {"nothing in (web)", NO},
    {"example.com/tier=front", YES},
    {"app=web,example.com/tier=front", YES},
    {"app=web, example.com/tier=back", NO},
    {"app=other,!app", NO},
    {"app=", NO},
    {"=web", NONE},
    {"app=a b", NONE},
    {"app=web,-=x", NONE},
    {"app web", NONE},
    {"app in web", NONE},
    {"app in (web", NONE},
    {"app in (web) x", NONE},
    {"!", NONE},
    {"app>1", NONE},
    {"app=other,app in", NONE},
};

static void
test_selectors(void **state)
{
	json_t *labels = json_loads(
	    "{\"app\":\"web\",\"empty\":\"\",\"example.com/tier\":\"front\"}",
	    0, NULL);

	(void)state;
	assert_non_null(labels);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool valid;
		int got = selector_matches(
		    slice_from_string(rows[i].selector), labels, &valid);

		if ((valid ? got : NONE) != rows[i].want)
			fail_msg("%s: %d, not %d", rows[i].selector,
			    valid ? got : NONE, rows[i].want);
	}
	json_decref(labels);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_selectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
