/* Streams: what is common to sockets and the simulated ones, which is to know
 * from edges and short counts whether a call is worth while. */
#include "net/stream.h"

#include <assert.h>

#include "core/must.h"
#include "net/loop_priv.h"

static_assert(sizeof(struct net_stream) <= 48, "it is in every connection");

static void prepare(struct net_stream *, struct net_loop *,
    void (*)(struct net_watch *, unsigned));
static void end(struct net_stream *, bool orderly);

enum error
net_stream_open_fd(struct net_stream *stream, struct net_loop *loop, int fd,
    void (*on_ready)(struct net_watch *, unsigned))
{
	must(fd >= 0);
	prepare(stream, loop, on_ready);
	stream->writable = true;
	enum error error = loop->ops->open_fd(loop, stream, fd);
	must(error == ERROR_OK || !stream->ops);
	return error;
}

enum error
net_stream_connect(struct net_stream *stream, struct net_loop *loop,
    const struct net_address *address,
    void (*on_ready)(struct net_watch *, unsigned))
{
	must(address->family);
	prepare(stream, loop, on_ready);
	stream->connecting = true;
	enum error error = loop->ops->connect(loop, stream, address);
	must(error == ERROR_OK || !stream->ops);
	return error;
}

enum error
net_stream_connected(struct net_stream *stream)
{
	must(stream->ops);
	if (!stream->connecting)
		return ERROR_OK;
	if (!stream->writable)
		return ERROR_AGAIN;
	enum error error = stream->ops->connected(stream);
	stream->connecting = false;
	return error;
}

void
net_stream_note(struct net_stream *stream, unsigned events)
{
	if (events & NET_READABLE)
		stream->readable = true;
	if (events & NET_WRITABLE)
		stream->writable = true;
	if (events & (NET_PEER_CLOSED | NET_FAILED))
		stream->peer_closed = true;
}

/* What a call that takes from the stream has shown. */
static enum error
note_in(struct net_stream *stream, enum error error, bool is_short)
{
	if (error == ERROR_OK) {
		if (is_short && !stream->peer_closed)
			stream->readable = false;
	} else {
		stream->readable = false;
		if (error != ERROR_AGAIN)
			stream->peer_closed = true;
	}
	return error;
}

static enum error
note_out(struct net_stream *stream, enum error error, bool is_short)
{
	if (error != ERROR_OK || is_short)
		stream->writable = false;
	return error;
}

enum error
net_stream_read(
    struct net_stream *stream, void *buffer, size_t size, size_t *length)
{
	must(stream->ops && size > 0);
	*length = 0;
	enum error error = stream->ops->read(stream, buffer, size, length);
	return note_in(stream, error, *length < size);
}

/* Do length bytes leave some of the parts? */
static bool
is_short_of(const struct iovec *parts, unsigned count, size_t length)
{
	for (unsigned i = 0; i < count; i++) {
		if (length < parts[i].iov_len)
			return true;
		length -= parts[i].iov_len;
	}
	return false;
}

enum error
net_stream_write(struct net_stream *stream, const struct iovec *parts,
    unsigned count, size_t *length)
{
	must(stream->ops && count > 0);
	*length = 0;
	enum error error = stream->ops->write(stream, parts, count, length);
	return note_out(stream, error, is_short_of(parts, count, *length));
}

/* A short splice tells nothing: the pipe may have been the one to be full, or
 * its buffers small. */
enum error
net_stream_splice_in(
    struct net_stream *stream, int pipe, size_t size, size_t *length)
{
	must(net_stream_can_splice(stream) && size > 0);
	*length = 0;
	enum error error = stream->ops->splice_in(stream, pipe, size, length);
	return note_in(stream, error, false);
}

enum error
net_stream_splice_out(
    struct net_stream *stream, int pipe, size_t size, size_t *length)
{
	must(net_stream_can_splice(stream) && size > 0);
	*length = 0;
	enum error error = stream->ops->splice_out(stream, pipe, size, length);
	return note_out(stream, error, false);
}

enum error
net_stream_shutdown(struct net_stream *stream)
{
	must(stream->ops);
	stream->writable = false;
	return stream->ops->shutdown(stream);
}

void
net_stream_close(struct net_stream *stream)
{
	end(stream, true);
}

void
net_stream_reset(struct net_stream *stream)
{
	end(stream, false);
}

bool
net_stream_is_quiet(struct net_stream *stream)
{
	must(stream->ops);
	if (stream->peer_closed)
		return false;
	if (stream->readable && !stream->ops->peek(stream))
		stream->readable = false;
	return !stream->readable;
}

static void
prepare(struct net_stream *stream, struct net_loop *loop,
    void (*on_ready)(struct net_watch *, unsigned))
{
	must(on_ready);
	*stream = (struct net_stream){
	    .watch = {.on_ready = on_ready, .fd = -1},
	    .loop = loop,
	};
}

static void
end(struct net_stream *stream, bool orderly)
{
	if (!stream->ops)
		return;
	stream->ops->close(stream, orderly);
	stream->ops = NULL;
	stream->watch.fd = -1;
	stream->readable = stream->writable = false;
}
