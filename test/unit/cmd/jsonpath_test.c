/* Templates as kubectl's users write them: what they print, and what is said of
 * malformed ones. Then the columns that are made of paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cmd/get_columns.h"

static const char object[] =
    "{\"kind\":\"List\",\"n\":5,\"r\":0.5,\"yes\":true,\"none\":null,"
    "\"metadata\":{\"name\":\"web\",\"labels\":{\"a.b/c\":\"v\",\"d\":\"w\"}},"
    "\"items\":[{\"name\":\"one\",\"port\":80,\"conditions\":"
    "[{\"type\":\"Accepted\",\"status\":\"True\"},{\"type\":\"Programmed\","
    "\"status\":\"False\"}]},{\"name\":\"two\",\"port\":443,\"conditions\":"
    "[{\"type\":\"Accepted\",\"status\":\"False\"}]},{\"name\":\"three\"}]}";

/* wrong: want is the beginning of why. */
static const struct {
	const char *template, *want;
	bool wrong;
} rows[] = {
    {"", ""},
    {"text", "text"},
    {"\\n{.kind}}", "\\nList}"},
    {"{.metadata.name}", "web"},
    {"{metadata.name}", "web"},
    {"{$.metadata.name}{@.n}", "web5"},
    {"{ .metadata.name }", "web"},
    {"{.n} {.r} {.yes} {.none}{.nothing}{.n.x}", "5 0.5 true "},
    {"{.metadata.labels}", "{\"a.b/c\":\"v\",\"d\":\"w\"}"},
    {"{.metadata.labels.a\\.b/c}", "v"},
    {"{.metadata.labels['a.b/c']}", "v"},
    {"{['metadata']['name']}", "web"},
    {"{.metadata.labels.*}", "v w"},
    {"{.items[*].name}", "one two three"},
    {"{.items.name}", ""},
    {"{.items[0].name} {.items[-1].name} {.items[3]}", "one three "},
    {"{.items[-4].name}", ""},
    {"{.items[1:].name}|{.items[:2].name}|{.items[-2:-1].name}",
        "two three|one two|two"},
    {"{.items[?(@.name==\"two\")].port}", "443"},
    {"{.items[?(@.name!='two')].name}", "one three"},
    {"{.items[?(@.port>=443)].name}|{.items[?(@.port<443)].name}", "two|one"},
    {"{.items[?( @.port )].name}", "one two"},
    {"{.items[?(@.name<'p')].name}", "one"},
    {"{.items[?(@.port==\"80\")].name}", ""},
    {"{.items[?(@.conditions[?(@.type==\"Programmed\")].status==\"False\")]"
     ".name}",
        "one"},
    {"{.items[*].conditions[?(@.type==\"Accepted\")].status}", "True False"},
    {"{range .items[*]}{.name}{\"\\t\"}{.port}{\"\\n\"}{end}",
        "one\t80\ntwo\t443\nthree\t\n"},
    {"{range .items[*]}{@.name}:{range .conditions[*]}{.type},{end}"
     "{$.n};{end}.",
        "one:Accepted,Programmed,5;two:Accepted,5;three:5;."},
    {"{range .nothing[*]}{.name}{end}", ""},
    {"{'a\\'b\\\\'}", "a'b\\"},
    {"{.}", NULL},
    {"{", "a member's name is wanted, at character 2", true},
    {"{}", "a member's name is wanted, at character 2", true},
    {"{.a", "'.', '[' or '}' is wanted, at character 4", true},
    {"{.a b}", "'.', '[' or '}' is wanted, at character 5", true},
    {"{..a}", "'..' is not known here, at character 3", true},
    {"{.a[]}", "in brackets there is", true},
    {"{.a[x]}", "in brackets there is", true},
    {"{.a[1}", "']' is wanted, at character 6", true},
    {"{.a[-]}", "a number is wanted", true},
    {"{.a[99999999999]}", "a number is wanted", true},
    {"{.a['b}", "a quote is not closed", true},
    {"{.a[?(.b)]}", "a filter begins with '@'", true},
    {"{.a[?(@.b=1)]}", "one of == != < <= > >= and a value, or ')]'", true},
    {"{.a[?(@.b==x)]}", "a \"text\", a number, true or false", true},
    {"{.a[?(@.b==[1])]}", "a \"text\", a number, true or false", true},
    {"{.a[?(@[?(@[?(@[?(@[?(@)])])])])]}", "there are too many filters", true},
    {"{range .a}", "a {range} has no {end}", true},
    {"{end}", "{end} ends no {range}", true},
    {"{range .a}{range .a}{range .a}{range .a}{range .a}{range .a}{range .a}"
     "{range .a}{range .a}",
        "there are too many ranges", true},
};

