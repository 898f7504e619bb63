/* What one worker keeps for its connections beyond the buffers: memory that is
 * used again, pipes, the queues of connections that wait, the date. */
#ifndef YUMEN_HTTP_WORKER_PRIV_H
#define YUMEN_HTTP_WORKER_PRIV_H

#include "core/list.h"
#include "core/must.h"
#include "http/exchange.h"

/* Freed memory that is kept for the next use; none under AddressSanitizer, so
 * that it sees. */
#define HTTP_FREE_MAX (SANITIZED ? 0 : LIMIT_VALUE_BUFFERS_FREE)

/* Objects of one size, cut from slabs without a header each; what was freed is
 * used again and goes back to the heap with the worker. */
struct http_slab_object;
struct http_slab_chunk;
struct http_slab {
	size_t object_bytes;
	struct http_slab_object *free;
	struct http_slab_chunk *chunks;
};

void http_slab_init(struct http_slab *slab, size_t object_bytes);
void http_slab_fini(struct http_slab *slab);
/* Zeroed. */
void *http_slab_take(struct http_slab *slab);
void http_slab_give(struct http_slab *slab, void *object);

/* Connections that wait for the same length of time, so that the oldest stands
 * first and one timer serves all of them. */
struct http_waiter {
	struct list link;
	uint64_t since_ms;
};
struct http_queue {
	struct list waiters;
	struct net_timer timer;
	struct net_loop *loop;
	uint32_t wait_ms;
	void (*on_expire)(struct http_waiter *waiter);
};

void http_queue_init(struct http_queue *queue, struct net_loop *loop,
    uint32_t wait_ms, void (*on_expire)(struct http_waiter *));
void http_queue_push(struct http_queue *queue, struct http_waiter *waiter);
static inline void
http_waiter_remove(struct http_waiter *waiter)
{
	list_remove(&waiter->link);
}
static inline bool
http_waiter_is_queued(const struct http_waiter *waiter)
{
	return !list_is_empty(&waiter->link);
}

/* A pipe of the kernel through which a body is spliced. */
struct http_pipe {
	struct http_pipe *next;
	int read_fd, write_fd;
	uint32_t capacity;
	uint32_t bytes; /* in it */
};

/* What a message in flight needs (a codec's flow, a message in memory), kept
 * whole because it holds a head's table of fields. */
#define HTTP_BLOCK_BYTES (sizeof(struct wire_head) + 512)
struct http_block;

struct http_connection_pools {
	struct http_slab servers, clients;
	struct http_block *free_blocks;
	struct http_exchange *free_exchanges;
	struct http_pipe *free_pipes;
	unsigned free_block_count, free_exchange_count, pipe_count;
	unsigned exchange_count; /* in work */
	uint32_t server_count;
	struct list client_list;
	struct http_queue idle, heading, lingering; /* of server connections */
	uint64_t date_until_ms;
	struct field date;
	char date_line[40]; /* the field as it is written */
};

void *http_block_take(struct http_worker *worker);
void http_block_give(struct http_worker *worker, void *block);

/* NULL when LIMIT_SPLICE_PIPES are in use or the kernel refuses. */
struct http_pipe *http_pipe_take(struct http_worker *worker);
/* One that still holds bytes is closed. *pipe becomes NULL. */
void http_pipe_give(struct http_worker *worker, struct http_pipe **pipe);

#endif
