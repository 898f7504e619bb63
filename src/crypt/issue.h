/* Certificates of our own making: an authority that is only for yumen's own
 * connections, and servers' certificates by it. ECDSA on P-256. Pure but for
 * the keys, which libcrypto draws; the clock is an argument. */
#ifndef YUMEN_CRYPT_ISSUE_H
#define YUMEN_CRYPT_ISSUE_H

#include <stdint.h>
#include "core/error.h"
#include "core/text.h"
#include "crypt/name.h"

/* Seconds since 1970. */
struct crypt_validity {
	int64_t not_before, not_after;
};

/* Append a new authority's certificate and its key, both PEM. */
void crypt_issue_authority(struct slice common_name,
    struct crypt_validity validity, struct text *certificate, struct text *key);
/* Append a server's certificate with these names, by the first certificate and
 * the one key of authority (PEM), and its key. INVALID: authority is none. */
enum error crypt_issue_server(struct slice authority,
    const struct crypt_name *names, unsigned name_count,
    struct crypt_validity validity, struct text *certificate,
    struct text *key) must_check;

#endif
