/* Plain scalars: which JSON value a YAML word without quotes stands for. The
 * rules are those of the YAML reader behind kubectl and sigs.k8s.io/yaml (YAML
 * 1.1's words, Go's integer prefixes, no base 60): a file must mean to yumen
 * what it means to an API server. Pure; knows nothing of documents. */
#include "wire/tree_priv.h"

#include <math.h>
#include <stdlib.h>

#include "core/must.h"

/* Longer ones are no number that anybody means; they stay text. */
#define NUMBER_BYTES_MAX 128

static bool resolve_word(struct tree_node *node);
static bool is_special_real(struct slice text);
static bool resolve_integer(struct tree_node *node, struct slice plain);
static bool resolve_real(struct tree_node *node, struct slice plain);

void
wire_tree_resolve(struct tree_node *node)
{
	must(node != NULL && slice_is_set(node->text));
	node->kind = TREE_TEXT;
	if (node->text.length == 0) {
		node->kind = TREE_NULL;
		return;
	}
	char first = node->text.data[0];
	bool digit = first >= '0' && first <= '9';
	if (!digit && first != '+' && first != '-' && first != '.') {
		(void)resolve_word(node);
		return;
	}
	if (is_special_real(node->text)) {
		node->kind = TREE_REAL;
		return;
	}
	if (node->text.length > NUMBER_BYTES_MAX)
		return;
	char digits[NUMBER_BYTES_MAX];
	size_t length = 0;
	for (size_t i = 0; i < node->text.length; i++)
		if (node->text.data[i] != '_' || first == '.')
			digits[length++] = node->text.data[i];
	struct slice plain = slice_make(digits, length);
	if (first == '.' || !resolve_integer(node, plain))
		(void)resolve_real(node, plain);
}

static const struct word {
	struct slice text;
	enum tree_kind kind;
	int integer;
} words[] = {
    {SLICE("true"), TREE_BOOL, 1},
    {SLICE("True"), TREE_BOOL, 1},
    {SLICE("TRUE"), TREE_BOOL, 1},
    {SLICE("false"), TREE_BOOL, 0},
    {SLICE("False"), TREE_BOOL, 0},
    {SLICE("FALSE"), TREE_BOOL, 0},
    {SLICE("null"), TREE_NULL, 0},
    {SLICE("Null"), TREE_NULL, 0},
    {SLICE("NULL"), TREE_NULL, 0},
    {SLICE("~"), TREE_NULL, 0},
    {SLICE("y"), TREE_BOOL, 1},
    {SLICE("Y"), TREE_BOOL, 1},
    {SLICE("yes"), TREE_BOOL, 1},
    {SLICE("Yes"), TREE_BOOL, 1},
    {SLICE("YES"), TREE_BOOL, 1},
    {SLICE("on"), TREE_BOOL, 1},
    {SLICE("On"), TREE_BOOL, 1},
    {SLICE("ON"), TREE_BOOL, 1},
    {SLICE("n"), TREE_BOOL, 0},
    {SLICE("N"), TREE_BOOL, 0},
    {SLICE("no"), TREE_BOOL, 0},
    {SLICE("No"), TREE_BOOL, 0},
    {SLICE("NO"), TREE_BOOL, 0},
    {SLICE("off"), TREE_BOOL, 0},
    {SLICE("Off"), TREE_BOOL, 0},
    {SLICE("OFF"), TREE_BOOL, 0},
};
#define WORD_BYTES_MAX 5

static bool
resolve_word(struct tree_node *node)
{
	if (node->text.length > WORD_BYTES_MAX ||
	    !strchr("tTfFnN~yYoO", node->text.data[0]))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!slice_equal(node->text, words[i].text))
			continue;
		node->kind = words[i].kind;
		node->integer = words[i].integer;
		return true;
	}
	return false;
}

/* Infinities with or without a sign, and not-a-number, in three cases each. */
static bool
is_special_real(struct slice text)
{
	static const struct slice infinities[] = {
	    SLICE(".inf"), SLICE(".Inf"), SLICE(".INF")};
	static const struct slice not_numbers[] = {
	    SLICE(".nan"), SLICE(".NaN"), SLICE(".NAN")};
	if (text.data[0] == '.') {
		for (unsigned i = 0; i < 3; i++)
			if (slice_equal(text, not_numbers[i]))
				return true;
	} else {
		text = slice_skip(text, 1);
	}
	for (unsigned i = 0; i < 3; i++)
		if (slice_equal(text, infinities[i]))
			return true;
	return false;
}

/* Takes a sign off *text. */
static bool
cut_sign(struct slice *text)
{
	if (text->length == 0 || (text->data[0] != '-' && text->data[0] != '+'))
		return false;
	bool negative = text->data[0] == '-';
	*text = slice_skip(*text, 1);
	return negative;
}

