/* The workers' counts, by unit slot: chunks that double in size and never move,
 * so that the store may add one while a worker counts. A worker learns of a
 * slot only by a set that was published after its chunk was there. */
#include <stdatomic.h>

#include "core/memory.h"
#include "core/must.h"
#include "snap/store_priv.h"

#define CHUNK_MIN 512u /* counts in the first */
#define CHUNKS 22

struct snap_holds {
	struct list link;
	_Atomic uint32_t *chunks[CHUNKS];
};

/* Chunk k has CHUNK_MIN << k counts and begins at CHUNK_MIN * (2^k - 1). */
static unsigned
chunk_of(uint32_t slot, uint32_t *place)
{
	uint32_t nth = slot / CHUNK_MIN + 1;
	unsigned chunk = 31 - (unsigned)__builtin_clz(nth);

	*place = slot - CHUNK_MIN * ((1u << chunk) - 1);
	return chunk;
}

static _Atomic uint32_t *
count_of(const struct snap_holds *holds, uint32_t slot)
{
	uint32_t place;
	unsigned chunk = chunk_of(slot, &place);

	must(chunk < CHUNKS && holds->chunks[chunk] != NULL);
	return &holds->chunks[chunk][place];
}

/* A place for every slot below limit. */
static void
make_room(struct snap_holds *holds, uint32_t limit)
{
	uint32_t place;
	unsigned last = limit > 0 ? chunk_of(limit - 1, &place) : 0;

	must(last < CHUNKS);
	for (unsigned i = 0; i <= last; i++)
		if (!holds->chunks[i])
			holds->chunks[i] = memory_zero(
			    CHUNK_MIN << i, sizeof(*holds->chunks[i]));
}

struct snap_holds *
snap_holds_new(struct snap_store *store)
{
	struct snap_holds *holds = memory_zero(1, sizeof(*holds));

	list_insert(&store->holds, &holds->link);
	make_room(holds, store->slot_limit);
	return holds;
}

void
snap_holds_free(struct snap_holds **holds)
{
	struct snap_holds *old = *holds;

	*holds = NULL;
	if (!old)
		return;
	list_remove(&old->link);
	for (unsigned i = 0; i < CHUNKS; i++)
		memory_free(old->chunks[i]);
	memory_free(old);
}

/* Plain loads and stores: one thread writes. Release and acquire, so that what
 * the worker did with the unit is over when the store sees that it let go. */
void
snap_hold(struct snap_holds *holds, const struct unit *unit)
{
	_Atomic uint32_t *count = count_of(holds, unit->slot);
	uint32_t before = atomic_load_explicit(count, memory_order_relaxed);

	must(before < UINT32_MAX);
	atomic_store_explicit(count, before + 1, memory_order_release);
}

void
snap_release(struct snap_holds *holds, const struct unit *unit)
{
	_Atomic uint32_t *count = count_of(holds, unit->slot);
	uint32_t before = atomic_load_explicit(count, memory_order_relaxed);

	must(before > 0);
	atomic_store_explicit(count, before - 1, memory_order_release);
}

void
snap_holds_grow(struct snap_store *store)
{
	LIST_FOR_EACH(at, &store->holds)
	{
		make_room(container_of(at, struct snap_holds, link),
		    store->slot_limit);
	}
}

uint32_t
snap_holds_count(const struct snap_holds *holds, uint32_t slot)
{
	return atomic_load_explicit(
	    count_of(holds, slot), memory_order_acquire);
}

void
snap_holds_fini(struct snap_store *store)
{
	while (!list_is_empty(&store->holds)) {
		struct snap_holds *holds =
		    container_of(store->holds.next, struct snap_holds, link);

		snap_holds_free(&holds);
	}
}
