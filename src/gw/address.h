/* The addresses that Gateways and Services have: given by the plan
 * (addr/plan.h) out of IPAddressPools, or named by themselves. What a Gateway
 * has it keeps as long as it may, over restarts by the status.addresses that it
 * comes with. */
#ifndef YUMEN_GW_ADDRESS_H
#define YUMEN_GW_ADDRESS_H

#include "gw/state.h"
#include "snap/feed.h"

struct gw_address {
	struct slice text; /* canonical */
	struct slice pool; /* the IPAddressPool's name; absent: of none */
	struct slice pool_namespace;
	unsigned family; /* 4, 6 */
	/* A cluster: why nothing announces what is of the pool, or absent. */
	struct slice silence;
	bool also_metallbs; /* gw_state_metallb: that gives the pool's, too */
};

/* What a Gateway, or a Service of type LoadBalancer, has, as of the last run
 * and until the next: by family, then by number; their count. 0: it has none,
 * or every address of its host; it is not ours, or not there. */
uint32_t gw_state_addresses(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name,
    const struct gw_address **addresses);

/* How many addresses an IPAddressPool has given and has left, as of the last
 * run: by family, IPv4 and IPv6. */
struct gw_pool_count {
	struct slice namespace, name;
	int64_t given[2], left[2];
};
/* Of those that yumen alone gives of, by namespace and name. */
void gw_state_each_pool(const struct gw_state *state,
    void (*fn)(void *context, const struct gw_pool_count *pool), void *context);

/* One that a Gateway had before a restart, to be told once it is put and before
 * the next run: it counts as if it had been given here. */
void gw_state_hold(struct gw_state *state, struct slice namespace,
    struct slice name, struct slice address);

/* On one host: has a Gateway none, and had one of a pool last? It waits for
 * another, after a restart too, of which it is told as of what others had. */
bool gw_state_waits(
    const struct gw_state *state, struct slice namespace, struct slice name);
void gw_state_wait(
    struct gw_state *state, struct slice namespace, struct slice name);

/* Is it of a pool, and of none that somebody else gives of? What such a one is
 * given to, and is not ours any more, had it of us. */
bool gw_state_gives(const struct gw_state *state, struct slice address);

/* What the announcer of a node says of a claim (a unit, "claim/ADDRESS"), in
 * the place of what it said before. One that is not there is passed over. */
void gw_state_report_claim(
    struct gw_state *state, struct slice unit, const struct feed_claim *claim);

/* Whether announcers would be heard if they said anything, as at first. Of a
 * claim of which nobody does for long that is told; not of one that is only not
 * heard of. */
void gw_state_listen(struct gw_state *state, bool listens);

/* A MetalLB runs in the cluster beside us: what that is seen by
 * ("Deployment metallb-system/controller"); empty: none does. Its pools, all
 * but those in our own namespace, are then only for who names us: a Service by
 * its class, a Gateway by the annotation GW_BALANCER_CLASS of its
 * infrastructure, or by an address that we have given it before. */
void gw_state_metallb(struct gw_state *state, struct slice what);

/* Whether the API has let us list IPAddressPools, or L2Advertisements, since it
 * last had them at all. Without pools whoever was given an address keeps it,
 * and nobody is given another; without advertisements all that is given is
 * announced, from every node. True: it is news. */
enum gw_unread {
	GW_READ,
	GW_UNREAD_DENIED,
	GW_UNREAD_MISSING, /* the API does not know the kind */
};
bool gw_state_unread(
    struct gw_state *state, enum gw_kind kind, enum gw_unread unread);

/* A Gateway in a cluster that has addresses of which nobody knows yet whether
 * they answer: its status has not been told them, and a pod of its own is
 * ready. Meanwhile its status says what will be true: all that it has where
 * `alone`, else those that answer. */
struct gw_unproven {
	struct slice gateway; /* "namespace/name" */
	const struct slice *addresses; /* of IP */
	uint32_t address_count;
	const uint16_t *ports; /* of TCP, that its pods have there */
	uint32_t port_count;
	/* No other address of it is known to answer: until one does, its status
	 * should not be shown. */
	bool alone;
};
/* All of them, as of the last run; unproven is fn's until it returns. */
void gw_state_each_unproven(const struct gw_state *state,
    void (*fn)(void *context, const struct gw_unproven *unproven),
    void *context);
/* An address that is asked for answers, or nobody can find out: it may be told.
 */
void gw_state_report_answer(
    struct gw_state *state, struct slice gateway, struct slice address);

#endif
