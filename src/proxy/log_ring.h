/* The ring between a worker, which puts lines in, and the log's thread, which
 * takes bytes out: one writer, one reader, no lock. A line that does not fit is
 * not put in at all. */
#ifndef YUMEN_PROXY_LOG_RING_H
#define YUMEN_PROXY_LOG_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include "core/slice.h"

struct proxy_log_ring {
	/* The worker's. */
	_Atomic size_t head; /* bytes ever put in */
	size_t tail_seen; /* tail as it was when last looked at */
	size_t capacity; /* a power of two */
	char *bytes;
	char apart[64]; /* the reader's cache line is not the worker's */
	_Atomic size_t tail; /* bytes ever taken out */
};

/* capacity is rounded up to a power of two. */
void proxy_log_ring_init(struct proxy_log_ring *ring, size_t capacity);
void proxy_log_ring_fini(struct proxy_log_ring *ring);
/* False: no room, nothing was put in. */
bool proxy_log_ring_push(struct proxy_log_ring *ring, struct slice line);
/* Is more than half of it full? As of a look at the reader's end. */
bool proxy_log_ring_is_filling(struct proxy_log_ring *ring);
/* What can be taken, in at most two parts; returns their number. */
unsigned proxy_log_ring_peek(
    struct proxy_log_ring *ring, struct slice parts[2]);
void proxy_log_ring_pop(struct proxy_log_ring *ring, size_t length);

#endif
