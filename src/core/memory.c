/* The heap, with running out of it made fatal in one place. */
#include "core/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/must.h"

static void __attribute__((noreturn, cold))
out_of_memory(size_t count, size_t size)
{
	fprintf(
	    stderr, "yumen: no memory for %zu times %zu bytes\n", count, size);
	abort();
}

void *
memory_alloc(size_t size)
{
	/* One byte at least: malloc(0) may be NULL. */
	void *block = malloc(size ? size : 1);

	if (!block)
		out_of_memory(1, size);
	return block;
}

void *
memory_zero(size_t count, size_t size)
{
	void *block = count && size ? calloc(count, size) : calloc(1, 1);

	if (!block)
		out_of_memory(count, size);
	return block;
}

void *
memory_resize(void *old, size_t count, size_t size)
{
	/* Never zero bytes: that would free old and give NULL. */
	void *block =
	    count && size ? reallocarray(old, count, size) : realloc(old, 1);

	if (!block)
		out_of_memory(count, size);
	return block;
}

/* glibc's realloc splits a block that it did not map by itself. */
void
memory_shrink(void *block, size_t size)
{
	void *same = realloc(block, size);

	must(same == block);
}

void
memory_free(void *block)
{
	free(block);
}

void
memory_wipe(void *block, size_t length)
{
	if (length > 0)
		explicit_bzero(block, length);
}
