/* Inside templates: the steps and nodes that they are read into. */
#ifndef YUMEN_CMD_JSONPATH_PRIV_H
#define YUMEN_CMD_JSONPATH_PRIV_H

#include "cmd/jsonpath.h"
#include "core/arena.h"

#define STEPS_MAX 256
#define NODES_MAX 256

enum step_kind { STEP_NAME, STEP_ALL, STEP_SLICE, STEP_FILTER };
enum filter_relation {
	FILTER_EXISTS,
	FILTER_EQUAL,
	FILTER_UNEQUAL,
	FILTER_LESS,
	FILTER_LESS_EQUAL,
	FILTER_MORE,
	FILTER_MORE_EQUAL,
};
struct step {
	enum step_kind kind;
	struct slice name;
	json_int_t from, to; /* of a slice; to: INT32_MAX for the end */
	bool one; /* the slice is one item */
	/* Of a filter: a path, a relation, a literal. */
	unsigned first, count;
	enum filter_relation relation;
	json_t *literal;
};

enum node_kind { NODE_TEXT, NODE_PATH, NODE_RANGE, NODE_END };
struct node {
	enum node_kind kind;
	struct slice text;
	bool whole; /* from '$' on */
	unsigned first, count; /* steps */
	unsigned end; /* of a range: its NODE_END */
};

struct jsonpath {
	struct arena arena;
	struct step steps[STEPS_MAX];
	unsigned step_count;
	struct node nodes[NODES_MAX];
	unsigned node_count;
};

#endif
