/* Verdicts: what a status says is wrong with an object, as findings. A
 * cluster's people read conditions; who checks files wants the place and what
 * to do. */
#ifndef YUMEN_GW_VERDICT_H
#define YUMEN_GW_VERDICT_H

#include "gw/finding.h"
#include "gw/state.h"

/* Tell what the status (a record of gw_status_type, or NULL) of an object in
 * state says is wrong. A finding's place is that of the object: its field says
 * where in it. */
void gw_verdicts(const struct gw_state *state, const struct gw_object *object,
    const void *status, gw_finding_fn on_finding, void *context);

#endif
