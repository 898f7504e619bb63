/* The map: open addressing with linear probing, at most seven eighths full.
 * Removal shifts the rest of a run back, so that there are no tombstones. Half
 * a hash tells nearly all other keys away. */
#include "core/map.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"

enum { CAPACITY_MIN = 8 };

static uint32_t
hash_of(struct slice key)
{
	return (uint32_t)hash_bytes(key);
}

static struct slice
key_at(const struct map *map, size_t at)
{
	return map->key_of != NULL ? map->key_of(map->values[at])
	                           : map->keys[at];
}

void
map_init(struct map *map)
{
	*map = (struct map){0};
}

void
map_init_keyed(struct map *map, map_key_fn key_of)
{
	must(key_of != NULL);
	*map = (struct map){.key_of = key_of};
}

/* All is in one block. */
static void
allocate(struct map *map, size_t capacity)
{
	size_t bytes = sizeof(*map->values) + sizeof(*map->hashes) +
	    (map->key_of != NULL ? 0 : sizeof(*map->keys));

	map->capacity = capacity;
	map->values = memory_zero(capacity, bytes);
	map->keys = NULL;
	if (map->key_of != NULL) {
		map->hashes = (void *)(map->values + capacity);
	} else {
		map->keys = (void *)(map->values + capacity);
		map->hashes = (void *)(map->keys + capacity);
	}
}

void
map_fini(struct map *map)
{
	memory_free(map->values);
	*map = (struct map){.key_of = map->key_of};
}

/* The place of key: its own, or the free one where it would go. */
static size_t
find(const struct map *map, struct slice key, uint32_t hash)
{
	size_t mask = map->capacity - 1;
	size_t at = hash & mask;

	for (; map->values[at]; at = (at + 1) & mask)
		if (map->hashes[at] == hash &&
		    slice_equal(key_at(map, at), key))
			break;
	return at;
}

void *
map_get(const struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;
	return map->values[find(map, key, hash_of(key))];
}

static void
move(struct map *to, size_t at, const struct map *from, size_t from_at)
{
	to->values[at] = from->values[from_at];
	to->hashes[at] = from->hashes[from_at];
	if (to->keys != NULL)
		to->keys[at] = from->keys[from_at];
}

static void
grow(struct map *map)
{
	const struct map old = *map;

	allocate(map, old.capacity ? old.capacity * 2 : CAPACITY_MIN);
	for (size_t i = 0; i < old.capacity; i++) {
		size_t at = old.hashes[i] & (map->capacity - 1);

		if (!old.values[i])
			continue;
		while (map->values[at])
			at = (at + 1) & (map->capacity - 1);
		move(map, at, &old, i);
	}
	memory_free(old.values);
}

void *
map_put(struct map *map, struct slice key, void *value)
{
	uint32_t hash = hash_of(key);

	must(value != NULL);
	if (map->count >= map->capacity / 8 * 7)
		grow(map);

	size_t at = find(map, key, hash);
	void *before = map->values[at];

	if (!before)
		map->count++;
	map->values[at] = value;
	map->hashes[at] = hash;
	if (map->keys != NULL)
		map->keys[at] = key;
	return before;
}

void *
map_add(struct map *map, void *value)
{
	must(map->key_of != NULL && value != NULL);
	return map_put(map, map->key_of(value), value);
}

/* Close the gap at hole: each entry of the run behind it that may stand there
 * (its home is not between the hole and itself) moves back. */
static void
close_gap(struct map *map, size_t hole)
{
	size_t mask = map->capacity - 1;
	size_t at = (hole + 1) & mask;

	for (; map->values[at]; at = (at + 1) & mask) {
		size_t home = map->hashes[at] & mask;

		if (((at - home) & mask) >= ((at - hole) & mask)) {
			move(map, hole, map, at);
			hole = at;
		}
	}
	map->values[hole] = NULL;
}

void *
map_remove(struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;

	size_t at = find(map, key, hash_of(key));
	void *before = map->values[at];

	if (before) {
		close_gap(map, at);
		map->count--;
	}
	return before;
}

bool
map_next(const struct map *map, size_t *at, struct slice *key, void **value)
{
	for (; *at < map->capacity; (*at)++) {
		if (!map->values[*at])
			continue;
		*key = key_at(map, *at);
		*value = map->values[(*at)++];
		return true;
	}
	return false;
}
