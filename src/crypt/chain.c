/* Judges a chain: what would keep it from being served, or peers from
 * believing it. What libssl refuses at its security level 2 is told here in
 * words. */
#include "crypt/certificate.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/must.h"
#include "crypt/key_priv.h"

enum { SIGNATURE_SECURITY_BITS_MIN = 112 };

typedef enum crypt_problem (*judge_fn)(
    const struct crypt_certificates *chain, unsigned at, int64_t now_seconds);

static enum crypt_problem
judge_key(const struct crypt_certificates *chain, unsigned at, int64_t now)
{
	enum crypt_key_kind kind;
	unsigned bits;
	(void)now;
	return crypt_key_judge(
	    X509_get0_pubkey(chain->items[at]->x509), &kind, &bits);
}

/* The signature of a root is nobody's proof. Ed25519 has no digest of its own
 * and says 128 bits. */
static enum crypt_problem
judge_signature(
    const struct crypt_certificates *chain, unsigned at, int64_t now)
{
	const struct crypt_certificate *certificate = chain->items[at];
	int bits = 0;
	(void)now;
	if (certificate->is_self_issued)
		return CRYPT_NONE;
	int known =
	    X509_get_signature_info(certificate->x509, NULL, NULL, &bits, NULL);
	ERR_clear_error();
	return known && bits < SIGNATURE_SECURITY_BITS_MIN
	    ? CRYPT_WEAK_SIGNATURE
	    : CRYPT_NONE;
}

static enum crypt_problem
judge_time(const struct crypt_certificates *chain, unsigned at, int64_t now)
{
	if (now == CRYPT_ANY_TIME)
		return CRYPT_NONE;
	if (now > chain->items[at]->not_after)
		return CRYPT_EXPIRED;
	return now < chain->items[at]->not_before ? CRYPT_NOT_YET_VALID
	                                          : CRYPT_NONE;
}

/* By names, key identifiers and what the issuer may sign; not by signatures,
 * which are the client's to verify and cost as much as all the rest. */
static enum crypt_problem
judge_order(const struct crypt_certificates *chain, unsigned at, int64_t now)
{
	(void)now;
	if (at + 1 == chain->count)
		return CRYPT_NONE;
	int result = X509_check_issued(
	    chain->items[at + 1]->x509, chain->items[at]->x509);
	ERR_clear_error();
	return result == X509_V_OK ? CRYPT_NONE : CRYPT_CHAIN_ORDER;
}

/* Equal digests say it at once; one key has more than one encoding. */
static bool
is_pair(
    const struct crypt_certificate *certificate, const struct crypt_key *key)
{
	if (memcmp(key->digest, certificate->key_digest, sizeof(key->digest)) ==
	    0)
		return true;
	bool equal =
	    EVP_PKEY_eq(X509_get0_pubkey(certificate->x509), key->pkey) == 1;
	ERR_clear_error();
	return equal;
}

void
crypt_chain_check(const struct crypt_certificates *chain,
    const struct crypt_key *key, int64_t now_seconds, struct crypt_fault *fault)
{
	static const judge_fn judges[] = {
	    judge_key, judge_signature, judge_time, judge_order};

	must(chain->count > 0);
	*fault = (struct crypt_fault){0};
	if (key && !is_pair(chain->items[0], key)) {
		fault->problem = CRYPT_KEY_MISMATCH;
		return;
	}
	for (unsigned i = 0; i < sizeof(judges) / sizeof(judges[0]); i++)
		for (unsigned at = 0; at < chain->count; at++) {
			const struct crypt_certificate *certificate =
			    chain->items[at];

			fault->problem = judges[i](chain, at, now_seconds);
			if (fault->problem == CRYPT_NONE)
				continue;
			fault->certificate = at + 1;
			fault->line = certificate->line;
			if (fault->problem == CRYPT_EXPIRED)
				fault->seconds = certificate->not_after;
			else if (fault->problem == CRYPT_NOT_YET_VALID)
				fault->seconds = certificate->not_before;
			return;
		}
}
