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
void memory_free(void *block);
/* Overwrite key material so that the compiler cannot leave it out. */
void memory_wipe(void *block, size_t length);

#endif
