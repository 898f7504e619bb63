/* The simulated loop: turns, the fake clock, and which pipe is told when. */
#include "sim/loop.h"

#include "core/memory.h"
#include "core/must.h"
#include "sim/loop_priv.h"

enum {
	FD_FIRST = 1 << 20, /* where no descriptor of the kernel is */
	STEPS_MAX = 1000000,
};
static const uint64_t start_ms = 1000003; /* not on a tick */

static enum error
sim_add(struct net_loop *loop, struct net_watch *watch)
{
	(void)loop;
	(void)watch;
	return ERROR_UNSUPPORTED;
}

static void
sim_remove(struct net_loop *loop, struct net_watch *watch)
{
	(void)loop;
	must(watch->fd < FD_FIRST); /* nothing can have been added */
}

/* The ready pipes, in an order of the seed. The caller frees the array. */
static struct sim_pipe **
gather(struct sim_loop *self, unsigned *count)
{
	struct sim_pipe **ready =
	    memory_zero(self->pipe_count + 1, sizeof(*ready));
	*count = 0;
	LIST_FOR_EACH(at, &self->pipes)
	{
		struct sim_pipe *pipe = container_of(at, struct sim_pipe, link);
		sim_pipe_progress(pipe);
		if (!pipe->edge || !pipe->stream)
			continue;
		unsigned place = random_below(&self->random, ++*count);
		ready[*count - 1] = ready[place];
		ready[place] = pipe;
	}
	return ready;
}

static enum error
sim_wait(struct net_loop *loop, int timeout_ms)
{
	struct sim_loop *self = sim_loop_from_base(loop);
	bool is_busy = self->woken || !list_is_empty(&loop->tasks);
	if (self->woken) {
		self->woken = false;
		if (loop->on_wake)
			loop->on_wake(loop->on_wake_context);
		net_loop_run_tasks(loop);
	}

	/* Pipes are not freed within a turn but by the test, which is not run
	 * in one; closed ones are passed over. */
	unsigned count;
	struct sim_pipe **ready = gather(self, &count);
	for (unsigned i = 0; i < count; i++) {
		if (ready[i]->stream)
			sim_pipe_tell(ready[i]);
	}
	memory_free(ready);

	is_busy = is_busy || count > 0;
	if (!is_busy && timeout_ms > 0)
		loop->now_ms += (uint64_t)timeout_ms;
	return ERROR_OK;
}

static void
sim_wake(struct net_loop *loop)
{
	sim_loop_from_base(loop)->woken = true;
}

static enum error
sim_open_fd(struct net_loop *loop, struct net_stream *stream, int fd)
{
	LIST_FOR_EACH(at, &sim_loop_from_base(loop)->pipes)
	{
		struct sim_pipe *pipe = container_of(at, struct sim_pipe, link);
		if (pipe->fd == fd) {
			must(pipe->state == SIM_NEW);
			pipe->state = SIM_OPEN;
			sim_pipe_bind(pipe, stream);
			return ERROR_OK;
		}
	}
	return ERROR_NOT_FOUND;
}

static enum error
sim_connect(struct net_loop *loop, struct net_stream *stream,
    const struct net_address *address)
{
	struct sim_loop *self = sim_loop_from_base(loop);
	if (self->connect_error != ERROR_OK)
		return self->connect_error;
	struct sim_pipe *pipe = sim_pipe_add(self, SIM_CONNECTING);
	pipe->address = *address;
	pipe->is_connect = true;
	sim_pipe_bind(pipe, stream);
	return ERROR_OK;
}

static void
sim_free(struct net_loop *loop)
{
	struct sim_loop *self = sim_loop_from_base(loop);
	must(self->open_count == 0);
	LIST_FOR_EACH_SAFE(at, &self->pipes)
	sim_pipe_delete(container_of(at, struct sim_pipe, link));
	memory_free(self);
}

static const struct net_loop_ops sim_ops = {
    .add = sim_add,
    .remove = sim_remove,
    .wait = sim_wait,
    .wake = sim_wake,
    .open_fd = sim_open_fd,
    .connect = sim_connect,
    .free = sim_free,
};

