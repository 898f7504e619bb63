/* Limbo: a queue of blocks by the last set that uses them. */
#include "snap/limbo_priv.h"

#include <string.h>

#include "core/memory.h"
#include "core/must.h"

void
snap_limbo_init(struct snap_limbo *limbo)
{
	*limbo = (struct snap_limbo){0};
}

void
snap_limbo_fini(struct snap_limbo *limbo)
{
	snap_limbo_release(limbo, UINT64_MAX);
	memory_free(limbo->items);
	snap_limbo_init(limbo);
}

void *
snap_limbo_new(struct snap_limbo *limbo, size_t size)
{
	must(size >= sizeof(struct snap_limbo_block));
	struct snap_limbo_block *block = memory_zero(1, size);

	block->born = (uint32_t)(limbo->current + 1);
	return block;
}

static void
make_room(struct snap_limbo *limbo)
{
	size_t count = limbo->end - limbo->first;

	/* Move down when half is free, so that each item moves rarely. */
	if (count < limbo->capacity / 2) {
		memmove(limbo->items, limbo->items + limbo->first,
		    count * sizeof(*limbo->items));
	} else {
		limbo->capacity = limbo->capacity ? limbo->capacity * 2 : 64;
		struct snap_limbo_item *items =
		    memory_alloc(limbo->capacity * sizeof(*items));

		if (count > 0)
			memcpy(items, limbo->items + limbo->first,
			    count * sizeof(*items));
		memory_free(limbo->items);
		limbo->items = items;
	}
	limbo->first = 0;
	limbo->end = count;
}

void
snap_limbo_push(struct snap_limbo *limbo, void *block)
{
	if (!block)
		return;
	if (snap_limbo_is_fresh(limbo, block)) {
		memory_free(block);
		return;
	}
	if (limbo->end == limbo->capacity)
		make_room(limbo);
	limbo->items[limbo->end++] = (struct snap_limbo_item){
	    .block = block,
	    .last = limbo->current,
	};
}

void
snap_limbo_release(struct snap_limbo *limbo, uint64_t number)
{
	while (limbo->first < limbo->end &&
	    limbo->items[limbo->first].last < number)
		memory_free(limbo->items[limbo->first++].block);
	if (limbo->first == limbo->end) {
		/* A large change is over: give its queue back too. */
		memory_free(limbo->items);
		limbo->items = NULL;
		limbo->first = limbo->end = limbo->capacity = 0;
	}
}
