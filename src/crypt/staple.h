/* OCSP responses (RFC 6960) as a Secret brings them to be stapled: what one
 * says of a chain's first certificate. Pure. */
#ifndef YUMEN_CRYPT_STAPLE_H
#define YUMEN_CRYPT_STAPLE_H

#include "crypt/certificate.h"

struct crypt_staple {
	int64_t
	    until; /* seconds since 1970; newer ones are to be had by then */
};

/* False and a fault: it cannot be parsed, is of another certificate, says that
 * this one is not good, or not until when it holds. Whether it still holds is
 * for the caller's clock. */
bool crypt_staple_parse(struct slice der,
    const struct crypt_certificates *chain, struct crypt_staple *staple,
    struct crypt_fault *fault);
/* As crypt_staple_parse; and it must be signed by the issuer, or by a responder
 * of the issuer's (RFC 6960 4.2.2.2), where the chain brings the issuer.
 * Without, that is for clients to verify. */
bool crypt_staple_check(struct slice der,
    const struct crypt_certificates *chain, struct crypt_staple *staple,
    struct crypt_fault *fault);

#endif
