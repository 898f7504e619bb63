/* Packed records. A record is its fields, each behind its place in the table
 * plus one, and a 0. A text is one varint (0: absent; then the words; then
 * lengths) and its bytes; a list begins with its count. */
#include "wire/record_pack.h"

#include "core/must.h"
#include "core/reader.h"
#include "core/writer.h"

#define PLACES_MAX 127 /* of fields: one byte */

struct packer {
	struct text *out;
	const struct record_words *words;
	size_t arena_bytes;
};

static void take_arena(struct packer *packer, size_t bytes);
static void pack_record(
    struct packer *packer, const struct record_type *type, const char *record);
static void unpack_record(struct reader *in, const struct record_type *type,
    const struct record_words *words, struct arena *arena, char *record);

size_t
wire_record_pack(struct text *out, const struct record_type *type,
    const struct record_words *words, const void *record)
{
	must(out != NULL && type != NULL && words != NULL && record != NULL);
	struct packer packer = {.out = out, .words = words};

	take_arena(&packer, type->size);
	pack_record(&packer, type, record);
	return packer.arena_bytes;
}

void *
wire_record_unpack(struct slice bytes, const struct record_type *type,
    const struct record_words *words, struct arena *arena)
{
	must(type != NULL && words != NULL && arena != NULL);
	char *record = arena_zero(arena, 1, type->size);
	struct reader in;

	reader_init(&in, bytes);
	unpack_record(&in, type, words, arena, record);
	must(in.error == ERROR_OK && reader_left(&in) == 0);
	return record;
}

/* ---- packing ---- */

