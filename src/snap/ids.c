/* The numbers: a table by number, a map by name, and two stacks of numbers that
 * are not in use: those that workers may still know, oldest first, and those
 * that are free. */
#include "snap/ids.h"

#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"

struct ids_entry {
	uint32_t id;
	uint32_t references;
	uint32_t name_length;
	char name[];
};

struct ids_freed {
	uint64_t epoch;
	uint32_t id;
};

struct snap_ids {
	struct map by_name;
	struct ids_entry **entries; /* by number; NULL: not in use */
	struct ids_freed *waiting; /* [waiting_first, waiting_end) */
	uint32_t *free; /* the last is given out next */
	uint32_t limit, capacity;
	uint32_t waiting_first, waiting_end;
	uint32_t free_count;
	uint64_t epoch;
};

struct snap_ids *
snap_ids_new(void)
{
	struct snap_ids *ids = memory_zero(1, sizeof(*ids));

	map_init(&ids->by_name);
	return ids;
}

void
snap_ids_free(struct snap_ids *ids)
{
	if (!ids)
		return;
	for (uint32_t i = 0; i < ids->limit; i++)
		memory_free(ids->entries[i]);
	map_fini(&ids->by_name);
	memory_free(ids->entries);
	memory_free(ids->waiting);
	memory_free(ids->free);
	memory_free(ids);
}

/* All three tables have room for every number, so that none can overflow. */
static void
grow(struct snap_ids *ids)
{
	must(ids->capacity < SNAP_ID_NONE / 4);
	ids->capacity = ids->capacity ? ids->capacity * 2 : 16;
	ids->entries =
	    memory_resize(ids->entries, ids->capacity, sizeof(*ids->entries));
	ids->waiting =
	    memory_resize(ids->waiting, ids->capacity, sizeof(*ids->waiting));
	ids->free = memory_resize(ids->free, ids->capacity, sizeof(*ids->free));
}

static uint32_t
take_number(struct snap_ids *ids)
{
	if (ids->free_count > 0)
		return ids->free[--ids->free_count];
	if (ids->limit == ids->capacity)
		grow(ids);
	return ids->limit++;
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
	map_put(&ids->by_name, slice_make(entry->name, name.length), entry);
	return entry->id;
}

void
snap_ids_unref(struct snap_ids *ids, uint32_t id)
{
	must(id < ids->limit && ids->entries[id] != NULL);
	struct ids_entry *entry = ids->entries[id];

	if (--entry->references > 0)
		return;
	map_remove(&ids->by_name, slice_make(entry->name, entry->name_length));
	memory_free(entry);
	ids->entries[id] = NULL;
	if (ids->waiting_end == ids->capacity) {
		ids->waiting_end -= ids->waiting_first;
		memmove(ids->waiting, ids->waiting + ids->waiting_first,
		    ids->waiting_end * sizeof(*ids->waiting));
		ids->waiting_first = 0;
	}
	ids->waiting[ids->waiting_end++] =
	    (struct ids_freed){.epoch = ids->epoch, .id = id};
}

struct slice
snap_ids_name(const struct snap_ids *ids, uint32_t id)
{
	if (id >= ids->limit || !ids->entries[id])
		return SLICE_NONE;
	return slice_make(
	    ids->entries[id]->name, ids->entries[id]->name_length);
}

void
snap_ids_epoch(struct snap_ids *ids, uint64_t epoch)
{
	must(epoch >= ids->epoch);
	ids->epoch = epoch;
}

void
snap_ids_reclaim(struct snap_ids *ids, uint64_t epoch)
{
	while (ids->waiting_first < ids->waiting_end &&
	    ids->waiting[ids->waiting_first].epoch < epoch)
		ids->free[ids->free_count++] =
		    ids->waiting[ids->waiting_first++].id;
	if (ids->waiting_first == ids->waiting_end)
		ids->waiting_first = ids->waiting_end = 0;
}

uint32_t
snap_ids_limit(const struct snap_ids *ids)
{
	return ids->limit;
}
