/* Records to bytes and back; what is malformed is refused; what is newer is
 * skipped, or refused when it is critical. */
#include "wire/record_binary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "core/memory.h"
#include "record_sample.h"

#define RECORD_FILE "record_sample.def"
#include "core/record_tables.h"
#undef RECORD_FILE

static struct sample_inner inner_rows[] = {
    {.type = SLICE("Exact"), .value = SLICE("/a"), .port = 80},
    {.type = SLICE("PathPrefix"), .value = SLICE("/")},
};
static struct slice hostname_rows[] = {SLICE("a.example"), SLICE("")};
static struct record_pair label_rows[] = {
    {SLICE("app"), SLICE("web")}, {SLICE("tier"), SLICE("")}};

static void
encode_all_kinds(void **state)
{
	(void)state;
	struct sample in = {
	    .name = SLICE("web"),
	    .weight = -3,
	    .ready = 0,
	    .inner = &inner_rows[0],
	    .hostnames = hostname_rows,
	    .hostnames_count = 2,
	    .matches = inner_rows,
	    .matches_count = 2,
	    .labels = label_rows,
	    .labels_count = 2,
	    .mode = INT64_MAX,
	    .remark = SLICE("is not sent"),
	};
	struct text bytes, again;
	text_init(&bytes);
	text_init(&again);
	wire_record_encode(&bytes, &sample_type, &in);

	struct arena arena;
	arena_init(&arena, 1024);
	void *record = NULL;
	assert_int_equal(wire_record_decode(
	                     text_slice(&bytes), &sample_type, &arena, &record),
	    ERROR_OK);
	const struct sample *out = record;
	assert_true(slice_equal(out->name, in.name));
	assert_int_equal(out->weight, -3);
	assert_int_equal(out->ready, 0);
	assert_int_equal(out->mode, INT64_MAX);
	assert_false(slice_is_set(out->remark));
	assert_int_equal(out->hostnames_count, 2);
	assert_true(slice_equal(out->hostnames[0], hostname_rows[0]));
	assert_true(slice_is_set(out->hostnames[1]));
	assert_int_equal(out->hostnames[1].length, 0);
	assert_int_equal(out->matches_count, 2);
	assert_true(slice_equal(out->matches[0].type, SLICE("Exact")));
	assert_int_equal(out->matches[0].port, 80);
	assert_true(slice_equal(out->matches[1].value, SLICE("/")));
	assert_int_equal(out->labels_count, 2);
	assert_true(slice_equal(out->labels[0].value, SLICE("web")));
	assert_true(slice_equal(out->labels[1].key, SLICE("tier")));
	assert_non_null(out->inner);
	assert_true(slice_equal(out->inner->value, SLICE("/a")));
	/* The texts are copies. */
	assert_true(out->name.data < bytes.data ||
	    out->name.data >= bytes.data + bytes.length);

	wire_record_encode(&again, &sample_type, out);
	assert_true(slice_equal(text_slice(&bytes), text_slice(&again)));
	arena_fini(&arena);
	text_fini(&bytes);
	text_fini(&again);
}

static void
encode_nothing_for_defaults(void **state)
{
	(void)state;
	struct sample in = {.weight = 1, .ready = RECORD_ABSENT};
	struct text bytes;
	text_init(&bytes);
	wire_record_encode(&bytes, &sample_type, &in);
	assert_int_equal(bytes.length, 0);

	struct arena arena;
	arena_init(&arena, 256);
	void *record = NULL;
	assert_int_equal(
	    wire_record_decode(SLICE_NONE, &sample_type, &arena, &record),
	    ERROR_OK);
	const struct sample *out = record;
	assert_false(slice_is_set(out->name));
	assert_int_equal(out->weight, 1);
	assert_int_equal(out->ready, RECORD_ABSENT);
	assert_null(out->inner);
	assert_null(out->hostnames);
	arena_fini(&arena);
	text_fini(&bytes);
}

/* An empty list and an empty text are not absent ones. */
static void
encode_empty_lists(void **state)
{
	(void)state;
	struct sample in = {
	    .name = SLICE(""),
	    .weight = 1,
	    .ready = RECORD_ABSENT,
	    .hostnames = hostname_rows,
	    .matches = inner_rows,
	    .labels = label_rows,
	};
	struct text bytes;
	text_init(&bytes);
	wire_record_encode(&bytes, &sample_type, &in);
	struct arena arena;
	arena_init(&arena, 256);
	void *record = NULL;
	assert_int_equal(wire_record_decode(
	                     text_slice(&bytes), &sample_type, &arena, &record),
	    ERROR_OK);
	const struct sample *out = record;
	assert_true(slice_is_set(out->name));
	assert_int_equal(out->name.length, 0);
	assert_non_null(out->hostnames);
	assert_non_null(out->matches);
	assert_non_null(out->labels);
	assert_int_equal(
	    out->hostnames_count + out->matches_count + out->labels_count, 0);
	arena_fini(&arena);
	text_fini(&bytes);
}

