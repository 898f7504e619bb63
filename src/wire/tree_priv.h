/* What the files of wire/tree share. */
#ifndef YUMEN_WIRE_TREE_PRIV_H
#define YUMEN_WIRE_TREE_PRIV_H

#include <yaml.h>

#include "wire/tree.h"

/* What a plain scalar stands for: sets kind and integer of node from its text,
 * by the rules that Kubernetes reads YAML with. */
void wire_tree_resolve(struct tree_node *node);

/* The same for a number of JSON in node's text. */
void wire_tree_number(struct tree_node *node);

/* The first child of a map whose key an earlier one has, *before, or NULL. */
const struct tree_node *wire_tree_repeated(
    const struct tree_node *map, const struct tree_node **before);
#define WIRE_TREE_TWICE "\"%.*s\" comes twice in one map, first on line %u"
#define WIRE_TREE_TWICE_ARGS(again, before) \
	(again)->key.length > 60 ? 60 : (int)(again)->key.length, \
	    (again)->key.data, (before)->key_line

/* Reads bytes as JSON: maps, one after another. False: they are none, and
 * nothing was delivered; else *error and *fault are as of wire_tree_parse. */
bool wire_tree_parse_json(struct slice bytes, struct arena *arena,
    tree_document_fn on_document, void *context, struct tree_fault *fault,
    enum error *error) must_check;

/* A tag at node: those of JSON's own types are taken where they change nothing
 * but, for !!str, what a plain scalar stands for. False: this cannot stand
 * there. */
bool wire_tree_tag(struct tree_node *node, const char *tag) must_check;

/* tree_memory.c: what libyaml calls. */
void yaml_free(void *block);
void *yaml_realloc(void *block, size_t size);

/* Fills *fault from a parser that has failed on bytes; returns the error. */
enum error wire_tree_explain(const yaml_parser_t *yaml, struct slice bytes,
    struct tree_fault *fault) must_check;

#endif
