/* Which addresses of pools Gateways have, in a file, so that the next start
 * gives each the same, whoever came meanwhile. Only where objects come from
 * files: in a cluster statuses remember. Not the program's life hangs on it: a
 * file that cannot be read or written is logged. */
#ifndef YUMEN_CTL_ADDRESSES_H
#define YUMEN_CTL_ADDRESSES_H

#include "gw/state.h"

struct ctl_addresses;
/* Reads the file, where there is one. */
struct ctl_addresses *ctl_addresses_new(const char *path);
void ctl_addresses_free(struct ctl_addresses **addresses);
/* A Gateway was put: the first time it is told what it had. */
void ctl_addresses_recall(struct ctl_addresses *addresses,
    struct gw_state *state, struct slice namespace, struct slice name);
/* After a run: the file is written where it would be another. */
void ctl_addresses_keep(
    struct ctl_addresses *addresses, const struct gw_state *state);

#endif
