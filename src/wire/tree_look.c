/* Looking into trees. Nothing here is recursive, and what a node is not of the
 * kind for is as if it were not there. */
#include "core/must.h"
#include "wire/tree.h"

struct tree_node *
wire_tree_get(const struct tree_node *map, const char *key)
{
	must(map != NULL && key != NULL);
	if (map->kind != TREE_MAP)
		return NULL;
	struct slice wanted = slice_from_string(key);
	for (struct tree_node *at = map->child; at != NULL; at = at->next)
		if (slice_equal(at->key, wanted))
			return at;
	return NULL;
}

static const struct tree_node *
item_at(const struct tree_node *list, uint64_t index)
{
	const struct tree_node *item = list->child;

	if (list->kind != TREE_LIST)
		return NULL;
	while (item != NULL && index-- > 0)
		item = item->next;
	return item;
}

/* One step of a path, "name" or "name[3]"; NULL: not there. */
static const struct tree_node *
step(const struct tree_node **at, struct slice part)
{
	size_t bracket = slice_find(part, '[');
	struct slice name = slice_make(part.data, bracket);
	const struct tree_node *node =
	    (*at)->kind == TREE_MAP ? (*at)->child : NULL;
	uint64_t index;

	while (node != NULL && !slice_equal(node->key, name))
		node = node->next;
	if (node == NULL || bracket == part.length)
		return node;
	*at = node;
	struct slice digits = slice_skip(part, bracket + 1);

	digits.length = slice_find(digits, ']');
	return slice_to_number(digits, UINT32_MAX, &index)
	    ? item_at(node, index)
	    : NULL;
}

const struct tree_node *
wire_tree_at(const struct tree_node *root, struct slice path)
{
	must(root != NULL);
	const struct tree_node *at = root;
	struct slice part;

	while (path.length > 0 && slice_cut(&path, '.', &part)) {
		const struct tree_node *next = step(&at, part);

		if (next == NULL)
			return at;
		at = next;
	}
	return at;
}

struct tree_node *
wire_tree_member(
    const struct tree_node *map, const char *key, enum tree_kind kind)
{
	struct tree_node *node = map != NULL ? wire_tree_get(map, key) : NULL;

	return node != NULL && node->kind == kind ? node : NULL;
}

struct slice
wire_tree_text(const struct tree_node *map, const char *key)
{
	const struct tree_node *node = wire_tree_member(map, key, TREE_TEXT);

	return node != NULL ? node->text : SLICE_NONE;
}

void
wire_tree_drop(struct tree_node *map, const char *key)
{
	must(map != NULL);
	struct slice dropped = slice_from_string(key);
	struct tree_node **place = &map->child;

	if (map->kind != TREE_MAP)
		return;
	while (*place != NULL && !slice_equal((*place)->key, dropped))
		place = &(*place)->next;
	if (*place == NULL)
		return;
	*place = (*place)->next;
	map->count--;
}
