/* Certificates: names by their lengths, times, bundles with a bad one. */
#include "crypt/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "authority/authority.h"
#include "core/limit.h"
#include "core/must.h"

static const struct authority_wish plain = {.key = "P-256", .subject = "a"};

static void
push(const struct authority_wish *wish, struct text *pem)
{
	struct authority_pair pair = authority_make(wish);

	authority_push_certificate(&pair, pem);
	authority_pair_free(&pair);
}

static bool
has(const struct crypt_certificate *certificate, enum crypt_name_kind kind,
    struct slice value)
{
	return crypt_certificate_has(
	    certificate, (struct crypt_name){kind, value});
}

static void
test_names(void **state)
{
	static const char *const dns[] = {"a.example", "*.b.example", NULL};
	struct text pem;
	struct crypt_fault fault;

	(void)state;
	text_init(&pem);
	push(&(struct authority_wish){.key = "P-256",
	         .subject = "cn.example",
	         .dns = dns,
	         .uri = "spiffe://a/b",
	         .odd_dns = SLICE("c.example\0.evil.org"),
	         .ip = SLICE("\177\0\0\1")},
	    &pem);
	struct crypt_certificates *chain =
	    crypt_chain_parse(text_slice(&pem), &fault);
	assert_non_null(chain);
	const struct crypt_certificate *it = chain->items[0];
	assert_int_equal(chain->count, 1);
	assert_int_equal(it->name_count, 4);
	assert_true(has(it, CRYPT_NAME_DNS, SLICE("A.example")));
	assert_true(has(it, CRYPT_NAME_DNS, SLICE("x.b.example")));
	assert_true(has(it, CRYPT_NAME_URI, SLICE("spiffe://a/b")));
	assert_true(has(it, CRYPT_NAME_IP, SLICE("\177\0\0\1")));
	assert_false(has(it, CRYPT_NAME_DNS, SLICE("c.example")));
	assert_false(has(it, CRYPT_NAME_DNS, SLICE("c.example\0.evil.org")));
	assert_false(has(it, CRYPT_NAME_DNS, SLICE("cn.example")));
	assert_false(has(it, CRYPT_NAME_DNS, SLICE("spiffe://a/b")));
	crypt_certificates_free(chain);
	text_fini(&pem);
}

static void
test_values(void **state)
{
	struct text pem, text;
	struct crypt_fault fault;
	struct authority_pair pair =
	    authority_make(&(struct authority_wish){.key = "RSA",
	        .subject = "a\nb",
	        .not_before = 1700000000,
	        .not_after = 4102444801});

	(void)state;
	text_init(&pem);
	text_init(&text);
	text_push_string(&pem, "some words\n");
	authority_push_certificate(&pair, &pem);
	struct crypt_certificates *chain =
	    crypt_chain_parse(text_slice(&pem), &fault);
	assert_non_null(chain);
	const struct crypt_certificate *it = chain->items[0];
	assert_int_equal(it->not_before, 1700000000);
	assert_int_equal(it->not_after, 4102444801);
	assert_int_equal(it->line, 2);
	assert_int_equal(it->key_kind, CRYPT_KEY_RSA);
	assert_int_equal(it->key_bits, 2048);
	assert_true(it->is_self_issued);
	crypt_certificate_subject(it, &text);
	assert_string_equal(text.data, "CN=a\\0Ab");
	text_reset(&text);
	crypt_certificate_pem(it, &text);
	assert_true(
	    slice_equal(text_slice(&text), slice_skip(text_slice(&pem), 11)));

	struct crypt_certificate *again =
	    crypt_certificate_from_x509(pair.x509);
	assert_memory_equal(again->digest, it->digest, sizeof(it->digest));
	crypt_certificate_free(again);
	crypt_certificates_free(chain);
	authority_pair_free(&pair);
	text_fini(&text);
	text_fini(&pem);
}

static void
assert_chain(const struct text *pem, enum crypt_problem problem, unsigned at)
{
	struct crypt_fault fault;
	struct crypt_certificates *chain =
	    crypt_chain_parse(text_slice(pem), &fault);

	assert_int_equal(fault.problem, problem);
	assert_int_equal(fault.certificate, at);
	assert_int_equal(chain != NULL, problem == CRYPT_NONE);
	crypt_certificates_free(chain);
}

/* A block whose DER has a byte more than it says. */
static void
push_with_garbage(struct text *pem)
{
	struct authority_pair pair = authority_make(&plain);
	unsigned char *der = NULL;
	int length = i2d_X509(pair.x509, &der);
	unsigned char *base64 = malloc((size_t)length * 2);
	unsigned char *longer = calloc(1, (size_t)length + 1);

	must(length > 0 && base64 && longer);
	memcpy(longer, der, (size_t)length);
	EVP_EncodeBlock(base64, longer, length + 1);
	text_printf(pem,
	    "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
	    (char *)base64);
	OPENSSL_free(der);
	free(base64);
	free(longer);
	authority_pair_free(&pair);
}

static void
test_refused(void **state)
{
	struct text pem;

	(void)state;
	text_init(&pem);
	assert_chain(&pem, CRYPT_NOT_PEM, 0);
	text_push_string(&pem, "hello");
	assert_chain(&pem, CRYPT_NOT_PEM, 0);
	text_reset(&pem);
	text_push_string(&pem, "-----BEGIN X-----\naGk=\n-----END X-----\n");
	assert_chain(&pem, CRYPT_NO_CERTIFICATE, 0);
	push(&plain, &pem);
	assert_chain(&pem, CRYPT_NONE, 0);
	push_with_garbage(&pem);
	assert_chain(&pem, CRYPT_GARBAGE, 2);
	text_reset(&pem);
	text_push_string(&pem,
	    "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n");
	assert_chain(&pem, CRYPT_BAD_CERTIFICATE, 1);
	text_reset(&pem);
	for (unsigned i = 0; i <= LIMIT_VALUE_CHAIN_CERTIFICATES; i++)
		push(&plain, &pem);
	assert_chain(&pem, CRYPT_TOO_MANY, LIMIT_VALUE_CHAIN_CERTIFICATES + 1);
	text_fini(&pem);
}

static void
test_bundle(void **state)
{
	struct text pem;
	struct crypt_fault fault;

	(void)state;
	text_init(&pem);
	assert_null(crypt_bundle_parse(text_slice(&pem), &fault));
	assert_int_equal(fault.problem, CRYPT_NOT_PEM);
	push(&plain, &pem);
	push_with_garbage(&pem);
	text_push_string(&pem, "-----BEGIN CERTIFICATE-----\n?\n");
	push(&plain, &pem);
	struct crypt_certificates *bundle =
	    crypt_bundle_parse(text_slice(&pem), &fault);
	assert_non_null(bundle);
	assert_int_equal(bundle->count, 2);
	assert_int_equal(fault.problem, CRYPT_GARBAGE);
	assert_int_equal(fault.certificate, 2);
	crypt_certificates_free(bundle);
	text_reset(&pem);
	push_with_garbage(&pem);
	assert_null(crypt_bundle_parse(text_slice(&pem), &fault));
	assert_int_equal(fault.problem, CRYPT_GARBAGE);
	text_fini(&pem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_bundle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
