/* Trees from YAML and JSON: what is read, where it stands, what is refused. */
#include "wire/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/limit.h"
#include "core/memory.h"

/* A tree in one line: {key: value}, [item], text as 'text', reals as written.
 */
static void
print_tree(struct text *out, const struct tree_node *node)
{
	switch (node->kind) {
	case TREE_NULL:
		text_push_string(out, "null");
		break;
	case TREE_BOOL:
		text_push_string(out, node->integer ? "true" : "false");
		break;
	case TREE_INTEGER:
		text_printf(out, "%lld", (long long)node->integer);
		break;
	case TREE_REAL:
		text_printf(out, "r%.*s", SLICE_ARGS(node->text));
		break;
	case TREE_TEXT:
		text_printf(out, "'%.*s'", SLICE_ARGS(node->text));
		break;
	case TREE_LIST:
	case TREE_MAP:
		text_push_byte(out, node->kind == TREE_MAP ? '{' : '[');
		uint32_t count = 0;
		for (struct tree_node *at = node->child; at; at = at->next) {
			if (count++ > 0)
				text_push_string(out, ", ");
			if (node->kind == TREE_MAP)
				text_printf(out, "%.*s: ", SLICE_ARGS(at->key));
			print_tree(out, at);
		}
		assert_int_equal(count, node->count);
		text_push_byte(out, node->kind == TREE_MAP ? '}' : ']');
		break;
	}
}

static bool
on_document(void *context, struct tree_node *root)
{
	struct text *out = context;
	if (out->length > 0)
		text_push_string(out, " | ");
	print_tree(out, root);
	return true;
}

static enum error
parse(const char *input, size_t length, struct text *out,
    struct tree_fault *fault)
{
	struct arena arena;
	arena_init(&arena, 1024);
	/* A copy without a NUL after it, so that a read past the end is seen.
	 */
	char *bytes = memory_alloc(length + 1);
	memcpy(bytes, input, length);
	bytes = memory_resize(bytes, length ? length : 1, 1);
	enum error error = wire_tree_parse(
	    slice_make(bytes, length), &arena, on_document, out, fault);
	memory_free(bytes);
	arena_fini(&arena);
	return error;
}

