/* Records to JSON and YAML, as an API server would show them. */
#include "wire/record_tree.h"

#include "core/must.h"
#include "wire/tree_priv.h"

static const char *
slot_of(const void *record, const struct record_field *field)
{
	return (const char *)record + field->offset;
}

static int64_t
number_in(const char *slot)
{
	return *(const int64_t *)(const void *)slot;
}

static struct slice
text_in(const char *slot)
{
	return *(const struct slice *)(const void *)slot;
}

static const char *
pointer_in(const char *slot)
{
	return *(const char *const *)(const void *)slot;
}

static uint32_t
count_in(const void *record, const struct record_field *field)
{
	return *(const uint32_t *)(const void *)((const char *)record +
	    field->count_offset);
}

static bool
is_shown(const void *record, const struct record_field *field)
{
	const char *slot = slot_of(record, field);
	switch (field->kind) {
	case RECORD_TEXT:
		return slice_is_set(text_in(slot));
	case RECORD_NUMBER:
	case RECORD_BOOL:
		return number_in(slot) != RECORD_ABSENT &&
		    (number_in(slot) != 0 || field->fallback != 0);
	case RECORD_STRUCT:
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
	case RECORD_PAIRS:
		break;
	}
	return pointer_in(slot) != NULL;
}

static void
push_number(struct text *out, const struct record_field *field, int64_t number)
{
	if (field->kind == RECORD_BOOL)
		text_push_string(out, number ? "true" : "false");
	else
		text_printf(out, "%lld", (long long)number);
}

/* The length of a character at the start of bytes that must be escaped, or 0:
 * controls, and what JSON takes but YAML reads as a line end or refuses. */
static size_t
escaped_length(const unsigned char *bytes, size_t left, unsigned *code)
{
	*code = bytes[0];
	if (bytes[0] < 0x80)
		return bytes[0] < 0x20 || bytes[0] == 0x7f || bytes[0] == '"' ||
		    bytes[0] == '\\';
	if (bytes[0] == 0xc2 && left >= 2 && bytes[1] < 0xa0) {
		*code = bytes[1];
		return 2;
	}
	if ((bytes[0] != 0xe2 && bytes[0] != 0xef) || left < 3)
		return 0;
	*code = (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 |
	    (bytes[2] & 0x3fu);
	bool escaped = *code == 0x2028 || *code == 0x2029 || *code == 0xfeff ||
	    *code >= 0xfffe;
	return escaped ? 3 : 0;
}

void
wire_json_push(struct text *out, struct slice text)
{
	must(out != NULL);
	const unsigned char *bytes = (const unsigned char *)text.data;
	text_push_byte(out, '"');
	size_t start = 0, i = 0;
	while (i < text.length) {
		unsigned code;
		size_t length =
		    escaped_length(bytes + i, text.length - i, &code);
		if (length == 0) {
			i++;
			continue;
		}
		text_push(out, slice_make(text.data + start, i - start));
		if (code == '"' || code == '\\')
			text_printf(out, "\\%c", (int)code);
		else if (code == '\n')
			text_push_string(out, "\\n");
		else
			text_printf(out, "\\u%04x", code);
		i += length;
		start = i;
	}
	if (i > start)
		text_push(out, slice_make(text.data + start, i - start));
	text_push_byte(out, '"');
}

/* JSON. */

static void
json_items(
    struct text *out, const void *record, const struct record_field *field)
{
	const char *items = pointer_in(slot_of(record, field));
	uint32_t count = count_in(record, field);
	size_t size = field->kind == RECORD_TEXTS ? sizeof(struct slice)
	                                          : field->sub->size;
	text_push_byte(out, '[');
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			text_push_byte(out, ',');
		if (field->kind == RECORD_TEXTS)
			wire_json_push(out, text_in(items + i * size));
		else
			wire_record_to_json(out, field->sub, items + i * size);
	}
	text_push_byte(out, ']');
}

static void
json_pairs(struct text *out, const struct record_pair *pairs, uint32_t count)
{
	text_push_byte(out, '{');
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			text_push_byte(out, ',');
		wire_json_push(out, pairs[i].key);
		text_push_byte(out, ':');
		wire_json_push(out, pairs[i].value);
	}
	text_push_byte(out, '}');
}

static void
json_field(
    struct text *out, const void *record, const struct record_field *field)
{
	const char *slot = slot_of(record, field);
	switch (field->kind) {
	case RECORD_TEXT:
		wire_json_push(out, text_in(slot));
		break;
	case RECORD_NUMBER:
	case RECORD_BOOL:
		push_number(out, field, number_in(slot));
		break;
	case RECORD_STRUCT:
		wire_record_to_json(out, field->sub, pointer_in(slot));
		break;
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
		json_items(out, record, field);
		break;
	case RECORD_PAIRS:
		json_pairs(out, (const void *)pointer_in(slot),
		    count_in(record, field));
		break;
	}
}

