/* CEL rules: what the CRDs ask of several fields together, by row of
 * gw/cel.def. Each is a C check of one node of a judged tree: types are right,
 * required fields and defaults are there. A check says what the rule would say;
 * where CEL fails with an error (a field that is not there, a text that is no
 * duration), which refuses the object too, the check is false. */
#ifndef YUMEN_GW_CEL_H
#define YUMEN_GW_CEL_H

#include "gw/pattern.h"
#include "wire/tree.h"

enum gw_cel {
#define GW_CEL(name, ...) GW_CEL_##name,
#include "gw/cel.def"
#undef GW_CEL
	GW_CEL__COUNT
};

/* NULL where the rule holds; else the node that people should look at: the one
 * at fault below self, or self. */
const struct tree_node *gw_cel_broken(
    enum gw_cel rule, const struct tree_node *self);
enum gw_finding_row gw_cel_finding(enum gw_cel rule);

#endif
