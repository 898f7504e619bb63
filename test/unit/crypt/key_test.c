/* Private keys in every form they come in. */
#include "crypt/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "authority/authority.h"

static void
assert_fault(const struct text *pem, enum crypt_problem problem)
{
	struct crypt_fault fault;
	struct crypt_key *key = crypt_key_parse(text_slice(pem), &fault);

	assert_int_equal(fault.problem, problem);
	assert_int_equal(key != NULL, problem == CRYPT_NONE);
	crypt_key_free(key);
}

static void
test_forms(void **state)
{
	static const struct {
		const char *key;
		enum authority_form form;
		enum crypt_key_kind kind;
		unsigned bits;
	} rows[] = {
	    {"P-256", AUTHORITY_PKCS8, CRYPT_KEY_ECDSA, 256},
	    {"P-256", AUTHORITY_TRADITIONAL, CRYPT_KEY_ECDSA, 256},
	    {"P-384", AUTHORITY_TRADITIONAL, CRYPT_KEY_ECDSA, 384},
	    {"P-521", AUTHORITY_PKCS8, CRYPT_KEY_ECDSA, 521},
	    {"ED25519", AUTHORITY_PKCS8, CRYPT_KEY_ED25519, 256},
	    {"RSA", AUTHORITY_PKCS8, CRYPT_KEY_RSA, 2048},
	    {"RSA", AUTHORITY_TRADITIONAL, CRYPT_KEY_RSA, 2048},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct authority_pair pair = authority_make(&(
		    struct authority_wish){.key = rows[i].key, .subject = "a"});
		struct crypt_fault fault;
		struct text pem;

		text_init(&pem);
		authority_push_key(&pair, rows[i].form, &pem);
		struct crypt_key *key =
		    crypt_key_parse(text_slice(&pem), &fault);
		assert_non_null(key);
		assert_int_equal(fault.problem, CRYPT_NONE);
		assert_int_equal(key->kind, rows[i].kind);
		assert_int_equal(key->bits, rows[i].bits);
		crypt_key_free(key);
		text_fini(&pem);
		authority_pair_free(&pair);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *key;
		unsigned bits;
		enum authority_form form;
		enum crypt_problem problem;
	} rows[] = {
	    {"P-256", 0, AUTHORITY_PKCS8_ENCRYPTED, CRYPT_ENCRYPTED_KEY},
	    {"P-256", 0, AUTHORITY_TRADITIONAL_ENCRYPTED, CRYPT_ENCRYPTED_KEY},
	    {"RSA", 1024, AUTHORITY_PKCS8, CRYPT_WEAK_KEY},
	    {"secp256k1", 0, AUTHORITY_PKCS8, CRYPT_UNSUPPORTED_KEY},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct authority_pair pair =
		    authority_make(&(struct authority_wish){.key = rows[i].key,
		        .rsa_bits = rows[i].bits,
		        .subject = "a"});
		struct text pem;

		text_init(&pem);
		authority_push_key(&pair, rows[i].form, &pem);
		assert_fault(&pem, rows[i].problem);
		text_fini(&pem);
		authority_pair_free(&pair);
	}
}

static void
test_texts(void **state)
{
	struct authority_pair pair = authority_make(
	    &(struct authority_wish){.key = "P-256", .subject = "a"});
	struct text pem;

	(void)state;
	text_init(&pem);
	assert_fault(&pem, CRYPT_NOT_PEM);
	text_push_string(&pem, "not a key\n");
	assert_fault(&pem, CRYPT_NOT_PEM);
	authority_push_certificate(&pair, &pem);
	assert_fault(&pem, CRYPT_NO_KEY);
	/* EC PARAMETERS, as openssl ecparam writes them before the key. */
	text_push_string(&pem,
	    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
	    "-----END EC PARAMETERS-----\n");
	authority_push_key(&pair, AUTHORITY_TRADITIONAL, &pem);
	assert_fault(&pem, CRYPT_NONE);
	authority_push_key(&pair, AUTHORITY_PKCS8, &pem);
	assert_fault(&pem, CRYPT_SEVERAL_KEYS);
	text_reset(&pem);
	text_push_string(&pem,
	    "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n"
	    "-----END PRIVATE KEY-----\n");
	assert_fault(&pem, CRYPT_BAD_KEY);
	text_fini(&pem);
	authority_pair_free(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
