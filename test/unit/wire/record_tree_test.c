/* Records from YAML: values and defaults; and printed again as JSON and YAML.
 */
#include "wire/record_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "record_sample.h"

#define RECORD_FILE "record_sample.def"
#include "core/record_tables.h"
#undef RECORD_FILE

struct decoding {
	struct arena arena;
	const struct sample *sample;
};

static bool
on_document(void *context, struct tree_node *root)
{
	struct decoding *decoding = context;
	decoding->sample =
	    wire_record_from_tree(root, &sample_type, &decoding->arena, NULL);
	return false;
}

static void
decode(struct decoding *decoding, const char *yaml)
{
	*decoding = (struct decoding){0};
	arena_init(&decoding->arena, 1024);
	/* The tree is gone before the record is read. */
	struct arena arena;
	arena_init(&arena, 1024);
	struct tree_fault fault;
	enum error error = wire_tree_parse(
	    slice_from_string(yaml), &arena, on_document, decoding, &fault);
	if (error != ERROR_OK)
		fail_msg("%s: %s", yaml, fault.text);
	arena_fini(&arena);
}

static void
end(struct decoding *decoding)
{
	arena_fini(&decoding->arena);
}

static void
decode_fills_all(void **state)
{
	(void)state;
	struct decoding decoding;
	decode(&decoding,
	    "name: web\n"
	    "weight: 0\n"
	    "ready: no\n"
	    "inner: {type: Exact, value: '', port: 80.0}\n"
	    "hostnames: [a.example, '']\n"
	    "matches: [{}, {value: /b}]\n"
	    "labels: {b: '2', a: '1', c: }\n"
	    "mode: 0x10\n"
	    "remark: ~\n");
	const struct sample *sample = decoding.sample;
	assert_non_null(sample);
	assert_true(slice_equal(sample->name, SLICE("web")));
	assert_int_equal(sample->weight, 0);
	assert_int_equal(sample->ready, 0);
	assert_true(slice_equal(sample->inner->type, SLICE("Exact")));
	assert_true(slice_is_set(sample->inner->value));
	assert_int_equal(sample->inner->value.length, 0);
	assert_int_equal(sample->inner->port, 80);
	assert_int_equal(sample->hostnames_count, 2);
	assert_int_equal(sample->matches_count, 2);
	assert_true(slice_equal(sample->matches[0].type, SLICE("PathPrefix")));
	assert_true(slice_equal(sample->matches[1].value, SLICE("/b")));
	assert_int_equal(sample->labels_count, 3);
	assert_true(slice_equal(sample->labels[0].key, SLICE("a")));
	assert_true(slice_equal(sample->labels[0].value, SLICE("1")));
	assert_int_equal(sample->mode, 16);
	assert_false(slice_is_set(sample->remark));
	end(&decoding);
}

static void
decode_sets_defaults(void **state)
{
	(void)state;
	struct decoding decoding;
	decode(&decoding, "name: web\nweight: null\nhostnames: []\ninner:\n");
	const struct sample *sample = decoding.sample;
	assert_int_equal(sample->weight, 1);
	assert_int_equal(sample->ready, RECORD_ABSENT);
	assert_non_null(sample->hostnames);
	assert_int_equal(sample->hostnames_count, 0);
	assert_null(sample->matches);
	assert_null(sample->inner);
	end(&decoding);
}

static void
decode_refuses_other_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *yaml;
		bool decoded;
	} rows[] = {
	    {"name: x\nhostname: y\nzzz: [1]\n", true},
	    {"{}\n", true},
	    {"name: 5\n", false},
	    {"name: [x]\n", false},
	    {"weight: \"80\"\n", false},
	    {"weight: 1.5\n", false},
	    {"ready: 1\n", false},
	    {"matches:\n- {}\n- 7\n", false},
	    {"matches: {}\n", false},
	    {"matches: [{type: 1}]\n", false},
	    {"hostnames: [a, 2]\n", false},
	    {"hostnames: {}\n", false},
	    {"labels: {a: 1}\n", false},
	    {"labels: []\n", false},
	    {"inner: x\n", false},
	    {"inner: {value: 1}\n", false},
	    {"- x\n", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decoding decoding;
		decode(&decoding, rows[i].yaml);
		if ((decoding.sample != NULL) != rows[i].decoded)
			fail_msg("%s", rows[i].yaml);
		end(&decoding);
	}
}

