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
	unsigned family; /* 4, 6 */
	bool advertised; /* an L2Advertisement names the pool */
};

/* What a Gateway, or a Service of type LoadBalancer, has, as of the last run
 * and until the next: by family, then by number; their count. 0: it has none,
 * or every address of its host; it is not ours, or not there. */
uint32_t gw_state_addresses(const struct gw_state *state, enum gw_kind kind,
    struct slice namespace, struct slice name,
    const struct gw_address **addresses);

/* One that a Gateway had before a restart, to be told once it is put and before
 * the next run: it counts as if it had been given here. */
void gw_state_hold(struct gw_state *state, struct slice namespace,
    struct slice name, struct slice address);

/* What the announcer of a node says of a claim (a unit, "claim/ADDRESS"), in
 * the place of what it said before. One that is not there is passed over. */
void gw_state_report_claim(
    struct gw_state *state, struct slice unit, const struct feed_claim *claim);

#endif
