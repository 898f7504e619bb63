/* Readers: sticky errors, bounds, varints, nested blocks. */
#include "core/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_fixed(void **state)
{
	struct reader reader;

	(void)state;
	reader_init(&reader,
	    slice_make("\x01\x02\x03\x04\x05\x06\x07"
	               "\x08\x09\x0a\x0b\x0c\x0d\x0e\xff",
	        15));
	assert_int_equal(reader_u8(&reader), 1);
	assert_int_equal(reader_u16(&reader), 0x0203);
	assert_int_equal(reader_u32(&reader), 0x04050607);
	assert_int_equal(reader_left(&reader), 8);
	assert_true(reader_u64(&reader) == 0x08090a0b0c0d0eff);
	assert_int_equal(reader.error, ERROR_OK);
	assert_int_equal(reader_u8(&reader), 0);
	assert_int_equal(reader.error, ERROR_TRUNCATED);
}

static void
test_sticky(void **state)
{
	struct reader reader;

	(void)state;
	reader_init(&reader, SLICE("abc"));
	assert_int_equal(reader_u32(&reader), 0);
	/* The three bytes are not given to a later, smaller read. */
	assert_int_equal(reader_left(&reader), 0);
	assert_int_equal(reader_u8(&reader), 0);
	assert_false(slice_is_set(reader_bytes(&reader, 0)));
	assert_false(slice_is_set(reader_block(&reader)));
	reader_fail(&reader, ERROR_INVALID);
	assert_int_equal(reader.error, ERROR_TRUNCATED);
}

static void
test_varint(void **state)
{
	static const struct {
		struct slice bytes;
		uint64_t value;
		enum error error;
	} cases[] = {
	    {{"\x00", 1}, 0, ERROR_OK},
	    {{"\x7f", 1}, 127, ERROR_OK},
	    {{"\x80\x01", 2}, 128, ERROR_OK},
	    {{"\xac\x02", 2}, 300, ERROR_OK},
	    {{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}, UINT64_MAX,
	        ERROR_OK},
	    {{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10}, 0,
	        ERROR_INVALID},
	    {{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11}, 0,
	        ERROR_INVALID},
	    {{"\x80\x00", 2}, 0, ERROR_INVALID}, /* 0 the long way */
	    {{"\xff\x00", 2}, 0, ERROR_INVALID},
	    {{"", 0}, 0, ERROR_TRUNCATED},
	    {{"\x80", 1}, 0, ERROR_TRUNCATED},
	    {{NULL, 0}, 0, ERROR_TRUNCATED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reader reader;

		reader_init(&reader, cases[i].bytes);
		assert_true(reader_varint(&reader) == cases[i].value);
		assert_int_equal(reader.error, cases[i].error);
		assert_int_equal(reader_left(&reader), 0);
	}
}

static void
test_blocks(void **state)
{
	struct reader reader, sub;

	(void)state;
	reader_init(&reader, slice_make("\x03xyz\x00\x02\x05\x06\x07", 9));
	assert_true(slice_equal(reader_block(&reader), SLICE("xyz")));
	struct slice empty = reader_block(&reader);

	assert_true(slice_is_set(empty));
	assert_int_equal(empty.length, 0);
	sub = reader_sub(&reader);
	assert_int_equal(reader_left(&sub), 2);
	assert_int_equal(reader_u32(&sub), 0);
	assert_int_equal(sub.error, ERROR_TRUNCATED);
	/* The error stays inside. */
	assert_int_equal(reader.error, ERROR_OK);
	assert_int_equal(reader_u8(&reader), 7);
	assert_true(slice_is_set(reader_bytes(&reader, 0)));

	reader_init(&reader, slice_make("\x04xyz", 4));
	sub = reader_sub(&reader);
	assert_int_equal(reader.error, ERROR_TRUNCATED);
	assert_int_equal(sub.error, ERROR_TRUNCATED);
	assert_int_equal(reader_left(&sub), 0);

	/* A length that would wrap a pointer. */
	reader_init(&reader,
	    slice_make("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 11));
	assert_false(slice_is_set(reader_block(&reader)));
	assert_int_equal(reader.error, ERROR_TRUNCATED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fixed),
	    cmocka_unit_test(test_sticky),
	    cmocka_unit_test(test_varint),
	    cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
