/* Streams over the kernel's sockets. A call never asks twice: it does one
 * system call and says what came of it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/loop_priv.h"
#include "net/stream_priv.h"

/* error for what a call returned, length for its count. */
static enum error
result(ssize_t count, size_t *length)
{
	if (count < 0)
		return error_from_errno(errno);
	*length = (size_t)count;
	return ERROR_OK;
}

/* Reads and writes do without glibc's functions, which are cancellation points:
 * that costs more instructions than the call. */
static enum error
socket_read(
    struct net_stream *stream, void *buffer, size_t size, size_t *length)
{
	ssize_t count =
	    syscall(SYS_recvfrom, stream->watch.fd, buffer, size, 0, NULL, 0);
	return count == 0 ? ERROR_CLOSED : result(count, length);
}

static enum error
socket_write(struct net_stream *stream, const struct iovec *parts,
    unsigned count, size_t *length)
{
	if (count == 1)
		return result(
		    syscall(SYS_sendto, stream->watch.fd, parts->iov_base,
		        parts->iov_len, MSG_NOSIGNAL, NULL, 0),
		    length);
	/* sendmsg does not write to what it is given. */
	struct msghdr message = {
	    .msg_iov = (struct iovec *)(uintptr_t)parts,
	    .msg_iovlen = count,
	};
	return result(
	    sendmsg(stream->watch.fd, &message, MSG_NOSIGNAL), length);
}

static enum error
socket_shutdown(struct net_stream *stream)
{
	if (shutdown(stream->watch.fd, SHUT_WR) != 0)
		return error_from_errno(errno);
	return ERROR_OK;
}

/* The close takes it out of epoll; a call less. */
static void
socket_close(struct net_stream *stream, bool orderly)
{
	static const struct linger none = {.l_onoff = 1, .l_linger = 0};
	net_epoll_forget(stream->loop, &stream->watch);
	/* It is closed either way, so it need not be known whether this works.
	 */
	if (!orderly)
		(void)setsockopt(stream->watch.fd, SOL_SOCKET, SO_LINGER, &none,
		    sizeof(none));
	close(stream->watch.fd);
}

static enum error
socket_splice_in(
    struct net_stream *stream, int pipe, size_t size, size_t *length)
{
	ssize_t count = splice(stream->watch.fd, NULL, pipe, NULL, size,
	    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	return count == 0 ? ERROR_CLOSED : result(count, length);
}

static enum error
socket_splice_out(
    struct net_stream *stream, int pipe, size_t size, size_t *length)
{
	ssize_t count = splice(pipe, NULL, stream->watch.fd, NULL, size,
	    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	/* Nothing in the pipe and nobody to fill it: the caller's pipe. */
	return count == 0 ? ERROR_INVALID : result(count, length);
}

static enum error
socket_connected(struct net_stream *stream)
{
	int number = 0;
	socklen_t size = sizeof(number);
	if (getsockopt(
	        stream->watch.fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
		return error_from_errno(errno);
	return error_from_errno(number);
}

static bool
socket_peek(struct net_stream *stream)
{
	char byte;
	ssize_t count = recv(
	    stream->watch.fd, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT);
	return count >= 0 || errno != EAGAIN;
}

static const struct net_stream_ops socket_ops = {
    .read = socket_read,
    .write = socket_write,
    .shutdown = socket_shutdown,
    .close = socket_close,
    .splice_in = socket_splice_in,
    .splice_out = socket_splice_out,
    .connected = socket_connected,
    .peek = socket_peek,
};

enum error
net_socket_open_fd(struct net_loop *loop, struct net_stream *stream, int fd)
{
	stream->watch.fd = fd;
	enum error error = net_loop_add(loop, &stream->watch);
	if (error == ERROR_OK) {
		stream->ops = &socket_ops;
	} else {
		stream->watch.fd = -1;
		close(fd);
	}
	return error;
}

/* It goes to epoll after the connect was started: a socket that is not under
 * way counts as hung up. */
enum error
net_socket_connect(struct net_loop *loop, struct net_stream *stream,
    const struct net_address *address)
{
	static const int on = 1;
	struct sockaddr_storage to;
	socklen_t to_size = net_address_to_sockaddr(address, &to);
	int fd = socket(to.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return error_from_errno(errno);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&to, to_size) != 0 &&
	    errno != EINPROGRESS) {
		enum error error = error_from_errno(errno);
		close(fd);
		return error;
	}
	return net_socket_open_fd(loop, stream, fd);
}
