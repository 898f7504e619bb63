/* What the keys of session tickets are made of: drawn here, a new one from time
 * to time, the older ones kept for as long as tickets of theirs are of use. */
#ifndef YUMEN_CTL_TICKETS_H
#define YUMEN_CTL_TICKETS_H

#include "gw/state.h"

struct ctl_tickets {
	uint8_t seeds[GW_TICKET_SEEDS_MAX][GW_TICKET_SEED_BYTES];
	unsigned count;
	uint64_t due_ms; /* the loop's time of the next one */
};

/* True when there is a new one, which the state has then. */
bool ctl_tickets_turn(
    struct ctl_tickets *tickets, struct gw_state *state, uint64_t now_ms);
void ctl_tickets_fini(struct ctl_tickets *tickets);

#endif
