/* A byte ring for one writer and one reader. head and tail count all bytes that
 * ever went through, so that full and empty differ. */
#include "proxy/log_ring.h"

#include "core/memory.h"
#include "core/must.h"

void
proxy_log_ring_init(struct proxy_log_ring *ring, size_t capacity)
{
	memset(ring, 0, sizeof(*ring));
	ring->capacity = 64;
	while (ring->capacity < capacity)
		ring->capacity *= 2;
	ring->bytes = memory_alloc(ring->capacity);
}

void
proxy_log_ring_fini(struct proxy_log_ring *ring)
{
	memory_free(ring->bytes);
	ring->bytes = NULL;
}

bool
proxy_log_ring_push(struct proxy_log_ring *ring, struct slice line)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	if (unlikely(ring->capacity - (head - ring->tail_seen) < line.length)) {
		ring->tail_seen =
		    atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (ring->capacity - (head - ring->tail_seen) < line.length)
			return false;
	}
	size_t at = head & (ring->capacity - 1);
	size_t first = ring->capacity - at;
	if (likely(first >= line.length)) {
		memcpy(ring->bytes + at, line.data, line.length);
	} else {
		memcpy(ring->bytes + at, line.data, first);
		memcpy(ring->bytes, line.data + first, line.length - first);
	}
	atomic_store_explicit(
	    &ring->head, head + line.length, memory_order_release);
	return true;
}

bool
proxy_log_ring_is_filling(struct proxy_log_ring *ring)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	if (likely(head - ring->tail_seen <= ring->capacity / 2))
		return false;
	ring->tail_seen =
	    atomic_load_explicit(&ring->tail, memory_order_acquire);
	return head - ring->tail_seen > ring->capacity / 2;
}

unsigned
proxy_log_ring_peek(struct proxy_log_ring *ring, struct slice parts[2])
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t length = head - tail;
	if (length == 0)
		return 0;
	size_t at = tail & (ring->capacity - 1);
	size_t first = ring->capacity - at;
	if (first >= length) {
		parts[0] = slice_make(ring->bytes + at, length);
		return 1;
	}
	parts[0] = slice_make(ring->bytes + at, first);
	parts[1] = slice_make(ring->bytes, length - first);
	return 2;
}

void
proxy_log_ring_pop(struct proxy_log_ring *ring, size_t length)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	must(length <=
	    atomic_load_explicit(&ring->head, memory_order_relaxed) - tail);
	atomic_store_explicit(&ring->tail, tail + length, memory_order_release);
}
