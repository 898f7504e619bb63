/* Trees written as YAML, for people and for every parser of YAML 1.1 and 1.2:
 * block style, two blanks a level, texts plain only where nothing could read
 * them as something else. Reading it again gives the same tree. */
#ifndef YUMEN_WIRE_TREE_YAML_H
#define YUMEN_WIRE_TREE_YAML_H

#include "wire/tree.h"

/* One document, without a marker before or after it; ends with a line feed. */
void wire_tree_yaml(struct text *out, const struct tree_node *root);

#endif
