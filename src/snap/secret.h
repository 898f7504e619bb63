/* Units that hold what nobody else may see: whoever has their bytes wipes them.
 */
#ifndef YUMEN_SNAP_SECRET_H
#define YUMEN_SNAP_SECRET_H

#include "snap/unit.h"

static inline bool
snap_unit_is_secret(enum unit_kind kind)
{
	return kind == UNIT_CERTIFICATE || kind == UNIT_TICKETS;
}

/* A key of session tickets: a name, a key to encrypt, one to authenticate. */
#define UNIT_TICKET_KEY_BYTES 80
#define UNIT_TICKET_KEYS_MAX 4

#endif
