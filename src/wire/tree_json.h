/* Trees as JSON. */
#ifndef YUMEN_WIRE_TREE_JSON_H
#define YUMEN_WIRE_TREE_JSON_H

#include "wire/tree.h"

/* Writes a node as JSON on one line, a map's members in their order. A real
 * that JSON cannot write becomes a text. */
void wire_tree_json(struct text *out, const struct tree_node *node);

#endif
