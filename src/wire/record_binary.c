/* Records in binary. A field is a tag, then its value. The tag is one varint:
 *
 *	number << 4 | kind << 1 | critical
 *
 * NUMBER and BOOL are a zigzag varint; every other kind is a block (a length
 *and so many bytes), so that a reader skips what it does not know, kinds
 *included. Lists begin with their count. Numbers rise strictly within a record,
 *so a field can neither come twice nor in another order: one record, one
 *encoding.
 *
 * Nothing here is recursive on input: depth is that of the tables. */
#include "wire/record_binary.h"

#include <assert.h>

#include "core/must.h"
#include "core/reader.h"
#include "core/writer.h"

/* The kinds are on the stream: they keep their numbers for ever. */
static_assert(sizeof(struct record_pair) == 2 * sizeof(struct slice),
    "a pair is two texts");
static_assert(RECORD_TEXT == 0 && RECORD_NUMBER == 1 && RECORD_BOOL == 2 &&
        RECORD_STRUCT == 3 && RECORD_TEXTS == 4 && RECORD_STRUCTS == 5 &&
        RECORD_PAIRS == 6,
    "record kinds are part of the stream's format");

#define TAG_CRITICAL 1
#define TAG_KIND_SHIFT 1
#define TAG_KIND_MASK 7
#define TAG_NUMBER_SHIFT 4

static void encode_field(
    struct text *out, const struct record_field *field, const char *record);
static uint32_t count_at(const char *record, const struct record_field *field);
static bool is_left_out(const struct record_field *field, const char *record);
static void decode_record(struct reader *in, const struct record_type *type,
    struct arena *arena, char *record);
static void decode_field(struct reader *in, const struct record_field *field,
    struct arena *arena, char *record);
static void decode_list(struct reader *in, const struct record_field *field,
    struct arena *arena, char *record);
static void set_defaults(const struct record_type *type, char *record);

void
wire_record_encode(
    struct text *out, const struct record_type *type, const void *record)
{
	must(out != NULL && type != NULL && record != NULL);
	uint32_t last = 0;
	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];
		if (field->number == 0)
			continue;
		must(field->number > last);
		last = field->number;
		if (!is_left_out(field, record))
			encode_field(out, field, record);
	}
}

enum error
wire_record_decode(struct slice bytes, const struct record_type *type,
    struct arena *arena, void **record)
{
	enum error error = wire_record_borrow(bytes, type, arena, record);
	if (error == ERROR_OK)
		wire_record_own(bytes, type, arena, *record);
	return error;
}

enum error
wire_record_borrow(struct slice bytes, const struct record_type *type,
    struct arena *arena, void **record)
{
	must(type != NULL && arena != NULL && record != NULL);
	struct reader in;
	reader_init(&in, slice_is_set(bytes) ? bytes : slice_make("", 0));
	char *made = arena_zero(arena, 1, type->size);
	decode_record(&in, type, arena, made);
	if (in.error != ERROR_OK)
		return in.error;
	*record = made;
	return ERROR_OK;
}

static void
own_text(struct slice bytes, struct arena *arena, struct slice *text)
{
	if (text->data >= bytes.data && text->data <= bytes.data + bytes.length)
		*text = text->length > 0 ? arena_copy(arena, *text)
		                         : slice_make("", 0);
}

static void
own_texts(
    struct slice bytes, struct arena *arena, struct slice *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		own_text(bytes, arena, &texts[i]);
}

static void
own_field(struct slice bytes, const struct record_field *field,
    struct arena *arena, char *record)
{
	char *items = *(char **)(void *)(record + field->offset);
	switch (field->kind) {
	case RECORD_STRUCT:
		if (items != NULL)
			wire_record_own(bytes, field->sub, arena, items);
		break;
	case RECORD_STRUCTS:
		for (uint32_t i = 0; i < count_at(record, field); i++)
			wire_record_own(bytes, field->sub, arena,
			    items + (size_t)i * field->sub->size);
		break;
	case RECORD_TEXTS:
		own_texts(bytes, arena, (void *)items, count_at(record, field));
		break;
	case RECORD_PAIRS: /* two texts each */
		own_texts(bytes, arena, (void *)items,
		    2 * (size_t)count_at(record, field));
		break;
	case RECORD_TEXT:
		own_text(bytes, arena, (void *)(record + field->offset));
		break;
	case RECORD_NUMBER:
	case RECORD_BOOL:
		break;
	}
}

