/* Templates over JSON: values, what is done with them, and what is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cmd/cell.h"

static const char object[] =
    "{\"a\":\"x\",\"n\":5,\"r\":0.5,\"yes\":true,\"none\":null,\"empty\":\"\","
    "\"list\":[{\"name\":\"one\",\"port\":1,\"ok\":true,"
    "\"conditions\":[{\"type\":\"A\",\"status\":\"True\"}]},"
    "{\"name\":\"two\",\"ok\":false,"
    "\"conditions\":[{\"type\":\"A\",\"status\":\"False\"},"
    "{\"type\":\"B\",\"status\":\"True\"}]},{\"port\":4}],"
    "\"words\":[\"p\",\"q\"],\"labels\":{\"d\":\"\",\"a.b/c\":\"v\"},"
    "\"more\":{\"e\":1}}";

static const struct {
	const char *each, *format, *want;
} rows[] = {
    {"", "{a}", "x"},
    {"", "[{a}]", "[x]"},
    {"", "{n} {r} {yes}", "5 0.5 true"},
    {"", "{none}{empty}{nothing}{a.b.c}", ""},
    {"", "{nothing|some}", "some"},
    {"", "{empty|some}", "some"},
    {"", "{a|some}", "x"},
    {"", "{words}", "p,q"},
    {"", "{list.name}", "one,two"},
    {"", "{list.name,words}", "one,two,p,q"},
    {"", "{list[name=two].conditions.type}", "A,B"},
    {"", "{list[name!=two].port}", "1,4"},
    {"", "{list[ok!=false].port}", "1,4"},
    {"", "{#list[conditions[type=A].status=True]}/{#list}", "1/3"},
    {"", "{+list.port}", "5"},
    {"", "{%labels}", "2"},
    {"", "{%labels,more}", "3"},
    {"", "{@labels}", "a.b/c=v,d="},
    {"", "{@more|none}", "e=1"},
    {"", "{@nothing|none}", "none"},
    {"", "{labels['a.b/c']}", "v"},
    {"", "{a/}{:n}{:nothing}{nothing/}", "x/:5"},
    {"list", "{name|?}{:port}", "one:1,two,?:4"},
    {"nothing", "{name}", ""},
    {"words", "x", "x,x"},
};

static void
test_cells(void **state)
{
	json_t *value = json_loads(object, 0, NULL);

	(void)state;
	assert_non_null(value);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out;

		text_init(&out);
		cell_push_each(&out, value, rows[i].each, rows[i].format);
		if (!slice_equal(
		        text_slice(&out), slice_from_string(rows[i].want)))
			fail_msg("%s of '%s': %.*s, not %s", rows[i].format,
			    rows[i].each, SLICE_ARGS(text_slice(&out)),
			    rows[i].want);
		text_fini(&out);
	}
	json_decref(value);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
