/* A map from keys (bytes, borrowed from the value or an arena) to pointers:
 * open addressing, SipHash-1-3 with a per-process seed, grows by doubling. */
#ifndef YUMEN_CORE_MAP_H
#define YUMEN_CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

/* The key that a value has in itself. */
typedef struct slice (*map_key_fn)(const void *value);

struct map {
	map_key_fn key_of; /* NULL: values do not know their keys */
	void **values; /* NULL: free */
	uint32_t *hashes;
	struct slice *keys; /* NULL: with key_of */
	size_t count, capacity;
};

void map_init(struct map *map);
/* Of values that know their keys, which the map then need not: where there are
 * very many, that is more than half of it. */
void map_init_keyed(struct map *map, map_key_fn key_of);
void map_fini(struct map *map);
/* NULL when absent. */
void *map_get(const struct map *map, struct slice key);
/* Sets key to value (not NULL); returns the value it had, or NULL. The key's
 * bytes must live as long as the entry; a replaced entry takes the new key. */
void *map_put(struct map *map, struct slice key, void *value);
/* The same of a map whose values know their keys. */
void *map_add(struct map *map, void *value);
/* Removes key; returns the value it had, or NULL. */
void *map_remove(struct map *map, struct slice key);
/* Walk all entries, in no useful order: start with *at = 0, ends with false.
 * The map must not change during the walk. */
bool map_next(
    const struct map *map, size_t *at, struct slice *key, void **value);

#endif