void
wire_record_own(struct slice bytes, const struct record_type *type,
    struct arena *arena, void *record)
{
	must(type != NULL && arena != NULL && record != NULL);
	for (uint32_t i = 0; slice_is_set(bytes) && i < type->count; i++)
		own_field(bytes, &type->fields[i], arena, record);
}

static const struct slice *
text_at(const char *record, uint32_t offset)
{
	return (const struct slice *)(const void *)(record + offset);
}

static int64_t
number_at(const char *record, uint32_t offset)
{
	return *(const int64_t *)(const void *)(record + offset);
}

static const void *
pointer_at(const char *record, uint32_t offset)
{
	return *(const void *const *)(const void *)(record + offset);
}

static uint32_t
count_at(const char *record, const struct record_field *field)
{
	return *(const uint32_t *)(const void *)(record + field->count_offset);
}

static bool
is_left_out(const struct record_field *field, const char *record)
{
	switch (field->kind) {
	case RECORD_TEXT: {
		const struct slice *text = text_at(record, field->offset);
		return !slice_is_set(*text) ||
		    (field->fallback_text != NULL &&
		        slice_equal(
		            *text, slice_from_string(field->fallback_text)));
	}
	case RECORD_NUMBER:
	case RECORD_BOOL:
		return number_at(record, field->offset) == field->fallback;
	case RECORD_STRUCT:
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
	case RECORD_PAIRS:
		break;
	}
	return pointer_at(record, field->offset) == NULL;
}

static void
encode_structs(struct text *out, const struct record_type *type,
    const char *items, uint32_t count)
{
	writer_varint(out, count);
	for (uint32_t i = 0; i < count; i++) {
		size_t mark = writer_block_open(out);
		wire_record_encode(out, type, items + (size_t)i * type->size);
		writer_block_close(out, mark);
	}
}

static void
encode_texts(struct text *out, const struct slice *items, uint32_t count)
{
	writer_varint(out, count);
	for (uint32_t i = 0; i < count; i++)
		writer_block(out, items[i]);
}

static void
encode_pairs(struct text *out, const struct record_pair *pairs, uint32_t count)
{
	writer_varint(out, count);
	for (uint32_t i = 0; i < count; i++) {
		writer_block(out, pairs[i].key);
		writer_block(out, pairs[i].value);
	}
}

static uint64_t
zigzag(int64_t number)
{
	return ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
}

static int64_t
unzigzag(uint64_t number)
{
	return (int64_t)((number >> 1) ^ (0 - (number & 1)));
}

static void
encode_field(
    struct text *out, const struct record_field *field, const char *record)
{
	writer_varint(out,
	    (uint64_t)field->number << TAG_NUMBER_SHIFT |
	        (uint64_t)field->kind << TAG_KIND_SHIFT |
	        (field->critical ? TAG_CRITICAL : 0));
	if (field->kind == RECORD_NUMBER || field->kind == RECORD_BOOL) {
		writer_varint(out, zigzag(number_at(record, field->offset)));
		return;
	}
	if (field->kind == RECORD_TEXT) {
		writer_block(out, *text_at(record, field->offset));
		return;
	}
	const void *items = pointer_at(record, field->offset);
	size_t mark = writer_block_open(out);
	switch (field->kind) {
	case RECORD_STRUCT:
		wire_record_encode(out, field->sub, items);
		break;
	case RECORD_TEXTS:
		encode_texts(out, items, count_at(record, field));
		break;
	case RECORD_STRUCTS:
		encode_structs(out, field->sub, items, count_at(record, field));
		break;
	case RECORD_PAIRS:
		encode_pairs(out, items, count_at(record, field));
		break;
	case RECORD_TEXT:
	case RECORD_NUMBER:
	case RECORD_BOOL:
		break;
	}
	writer_block_close(out, mark);
}

static void
skip_field(struct reader *in, uint64_t tag)
{
	if (tag & TAG_CRITICAL) {
		reader_fail(in, ERROR_UNSUPPORTED);
		return;
	}
	unsigned kind = tag >> TAG_KIND_SHIFT & TAG_KIND_MASK;
	if (kind == RECORD_NUMBER || kind == RECORD_BOOL)
		reader_varint(in);
	else
		reader_block(in);
}

