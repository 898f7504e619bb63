/* Records from YAML: values, defaults, every fault with its place; and printed
 * again as JSON and YAML. */
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
	struct text faults;
	const struct sample *sample;
};

static void
on_fault(void *context, const struct record_fault *fault)
{
	static const char *const kinds[] = {
	    "unknown", "type", "missing", "choice", "range"};
	struct decoding *decoding = context;
	text_printf(&decoding->faults, "%u:%u %s %.*s: %.*s", fault->line,
	    fault->column, kinds[fault->kind], SLICE_ARGS(fault->path),
	    SLICE_ARGS(fault->text));
	if (slice_is_set(fault->hint))
		text_printf(
		    &decoding->faults, " (%.*s)", SLICE_ARGS(fault->hint));
	text_push_byte(&decoding->faults, '\n');
}

static bool
on_document(void *context, struct tree_node *root)
{
	struct decoding *decoding = context;
	decoding->sample = wire_record_from_tree(root, SLICE("spec"),
	    &sample_type, &decoding->arena, on_fault, decoding);
	return false;
}

static void
decode(struct decoding *decoding, const char *yaml)
{
	*decoding = (struct decoding){0};
	arena_init(&decoding->arena, 1024);
	text_init(&decoding->faults);
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
	text_fini(&decoding->faults);
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
	assert_null(decoding.faults.data);
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

static const struct {
	const char *yaml, *faults;
	bool decoded;
} fault_rows[] = {
    {"name: x\nhostname: y\n",
        "2:1 unknown spec.hostname: there is no such field"
        " (hostnames)\n",
        true},
    {"name: x\nReady: y\nmatch: []\nzzz: 1\n",
        "2:1 unknown spec.Ready: there is no such field (ready)\n"
        "3:1 unknown spec.match: there is no such field\n"
        "4:1 unknown spec.zzz: there is no such field\n",
        true},
    {"name: x\n\"na\\0me\": 1\n",
        "2:1 unknown spec.na: there is no such field (name)\n", true},
    {"weight: 1\n", "1:1 missing spec.name: is required\n", false},
    {"name:\n", "1:1 missing spec.name: is required\n", false},
    {"name: 5\n",
        "1:7 type spec.name: must be text, not a number: put it in "
        "quotes (\"5\")\n",
        false},
    {"name: yes\n",
        "1:7 type spec.name: must be text, not true or false: put it "
        "in quotes (\"yes\")\n",
        false},
    {"name: [x]\n", "1:7 type spec.name: must be text, not a list\n", false},
    {"name: x\nweight: \"80\"\nready: 1\n",
        "2:9 type spec.weight: must be a whole number, not text\n"
        "3:8 type spec.ready: must be true or false, not a number\n",
        false},
    {"name: x\nweight: 1.5\n",
        "2:9 type spec.weight: must be a whole number, not a number "
        "with a fraction or out of bounds\n",
        false},
    {"name: x\nmatches:\n- type: Exakt\n- port: 0\n- 7\n",
        "3:9 choice spec.matches[0].type: \"Exakt\" is none of Exact, "
        "PathPrefix (Exact)\n"
        "4:9 range spec.matches[1].port: 0 is not within 1 and 65535\n"
        "5:3 type spec.matches[2]: must be a map, not a number\n",
        false},
    {"name: more than twelve\n",
        "1:7 range spec.name: has 16 characters; at most 12 are "
        "allowed\n",
        false},
    {"name: ééééééééé\n", "", true},
    {"name: x\nhostnames: [a, 2, c, d]\n",
        "2:12 range spec.hostnames: has 4 items; at most 3 are "
        "allowed\n"
        "2:16 type spec.hostnames[1]: must be text, not a number: "
        "put it in quotes (\"2\")\n",
        false},
    {"name: x\nlabels: {a: 1}\n",
        "2:13 type spec.labels.a: must be text, not a number: put it "
        "in quotes (\"1\")\n",
        false},
    {"name: x\nlabels: []\ninner: x\nhostnames: {}\n",
        "2:9 type spec.labels: must be a map, not a list\n"
        "3:8 type spec.inner: must be a map, not text\n"
        "4:12 type spec.hostnames: must be a list, not a map\n",
        false},
    {"- x\n", "1:1 type spec: must be a map, not a list\n", false},
};

static void
decode_tells_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fault_rows) / sizeof(fault_rows[0]);
	     i++) {
		struct decoding decoding;
		decode(&decoding, fault_rows[i].yaml);
		assert_string_equal(
		    decoding.faults.data ? decoding.faults.data : "",
		    fault_rows[i].faults);
		assert_int_equal(
		    decoding.sample != NULL, fault_rows[i].decoded);
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
	    cmocka_unit_test(decode_tells_faults),
	    cmocka_unit_test(print_both),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