static void
parse_reads(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"", ""},
	    {"# nothing\n---\n---\n...\n", ""},
	    {"---\nnull\n---\n~\n", ""},
	    {"a: 1\nb:\n- x\n- z\n", "{a: 1, b: ['x', 'z']}"},
	    {"a: 1\n---\nb: 2\n", "{a: 1} | {b: 2}"},
	    {"{\"a\":{\"b\":[1,true,null,\"x\\u00e9\\/\"]}}",
	        "{a: {b: [1, true, null, 'xé/']}}"},
	    {"{\n\t\"a\":\t1\n}\n", "{a: 1}"},
	    /* JSON by its own rules, documents one after another */
	    {" {\"a\":[]}\n{\"\\ud83d\\ude00\":\"\\ud83d\\u0041\\n\"} ",
	        "{a: []} | {😀: '\ufffdA\n'}"},
	    {"{\"a\":-0,\"b\":1e3,\"c\":1.5E-1,\"d\":99999999999999999999,"
	     "\"e\":1e400}",
	        "{a: 0, b: 1000, c: r1.5E-1, d: r99999999999999999999, "
	        "e: r1e400}"},
	    /* and what only looks like it */
	    {"{a: 1, \"b\": 010}", "{a: 1, b: 8}"},
	    {"{\"a\": 1,}", "{a: 1}"},
	    {"{\"a\": 1}\n---\nb: 2\n", "{a: 1} | {b: 2}"},
	    {"\xef\xbb\xbf"
	     "a: 1\n",
	        "{a: 1}"},
	    {"a: 1\r\nb: 2\r\n", "{a: 1, b: 2}"},
	    {"a: |\n  one\n  two\n", "{a: 'one\ntwo\n'}"},
	    {"a: >-\n  one\n  two\n", "{a: 'one two'}"},
	    {"a:\nb: \"\"\n", "{a: null, b: ''}"},
	    {"a: {}\nb: []\n", "{a: {}, b: []}"},
	    {"scalar", "'scalar'"},
	    /* keys are text, as in JSON */
	    {"1: a\nyes: b\n1.5: c\n\"no\": d\n0x10: e\n",
	        "{1: 'a', true: 'b', 1.5: 'c', no: 'd', 16: 'e'}"},
	    /* anchors */
	    {"a: &x {b: 1}\nc: *x\n", "{a: {b: 1}, c: {b: 1}}"},
	    {"a: &x k\n*x : 1\n", "{a: 'k', k: 1}"},
	    {"a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: 2}"},
	    /* merge keys: what stands there wins, then the first map */
	    {"a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x\n",
	        "{a: {b: 1, c: 2}, d: {c: 3, b: 1}}"},
	    {"- &x {a: 1}\n- &y {a: 2, b: 2}\n- <<: [*x, *y]\n",
	        "[{a: 1}, {a: 2, b: 2}, {a: 1, b: 2}]"},
	    {"a:\n  <<: &x {b: 1, c: 2}\n  d: 4\ne: *x\n",
	        "{a: {d: 4, b: 1, c: 2}, e: {b: 1, c: 2}}"},
	    {"a: {\"<<\": 1}\n", "{a: {<<: 1}}"},
	    {"a: <<\n", "{a: '<<'}"},
	    /* tags that change nothing, and !!str */
	    {"a: !!str 5\nb: !!int 5\nc: !!map {}\nd: ! 5\ne: !!float 5\n",
	        "{a: '5', b: 5, c: {}, d: '5', e: 5}"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out;
		text_init(&out);
		struct tree_fault fault;
		enum error error =
		    parse(rows[i].in, strlen(rows[i].in), &out, &fault);
		if (error != ERROR_OK)
			fail_msg("%s: %u:%u %s", rows[i].in, fault.line,
			    fault.column, fault.text);
		assert_string_equal(out.data ? out.data : "", rows[i].out);
		text_fini(&out);
	}
}

/* Plain scalars as the YAML reader of Kubernetes resolves them. */
static void
parse_resolves_scalars(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
	    /* clang-format off */
	    {"true", "true"}, {"True", "true"}, {"TRUE", "true"},
	    {"tRue", "'tRue'"}, {"yes", "true"}, {"No", "false"},
	    {"on", "true"}, {"OFF", "false"}, {"y", "true"}, {"N", "false"},
	    {"yess", "'yess'"}, {"~", "null"}, {"null", "null"},
	    {"nulL", "'nulL'"}, {"0", "0"}, {"-0", "0"}, {"+7", "7"},
	    {"80", "80"}, {"-12", "-12"}, {"1_000", "1000"},
	    {"0x1F", "31"}, {"-0x10", "-16"}, {"0777", "511"},
	    {"0o17", "15"}, {"0b101", "5"}, {"-0b1", "-1"}, {"0x", "'0x'"},
	    {"0b2", "'0b2'"}, {"08", "8"}, {"0x1G", "'0x1G'"},
	    {"1e3", "1000"}, {"1E+2", "100"}, {"80.0", "80"}, {"1.", "1"},
	    {"1.50e1", "15"}, {"0e99999999", "0"}, {"1.5", "r1.5"},
	    {".5", "r.5"}, {"-.5", "r-.5"}, {"1e-1", "r1e-1"},
	    {"1e30", "r1e30"}, {"1e400", "'1e400'"}, {"-1e999", "'-1e999'"},
	    {"1e-400", "0"}, {"1e", "'1e'"}, {".", "'.'"}, {"+", "'+'"},
	    {"..5", "'..5'"}, {"._5", "'._5'"}, {"1.2.3", "'1.2.3'"},
	    {"10.0.0.1", "'10.0.0.1'"}, {"1:30", "'1:30'"}, {"1h", "'1h'"},
	    {"10s", "'10s'"}, {"2026-11-24", "'2026-11-24'"},
	    {"2026-11-24T04:05:06Z", "'2026-11-24T04:05:06Z'"},
	    {".inf", "r.inf"}, {"-.INF", "r-.INF"}, {"+.Inf", "r+.Inf"},
	    {".nan", "r.nan"}, {"-.nan", "'-.nan'"}, {".infx", "'.infx'"},
	    {"9223372036854775807", "9223372036854775807"},
	    {"9223372036854775808", "r9223372036854775808"},
	    {"-9223372036854775808", "-9223372036854775808"},
	    {"-9223372036854775809", "r-9223372036854775809"},
	    {"99999999999999999999999", "r99999999999999999999999"},
	    {"0xFFFFFFFFFFFFFFFFFF", "r0xFFFFFFFFFFFFFFFFFF"},
	    {"\"80\"", "'80'"}, {"'true'", "'true'"}, {"\"\"", "''"},
	    {"|\n  80\n", "'80\n'"},
	    /* clang-format on */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text in, out;
		text_init(&in);
		text_init(&out);
		text_printf(&in, "- %s", rows[i].in);
		struct tree_fault fault;
		assert_int_equal(
		    parse(in.data, in.length, &out, &fault), ERROR_OK);
		assert_int_equal(out.data[0], '[');
		out.data[out.length - 1] = '\0';
		assert_string_equal(out.data + 1, rows[i].out);
		text_fini(&in);
		text_fini(&out);
	}
}

