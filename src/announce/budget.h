/* How much may be said on a link in answer to rivals, for all addresses
 * together: some answers at once, then one each
 * LIMIT_ANNOUNCE_DEFEND_EACH_MS, so that machines that do not yield to each
 * other do not fill it. What answers none of ours but came by itself is
 * answered beside that: one in each millisecond. Pure. */
#ifndef YUMEN_ANNOUNCE_BUDGET_H
#define YUMEN_ANNOUNCE_BUDGET_H

#include <stdint.h>

struct announce_budget {
	uint64_t
	    paid_ms; /* what was said is paid for by then; 0: nothing was */
	uint64_t soon_ms; /* when one that came by itself may be answered */
};

/* From when on an answer is paid for; now_ms or later. */
uint64_t announce_budget_ms(
    const struct announce_budget *budget, uint64_t now_ms);
/* An answer goes out. It is paid for. */
void announce_budget_spend(struct announce_budget *budget, uint64_t now_ms);

/* The same of a claim that came by itself. */
uint64_t announce_budget_soon_ms(
    const struct announce_budget *budget, uint64_t now_ms);
void announce_budget_spend_soon(
    struct announce_budget *budget, uint64_t now_ms);

#endif
