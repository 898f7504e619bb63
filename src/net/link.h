/* A network interface at layer two, for who announces addresses on it: frames
 * of ARP and neighbour discovery in and out, the groups that such frames come
 * to, and whether it is up. One packet socket a protocol with a filter in the
 * kernel, so that other traffic wakes nobody. Needs CAP_NET_RAW. */
#ifndef YUMEN_NET_LINK_H
#define YUMEN_NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "core/error.h"
#include "core/slice.h"
#include "net/address.h"
#include "net/loop.h"

#define NET_HARDWARE_BYTES 6

struct net_link_socket {
	struct net_watch watch;
	struct net_task again; /* more frames wait than a turn may take */
	struct net_link *link;
};

struct net_link {
	struct net_loop *loop;
	struct net_link_socket sockets[2]; /* ARP, IPv6 */
	unsigned index;
	char name[IF_NAMESIZE];
	uint8_t hardware[NET_HARDWARE_BYTES];
	bool is_up; /* and has a carrier, as of the last look */
	bool is_hushed; /* by net_link_hush, which had to set it */
	/* A whole frame from outside, borrowed; it must not close the link. */
	void (*on_frame)(struct net_link *link, struct slice frame);
	/* So many came faster than they were taken, and were lost. */
	void (*on_lost)(struct net_link *link, unsigned frames);
};

/* NOT_FOUND: no such interface. UNSUPPORTED: it is no Ethernet. DENIED:
 * CAP_NET_RAW is missing. SYSTEM. on_frame and on_lost are
 * set by the caller before. */
enum error net_link_open(
    struct net_link *link, struct net_loop *loop, const char *name) must_check;
/* The name of the interface that has an address of the host. */
bool net_link_of(const struct net_address *address, char name[IF_NAMESIZE]);
/* Those that lead out of the host, as far as can be told: Ethernet that speaks
 * ARP, part of no other (a bond, a bridge), and not called as those are that
 * lead to pods, containers or virtual machines. So many names; past room they
 * are counted alone. */
unsigned net_link_outer(char (*names)[IF_NAMESIZE], unsigned room);
/* Idempotent; one that never opened (zeroed) too. */
void net_link_close(struct net_link *link);
static inline bool
net_link_is_open(const struct net_link *link)
{
	return link->loop != NULL && link->sockets[0].watch.fd >= 0;
}
/* Look again: is it up, is it there, has its hardware address changed? True
 * when any of it differs from before. */
bool net_link_look(struct net_link *link);
/* Keep the kernel from answering ARP on it for addresses that are on no
 * interface (arp_ignore of ip-sysctl, as the host has it or as it is set here),
 * so that nobody answers when this process does not; until the link is closed.
 * DENIED, SYSTEM: it may not be set here. */
enum error net_link_hush(struct net_link *link) must_check;
/* SYSTEM when the kernel does not take it (down, no buffer): it is lost, as
 * frames are. */
enum error net_link_send(struct net_link *link, struct slice frame) must_check;

/* Be in an IPv6 group (16 bytes) on it until *fd is closed; a switch that
 * snoops learns of it (MLD). */
enum error net_link_join(
    const struct net_link *link, const uint8_t group[16], int *fd) must_check;

#endif
