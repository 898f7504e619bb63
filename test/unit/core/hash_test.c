/* SipHash-1-3 against known answers: Rust's for short messages, OpenSSL's
 * (SIPHASH with c-rounds 1 and d-rounds 3) for all. */
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
	    0x25a48eb36c063de4,
	    0x79de85ee92ff097f,
	    0x70c118c1f94dc352,
	    0x78a384b157b4d9a2,
	    0x306f760c1229ffa7,
	    0x605aa111c0f95d34,
	    0xd320d86d2a519956,
	    0xcc4fdd1a7d908b66,
	    0x9cf2689063dbd80c,
	    0x8ffc389cb473e63e,
	    0xf21f9de58d297d1c,
	    0xc0dc2f46a6cce040,
	    0xb992abfe2b45f844,
	    0x7ffe7b9ba320872e,
	    0x525a0e7fdae6c123,
	    0xf464aeb267349c8c,
	    0x45cd5928705b0979,
	    0x3a3e35e3ca9913a5,
	    0xa91dc74e4ade3b35,
	    0xfb0bed02ef6cd00d,
	    0x88d93cb44ab1e1f4,
	    0x540f11d643c5e663,
	    0x2370dd1f8c21d1bc,
	};
	uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	char message[32];

	(void)state;
	for (int i = 0; i < 32; i++)
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

/* The same bytes, cut elsewhere, hash to something else. */
static void
test_parts(void **unused)
{
	static const char *const cut[][2] = {
	    {"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"", "abc"}, {"ab", "d"}};
	uint64_t taken[5];

	(void)unused;
	for (unsigned i = 0; i < 5; i++) {
		struct hash hash;

		hash_init(&hash);
		hash_push(&hash, slice_from_string(cut[i][0]));
		hash_push(&hash, slice_from_string(cut[i][1]));
		taken[i] = hash_take(&hash);
		assert_true(taken[i] == hash_take(&hash));
		for (unsigned j = 0; j < i; j++)
			assert_true(taken[i] != taken[j]);
		hash_push_number(&hash, 0);
		assert_true(taken[i] != hash_take(&hash));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	    cmocka_unit_test(test_seed),
	    cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
