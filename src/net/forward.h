/* What comes to this host for an address and a port is led to others: to pods
 * of the host, as kube-proxy would (destination NAT of nf_tables, over libmnl),
 * the sender's address kept. In a table of its own, "yumen", before the rules
 * of others; what it has no rule for is left to them. One process of a network
 * namespace has it. */
#ifndef YUMEN_NET_FORWARD_H
#define YUMEN_NET_FORWARD_H

#include "core/error.h"
#include "net/address.h"

/* Each connection goes to one of to, by chance. */
struct net_forward {
	uint8_t protocol; /* IPPROTO_TCP, _UDP or _SCTP */
	uint16_t port;
	const struct net_address *to; /* of the address' family */
	unsigned to_count; /* LIMIT_FORWARD_TARGETS at most */
	unsigned beside_count; /* more behind them that others lead it to */
};

/* Of one address; at most LIMIT_FORWARD_PORTS. */
struct net_forwarded {
	const struct net_address *address;
	const struct net_forward *forwards;
	unsigned count;
};

/* A table of these alone, in the place of what a process before this one has
 * left: at once, so that what both lead is led all the while. *table is the
 * kernel's number of it, which no other ever has; 0 after an error. DENIED:
 * CAP_NET_ADMIN is missing. UNSUPPORTED: the kernel has no nf_tables, or no
 * NAT. SYSTEM, here and below. */
enum error net_forward_open(const struct net_forwarded *all, unsigned count,
    uint64_t *table) must_check;
/* NOT_FOUND: it is not there any more, whether another one is or not. */
enum error net_forward_look(uint64_t table) must_check;
/* The table goes; not there is no error. */
enum error net_forward_close(void) must_check;
/* What comes for the address is led so, at once and as a whole, whatever was
 * said before; connections that are there stay where they are. NOT_FOUND: the
 * table is not there, or not whole. */
enum error net_forward_set(const struct net_forwarded *one) must_check;
/* Of one that was set. NOT_FOUND as above. */
enum error net_forward_remove(const struct net_address *address) must_check;

#endif
