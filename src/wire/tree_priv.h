/* What the files of wire/tree share. */
#ifndef YUMEN_WIRE_TREE_PRIV_H
#define YUMEN_WIRE_TREE_PRIV_H

#include <yaml.h>

#include "wire/tree.h"

/* What a plain scalar stands for: sets kind and integer of node from its text,
 * by the rules that Kubernetes reads YAML with. */
void wire_tree_resolve(struct tree_node *node);

/* A tag at node: those of JSON's own types are taken where they change nothing
 * but, for !!str, what a plain scalar stands for. False: this cannot stand
 * there. */
bool wire_tree_tag(struct tree_node *node, const char *tag) must_check;

/* Fills *fault from a parser that has failed on bytes; returns the error. */
enum error wire_tree_explain(const yaml_parser_t *yaml, struct slice bytes,
    struct tree_fault *fault) must_check;

#endif
