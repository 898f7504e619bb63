/* The stored form of an object: what a cluster would hold, whole, for those who
 * look at it. Records have only what yumen reads. */
#ifndef YUMEN_GW_STORED_H
#define YUMEN_GW_STORED_H

#include "gw/object.h"

/* Keeps a document that was admitted as object->stored. Its Secrets' values
 * have been taken out (gw/redact.h). */
void gw_stored_keep(struct gw_object *object, const struct tree_node *document);
/* Forgets it: what is shown of the object is then what its record has. */
void gw_stored_drop(struct gw_object *object);
/* What follows the metadata. */
struct slice gw_stored_rest(const struct gw_stored *stored);
/* Writes an object, which is awake, as JSON, as a cluster would show it,
 * without status. */
void gw_stored_write(struct text *out, const struct gw_object *object);

#endif
