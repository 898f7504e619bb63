/* The arena: a list of blocks, the newest one cut from the front. A block is
 * twice as large as the one before, up to BLOCK_BYTES_MAX, so that small arenas
 * stay small and large ones take few blocks. */
#include "core/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/must.h"

#if defined(__SANITIZE_ADDRESS__)
#define SPLIT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPLIT 1
#endif
#endif
#ifndef SPLIT
#define SPLIT 0
#endif

enum { BLOCK_BYTES_MAX = 65536 };

struct arena_block {
	struct arena_block *next;
	size_t size; /* with this header */
	alignas(ARENA_ALIGN) char bytes[];
};

void
arena_init(struct arena *arena, size_t block_bytes)
{
	must(block_bytes > sizeof(struct arena_block));
	*arena = (struct arena){.block_bytes = block_bytes};
}

void
arena_fini(struct arena *arena)
{
	arena_blocks_free(arena_detach(arena));
}

void
arena_wipe(struct arena *arena)
{
	for (struct arena_block *at = arena->blocks; at; at = at->next)
		memory_wipe(at->bytes, at->size - sizeof(*at));
	arena_fini(arena);
}

struct arena_block *
arena_detach(struct arena *arena)
{
	struct arena_block *blocks = arena->blocks;

	arena_init(arena, arena->block_bytes);
	return blocks;
}

void
arena_blocks_free(struct arena_block *blocks)
{
	for (struct arena_block *next, *at = blocks; at; at = next) {
		next = at->next;
		memory_free(at);
	}
}

size_t
arena_blocks_bytes(const struct arena_block *blocks)
{
	size_t bytes = 0;

	for (; blocks != NULL; blocks = blocks->next)
		bytes += blocks->size;
	return bytes;
}

void
arena_reset(struct arena *arena)
{
	struct arena_block *kept = NULL;

	/* Keep one of the first size: a request that needed much must not leave
	 * its connection large. */
	for (struct arena_block *next, *at = arena->blocks; at; at = next) {
		next = at->next;
		if (!SPLIT && !kept && at->size == arena->block_bytes)
			kept = at;
		else
			memory_free(at);
	}
	arena_init(arena, arena->block_bytes);
	if (kept) {
		kept->next = NULL;
		arena->blocks = kept;
		arena->next = kept->bytes;
		arena->end = (char *)kept + kept->size;
	}
}

void
arena_trim(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	if (SPLIT || !block || arena->next == arena->end)
		return;
	/* The newest is the first, but for those of one allocation. */
	must((char *)block < arena->next && arena->next <= arena->end);
	memory_shrink(block, (size_t)(arena->next - (char *)block));
	block->size = (size_t)(arena->next - (char *)block);
	arena->end = arena->next;
}

/* A block of its own for one allocation, behind the newest one, whose free
 * space stays in use. */
static void *
alloc_alone(struct arena *arena, size_t size)
{
	must(size <= SIZE_MAX - sizeof(struct arena_block));
	struct arena_block *block =
	    memory_alloc(sizeof(struct arena_block) + size);
	struct arena_block **place =
	    arena->blocks ? &arena->blocks->next : &arena->blocks;

	block->size = sizeof(struct arena_block) + size;
	block->next = *place;
	*place = block;
	return block->bytes;
}

static void *
alloc_slow(struct arena *arena, size_t size)
{
	size_t block_bytes = arena->block_bytes;

	if (arena->blocks) {
		size_t twice = arena->blocks->size * 2;

		if (twice > BLOCK_BYTES_MAX)
			twice = BLOCK_BYTES_MAX;
		if (block_bytes < twice)
			block_bytes = twice;
	}
	if (SPLIT || size > (block_bytes - sizeof(struct arena_block)) / 2)
		return alloc_alone(arena, size);

	struct arena_block *block = memory_alloc(block_bytes);

	block->size = block_bytes;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->next = block->bytes + size;
	arena->end = (char *)block + block_bytes;
	return block->bytes;
}

/* Text needs no alignment, so that short names cost their own length. */
static void *
alloc_bytes(struct arena *arena, size_t size)
{
	arena->used_bytes += size;
	if (size > (size_t)(arena->end - arena->next))
		return alloc_slow(arena, size);

	char *bytes = arena->next;

	arena->next += size;
	return bytes;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t gap = -(uintptr_t)arena->next % ARENA_ALIGN;

	if (size == 0)
		size = 1; /* an address of its own */
	arena->used_bytes += size;
	if (size > SIZE_MAX - gap ||
	    gap + size > (size_t)(arena->end - arena->next))
		return alloc_slow(arena, size);

	char *bytes = arena->next + gap;

	arena->next = bytes + size;
	return bytes;
}

void *
arena_zero(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	must(!__builtin_mul_overflow(count, size, &bytes));
	return memset(arena_alloc(arena, bytes), 0, bytes);
}

struct slice
arena_copy(struct arena *arena, struct slice s)
{
	if (!slice_is_set(s))
		return s;

	char *bytes = alloc_bytes(arena, s.length + 1);

	memcpy(bytes, s.data, s.length);
	bytes[s.length] = '\0';
	return slice_make(bytes, s.length);
}

struct slice
arena_format(struct arena *arena, const char *format, ...)
{
	va_list arguments;

	size_t room = (size_t)(arena->end - arena->next);
	char *bytes = arena->next;

	/* Into the free space; again where that was too small. */
	va_start(arguments, format);
	int length =
	    vsnprintf(room > 0 ? bytes : NULL, room, format, arguments);
	va_end(arguments);
	must(length >= 0);

	bool fits = (size_t)length < room;

	bytes = alloc_bytes(arena, (size_t)length + 1);
	if (!fits) {
		va_start(arguments, format);
		vsnprintf(bytes, (size_t)length + 1, format, arguments);
		va_end(arguments);
	}
	return slice_make(bytes, (size_t)length);
}