static void
take_arena(struct packer *packer, size_t bytes)
{
	packer->arena_bytes +=
	    (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

static struct slice
fallback_of(const struct record_field *field)
{
	return slice_from_string(field->fallback_text);
}

static bool
is_default(const struct record_field *field, const char *slot)
{
	if (field->kind == RECORD_NUMBER || field->kind == RECORD_BOOL)
		return *(const int64_t *)(const void *)slot == field->fallback;
	if (field->kind != RECORD_TEXT)
		return *(const void *const *)(const void *)slot == NULL;

	struct slice text = *(const struct slice *)(const void *)slot;

	return slice_is_set(text) == (field->fallback_text != NULL) &&
	    slice_equal(text, fallback_of(field));
}

static void
pack_text(struct packer *packer, struct slice text)
{
	const struct record_words *words = packer->words;

	if (!slice_is_set(text)) {
		writer_varint(packer->out, 0);
		return;
	}
	for (uint32_t i = 0; i < words->count; i++) {
		if (text.length == words->words[i].length &&
		    slice_equal(text, words->words[i])) {
			writer_varint(packer->out, i + 1);
			return;
		}
	}
	writer_varint(packer->out, words->count + 1 + text.length);
	text_push(packer->out, text);
}

static void
pack_items(struct packer *packer, const struct record_field *field,
    const char *items, uint32_t count)
{
	const struct record_pair *pairs = (const void *)items;
	const struct slice *texts = (const void *)items;
	size_t size = field->kind == RECORD_TEXTS ? sizeof(struct slice)
	    : field->kind == RECORD_PAIRS         ? sizeof(struct record_pair)
	                                          : field->sub->size;

	writer_varint(packer->out, count);
	take_arena(packer, (count > 0 ? count : 1) * size);
	for (uint32_t i = 0; i < count; i++) {
		if (field->kind == RECORD_TEXTS) {
			pack_text(packer, texts[i]);
		} else if (field->kind == RECORD_PAIRS) {
			pack_text(packer, pairs[i].key);
			pack_text(packer, pairs[i].value);
		} else {
			pack_record(packer, field->sub, items + i * size);
		}
	}
}

static void
pack_field(
    struct packer *packer, const struct record_field *field, const char *record)
{
	const char *slot = record + field->offset;
	const char *inner = *(const char *const *)(const void *)slot;
	int64_t number = *(const int64_t *)(const void *)slot;

	switch (field->kind) {
	case RECORD_TEXT:
		pack_text(packer, *(const struct slice *)(const void *)slot);
		break;
	case RECORD_NUMBER:
	case RECORD_BOOL:
		writer_varint(packer->out,
		    (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
		break;
	case RECORD_STRUCT:
		take_arena(packer, field->sub->size);
		pack_record(packer, field->sub, inner);
		break;
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
	case RECORD_PAIRS:
		pack_items(packer, field, inner,
		    *(const uint32_t *)(const void *)(record +
		        field->count_offset));
		break;
	}
}

static void
pack_record(
    struct packer *packer, const struct record_type *type, const char *record)
{
	must(type->count < PLACES_MAX);
	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];

		if (is_default(field, record + field->offset))
			continue;
		text_push_byte(packer->out, (char)(i + 1));
		pack_field(packer, field, record);
	}
	text_push_byte(packer->out, 0);
}

/* ---- unpacking ---- */

static struct slice
unpack_text(struct reader *in, const struct record_words *words)
{
	uint64_t what = reader_varint(in);

	if (what == 0)
		return SLICE_NONE;
	if (what <= words->count)
		return words->words[what - 1];
	return reader_bytes(in, what - 1 - words->count);
}

static void *
unpack_items(struct reader *in, const struct record_field *field,
    const struct record_words *words, struct arena *arena, uint32_t count)
{
	uint32_t room = count > 0 ? count : 1;

	if (field->kind == RECORD_TEXTS) {
		struct slice *texts = arena_zero(arena, room, sizeof(*texts));

		for (uint32_t i = 0; i < count; i++)
			texts[i] = unpack_text(in, words);
		return texts;
	}
	if (field->kind == RECORD_PAIRS) {
		struct record_pair *pairs =
		    arena_zero(arena, room, sizeof(*pairs));

		for (uint32_t i = 0; i < count; i++) {
			pairs[i].key = unpack_text(in, words);
			pairs[i].value = unpack_text(in, words);
		}
		return pairs;
	}
	char *items = arena_zero(arena, room, field->sub->size);

	for (uint32_t i = 0; i < count; i++)
		unpack_record(in, field->sub, words, arena,
		    items + (size_t)i * field->sub->size);
	return items;
}

static void
unpack_field(struct reader *in, const struct record_field *field,
    const struct record_words *words, struct arena *arena, char *record)
{
	void *slot = record + field->offset;
	uint64_t number;

	switch (field->kind) {
	case RECORD_TEXT:
		*(struct slice *)slot = unpack_text(in, words);
		break;
	case RECORD_NUMBER:
	case RECORD_BOOL:
		number = reader_varint(in);
		*(int64_t *)slot = (int64_t)(number >> 1 ^ (0 - (number & 1)));
		break;
	case RECORD_STRUCT:
		*(void **)slot = arena_zero(arena, 1, field->sub->size);
		unpack_record(in, field->sub, words, arena, *(void **)slot);
		break;
	case RECORD_TEXTS:
	case RECORD_STRUCTS:
	case RECORD_PAIRS:
		number = reader_varint(in);
		*(uint32_t *)(void *)(record + field->count_offset) =
		    (uint32_t)number;
		*(void **)slot =
		    unpack_items(in, field, words, arena, (uint32_t)number);
		break;
	}
}

static void
unpack_record(struct reader *in, const struct record_type *type,
    const struct record_words *words, struct arena *arena, char *record)
{
	for (uint32_t i = 0; i < type->count; i++) {
		const struct record_field *field = &type->fields[i];
		void *slot = record + field->offset;

		if (field->kind == RECORD_TEXT && field->fallback_text)
			*(struct slice *)slot = fallback_of(field);
		else if (field->kind == RECORD_NUMBER ||
		    field->kind == RECORD_BOOL)
			*(int64_t *)slot = field->fallback;
	}
	for (uint8_t at; (at = reader_u8(in)) != 0 && in->error == ERROR_OK;) {
		must(at <= type->count);
		unpack_field(in, &type->fields[at - 1], words, arena, record);
	}
}
