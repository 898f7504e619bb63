/* What a tree says, as JSON, and the way back by jansson. Depth is that of the
 * tree, which its parser bounds. */
#include "wire/tree_json.h"

#include <jansson.h>

#include "core/limit.h"
#include "core/must.h"

static size_t
count_digits(struct slice s, size_t at)
{
	size_t first = at;

	while (at < s.length && s.data[at] >= '0' && s.data[at] <= '9')
		at++;
	return at - first;
}

/* RFC 8259 6: YAML has more of them. */
static bool
is_json_number(struct slice s)
{
	size_t at = s.length > 0 && s.data[0] == '-', digits;

	digits = count_digits(s, at);
	if (digits == 0 || (digits > 1 && s.data[at] == '0'))
		return false;
	at += digits;
	if (at < s.length && s.data[at] == '.') {
		digits = count_digits(s, at + 1);
		if (digits == 0)
			return false;
		at += 1 + digits;
	}
	if (at < s.length && (s.data[at] == 'e' || s.data[at] == 'E')) {
		at++;
		if (at < s.length && (s.data[at] == '+' || s.data[at] == '-'))
			at++;
		digits = count_digits(s, at);
		if (digits == 0)
			return false;
		at += digits;
	}
	return at == s.length;
}

static void
push_children(struct text *out, const struct tree_node *node)
{
	bool is_map = node->kind == TREE_MAP;

	text_push_byte(out, is_map ? '{' : '[');
	for (const struct tree_node *at = node->child; at; at = at->next) {
		if (at != node->child)
			text_push_byte(out, ',');
		if (is_map) {
			text_push_json(out, at->key);
			text_push_byte(out, ':');
		}
		wire_tree_json(out, at);
	}
	text_push_byte(out, is_map ? '}' : ']');
}

void
wire_tree_json(struct text *out, const struct tree_node *node)
{
	must(out != NULL && node != NULL);
	switch (node->kind) {
	case TREE_NULL:
		text_push_string(out, "null");
		break;
	case TREE_BOOL:
		text_push_string(out, node->integer ? "true" : "false");
		break;
	case TREE_INTEGER:
		text_printf(out, "%lld", (long long)node->integer);
		break;
	case TREE_REAL:
		if (is_json_number(node->text))
			text_push(out, node->text);
		else
			text_push_json(out, node->text);
		break;
	case TREE_LIST:
	case TREE_MAP:
		push_children(out, node);
		break;
	case TREE_TEXT:
		text_push_json(out, node->text);
		break;
	}
}

static struct slice
copy_text(struct arena *arena, const char *text, size_t length)
{
	return arena_copy(arena, slice_make(text, length));
}

static void
set_scalar(struct tree_node *node, const json_t *value, struct arena *arena)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		node->kind = TREE_TEXT;
		node->text = copy_text(
		    arena, json_string_value(value), json_string_length(value));
		return;
	case JSON_INTEGER:
		node->kind = TREE_INTEGER;
		node->integer = json_integer_value(value);
		node->text =
		    arena_format(arena, "%lld", (long long)node->integer);
		return;
	case JSON_REAL:
		node->kind = TREE_REAL;
		node->text =
		    arena_format(arena, "%.17g", json_real_value(value));
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		node->kind = TREE_BOOL;
		node->integer = json_is_true(value);
		node->text = node->integer ? SLICE("true") : SLICE("false");
		return;
	default:
		node->kind = TREE_NULL;
		node->text = SLICE("null");
		return;
	}
}

static struct tree_node *read_value(
    json_t *value, struct arena *arena, unsigned depth);

/* Children of a list or a map, as deep as LIMIT_FILE_DEPTH. */
static bool
read_children(
    struct tree_node *node, json_t *value, struct arena *arena, unsigned depth)
{
	struct tree_node **place = &node->child;
	const char *key;
	json_t *child;
	size_t index, key_length;

	if (node->kind == TREE_LIST) {
		json_array_foreach(value, index, child)
		{
			*place = read_value(child, arena, depth + 1);
			if (*place == NULL)
				return false;
			place = &(*place)->next;
			node->count++;
		}
		return true;
	}
	json_object_keylen_foreach(value, key, key_length, child)
	{
		*place = read_value(child, arena, depth + 1);
		if (*place == NULL)
			return false;
		(*place)->key = copy_text(arena, key, key_length);
		place = &(*place)->next;
		node->count++;
	}
	return true;
}

static struct tree_node *
read_value(json_t *value, struct arena *arena, unsigned depth)
{
	struct tree_node *node = arena_zero(arena, 1, sizeof(*node));

	if (!json_is_array(value) && !json_is_object(value)) {
		set_scalar(node, value, arena);
		return node;
	}
	node->kind = json_is_array(value) ? TREE_LIST : TREE_MAP;
	if (depth >= LIMIT_VALUE_FILE_DEPTH ||
	    !read_children(node, value, arena, depth))
		return NULL;
	return node;
}

struct tree_node *
wire_tree_from_json(struct slice json, struct arena *arena)
{
	must(arena != NULL);
	json_t *root = json_loadb(json.data != NULL ? json.data : "",
	    json.length,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (root == NULL)
		return NULL;
	struct tree_node *node = read_value(root, arena, 0);

	json_decref(root);
	return node;
}
