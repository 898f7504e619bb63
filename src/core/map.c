/* The map: open addressing with linear probing, at most three quarters full.
 * Removal shifts the rest of a run back, so that there are no tombstones. */
#include "core/map.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"

enum { CAPACITY_MIN = 8 };

struct map_entry {
	uint64_t hash;
	struct slice key;
	void *value; /* NULL: free */
};

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
find(const struct map *map, struct slice key, uint64_t hash)
{
	size_t mask = map->capacity - 1;
	size_t at = hash & mask;

	for (; map->entries[at].value; at = (at + 1) & mask)
		if (map->entries[at].hash == hash &&
		    slice_equal(map->entries[at].key, key))
			break;
	return at;
}

void *
map_get(const struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;
	return map->entries[find(map, key, hash_bytes(key))].value;
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
			map->entries[find(map, entry->key, entry->hash)] =
			    *entry;
	}
	memory_free(old.entries);
}

void *
map_put(struct map *map, struct slice key, void *value)
{
	uint64_t hash = hash_bytes(key);

	must(value != NULL);
	if (map->count >= map->capacity / 4 * 3)
		grow(map);

	struct map_entry *entry = &map->entries[find(map, key, hash)];
	void *before = entry->value;

	if (!before)
		map->count++;
	*entry = (struct map_entry){.hash = hash, .key = key, .value = value};
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

	size_t at = find(map, key, hash_bytes(key));
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
		*key = entry->key;
		*value = entry->value;
		return true;
	}
	return false;
}
