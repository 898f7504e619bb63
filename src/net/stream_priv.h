/* The streams of the epoll loop: sockets. */
#ifndef YUMEN_NET_STREAM_PRIV_H
#define YUMEN_NET_STREAM_PRIV_H

#include "net/stream.h"

/* See struct net_loop_ops. */
enum error net_socket_open_fd(
    struct net_loop *loop, struct net_stream *stream, int fd);
enum error net_socket_connect(struct net_loop *loop, struct net_stream *stream,
    const struct net_address *address);

#endif
