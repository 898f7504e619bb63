/* Draws the seeds of ticket keys. Nothing of them outlives the process: after a
 * restart clients shake hands in full. */
#include "ctl/tickets.h"

#include <sys/random.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

bool
ctl_tickets_turn(
    struct ctl_tickets *tickets, struct gw_state *state, uint64_t now_ms)
{
	ssize_t got;

	if (tickets->count > 0 && now_ms < tickets->due_ms)
		return false;
	memmove(&tickets->seeds[1], &tickets->seeds[0],
	    (GW_TICKET_SEEDS_MAX - 1) * sizeof(tickets->seeds[0]));
	got = getrandom(&tickets->seeds[0], sizeof(tickets->seeds[0]), 0);
	/* Up to 256 bytes come whole, once the kernel is seeded. */
	must(got == sizeof(tickets->seeds[0]));
	if (tickets->count < GW_TICKET_SEEDS_MAX)
		tickets->count++;
	tickets->due_ms = now_ms + LIMIT_VALUE_TICKET_KEY_MS;
	gw_state_tickets(state,
	    (const uint8_t(*)[GW_TICKET_SEED_BYTES])tickets->seeds,
	    tickets->count);
	return true;
}

void
ctl_tickets_fini(struct ctl_tickets *tickets)
{
	memory_wipe(tickets, sizeof(*tickets));
}