static void
print_both(void **state)
{
	(void)state;
	static const struct {
		const char *in, *json, *yaml;
	} rows[] = {
	    {"name: web\n", "{\"name\":\"web\",\"weight\":1}",
	        "  name: web\n  weight: 1\n"},
	    {"{name: w, weight: 0, ready: n, mode: 3, remark: "
	     "\"a\\n\\\"b\\u0001\\\\\"}",
	        "{\"name\":\"w\",\"weight\":0,\"ready\":false,\"mode\":3,"
	        "\"remark\":\"a\\n\\\"b\\u0001\\\\\"}",
	        "  name: w\n  weight: 0\n  ready: false\n  mode: 3\n"
	        "  remark: \"a\\n\\\"b\\u0001\\\\\"\n"},
	    {"{name: w, inner: {value: '*'}, hostnames: [a.b, y-1, ''],"
	     " matches: [{port: 1}, {}], labels: {b: x, a/b: '2026-11-24'}}",
	        "{\"name\":\"w\",\"weight\":1,\"inner\":{\"type\":\"PathPrefix"
	        "\",\"value\":\"*\"},\"hostnames\":[\"a.b\",\"y-1\",\"\""
	        "],\"matches\":[{\"type\":\"PathPrefix\",\"value\":\"/\","
	        "\"port\":1},{\"type\":\"PathPrefix\",\"value\":\"/\"}],"
	        "\"labels\":{\"a/b\":\"2026-11-24\",\"b\":\"x\"}}",
	        "  name: w\n  weight: 1\n  inner:\n    type: PathPrefix\n"
	        "    value: \"*\"\n  hostnames:\n  - a.b\n"
	        "  - y-1\n  - \"\"\n  matches:\n  - type: PathPrefix\n"
	        "    value: /\n    port: 1\n  - type: PathPrefix\n"
	        "    value: /\n  labels:\n    a/b: \"2026-11-24\"\n"
	        "    b: x\n"},
	    {"{name: w, weight: -5, hostnames: [], matches: [], labels: {}}",
	        "{\"name\":\"w\",\"weight\":-5,\"hostnames\":[],\"matches\":"
	        "[],\"labels\":{}}",
	        "  name: w\n  weight: -5\n  hostnames: []\n  matches: []\n"
	        "  labels: {}\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct decoding decoding, again;
		decode(&decoding, rows[i].in);
		assert_non_null(decoding.sample);
		struct text json, yaml, twice;
		text_init(&json);
		text_init(&yaml);
		text_init(&twice);
		wire_record_to_json(&json, &sample_type, decoding.sample);
		assert_string_equal(json.data, rows[i].json);
		wire_record_to_yaml(&yaml, &sample_type, decoding.sample, 2);
		assert_string_equal(yaml.data, rows[i].yaml);
		/* Both are read back as the same. */
		decode(&again, yaml.data);
		wire_record_to_json(&twice, &sample_type, again.sample);
		assert_string_equal(twice.data, rows[i].json);
		end(&again);
		text_reset(&twice);
		decode(&again, json.data);
		wire_record_to_json(&twice, &sample_type, again.sample);
		assert_string_equal(twice.data, rows[i].json);
		end(&again);
		text_fini(&json);
		text_fini(&yaml);
		text_fini(&twice);
		end(&decoding);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decode_fills_all),
	    cmocka_unit_test(decode_sets_defaults),
	    cmocka_unit_test(decode_refuses_other_kinds),
	    cmocka_unit_test(print_both),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
