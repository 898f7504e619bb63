/* Pools of addresses for people: what each has given, and has left. */
#ifndef YUMEN_CTL_POOLS_H
#define YUMEN_CTL_POOLS_H

#include "core/text.h"
#include "gw/state.h"

/* yumen_pool_addresses. */
void ctl_pools_metrics(struct text *out, struct gw_state *state);

#endif