void
wire_record_to_json(
    struct text *out, const struct record_type *type, const void *record)
{
	must(out != NULL && type != NULL && record != NULL);
	text_push_byte(out, '{');
	bool first = true;
	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];
		if (!is_shown(record, field))
			continue;
		text_printf(out, "%s\"%s\":", first ? "" : ",", field->name);
		first = false;
		json_field(out, record, field);
	}
	text_push_byte(out, '}');
}

/* YAML. */

static void
push_indent(struct text *out, unsigned indent)
{
	for (unsigned i = 0; i < indent; i++)
		text_push_byte(out, ' ');
}

/* Bytes that mean nothing to YAML wherever they stand in a word. */
static bool
is_plain_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '_' ||
	    c == '-' || c == '+';
}

/* Whether text reads back as itself without quotes, to readers that know of
 * dates too. */
static bool
is_plain(struct slice text)
{
	if (text.length == 0 || text.data[0] == '-')
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (!is_plain_byte(text.data[i]))
			return false;
	if (text.length > 4 && text.data[4] == '-' && text.data[0] >= '0' &&
	    text.data[0] <= '9')
		return false;
	struct tree_node node = {.text = text};
	wire_tree_resolve(&node);
	return node.kind == TREE_TEXT;
}

static void
yaml_text(struct text *out, struct slice text)
{
	if (is_plain(text))
		text_push(out, text);
	else
		wire_json_push(out, text);
}

static void yaml_fields(struct text *out, const struct record_type *type,
    const void *record, unsigned indent, bool in_line);

static void
yaml_items(struct text *out, const void *record,
    const struct record_field *field, unsigned indent)
{
	const char *items = pointer_in(slot_of(record, field));
	uint32_t count = count_in(record, field);
	size_t size = field->kind == RECORD_TEXTS ? sizeof(struct slice)
	                                          : field->sub->size;
	text_push_string(out, count == 0 ? " []\n" : "\n");
	for (uint32_t i = 0; i < count; i++) {
		push_indent(out, indent);
		text_push_string(out, "- ");
		if (field->kind == RECORD_TEXTS) {
			yaml_text(out, text_in(items + i * size));
			text_push_byte(out, '\n');
		} else {
			yaml_fields(out, field->sub, items + i * size,
			    indent + 2, true);
		}
	}
}

static void
yaml_pairs(struct text *out, const struct record_pair *pairs, uint32_t count,
    unsigned indent)
{
	text_push_string(out, count == 0 ? " {}\n" : "\n");
	for (uint32_t i = 0; i < count; i++) {
		push_indent(out, indent + 2);
		yaml_text(out, pairs[i].key);
		text_push_string(out, ": ");
		yaml_text(out, pairs[i].value);
		text_push_byte(out, '\n');
	}
}

static bool
has_fields(const struct record_type *type, const void *record)
{
	for (uint32_t i = 0; i < type->count; i++)
		if (is_shown(record, &type->fields[i]))
			return true;
	return false;
}

/* What comes after a field's colon, line end included. */
static void
yaml_value(struct text *out, const void *record,
    const struct record_field *field, unsigned indent)
{
	const char *slot = slot_of(record, field);
	switch (field->kind) {
	case RECORD_TEXT:
		text_push_byte(out, ' ');
		yaml_text(out, text_in(slot));
		text_push_byte(out, '\n');
		break;
	case RECORD_NUMBER:
	case RECORD_BOOL:
		text_push_byte(out, ' ');
		push_number(out, field, number_in(slot));
		text_push_byte(out, '\n');
		break;
	case RECORD_STRUCT:
		text_push_byte(
		    out, has_fields(field->sub, pointer_in(slot)) ? '\n' : ' ');
		yaml_fields(
		    out, field->sub, pointer_in(slot), indent + 2, false);
		break;
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
		yaml_items(out, record, field, indent);
		break;
	case RECORD_PAIRS:
		yaml_pairs(out, (const void *)pointer_in(slot),
		    count_in(record, field), indent);
		break;
	}
}

/* in_line: the first field stands behind what is there ("- "). */
static void
yaml_fields(struct text *out, const struct record_type *type,
    const void *record, unsigned indent, bool in_line)
{
	if (!has_fields(type, record)) {
		text_push_string(out, "{}\n");
		return;
	}
	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];
		if (!is_shown(record, field))
			continue;
		if (!in_line)
			push_indent(out, indent);
		in_line = false;
		text_printf(out, "%s:", field->name);
		yaml_value(out, record, field, indent);
	}
}

void
wire_record_to_yaml(struct text *out, const struct record_type *type,
    const void *record, unsigned indent)
{
	must(out != NULL && type != NULL && record != NULL);
	yaml_fields(out, type, record, indent, false);
}
