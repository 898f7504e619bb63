/* Packed records: what comes out says what went in, in the bytes foretold. */
#include "wire/record_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "record_sample.h"
#include "wire/record_binary.h"

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
static const struct slice word_rows[] = {SLICE("Exact"), SLICE("web")};
static const struct record_words words = {word_rows, 2};

static struct sample *
pass(const struct sample *in, struct arena *arena, size_t *packed_bytes)
{
	struct text bytes;

	text_init(&bytes);
	size_t arena_bytes = wire_record_pack(&bytes, &sample_type, &words, in);
	struct slice copy = arena_copy(arena, text_slice(&bytes));

	*packed_bytes = copy.length;
	text_fini(&bytes);
	size_t before = arena->used_bytes;
	struct sample *out =
	    wire_record_unpack(copy, &sample_type, &words, arena);

	/* Each is rounded up to an alignment in what was foretold. */
	assert_true(arena->used_bytes - before <= arena_bytes);
	return out;
}

static void
all_kinds(void **state)
{
	struct sample in = {
	    .name = SLICE("web"),
	    .weight = -3,
	    .inner = &inner_rows[0],
	    .hostnames = hostname_rows,
	    .hostnames_count = 2,
	    .matches = inner_rows,
	    .matches_count = 2,
	    .labels = label_rows,
	    .labels_count = 2,
	    .mode = INT64_MAX,
	    .remark = SLICE("has no number"),
	};
	struct text one, other;
	struct arena arena;
	size_t length;

	(void)state;
	arena_init(&arena, 1024);
	text_init(&one);
	text_init(&other);
	struct sample *out = pass(&in, &arena, &length);

	wire_record_encode(&one, &sample_type, &in);
	wire_record_encode(&other, &sample_type, out);
	assert_true(slice_equal(text_slice(&one), text_slice(&other)));
	assert_true(slice_equal(out->remark, in.remark));
	assert_ptr_equal(out->name.data, word_rows[1].data);
	assert_true(slice_is_set(out->hostnames[1]));
	text_fini(&one);
	text_fini(&other);
	arena_fini(&arena);
}

/* Empty is not absent, and what is at its default takes nothing. */
static void
empty_and_absent(void **state)
{
	struct arena arena;
	void *plain;
	size_t length;

	(void)state;
	arena_init(&arena, 1024);
	enum error error =
	    wire_record_decode(SLICE(""), &sample_type, &arena, &plain);

	assert_int_equal(error, ERROR_OK);
	struct sample in = *(struct sample *)plain;
	struct sample *out = pass(&in, &arena, &length);

	assert_int_equal(length, 1);
	assert_memory_equal(out, &in, sizeof(in));
	in.name = SLICE("");
	in.hostnames = hostname_rows;
	in.hostnames_count = 0;
	out = pass(&in, &arena, &length);
	assert_true(slice_is_set(out->name));
	assert_int_equal(out->name.length, 0);
	assert_non_null(out->hostnames);
	assert_int_equal(out->hostnames_count, 0);
	arena_fini(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_kinds),
	    cmocka_unit_test(empty_and_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
