/* Trees as JSON, and of JSON. */
#ifndef YUMEN_WIRE_TREE_JSON_H
#define YUMEN_WIRE_TREE_JSON_H

#include "wire/tree.h"

/* Writes a node as JSON on one line, a map's members in their order. A real
 * that JSON cannot write becomes a text. */
void wire_tree_json(struct text *out, const struct tree_node *node);
/* The one value that json is (RFC 8259). NULL: it is no JSON, a key is
 * repeated, or it is deeper than LIMIT_FILE_DEPTH. */
struct tree_node *wire_tree_from_json(struct slice json, struct arena *arena);

#endif
