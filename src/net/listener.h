/* Listening sockets. The table of the process opens them once per (address,
 * port) and lends one to each worker (SO_REUSEPORT); closing one drops its
 * accept queue, so a change of configuration does not. */
#ifndef YUMEN_NET_LISTENER_H
#define YUMEN_NET_LISTENER_H

#include "core/error.h"
#include "net/address.h"
#include "net/loop.h"

/* Open a listening TCP socket: non-blocking, close-on-exec, SO_REUSEPORT. -1 in
 * *fd on error: IN_USE, DENIED, INVALID, SYSTEM. */
enum error net_listen_tcp(
    const struct net_address *address, int backlog, int *fd) must_check;
/* Does nobody listen there? SO_REUSEPORT lets a second process of the same user
 * in without a word, so one asks first: OK, IN_USE, or why it cannot be bound.
 */
enum error net_listen_is_free(const struct net_address *address) must_check;
/* A Unix socket with this mode; an existing socket that nobody answers is
 * replaced. */
enum error net_listen_unix(const char *path, unsigned mode, int *fd) must_check;

/* Accepts on a loop. */
struct net_acceptor {
	struct net_watch watch;
	struct net_loop *loop;
	struct net_task again;
	unsigned accepts_per_turn;
	/* fd is the callee's. */
	void (*on_accept)(struct net_acceptor *acceptor, int fd,
	    const struct net_address *peer);
};

/* fd stays the caller's. TCP_NODELAY is set on what is accepted. */
enum error net_acceptor_open(struct net_acceptor *acceptor,
    struct net_loop *loop, int fd,
    void (*on_accept)(
        struct net_acceptor *, int, const struct net_address *)) must_check;
/* Stop accepting; does not close the descriptor. */
void net_acceptor_close(struct net_acceptor *acceptor);

#endif
