/* Trees as JSON: what YAML has more of, and what must be escaped. */
#include "wire/tree_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *yaml, *want;
} rows[] = {
    {"{}", "{}"},
    {"[]", "[]"},
    {"{a: [], b: {}}", "{\"a\":[],\"b\":{}}"},
    {"{b: 1, a: -2}", "{\"b\":1,\"a\":-2}"},
    {"[yes, null, ~, \"yes\", 0x10, 017]", "[true,null,null,\"yes\",16,15]"},
    {"[1.5, -0.25, 1.25e-3, 1.0E-2]", "[1.5,-0.25,1.25e-3,1.0E-2]"},
    {"[.5, +1.5, .inf, -.INF, .nan]",
        "[\".5\",\"+1.5\",\".inf\",\"-.INF\",\".nan\"]"},
    {"{\"a\\\"b\": \"x\\ny\"}", "{\"a\\\"b\":\"x\\ny\"}"},
    {"- a: {b: [1, {c: d}]}\n- 2", "[{\"a\":{\"b\":[1,{\"c\":\"d\"}]}},2]"},
};

static bool
on_document(void *context, struct tree_node *root)
{
	wire_tree_json(context, root);
	return true;
}

static void
test_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tree_fault fault;
		struct arena arena;
		struct text out;

		text_init(&out);
		arena_init(&arena, 1024);
		if (wire_tree_parse(slice_from_string(rows[i].yaml), &arena,
		        on_document, &out, &fault) != ERROR_OK)
			fail_msg("%s: %s", rows[i].yaml, fault.text);
		assert_string_equal(out.data, rows[i].want);
		arena_fini(&arena);
		text_fini(&out);
	}
}

static void
test_from_json(void **state)
{
	static const struct {
		const char *json, *want; /* NULL: it is none */
	} read[] = {
	    {"{\"b\":[1,-2,true,null,\"x\\u0000y\"],\"a\":{}}",
	        "{\"b\":[1,-2,true,null,\"x\\u0000y\"],\"a\":{}}"},
	    {" 1.5 ", "1.5"},
	    {"{\"a\":1,\"a\":2}", NULL},
	    {"{a: 1}", NULL},
	    {"{} {}", NULL},
	    {"", NULL},
	};
	struct arena arena;
	struct text out;

	(void)state;
	text_init(&out);
	arena_init(&arena, 1024);
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
		const struct tree_node *tree = wire_tree_from_json(
		    slice_from_string(read[i].json), &arena);

		assert_int_equal(tree != NULL, read[i].want != NULL);
		text_reset(&out);
		if (tree == NULL)
			continue;
		wire_tree_json(&out, tree);
		assert_string_equal(out.data, read[i].want);
	}
	/* As deep as may be, and one deeper. */
	for (unsigned depth = 64; depth <= 65; depth++) {
		text_reset(&out);
		for (unsigned i = 0; i < depth; i++)
			text_push_byte(&out, '[');
		for (unsigned i = 0; i < depth; i++)
			text_push_byte(&out, ']');
		assert_int_equal(
		    wire_tree_from_json(text_slice(&out), &arena) != NULL,
		    depth == 64);
	}
	text_fini(&out);
	arena_fini(&arena);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trees),
	    cmocka_unit_test(test_from_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
