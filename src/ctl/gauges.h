/* Metrics of what ctl has, such as certificates and pools. A scrape takes what
 * was last written and asks for more: ctl writes again only what was read, so
 * that a change costs its own size, however many there are. */
#ifndef YUMEN_CTL_GAUGES_H
#define YUMEN_CTL_GAUGES_H

#include "core/text.h"
#include "gw/state.h"
#include "net/loop.h"

struct ctl_gauges;
typedef void (*ctl_gauges_fn)(struct text *out, struct gw_state *state);

struct ctl_gauges *ctl_gauges_new(struct net_loop *ctl_loop, ctl_gauges_fn fn);
void ctl_gauges_free(struct ctl_gauges **gauges);
/* In ctl's thread: changed: since it was true the last time. True: written. */
bool ctl_gauges_refresh(
    struct ctl_gauges *gauges, struct gw_state *state, bool changed);
/* For admin_add_metrics: context is a struct ctl_gauges. */
void ctl_gauges_write(void *context, struct text *out);

#endif
