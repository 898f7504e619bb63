/* Records from trees and back: how objects are decoded. Every difference
 * between the tree and the table is a finding with its place and field path;
 * decoding goes on past it. */
#ifndef YUMEN_WIRE_RECORD_TREE_H
#define YUMEN_WIRE_RECORD_TREE_H

#include "core/record.h"
#include "wire/tree.h"

enum record_fault_kind {
	RECORD_UNKNOWN_FIELD, /* pruned; hint names the nearest field */
	RECORD_WRONG_TYPE,
	RECORD_MISSING,
	RECORD_NOT_A_CHOICE,
	RECORD_OUT_OF_RANGE,
};

struct record_fault {
	enum record_fault_kind kind;
	uint32_t line, column;
	/* "spec.rules[0].matches[1].path.type", in the arena */
	struct slice path;
	/* for people: "is required", "must be text, not a number" */
	struct slice text;
	/* what was perhaps meant: a field's name, a choice, a value in quotes;
	 * or absent */
	struct slice hint;
};

typedef void (*record_fault_fn)(
    void *context, const struct record_fault *fault);

/* Decode tree (a map) into a new record in arena. path is the prefix of field
 * paths ("spec", or empty). Unknown fields are pruned. NULL when a fault other
 * than an unknown field was found. Without on_fault nothing is told. */
void *wire_record_from_tree(const struct tree_node *tree, struct slice path,
    const struct record_type *type, struct arena *arena,
    record_fault_fn on_fault, void *context);

/* A text as JSON writes it, in quotes; YAML reads it as the same text. */
void wire_json_push(struct text *out, struct slice text);
/* Print as JSON (one line) or YAML (block style, indent columns deep). Absent
 * fields are left out; so is a number or bool that is 0 and has 0 as default,
 * unless its row is required. */
void wire_record_to_json(
    struct text *out, const struct record_type *type, const void *record);
void wire_record_to_yaml(struct text *out, const struct record_type *type,
    const void *record, unsigned indent);

#endif
