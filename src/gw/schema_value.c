/* What a single value is held against: limits, pattern, format, choices; and
 * whether the entries of a list differ. */
#include "core/map.h"
#include "core/must.h"
#include "gw/form.h"
#include "gw/schema_priv.h"
#include "wire/nearest.h"

/* As much of a text as a message shows. */
enum { SHOWN_BYTES = 80, FEW_ITEMS = 16 };

static struct slice
shown(struct slice text)
{
	return slice_make(
	    text.data, text.length < SHOWN_BYTES ? text.length : SHOWN_BYTES);
}

/* Characters, as OpenAPI's lengths count. */
static uint64_t
count_characters(struct slice text)
{
	uint64_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

static void
judge_length(struct schema_judge *judge, const struct tree_node *tree,
    uint64_t length, const char *what, const struct limits *limits,
    const struct schema_place *place)
{
	struct slice text;

	if (limits->low > 0 && length < (uint64_t)limits->low) {
		text = arena_format(judge->arena,
		    "has %llu %s; at least %lld are wanted",
		    (unsigned long long)length, what, (long long)limits->low);
	} else if (length > (uint64_t)limits->high) {
		text = arena_format(judge->arena,
		    "has %llu %s; at most %lld are allowed",
		    (unsigned long long)length, what, (long long)limits->high);
		judge->blocked = true;
	} else {
		return;
	}
	schema_fault(
	    judge, GW_FINDING_OUT_OF_RANGE, tree, place, text, SLICE_NONE);
}

static void
judge_number(struct schema_judge *judge, const struct tree_node *tree,
    const struct limits *limits, const struct schema_place *place)
{
	long long number = tree->integer, low = limits->low;
	long long high = limits->high;
	struct slice text;

	if (number >= low && number <= high)
		return;
	if (low == INT64_MIN)
		text = arena_format(
		    judge->arena, "%lld is more than %lld", number, high);
	else if (high == INT64_MAX)
		text = arena_format(
		    judge->arena, "%lld is less than %lld", number, low);
	else
		text = arena_format(judge->arena,
		    "%lld is not within %lld and %lld", number, low, high);
	schema_fault(
	    judge, GW_FINDING_OUT_OF_RANGE, tree, place, text, SLICE_NONE);
}

static bool
has_format(struct slice text, enum schema_format format)
{
	char canonical[GW_ADDRESS_BYTES];
	unsigned family;

	switch (format) {
	case FORMAT_BYTE:
		return text.length > 0 && gw_form_is_base64(text, false);
	case FORMAT_BASE64:
		return gw_form_is_base64(text, true);
	case FORMAT_IPV4:
		return gw_form_is_address(text, canonical, &family) &&
		    family == 4;
	case FORMAT_IPV6:
		return gw_form_is_address(text, canonical, &family) &&
		    family == 6;
	case FORMAT_DATE_TIME:
		return gw_form_is_time(text);
	}
	return true;
}

static void
judge_format(struct schema_judge *judge, const struct tree_node *tree,
    enum schema_format format, const struct schema_place *place)
{
	static const struct {
		enum gw_finding_row finding;
		const char *must_be;
	} formats[] = {
	    [FORMAT_BYTE] = {GW_FINDING_VALUE_INVALID, ""},
	    [FORMAT_BASE64] = {GW_FINDING_VALUE_INVALID, ""},
	    [FORMAT_IPV4] = {GW_FINDING_ADDRESS_INVALID, "an IP address"},
	    [FORMAT_IPV6] = {GW_FINDING_ADDRESS_INVALID, "an IP address"},
	    [FORMAT_DATE_TIME] = {GW_FINDING_VALUE_INVALID,
	        "a time of RFC 3339, as in 2026-01-31T08:15:00Z"},
	};

	if (has_format(tree->text, format))
		return;
	/* a fault of type, as an API server sees it */
	judge->blocked = judge->mistyped = true;
	/* What should have been base64 may be a password as it is. */
	struct slice text = format == FORMAT_BYTE || format == FORMAT_BASE64
	    ? SLICE("the value is not base64")
	    : arena_format(judge->arena, "\"%.*s\" is not %s",
	          SLICE_ARGS(shown(tree->text)), formats[format].must_be);

	schema_fault(
	    judge, formats[format].finding, tree, place, text, SLICE_NONE);
}

static void
judge_choice(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node, const struct schema_place *place)
{
	struct wire_nearest nearest;
	struct text list;

	for (unsigned i = 0; i < node->choice_count; i++)
		if (slice_equal(tree->text, schema_choice(node, i)))
			return;
	judge->failed = judge->blocked = true;
	if (judge->trying)
		return;
	text_init(&list);
	wire_nearest_init(&nearest, tree->text);
	bool quote = tree->kind == TREE_TEXT;

	for (unsigned i = 0; i < node->choice_count; i++) {
		if (i > 0)
			text_push_string(&list, ", ");
		text_push(&list, schema_choice(node, i));
		wire_nearest_feed(&nearest, schema_choice(node, i));
	}
	schema_fault(judge, GW_FINDING_CHOICE_UNKNOWN, tree, place,
	    arena_format(judge->arena, "%s%.*s%s is none of %s",
	        quote ? "\"" : "", SLICE_ARGS(shown(tree->text)),
	        quote ? "\"" : "", list.data),
	    quote ? nearest.best : SLICE_NONE);
	text_fini(&list);
}

static void
judge_text(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node, const struct limits *limits,
    const struct schema_place *place)
{
	struct slice text = tree->text;

	if (limits->low > 0 || text.length > (uint64_t)limits->high)
		judge_length(judge, tree, count_characters(text), "characters",
		    limits, place);
	if (node->pattern != 0 &&
	    !gw_pattern_matches(node->pattern - 1, text)) {
		const struct gw_pattern_type *pattern =
		    &gw_patterns[node->pattern - 1];

		schema_fault(judge, pattern->finding, tree, place,
		    arena_format(judge->arena, "\"%.*s\" is not %s",
		        SLICE_ARGS(shown(text)), pattern->must_be),
		    SLICE_NONE);
	}
	if (node->format != 0)
		judge_format(judge, tree, node->format, place);
}

void
schema_judge_value(struct schema_judge *judge, const struct tree_node *tree,
    const struct node *node, const struct limits *limits,
    const struct schema_place *place)
{
	switch (tree->kind) {
	case TREE_TEXT:
		judge_text(judge, tree, node, limits, place);
		break;
	case TREE_INTEGER:
		judge_number(judge, tree, limits, place);
		break;
	case TREE_LIST:
		judge_length(judge, tree, tree->count, "items", limits, place);
		break;
	case TREE_MAP:
		judge_length(
		    judge, tree, tree->count, "entries", limits, place);
		break;
	case TREE_NULL:
	case TREE_BOOL:
	case TREE_REAL:
		break;
	}
	if (node->choice_count > 0)
		judge_choice(judge, tree, node, place);
}

/* ---- lists whose entries differ ---- */

static const struct tree_node *
key_of(const struct tree_node *item, struct slice key)
{
	if (item->kind == TREE_MAP)
		for (const struct tree_node *at = item->child; at;
		     at = at->next)
			if (slice_equal(at->key, key))
				return at;
	return NULL;
}

static bool
is_same(const struct tree_node *a, const struct tree_node *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->kind == b->kind && slice_equal(a->text, b->text);
}

static bool
is_same_entry(const struct tree_node *a, const struct tree_node *b,
    const struct slice *keys, unsigned key_count)
{
	if (key_count == 0)
		return is_same(a, b);
	for (unsigned i = 0; i < key_count; i++)
		if (!is_same(key_of(a, keys[i]), key_of(b, keys[i])))
			return false;
	return true;
}

static void
report_same(struct schema_judge *judge, const struct tree_node *item,
    uint32_t index, uint32_t first, const struct slice *keys,
    unsigned key_count, const struct schema_place *place)
{
	struct schema_place inner = {
	    .up = place, .index = index, .is_item = true};
	struct text words;

	text_init(&words);
	text_push_string(&words, key_count ? "has the same " : "is the same");
	for (unsigned i = 0; i < key_count; i++) {
		if (i > 0)
			text_push_string(&words, " and ");
		text_push(&words, keys[i]);
	}
	schema_fault(judge, GW_FINDING_DUPLICATE, item, &inner,
	    arena_format(judge->arena, "%s as entry %u", words.data, first),
	    SLICE_NONE);
	text_fini(&words);
}

/* What must differ from other entries, as bytes. */
static void
push_entry(struct text *out, const struct tree_node *item,
    const struct slice *keys, unsigned key_count)
{
	for (unsigned i = 0; i < (key_count ? key_count : 1); i++) {
		const struct tree_node *part =
		    key_count ? key_of(item, keys[i]) : item;

		if (part)
			text_printf(
			    out, "%d.%zu:", (int)part->kind, part->text.length);
		if (part && part->text.length > 0)
			text_push(out, part->text);
		text_push_byte(out, ',');
	}
}

/* An entry that stands in the map, and whether one was like it. */
struct entry {
	uint32_t index;
	bool told;
};

/* Of a long list: by a map. */
static void
judge_many(struct schema_judge *judge, const struct tree_node *list,
    const struct slice *keys, unsigned key_count,
    const struct schema_place *place)
{
	struct entry *entries =
	    arena_zero(judge->arena, list->count, sizeof(*entries));
	struct map map;
	struct text text;
	uint32_t index = 0;

	map_init(&map);
	text_init(&text);
	for (const struct tree_node *item = list->child; item;
	     item = item->next, index++) {
		text_reset(&text);
		push_entry(&text, item, keys, key_count);
		struct entry *first = map_get(&map, text_slice(&text));

		entries[index].index = index;
		if (first == NULL)
			map_put(&map,
			    arena_copy(judge->arena, text_slice(&text)),
			    &entries[index]);
		else if (!first->told)
			report_same(judge, item, index, first->index, keys,
			    key_count, place);
		if (first != NULL)
			first->told = true;
	}
	text_fini(&text);
	map_fini(&map);
}

/* As an API server, the second of several is told, and no third; and none where
 * what has no keys stands among them. */
void
schema_judge_unique(struct schema_judge *judge, const struct tree_node *list,
    const struct slice *keys, unsigned key_count,
    const struct schema_place *place)
{
	uint32_t i = 0;

	for (const struct tree_node *at = list->child; at; at = at->next)
		if (key_count > 0 && at->kind != TREE_MAP &&
		    at->kind != TREE_NULL)
			return;
	if (list->count > FEW_ITEMS) {
		judge_many(judge, list, keys, key_count, place);
		return;
	}
	for (const struct tree_node *b = list->child; b; b = b->next, i++) {
		uint32_t j = 0, first = 0, same = 0;

		for (const struct tree_node *a = list->child; a != b;
		     a = a->next, j++)
			if (is_same_entry(a, b, keys, key_count) && same++ == 0)
				first = j;
		if (same == 1)
			report_same(judge, b, i, first, keys, key_count, place);
	}
}
