/* Hashes for tables, not for security claims: SipHash-1-3 with a seed that
 * each process draws at start, so that a peer cannot choose collisions. */
#ifndef YUMEN_CORE_HASH_H
#define YUMEN_CORE_HASH_H

#include <stdint.h>
#include "core/slice.h"

uint64_t hash_bytes(struct slice bytes);

#endif
