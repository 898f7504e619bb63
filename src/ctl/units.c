/* The sum of all digests is kept up by what each change adds and takes away. */
#include "ctl/units.h"

#include "core/memory.h"
#include "core/must.h"

struct unit_entry {
	struct unit_digest digest;
	struct slice name; /* behind this struct */
	char storage[];
};

void
ctl_units_init(struct ctl_units *units)
{
	*units = (struct ctl_units){0};
	map_init(&units->digests);
}

void
ctl_units_fini(struct ctl_units *units)
{
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(&units->digests, &at, &key, &value);)
		memory_free(value);
	map_fini(&units->digests);
	feed_batch_free(&units->batch);
}

static struct unit_entry *
new_entry(struct ctl_units *units, struct slice name)
{
	struct unit_entry *entry = memory_zero(1, sizeof(*entry) + name.length);

	memcpy(entry->storage, name.data, name.length);
	entry->name = slice_make(entry->storage, name.length);
	(void)map_put(&units->digests, entry->name, entry);
	return entry;
}

void
ctl_units_put(struct ctl_units *units, struct slice name, struct slice bytes)
{
	must(units != NULL && slice_is_set(name));
	struct unit_entry *entry = map_get(&units->digests, name);

	if (units->batch == NULL)
		units->batch = feed_batch_new();
	if (entry != NULL)
		feed_generation_remove(&units->generation, &entry->digest);
	if (!slice_is_set(bytes)) {
		feed_batch_drop(units->batch, name);
		if (entry != NULL)
			(void)map_remove(&units->digests, name);
		memory_free(entry);
		return;
	}
	if (entry == NULL)
		entry = new_entry(units, name);
	entry->digest = snap_unit_digest(name, bytes);
	feed_generation_add(&units->generation, &entry->digest);
	feed_batch_put(units->batch, name, bytes);
}

struct feed_batch *
ctl_units_take(struct ctl_units *units)
{
	must(units != NULL);
	struct feed_batch *batch = units->batch;

	units->batch = NULL;
	if (!units->offered && batch == NULL)
		batch = feed_batch_new();
	if (batch == NULL)
		return NULL;
	batch->whole = !units->offered;
	batch->generation = units->generation;
	units->offered = true;
	return batch;
}
