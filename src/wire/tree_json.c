/* What a tree says, as JSON. Depth is that of the tree, which its parser
 * bounds. */
#include "wire/tree_json.h"

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
