/* Units that no node stands for: each has a name, and is there as long as
 * somebody wants it. */
#include "core/memory.h"
#include "gw/state_priv.h"

struct slice
gw_named_key(const void *value)
{
	const struct gw_named *named = value;

	return slice_make(named->name, named->length);
}

struct gw_named *
gw_named_touch(struct map *all, struct slice name)
{
	struct gw_named *named = map_get(all, name);

	if (named)
		return named;
	named = memory_zero(1, sizeof(*named) + name.length);
	named->length = name.length;
	memcpy(named->name, name.data, name.length);
	(void)map_add(all, named);
	return named;
}

void
gw_named_sweep(struct gw_state *state, struct map *all)
{
	struct gw_named **gone =
	    arena_zero(&state->work, all->count + 1, sizeof(*gone));
	uint32_t count = 0;
	struct slice key;
	void *value;

	for (size_t at = 0; map_next(all, &at, &key, &value);) {
		struct gw_named *named = value;

		if (!named->wanted)
			gone[count++] = named;
		named->wanted = false;
	}
	for (uint32_t i = 0; i < count; i++) {
		key = gw_named_key(gone[i]);
		gw_outbox_drop(&state->outbox, &gone[i]->sent,
		    arena_copy(&state->outbox.arena, key));
		gw_report_forget(state, key);
		(void)map_remove(all, key);
		memory_free(gone[i]);
	}
}
