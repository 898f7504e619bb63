/* Flows of UDP that the kernel knows (conntrack, over libmnl). A flow stays
 * where its first packet was led, for as long as it goes on: one that no rule
 * would lead so any more can be forgotten, and its next packet is led anew. */
#ifndef YUMEN_NET_FLOW_H
#define YUMEN_NET_FLOW_H

#include "core/error.h"
#include "net/address.h"
#include "net/loop.h"

struct mnl_socket;

struct net_flow {
	struct net_address asked; /* where it was sent */
	struct net_address by; /* who is to answer: where it was led */
};

struct net_flows {
	/* It shall be forgotten. Set by the owner, as is the next. */
	bool (*is_stale)(struct net_flows *flows, const struct net_flow *flow);
	/* A look has ended. Other than OK: why not all was seen. */
	void (*on_looked)(struct net_flows *flows, enum error error);
	struct net_loop *loop;
	struct mnl_socket *socket; /* NULL: none is looked through now */
	struct net_watch watch;
	struct net_task begin, again;
	bool is_asked; /* once more, when this look has ended */
};

void net_flows_init(struct net_flows *flows, struct net_loop *loop);
void net_flows_fini(struct net_flows *flows);
/* All that are there from now on are looked through, some in each turn. */
void net_flows_look(struct net_flows *flows);

#endif
