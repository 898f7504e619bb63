/* Inside snap: the checks of a decoded unit. */
#ifndef YUMEN_SNAP_UNIT_PRIV_H
#define YUMEN_SNAP_UNIT_PRIV_H

#include "snap/unit.h"

/* snap_unit_new in two steps: until it owns them, its texts are those in bytes;
 * what then points elsewhere stays. */
enum error snap_unit_borrow(
    struct slice name, struct slice bytes, struct unit **unit) must_check;
void snap_unit_own(struct unit *unit, struct slice bytes);

/* May this record be served? Fills in what may be left out (see snap_unit_new).
 * ERROR_INVALID, UNSUPPORTED or LIMIT. */
enum error snap_unit_check(
    enum unit_kind kind, void *record, struct arena *arena) must_check;

/* What unit_route.kind says; false when it is none that is known. */
bool snap_route_kind(struct slice kind, enum unit_route_kind *known);
struct slice snap_route_kind_word(enum unit_route_kind kind);

#endif
