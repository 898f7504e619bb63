/* Trees: what a YAML or JSON document says, with positions. Nodes live in the
 * caller's arena. Scalars are resolved as Kubernetes does (YAML 1.1 plain
 * scalars to JSON types); anchors and aliases are expanded within
 * LIMIT_FILE_NODES; duplicate keys, tags, merge keys of odd kinds, and depth
 * beyond LIMIT_FILE_DEPTH are errors. */
#ifndef YUMEN_WIRE_TREE_H
#define YUMEN_WIRE_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include "core/arena.h"
#include "core/error.h"
#include "core/text.h"

enum tree_kind {
	TREE_NULL,
	TREE_BOOL,
	TREE_INTEGER, /* fits int64_t */
	TREE_REAL,
	TREE_TEXT,
	TREE_LIST,
	TREE_MAP,
};

struct tree_node {
	enum tree_kind kind;
	uint32_t line, column; /* 1-based, of the node's start */
	uint32_t key_line, key_column; /* of its key, in a map */
	struct slice key; /* in a map */
	struct slice text; /* the scalar without quotes, also of numbers */
	int64_t integer; /* INTEGER, BOOL */
	struct tree_node *child; /* first child, in the order of the file */
	struct tree_node *next; /* next sibling */
	uint32_t count; /* children */
};

struct tree_fault {
	uint32_t line, column;
	char text[160]; /* what is wrong, for people */
};

/* Called for each document (an empty one is passed over). false: stop. */
typedef bool (*tree_document_fn)(void *context, struct tree_node *root);

/* Parse all documents of bytes. On an error *fault says where and what; the
 * documents before it were delivered. INVALID, or LIMIT. */
enum error wire_tree_parse(struct slice bytes, struct arena *arena,
    tree_document_fn on_document, void *context,
    struct tree_fault *fault) must_check;

/* The child of a map by key, or NULL. */
struct tree_node *wire_tree_get(const struct tree_node *map, const char *key);
/* The same if it is of that kind. map: NULL, or no map: it has none. */
struct tree_node *wire_tree_member(
    const struct tree_node *map, const char *key, enum tree_kind kind);
/* What it says as a text; absent: it has none. */
struct slice wire_tree_text(const struct tree_node *map, const char *key);
/* Takes it out, if it is there. map: no map: it has none. */
void wire_tree_drop(struct tree_node *map, const char *key);
/* What it says: two trees that say the same have the same hash, which is keyed,
 * good within this process, and never 0. Whether a text was quoted, and where
 * it stands, does not count. */
uint64_t wire_tree_hash(const struct tree_node *node);
/* The node at a field path ("spec.rules[0].name") below root, or the deepest
 * one on the way to it that is there: what is missing has no place of its own.
 */
const struct tree_node *wire_tree_at(
    const struct tree_node *root, struct slice path);

#endif
