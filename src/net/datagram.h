/* Datagrams (UDP) among machines on one link: to a group, and from whoever
 * sends to it there. Nothing is routed. */
#ifndef YUMEN_NET_DATAGRAM_H
#define YUMEN_NET_DATAGRAM_H

#include "core/error.h"
#include "core/slice.h"
#include "net/address.h"
#include "net/loop.h"

struct net_datagrams {
	struct net_watch watch;
	struct net_task again; /* more wait than a turn may take */
	struct net_loop *loop; /* NULL: closed */
	struct net_address group;
	struct net_address from; /* of the datagram that has come last */
	/* The bytes are borrowed; it must not close it. */
	void (*on_datagram)(
	    struct net_datagrams *datagrams, struct slice bytes);
};

/* On this interface, to and from an IPv4 group and its port. on_datagram is set
 * by the caller before. IN_USE, NOT_FOUND: no such interface. DENIED, SYSTEM.
 */
enum error net_datagrams_open(struct net_datagrams *datagrams,
    struct net_loop *loop, const char *interface, unsigned index,
    const struct net_address *group) must_check;
/* Idempotent; one that never opened (zeroed) too. */
void net_datagrams_close(struct net_datagrams *datagrams);
/* To the group. An error: it is lost, as datagrams are. */
enum error net_datagrams_send(
    struct net_datagrams *datagrams, struct slice bytes) must_check;

#endif
