/* Makes keys and certificates for tests, of every kind that people bring, also
 * those that nobody should. */
#ifndef YUMEN_AUTHORITY_AUTHORITY_H
#define YUMEN_AUTHORITY_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include "core/text.h"

struct authority_pair {
	X509 *x509;
	EVP_PKEY *pkey;
};

struct authority_wish {
	const char *key; /* "P-256", "P-384", "secp256k1", "ED25519", "RSA" */
	unsigned rsa_bits; /* 0: 2048 */
	const char *subject; /* CN */
	const char *const *dns; /* NULL-terminated, may be NULL */
	const char *uri; /* may be NULL */
	struct slice odd_dns; /* a DNS name with any bytes; may be absent */
	struct slice ip; /* 4 or 16 bytes; may be absent */
	int64_t not_before, not_after; /* 0: an hour ago, in an hour */
	const char *digest; /* NULL: SHA256, or the key's own */
	bool is_authority;
	const struct authority_pair *issuer; /* NULL: itself */
};

struct authority_pair authority_make(const struct authority_wish *wish);
void authority_pair_free(struct authority_pair *pair);
void authority_push_certificate(
    const struct authority_pair *pair, struct text *out);
enum authority_form {
	AUTHORITY_PKCS8,
	AUTHORITY_TRADITIONAL, /* PKCS#1, SEC1 */
	AUTHORITY_PKCS8_ENCRYPTED,
	AUTHORITY_TRADITIONAL_ENCRYPTED,
};
void authority_push_key(const struct authority_pair *pair,
    enum authority_form form, struct text *out);

#endif
