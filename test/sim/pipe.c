/* Simulated pipes: the stream's side behaves as a TCP socket under epoll's
 * edges, the peer's side is the test. */
#include <errno.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/must.h"
#include "sim/loop_priv.h"

enum { SPLICE_BYTES = 16384 };

static const struct net_stream_ops plain_ops, splice_ops;

static struct sim_pipe *
from_stream(const struct net_stream *stream)
{
	LIST_FOR_EACH(at, &sim_loop_from_base(stream->loop)->pipes)
	{
		struct sim_pipe *pipe = container_of(at, struct sim_pipe, link);
		if (pipe->stream == stream)
			return pipe;
	}
	must(!"a stream of this loop");
	return NULL;
}

static unsigned
below(struct sim_pipe *pipe, unsigned bound)
{
	return random_below(&pipe->loop->random, bound);
}

/* 1 to most, at most so many as there are. */
static size_t
draw(struct sim_pipe *pipe, size_t most, size_t there)
{
	if (most == 0)
		return there;
	size_t size = 1 + below(pipe, (unsigned)most);
	return size < there ? size : there;
}

static size_t
left(const struct sim_bytes *bytes)
{
	return bytes->text.length - bytes->gone;
}

static const char *
begin(const struct sim_bytes *bytes)
{
	return bytes->text.data ? bytes->text.data + bytes->gone : "";
}

/* What is gone is moved away once it is most of all. */
static void
drop(struct sim_bytes *bytes, size_t length)
{
	must(length <= left(bytes));
	bytes->gone += length;
	if (bytes->gone <= bytes->text.length / 2)
		return;
	bytes->text.length -= bytes->gone;
	memmove(bytes->text.data, bytes->text.data + bytes->gone,
	    bytes->text.length);
	bytes->gone = 0;
}

static size_t
room(const struct sim_pipe *pipe)
{
	size_t window = SIZE_MAX;
	if (pipe->manner.window_bytes)
		window = left(&pipe->out) < pipe->manner.window_bytes
		    ? pipe->manner.window_bytes - left(&pipe->out)
		    : 0;
	return pipe->room < window ? pipe->room : window;
}

/* Some of what was fed comes in; its end may come with the last of it. */
static void
arrive(struct sim_pipe *pipe)
{
	size_t more = left(&pipe->in) - pipe->arrived;
	if (more > 0) {
		pipe->arrived +=
		    draw(pipe, pipe->manner.arrive_bytes_max, more);
		pipe->edge = true;
	}
	if (pipe->end_fed && !pipe->end_arrived &&
	    pipe->arrived == left(&pipe->in) && (more == 0 || below(pipe, 2))) {
		pipe->end_arrived = true;
		pipe->edge = true;
	}
}

static void
fail(struct sim_pipe *pipe, enum error error)
{
	pipe->failed = true;
	pipe->failure = error;
	pipe->edge = true;
	if (!below(pipe, 2))
		pipe->arrived = 0;
	pipe->in.text.length = pipe->in.gone + pipe->arrived;
}

void
sim_pipe_progress(struct sim_pipe *pipe)
{
	if (pipe->state == SIM_ANSWERED) {
		pipe->state = SIM_OPEN;
		pipe->edge = true;
	}
	if (pipe->state != SIM_OPEN || pipe->failed)
		return;
	if (pipe->manner.arrive_bytes_max == 0 || below(pipe, 4))
		arrive(pipe);
	pipe->room = draw(pipe, pipe->manner.accept_bytes_max, SIZE_MAX);
	if (pipe->wants_room && room(pipe) > 0) {
		pipe->wants_room = false;
		pipe->edge = true;
	}
}

bool
sim_pipe_has_work(const struct sim_pipe *pipe)
{
	if (!pipe->stream || pipe->state == SIM_CONNECTING)
		return false;
	if (pipe->state == SIM_ANSWERED || pipe->edge)
		return true;
	if (pipe->failed)
		return false;
	bool is_full = pipe->manner.window_bytes &&
	    left(&pipe->out) >= pipe->manner.window_bytes;
	return pipe->arrived < left(&pipe->in) ||
	    pipe->end_fed != pipe->end_arrived ||
	    (pipe->wants_room && !is_full);
}

void
sim_pipe_tell(struct sim_pipe *pipe)
{
	unsigned events = 0;
	pipe->edge = false;
	if (pipe->arrived > 0)
		events |= NET_READABLE;
	if (room(pipe) > 0)
		events |= NET_WRITABLE;
	if (pipe->end_arrived)
		events |= NET_READABLE | NET_PEER_CLOSED;
	if (pipe->failed)
		events |= NET_READABLE | NET_WRITABLE | NET_PEER_CLOSED;
	if (pipe->failure != ERROR_OK)
		events |= NET_FAILED;
	net_loop_dispatch(&pipe->loop->base, &pipe->stream->watch, events);
}

