/* The pool of buffers: a free list for each size, cut to LIMIT_BUFFERS_FREE.
 * Under AddressSanitizer nothing is kept, so that it sees a use after free. */
#include "http/buffer.h"

#include "core/limit.h"
#include "core/memory.h"
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
	free_all(pool, pool->small.first);
	free_all(pool, pool->large.first);
	must(pool->bytes == 0); /* else a buffer was never given back */
	*pool = (struct http_buffers){0};
}

struct http_buffer *
http_buffer_make(struct http_buffers *pool, size_t capacity)
{
	struct http_buffer *buffer = memory_alloc(sizeof(*buffer) + capacity);

	pool->bytes += sizeof(*buffer) + capacity;
	buffer->capacity = (uint32_t)capacity;
	buffer->references = 1;
	return buffer;
}

__attribute__((noinline)) void
http_buffer_give(struct http_buffers *pool, struct http_buffer *buffer)
{
	struct http_buffer_list *list =
	    buffer->capacity == HTTP_BUFFER_SMALL ? &pool->small : &pool->large;

	if (unlikely(list->count >= HTTP_FREE_MAX)) {
		pool->bytes -= sizeof(*buffer) + buffer->capacity;
		memory_free(buffer);
		return;
	}
	buffer->next = list->first;
	list->first = buffer;
	list->count++;
}
