/* Limbo: how the pieces of a set are made and unmade. Sets follow one another
 * in one line, and every block has one owner in each of them. So no block
 * counts its references: the one who replaces it while a new set is being built
 * puts it in limbo, and it is freed when all workers have passed the last set
 * that used it. A block that was made since that last set, which no worker has
 * seen, may be changed in place, and is freed at once. */
#ifndef YUMEN_SNAP_LIMBO_PRIV_H
#define YUMEN_SNAP_LIMBO_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First in each block. */
struct snap_limbo_block {
	uint32_t born; /* low bits of the number of the set it was made for */
};

struct snap_limbo_item {
	void *block;
	uint64_t last; /* number of the last set that uses it */
};

struct snap_limbo {
	uint64_t current; /* number of the set in force; the next is built */
	struct snap_limbo_item *items; /* [first, end), oldest first */
	size_t first, end, capacity;
};

void snap_limbo_init(struct snap_limbo *limbo);
/* Frees all: no worker is left. */
void snap_limbo_fini(struct snap_limbo *limbo);
/* Zeroed, and fresh. */
void *snap_limbo_new(struct snap_limbo *limbo, size_t size);
/* Nothing uses block from the next set on; NULL is allowed. */
void snap_limbo_push(struct snap_limbo *limbo, void *block);
/* All workers have taken set number or a newer one. */
void snap_limbo_release(struct snap_limbo *limbo, uint64_t number);

static inline bool
snap_limbo_is_fresh(
    const struct snap_limbo *limbo, const struct snap_limbo_block *block)
{
	return block->born == (uint32_t)(limbo->current + 1);
}

/* Is there what only sets older than the current one use? */
static inline bool
snap_limbo_has_garbage(const struct snap_limbo *limbo)
{
	return limbo->first < limbo->end &&
	    limbo->items[limbo->first].last < limbo->current;
}

#endif
