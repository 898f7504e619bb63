/* A bucket, kept as the time at which it is full again. */
#include "announce/budget.h"

#include "core/limit.h"
#include "core/must.h"

#define EACH_MS ((uint64_t)LIMIT_VALUE_ANNOUNCE_DEFEND_EACH_MS)
/* So much may be unpaid when one more goes out. */
#define UNPAID_MS ((LIMIT_VALUE_ANNOUNCE_DEFENCES - 1) * EACH_MS)

uint64_t
announce_budget_ms(const struct announce_budget *budget, uint64_t now_ms)
{
	if (budget->paid_ms <= now_ms + UNPAID_MS)
		return now_ms;
	return budget->paid_ms - UNPAID_MS;
}

void
announce_budget_spend(struct announce_budget *budget, uint64_t now_ms)
{
	must(announce_budget_ms(budget, now_ms) == now_ms);
	if (budget->paid_ms < now_ms)
		budget->paid_ms = now_ms;
	budget->paid_ms += EACH_MS;
}

uint64_t
announce_budget_soon_ms(const struct announce_budget *budget, uint64_t now_ms)
{
	return budget->soon_ms > now_ms ? budget->soon_ms : now_ms;
}

void
announce_budget_spend_soon(struct announce_budget *budget, uint64_t now_ms)
{
	must(announce_budget_soon_ms(budget, now_ms) == now_ms);
	budget->soon_ms = now_ms + LIMIT_VALUE_ANNOUNCE_DEFEND_SOON_EACH_MS;
}
