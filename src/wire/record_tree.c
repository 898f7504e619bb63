/* Records from trees. A null is an absent field, as on an API server. What a
 * field may hold is not looked at: that has been judged before. */
#include "wire/record_tree.h"

#include <stdlib.h>

#include "core/must.h"

struct decoding {
	struct arena *arena;
	bool passed_over; /* a field that no record has */
};

static bool decode_map(struct decoding *decoding, const struct tree_node *tree,
    const struct record_type *type, char *record);
static bool decode_field(struct decoding *decoding,
    const struct tree_node *node, const struct record_field *field,
    char *record);

void *
wire_record_from_tree(const struct tree_node *tree,
    const struct record_type *type, struct arena *arena, bool *whole)
{
	must(tree != NULL && type != NULL && arena != NULL);
	struct decoding decoding = {.arena = arena};
	char *record = arena_zero(arena, 1, type->size);

	if (tree->kind != TREE_MAP ||
	    !decode_map(&decoding, tree, type, record))
		return NULL;
	if (whole != NULL)
		*whole = !decoding.passed_over;
	return record;
}

static const struct record_field *
find_field(const struct record_type *type, struct slice name)
{
	for (uint32_t i = 0; i < type->count; i++)
		if (slice_equal(slice_make(type->fields[i].name,
		                    type->fields[i].name_length),
		        name))
			return &type->fields[i];
	return NULL;
}

static void
set_default(const struct record_field *field, char *record)
{
	char *slot = record + field->offset;

	if (field->kind == RECORD_TEXT && field->fallback_text != NULL)
		*(struct slice *)(void *)slot =
		    slice_from_string(field->fallback_text);
	else if (field->kind == RECORD_NUMBER || field->kind == RECORD_BOOL)
		*(int64_t *)(void *)slot = field->fallback;
}

static bool
decode_map(struct decoding *decoding, const struct tree_node *tree,
    const struct record_type *type, char *record)
{
	for (uint32_t i = 0; i < type->count; i++)
		set_default(&type->fields[i], record);
	for (const struct tree_node *at = tree->child; at; at = at->next) {
		const struct record_field *field =
		    at->kind == TREE_NULL ? NULL : find_field(type, at->key);

		if (field == NULL && at->kind != TREE_NULL)
			decoding->passed_over = true;
		if (field != NULL && !decode_field(decoding, at, field, record))
			return false;
	}
	return true;
}

static bool
decode_text(
    struct decoding *decoding, const struct tree_node *node, struct slice *text)
{
	if (node->kind != TREE_TEXT)
		return false;
	*text = arena_copy(decoding->arena, node->text);
	return true;
}

static bool
decode_struct(struct decoding *decoding, const struct tree_node *node,
    const struct record_type *type, void **slot)
{
	if (node->kind != TREE_MAP)
		return false;
	*slot = arena_zero(decoding->arena, 1, type->size);
	return decode_map(decoding, node, type, *slot);
}

static bool
decode_list(struct decoding *decoding, const struct tree_node *node,
    const struct record_field *field, char *record)
{
	size_t size = field->kind == RECORD_TEXTS ? sizeof(struct slice)
	                                          : field->sub->size;

	if (node->kind != TREE_LIST)
		return false;
	char *items = arena_zero(
	    decoding->arena, node->count > 0 ? node->count : 1, size);
	uint32_t count = 0;

	*(void **)(void *)(record + field->offset) = items;
	for (const struct tree_node *at = node->child; at; at = at->next) {
		char *item = items + count++ * size;
		bool decoded = field->kind == RECORD_TEXTS
		    ? decode_text(decoding, at, (struct slice *)(void *)item)
		    : at->kind == TREE_MAP &&
		        decode_map(decoding, at, field->sub, item);

		if (!decoded)
			return false;
	}
	*(uint32_t *)(void *)(record + field->count_offset) = count;
	return true;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct record_pair *left = a, *right = b;

	return slice_compare(left->key, right->key);
}

/* A map's order means nothing: pairs are sorted, so that equal maps are equal.
 */
static bool
decode_pairs(struct decoding *decoding, const struct tree_node *node,
    const struct record_field *field, char *record)
{
	if (node->kind != TREE_MAP)
		return false;
	struct record_pair *pairs = arena_zero(
	    decoding->arena, node->count > 0 ? node->count : 1, sizeof(*pairs));
	uint32_t count = 0;

	for (const struct tree_node *at = node->child; at; at = at->next) {
		struct record_pair *pair = &pairs[count++];

		pair->key = arena_copy(decoding->arena, at->key);
		pair->value = SLICE("");
		if (at->kind != TREE_NULL &&
		    !decode_text(decoding, at, &pair->value))
			return false;
	}
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	*(void **)(void *)(record + field->offset) = pairs;
	*(uint32_t *)(void *)(record + field->count_offset) = count;
	return true;
}

static bool
decode_field(struct decoding *decoding, const struct tree_node *node,
    const struct record_field *field, char *record)
{
	char *slot = record + field->offset;

	switch (field->kind) {
	case RECORD_TEXT:
		return decode_text(
		    decoding, node, (struct slice *)(void *)slot);
	case RECORD_NUMBER:
		*(int64_t *)(void *)slot = node->integer;
		return node->kind == TREE_INTEGER;
	case RECORD_BOOL:
		*(int64_t *)(void *)slot = node->integer;
		return node->kind == TREE_BOOL;
	case RECORD_STRUCT:
		return decode_struct(
		    decoding, node, field->sub, (void **)(void *)slot);
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
		return decode_list(decoding, node, field, record);
	case RECORD_PAIRS:
		break;
	}
	return decode_pairs(decoding, node, field, record);
}
