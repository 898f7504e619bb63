/* Admission: what an API server does for an object, done for a tree from a
 * file: decode by the kind's table, default, validate. Pure. */
#ifndef YUMEN_GW_ADMIT_H
#define YUMEN_GW_ADMIT_H

#include "gw/finding.h"
#include "gw/object.h"

/* Admit one document (not a List: the caller unpacks those by
 * gw_admit_documents). NULL: not admitted; an ERROR finding said why, or, for a
 * kind that yumen does not read, an INFO one. */
struct gw_object *gw_admit(const struct tree_node *document, struct slice file,
    gw_finding_fn on_finding, void *context);

/* Call fn for document itself, or for each item of a List (`kind: List` and
 * `kind: <X>List`; nested ones are an error). */
void gw_admit_documents(const struct tree_node *document,
    void (*fn)(void *context, const struct tree_node *item), void *context);

#endif
