/* Memory from the heap. Running out of it is ours to prevent by limits, not
 * to handle at each call: these never return NULL but abort. What a peer can
 * make grow is bounded by a row of limit.def before it is asked for here. */
#ifndef YUMEN_CORE_MEMORY_H
#define YUMEN_CORE_MEMORY_H

#include <stddef.h>

/* size bytes, uninitialised; the caller frees with memory_free. */
void *memory_alloc(size_t size)
    __attribute__((malloc, alloc_size(1), returns_nonnull));
/* count * size zeroed bytes; aborts on overflow. */
void *memory_zero(size_t count, size_t size)
    __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
/* As reallocarray, but never NULL; count * size must not overflow. */
void *memory_resize(void *old, size_t count, size_t size)
    __attribute__((alloc_size(2, 3), returns_nonnull));
/* Gives back the end of a block beyond size bytes (64 KiB at most before); it
 * stays where it is. */
void memory_shrink(void *block, size_t size);
void memory_free(void *block);
/* Overwrite key material so that the compiler cannot leave it out. */
void memory_wipe(void *block, size_t length);

/* Nothing is known of the vector any more, so that storing it is no memset. */
#if defined(__SSE2__)
#define MEMORY_FORGET(vector) __asm__("" : "+x"(vector))
#else
#define MEMORY_FORGET(vector) __asm__("" : "+m"(vector))
#endif

/* Zeroes an object whose size, at least 16, the compiler knows, with the stores
 * that take least: compilers make it a string instruction, the start of which
 * takes longer than all of them. */
static inline __attribute__((always_inline)) void
memory_clear(void *object, size_t size)
{
	typedef long long vector
	    __attribute__((vector_size(16), aligned(1), may_alias));
	char *at = object;
	vector zero = {0};
	MEMORY_FORGET(zero);
#pragma GCC unroll 64
	for (size_t i = 0; i < size / sizeof(zero); i++)
		((vector *)(void *)at)[i] = zero;
	if (size % sizeof(zero) != 0)
		*(vector *)(void *)(at + size - sizeof(zero)) = zero;
}

#endif
