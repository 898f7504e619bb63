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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_answers),
	    cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
