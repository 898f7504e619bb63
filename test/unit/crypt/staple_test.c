/* OCSP responses and what is wrong with them. */
#include "crypt/staple.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "authority/authority.h"
#include "core/must.h"

enum { NOW = 1800000000, DAY = 86400 };

struct world {
	struct authority_pair root, other, leaf;
	struct authority_pair responder, stranger; /* of root, of other */
	struct crypt_certificates *chain, *alone, *disordered;
};

/* Who may sign responses for an issuer. */
static struct authority_pair
make_responder(const struct authority_pair *issuer)
{
	struct authority_pair pair = authority_make(&(struct authority_wish){
	    .key = "P-256", .subject = "responder", .issuer = issuer});
	X509_EXTENSION *purpose =
	    X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "OCSPSigning");

	must(purpose && X509_add_ext(pair.x509, purpose, -1) &&
	    X509_sign(pair.x509, issuer->pkey, EVP_sha256()));
	X509_EXTENSION_free(purpose);
	return pair;
}

static struct crypt_certificates *
parse(const struct authority_pair *first, const struct authority_pair *second,
    const struct authority_pair *third)
{
	struct crypt_fault fault;
	struct text text;

	text_init(&text);
	authority_push_certificate(first, &text);
	if (second)
		authority_push_certificate(second, &text);
	if (third)
		authority_push_certificate(third, &text);
	struct crypt_certificates *chain =
	    crypt_chain_parse(text_slice(&text), &fault);
	assert_non_null(chain);
	text_fini(&text);
	return chain;
}

static int
set_up(void **state)
{
	static struct world world;
	struct authority_wish wish = {
	    .key = "P-256", .subject = "root", .is_authority = true};

	world.root = authority_make(&wish);
	world.other = authority_make(&wish);
	wish = (struct authority_wish){
	    .key = "P-256", .subject = "leaf", .issuer = &world.root};
	world.leaf = authority_make(&wish);
	world.responder = make_responder(&world.root);
	world.stranger = make_responder(&world.other);
	world.chain = parse(&world.leaf, &world.root, NULL);
	world.alone = parse(&world.leaf, NULL, NULL);
	world.disordered = parse(&world.leaf, &world.leaf, &world.root);
	*state = &world;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *world = *state;

	authority_pair_free(&world->root);
	authority_pair_free(&world->other);
	authority_pair_free(&world->leaf);
	authority_pair_free(&world->responder);
	authority_pair_free(&world->stranger);
	crypt_certificates_free(world->chain);
	crypt_certificates_free(world->alone);
	crypt_certificates_free(world->disordered);
	return 0;
}

/* What a response says, of which certificate of which issuer. */
struct saying {
	const struct authority_pair *of, *issuer;
	const struct authority_pair *signer; /* NULL: the issuer */
	unsigned long how; /* it signs */
	int answer; /* of the responder */
	int status;
	int64_t until; /* 0: nothing */
	bool legacy; /* another digest */
};

static void
respond(const struct saying *saying, struct text *der)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id =
	    OCSP_cert_to_id(saying->legacy ? EVP_sha1() : EVP_sha256(),
	        saying->of->x509, saying->issuer->x509);
	ASN1_TIME *now = ASN1_TIME_set(NULL, NOW);
	ASN1_TIME *until =
	    saying->until ? ASN1_TIME_set(NULL, saying->until) : NULL;

	must(OCSP_basic_add1_status(basic, id, saying->status,
	    OCSP_REVOKED_STATUS_KEYCOMPROMISE,
	    saying->status == V_OCSP_CERTSTATUS_REVOKED ? now : NULL, now,
	    until));
	const struct authority_pair *signer =
	    saying->signer ? saying->signer : saying->issuer;

	must(OCSP_basic_sign(basic, signer->x509, signer->pkey, EVP_sha256(),
	    NULL, saying->how));
	OCSP_RESPONSE *response = OCSP_response_create(saying->answer,
	    saying->answer == OCSP_RESPONSE_STATUS_SUCCESSFUL ? basic : NULL);
	unsigned char *bytes = NULL;
	int length = i2d_OCSP_RESPONSE(response, &bytes);

	must(length > 0);
	text_push(der, slice_make((const char *)bytes, (size_t)length));
	OPENSSL_free(bytes);
	OCSP_RESPONSE_free(response);
	ASN1_TIME_free(until);
	ASN1_TIME_free(now);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
}

typedef bool take_fn(struct slice der, const struct crypt_certificates *chain,
    struct crypt_staple *staple, struct crypt_fault *fault);

