/* Admission: what an API server does for an object, done for a tree from a
 * file: judge and default it by its schema (gw/schema.h), check what the API
 * server checks in code, decode. Pure. */
#ifndef YUMEN_GW_ADMIT_H
#define YUMEN_GW_ADMIT_H

#include "gw/finding.h"
#include "gw/object.h"

/* Admit one document (not a List: the caller unpacks those by
 * gw_admit_documents). The document becomes what a cluster would store: unknown
 * fields go, defaults come, made in arena, which is its tree's. NULL: not
 * admitted; an ERROR finding said why, or, for a kind that yumen does not know,
 * an INFO one. A Secret's values are digests afterwards (gw/redact.h). */
struct gw_object *gw_admit(struct tree_node *document, struct arena *arena,
    struct gw_file *file, gw_finding_fn on_finding, void *context);

/* Call fn for document itself, or for each item of a List (`kind: List` and
 * `kind: <X>List`; nested ones are an error). */
void gw_admit_documents(struct tree_node *document,
    void (*fn)(void *context, struct tree_node *item), void *context);

#endif
