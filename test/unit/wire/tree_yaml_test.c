/* Trees as YAML: the form, and that reading what was written gives the same. */
#include "wire/tree_yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/memory.h"

static bool
on_document(void *context, struct tree_node *root)
{
	wire_tree_yaml(context, root);
	return true;
}

static void
write_tree(struct slice bytes, struct text *out)
{
	struct tree_fault fault;
	struct arena arena;

	arena_init(&arena, 4096);
	assert_int_equal(
	    wire_tree_parse(bytes, &arena, on_document, out, &fault), ERROR_OK);
	arena_fini(&arena);
}

static const struct {
	const char *name, *in, *out;
} cases[] = {
    {"a scalar", "7", "7\n"},
    {"maps and lists nest", "{a: {b: [1, [2, {c: d, e: []}]], f: {}}, g: null}",
        "a:\n  b:\n  - 1\n  - - 2\n    - c: d\n      e: []\n  f: {}\n"
        "g: null\n"},
    {"texts that read as something else",
        "[\"1\", 'true', \"No\", 'null', \"\", '~', '-', 'a: b', '#', '1e3']",
        "- \"1\"\n- \"true\"\n- \"No\"\n- \"null\"\n- \"\"\n- \"~\"\n"
        "- \"-\"\n- \"a: b\"\n- \"#\"\n- \"1e3\"\n"},
    {"texts that do not", "[a, /b/c, a.b_c-1, Nope]",
        "- a\n- /b/c\n- a.b_c-1\n- Nope\n"},
    {"keys are texts too", "{\"1\": 1, 'a b': 2, \"yes\": 3}",
        "\"1\": 1\n\"a b\": 2\n\"yes\": 3\n"},
    {"numbers and truth", "[true, false, -3, 1.50, 1e3]",
        "- true\n- false\n- -3\n- 1.50\n- 1000\n"},
    {"what YAML does not take as it is",
        "[\"\\n\\t\\\"\\\\\", \"\\u2028\", \"\\x7f\\x85\\uFEFF\", "
        "\"\xc3\xa9\"]",
        "- \"\\n\\t\\\"\\\\\"\n- \"\\u2028\"\n- \"\\u007f\\x85\\uFEFF\"\n"
        "- \"\xc3\xa9\"\n"},
};

static void
test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text once, twice;

		text_init(&once);
		text_init(&twice);
		write_tree(slice_from_string(cases[i].in), &once);
		write_tree(text_slice(&once), &twice);
		text_push_byte(&once, '\0');
		text_push_byte(&twice, '\0');
		assert_string_equal(once.data, cases[i].out);
		assert_string_equal(twice.data, once.data);
		text_fini(&twice);
		text_fini(&once);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests_name("tree_yaml", tests, NULL, NULL);
}
