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
 * for the caller's clock; who has signed it is for clients, who verify it. */
bool crypt_staple_parse(struct slice der,
    const struct crypt_certificates *chain, struct crypt_staple *staple,
    struct crypt_fault *fault);

#endif