static void
test_templates(void **state)
{
	json_t *value = json_loads(object, 0, NULL);

	(void)state;
	assert_non_null(value);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out, why;

		text_init(&out);
		text_init(&why);
		struct jsonpath *path =
		    jsonpath_new(slice_from_string(rows[i].template), &why);

		if ((path == NULL) != rows[i].wrong)
			fail_msg("%s: %.*s", rows[i].template,
			    SLICE_ARGS(text_slice(&why)));
		if (path)
			jsonpath_push(&out, path, value);
		struct slice got = text_slice(path ? &out : &why);

		if (rows[i].want &&
		    !(path ? slice_equal(got, slice_from_string(rows[i].want))
		           : slice_starts_with(
		                 got, slice_from_string(rows[i].want))))
			fail_msg("%s: \"%.*s\", not \"%s\"", rows[i].template,
			    SLICE_ARGS(got), rows[i].want);
		jsonpath_free(&path);
		text_fini(&out);
		text_fini(&why);
	}
	json_decref(value);
}

/* Steps, parts and bytes are bounded. */
static void
test_limits(void **state)
{
	static const char *const pieces[] = {".a", "}{", "x"};
	static const char *const said[] = {
	    "too many steps", "too many parts", "it is too long"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct text template, why;

		text_init(&template);
		text_init(&why);
		text_push_byte(&template, '{');
		for (unsigned k = 0; k < (i == 2 ? 5000u : 300u); k++)
			text_printf(
			    &template, "%s%s", i == 1 ? ".a" : "", pieces[i]);
		assert_null(jsonpath_new(text_slice(&template), &why));
		text_push_byte(&why, '\0');
		assert_non_null(strstr(why.data, said[i]));
		text_fini(&template);
		text_fini(&why);
	}
}

static const struct {
	const char *list, *want;
	bool wrong;
} lists[] = {
    {"NAME:.name,PORT:.port",
        "NAME   PORT\none    80\ntwo    443\nthree  <none>\n"},
    {"N:name,OK:{.conditions[?(@.type==\"Accepted\")].status},T:"
     ".conditions[*].type",
        "N      OK      T\none    True    Accepted,Programmed\n"
        "two    False   Accepted\nthree  <none>  <none>\n"},
    {"A:.conditions[?(@.type==\"a,b\")].status", "A\n<none>\n<none>\n<none>\n"},
    {"", "TITLE:PATH,... is wanted", true},
    {"NAME", "column 1: TITLE:PATH is wanted, not \"NAME\"", true},
    {"N:.name,:x", "column 2: TITLE:PATH is wanted, not \":x\"", true},
    {"N:.name,,", "column 2: TITLE:PATH is wanted, not \"\"", true},
    {"N:.name,P:.port[", "column P: in brackets there is", true},
    {"N:.a b", "column N: '.', '[' or the end is wanted, at character 3", true},
};

static void
test_columns(void **state)
{
	json_t *value = json_loads(object, 0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct get_columns columns;
		struct text out, why;

		text_init(&out);
		text_init(&why);
		bool ok = get_columns_init(
		    &columns, slice_from_string(lists[i].list), &why);

		if (ok == lists[i].wrong)
			fail_msg("%s: %.*s", lists[i].list,
			    SLICE_ARGS(text_slice(&why)));
		if (ok)
			get_columns_print(
			    &out, &columns, json_object_get(value, "items"));
		if (!slice_starts_with(text_slice(ok ? &out : &why),
		        slice_from_string(lists[i].want)))
			fail_msg("%s: %.*s", lists[i].list,
			    SLICE_ARGS(text_slice(ok ? &out : &why)));
		get_columns_fini(&columns);
		text_fini(&out);
		text_fini(&why);
	}
	json_decref(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_templates),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
