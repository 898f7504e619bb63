/* The map: open addressing with linear probing, at most seven eighths full.
 * Removal shifts the rest of a run back, so that there are no tombstones. An
 * entry is three words: keys are shorter than 4 GiB, and half a hash tells
 * nearly all others away. */
#include "core/map.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"

enum { CAPACITY_MIN = 8 };

struct map_entry {
	const char *key;
	void *value; /* NULL: free */
	uint32_t key_length;
	uint32_t hash;
};

static struct slice
key_of(const struct map_entry *entry)
{
	return slice_make(entry->key, entry->key_length);
}

static uint32_t
hash_of(struct slice key)
{
	return (uint32_t)hash_bytes(key);
}

void
map_init(struct map *map)
{
	*map = (struct map){0};
}

void
map_fini(struct map *map)
{
	memory_free(map->entries);
	map_init(map);
}

/* The place of key: its entry, or the free one where it would go. */
static size_t
find(const struct map *map, struct slice key, uint32_t hash)
{
	size_t mask = map->capacity - 1;
	size_t at = hash & mask;

	for (; map->entries[at].value; at = (at + 1) & mask)
		if (map->entries[at].hash == hash &&
		    slice_equal(key_of(&map->entries[at]), key))
			break;
	return at;
}

void *
map_get(const struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;
	return map->entries[find(map, key, hash_of(key))].value;
}

static void
grow(struct map *map)
{
	struct map old = *map;

	map->capacity = old.capacity ? old.capacity * 2 : CAPACITY_MIN;
	map->entries = memory_zero(map->capacity, sizeof(*map->entries));
	for (size_t i = 0; i < old.capacity; i++) {
		const struct map_entry *entry = &old.entries[i];

		if (entry->value)
			map->entries[find(map, key_of(entry), entry->hash)] =
			    *entry;
	}
	memory_free(old.entries);
}

void *
map_put(struct map *map, struct slice key, void *value)
{
	uint32_t hash = hash_of(key);

	must(value != NULL && key.length <= UINT32_MAX);
	if (map->count >= map->capacity / 8 * 7)
		grow(map);

	struct map_entry *entry = &map->entries[find(map, key, hash)];
	void *before = entry->value;

	if (!before)
		map->count++;
	*entry = (struct map_entry){
	    .key = key.data,
	    .value = value,
	    .key_length = (uint32_t)key.length,
	    .hash = hash,
	};
	return before;
}

/* Close the gap at hole: each entry of the run behind it that may stand there
 * (its home is not between the hole and itself) moves back. */
static void
close_gap(struct map *map, size_t hole)
{
	size_t mask = map->capacity - 1;
	size_t at = (hole + 1) & mask;

	for (; map->entries[at].value; at = (at + 1) & mask) {
		size_t home = map->entries[at].hash & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->entries[hole] = map->entries[at];
			hole = at;
		}
	}
	map->entries[hole] = (struct map_entry){0};
}

void *
map_remove(struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;

	size_t at = find(map, key, hash_of(key));
	void *before = map->entries[at].value;

	if (before) {
		close_gap(map, at);
		map->count--;
	}
	return before;
}

bool
map_next(const struct map *map, size_t *at, struct slice *key, void **value)
{
	while (*at < map->capacity) {
		const struct map_entry *entry = &map->entries[(*at)++];

		if (!entry->value)
			continue;
		*key = key_of(entry);
		*value = entry->value;
		return true;
	}
	return false;
}
