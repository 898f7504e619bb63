/* The sum of all digests is kept up by what each change adds and takes away.
 * What a unit added stands in its tag, so that nothing is kept here. */
#include "ctl/units.h"

#include <assert.h>

#include "core/must.h"

/* Enough that handing it over costs nothing beside it. */
enum { PART_CHANGES = 1024 };

static_assert(sizeof(struct gw_tag) == sizeof(struct feed_generation),
    "a tag is what a unit adds to the generation");

void
ctl_units_init(struct ctl_units *units)
{
	*units = (struct ctl_units){0};
}

void
ctl_units_fini(struct ctl_units *units)
{
	feed_batch_free(&units->batch);
}

static struct unit_digest
digest_of(const struct gw_tag *tag)
{
	struct unit_digest digest = {0};

	memcpy(digest.bytes, tag->bytes, sizeof(tag->bytes));
	return digest;
}

/* A tag of zeros takes nothing away. */
void
ctl_units_put(struct ctl_units *units, struct slice name, struct slice bytes,
    struct gw_tag *tag)
{
	must(units != NULL && slice_is_set(name) && tag != NULL);
	struct unit_digest before = digest_of(tag);

	if (units->batch == NULL)
		units->batch = feed_batch_new();
	feed_generation_remove(&units->generation, &before);
	*tag = (struct gw_tag){0};
	if (!slice_is_set(bytes)) {
		feed_batch_drop(units->batch, name);
		return;
	}
	struct unit_digest now = snap_unit_digest(name, bytes);

	memcpy(tag->bytes, now.bytes, sizeof(tag->bytes));
	feed_generation_add(&units->generation, &now);
	feed_batch_put(units->batch, name, bytes);
}

struct feed_batch *
ctl_units_take_part(struct ctl_units *units)
{
	must(units != NULL);
	struct feed_batch *part = units->batch;

	if (part == NULL || part->count < PART_CHANGES)
		return NULL;
	units->batch = NULL;
	units->parted = true;
	part->part = true;
	return part;
}

struct feed_batch *
ctl_units_take(struct ctl_units *units)
{
	must(units != NULL);
	struct feed_batch *batch = units->batch;

	units->batch = NULL;
	if (batch == NULL && (units->parted || !units->offered))
		batch = feed_batch_new();
	if (batch == NULL)
		return NULL;
	batch->whole = !units->offered;
	batch->generation = units->generation;
	units->offered = true;
	units->parted = false;
	return batch;
}
