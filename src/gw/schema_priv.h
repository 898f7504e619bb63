/* What the files of gw/schema share: the judge and where it is. */
#ifndef YUMEN_GW_SCHEMA_PRIV_H
#define YUMEN_GW_SCHEMA_PRIV_H

#include "gw/cel.h"
#include "gw/schema.h"

enum schema_type {
	TYPE_BOOL = 1,
	TYPE_INTEGER = 2,
	TYPE_NUMBER = 4,
	TYPE_TEXT = 8,
	TYPE_LIST = 16,
	TYPE_MAP = 32,
};
enum schema_format {
	FORMAT_BYTE = 1, /* base64, as CRDs take it: not empty, one line */
	FORMAT_BASE64, /* as Kubernetes' own kinds do */
	FORMAT_IPV4,
	FORMAT_IPV6,
	FORMAT_DATE_TIME,
};
enum schema_unique { UNIQUE_SET = 1, UNIQUE_MAP };

/* Tables hold no pointers, so that nothing has to be relocated at start: texts
 * are offsets into one pool, everything else is an index. */
struct node {
	uint64_t wanted; /* properties that are required or have a default */
	uint8_t types; /* enum schema_type, or 0: any */
	bool keep; /* unknown fields stay */
	bool native; /* of Kubernetes itself: what Go's types hold */
	bool zero; /* an empty text, 0 and false say nothing */
	uint8_t format, unique;
	uint8_t property_count, choice_count, rule_count, key_count;
	uint16_t limits; /* of a number, or of a length; 0: none */
	uint16_t pattern; /* enum gw_pattern + 1, or 0 */
	uint16_t properties, choices, rules, keys; /* the first of each */
	/* what a list holds, or a map beyond its properties; or NONE */
	uint16_t items;
	uint16_t parts; /* allOf and its like; 0: none */
};
struct property {
	uint16_t name;
	uint8_t length;
	bool required;
	uint16_t node;
	uint16_t fallback; /* 0: no default */
};
struct limits {
	int64_t low, high;
};
struct rule_use {
	uint16_t rule; /* enum gw_cel */
	uint16_t message;
};
struct parts {
	uint8_t all, any, one, not ; /* how many of each */
	uint16_t first; /* among the members */
};
/* A default, in pre-order. */
struct value {
	uint8_t kind; /* enum tree_kind */
	uint16_t key, text;
	int32_t integer;
	uint16_t below; /* values that it holds, and they */
};
struct kind_row {
	uint16_t group, version, kind, plural, short_names, root;
	bool namespaced;
};
#define NONE 0xffff
#define KEYS_MAX 4

/* Where the walk is: a field, or an item of the field above it. */
struct schema_place {
	const struct schema_place *up; /* NULL: the document */
	struct slice name;
	uint32_t index;
	bool is_item;
};

/* Rules that wait for the end of the walk. */
struct schema_duty {
	struct schema_duty *next;
	const struct tree_node *self;
	const struct node *node;
};

struct schema_judge {
	struct arena *arena;
	gw_schema_fault_fn on_fault;
	void *context;
	struct schema_duty *duties, **last_duty;
	bool failed; /* a fault other than an unknown field */
	bool mistyped; /* a fault of type or format */
	bool blocked; /* a fault that CEL rules might stumble over */
	bool part; /* of allOf and its like: the tree stays as it is */
	bool trying; /* whether a value fits: nothing is told either */
};

/* The tables, for who writes them out. */
extern const struct schema_rows {
	const struct node *nodes;
	const struct property *properties;
	const struct limits *limits;
	const struct rule_use *rules;
	const struct parts *parts;
	const struct value *values;
	const uint16_t *members, *words;
} schema_rows;

const char *schema_text(uint16_t offset);
struct slice schema_choice(const struct node *node, unsigned index);
/* What a value is held against besides its type. */
void schema_judge_value(struct schema_judge *judge,
    const struct tree_node *tree, const struct node *node,
    const struct limits *limits, const struct schema_place *place);
/* No two entries of a list are the same: in these keys, or (none) as a whole.
 */
void schema_judge_unique(struct schema_judge *judge,
    const struct tree_node *list, const struct slice *keys, unsigned key_count,
    const struct schema_place *place);

/* Faults; line and column are tree's, or its key's for an unknown field. */
void schema_fault(struct schema_judge *judge, enum gw_finding_row row,
    const struct tree_node *tree, const struct schema_place *place,
    struct slice text, struct slice hint);
void schema_fault_type(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node, const struct schema_place *place);
/* Of the rule of a node, self, somewhere below document; the place is broken's.
 */
void schema_fault_rule(struct schema_judge *judge,
    const struct tree_node *document, const struct tree_node *self,
    const struct tree_node *broken, enum gw_finding_row row,
    const char *message);

#endif
