/* Records from trees and back: how objects are decoded, once they have been
 * judged (gw/schema.h). */
#ifndef YUMEN_WIRE_RECORD_TREE_H
#define YUMEN_WIRE_RECORD_TREE_H

#include "core/record.h"
#include "wire/tree.h"

/* Decode tree (a map) into a new record in arena. Fields that the table does
 * not have are passed over; *whole, which may be NULL, says that there were
 * none. NULL when a value is of another kind than its field. */
void *wire_record_from_tree(const struct tree_node *tree,
    const struct record_type *type, struct arena *arena, bool *whole);

/* A text as JSON writes it, in quotes; YAML reads it as the same text. */
void wire_json_push(struct text *out, struct slice text);
/* Print as JSON (one line) or YAML (block style, indent columns deep). Absent
 * fields are left out; so is a number or bool that is 0 and has 0 as default.
 */
void wire_record_to_json(
    struct text *out, const struct record_type *type, const void *record);
void wire_record_to_yaml(struct text *out, const struct record_type *type,
    const void *record, unsigned indent);

#endif
