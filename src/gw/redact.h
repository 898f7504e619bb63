/* What is shown of objects: a Secret's values as digests only. */
#ifndef YUMEN_GW_REDACT_H
#define YUMEN_GW_REDACT_H

#include "gw/object.h"
#include "wire/tree.h"

/* Takes the values out of a Secret that was admitted, and puts their digests
 * there: "sha256:" and 64 digits, of the bytes; other documents stay. Texts are
 * made in arena. */
void gw_redact(struct tree_node *document, struct arena *arena);
/* An object's record to be shown: its own, or a Secret's copy in arena with
 * digests for values. */
const void *gw_redact_record(
    const struct gw_object *object, struct arena *arena);

#endif
