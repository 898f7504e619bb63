/* SipHash-1-3 against the known answers of its reference and of Rust's core. */
#include "core/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/hash_priv.h"

static void
test_known_answers(void **state)
{
	/* Key 00 01 .. 0f, message 00 01 .. of each length. */
	static const uint64_t wanted[] = {
	    0xabac0158050fc4dc,
	    0xc9f49bf37d57ca93,
	    0x82cb9b024dc7d44d,
	    0x8bf80ab8e7ddf7fb,
	    0xcf75576088d38328,
	    0xdef9d52f49533b67,
	    0xc50d2b50c59f22a7,
	    0xd3927d989bb11140,
	    0x369095118d299a8e,
	};
	uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	char message[16];

	(void)state;
	for (int i = 0; i < 16; i++)
		message[i] = (char)i;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_true(hash_bytes_seeded(slice_make(message, i), key) ==
		            wanted[i]);
}

static void
test_seed(void **state)
{
	static const uint64_t zero[2];

	(void)state;
	assert_true(hash_bytes(SLICE("a")) == hash_bytes(SLICE("a")));
	assert_true(hash_bytes(SLICE("a")) != hash_bytes(SLICE("b")));
	assert_true(hash_bytes(SLICE_NONE) == hash_bytes(SLICE("")));
	assert_true(
	    hash_bytes(SLICE("a")) != hash_bytes_seeded(SLICE("a"), zero));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	    cmocka_unit_test(test_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
