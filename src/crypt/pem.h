/* PEM (RFC 7468) as Kubernetes Secrets and ConfigMaps have it: blocks, with
 * text between them that says nothing. Knows lines, so that a mistake is found.
 */
#ifndef YUMEN_CRYPT_PEM_H
#define YUMEN_CRYPT_PEM_H

#include <stdbool.h>
#include <stdint.h>
#include "core/error.h"
#include "core/slice.h"
#include "crypt/fault.h"

struct crypt_pem {
	struct slice rest; /* of the text, borrowed */
	unsigned next_line; /* where it begins */
	/* The block: */
	struct slice label; /* "CERTIFICATE", in the text */
	unsigned line; /* of its BEGIN, from 1 */
	bool encrypted; /* a header says so (RFC 1421); bytes are of no use */
	uint8_t *bytes; /* owned, as large as any block can be */
	size_t length;
	size_t used_bytes; /* the most that was ever in it, to be wiped */
};

void crypt_pem_init(struct crypt_pem *pem, struct slice text);
/* Wipes what was decoded: it may have been a key. */
void crypt_pem_fini(struct crypt_pem *pem);
/* The next block: OK, NOT_FOUND (no more), INVALID and a fault; after that it
 * goes on behind the bad block. */
enum error crypt_pem_next(
    struct crypt_pem *pem, struct crypt_fault *fault) must_check;

#endif
