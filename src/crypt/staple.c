/* Takes OCSP responses apart. It holds one against the certificate and, where
 * the chain brings it, the issuer; never against a clock or a signature. */
#include "crypt/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <time.h>

#include "core/limit.h"
#include "core/must.h"

/* Its issuer is digested again only when it is there: a chain of one
 * certificate has just the serial number to go by. */
static bool
is_about(const OCSP_CERTID *id, const struct crypt_certificates *chain)
{
	X509 *own = chain->items[0]->x509;
	ASN1_OBJECT *digest;
	ASN1_INTEGER *serial;
	OCSP_CERTID *wanted;
	bool same;

	if (!OCSP_id_get0_info(
	        NULL, &digest, NULL, &serial, (OCSP_CERTID *)(uintptr_t)id) ||
	    ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(own)) != 0)
		return false;
	if (chain->count == 1)
		return true;
	wanted = OCSP_cert_to_id(
	    EVP_get_digestbyobj(digest), own, chain->items[1]->x509);
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

static enum crypt_problem
judge(const OCSP_RESPONSE *response, const struct crypt_certificates *chain,
    struct crypt_staple *staple, int64_t *seconds)
{
	OCSP_RESPONSE *mutable = (OCSP_RESPONSE *)(uintptr_t)response;
	OCSP_BASICRESP *basic;
	enum crypt_problem problem = CRYPT_STAPLE_OTHER;

	if (OCSP_response_status(mutable) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		return CRYPT_STAPLE_ERROR;
	basic = OCSP_response_get1_basic(mutable);
	if (!basic)
		return CRYPT_BAD_STAPLE;
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

		if (!is_about(OCSP_SINGLERESP_get0_id(single), chain))
			continue;
		problem = judge_single(single, staple, seconds);
		break;
	}
	OCSP_BASICRESP_free(basic);
	return problem;
}

bool
crypt_staple_parse(struct slice der, const struct crypt_certificates *chain,
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
		    judge(response, chain, staple, &fault->seconds);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return fault->problem == CRYPT_NONE;
}