static void
expect_of(take_fn *take, const struct crypt_certificates *chain,
    const struct text *der, enum crypt_problem problem, int64_t until)
{
	struct crypt_staple staple;
	struct crypt_fault fault;

	assert_int_equal(take(text_slice(der), chain, &staple, &fault),
	    problem == CRYPT_NONE);
	assert_int_equal(fault.problem, problem);
	assert_int_equal(staple.until, until);
	assert_int_equal(
	    fault.seconds, problem == CRYPT_STAPLE_REVOKED ? NOW : 0);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
expect(const struct crypt_certificates *chain, const struct text *der,
    enum crypt_problem problem, int64_t until)
{
	expect_of(crypt_staple_parse, chain, der, problem, until);
	expect_of(crypt_staple_check, chain, der, problem, until);
}

static void
test_sayings(void **state)
{
	const struct world *world = *state;
	const int64_t end = NOW + DAY;
	const struct {
		struct saying saying;
		enum crypt_problem of_chain, of_one;
	} rows[] = {
	    {{.until = end}, CRYPT_NONE, CRYPT_NONE},
	    {{.until = end, .legacy = true}, CRYPT_NONE, CRYPT_NONE},
	    {{.until = 0}, CRYPT_STAPLE_ENDLESS, CRYPT_STAPLE_ENDLESS},
	    {{.until = end, .status = V_OCSP_CERTSTATUS_REVOKED},
	        CRYPT_STAPLE_REVOKED, CRYPT_STAPLE_REVOKED},
	    {{.until = end, .status = V_OCSP_CERTSTATUS_UNKNOWN},
	        CRYPT_STAPLE_UNKNOWN, CRYPT_STAPLE_UNKNOWN},
	    {{.until = end, .answer = OCSP_RESPONSE_STATUS_TRYLATER},
	        CRYPT_STAPLE_ERROR, CRYPT_STAPLE_ERROR},
	    {{.until = end, .of = &world->root}, CRYPT_STAPLE_OTHER,
	        CRYPT_STAPLE_OTHER},
	    /* The same number of another issuer, which is not to be known from
	     * the certificate alone. */
	    {{.until = end, .issuer = &world->other}, CRYPT_STAPLE_OTHER,
	        CRYPT_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct saying saying = rows[i].saying;
		struct text der;

		saying.of = saying.of ? saying.of : &world->leaf;
		saying.issuer = saying.issuer ? saying.issuer : &world->root;
		text_init(&der);
		respond(&saying, &der);
		expect(world->chain, &der, rows[i].of_chain,
		    rows[i].of_chain == CRYPT_NONE ? end : 0);
		expect(world->alone, &der, rows[i].of_one,
		    rows[i].of_one == CRYPT_NONE ? end : 0);
		text_fini(&der);
	}
}

/* Who has signed, and whether it counts; what parses says the same of all. */
static void
test_signers(void **state)
{
	const struct world *world = *state;
	const int64_t end = NOW + DAY;
	const struct {
		struct saying saying;
		bool good;
	} rows[] = {
	    {{.signer = &world->root}, true},
	    {{.signer = &world->root, .how = OCSP_NOCERTS}, true},
	    {{.signer = &world->root, .how = OCSP_RESPID_KEY}, true},
	    {{.signer = &world->responder}, true},
	    {{.signer = &world->responder, .how = OCSP_RESPID_KEY}, true},
	    {{.signer = &world->responder, .how = OCSP_NOCERTS}, false},
	    /* Of the same name, with its certificate beside. */
	    {{.signer = &world->other}, false},
	    {{.signer = &world->other, .how = OCSP_RESPID_KEY}, false},
	    {{.signer = &world->stranger}, false},
	    /* Issued by it, for another purpose. */
	    {{.signer = &world->leaf}, false},
	    /* Nobody learns from those that it is revoked. */
	    {{.signer = &world->leaf, .status = V_OCSP_CERTSTATUS_REVOKED},
	        false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct saying saying = rows[i].saying;
		enum crypt_problem problem =
		    rows[i].good ? CRYPT_NONE : CRYPT_STAPLE_FORGED;
		int64_t until = rows[i].good ? end : 0;
		struct text der;

		saying.of = &world->leaf;
		saying.issuer = &world->root;
		saying.until = end;
		text_init(&der);
		respond(&saying, &der);
		expect_of(
		    crypt_staple_check, world->chain, &der, problem, until);
		expect_of(crypt_staple_check, world->disordered, &der, problem,
		    until);
		if (saying.status == V_OCSP_CERTSTATUS_GOOD) {
			expect(world->alone, &der, CRYPT_NONE, end);
			expect_of(crypt_staple_parse, world->chain, &der,
			    CRYPT_NONE, end);
		}
		text_fini(&der);
	}
}

static void
test_bytes(void **state)
{
	const struct world *world = *state;
	const struct saying saying = {
	    .of = &world->leaf, .issuer = &world->root, .until = NOW + DAY};
	struct text der;

	text_init(&der);
	expect(world->chain, &der, CRYPT_BAD_STAPLE, 0);
	text_push_string(&der, "junk");
	expect(world->chain, &der, CRYPT_BAD_STAPLE, 0);
	text_reset(&der);
	respond(&saying, &der);
	text_push_byte(&der, 0);
	expect(world->chain, &der, CRYPT_BAD_STAPLE, 0);
	/* Cut anywhere it is none. */
	for (der.length--; der.length > 0;) {
		der.length--;
		expect(world->chain, &der, CRYPT_BAD_STAPLE, 0);
	}
	text_fini(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sayings),
	    cmocka_unit_test(test_signers),
	    cmocka_unit_test(test_bytes),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
