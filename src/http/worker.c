/* A worker's pools: slabs of connections, blocks for messages in flight, pipes,
 * queues of waiting connections, and the date. One thread, no locks. It knows
 * nothing of HTTP but the form of a date. */
#include "http/worker_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/must.h"
#include "http/h1_priv.h"

enum {
	SLAB_OBJECTS = 64,
	PIPE_BYTES = 1048576, /* what Linux allows without a privilege */
};

struct http_slab_object {
	struct http_slab_object *next;
};

struct http_slab_chunk {
	struct http_slab_chunk *next;
	_Alignas(max_align_t) char objects[];
};

struct http_block {
	struct http_block *next;
};

void
http_slab_init(struct http_slab *slab, size_t object_bytes)
{
	must(object_bytes >= sizeof(struct http_slab_object));
	*slab = (struct http_slab){
	    .object_bytes = (object_bytes + 15) & ~(size_t)15,
	};
}

void
http_slab_fini(struct http_slab *slab)
{
	for (struct http_slab_chunk *next, *at = slab->chunks; at; at = next) {
		next = at->next;
		memory_free(at);
	}
	*slab = (struct http_slab){0};
}

static void
grow(struct http_slab *slab)
{
	struct http_slab_chunk *chunk =
	    memory_alloc(sizeof(*chunk) + SLAB_OBJECTS * slab->object_bytes);

	chunk->next = slab->chunks;
	slab->chunks = chunk;
	for (unsigned i = SLAB_OBJECTS; i-- > 0;) {
		struct http_slab_object *object =
		    (void *)(chunk->objects + i * slab->object_bytes);

		object->next = slab->free;
		slab->free = object;
	}
}

void *
http_slab_take(struct http_slab *slab)
{
	if (SANITIZED)
		return memory_zero(1, slab->object_bytes);
	if (!slab->free)
		grow(slab);
	struct http_slab_object *object = slab->free;

	slab->free = object->next;
	memset(object, 0, slab->object_bytes);
	return object;
}

void
http_slab_give(struct http_slab *slab, void *freed)
{
	struct http_slab_object *object = freed;

	if (SANITIZED) {
		memory_free(freed);
		return;
	}
	object->next = slab->free;
	slab->free = object;
}

static void
queue_on_timer(struct net_timer *timer)
{
	struct http_queue *queue =
	    container_of(timer, struct http_queue, timer);
	uint64_t now_ms = net_loop_now_ms(queue->loop);

	while (!list_is_empty(&queue->waiters)) {
		struct http_waiter *first =
		    container_of(queue->waiters.next, struct http_waiter, link);
		uint64_t until_ms = first->since_ms + queue->wait_ms;

		if (until_ms > now_ms) {
			net_timer_set(queue->loop, timer, until_ms - now_ms);
			return;
		}
		list_remove(&first->link);
		queue->on_expire(first);
	}
}

void
http_queue_init(struct http_queue *queue, struct net_loop *loop,
    uint32_t wait_ms, void (*on_expire)(struct http_waiter *))
{
	list_init(&queue->waiters);
	net_timer_init(&queue->timer, queue_on_timer);
	queue->loop = loop;
	queue->wait_ms = wait_ms;
	queue->on_expire = on_expire;
}

/* The timer stays as it is when it is set: it looks at the first in line. */
void
http_queue_push(struct http_queue *queue, struct http_waiter *waiter)
{
	waiter->since_ms = net_loop_now_ms(queue->loop);
	list_insert(&queue->waiters, &waiter->link);
	if (unlikely(!net_timer_is_set(&queue->timer)))
		net_timer_set(queue->loop, &queue->timer, queue->wait_ms);
}

void *
http_block_take(struct http_worker *worker)
{
	struct http_connection_pools *pools = worker->pools;
	struct http_block *block = pools->free_blocks;

	if (unlikely(!block))
		return memory_alloc(HTTP_BLOCK_BYTES);
	pools->free_blocks = block->next;
	pools->free_block_count--;
	return block;
}

void
http_block_give(struct http_worker *worker, void *given)
{
	struct http_connection_pools *pools = worker->pools;
	struct http_block *block = given;

	if (unlikely(pools->free_block_count >= HTTP_FREE_MAX)) {
		memory_free(block);
		return;
	}
	block->next = pools->free_blocks;
	pools->free_blocks = block;
	pools->free_block_count++;
}

