/* The memory of libyaml. It asks for it by names of its own, which a program
 * may have as well: then the program's are used. Ours wipe what it lets go,
 * since the keys of Secrets are in its buffers and in copies that it leaves
 * behind as a scalar grows. What is smaller than WIPED_BYTES_MIN holds no part
 * of a key: a file of one begins otherwise. */
#include <malloc.h>
#include <stdlib.h>

#include "core/memory.h"
#include "wire/tree_priv.h"

enum { WIPED_BYTES_MIN = 48 };

void
yaml_free(void *block)
{
	size_t size = block ? malloc_usable_size(block) : 0;

	if (size >= WIPED_BYTES_MIN)
		memory_wipe(block, size);
	free(block);
}

void *
yaml_realloc(void *block, size_t size)
{
	size_t old = block ? malloc_usable_size(block) : 0;
	void *grown;

	if (size == 0)
		size = 1;
	if (old < WIPED_BYTES_MIN)
		return realloc(block, size);
	grown = malloc(size);
	if (!grown)
		return NULL;
	memcpy(grown, block, old < size ? old : size);
	yaml_free(block);
	return grown;
}
