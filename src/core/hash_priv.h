/* SipHash-1-3 with a key of the caller's, so that tests can hold it against
 * known answers. Words are read little-endian. */
#ifndef YUMEN_CORE_HASH_PRIV_H
#define YUMEN_CORE_HASH_PRIV_H

#include <stdint.h>

#include "core/slice.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "hash_bytes_seeded reads words as they lie");

uint64_t hash_bytes_seeded(struct slice bytes, const uint64_t key[2]);

#endif