struct http_pipe *
http_pipe_take(struct http_worker *worker)
{
	struct http_connection_pools *pools = worker->pools;
	struct http_pipe *taken = pools->free_pipes;
	int fds[2];

	if (taken) {
		pools->free_pipes = taken->next;
		return taken;
	}
	if (pools->pipe_count >= LIMIT_VALUE_SPLICE_PIPES) {
		limit_hit(worker->metrics, LIMIT_SPLICE_PIPES);
		return NULL;
	}
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return NULL;
	/* Past the user's share of pages a pipe keeps the size it has. */
	int capacity = fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	if (capacity < 0)
		capacity = fcntl(fds[1], F_GETPIPE_SZ);
	taken = memory_zero(1, sizeof(*taken));
	taken->read_fd = fds[0];
	taken->write_fd = fds[1];
	taken->capacity = capacity > 0 ? (uint32_t)capacity : 65536;
	pools->pipe_count++;
	return taken;
}

static void
pipe_close(struct http_worker *worker, struct http_pipe *closed)
{
	close(closed->read_fd);
	close(closed->write_fd);
	memory_free(closed);
	worker->pools->pipe_count--;
}

void
http_pipe_give(struct http_worker *worker, struct http_pipe **given)
{
	struct http_pipe *pipe = *given;

	*given = NULL;
	if (pipe->bytes > 0) {
		pipe_close(worker, pipe);
		return;
	}
	pipe->next = worker->pools->free_pipes;
	worker->pools->free_pipes = pipe;
}

enum error
http_worker_init(
    struct http_worker *worker, struct net_loop *loop, struct metrics *metrics)
{
	must(loop && metrics);
	struct http_connection_pools *pools = memory_zero(1, sizeof(*pools));

	*worker = (struct http_worker){
	    .loop = loop, .metrics = metrics, .pools = pools};
	http_buffers_init(&worker->buffers);
	h1_servers_init(worker);
	h1_clients_init(worker);
	return ERROR_OK;
}

void
http_worker_fini(struct http_worker *worker)
{
	struct http_connection_pools *pools = worker->pools;

	must(pools->server_count == 0 && pools->exchange_count == 0);
	h1_clients_fini(worker);
	h1_servers_fini(worker);
	for (struct http_exchange *next, *at = pools->free_exchanges; at;
	     at = next) {
		next = at->state.next_free;
		net_timer_clear(&at->state.timer);
		arena_fini(&at->arena);
		memory_free(at);
	}
	for (struct http_block *next, *at = pools->free_blocks; at; at = next) {
		next = at->next;
		memory_free(at);
	}
	for (struct http_pipe *next, *at = pools->free_pipes; at; at = next) {
		next = at->next;
		pipe_close(worker, at);
	}
	must(pools->pipe_count == 0);
	http_slab_fini(&pools->servers);
	http_slab_fini(&pools->clients);
	http_buffers_fini(&worker->buffers);
	memory_free(pools);
	*worker = (struct http_worker){0};
}

/* RFC 9110 5.6.7, IMF-fixdate: English whatever the locale. */
static void
format_date(char *out, size_t capacity, int64_t wall_ms)
{
	static const char days[7][4] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;

	must(gmtime_r(&seconds, &utc));
	snprintf(out, capacity, "%s, %02d %s %04d %02d:%02d:%02d GMT",
	    days[utc.tm_wday % 7], utc.tm_mday, months[utc.tm_mon % 12],
	    (utc.tm_year + 1900) % 10000, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

static set_apart void
make_date(struct http_connection_pools *pools, uint64_t now_ms)
{
	static const char name[] = "Date: ";
	enum { NAME_BYTES = sizeof(name) - 1, VALUE_BYTES = 29 };
	int64_t wall_ms = clock_wall_ms();

	memcpy(pools->date_line, name, NAME_BYTES);
	format_date(pools->date_line + NAME_BYTES,
	    sizeof(pools->date_line) - NAME_BYTES, wall_ms);
	memcpy(pools->date_line + NAME_BYTES + VALUE_BYTES, "\r\n", 2);
	pools->date = (struct field){
	    .name = pools->date_line,
	    .name_length = NAME_BYTES - 2,
	    .value = pools->date_line + NAME_BYTES,
	    .value_length = VALUE_BYTES,
	    .id = FIELD_DATE,
	};
	pools->date_until_ms = now_ms + 1000 - (uint64_t)(wall_ms % 1000);
}

const struct field *
http_worker_date(struct http_worker *worker)
{
	struct http_connection_pools *pools = worker->pools;
	uint64_t now_ms = net_loop_now_ms(worker->loop);

	if (unlikely(now_ms >= pools->date_until_ms))
		make_date(pools, now_ms);
	return &pools->date;
}
