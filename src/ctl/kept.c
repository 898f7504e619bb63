/* Kept records, counted. */
#include "ctl/kept.h"

#include "core/memory.h"
#include "core/must.h"
#include "core/text.h"
#include "wire/record_binary.h"

static struct slice
bytes_of(const struct ctl_kept *kept)
{
	return slice_make(kept->bytes, kept->length);
}

struct ctl_kept *
ctl_kept_keep(
    struct map *all, const struct record_type *type, const void *record)
{
	struct text text;

	text_init(&text);
	wire_record_encode(&text, type, record);
	struct slice bytes = text_slice(&text);
	struct ctl_kept *kept = map_get(all, bytes);

	if (kept == NULL) {
		must(bytes.length <= UINT32_MAX);
		kept = memory_zero(1, sizeof(*kept) + bytes.length);
		kept->length = (uint32_t)bytes.length;
		if (bytes.length > 0)
			memcpy(kept->bytes, bytes.data, bytes.length);
		(void)map_put(all, bytes_of(kept), kept);
	}
	kept->references++;
	text_fini(&text);
	return kept;
}

struct ctl_kept *
ctl_kept_ref(struct ctl_kept *kept)
{
	if (kept != NULL)
		kept->references++;
	return kept;
}

void
ctl_kept_unref(struct map *all, struct ctl_kept **kept)
{
	struct ctl_kept *old = *kept;

	*kept = NULL;
	if (old == NULL || --old->references > 0)
		return;
	(void)map_remove(all, bytes_of(old));
	memory_free(old);
}

void
ctl_kept_replace(
    struct map *all, struct ctl_kept **place, struct ctl_kept *kept)
{
	ctl_kept_unref(all, place);
	*place = kept;
}

void *
ctl_kept_read(const struct record_type *type, const struct ctl_kept *kept,
    struct arena *arena)
{
	void *record = NULL;

	if (kept == NULL)
		return NULL;
	enum error error =
	    wire_record_decode(bytes_of(kept), type, arena, &record);

	must(error == ERROR_OK);
	return record;
}
