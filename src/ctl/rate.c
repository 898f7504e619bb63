/* A bucket that holds what KUBE_WRITES_PER_SECOND lets begin in a second. */
#include "ctl/rate.h"

#include "core/limit.h"

void
ctl_rate_init(struct ctl_rate *rate, uint64_t now_ms)
{
	*rate = (struct ctl_rate){
	    .refilled_ms = now_ms,
	    .tokens = LIMIT_VALUE_KUBE_WRITES_PER_SECOND,
	};
}

void
ctl_rate_refill(struct ctl_rate *rate, uint64_t now_ms)
{
	uint64_t more = (now_ms - rate->refilled_ms) *
	    LIMIT_VALUE_KUBE_WRITES_PER_SECOND / 1000;

	if (more == 0)
		return;
	rate->refilled_ms = now_ms;
	more += rate->tokens;
	rate->tokens = more < LIMIT_VALUE_KUBE_WRITES_PER_SECOND
	    ? (unsigned)more
	    : LIMIT_VALUE_KUBE_WRITES_PER_SECOND;
}
