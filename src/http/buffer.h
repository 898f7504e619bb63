/* Buffers that connections read into, from a pool of one worker, in two sizes.
 * Counted references (one thread, no atomics): a connection holds the one it
 * reads into, an exchange the one its head lies in. */
#ifndef YUMEN_HTTP_BUFFER_H
#define YUMEN_HTTP_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#define HTTP_BUFFER_SMALL (4096 - 32)
#define HTTP_BUFFER_LARGE (65536 + 4096 - 32)

struct http_buffer {
	struct http_buffer *next; /* in the pool */
	uint32_t references;
	uint32_t capacity;
	char data[];
};

struct http_buffers {
	struct http_buffer *free_small, *free_large;
	unsigned free_small_count, free_large_count;
	size_t bytes; /* in use and free, for the budget */
};

void http_buffers_init(struct http_buffers *pool);
void http_buffers_fini(struct http_buffers *pool);
/* With one reference; capacity is _SMALL or _LARGE. */
struct http_buffer *http_buffer_take(
    struct http_buffers *pool, size_t capacity);
struct http_buffer *http_buffer_ref(struct http_buffer *buffer);
/* *buffer becomes NULL; the last reference returns it to the pool. */
void http_buffer_unref(struct http_buffers *pool, struct http_buffer **buffer);

#endif
