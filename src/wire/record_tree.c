/* Records from trees. The children of a map are looked up in the table in the
 * order of the file, then the table's rows that were not there get their
 * defaults or are missed. A null is an absent field, as on an API server. Field
 * paths are frames on the stack and become text only when something is wrong.
 */
#include "wire/record_tree.h"

#include <stdlib.h>

#include "core/must.h"
#include "wire/nearest.h"

/* Where in the object we are: a field, or an item of the field above it. */
struct place {
	const struct place *parent;
	struct slice name;
	uint32_t index;
	bool is_item;
};

struct decoder {
	struct arena *arena;
	record_fault_fn on_fault;
	void *context;
	bool failed; /* a fault other than an unknown field */
};

static void decode_map(struct decoder *decoder, const struct tree_node *tree,
    const struct record_type *type, char *record, const struct place *place);
static void decode_field(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, char *record, const struct place *place);
static void report(struct decoder *decoder, enum record_fault_kind kind,
    const struct tree_node *node, const struct place *place, struct slice text,
    struct slice hint);
static void report_wrong_type(struct decoder *decoder,
    const struct tree_node *node, const struct place *place,
    const char *wanted);

void *
wire_record_from_tree(const struct tree_node *tree, struct slice path,
    const struct record_type *type, struct arena *arena,
    record_fault_fn on_fault, void *context)
{
	must(tree != NULL && type != NULL && arena != NULL);
	struct decoder decoder = {
	    .arena = arena, .on_fault = on_fault, .context = context};
	struct place place = {.name = path};
	char *record = arena_zero(arena, 1, type->size);
	if (tree->kind == TREE_MAP)
		decode_map(&decoder, tree, type, record, &place);
	else
		report_wrong_type(&decoder, tree, &place, "a map");
	return decoder.failed ? NULL : record;
}

static const struct record_field *
find_field(const struct record_type *type, struct slice name)
{
	for (uint32_t i = 0; i < type->count; i++)
		if (slice_equal(slice_from_string(type->fields[i].name), name))
			return &type->fields[i];
	return NULL;
}

static void
report_unknown(struct decoder *decoder, const struct tree_node *node,
    const struct record_type *type, const struct place *place)
{
	struct wire_nearest nearest;
	if (decoder->on_fault == NULL)
		return;
	wire_nearest_init(&nearest, node->key);
	for (uint32_t i = 0; i < type->count; i++)
		wire_nearest_feed(
		    &nearest, slice_from_string(type->fields[i].name));
	report(decoder, RECORD_UNKNOWN_FIELD, node, place,
	    SLICE("there is no such field"), nearest.best);
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

static void
decode_map(struct decoder *decoder, const struct tree_node *tree,
    const struct record_type *type, char *record, const struct place *place)
{
	for (const struct tree_node *at = tree->child; at; at = at->next) {
		struct place inner = {.parent = place, .name = at->key};
		const struct record_field *field = find_field(type, at->key);
		if (field == NULL)
			report_unknown(decoder, at, type, &inner);
		else if (at->kind != TREE_NULL)
			decode_field(decoder, at, field, record, &inner);
	}
	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];
		const struct tree_node *node = wire_tree_get(tree, field->name);
		if (node != NULL && node->kind != TREE_NULL)
			continue;
		set_default(field, record);
		struct place inner = {
		    .parent = place, .name = slice_from_string(field->name)};
		if (field->required)
			report(decoder, RECORD_MISSING, tree, &inner,
			    SLICE("is required"), SLICE_NONE);
	}
}

static void decode_text(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, struct slice *text,
    const struct place *place);
static void decode_number(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, int64_t *number,
    const struct place *place);
static void decode_list(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, char *record, const struct place *place);
static void decode_pairs(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, char *record, const struct place *place);
static void check_length(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, uint64_t length, const char *what,
    const struct place *place);

