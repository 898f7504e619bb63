/* Listening sockets. The table of the process opens them once per (address,
 * port) and lends one to each worker (SO_REUSEPORT); closing one drops its
 * accept queue, so a change of configuration does not. */
#ifndef YUMEN_NET_LISTENER_H
#define YUMEN_NET_LISTENER_H

#include "core/error.h"
#include "core/metric.h"
#include "net/address.h"
#include "net/loop.h"

/* Open a listening TCP socket: non-blocking, close-on-exec, SO_REUSEPORT; [::]
 * takes IPv4 too. Port 0 is any (net_address_local tells). -1 in *fd on error:
 * IN_USE, DENIED, NOT_FOUND (no address of this host), UNSUPPORTED (no IPv6
 * here), SYSTEM. */
enum error net_listen_tcp(
    const struct net_address *address, int backlog, int *fd) must_check;
/* Does nobody listen there? SO_REUSEPORT lets a second process of the same user
 * in without a word, so one asks first: OK, or as net_listen_tcp. */
enum error net_listen_is_free(const struct net_address *address) must_check;
/* The same of every address, where that is asked for: on a host without IPv6
 * [::] becomes 0.0.0.0. */
enum error net_listen_settle(struct net_address *address) must_check;
/* A Unix socket with this mode; an existing socket that nobody answers is
 * replaced. EXISTS: something else is at path. */
enum error net_listen_unix(const char *path, unsigned mode, int *fd) must_check;
/* The other end, for commands at a terminal: a blocking socket. */
enum error net_connect_unix(const char *path, int *fd) must_check;

/* Accepts on a loop. */
struct net_acceptor {
	struct net_watch watch;
	struct net_loop *loop; /* NULL: closed */
	struct net_task again;
	struct net_timer pause;
	unsigned accepts_per_turn;
	struct metrics *metrics; /* the owner's, set after open; or NULL */
	/* fd is the callee's. It may close the acceptor, not free it. */
	void (*on_accept)(struct net_acceptor *acceptor, int fd,
	    const struct net_address *peer);
};

/* fd stays the caller's. TCP_NODELAY is set on what is accepted. */
enum error net_acceptor_open(struct net_acceptor *acceptor,
    struct net_loop *loop, int fd,
    void (*on_accept)(
        struct net_acceptor *, int, const struct net_address *)) must_check;
/* Stop accepting; does not close the descriptor. Idempotent. */
void net_acceptor_close(struct net_acceptor *acceptor);

#endif
