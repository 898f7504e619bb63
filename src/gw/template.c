/* The templates are ours, so that what is wrong with one is a bug. */
#include "gw/template.h"

#include "core/must.h"

struct filling {
	struct arena *arena;
	const struct gw_template_value *values;
	uint32_t count;
	struct tree_node *root;
};

static struct tree_node *fill(
    const struct filling *filling, struct tree_node *node);

/* ---- building ---- */

struct tree_node *
gw_tree_new(struct arena *arena, enum tree_kind kind)
{
	struct tree_node *node = arena_zero(arena, 1, sizeof(*node));

	node->kind = kind;
	return node;
}

struct tree_node *
gw_tree_text(struct arena *arena, struct slice text)
{
	struct tree_node *node = gw_tree_new(arena, TREE_TEXT);

	node->text = text;
	return node;
}

struct tree_node *
gw_tree_number(struct arena *arena, int64_t number)
{
	struct tree_node *node = gw_tree_new(arena, TREE_INTEGER);

	node->integer = number;
	return node;
}

struct tree_node *
gw_tree_bool(struct arena *arena, bool value)
{
	struct tree_node *node = gw_tree_new(arena, TREE_BOOL);

	node->integer = value;
	return node;
}

void
gw_tree_put(struct tree_node *map, struct slice key, struct tree_node *node)
{
	must(map->kind == TREE_MAP);
	struct tree_node **place = &map->child;

	node->key = key;
	node->next = NULL;
	while (*place && !slice_equal((*place)->key, key))
		place = &(*place)->next;
	if (*place)
		node->next = (*place)->next;
	else
		map->count++;
	*place = node;
}

void
gw_tree_push(struct tree_node *list, struct tree_node *node)
{
	must(list->kind == TREE_LIST);
	struct tree_node **place = &list->child;

	node->key = SLICE_NONE;
	node->next = NULL;
	while (*place)
		place = &(*place)->next;
	*place = node;
	list->count++;
}

void
gw_tree_put_pairs(struct arena *arena, struct tree_node *map,
    const struct record_pair *pairs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		gw_tree_put(
		    map, pairs[i].key, gw_tree_text(arena, pairs[i].value));
}

struct tree_node *
gw_tree_map(struct arena *arena, struct tree_node *map, const char *path)
{
	struct slice rest = slice_from_string(path), key;

	while (slice_cut(&rest, '.', &key)) {
		struct tree_node *at = map->child;

		while (at && !slice_equal(at->key, key))
			at = at->next;
		if (!at || at->kind != TREE_MAP) {
			at = gw_tree_new(arena, TREE_MAP);
			gw_tree_put(map, key, at);
		}
		map = at;
	}
	return map;
}

struct tree_node *
gw_tree_copy(struct arena *arena, const struct tree_node *node)
{
	struct tree_node *copy = gw_tree_new(arena, node->kind);

	*copy = *node;
	copy->next = NULL;
	if (node->kind != TREE_MAP && node->kind != TREE_LIST)
		return copy;
	struct tree_node **place = &copy->child;

	for (const struct tree_node *at = node->child; at; at = at->next) {
		*place = gw_tree_copy(arena, at);
		place = &(*place)->next;
	}
	*place = NULL;
	return copy;
}

/* ---- merging ---- */

static struct tree_node *
find_member(const struct tree_node *map, struct slice key)
{
	struct tree_node *at = map->child;

	while (at && !slice_equal(at->key, key))
		at = at->next;
	return at;
}

/* What a list's item is known by; absent: nothing. */
static struct slice
identity_of(const struct tree_node *item, struct slice key)
{
	const struct tree_node *name =
	    item->kind == TREE_MAP ? find_member(item, key) : NULL;

	return name && name->kind == TREE_TEXT ? name->text : SLICE_NONE;
}

static bool
are_known_by(const struct tree_node *list, struct slice key)
{
	for (const struct tree_node *at = list->child; at; at = at->next)
		if (!slice_is_set(identity_of(at, key)))
			return false;
	return true;
}

static struct tree_node *
merge_lists(struct arena *arena, const struct tree_node *under,
    const struct tree_node *over, struct slice key)
{
	struct tree_node *made = gw_tree_new(arena, TREE_LIST);

	made->key = over->key;
	for (const struct tree_node *at = under->child; at; at = at->next) {
		const struct tree_node *with = over->child;

		while (with &&
		    !slice_equal(identity_of(with, key), identity_of(at, key)))
			with = with->next;
		gw_tree_push(made,
		    with ? gw_tree_merge(arena, at, with, true)
		         : gw_tree_copy(arena, at));
	}
	for (const struct tree_node *at = over->child; at; at = at->next) {
		const struct tree_node *with = under->child;

		while (with &&
		    !slice_equal(identity_of(with, key), identity_of(at, key)))
			with = with->next;
		if (!with)
			gw_tree_push(made, gw_tree_copy(arena, at));
	}
	return made;
}

