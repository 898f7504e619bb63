/* What a tree says, in block style. Depth is that of the tree, which its parser
 * bounds. */
#include "wire/tree_yaml.h"

#include "core/must.h"

static void push_node(
    struct text *out, const struct tree_node *node, unsigned depth);

/* Plain is what begins with a letter or '/' and goes on without anything that
 * YAML gives a meaning, but for the words that mean something. */
static bool
is_plain(struct slice s)
{
	static const char *const words[] = {
	    "null", "true", "false", "yes", "no", "on", "off", "y", "n"};

	for (size_t i = 0; i < s.length; i++) {
		char c = s.data[i];
		bool letter = (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') || c == '/';
		bool other =
		    (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';

		if (!letter && (i == 0 || !other))
			return false;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_equal_nocase(s, slice_from_string(words[i])))
			return false;
	return s.length > 0;
}

/* Characters that JSON takes as they are, and YAML does not, or not as text. */
static const struct {
	const char *bytes, *last; /* last: of the range of the last byte */
	const char *escape; /* NULL: \xNN by the last byte */
} special[] = {
    {"\xc2\x80", "\x9f", NULL},
    {"\xe2\x80\xa8", "\xa8", "\\u2028"},
    {"\xe2\x80\xa9", "\xa9", "\\u2029"},
    {"\xef\xbb\xbf", "\xbf", "\\uFEFF"},
    {"\xef\xbf\xbe", "\xbe", "\\uFFFE"},
    {"\xef\xbf\xbf", "\xbf", "\\uFFFF"},
};

/* The length of a special character that s begins with, or 0. */
static size_t
push_special(struct text *out, struct slice s)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		size_t length = strlen(special[i].bytes);
		unsigned char last;

		if (s.length < length ||
		    memcmp(s.data, special[i].bytes, length - 1) != 0)
			continue;
		last = (unsigned char)s.data[length - 1];
		if (last < (unsigned char)special[i].bytes[length - 1] ||
		    last > (unsigned char)special[i].last[0])
			continue;
		if (special[i].escape)
			text_push_string(out, special[i].escape);
		else
			text_printf(out, "\\x%02x", last);
		return length;
	}
	return 0;
}

static void
push_quoted(struct text *out, struct slice s)
{
	struct text json;

	text_init(&json);
	text_push_json(&json, s);
	for (struct slice rest = text_slice(&json); rest.length > 0;) {
		size_t length = push_special(out, rest);

		if (length == 0) {
			text_push_byte(out, rest.data[0]);
			length = 1;
		}
		rest = slice_skip(rest, length);
	}
	text_fini(&json);
}

static void
push_text(struct text *out, struct slice s)
{
	if (is_plain(s))
		text_push(out, s);
	else
		push_quoted(out, s);
}

static void
push_scalar(struct text *out, const struct tree_node *node)
{
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
		text_push(out, node->text);
		break;
	case TREE_LIST:
		text_push_string(out, "[]");
		break;
	case TREE_MAP:
		text_push_string(out, "{}");
		break;
	case TREE_TEXT:
	default:
		push_text(out, node->text);
		break;
	}
	text_push_byte(out, '\n');
}

static void
indent(struct text *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		text_push_string(out, "  ");
}

/* After a key: a list stands at its key's own indentation. */
static void
push_value(struct text *out, const struct tree_node *node, unsigned depth)
{
	text_push_byte(out, ':');
	if (node->child) {
		text_push_byte(out, '\n');
		indent(out, node->kind == TREE_LIST ? depth : depth + 1);
		push_node(
		    out, node, node->kind == TREE_LIST ? depth : depth + 1);
	} else {
		text_push_byte(out, ' ');
		push_scalar(out, node);
	}
}

/* The line is indented already. */
static void
push_node(struct text *out, const struct tree_node *node, unsigned depth)
{
	if (!node->child) {
		push_scalar(out, node);
		return;
	}
	for (const struct tree_node *at = node->child; at; at = at->next) {
		if (at != node->child)
			indent(out, depth);
		if (node->kind == TREE_LIST) {
			text_push_string(out, "- ");
			push_node(out, at, depth + 1);
		} else {
			push_text(out, at->key);
			push_value(out, at, depth);
		}
	}
}

void
wire_tree_yaml(struct text *out, const struct tree_node *root)
{
	must(out != NULL && root != NULL);
	push_node(out, root, 0);
}
