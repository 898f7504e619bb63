/* Private keys: RSA, ECDSA on the curves of TLS, Ed25519. A key is never
 * printed; what names it is the digest of its public half. */
#ifndef YUMEN_CRYPT_KEY_H
#define YUMEN_CRYPT_KEY_H

#include "crypt/digest.h"
#include "crypt/fault.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

enum crypt_key_kind {
	CRYPT_KEY_UNSUPPORTED,
	CRYPT_KEY_RSA,
	CRYPT_KEY_ECDSA,
	CRYPT_KEY_ED25519
};
const char *crypt_key_kind_text(enum crypt_key_kind kind);

struct crypt_key {
	struct evp_pkey_st *pkey;
	enum crypt_key_kind kind;
	unsigned bits;
	/* SHA-256 of its SubjectPublicKeyInfo, as crypt_certificate has it. */
	uint8_t digest[CRYPT_SHA256_BYTES];
};

/* The one private key of a PEM text (PKCS#8, PKCS#1, SEC1); other blocks are
 * passed over. NULL and a fault: no PEM, no key or several, encrypted, not
 * parseable, too short, of a kind that TLS here has no use for. */
struct crypt_key *crypt_key_parse(struct slice pem, struct crypt_fault *fault);
void crypt_key_free(struct crypt_key *key); /* NULL is nothing */

#endif
