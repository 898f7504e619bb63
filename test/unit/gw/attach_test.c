/* Selectors; the rest of attachment is held by golden cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gw/state_priv.h"

#define TEXTS_OF(...) \
	(struct slice[]){__VA_ARGS__}, \
	    sizeof((struct slice[]){__VA_ARGS__}) / sizeof(struct slice)

static bool
selects(const char *operator, const char * key, struct slice *values,
    uint32_t count, const struct gw_metadata *metadata)
{
	struct gw_label_expression expression = {
	    .key = slice_from_string(key),
	    .operator= slice_from_string(operator),
	    .values = values,
	    .values_count = count,
	};
	const struct gw_label_selector selector = {
	    .match_expressions = &expression, .match_expressions_count = 1};

	return gw_selector_matches(&selector, metadata, SLICE("space"));
}

static void
expressions(void **unused)
{
	struct record_pair labels[] = {{SLICE("team"), SLICE("a")}};
	const struct gw_metadata metadata = {
	    .labels = labels, .labels_count = 1};
	const char *name = "kubernetes.io/metadata.name";

	(void)unused;
	assert_true(
	    selects("In", "team", TEXTS_OF(SLICE("b"), SLICE("a")), &metadata));
	assert_false(selects("In", "team", TEXTS_OF(SLICE("b")), &metadata));
	assert_false(selects("In", "other", TEXTS_OF(SLICE("a")), &metadata));
	assert_false(selects("NotIn", "team", TEXTS_OF(SLICE("a")), &metadata));
	assert_true(selects("NotIn", "team", TEXTS_OF(SLICE("b")), &metadata));
	assert_true(selects("NotIn", "other", TEXTS_OF(SLICE("a")), &metadata));
	assert_true(selects("Exists", "team", NULL, 0, &metadata));
	assert_false(selects("Exists", "other", NULL, 0, &metadata));
	assert_false(selects("DoesNotExist", "team", NULL, 0, &metadata));
	assert_true(selects("DoesNotExist", "other", NULL, 0, &metadata));
	/* the name is a label, also where there is no object */
	assert_true(selects("In", name, TEXTS_OF(SLICE("space")), &metadata));
	assert_true(selects("In", name, TEXTS_OF(SLICE("space")), NULL));
	assert_false(selects("Exists", "team", NULL, 0, NULL));
}

static void
labels_all_hold(void **unused)
{
	struct record_pair labels[] = {
	    {SLICE("a"), SLICE("1")}, {SLICE("b"), SLICE("2")}};
	struct record_pair wanted[] = {
	    {SLICE("b"), SLICE("2")}, {SLICE("a"), SLICE("1")}};
	const struct gw_metadata metadata = {
	    .labels = labels, .labels_count = 2};
	struct gw_label_selector selector = {
	    .match_labels = wanted, .match_labels_count = 2};

	(void)unused;
	assert_true(gw_selector_matches(&selector, &metadata, SLICE("n")));
	wanted[0].value = SLICE("3");
	assert_false(gw_selector_matches(&selector, &metadata, SLICE("n")));
	selector.match_labels_count = 0;
	assert_true(gw_selector_matches(&selector, &metadata, SLICE("n")));
	/* no selector is not an empty one */
	assert_false(gw_selector_matches(NULL, &metadata, SLICE("n")));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(expressions),
	    cmocka_unit_test(labels_all_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
