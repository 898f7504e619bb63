/* Byte streams: TCP and Unix sockets, TLS (net/tls.h), and the simulated stream
 * of the tests. Non-blocking. A stream is embedded in its connection, which
 * learns of readiness by on_ready, notes it, and then reads or writes until
 * AGAIN or until `readable` or `writable` is off: no call asks the kernel what
 * an edge has told or a short count has shown.
 *
 * Which kind of stream opens is the loop's choice, so that connection code is
 * the same on the simulated loop. The process ignores SIGPIPE: splice(2) has no
 * MSG_NOSIGNAL. */
#ifndef YUMEN_NET_STREAM_H
#define YUMEN_NET_STREAM_H

#include <sys/uio.h>
#include "core/error.h"
#include "net/address.h"
#include "net/loop.h"

struct net_stream;
struct net_tls;
struct net_stream_ops {
	/* OK and *length > 0; AGAIN; CLOSED (orderly end); RESET and others. */
	enum error (*read)(
	    struct net_stream *, void *buffer, size_t size, size_t *length);
	/* OK and *length > 0 (may be short); AGAIN; CLOSED, RESET and others.
	 */
	enum error (*write)(struct net_stream *, const struct iovec *parts,
	    unsigned count, size_t *length);
	/* End our side; the other goes on. */
	enum error (*shutdown)(struct net_stream *);
	/* orderly: the peer sees an end; otherwise a reset. */
	void (*close)(struct net_stream *, bool orderly);
	/* Move up to size bytes between the stream and a pipe in the kernel, as
	 * read and write; NULL: not able to. */
	enum error (*splice_in)(
	    struct net_stream *, int pipe, size_t size, size_t *length);
	enum error (*splice_out)(
	    struct net_stream *, int pipe, size_t size, size_t *length);
	/* How the connect ended, once it is writable. */
	enum error (*connected)(struct net_stream *);
	/* Is there anything to read, or an end? It is not taken. */
	bool (*peek)(struct net_stream *);
};

struct net_stream {
	struct net_watch watch; /* on_ready is set by the owner */
	const struct net_stream_ops *ops; /* NULL: closed */
	struct net_loop *loop;
	bool readable; /* a read may give something; cleared by a short read */
	bool writable;
	bool peer_closed; /* the end is known to come: short reads do not clear
	                   */
	bool connecting;
	struct net_tls *tls; /* what stands between it and the socket, or NULL
	                      */
};

/* Take a connected socket (non-blocking), owned from now on, also when this
 * fails. */
enum error net_stream_open_fd(struct net_stream *stream, struct net_loop *loop,
    int fd, void (*on_ready)(struct net_watch *, unsigned)) must_check;
/* Start to connect; on_ready tells, then net_stream_connected. */
enum error net_stream_connect(struct net_stream *stream, struct net_loop *loop,
    const struct net_address *address,
    void (*on_ready)(struct net_watch *, unsigned)) must_check;
/* OK, AGAIN (still under way), REFUSED, UNREACHABLE, TIMEOUT, ... After
 * net_stream_note; asks the kernel once. */
enum error net_stream_connected(struct net_stream *stream);
/* Note the events of on_ready in readable, writable, peer_closed. */
void net_stream_note(struct net_stream *stream, unsigned events);

enum error net_stream_read(
    struct net_stream *stream, void *buffer, size_t size, size_t *length);
enum error net_stream_write(struct net_stream *stream,
    const struct iovec *parts, unsigned count, size_t *length);
/* Into an empty pipe, so that AGAIN means the stream has no more; and out of a
 * pipe that holds size bytes at least. Only where net_stream_can_splice. */
enum error net_stream_splice_in(
    struct net_stream *stream, int pipe, size_t size, size_t *length);
enum error net_stream_splice_out(
    struct net_stream *stream, int pipe, size_t size, size_t *length);
static inline bool
net_stream_can_splice(const struct net_stream *stream)
{
	return stream->ops && stream->ops->splice_in;
}
enum error net_stream_shutdown(struct net_stream *stream);
/* Idempotent. No event comes after it; the stream's memory may go. */
void net_stream_close(struct net_stream *stream);
/* As close, but the peer is told by a reset that something is missing. */
void net_stream_reset(struct net_stream *stream);
/* Has the peer sent nothing more, not even an end, as far as this loop has been
 * told? (For pooled connections, before they are used again.) Costs nothing
 * when the last read was short or AGAIN; otherwise, as after a splice, it
 * peeks. */
bool net_stream_is_quiet(struct net_stream *stream);

#endif
