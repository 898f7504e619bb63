/* Byte streams: TCP and Unix sockets now, TLS later, and the simulated stream
 * of the tests. Non-blocking. A stream is embedded in its connection, which
 * learns of readiness by on_ready and then reads or writes until AGAIN. */
#ifndef YUMEN_NET_STREAM_H
#define YUMEN_NET_STREAM_H

#include <sys/uio.h>
#include "core/error.h"
#include "net/address.h"
#include "net/loop.h"

struct net_stream;
struct net_stream_ops {
	/* OK and *length > 0; AGAIN; CLOSED (orderly end); RESET and others. */
	enum error (*read)(
	    struct net_stream *, void *buffer, size_t size, size_t *length);
	/* OK and *length > 0 (may be short); AGAIN; CLOSED, RESET and others. */
	enum error (*write)(struct net_stream *, const struct iovec *parts,
	    unsigned count, size_t *length);
	/* End our side; the other goes on. */
	enum error (*shutdown)(struct net_stream *);
	void (*close)(struct net_stream *);
	/* Move up to size bytes between the stream and a pipe in the kernel, as
	 * read and write; NULL: not able to. */
	enum error (*splice_in)(
	    struct net_stream *, int pipe, size_t size, size_t *length);
	enum error (*splice_out)(
	    struct net_stream *, int pipe, size_t size, size_t *length);
};

struct net_stream {
	struct net_watch watch; /* on_ready is set by the owner */
	const struct net_stream_ops *ops; /* NULL: closed */
	struct net_loop *loop;
	bool readable; /* a read may give something; cleared by a short read */
	bool writable;
	bool peer_closed; /* the end is known to come: short reads do not clear */
};

/* Take a connected socket (owned from now on, non-blocking). */
enum error net_stream_open_fd(struct net_stream *stream, struct net_loop *loop,
    int fd, void (*on_ready)(struct net_watch *, unsigned)) must_check;
/* Start to connect; on_ready tells, then net_stream_connected. */
enum error net_stream_connect(struct net_stream *stream, struct net_loop *loop,
    const struct net_address *address,
    void (*on_ready)(struct net_watch *, unsigned)) must_check;
/* OK, AGAIN (still under way), REFUSED, UNREACHABLE, TIMEOUT, ... */
enum error net_stream_connected(struct net_stream *stream);
/* Note the events of on_ready in readable, writable, peer_closed. */
void net_stream_note(struct net_stream *stream, unsigned events);

enum error net_stream_read(
    struct net_stream *stream, void *buffer, size_t size, size_t *length);
enum error net_stream_write(struct net_stream *stream,
    const struct iovec *parts, unsigned count, size_t *length);
enum error net_stream_shutdown(struct net_stream *stream);
/* Idempotent. */
void net_stream_close(struct net_stream *stream);
/* Is there anything to read or an end, without taking it? (For pooled
 * connections, before they are used again.) */
bool net_stream_is_quiet(struct net_stream *stream);

#endif