/* What happens at each call of the stream: the peer may just have acted. */
static void
meddle(struct sim_pipe *pipe)
{
	if (pipe->reset_calls && --pipe->reset_calls == 0)
		sim_pipe_reset(pipe);
	if (pipe->end_calls && --pipe->end_calls == 0)
		sim_pipe_end(pipe);
	if (!pipe->failed && pipe->manner.arrive_bytes_max && !below(pipe, 4))
		arrive(pipe);
}

/* The error that waits to be told, else otherwise. */
static enum error
take_failure(struct sim_pipe *pipe, enum error otherwise)
{
	enum error error = pipe->failure;
	pipe->failure = ERROR_OK;
	return error != ERROR_OK ? error : otherwise;
}

/* Can size bytes or fewer be taken in? */
static enum error
enter(struct sim_pipe *pipe, size_t *size)
{
	must(pipe->state != SIM_CONNECTING && pipe->state != SIM_ANSWERED);
	meddle(pipe);
	if (*size > pipe->arrived)
		*size = pipe->arrived;
	if (*size > 0)
		return ERROR_OK;
	if (pipe->failed)
		return take_failure(pipe, ERROR_CLOSED);
	return pipe->end_arrived ? ERROR_CLOSED : ERROR_AGAIN;
}

static void
consume(struct sim_pipe *pipe, size_t length)
{
	drop(&pipe->in, length);
	pipe->arrived -= length;
}

/* Can size bytes or fewer be given out? */
static enum error
leave(struct sim_pipe *pipe, size_t *size)
{
	must(pipe->state != SIM_CONNECTING && pipe->state != SIM_ANSWERED);
	must(!pipe->shut);
	meddle(pipe);
	if (pipe->failed)
		return take_failure(pipe, ERROR_CLOSED);
	size_t most = room(pipe);
	if (*size > most) {
		*size = most;
		pipe->wants_room = true;
	}
	return *size > 0 ? ERROR_OK : ERROR_AGAIN;
}

static void
produce(struct sim_pipe *pipe, const char *data, size_t length)
{
	text_push(&pipe->out.text, slice_make(data, length));
	pipe->room -= length;
}

static enum error
pipe_read(struct net_stream *stream, void *buffer, size_t size, size_t *length)
{
	struct sim_pipe *pipe = from_stream(stream);
	enum error error = enter(pipe, &size);
	if (error == ERROR_OK) {
		memcpy(buffer, begin(&pipe->in), size);
		consume(pipe, size);
		*length = size;
	}
	return error;
}

static enum error
pipe_write(struct net_stream *stream, const struct iovec *parts, unsigned count,
    size_t *length)
{
	struct sim_pipe *pipe = from_stream(stream);
	size_t rest = 0;
	for (unsigned i = 0; i < count; i++)
		rest += parts[i].iov_len;
	enum error error = leave(pipe, &rest);
	if (error != ERROR_OK)
		return error;
	*length = rest;
	for (unsigned i = 0; rest > 0; i++) {
		size_t size = parts[i].iov_len < rest ? parts[i].iov_len : rest;
		produce(pipe, parts[i].iov_base, size);
		rest -= size;
	}
	return ERROR_OK;
}

static enum error
pipe_shutdown(struct net_stream *stream)
{
	struct sim_pipe *pipe = from_stream(stream);
	if (pipe->failed)
		return ERROR_CLOSED;
	pipe->shut = true;
	return ERROR_OK;
}

static void
pipe_close(struct net_stream *stream, bool orderly)
{
	struct sim_pipe *pipe = from_stream(stream);
	pipe->state = SIM_CLOSED;
	pipe->shut = true;
	pipe->aborted = !pipe->failed && (left(&pipe->in) > 0 || !orderly);
	pipe->stream = NULL;
	pipe->loop->open_count--;
}

/* Through the real pipe, as the code under test made one. */
static enum error
pipe_splice_in(struct net_stream *stream, int into, size_t size, size_t *length)
{
	struct sim_pipe *pipe = from_stream(stream);
	enum error error = enter(pipe, &size);
	if (error != ERROR_OK)
		return error;
	if (size > SPLICE_BYTES)
		size = SPLICE_BYTES;
	ssize_t count = write(into, begin(&pipe->in), size);
	if (count < 0)
		return error_from_errno(errno);
	consume(pipe, (size_t)count);
	*length = (size_t)count;
	return ERROR_OK;
}

static enum error
pipe_splice_out(
    struct net_stream *stream, int from, size_t size, size_t *length)
{
	char buffer[SPLICE_BYTES];
	struct sim_pipe *pipe = from_stream(stream);
	if (size > sizeof(buffer))
		size = sizeof(buffer);
	enum error error = leave(pipe, &size);
	if (error != ERROR_OK)
		return error;
	ssize_t count = read(from, buffer, size);
	must(count > 0); /* the caller says that the pipe holds so much */
	produce(pipe, buffer, (size_t)count);
	*length = (size_t)count;
	return ERROR_OK;
}

static enum error
pipe_connected(struct net_stream *stream)
{
	struct sim_pipe *pipe = from_stream(stream);
	must(pipe->state == SIM_OPEN);
	return take_failure(pipe, ERROR_OK);
}

