/* SHA-256: known answers, in one part and in many, from many threads. */
#include "crypt/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

static void
assert_digest(const struct slice *parts, unsigned count, const char *wanted)
{
	uint8_t digest[CRYPT_SHA256_BYTES];
	char hex[2 * CRYPT_SHA256_BYTES + 1];

	crypt_sha256(parts, count, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, wanted);
}

/* FIPS 180-2, appendix B, and the digest of nothing. */
static void
test_known_answers(void **state)
{
	const struct slice abc = SLICE("abc");
	const struct slice parts[] = {SLICE("abcdbcdecdefdefgefghfghighijhi"),
	    SLICE_NONE, SLICE(""), SLICE("jkijkljklmklmnlmnomnopnopq")};

	(void)state;
	assert_digest(&abc, 1,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	assert_digest(parts, 4,
	    "248d6a61d20638b8e5c026930c3e6039"
	    "a33ce45964ff2167f6ecedd419db06c1");
	assert_digest(NULL, 0,
	    "e3b0c44298fc1c149afbf4c8996fb924"
	    "27ae41e4649b934ca495991b7852b855");
}

static void *
digest_in_thread(void *wanted)
{
	const struct slice abc = SLICE("abc");

	for (int i = 0; i < 1000; i++) {
		uint8_t digest[CRYPT_SHA256_BYTES];

		crypt_sha256(&abc, 1, digest);
		if (memcmp(digest, wanted, sizeof(digest)) != 0)
			return wanted;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	uint8_t wanted[CRYPT_SHA256_BYTES];
	const struct slice abc = SLICE("abc");
	pthread_t threads[4];
	void *wrong;

	(void)state;
	crypt_sha256(&abc, 1, wanted);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, digest_in_thread, wanted),
		    0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
}

/* RFC 4231 4.3, 4.4 and 4.7: a short key, a longer answer, a key that is longer
 * than a block. */
static void
test_hmac(void **state)
{
	static const char long_key[131] = {[0 ... 130] = '\xaa'};
	static const char fifty[50] = {[0 ... 49] = '\xdd'};
	static const char twenty[20] = {[0 ... 19] = '\xaa'};
	const struct {
		struct slice key, parts[2];
		const char *wanted;
	} rows[] = {
	    {SLICE("Jefe"), {SLICE("what do ya want "), SLICE("for nothing?")},
	        "5bdcc146bf60754e6a042426089575c7"
	        "5a003f089d2739839dec58b964ec3843"},
	    {slice_make(twenty, 20), {slice_make(fifty, 50), SLICE("")},
	        "773ea91e36800e46854db8ebd09181a7"
	        "2959098b3ef8c122d9635514ced565fe"},
	    {slice_make(long_key, 131),
	        {SLICE("Test Using Larger Than Block-Size Key "),
	            SLICE("- Hash Key First")},
	        "60e431591ee0b67f0d8a26aacbf5b77f"
	        "8e0bc6213728c5140546040f0ee37f54"},
	};
	uint8_t digest[CRYPT_SHA256_BYTES];
	char hex[2 * CRYPT_SHA256_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		crypt_hmac_sha256(rows[i].key, rows[i].parts, 2, digest);
		for (size_t k = 0; k < sizeof(digest); k++)
			snprintf(hex + 2 * k, 3, "%02x", digest[k]);
		assert_string_equal(hex, rows[i].wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	    cmocka_unit_test(test_hmac),
	    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
