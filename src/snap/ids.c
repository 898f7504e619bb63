/* A table by number, and a map by name. */
#include "snap/ids.h"

#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"
#include "snap/numbers.h"

struct ids_entry {
	uint32_t id;
	uint32_t references;
	uint32_t name_length;
	char name[];
};

struct snap_ids {
	struct map by_name;
	struct ids_entry **entries; /* by number; NULL: not in use */
	uint32_t capacity;
	struct snap_numbers numbers;
};

static struct slice
name_of(const void *value)
{
	const struct ids_entry *entry = value;

	return slice_make(entry->name, entry->name_length);
}

struct snap_ids *
snap_ids_new(void)
{
	struct snap_ids *ids = memory_zero(1, sizeof(*ids));

	map_init_keyed(&ids->by_name, name_of);
	return ids;
}

void
snap_ids_free(struct snap_ids *ids)
{
	if (!ids)
		return;
	for (uint32_t i = 0; i < ids->numbers.limit; i++)
		memory_free(ids->entries[i]);
	map_fini(&ids->by_name);
	memory_free(ids->entries);
	snap_numbers_fini(&ids->numbers);
	memory_free(ids);
}

static uint32_t
take_number(struct snap_ids *ids)
{
	uint32_t id = snap_numbers_take(&ids->numbers);

	if (id >= ids->capacity) {
		ids->capacity = ids->capacity ? ids->capacity * 2 : 16;
		must(id < ids->capacity);
		ids->entries = memory_resize(
		    ids->entries, ids->capacity, sizeof(*ids->entries));
	}
	return id;
}

uint32_t
snap_ids_ref(struct snap_ids *ids, struct slice name)
{
	struct ids_entry *entry = map_get(&ids->by_name, name);

	if (entry) {
		must(entry->references < UINT32_MAX);
		entry->references++;
		return entry->id;
	}
	must(name.length <= UINT32_MAX);
	entry = memory_alloc(sizeof(*entry) + name.length);
	*entry = (struct ids_entry){
	    .id = take_number(ids),
	    .references = 1,
	    .name_length = (uint32_t)name.length,
	};
	if (name.length > 0)
		memcpy(entry->name, name.data, name.length);
	ids->entries[entry->id] = entry;
	(void)map_add(&ids->by_name, entry);
	return entry->id;
}

void
snap_ids_unref(struct snap_ids *ids, uint32_t id)
{
	must(id < ids->numbers.limit && ids->entries[id] != NULL);
	struct ids_entry *entry = ids->entries[id];

	if (--entry->references > 0)
		return;
	(void)map_remove(&ids->by_name, name_of(entry));
	memory_free(entry);
	ids->entries[id] = NULL;
	snap_numbers_give(&ids->numbers, id);
}

void
snap_ids_epoch(struct snap_ids *ids, uint64_t epoch)
{
	snap_numbers_epoch(&ids->numbers, epoch);
}

void
snap_ids_reclaim(struct snap_ids *ids, uint64_t epoch)
{
	snap_numbers_reclaim(&ids->numbers, epoch);
}

uint32_t
snap_ids_limit(const struct snap_ids *ids)
{
	return ids->numbers.limit;
}
