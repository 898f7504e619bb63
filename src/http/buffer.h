/* Buffers that connections read into, from a pool of one worker, in two sizes.
 * Counted references (one thread, no atomics): a connection holds the one it
 * reads into, an exchange the one its head lies in. */
#ifndef YUMEN_HTTP_BUFFER_H
#define YUMEN_HTTP_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "core/must.h"

#define HTTP_BUFFER_SMALL (4096 - 32)
#define HTTP_BUFFER_LARGE (65536 + 4096 - 32)

struct http_buffer {
	struct http_buffer *next; /* in the pool */
	uint32_t references;
	uint32_t capacity;
	char data[];
};

/* Of one size, free. */
struct http_buffer_list {
	struct http_buffer *first;
	unsigned count;
};

struct http_buffers {
	struct http_buffer_list small, large;
	size_t bytes; /* in use and free, for the budget */
};

void http_buffers_init(struct http_buffers *pool);
void http_buffers_fini(struct http_buffers *pool);
/* Where none is free: one more; http_buffer_take's. */
struct http_buffer *http_buffer_make(
    struct http_buffers *pool, size_t capacity);
/* The last reference is gone: back to the pool; http_buffer_unref's. */
void http_buffer_give(struct http_buffers *pool, struct http_buffer *buffer);

/* With one reference; capacity is _SMALL or _LARGE. */
static inline struct http_buffer *
http_buffer_take(struct http_buffers *pool, size_t capacity)
{
	struct http_buffer_list *list =
	    capacity == HTTP_BUFFER_SMALL ? &pool->small : &pool->large;
	struct http_buffer *buffer = list->first;

	must(capacity == HTTP_BUFFER_SMALL || capacity == HTTP_BUFFER_LARGE);
	if (unlikely(!buffer))
		return http_buffer_make(pool, capacity);
	list->first = buffer->next;
	list->count--;
	buffer->references = 1;
	return buffer;
}

static inline struct http_buffer *
http_buffer_ref(struct http_buffer *buffer)
{
	must(buffer->references > 0);
	buffer->references++;
	return buffer;
}

/* *reference becomes NULL. */
static inline void
http_buffer_unref(struct http_buffers *pool, struct http_buffer **reference)
{
	struct http_buffer *buffer = *reference;

	*reference = NULL;
	must(buffer->references > 0);
	if (--buffer->references == 0)
		http_buffer_give(pool, buffer);
}

#endif
