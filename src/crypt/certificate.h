/* X.509 certificates: chains as a TLS Secret has them, bundles of authorities,
 * and what is asked of a certificate. Pure: the clock is an argument. */
#ifndef YUMEN_CRYPT_CERTIFICATE_H
#define YUMEN_CRYPT_CERTIFICATE_H

#include "core/arena.h"
#include "crypt/key.h"
#include "crypt/name.h"

struct x509_st; /* OpenSSL's X509 */

/* Read it; it does not change. */
struct crypt_certificate {
	struct x509_st *x509;
	int64_t not_before, not_after; /* seconds since 1970; both are valid */
	const struct crypt_name *names; /* of subjectAltName; the CN is none */
	unsigned name_count;
	enum crypt_key_kind key_kind;
	unsigned key_bits;
	bool is_self_issued; /* subject and issuer are the same */
	uint8_t digest[CRYPT_SHA256_BYTES]; /* of the certificate */
	uint8_t key_digest[CRYPT_SHA256_BYTES]; /* as crypt_key has it */
	unsigned line; /* where it began in the PEM text; 0: not from there */
	struct arena arena;
};

struct crypt_certificates {
	struct crypt_certificate **items;
	unsigned count;
};

/* A server's or client's chain, its own certificate first. NULL and a fault:
 * no PEM, no certificate, one that cannot be parsed, more than
 * LIMIT_CHAIN_CERTIFICATES. Other blocks are passed over. */
struct crypt_certificates *crypt_chain_parse(
    struct slice pem, struct crypt_fault *fault);
/* Authorities to trust: those that can be parsed. The fault names the first
 * that cannot (CRYPT_NONE: all can); NULL when there is none. */
struct crypt_certificates *crypt_bundle_parse(
    struct slice pem, struct crypt_fault *fault);
void crypt_certificates_free(struct crypt_certificates *certificates);

#define CRYPT_ANY_TIME INT64_MIN
/* Is the chain good to be served with the key (NULL: not asked) at this time?
 * What makes it unusable comes first: KEY_MISMATCH, UNSUPPORTED_KEY, WEAK_KEY,
 * WEAK_SIGNATURE; then EXPIRED, NOT_YET_VALID of its first certificate, of
 * others (not with CRYPT_ANY_TIME); then CHAIN_ORDER. */
void crypt_chain_check(const struct crypt_certificates *chain,
    const struct crypt_key *key, int64_t now_seconds,
    struct crypt_fault *fault);

/* A peer's certificate, counted by OpenSSL; NULL when it is malformed. */
struct crypt_certificate *crypt_certificate_from_x509(struct x509_st *x509);
void crypt_certificate_free(struct crypt_certificate *certificate);
/* Has it this name? DNS: case is ignored, a wildcard is its whole first label
 * and stands for one label (RFC 9525 6.3); others byte by byte. */
bool crypt_certificate_has(
    const struct crypt_certificate *certificate, struct crypt_name wanted);
/* Has issuer signed it? */
bool crypt_is_issued_by(const struct crypt_certificate *certificate,
    const struct crypt_certificate *issuer);
/* RFC 4514: "CN=a,O=b", control bytes escaped. */
void crypt_certificate_subject(
    const struct crypt_certificate *certificate, struct text *out);
void crypt_certificate_issuer(
    const struct crypt_certificate *certificate, struct text *out);
/* Its DER as PEM, for what backends are told. */
void crypt_certificate_pem(
    const struct crypt_certificate *certificate, struct text *out);

#endif