static void
decode_field(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, char *record, const struct place *place)
{
	char *slot = record + field->offset;
	switch (field->kind) {
	case RECORD_TEXT:
		decode_text(
		    decoder, node, field, (struct slice *)(void *)slot, place);
		break;
	case RECORD_NUMBER:
		decode_number(
		    decoder, node, field, (int64_t *)(void *)slot, place);
		break;
	case RECORD_BOOL:
		if (node->kind == TREE_BOOL)
			*(int64_t *)(void *)slot = node->integer;
		else
			report_wrong_type(
			    decoder, node, place, "true or false");
		break;
	case RECORD_STRUCT:
		if (node->kind != TREE_MAP) {
			report_wrong_type(decoder, node, place, "a map");
			break;
		}
		char *inner = arena_zero(decoder->arena, 1, field->sub->size);
		decode_map(decoder, node, field->sub, inner, place);
		*(void **)(void *)slot = inner;
		break;
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
		decode_list(decoder, node, field, record, place);
		break;
	case RECORD_PAIRS:
		decode_pairs(decoder, node, field, record, place);
		break;
	}
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

static bool
is_choice(const char *choices, struct slice text, struct wire_nearest *nearest)
{
	struct slice rest = slice_from_string(choices), choice;
	while (slice_cut(&rest, '|', &choice)) {
		if (slice_equal(choice, text))
			return true;
		wire_nearest_feed(nearest, choice);
	}
	return false;
}

/* As much of a text as a message shows. */
static struct slice
shown(struct slice text)
{
	static const size_t shown_bytes_max = 80;
	return slice_make(text.data,
	    text.length < shown_bytes_max ? text.length : shown_bytes_max);
}

static void
report_choice(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, const struct place *place,
    const struct wire_nearest *nearest)
{
	struct text list;
	text_init(&list);
	struct slice rest = slice_from_string(field->choices), choice;
	while (slice_cut(&rest, '|', &choice)) {
		if (list.length > 0)
			text_push_string(&list, ", ");
		text_push(&list, choice);
	}
	report(decoder, RECORD_NOT_A_CHOICE, node, place,
	    arena_format(decoder->arena, "\"%.*s\" is none of %s",
	        SLICE_ARGS(shown(node->text)), list.data),
	    nearest->best);
	text_fini(&list);
}

static void
decode_text(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, struct slice *text,
    const struct place *place)
{
	if (node->kind != TREE_TEXT) {
		report_wrong_type(decoder, node, place, "text");
		return;
	}
	*text = arena_copy(decoder->arena, node->text);
	struct wire_nearest nearest;
	wire_nearest_init(&nearest, *text);
	if (field->choices != NULL &&
	    !is_choice(field->choices, *text, &nearest))
		report_choice(decoder, node, field, place, &nearest);
	else if (field->kind == RECORD_TEXT)
		check_length(decoder, node, field, count_characters(*text),
		    "characters", place);
}

static void
decode_number(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, int64_t *number,
    const struct place *place)
{
	if (node->kind != TREE_INTEGER) {
		report_wrong_type(decoder, node, place, "a whole number");
		return;
	}
	*number = node->integer;
	if (field->minimum == 0 && field->maximum == 0)
		return;
	if (*number < field->minimum || *number > field->maximum)
		report(decoder, RECORD_OUT_OF_RANGE, node, place,
		    arena_format(decoder->arena,
		        "%lld is not within %lld and %lld", (long long)*number,
		        (long long)field->minimum, (long long)field->maximum),
		    SLICE_NONE);
}

static void
check_length(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, uint64_t length, const char *what,
    const struct place *place)
{
	uint64_t minimum = (uint64_t)field->minimum;
	uint64_t maximum = (uint64_t)field->maximum;
	struct slice text;
	if (length < minimum)
		text = arena_format(decoder->arena,
		    "has %llu %s; at least %llu are wanted",
		    (unsigned long long)length, what,
		    (unsigned long long)minimum);
	else if (maximum > 0 && length > maximum)
		text = arena_format(decoder->arena,
		    "has %llu %s; at most %llu are allowed",
		    (unsigned long long)length, what,
		    (unsigned long long)maximum);
	else
		return;
	report(decoder, RECORD_OUT_OF_RANGE, node, place, text, SLICE_NONE);
}

static void
decode_item(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, char *item, const struct place *place)
{
	if (field->kind == RECORD_TEXTS)
		decode_text(
		    decoder, node, field, (struct slice *)(void *)item, place);
	else if (node->kind == TREE_MAP)
		decode_map(decoder, node, field->sub, item, place);
	else
		report_wrong_type(decoder, node, place, "a map");
}

static void
decode_list(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, char *record, const struct place *place)
{
	if (node->kind != TREE_LIST) {
		report_wrong_type(decoder, node, place, "a list");
		return;
	}
	check_length(decoder, node, field, node->count, "items", place);
	size_t size = field->kind == RECORD_TEXTS ? sizeof(struct slice)
	                                          : field->sub->size;
	char *items =
	    arena_zero(decoder->arena, node->count > 0 ? node->count : 1, size);
	uint32_t index = 0;
	for (const struct tree_node *at = node->child; at; at = at->next) {
		struct place inner = {
		    .parent = place, .index = index, .is_item = true};
		decode_item(decoder, at, field, items + index * size, &inner);
		index++;
	}
	*(void **)(void *)(record + field->offset) = items;
	*(uint32_t *)(void *)(record + field->count_offset) = index;
}

static int
compare_pairs(const void *a, const void *b)
{
	const struct record_pair *left = a, *right = b;
	return slice_compare(left->key, right->key);
}

/* A map's order means nothing: pairs are sorted, so that equal maps are equal.
 */
static void
decode_pairs(struct decoder *decoder, const struct tree_node *node,
    const struct record_field *field, char *record, const struct place *place)
{
	if (node->kind != TREE_MAP) {
		report_wrong_type(decoder, node, place, "a map");
		return;
	}
	check_length(decoder, node, field, node->count, "entries", place);
	struct record_pair *pairs = arena_zero(
	    decoder->arena, node->count > 0 ? node->count : 1, sizeof(*pairs));
	uint32_t count = 0;
	for (const struct tree_node *at = node->child; at; at = at->next) {
		struct place inner = {.parent = place, .name = at->key};
		if (at->kind != TREE_TEXT && at->kind != TREE_NULL)
			report_wrong_type(decoder, at, &inner, "text");
		pairs[count].key = arena_copy(decoder->arena, at->key);
		pairs[count].value = at->kind == TREE_TEXT
		    ? arena_copy(decoder->arena, at->text)
		    : SLICE("");
		count++;
	}
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	*(void **)(void *)(record + field->offset) = pairs;
	*(uint32_t *)(void *)(record + field->count_offset) = count;
}

/* Faults. */

static void
print_place(struct text *out, const struct place *place)
{
	if (place->parent != NULL)
		print_place(out, place->parent);
	if (place->is_item) {
		text_printf(out, "[%u]", place->index);
		return;
	}
	if (out->length > 0)
		text_push_byte(out, '.');
	text_push(out, place->name);
}

static void
report(struct decoder *decoder, enum record_fault_kind kind,
    const struct tree_node *node, const struct place *place, struct slice text,
    struct slice hint)
{
	struct text path;
	if (kind != RECORD_UNKNOWN_FIELD)
		decoder->failed = true;
	if (decoder->on_fault == NULL)
		return;
	text_init(&path);
	print_place(&path, place);
	bool at_key = kind == RECORD_UNKNOWN_FIELD;
	struct record_fault fault = {
	    .kind = kind,
	    .line = at_key ? node->key_line : node->line,
	    .column = at_key ? node->key_column : node->column,
	    .path = arena_copy(decoder->arena,
	        slice_make(path.data ? path.data : "", path.length)),
	    .text = text,
	    .hint = hint,
	};
	text_fini(&path);
	decoder->on_fault(decoder->context, &fault);
}

static const char *
kind_words(const struct tree_node *node)
{
	switch (node->kind) {
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

static void
report_wrong_type(struct decoder *decoder, const struct tree_node *node,
    const struct place *place, const char *wanted)
{
	bool quote = strcmp(wanted, "text") == 0 && node->kind >= TREE_BOOL &&
	    node->kind <= TREE_REAL;
	struct slice hint = quote
	    ? arena_format(decoder->arena, "\"%.*s\"", SLICE_ARGS(node->text))
	    : SLICE_NONE;
	report(decoder, RECORD_WRONG_TYPE, node, place,
	    arena_format(decoder->arena, "must be %s, not %s%s", wanted,
	        kind_words(node), quote ? ": put it in quotes" : ""),
	    hint);
}