/* Takes 0x, 0o, 0b or an octal 0 off *text; 10 when there is none. */
static unsigned
cut_base(struct slice *text)
{
	if (text->length < 2 || text->data[0] != '0')
		return 10;
	unsigned base = 8;
	size_t prefix = 2;
	switch (text->data[1]) {
	case 'x':
	case 'X':
		base = 16;
		break;
	case 'b':
	case 'B':
		base = 2;
		break;
	case 'o':
	case 'O':
		break;
	default:
		prefix = 1;
	}
	*text = slice_skip(*text, prefix);
	return base;
}

static unsigned
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return 16;
}

/* Sets node to sign and magnitude: an integer if it fits, else a real. */
static void
set_number(struct tree_node *node, uint64_t magnitude, bool negative, bool fits)
{
	if (fits && magnitude <= INT64_MAX) {
		node->kind = TREE_INTEGER;
		node->integer = (int64_t)magnitude;
		if (negative)
			node->integer = -node->integer;
	} else if (fits && negative && magnitude == (uint64_t)1 << 63) {
		node->kind = TREE_INTEGER;
		node->integer = INT64_MIN;
	} else {
		node->kind = TREE_REAL;
	}
}

static bool
resolve_integer(struct tree_node *node, struct slice plain)
{
	bool negative = cut_sign(&plain);
	unsigned base = cut_base(&plain);
	if (plain.length == 0)
		return false;
	uint64_t value = 0;
	bool fits = true;
	for (size_t i = 0; i < plain.length; i++) {
		unsigned digit = digit_value(plain.data[i]);
		if (digit >= base)
			return false;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			fits = false;
	}
	set_number(node, value, negative, fits);
	return true;
}

/* Sets node to a real that is no infinity: one without a fraction (80.0, 1e3)
 * is an integer in JSON, and so here. text ends with a zero byte. */
static bool
set_real(struct tree_node *node, const char *text)
{
	static const double bound = 9223372036854775808.0; /* 2^63 */
	double value = strtod(text, NULL);

	if (isinf(value))
		return false;
	node->kind = TREE_REAL;
	if (value >= -bound && value < bound &&
	    value == (double)(int64_t)value) {
		node->kind = TREE_INTEGER;
		node->integer = (int64_t)value;
	}
	return true;
}

static size_t
count_digits(struct slice text)
{
	size_t count = 0;

	while (count < text.length && digit_value(text.data[count]) < 10)
		count++;
	return count;
}

/* [-+]?(.[0-9]+|[0-9]+(.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool
is_real(struct slice text)
{
	size_t before, behind = 0;

	(void)cut_sign(&text);
	before = count_digits(text);
	text = slice_skip(text, before);
	if (text.length > 0 && text.data[0] == '.') {
		text = slice_skip(text, 1);
		behind = count_digits(text);
		text = slice_skip(text, behind);
	}
	if (before + behind == 0)
		return false;
	if (text.length == 0)
		return true;
	if (text.data[0] != 'e' && text.data[0] != 'E')
		return false;
	text = slice_skip(text, 1);
	(void)cut_sign(&text);
	return text.length > 0 && count_digits(text) == text.length;
}

/* One beyond all bounds (1e400) is text, to that reader too. */
static bool
resolve_real(struct tree_node *node, struct slice plain)
{
	char text[NUMBER_BYTES_MAX + 1];

	if (!is_real(plain))
		return false;
	must(plain.length < sizeof(text));
	memcpy(text, plain.data, plain.length);
	text[plain.length] = '\0';
	return set_real(node, text);
}

void
wire_tree_number(struct tree_node *node)
{
	must(node != NULL && slice_is_set(node->text));
	struct text text;

	node->kind = TREE_REAL;
	if (resolve_integer(node, node->text) && node->kind == TREE_INTEGER)
		return;
	text_init(&text);
	text_push(&text, node->text);
	(void)set_real(node, text.data);
	text_fini(&text);
}

bool
wire_tree_tag(struct tree_node *node, const char *tag)
{
	static const struct {
		const char *tag;
		enum tree_kind kind;
	} rows[] = {
	    {"tag:yaml.org,2002:null", TREE_NULL},
	    {"tag:yaml.org,2002:bool", TREE_BOOL},
	    {"tag:yaml.org,2002:int", TREE_INTEGER},
	    {"tag:yaml.org,2002:float", TREE_REAL},
	    {"tag:yaml.org,2002:str", TREE_TEXT},
	    {"!", TREE_TEXT},
	    {"tag:yaml.org,2002:seq", TREE_LIST},
	    {"tag:yaml.org,2002:map", TREE_MAP},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(tag, rows[i].tag) != 0)
			continue;
		if (rows[i].kind == TREE_TEXT && node->kind < TREE_TEXT) {
			node->kind = TREE_TEXT;
			node->integer = 0;
		}
		if (rows[i].kind == node->kind ||
		    (rows[i].kind == TREE_REAL && node->kind == TREE_INTEGER))
			return true;
	}
	return false;
}
