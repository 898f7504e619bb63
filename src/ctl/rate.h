/* How many writes to the API may begin now, of those of a second. */
#ifndef YUMEN_CTL_RATE_H
#define YUMEN_CTL_RATE_H

#include <stdint.h>

struct ctl_rate {
	uint64_t refilled_ms;
	unsigned tokens;
};
void ctl_rate_init(struct ctl_rate *rate, uint64_t now_ms);
/* What has come in since. */
void ctl_rate_refill(struct ctl_rate *rate, uint64_t now_ms);

#endif
