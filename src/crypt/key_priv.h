/* What key.c and certificate.c both ask of OpenSSL's keys. */
#ifndef YUMEN_CRYPT_KEY_PRIV_H
#define YUMEN_CRYPT_KEY_PRIV_H

#include "crypt/key.h"

/* WEAK_KEY, UNSUPPORTED_KEY or NONE. */
enum crypt_problem crypt_key_judge(
    const struct evp_pkey_st *pkey, enum crypt_key_kind *kind, unsigned *bits);
/* Keys on the curves of TLS in their two usual encodings, with their public
 * half; NULL: not that, which the general way may understand. */
struct evp_pkey_st *crypt_key_from_pkcs8_ec(struct slice der);
struct evp_pkey_st *crypt_key_from_sec1(struct slice der, const char *curve);
/* Without openssl.cnf: what works is not the host's to configure. Before the
 * first use of libcrypto. */
void crypt_init(void);

#endif
