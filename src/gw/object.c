/* The tables of kinds and records, and objects' lives. */
#include "gw/object.h"

#include "core/memory.h"
#include "core/must.h"

#define RECORD_FILE "gw/object.def"
#include "core/record_tables.h"
#undef RECORD_FILE

const struct gw_kind_row gw_kinds[GW_KIND__COUNT] = {
#define GW_KIND( \
    row, group_, versions_, kind_, plural_, short_, scoped, record) \
	[GW_##row] = {.group = (group_), \
	    .versions = (versions_), \
	    .kind = (kind_), \
	    .plural = (plural_), \
	    .short_names = (short_), \
	    .namespaced = (scoped), \
	    .type = &record##_type},
#include "gw/kind.def"
#undef GW_KIND
};

static bool
is_short_name(const struct gw_kind_row *row, struct slice name)
{
	struct slice rest = slice_from_string(row->short_names), one;

	while (slice_cut(&rest, '|', &one))
		if (one.length > 0 && slice_equal_nocase(one, name))
			return true;
	return false;
}

bool
gw_kind_parse(struct slice name, enum gw_kind *kind)
{
	must(kind != NULL);
	for (unsigned i = 0; i < GW_KIND__COUNT; i++) {
		const struct gw_kind_row *row = &gw_kinds[i];

		if (slice_equal_nocase(name, slice_from_string(row->kind)) ||
		    slice_equal_nocase(name, slice_from_string(row->plural)) ||
		    is_short_name(row, name)) {
			*kind = i;
			return true;
		}
	}
	return false;
}

static void
wipe_secret(const struct gw_secret *secret)
{
	for (uint32_t i = 0; i < secret->data_count; i++)
		memory_wipe((char *)(uintptr_t)secret->data[i].value.data,
		    secret->data[i].value.length);
}

void
gw_object_free(struct gw_object **object)
{
	must(object != NULL);
	if (*object) {
		if ((*object)->kind == GW_SECRET && (*object)->record)
			wipe_secret((*object)->secret);
		arena_fini(&(*object)->arena);
		memory_free(*object);
	}
	*object = NULL;
}

void
gw_object_succeed(struct gw_object *object, const struct gw_object *previous)
{
	must(object != NULL);
	if (!previous || object->metadata->generation != 0)
		return;
	must(previous->kind == object->kind);
	object->generation = previous->generation;
	if (object->spec_digest != previous->spec_digest)
		object->generation++;
}
