/* OpenSSL's heap: malloc, but for the buffers that records are read into and
 * written from. An idle connection has none (SSL_MODE_RELEASE_BUFFERS), so each
 * request takes and gives back two, which is a twentieth of its instructions
 * by malloc. Owns each thread's list of them; it is the thread's because
 * OpenSSL passes no context along. Under sanitizers nothing is kept, so that
 * they see a use after free. */
#include "net/tls_heap.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

enum {
	/* A record's data; libssl asks for what is around it too. */
	RECORD_BYTES = 16384,
	BUFFER_BYTES = RECORD_BYTES + 1024,
	/* What malloc may have made of that. */
	BUFFER_BYTES_MAX = BUFFER_BYTES + 64,
};

struct buffer {
	struct buffer *next;
};

static _Thread_local struct {
	struct buffer *first;
	unsigned count, count_max;
} kept;

static void *
heap_alloc(size_t size, const char *file, int line)
{
	struct buffer *buffer = kept.first;

	(void)file;
	(void)line;
	if (likely(size <= RECORD_BYTES) || size > BUFFER_BYTES)
		return malloc(size);
	if (!buffer)
		return malloc(BUFFER_BYTES);
	kept.first = buffer->next;
	kept.count--;
	return buffer;
}

static void *
heap_resize(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return realloc(block, size);
}

static void
heap_free(void *block, const char *file, int line)
{
	struct buffer *buffer = block;
	size_t size;

	(void)file;
	(void)line;
	if (!block)
		return;
	size = malloc_usable_size(block);
	if (likely(size < BUFFER_BYTES) || size > BUFFER_BYTES_MAX ||
	    kept.count >= kept.count_max) {
		free(block);
		return;
	}
	buffer->next = kept.first;
	kept.first = buffer;
	kept.count++;
}

void
net_tls_heap_install(void)
{
	if (!SANITIZED)
		(void)CRYPTO_set_mem_functions(
		    heap_alloc, heap_resize, heap_free);
}

void
net_tls_heap_open(void)
{
	kept.count_max = LIMIT_VALUE_BUFFERS_FREE;
}

void
net_tls_heap_close(void)
{
	kept.count_max = 0;
	while (kept.first) {
		struct buffer *next = kept.first->next;

		memory_free(kept.first);
		kept.first = next;
	}
	kept.count = 0;
}
