/* Hashes for tables, not for security claims: SipHash-1-3 with a seed that
 * each process draws at start, so that a peer cannot choose collisions. */
#ifndef YUMEN_CORE_HASH_H
#define YUMEN_CORE_HASH_H

#include <stdint.h>
#include "core/slice.h"

uint64_t hash_bytes(struct slice bytes);

/* The same of parts, one after the other: where they are cut counts too, so
 * that no two lists of parts hash the same input. */
struct hash {
	uint64_t state[4];
};
void hash_init(struct hash *hash);
void hash_push(struct hash *hash, struct slice part);
void hash_push_number(struct hash *hash, uint64_t number);
uint64_t hash_take(const struct hash *hash);

#endif