struct net_loop *
sim_loop_new(uint64_t seed)
{
	struct sim_loop *self = memory_zero(1, sizeof(*self));
	net_loop_init(&self->base, &sim_ops, start_ms);
	random_init_seed(&self->random, seed);
	list_init(&self->pipes);
	self->next_fd = FD_FIRST;
	return &self->base;
}

void
sim_loop_set_manner(struct net_loop *loop, const struct sim_manner *manner)
{
	sim_loop_from_base(loop)->manner = *manner;
}

struct sim_manner
sim_loop_draw_manner(struct net_loop *loop)
{
	static const size_t sizes[] = {0, 0, 1, 2, 7, 64, 1000, 5000};
	static const size_t windows[] = {0, 0, 1, 100, 4096, 65536};
	struct random *random = sim_loop_random(loop);
	return (struct sim_manner){
	    .arrive_bytes_max = sizes[random_below(random, 8)],
	    .accept_bytes_max = sizes[random_below(random, 8)],
	    .window_bytes = windows[random_below(random, 6)],
	    .splice = random_below(random, 2) == 1,
	};
}

struct random *
sim_loop_random(struct net_loop *loop)
{
	return &sim_loop_from_base(loop)->random;
}

static bool
has_work(struct sim_loop *self)
{
	struct net_loop *loop = &self->base;
	if (self->woken || !list_is_empty(&loop->tasks) ||
	    !list_is_empty(&loop->later) || loop->wheel.next_ms <= loop->now_ms)
		return true;
	LIST_FOR_EACH(at, &self->pipes)
	{
		if (sim_pipe_has_work(container_of(at, struct sim_pipe, link)))
			return true;
	}
	return false;
}

bool
sim_loop_step(struct net_loop *loop)
{
	if (!has_work(sim_loop_from_base(loop)))
		return false;
	must(net_loop_turn(loop, 0) == ERROR_OK);
	return true;
}

void
sim_loop_settle(struct net_loop *loop)
{
	unsigned steps = 0;
	while (sim_loop_step(loop))
		must(++steps < STEPS_MAX);
}

void
sim_loop_pass(struct net_loop *loop, uint64_t ms)
{
	uint64_t end_ms = loop->now_ms + ms;
	sim_loop_settle(loop);
	while (loop->wheel.next_ms <= end_ms) {
		loop->now_ms = loop->wheel.next_ms;
		sim_loop_settle(loop);
	}
	loop->now_ms = end_ms;
}

bool
sim_loop_jump(struct net_loop *loop)
{
	sim_loop_settle(loop);
	if (loop->wheel.next_ms == UINT64_MAX)
		return false;
	loop->now_ms = loop->wheel.next_ms;
	sim_loop_settle(loop);
	return true;
}

void
sim_loop_fail_connects(struct net_loop *loop, enum error error)
{
	sim_loop_from_base(loop)->connect_error = error;
}

struct sim_pipe *
sim_loop_take_connect(struct net_loop *loop, struct net_address *address)
{
	LIST_FOR_EACH(at, &sim_loop_from_base(loop)->pipes)
	{
		struct sim_pipe *pipe = container_of(at, struct sim_pipe, link);
		if (pipe->is_connect && !pipe->is_taken) {
			pipe->is_taken = true;
			if (address)
				*address = pipe->address;
			return pipe;
		}
	}
	return NULL;
}

static unsigned
length_of(const struct list *list)
{
	unsigned length = 0;
	LIST_FOR_EACH(at, (struct list *)(uintptr_t)list)
	{
		length++;
	}
	return length;
}

unsigned
sim_loop_pending_count(const struct net_loop *loop)
{
	unsigned count = length_of(&loop->tasks) + length_of(&loop->later);
	for (unsigned level = 0; level < NET_WHEEL_LEVELS; level++)
		for (unsigned slot = 0; slot < NET_WHEEL_SLOTS; slot++)
			count += length_of(&loop->wheel.slots[level][slot]);
	return count;
}

unsigned
sim_loop_open_count(const struct net_loop *loop)
{
	const struct sim_loop *self = (const void *)loop;
	return self->open_count;
}
