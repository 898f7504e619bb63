/* What the files of ctl/statuses share. */
#ifndef YUMEN_CTL_STATUSES_PRIV_H
#define YUMEN_CTL_STATUSES_PRIV_H

#include "gw/state.h"

/* Sets lastTransitionTime in a status: as before (which may be NULL) where a
 * condition's status is what it was, else wall_ms. Texts are made in arena. */
void ctl_status_times(enum gw_kind kind, void *status, const void *before,
    int64_t wall_ms, struct arena *arena);

#endif
