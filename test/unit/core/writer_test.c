/* Writers: what is written reads back the same. */
#include "core/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/reader.h"

static void
test_numbers(void **state)
{
	static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384,
	    UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX};
	struct text text;
	struct reader reader;

	(void)state;
	text_init(&text);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		writer_u8(&text, (uint8_t)values[i]);
		writer_u16(&text, (uint16_t)values[i]);
		writer_u32(&text, (uint32_t)values[i]);
		writer_u64(&text, values[i]);
		writer_varint(&text, values[i]);
	}
	reader_init(&reader, text_slice(&text));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_int_equal(reader_u8(&reader), (uint8_t)values[i]);
		assert_int_equal(reader_u16(&reader), (uint16_t)values[i]);
		assert_int_equal(reader_u32(&reader), (uint32_t)values[i]);
		assert_true(reader_u64(&reader) == values[i]);
		assert_true(reader_varint(&reader) == values[i]);
	}
	assert_int_equal(reader.error, ERROR_OK);
	assert_int_equal(reader_left(&reader), 0);
	text_fini(&text);
}

static void
test_bytes(void **state)
{
	struct text text;

	(void)state;
	text_init(&text);
	writer_u16(&text, 0x0102);
	writer_u32(&text, 0x03040506);
	writer_varint(&text, 300);
	writer_block(&text, SLICE("ab"));
	writer_block(&text, SLICE_NONE);
	assert_int_equal(text.length, 12);
	assert_memory_equal(text.data,
	    "\x01\x02\x03\x04\x05\x06\xac\x02\x02"
	    "ab\x00",
	    12);
	text_fini(&text);
}

static void
test_open_blocks(void **state)
{
	/* Around each length at which the prefix grows. */
	static const size_t lengths[] = {
	    0, 1, 63, 64, 126, 127, 128, 129, 5000, 16383, 16384};
	struct text text;

	(void)state;
	text_init(&text);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct reader reader, outer;

		text_reset(&text);
		writer_u8(&text, 9);
		size_t first = writer_block_open(&text);
		size_t second = writer_block_open(&text);

		for (size_t at = 0; at < lengths[i]; at++)
			writer_u8(&text, (uint8_t)at);
		writer_block_close(&text, second);
		writer_u8(&text, 8);
		writer_block_close(&text, first);
		writer_u8(&text, 7);

		reader_init(&reader, text_slice(&text));
		assert_int_equal(reader_u8(&reader), 9);
		outer = reader_sub(&reader);
		struct slice inner = reader_block(&outer);

		assert_int_equal(inner.length, lengths[i]);
		for (size_t at = 0; at < lengths[i]; at++)
			assert_int_equal((uint8_t)inner.data[at], at & 0xff);
		assert_int_equal(reader_u8(&outer), 8);
		assert_int_equal(reader_u8(&reader), 7);
		assert_int_equal(reader.error | outer.error, ERROR_OK);
		assert_int_equal(reader_left(&reader), 0);
	}
	text_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_open_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