/* Both the input and the table rise by number: one walk over both. */
static void
decode_record(struct reader *in, const struct record_type *type,
    struct arena *arena, char *record)
{
	set_defaults(type, record);
	uint64_t last = 0;
	uint32_t at = 0;
	while (in->error == ERROR_OK && reader_left(in) > 0) {
		uint64_t tag = reader_varint(in);
		uint64_t number = tag >> TAG_NUMBER_SHIFT;
		if (in->error != ERROR_OK)
			return;
		if (number <= last) {
			reader_fail(in, ERROR_INVALID);
			return;
		}
		last = number;
		while (at < type->count && type->fields[at].number < number)
			at++;
		if (at == type->count || type->fields[at].number != number) {
			skip_field(in, tag);
			continue;
		}
		const struct record_field *field = &type->fields[at];
		if ((tag >> TAG_KIND_SHIFT & TAG_KIND_MASK) != field->kind)
			reader_fail(in, ERROR_INVALID);
		else
			decode_field(in, field, arena, record);
	}
}

static void
decode_field(struct reader *in, const struct record_field *field,
    struct arena *arena, char *record)
{
	char *place = record + field->offset;
	if (field->kind == RECORD_NUMBER || field->kind == RECORD_BOOL) {
		*(int64_t *)(void *)place = unzigzag(reader_varint(in));
		return;
	}
	if (field->kind == RECORD_TEXT) {
		*(struct slice *)(void *)place = reader_block(in);
		return;
	}
	struct reader sub = reader_sub(in);
	if (in->error != ERROR_OK)
		return;
	if (field->kind == RECORD_STRUCT) {
		char *made = arena_zero(arena, 1, field->sub->size);
		decode_record(&sub, field->sub, arena, made);
		*(void **)(void *)place = made;
	} else {
		decode_list(&sub, field, arena, record);
	}
	if (sub.error == ERROR_OK && reader_left(&sub) > 0)
		reader_fail(&sub, ERROR_INVALID);
	if (sub.error != ERROR_OK)
		reader_fail(in, sub.error);
}

static void
decode_structs(struct reader *in, const struct record_type *type,
    struct arena *arena, char *items, uint64_t count)
{
	for (uint64_t i = 0; i < count && in->error == ERROR_OK; i++) {
		struct reader sub = reader_sub(in);
		if (in->error == ERROR_OK)
			decode_record(
			    &sub, type, arena, items + i * type->size);
		if (sub.error != ERROR_OK)
			reader_fail(in, sub.error);
	}
}

static void
decode_list(struct reader *in, const struct record_field *field,
    struct arena *arena, char *record)
{
	uint64_t count = reader_varint(in);
	/* Each item has a length of its own, which is a byte at least. */
	if (in->error == ERROR_OK && count > reader_left(in))
		reader_fail(in, ERROR_TRUNCATED);
	if (in->error != ERROR_OK)
		return;
	size_t room = count > 0 ? count : 1;
	void *items;
	if (field->kind == RECORD_TEXTS) {
		struct slice *texts = arena_zero(arena, room, sizeof(*texts));
		for (uint64_t i = 0; i < count; i++)
			texts[i] = reader_block(in);
		items = texts;
	} else if (field->kind == RECORD_PAIRS) {
		struct record_pair *pairs =
		    arena_zero(arena, room, sizeof(*pairs));
		for (uint64_t i = 0; i < count; i++) {
			pairs[i].key = reader_block(in);
			pairs[i].value = reader_block(in);
		}
		items = pairs;
	} else {
		items = arena_zero(arena, room, field->sub->size);
		decode_structs(in, field->sub, arena, items, count);
	}
	*(void **)(void *)(record + field->offset) = items;
	*(uint32_t *)(void *)(record + field->count_offset) = (uint32_t)count;
}

static void
set_defaults(const struct record_type *type, char *record)
{
	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];
		char *place = record + field->offset;
		if (field->kind == RECORD_TEXT && field->fallback_text != NULL)
			*(struct slice *)(void *)place =
			    slice_from_string(field->fallback_text);
		else if (field->kind == RECORD_NUMBER ||
		    field->kind == RECORD_BOOL)
			*(int64_t *)(void *)place = field->fallback;
	}
}