static void
parse_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		enum error error;
		uint32_t line, column;
		const char *text; /* is part of the fault's */
		const char *before; /* documents that were delivered */
	} rows[] = {
	    {"a: 1\n\tb: 2\n", ERROR_INVALID, 2, 1, "a tab where", ""},
	    {"a:\n\tb: 2\n", ERROR_INVALID, 2, 1, "a tab where", ""},
	    {"a: 1\nb\nc: 2\n", ERROR_INVALID, 2, 1,
	        "could not find expected ':'", ""},
	    {"a: 1\n---\nb: [1\n", ERROR_INVALID, 4, 1, "',' or ']'", "{a: 1}"},
	    {"a: 1\n  b: 2\n", ERROR_INVALID, 2, 4,
	        "mapping values are not allowed", ""},
	    {"a: 1\na: 2\n", ERROR_INVALID, 2, 1,
	        "\"a\" comes twice in one map, first on line 1", ""},
	    {"x: {a: 1, b: 2, a: 3}\n", ERROR_INVALID, 1, 17,
	        "\"a\" comes twice", ""},
	    {"yes: 1\n\"true\": 2\n", ERROR_INVALID, 2, 1,
	        "\"true\" comes twice", ""},
	    {"a: \xff\n", ERROR_INVALID, 1, 4, "not UTF-8", ""},
	    {"\xc3\xa9: 1\nb: \x01\n", ERROR_INVALID, 2, 4,
	        "control characters", ""},
	    {"a: *x\n", ERROR_INVALID, 1, 4, "*x names no anchor", ""},
	    {"a: &x [*x]\n", ERROR_INVALID, 1, 8, "*x names no anchor", ""},
	    {"a: &x 1\n---\nb: *x\n", ERROR_INVALID, 3, 4, "*x names",
	        "{a: 1}"},
	    {"? [a]\n: 1\n", ERROR_INVALID, 1, 3, "not a list", ""},
	    {"? {a: 1}\n: 1\n", ERROR_INVALID, 1, 3, "not a list or a map", ""},
	    {"~: 1\n", ERROR_INVALID, 1, 1, "a key must be text", ""},
	    {"a: !!binary aGk=\n", ERROR_INVALID, 1, 4, "the tag ", ""},
	    {"a: !!int x\n", ERROR_INVALID, 1, 4, "the tag ", ""},
	    {"a: !thing {}\n", ERROR_INVALID, 1, 4, "the tag !thing", ""},
	    {"<<: 1\n", ERROR_INVALID, 1, 1, "wants a map", ""},
	    {"<<: [1]\n", ERROR_INVALID, 1, 1, "wants a map", ""},
	    {"<<: {}\n<<: {}\n", ERROR_INVALID, 2, 1, "comes twice", ""},
	    {"{\"a\": 1} {b: 2}", ERROR_INVALID, 1, 10, "expected", ""},
	    {"{\"a\": 1, \"b\": 2,\n \"a\": 3}", ERROR_INVALID, 2, 2,
	        "\"a\" comes twice in one map, first on line 1", ""},
	    {"{\"a\": \"\\ud83d\"", ERROR_INVALID, 1, 10, "escape", ""},
	    {"a: \"open\n", ERROR_INVALID, 2, 1, "unexpected end", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text out;
		text_init(&out);
		struct tree_fault fault;
		enum error error =
		    parse(rows[i].in, strlen(rows[i].in), &out, &fault);
		if (error != rows[i].error || fault.line != rows[i].line ||
		    fault.column != rows[i].column ||
		    strstr(fault.text, rows[i].text) == NULL)
			fail_msg("%s: %s %u:%u %s", rows[i].in,
			    error_text(error), fault.line, fault.column,
			    fault.text);
		if (rows[i].before[0] != '\0')
			assert_string_equal(
			    out.data ? out.data : "", rows[i].before);
		text_fini(&out);
	}
}