static bool
pipe_peek(struct net_stream *stream)
{
	const struct sim_pipe *pipe = from_stream(stream);
	return pipe->arrived > 0 || pipe->end_arrived || pipe->failed;
}

#define SIM_STREAM_OPS \
	.read = pipe_read, .write = pipe_write, .shutdown = pipe_shutdown, \
	.close = pipe_close, .connected = pipe_connected, .peek = pipe_peek

static const struct net_stream_ops plain_ops = {
    SIM_STREAM_OPS,
};

static const struct net_stream_ops splice_ops = {
    SIM_STREAM_OPS,
    .splice_in = pipe_splice_in,
    .splice_out = pipe_splice_out,
};

struct sim_pipe *
sim_pipe_add(struct sim_loop *loop, enum sim_state state)
{
	struct sim_pipe *pipe = memory_zero(1, sizeof(*pipe));
	pipe->loop = loop;
	pipe->manner = loop->manner;
	pipe->state = state;
	pipe->fd = loop->next_fd++;
	pipe->room = draw(pipe, pipe->manner.accept_bytes_max, SIZE_MAX);
	text_init(&pipe->in.text);
	text_init(&pipe->out.text);
	list_insert(&loop->pipes, &pipe->link);
	loop->pipe_count++;
	return pipe;
}

/* As at its registration with epoll: what is ready is an edge. */
void
sim_pipe_bind(struct sim_pipe *pipe, struct net_stream *stream)
{
	pipe->stream = stream;
	pipe->edge = pipe->state == SIM_OPEN;
	pipe->loop->open_count++;
	stream->watch.fd = pipe->fd;
	stream->ops = pipe->manner.splice ? &splice_ops : &plain_ops;
}

void
sim_pipe_delete(struct sim_pipe *pipe)
{
	text_fini(&pipe->in.text);
	text_fini(&pipe->out.text);
	list_remove(&pipe->link);
	pipe->loop->pipe_count--;
	memory_free(pipe);
}

struct sim_pipe *
sim_pipe_new(struct net_loop *loop)
{
	return sim_pipe_add(sim_loop_from_base(loop), SIM_NEW);
}

int
sim_pipe_fd(const struct sim_pipe *pipe)
{
	return pipe->fd;
}

void
sim_pipe_set_manner(struct sim_pipe *pipe, const struct sim_manner *manner)
{
	pipe->manner = *manner;
	pipe->room = draw(pipe, manner->accept_bytes_max, SIZE_MAX);
	if (pipe->stream)
		pipe->stream->ops = manner->splice ? &splice_ops : &plain_ops;
}

void
sim_pipe_free(struct sim_pipe *pipe)
{
	must(!pipe->stream);
	sim_pipe_delete(pipe);
}

void
sim_pipe_accept(struct sim_pipe *pipe)
{
	if (pipe->state == SIM_CONNECTING)
		pipe->state = SIM_ANSWERED;
}

void
sim_pipe_refuse(struct sim_pipe *pipe, enum error error)
{
	must(error != ERROR_OK);
	if (pipe->state == SIM_CONNECTING) {
		pipe->state = SIM_ANSWERED;
		fail(pipe, error);
	}
}

void
sim_pipe_feed(struct sim_pipe *pipe, struct slice bytes)
{
	must(!pipe->end_fed);
	if (pipe->state == SIM_CLOSED)
		pipe->aborted = true;
	else if (!pipe->failed)
		text_push(&pipe->in.text, bytes);
}

void
sim_pipe_end(struct sim_pipe *pipe)
{
	pipe->end_fed = true;
}

void
sim_pipe_reset(struct sim_pipe *pipe)
{
	if (!pipe->failed && pipe->state != SIM_CLOSED)
		fail(pipe, ERROR_RESET);
	if (pipe->state == SIM_CONNECTING)
		pipe->state = SIM_ANSWERED;
}

void
sim_pipe_reset_at(struct sim_pipe *pipe, unsigned calls)
{
	pipe->reset_calls = calls;
}

void
sim_pipe_end_at(struct sim_pipe *pipe, unsigned calls)
{
	pipe->end_calls = calls;
}

struct slice
sim_pipe_written(const struct sim_pipe *pipe)
{
	return slice_make(begin(&pipe->out), left(&pipe->out));
}

void
sim_pipe_take(struct sim_pipe *pipe, size_t length)
{
	drop(&pipe->out, length);
}

bool
sim_pipe_is_over(const struct sim_pipe *pipe)
{
	return pipe->end_fed || pipe->failed;
}

bool
sim_pipe_is_reset(const struct sim_pipe *pipe)
{
	return pipe->failed;
}

size_t
sim_pipe_unread(const struct sim_pipe *pipe)
{
	return left(&pipe->in);
}

bool
sim_pipe_is_ended(const struct sim_pipe *pipe)
{
	return pipe->shut;
}

bool
sim_pipe_is_closed(const struct sim_pipe *pipe)
{
	return pipe->state == SIM_CLOSED;
}

bool
sim_pipe_is_aborted(const struct sim_pipe *pipe)
{
	return pipe->aborted;
}
