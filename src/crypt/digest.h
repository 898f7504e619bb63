/* Digests over libcrypto. */
#ifndef YUMEN_CRYPT_DIGEST_H
#define YUMEN_CRYPT_DIGEST_H

#include <stdint.h>
#include "core/slice.h"

#define CRYPT_SHA256_BYTES 32
/* SHA-256 of the parts one after the other. */
void crypt_sha256(
    const struct slice *parts, unsigned count, uint8_t out[CRYPT_SHA256_BYTES]);
/* HMAC (RFC 2104) with SHA-256, of the parts one after the other. */
void crypt_hmac_sha256(struct slice key, const struct slice *parts,
    unsigned count, uint8_t out[CRYPT_SHA256_BYTES]);

#endif