static struct tree_node *
find(const struct tree_node *root, const char *a, const char *b)
{
	return wire_tree_get(wire_tree_get(root, a), b);
}

static bool
check_places(void *context, struct tree_node *root)
{
	(void)context;
	struct tree_node *node = find(root, "metadata", "name");
	assert_int_equal(node->line, 4);
	assert_int_equal(node->column, 9);
	assert_int_equal(node->key_line, 4);
	assert_int_equal(node->key_column, 3);
	assert_int_equal(root->line, 2);
	node = wire_tree_get(root, "list");
	assert_int_equal(node->child->next->line, 7);
	assert_int_equal(node->child->next->column, 3);
	assert_null(wire_tree_get(root, "nam"));
	assert_null(wire_tree_get(node, "name"));
	return false;
}

static void
parse_tells_places(void **state)
{
	(void)state;
	static const char in[] = "---\nkind: X\nmetadata:\n  name: web\n"
	                         "list:\n- é: 1\n- two\n---\n[\n";
	struct arena arena;
	arena_init(&arena, 1024);
	struct tree_fault fault;
	/* The callback stops: what comes after is not looked at. */
	assert_int_equal(wire_tree_parse(slice_make(in, sizeof(in) - 1), &arena,
	                     check_places, NULL, &fault),
	    ERROR_OK);
	arena_fini(&arena);
}