/* The format itself: these bytes are the stream's and must never change. */
static void
encode_stays_as_it_is(void **state)
{
	(void)state;
	struct sample in = {
	    .name = SLICE("web"),
	    .weight = 2,
	    .ready = 1,
	    .inner = &inner_rows[0],
	    .hostnames = hostname_rows,
	    .hostnames_count = 1,
	    .labels = label_rows,
	    .labels_count = 1,
	    .mode = 1,
	};
	static const char want[] = "\x10\x03web" /* 1 TEXT */
	                           "\x22\x04" /* 2 NUMBER */
	                           "\x34\x02" /* 3 BOOL */
	                           "\x46\x0e" /* 4 STRUCT */
	                           "\x10\x05"
	                           "Exact"
	                           "\x20\x02/a"
	                           "\x32\xa0\x01"
	                           "\x58\x0b\x01\x09"
	                           "a.example" /* 5 TEXTS */
	                           "\x8c\x01\x09\x01\x03"
	                           "app"
	                           "\x03web" /* 8 PAIRS */
	                           "\xc3\x01\x02"; /* 12, critical */
	struct text bytes;
	text_init(&bytes);
	wire_record_encode(&bytes, &sample_type, &in);
	assert_int_equal(bytes.length, sizeof(want) - 1);
	assert_memory_equal(bytes.data, want, sizeof(want) - 1);
	text_fini(&bytes);
}

static void
decode_refuses(void **state)
{
	(void)state;
	static const struct {
		const char *why;
		struct slice bytes;
		const struct record_type *type;
		enum error error;
	} rows[] = {
	    {"an older program skips what it does not know",
	        SLICE("\x10\x01x\x22\x04\x46\x01\xff\xc3\x01\x02"),
	        &sample_old_type, ERROR_OK},
	    {"... but not what is critical", SLICE("\x10\x01x\xc3\x01\x02"),
	        &sample_older_type, ERROR_UNSUPPORTED},
	    {"a kind that is not the table's", SLICE("\x10\x01x"),
	        &sample_wrong_type, ERROR_INVALID},
	    {"a field that comes twice", SLICE("\x10\x01x\x10\x01x"),
	        &sample_type, ERROR_INVALID},
	    {"fields that fall", SLICE("\x22\x04\x10\x01x"), &sample_type,
	        ERROR_INVALID},
	    {"number 0", SLICE("\x00\x01x"), &sample_type, ERROR_INVALID},
	    {"a tag alone", SLICE("\x10"), &sample_type, ERROR_TRUNCATED},
	    {"a text that is cut", SLICE("\x10\x04web"), &sample_type,
	        ERROR_TRUNCATED},
	    {"an unknown block that is cut", SLICE("\x10\x01x\x46\x09\xff"),
	        &sample_old_type, ERROR_TRUNCATED},
	    {"more items than bytes", SLICE("\x58\x02\x7f\x00"), &sample_type,
	        ERROR_TRUNCATED},
	    {"bytes after the items", SLICE("\x58\x03\x01\x00\x00"),
	        &sample_type, ERROR_INVALID},
	    {"an inner record that is cut", SLICE("\x46\x02\x10\x05"),
	        &sample_type, ERROR_TRUNCATED},
	    {"an inner record in a list that is cut",
	        SLICE("\x6a\x04\x01\x02\x10\x05"), &sample_type,
	        ERROR_TRUNCATED},
	    {"a list without a count", SLICE("\x6a\x00"), &sample_type,
	        ERROR_TRUNCATED},
	    {"a varint without an end",
	        SLICE("\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	        &sample_type, ERROR_INVALID},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena;
		arena_init(&arena, 256);
		void *record = NULL;
		enum error error = wire_record_decode(
		    rows[i].bytes, rows[i].type, &arena, &record);
		if (error != rows[i].error)
			fail_msg("%s: %s", rows[i].why, error_text(error));
		assert_int_equal(record != NULL, error == ERROR_OK);
		arena_fini(&arena);
	}
}

/* Every cut of good bytes is refused or, between two fields, a shorter record.
 */
static void
decode_every_cut(void **state)
{
	(void)state;
	struct sample in = {
	    .name = SLICE("web"),
	    .weight = 700,
	    .ready = 1,
	    .matches = inner_rows,
	    .matches_count = 2,
	    .labels = label_rows,
	    .labels_count = 2,
	};
	struct text bytes;
	text_init(&bytes);
	wire_record_encode(&bytes, &sample_type, &in);
	unsigned good = 0;
	for (size_t length = 0; length < bytes.length; length++) {
		struct arena arena;
		arena_init(&arena, 256);
		void *record = NULL;
		/* A copy of its own, so that a read past the end is seen. */
		char *cut = memory_alloc(length + 1);
		memcpy(cut, bytes.data, length);
		good += wire_record_decode(slice_make(cut, length),
		            &sample_type, &arena, &record) == ERROR_OK;
		memory_free(cut);
		arena_fini(&arena);
	}
	assert_int_equal(good, 5);
	text_fini(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encode_all_kinds),
	    cmocka_unit_test(encode_nothing_for_defaults),
	    cmocka_unit_test(encode_empty_lists),
	    cmocka_unit_test(encode_stays_as_it_is),
	    cmocka_unit_test(decode_refuses),
	    cmocka_unit_test(decode_every_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
