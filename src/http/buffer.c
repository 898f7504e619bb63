/* The pool of buffers: a free list for each size, cut to LIMIT_BUFFERS_FREE.
 * Under AddressSanitizer nothing is kept, so that it sees a use after free. */
#include "http/buffer.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "http/worker_priv.h"

void
http_buffers_init(struct http_buffers *pool)
{
	*pool = (struct http_buffers){0};
}

static void
free_all(struct http_buffers *pool, struct http_buffer *first)
{
	while (first) {
		struct http_buffer *next = first->next;

		pool->bytes -= sizeof(*first) + first->capacity;
		memory_free(first);
		first = next;
	}
}

void
http_buffers_fini(struct http_buffers *pool)
{
	free_all(pool, pool->free_small);
	free_all(pool, pool->free_large);
	must(pool->bytes == 0); /* else a buffer was never given back */
	*pool = (struct http_buffers){0};
}

struct http_buffer *
http_buffer_take(struct http_buffers *pool, size_t capacity)
{
	must(capacity == HTTP_BUFFER_SMALL || capacity == HTTP_BUFFER_LARGE);
	bool small = capacity == HTTP_BUFFER_SMALL;
	struct http_buffer **first =
	    small ? &pool->free_small : &pool->free_large;
	unsigned *count =
	    small ? &pool->free_small_count : &pool->free_large_count;
	struct http_buffer *buffer = *first;

	if (likely(buffer)) {
		*first = buffer->next;
		--*count;
	} else {
		buffer = memory_alloc(sizeof(*buffer) + capacity);
		buffer->capacity = (uint32_t)capacity;
		pool->bytes += sizeof(*buffer) + capacity;
	}
	buffer->next = NULL;
	buffer->references = 1;
	return buffer;
}

struct http_buffer *
http_buffer_ref(struct http_buffer *buffer)
{
	must(buffer->references > 0);
	buffer->references++;
	return buffer;
}

void
http_buffer_unref(struct http_buffers *pool, struct http_buffer **reference)
{
	struct http_buffer *buffer = *reference;

	*reference = NULL;
	must(buffer->references > 0);
	if (--buffer->references > 0)
		return;
	bool small = buffer->capacity == HTTP_BUFFER_SMALL;
	unsigned *count =
	    small ? &pool->free_small_count : &pool->free_large_count;
	if (unlikely(*count >= HTTP_FREE_MAX)) {
		pool->bytes -= sizeof(*buffer) + buffer->capacity;
		memory_free(buffer);
		return;
	}
	struct http_buffer **first =
	    small ? &pool->free_small : &pool->free_large;
	buffer->next = *first;
	*first = buffer;
	++*count;
}
