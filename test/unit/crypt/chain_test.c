/* Chains and what is wrong with them. */
#include "crypt/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "authority/authority.h"

enum { NOW = 1800000000, DAY = 86400 };

struct world {
	struct authority_pair root, middle, leaf;
};

static struct authority_wish
wish(const char *subject, const struct authority_pair *issuer)
{
	return (struct authority_wish){
	    .key = "P-256",
	    .subject = subject,
	    .not_before = NOW - DAY,
	    .not_after = NOW + DAY,
	    .is_authority = issuer == NULL || strcmp(subject, "middle") == 0,
	    .issuer = issuer,
	};
}

static int
set_up(void **state)
{
	static struct world world;
	struct authority_wish root = wish("root", NULL);

	world.root = authority_make(&root);
	struct authority_wish middle = wish("middle", &world.root);
	world.middle = authority_make(&middle);
	struct authority_wish leaf = wish("leaf", &world.middle);
	world.leaf = authority_make(&leaf);
	*state = &world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	authority_pair_free(&world->root);
	authority_pair_free(&world->middle);
	authority_pair_free(&world->leaf);
	return 0;
}

/* The chain of those pairs, with the key of one (NULL: none). */
static struct crypt_fault
check(const struct authority_pair *const *pairs, unsigned count,
    const struct authority_pair *key_of, int64_t now)
{
	struct crypt_fault fault;
	struct crypt_key *key = NULL;
	struct text pem;

	text_init(&pem);
	for (unsigned i = 0; i < count; i++)
		authority_push_certificate(pairs[i], &pem);
	struct crypt_certificates *chain =
	    crypt_chain_parse(text_slice(&pem), &fault);
	assert_non_null(chain);
	text_reset(&pem);
	if (key_of) {
		authority_push_key(key_of, AUTHORITY_PKCS8, &pem);
		key = crypt_key_parse(text_slice(&pem), &fault);
		assert_non_null(key);
	}
	crypt_chain_check(chain, key, now, &fault);
	crypt_key_free(key);
	crypt_certificates_free(chain);
	text_fini(&pem);
	return fault;
}

static void
test_good(void **state)
{
	const struct world *world = *state;
	const struct authority_pair *chain[] = {
	    &world->leaf, &world->middle, &world->root};

	for (unsigned count = 1; count <= 3; count++)
		assert_int_equal(
		    check(chain, count, &world->leaf, NOW).problem, CRYPT_NONE);
}

static void
test_key(void **state)
{
	const struct world *world = *state;
	const struct authority_pair *chain[] = {&world->leaf, &world->middle};
	struct crypt_fault fault = check(chain, 2, &world->middle, NOW);

	assert_int_equal(fault.problem, CRYPT_KEY_MISMATCH);
	assert_int_equal(check(chain, 2, NULL, NOW).problem, CRYPT_NONE);
}

static void
test_times(void **state)
{
	const struct world *world = *state;
	const struct authority_pair *chain[] = {&world->leaf, &world->middle};
	struct crypt_fault fault = check(chain, 2, &world->leaf, NOW + DAY + 1);

	assert_int_equal(fault.problem, CRYPT_EXPIRED);
	assert_int_equal(fault.certificate, 1);
	assert_int_equal(fault.line, 1);
	assert_int_equal(fault.seconds, NOW + DAY);
	assert_int_equal(
	    check(chain, 2, &world->leaf, CRYPT_ANY_TIME).problem, CRYPT_NONE);
	assert_int_equal(
	    check(chain, 2, &world->leaf, CRYPT_ANY_TIME).problem, CRYPT_NONE);
	fault = check(chain, 2, &world->leaf, NOW - DAY - 1);
	assert_int_equal(fault.problem, CRYPT_NOT_YET_VALID);
	assert_int_equal(fault.seconds, NOW - DAY);
	assert_int_equal(
	    check(chain, 2, &world->leaf, NOW + DAY).problem, CRYPT_NONE);
	assert_int_equal(
	    check(chain, 2, &world->leaf, NOW - DAY).problem, CRYPT_NONE);
}

static void
test_order(void **state)
{
	const struct world *world = *state;
	const struct authority_pair *swapped[] = {
	    &world->leaf, &world->root, &world->middle};
	struct crypt_fault fault = check(swapped, 3, &world->leaf, NOW);

	assert_int_equal(fault.problem, CRYPT_CHAIN_ORDER);
	assert_int_equal(fault.certificate, 1);
	/* A leaf issues nothing. */
	const struct authority_pair *doubled[] = {&world->leaf, &world->leaf};
	assert_int_equal(
	    check(doubled, 2, &world->leaf, NOW).problem, CRYPT_CHAIN_ORDER);
}

static void
test_weak(void **state)
{
	const struct world *world = *state;
	struct authority_wish old = wish("old", &world->middle);
	struct authority_wish shorter = wish("short", NULL);

	old.digest = "SHA1";
	shorter.key = "RSA";
	shorter.rsa_bits = 1024;
	struct authority_pair sha1 = authority_make(&old);
	struct authority_pair rsa = authority_make(&shorter);
	const struct authority_pair *one[] = {&sha1};
	assert_int_equal(
	    check(one, 1, &sha1, NOW).problem, CRYPT_WEAK_SIGNATURE);
	const struct authority_pair *other[] = {&rsa};
	assert_int_equal(check(other, 1, NULL, NOW).problem, CRYPT_WEAK_KEY);
	authority_pair_free(&sha1);
	authority_pair_free(&rsa);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_key),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_weak),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
