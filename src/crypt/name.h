/* Names in certificates, as bytes of a known length: never C strings, so that a
 * NUL in one ends nothing (CVE-2025-66220). */
#ifndef YUMEN_CRYPT_NAME_H
#define YUMEN_CRYPT_NAME_H

#include <stdbool.h>
#include "core/slice.h"

enum crypt_name_kind { CRYPT_NAME_DNS, CRYPT_NAME_URI, CRYPT_NAME_IP };

struct crypt_name {
	enum crypt_name_kind kind;
	struct slice value; /* IP: 4 or 16 bytes */
};

/* Does a certificate's DNS name cover host? Neither has a trailing dot. */
bool crypt_dns_name_covers(struct slice name, struct slice host);
/* Does what a certificate has match what is wanted? */
bool crypt_name_matches(struct crypt_name had, struct crypt_name wanted);
/* May these bytes of a certificate be a name of that kind at all? */
bool crypt_name_is_sane(struct crypt_name name);

#endif
