/* Faults in words and at their place. */
#include "gw/schema_priv.h"

static void
push_place(struct text *out, const struct schema_place *place)
{
	if (place->up != NULL)
		push_place(out, place->up);
	if (place->is_item) {
		text_printf(out, "[%u]", place->index);
		return;
	}
	if (out->length > 0)
		text_push_byte(out, '.');
	text_push(out, place->name);
}

static void
tell(struct schema_judge *judge, enum gw_finding_row row, uint32_t line,
    uint32_t column, struct text *path, struct slice text, struct slice hint)
{
	struct gw_schema_fault fault = {
	    .row = row,
	    .line = line,
	    .column = column,
	    .path = arena_copy(judge->arena, text_slice(path)),
	    .text = text,
	    .hint = hint,
	};

	text_fini(path);
	judge->on_fault(judge->context, &fault);
}

void
schema_fault(struct schema_judge *judge, enum gw_finding_row row,
    const struct tree_node *tree, const struct schema_place *place,
    struct slice text, struct slice hint)
{
	bool at_key = row == GW_FINDING_FIELD_UNKNOWN;
	struct text path;

	if (!at_key)
		judge->failed = true;
	/* As an API server: its other faults leave the rules something that
	 * they can look at. */
	if (row == GW_FINDING_TYPE_WRONG || row == GW_FINDING_FIELD_MISSING ||
	    row == GW_FINDING_CHOICE_UNKNOWN)
		judge->blocked = true;
	judge->mistyped |= row == GW_FINDING_TYPE_WRONG;
	if (judge->trying)
		return;
	text_init(&path);
	if (place != NULL)
		push_place(&path, place);
	tell(judge, row, at_key ? tree->key_line : tree->line,
	    at_key ? tree->key_column : tree->column, &path, text, hint);
}

static const char *
kind_words(const struct tree_node *tree)
{
	switch (tree->kind) {
	case TREE_NULL:
		return "null";
	case TREE_BOOL:
		return "true or false";
	case TREE_INTEGER:
		return "a number";
	case TREE_REAL:
		return "a number with a fraction or out of bounds";
	case TREE_TEXT:
		return "text";
	case TREE_LIST:
		return "a list";
	case TREE_MAP:
		break;
	}
	return "a map";
}

static const char *
type_words(unsigned types)
{
	switch (types) {
	case TYPE_BOOL:
		return "true or false";
	case TYPE_INTEGER:
		return "a whole number";
	case TYPE_NUMBER:
		return "a number";
	case TYPE_TEXT:
		return "text";
	case TYPE_LIST:
		return "a list";
	case TYPE_MAP:
		return "a map";
	default:
		return "a whole number or text";
	}
}

void
schema_fault_type(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node, const struct schema_place *place)
{
	bool quote = node->types == TYPE_TEXT && tree->kind >= TREE_BOOL &&
	    tree->kind <= TREE_REAL;

	if (judge->trying) {
		judge->failed = true;
		return;
	}
	schema_fault(judge, GW_FINDING_TYPE_WRONG, tree, place,
	    arena_format(judge->arena, "must be %s, not %s%s",
	        type_words(node->types), kind_words(tree),
	        quote ? ": put it in quotes" : ""),
	    quote
	        ? arena_format(judge->arena, "\"%.*s\"", SLICE_ARGS(tree->text))
	        : SLICE_NONE);
}

/* Appends the path from a node, which is at path, to self; false, and path as
 * it was, when self is not below it. */
static bool
push_path(
    struct text *path, const struct tree_node *at, const struct tree_node *self)
{
	size_t length = path->length;
	unsigned index = 0;

	if (at == self)
		return true;
	for (const struct tree_node *child = at->child; child;
	     child = child->next, index++) {
		if (at->kind == TREE_LIST) {
			text_printf(path, "[%u]", index);
		} else {
			if (length > 0)
				text_push_byte(path, '.');
			text_push(path, child->key);
		}
		if (push_path(path, child, self))
			return true;
		path->length = length;
	}
	return false;
}

void
schema_fault_rule(struct schema_judge *judge, const struct tree_node *document,
    const struct tree_node *self, const struct tree_node *broken,
    enum gw_finding_row row, const char *message)
{
	struct text path;

	judge->failed = true;
	text_init(&path);
	(void)push_path(&path, document, self);
	tell(judge, row, broken->line, broken->column, &path,
	    slice_from_string(message), SLICE_NONE);
}
