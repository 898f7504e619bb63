/* An arena: many small allocations with one lifetime, freed at once. Under
 * AddressSanitizer each allocation is a malloc of its own, so that it sees. */
#ifndef YUMEN_CORE_ARENA_H
#define YUMEN_CORE_ARENA_H

#include <stddef.h>
#include "core/slice.h"

/* Pointers and numbers of 64 bits: nothing wider is kept in arenas. */
enum { ARENA_ALIGN = 8 };

struct arena_block;
struct arena {
	struct arena_block *blocks;
	char *next, *end; /* free space of the newest block */
	size_t block_bytes; /* size of the first block; later ones are larger */
	size_t used_bytes; /* asked for so far, for budgets */
};

/* block_bytes: the first block's size; nothing is taken until first use. */
void arena_init(struct arena *arena, size_t block_bytes);
/* Frees all; the arena may be used again. */
void arena_fini(struct arena *arena);
/* As arena_fini, of what holds keys: it is overwritten. */
void arena_wipe(struct arena *arena);
/* Forgets all allocations, keeps at most one block of the first size. */
void arena_reset(struct arena *arena);
/* Gives back what is free of the newest block: the arena is done growing. */
void arena_trim(struct arena *arena);
/* The arena's allocations as blocks alone, for arena_blocks_free; the arena is
 * as it was after arena_init. */
struct arena_block *arena_detach(struct arena *arena);
void arena_blocks_free(struct arena_block *blocks);
size_t arena_blocks_bytes(const struct arena_block *blocks);
/* Uninitialised, aligned to ARENA_ALIGN; never NULL. */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((returns_nonnull));
/* count * size zeroed bytes. */
void *arena_zero(struct arena *arena, size_t count, size_t size)
    __attribute__((returns_nonnull));
/* A copy of s (a NUL follows it, not counted); absent stays absent. */
struct slice arena_copy(struct arena *arena, struct slice s);
struct slice arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
