/* What is shown of objects: a Secret's values as digests only. */
#ifndef YUMEN_GW_REDACT_H
#define YUMEN_GW_REDACT_H

#include "wire/tree.h"

/* Takes the values out of a Secret that was admitted, and puts their digests
 * there: "sha256:" and 64 digits, of the bytes; also in the place of what
 * kubectl notes of it. Texts are made in arena. False: another document, which
 * stays. */
bool gw_redact(struct tree_node *document, struct arena *arena);

#endif
