/* Templates: trees out of YAML with "$word" in it, for documents that yumen
 * makes itself. */
#ifndef YUMEN_GW_TEMPLATE_H
#define YUMEN_GW_TEMPLATE_H

#include "core/record.h"
#include "wire/tree.h"

struct gw_template_value {
	const char *word; /* [a-z_]+, without the '$' */
	struct slice text; /* absent: what has it as a whole is left out */
	struct tree_node
	    *tree; /* instead, where a text is "$word" as a whole */
};

/* The tree, in arena. Words within a text are replaced by texts; "$(" is left
 * as it is. yaml must be one document, and all of its words known: it is ours.
 */
struct tree_node *gw_template_fill(struct arena *arena, const char *yaml,
    const struct gw_template_value *values, uint32_t count);

/* Building. A map's member: replaces one of this key. node->key is set. */
void gw_tree_put(
    struct tree_node *map, struct slice key, struct tree_node *node);
/* The end of a list. */
void gw_tree_push(struct tree_node *list, struct tree_node *node);
struct tree_node *gw_tree_new(struct arena *arena, enum tree_kind kind);
struct tree_node *gw_tree_text(struct arena *arena, struct slice text);
struct tree_node *gw_tree_number(struct arena *arena, int64_t number);
struct tree_node *gw_tree_bool(struct arena *arena, bool value);
/* Members of a map, as of gw_tree_put. */
void gw_tree_put_pairs(struct arena *arena, struct tree_node *map,
    const struct record_pair *pairs, uint32_t count);
/* The map at a path of keys ("spec.template.metadata") below a map, made where
 * it is not there. */
struct tree_node *gw_tree_map(
    struct arena *arena, struct tree_node *map, const char *path);

/* A node and all below it, as deep as its parser let it be. */
struct tree_node *gw_tree_copy(
    struct arena *arena, const struct tree_node *node);
/* over laid over under, both as they were after: maps member by member, null
 * takes one out (RFC 7386); strategic: lists of maps that all have a name (or a
 * mountPath) by that, other lists as a whole. */
struct tree_node *gw_tree_merge(struct arena *arena,
    const struct tree_node *under, const struct tree_node *over,
    bool strategic);

#endif