/* A billion laughs, deep nests, and a map with very many keys. */
static void
parse_is_bounded(void **state)
{
	(void)state;
	struct text in, out;
	struct tree_fault fault;
	text_init(&in);
	text_init(&out);
	text_push_string(&in, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++) {
		text_printf(&in, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			text_printf(&in, "%s*a%d", j ? "," : "", i - 1);
		text_push_string(&in, "]\n");
	}
	assert_int_equal(parse(in.data, in.length, &out, &fault), ERROR_LIMIT);
	assert_non_null(strstr(fault.text, "nodes in one file"));

	text_reset(&in);
	for (int i = 0; i < LIMIT_VALUE_FILE_DEPTH + 1; i++)
		text_push_byte(&in, '[');
	assert_int_equal(parse(in.data, in.length, &out, &fault), ERROR_LIMIT);
	assert_int_equal(fault.column, LIMIT_VALUE_FILE_DEPTH + 1);

	text_reset(&in);
	for (int i = 0; i < 40; i++)
		text_push_byte(&in, '[');
	for (int i = 0; i < 40; i++)
		text_push_byte(&in, ']');
	struct text twice;
	text_init(&twice);
	text_printf(&twice,
	    "- &x %s\n- [[[[[[[[[[[[[[[[[[[[[[[[[[*x]]]]]]]]]]]"
	    "]]]]]]]]]]]]]]]\n",
	    in.data);
	assert_int_equal(
	    parse(twice.data, twice.length, &out, &fault), ERROR_LIMIT);
	text_fini(&twice);

	text_reset(&in);
	for (int i = 0; i < 50000; i++)
		text_printf(&in, "key%d: 1\n", i);
	text_reset(&out);
	assert_int_equal(parse(in.data, in.length, &out, &fault), ERROR_OK);
	text_push_string(&in, "key7: 2\n");
	assert_int_equal(
	    parse(in.data, in.length, &out, &fault), ERROR_INVALID);
	assert_int_equal(fault.line, 50001);
	assert_non_null(strstr(fault.text, "first on line 8"));
	text_fini(&in);
	text_fini(&out);
}

struct places {
	const char *path;
	unsigned line, column;
};

static bool
look_up(void *context, struct tree_node *root)
{
	static const struct places places[] = {
	    {"", 1, 1},
	    {"a", 1, 4},
	    {"b", 3, 1},
	    {"b[0]", 3, 3},
	    {"b[1]", 4, 3},
	    {"b[1].d", 4, 6},
	    {"b[1].d.e[1]", 5, 13},
	    /* What is not there has the place of what would hold it. */
	    {"c", 1, 1},
	    {"b[2]", 3, 1},
	    {"b[x]", 3, 1},
	    {"b[", 3, 1},
	    {"b[0].x.y", 3, 3},
	    {"a.x", 1, 4},
	    {"a[0]", 1, 4},
	    {"..", 1, 1},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const struct tree_node *at =
		    wire_tree_at(root, slice_from_string(places[i].path));

		if (at->line != places[i].line ||
		    at->column != places[i].column)
			fail_msg(
			    "%s: %u:%u", places[i].path, at->line, at->column);
	}
	*(bool *)context = true;
	return true;
}

static void
test_at(void **state)
{
	struct tree_fault fault;
	struct arena arena;
	bool seen = false;

	(void)state;
	arena_init(&arena, 1024);
	assert_int_equal(wire_tree_parse(SLICE("a: 1\n"
	                                       "b:\n"
	                                       "- c: 2\n"
	                                       "- d: {e:\n"
	                                       "    [0,     1]}\n"),
	                     &arena, look_up, &seen, &fault),
	    ERROR_OK);
	assert_true(seen);
	arena_fini(&arena);
}

static bool
look_into(void *context, struct tree_node *root)
{
	const struct tree_node *map = wire_tree_member(root, "map", TREE_MAP);

	assert_non_null(map);
	assert_null(wire_tree_member(root, "map", TREE_LIST));
	assert_null(wire_tree_member(NULL, "map", TREE_MAP));
	assert_null(wire_tree_member(
	    wire_tree_member(root, "list", TREE_LIST), "map", TREE_MAP));
	assert_true(slice_equal(wire_tree_text(map, "text"), SLICE("1")));
	assert_true(slice_is_set(wire_tree_text(map, "empty")));
	assert_false(slice_is_set(wire_tree_text(map, "number")));
	assert_false(slice_is_set(wire_tree_text(map, "none")));
	wire_tree_drop(root, "none");
	wire_tree_drop(wire_tree_get(root, "last"), "none");
	assert_int_equal(root->count, 3);
	wire_tree_drop(root, "list");
	assert_int_equal(root->count, 2);
	assert_null(wire_tree_get(root, "list"));
	wire_tree_drop(root, "last");
	wire_tree_drop(root, "map");
	assert_int_equal(root->count, 0);
	assert_null(root->child);
	*(bool *)context = true;
	return true;
}

static void
test_look(void **state)
{
	struct tree_fault fault;
	struct arena arena;
	bool seen = false;

	(void)state;
	arena_init(&arena, 1024);
	assert_int_equal(
	    wire_tree_parse(SLICE("map: {text: '1', empty: '', number: 1}\n"
	                          "list: [{map: {}}]\n"
	                          "last: 1\n"),
	        &arena, look_into, &seen, &fault),
	    ERROR_OK);
	assert_true(seen);
	arena_fini(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_reads),
	    cmocka_unit_test(parse_resolves_scalars),
	    cmocka_unit_test(parse_refuses),
	    cmocka_unit_test(parse_tells_places),
	    cmocka_unit_test(parse_is_bounded),
	    cmocka_unit_test(test_at),
	    cmocka_unit_test(test_look),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
