/* The scanners find, each way they are written, what scan.h says: compared with
 * each other and with the plain definition, for every byte, length and place.
 */
#include "wire/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scan_agree.h"

#define LENGTH_MAX 40

static bool
ends_line(unsigned char byte)
{
	return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static bool
ends_target(unsigned char byte)
{
	return byte <= 0x20 || byte > 0x7e || byte == '?' || byte == '#';
}

static bool
ends_name(unsigned char byte)
{
	return !((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= '0' && byte <= '9') || byte == '-');
}

/* Every byte is of the kind or not, wherever it stands; what is before begin
 * and at end is of the kind, and must not be seen. */
static void
every_byte(void **state)
{
	(void)state;
	char block[LENGTH_MAX + 2];
	for (unsigned byte = 0; byte < 256; byte++) {
		for (size_t place = 0; place < LENGTH_MAX; place++) {
			memset(block, 'a', sizeof(block));
			block[0] = block[LENGTH_MAX + 1] = '\0';
			const char *begin = block + 1;
			const char *end = begin + LENGTH_MAX;
			const char *at = begin + place;
			block[place + 1] = (char)byte;
			assert_ptr_equal(wire_scan_line(begin, end, begin),
			    ends_line((unsigned char)byte) ? at : end);
			assert_ptr_equal(wire_scan_target(begin, end, begin),
			    ends_target((unsigned char)byte) ? at : end);
			assert_ptr_equal(wire_scan_name(begin, end, begin),
			    ends_name((unsigned char)byte) ? at : end);
			assert_ptr_equal(
			    wire_scan_byte(begin, end, begin, (char)byte),
			    byte == 'a' ? begin : at);
		}
	}
}

/* All ways agree on random text, from every place to every end, in blocks of
 * their own so that a sanitizer sees a read outside. */
static void
all_agree(void **state)
{
	(void)state;
	static const char bytes[] = "aaaaaaZ09-:?# \t\r\n\x7f\x80\xff";
	uint32_t seed = 1;
	for (size_t length = 0; length <= LENGTH_MAX; length++) {
		char *block = malloc(length + 1);
		assert_non_null(block);
		for (size_t i = 0; i < length; i++) {
			seed = seed * 1664525 + 1013904223;
			block[i] = bytes[(seed >> 16) % (sizeof(bytes) - 1)];
		}
		block = realloc(block, length > 0 ? length : 1);
		for (size_t from = 0; from <= length; from++)
			for (size_t to = from; to <= length; to++)
				assert_true(scan_agrees(
				    block + from, block + to, block, ':'));
		free(block);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte),
	    cmocka_unit_test(all_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
