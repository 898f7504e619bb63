/* Schemas: what an API server holds an object against before anybody's code
 * sees it, for every kind and served version that yumen knows, from tables that
 * tools/crds makes of the CRDs.
 *
 * Judging a document is one walk over it, as the API server's steps together:
 * nulls and unknown fields are taken out of the tree, defaults are put into it,
 * and each value is held against type, limits, pattern, choices and uniqueness.
 * The rules of the CRDs in CEL (gw/cel.h) come last, and only when no fault hid
 * something from them. What is left is the tree that a cluster would have
 * stored: decoding it needs no defaults and finds no faults.
 *
 * An object's status is not looked at: who writes an object does not set it. */
#ifndef YUMEN_GW_SCHEMA_H
#define YUMEN_GW_SCHEMA_H

#include "core/text.h"
#include "gw/finding.h"
#include "wire/tree.h"

/* One served version of a kind. */
struct gw_schema {
	const char *group, *version, *kind;
	const char *plural; /* lower case */
	const char *short_names; /* "gtw|gw", or "" */
	bool namespaced;
	uint16_t root;
};

/* False when there is none; then schema is another version of that kind, if
 * there is one, else its kind is NULL. */
bool gw_schema_find(struct slice group, struct slice version, struct slice kind,
    struct gw_schema *schema);
/* All of them, in order of their kinds: false past the last. */
bool gw_schema_at(unsigned index, struct gw_schema *schema);

/* The schema as JSON Schema (2020-12), for editors: all of it but the rules in
 * CEL, whose messages stand in x-kubernetes-validations. */
void gw_schema_write(struct text *out, const struct gw_schema *schema);

struct gw_schema_fault {
	enum gw_finding_row row;
	uint32_t line, column;
	/* As the API server writes it: "spec.rules[0].matches[1].path.type" */
	struct slice path;
	struct slice text; /* for people: "is required" */
	/* what was perhaps meant: a field's name, a choice, a value in quotes;
	 * or absent */
	struct slice hint;
};

typedef void (*gw_schema_fault_fn)(
    void *context, const struct gw_schema_fault *fault);

/* Judge a document, which is a map. arena is its tree's: defaults, and the
 * texts of faults, are made in it. False: refused, by a fault other than an
 * unknown field. *typed, which may be NULL, says whether all values have the
 * type and format of their fields, so that the document can be decoded. */
bool gw_schema_judge(const struct gw_schema *schema, struct tree_node *document,
    struct arena *arena, gw_schema_fault_fn on_fault, void *context,
    bool *typed);

#endif