static struct tree_node *
merge_maps(struct arena *arena, const struct tree_node *under,
    const struct tree_node *over, bool strategic)
{
	struct tree_node *made = gw_tree_copy(arena, under);

	made->key = over->key;
	for (const struct tree_node *at = over->child; at; at = at->next) {
		const struct tree_node *below = find_member(under, at->key);

		if (at->kind == TREE_NULL) {
			if (below)
				wire_tree_drop(
				    made, arena_copy(arena, at->key).data);
			continue;
		}
		gw_tree_put(made, at->key,
		    below ? gw_tree_merge(arena, below, at, strategic)
		          : gw_tree_copy(arena, at));
	}
	return made;
}

struct tree_node *
gw_tree_merge(struct arena *arena, const struct tree_node *under,
    const struct tree_node *over, bool strategic)
{
	static const struct slice keys[] = {SLICE("mountPath"), SLICE("name")};

	if (under->kind == TREE_MAP && over->kind == TREE_MAP)
		return merge_maps(arena, under, over, strategic);
	for (size_t i = 0; strategic && under->kind == TREE_LIST &&
	     over->kind == TREE_LIST && i < sizeof(keys) / sizeof(keys[0]);
	     i++)
		if (are_known_by(under, keys[i]) && are_known_by(over, keys[i]))
			return merge_lists(arena, under, over, keys[i]);
	return gw_tree_copy(arena, over);
}

/* ---- filling ---- */

static const struct gw_template_value *
find(const struct filling *filling, struct slice word)
{
	for (uint32_t i = 0; i < filling->count; i++)
		if (slice_equal(
		        slice_from_string(filling->values[i].word), word))
			return &filling->values[i];
	must(!"a word of a template that nobody knows");
	return NULL;
}

static bool
is_word_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || byte == '_';
}

/* The word behind the '$' at the start of rest, which is taken off. */
static struct slice
take_word(struct slice *rest)
{
	size_t length = 1;
	struct slice word;

	while (length < rest->length && is_word_byte(rest->data[length]))
		length++;
	word = slice_make(rest->data + 1, length - 1);
	*rest = slice_skip(*rest, length);
	return word;
}

static struct slice
fill_text(const struct filling *filling, struct slice rest)
{
	struct text out;
	struct slice made;

	text_init(&out);
	while (rest.length > 0) {
		size_t dollar = slice_find(rest, '$');

		text_push(&out, slice_make(rest.data, dollar));
		rest = slice_skip(rest, dollar);
		if (rest.length == 0)
			break;
		struct slice word = take_word(&rest);

		if (word.length == 0)
			text_push_byte(&out, '$');
		else
			text_push(&out, find(filling, word)->text);
	}
	made = arena_copy(filling->arena, text_slice(&out));
	text_fini(&out);
	return made;
}

/* NULL: it is left out. */
static struct tree_node *
fill_scalar(const struct filling *filling, struct tree_node *node)
{
	struct slice rest = node->text, word;

	if (rest.length == 0 || slice_find(rest, '$') == rest.length)
		return node;
	if (rest.data[0] == '$') {
		word = take_word(&rest);
		if (word.length > 0 && rest.length == 0) {
			const struct gw_template_value *value =
			    find(filling, word);

			if (value->tree)
				return value->tree;
			if (!slice_is_set(value->text))
				return NULL;
		}
	}
	node->text = fill_text(filling, node->text);
	return node;
}

static void
fill_children(const struct filling *filling, struct tree_node *node)
{
	struct tree_node *children = node->child, *next;

	node->child = NULL;
	node->count = 0;
	for (; children; children = next) {
		struct slice key = children->key;
		struct tree_node *made;

		next = children->next;
		made = fill(filling, children);
		if (!made)
			continue;
		if (node->kind == TREE_MAP)
			gw_tree_put(node, fill_text(filling, key), made);
		else
			gw_tree_push(node, made);
	}
}

/* As deep as the template, which its parser bounds. */
static struct tree_node *
fill(const struct filling *filling, struct tree_node *node)
{
	if (node->kind == TREE_TEXT)
		return fill_scalar(filling, node);
	if (node->kind == TREE_MAP || node->kind == TREE_LIST)
		fill_children(filling, node);
	return node;
}

static bool
on_document(void *context, struct tree_node *root)
{
	struct filling *filling = context;

	must(filling->root == NULL);
	filling->root = root;
	return true;
}

struct tree_node *
gw_template_fill(struct arena *arena, const char *yaml,
    const struct gw_template_value *values, uint32_t count)
{
	must(arena != NULL && yaml != NULL);
	struct filling filling = {
	    .arena = arena, .values = values, .count = count};
	struct tree_fault fault;
	enum error error = wire_tree_parse(
	    slice_from_string(yaml), arena, on_document, &filling, &fault);

	must(error == ERROR_OK && filling.root != NULL);
	return fill(&filling, filling.root);
}
