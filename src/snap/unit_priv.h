/* Inside snap: the checks of a decoded unit. */
#ifndef YUMEN_SNAP_UNIT_PRIV_H
#define YUMEN_SNAP_UNIT_PRIV_H

#include "snap/unit.h"

/* snap_unit_new in three steps, the first of which inits the arena: until it
 * owns them, its texts are those in bytes; what then points elsewhere stays. */
enum error snap_unit_borrow(struct slice name, struct slice bytes,
    struct arena *arena, struct unit **unit) must_check;
void snap_unit_own(struct unit *unit, struct slice bytes);
/* It has all of its arena now, and cannot grow any more. */
void snap_unit_settle(struct unit *unit);

/* May this record be served under that name? Fills in what may be left out (see
 * snap_unit_new). ERROR_INVALID, UNSUPPORTED or LIMIT. */
enum error snap_unit_check(enum unit_kind kind, struct slice name, void *record,
    struct arena *arena) must_check;

/* What the name of a route's unit says; false when it is none that is known. */
bool snap_route_kind(struct slice name, enum unit_route_kind *kind);

#endif
