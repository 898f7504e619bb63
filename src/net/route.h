/* What the kernel knows of links and addresses, by rtnetlink (over libmnl). */
#ifndef YUMEN_NET_ROUTE_H
#define YUMEN_NET_ROUTE_H

#include "core/error.h"
#include "net/address.h"
#include "net/loop.h"

/* Make the host take packets for an address as its own, as long as it has it:
 * a local route (as `ip route add local ADDRESS dev lo`), which puts no address
 * on an interface, so that nothing else on the host chooses it for its own
 * connections. DENIED: CAP_NET_ADMIN is missing. EXISTS: to the host it is a
 * link's broadcast or anycast address, or it has another route for it, which is
 * left as it is. Adding one that is there (was_there) and removing one that is
 * not are no errors. */
enum error net_route_add_local(
    const struct net_address *address, bool *was_there) must_check;
enum error net_route_remove_local(const struct net_address *address) must_check;
/* Remove what a process before this one has left, but for those that stay. */
enum error net_route_sweep_local(
    bool (*stays)(void *context, const struct net_address *address),
    void *context) must_check;
/* Be told of each that is there; of some of them twice, perhaps. AGAIN: so much
 * changes meanwhile that some may be missing. */
enum error net_route_each_local(
    void (*on_address)(void *context, const struct net_address *address),
    void *context) must_check;

enum net_local {
	/* it is elsewhere, or nowhere, or where kube-proxy has the addresses of
	 * all Services (kube-ipvs0) */
	NET_LOCAL_NO,
	NET_LOCAL_HOST, /* the host has it on an interface, or a route of others
	                 */
	NET_LOCAL_ADDED, /* by net_route_add_local, this process or one before
	                  */
};
/* The kernel is asked how it would send to it: to itself, if it is its own. */
enum net_local net_route_local(const struct net_address *address);

/* Told of changes of links: up, down, gone, another hardware address; and of
 * addresses that interfaces get and lose. */
struct net_link_monitor {
	struct net_watch watch;
	struct net_task again; /* more waits than a turn may take */
	struct net_timer later; /* what was lost is not made good yet */
	struct net_loop *loop;
	struct mnl_socket *socket; /* NULL: not open */
	void (*on_change)(struct net_link_monitor *monitor);
	/* port 0. One that is not, or not yet, found to be unique is none, nor
	 * is one on kube-ipvs0. */
	void (*on_address)(struct net_link_monitor *monitor,
	    const struct net_address *address, bool added);
	/* The kernel had more to tell than it keeps: addresses may be gone that
	 * on_address was not told of. It is told of all that are there next. */
	void (*on_lost)(struct net_link_monitor *monitor);
};
/* The callbacks are set by the caller before. */
enum error net_link_monitor_open(
    struct net_link_monitor *monitor, struct net_loop *loop) must_check;
/* on_address is told of all that are there, at once or, where so much changes
 * meanwhile that some may be missing, again later. */
void net_link_monitor_look(struct net_link_monitor *monitor);
void net_link_monitor_close(struct net_link_monitor *monitor);

#endif
