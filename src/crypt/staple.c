/* Takes OCSP responses apart. It holds one against the certificate and, where
 * the chain brings it, the issuer; never against a clock. */
#include "crypt/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <time.h>

#include "core/limit.h"
#include "core/must.h"

/* Who has issued the first certificate, wherever in the chain that stands;
 * NULL: it is not brought. */
static X509 *
issuer_in(const struct crypt_certificates *chain)
{
	X509 *own = chain->items[0]->x509, *issuer = NULL;

	for (unsigned i = 1; !issuer && i < chain->count; i++)
		if (X509_check_issued(chain->items[i]->x509, own) == X509_V_OK)
			issuer = chain->items[i]->x509;
	return issuer;
}

/* Without the issuer there is just the serial number to go by. */
static bool
is_about(const OCSP_CERTID *id, X509 *own, X509 *issuer)
{
	ASN1_OBJECT *digest;
	ASN1_INTEGER *serial;
	OCSP_CERTID *wanted;
	bool same;

	if (!OCSP_id_get0_info(
	        NULL, &digest, NULL, &serial, (OCSP_CERTID *)(uintptr_t)id) ||
	    ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(own)) != 0)
		return false;
	if (!issuer)
		return true;
	wanted = OCSP_cert_to_id(EVP_get_digestbyobj(digest), own, issuer);
	same = wanted && OCSP_id_issuer_cmp(wanted, id) == 0;
	OCSP_CERTID_free(wanted);
	return same;
}

static enum crypt_problem
judge_single(
    OCSP_SINGLERESP *single, struct crypt_staple *staple, int64_t *seconds)
{
	ASN1_GENERALIZEDTIME *revoked = NULL, *next = NULL;
	struct tm utc;

	switch (OCSP_single_get0_status(single, NULL, &revoked, NULL, &next)) {
	case V_OCSP_CERTSTATUS_GOOD:
		break;
	case V_OCSP_CERTSTATUS_REVOKED:
		if (revoked && ASN1_TIME_to_tm(revoked, &utc))
			*seconds = (int64_t)timegm(&utc);
		return CRYPT_STAPLE_REVOKED;
	default:
		return CRYPT_STAPLE_UNKNOWN;
	}
	/* Without a next update newer answers are always there. */
	if (!next)
		return CRYPT_STAPLE_ENDLESS;
	if (!ASN1_TIME_to_tm(next, &utc))
		return CRYPT_BAD_STAPLE;
	staple->until = (int64_t)timegm(&utc);
	return CRYPT_NONE;
}

/* RFC 6960 4.2.2.2: by the issuer, or by whom it has issued a certificate for
 * that purpose, which comes with the response. */
static bool
is_signed(OCSP_BASICRESP *basic, X509 *issuer)
{
	STACK_OF(X509) *known = sk_X509_new_null();
	X509_STORE *anchor = X509_STORE_new();
	bool good;

	must(known && anchor && sk_X509_push(known, issuer));
	good = X509_STORE_add_cert(anchor, issuer) &&
	    X509_STORE_set_flags(anchor,
	        X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME) &&
	    OCSP_basic_verify(
	        basic, known, anchor, OCSP_TRUSTOTHER | OCSP_NOEXPLICIT) == 1;
	X509_STORE_free(anchor);
	sk_X509_free(known);
	return good;
}

static enum crypt_problem
judge_basic(OCSP_BASICRESP *basic, const struct crypt_certificates *chain,
    bool whole, struct crypt_staple *staple, int64_t *seconds)
{
	X509 *own = chain->items[0]->x509, *issuer = issuer_in(chain);
	OCSP_SINGLERESP *single = NULL;

	for (int i = 0; !single && i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);

		if (is_about(OCSP_SINGLERESP_get0_id(one), own, issuer))
			single = one;
	}
	if (!single)
		return CRYPT_STAPLE_OTHER;
	/* Before it is listened to: anybody can say that one is revoked. */
	if (whole && issuer && !is_signed(basic, issuer))
		return CRYPT_STAPLE_FORGED;
	return judge_single(single, staple, seconds);
}

static enum crypt_problem
judge(OCSP_RESPONSE *response, const struct crypt_certificates *chain,
    bool whole, struct crypt_staple *staple, int64_t *seconds)
{
	OCSP_BASICRESP *basic;
	enum crypt_problem problem;

	if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return CRYPT_STAPLE_ERROR;
	basic = OCSP_response_get1_basic(response);
	if (!basic)
		return CRYPT_BAD_STAPLE;
	problem = judge_basic(basic, chain, whole, staple, seconds);
	OCSP_BASICRESP_free(basic);
	return problem;
}

static bool
take(struct slice der, const struct crypt_certificates *chain, bool whole,
    struct crypt_staple *staple, struct crypt_fault *fault)
{
	const unsigned char *at = (const unsigned char *)der.data;
	OCSP_RESPONSE *response = NULL;

	must(chain->count > 0);
	*staple = (struct crypt_staple){0};
	*fault = (struct crypt_fault){.problem = CRYPT_BAD_STAPLE};
	if (der.length <= LIMIT_VALUE_PEM_BYTES)
		response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.length);
	if (response && at == (const unsigned char *)der.data + der.length)
		fault->problem =
		    judge(response, chain, whole, staple, &fault->seconds);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return fault->problem == CRYPT_NONE;
}

bool
crypt_staple_parse(struct slice der, const struct crypt_certificates *chain,
    struct crypt_staple *staple, struct crypt_fault *fault)
{
	return take(der, chain, false, staple, fault);
}

bool
crypt_staple_check(struct slice der, const struct crypt_certificates *chain,
    struct crypt_staple *staple, struct crypt_fault *fault)
{
	return take(der, chain, true, staple, fault);
}
