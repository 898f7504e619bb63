/* Units: their kinds, their tables, how one is made from bytes and named by a
 * digest. A unit owns all it points to, in its arena; whether it may be served
 * is judged once, here (unit_check.c), and never again. */
#include "snap/unit.h"

#include <assert.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "snap/secret.h"
#include "snap/unit_priv.h"
#include "wire/record_binary.h"
#include "wire/record_tree.h"

#define RECORD_FILE "snap/unit.def"
#include "core/record_tables.h"
#undef RECORD_FILE

static_assert(UNIT_DIGEST_BYTES <= CRYPT_SHA256_BYTES, "part of a SHA-256");

static const struct {
	struct slice word;
	const struct record_type *type;
} kinds[UNIT__COUNT] = {
    [UNIT_LISTENER] = {{"listener", 8}, &unit_listener_type},
    [UNIT_ROUTE] = {{"route", 5}, &unit_route_type},
    [UNIT_SERVICE] = {{"service", 7}, &unit_service_type},
    [UNIT_ENDPOINTS] = {{"endpoints", 9}, &unit_endpoints_type},
    [UNIT_EXTERNAL] = {{"external", 8}, &unit_external_type},
    [UNIT_CERTIFICATE] = {{"certificate", 11}, &unit_certificate_type},
    [UNIT_AUTHORITY] = {{"authority", 9}, &unit_authority_type},
    [UNIT_TICKETS] = {{"tickets", 7}, &unit_tickets_type},
    [UNIT_CLAIM] = {{"claim", 5}, &unit_claim_type},
};

bool
snap_unit_kind(struct slice name, enum unit_kind *kind)
{
	struct slice word = slice_make(name.data, slice_find(name, '/'));

	if (word.length + 1 >= name.length)
		return false;
	for (unsigned i = 0; i < UNIT__COUNT; i++) {
		if (slice_equal(word, kinds[i].word)) {
			*kind = (enum unit_kind)i;
			return true;
		}
	}
	return false;
}

struct slice
snap_unit_kind_word(enum unit_kind kind)
{
	must(kind < UNIT__COUNT);
	return kinds[kind].word;
}

const struct record_type *
snap_unit_type(enum unit_kind kind)
{
	must(kind < UNIT__COUNT);
	return kinds[kind].type;
}

struct unit_digest
snap_unit_digest(struct slice name, struct slice bytes)
{
	struct slice parts[] = {name, slice_make("", 1), bytes};
	uint8_t whole[CRYPT_SHA256_BYTES];
	struct unit_digest digest;

	crypt_sha256(parts, 3, whole);
	memcpy(digest.bytes, whole, sizeof(digest.bytes));
	return digest;
}

enum error
snap_unit_borrow(struct slice name, struct slice bytes, struct arena *arena,
    struct unit **unit)
{
	enum unit_kind kind;
	void *record;

	must(unit != NULL);
	/* A NUL would let two units have one digest. */
	if (slice_find(name, '\0') < name.length)
		return ERROR_INVALID;
	if (!snap_unit_kind(name, &kind))
		return ERROR_UNKNOWN;
	if (name.length > LIMIT_VALUE_UNIT_NAME_BYTES ||
	    bytes.length > LIMIT_VALUE_UNIT_BYTES)
		return ERROR_LIMIT;

	/* Decoded, records take about four times their bytes. */
	arena_init(arena, sizeof(struct unit) + 512 + bytes.length * 4);
	struct unit *made = arena_zero(arena, 1, sizeof(*made));

	made->name = arena_copy(arena, name);
	made->kind = kind;
	made->digest = snap_unit_digest(name, bytes);
	enum error error =
	    wire_record_borrow(bytes, snap_unit_type(kind), arena, &record);

	if (error == ERROR_OK)
		error = snap_unit_check(kind, made->name, record, arena);
	if (error != ERROR_OK) {
		arena_fini(arena);
		return error;
	}
	made->record = record;
	made->arena = arena;
	*unit = made;
	return ERROR_OK;
}

void
snap_unit_own(struct unit *unit, struct slice bytes)
{
	wire_record_own(bytes, snap_unit_type(unit->kind), unit->arena,
	    (void *)(uintptr_t)unit->record);
}

void
snap_unit_settle(struct unit *unit)
{
	struct arena *arena = unit->arena;

	arena_trim(arena);
	unit->blocks = arena_detach(arena);
}

enum error
snap_unit_new(struct slice name, struct slice bytes, struct unit **unit)
{
	struct arena arena;
	enum error error = snap_unit_borrow(name, bytes, &arena, unit);

	if (error != ERROR_OK)
		return error;
	snap_unit_own(*unit, bytes);
	snap_unit_settle(*unit);
	return ERROR_OK;
}

/* The key lies in the unit's own memory. */
static void
wipe(struct slice key)
{
	if (key.length > 0)
		memory_wipe((char *)(uintptr_t)key.data, key.length);
}

void
snap_unit_free(struct unit **unit)
{
	struct unit *old = *unit;

	*unit = NULL;
	if (!old)
		return;
	if (old->kind == UNIT_CERTIFICATE && old->record)
		wipe(old->certificate->key);
	if (old->kind == UNIT_TICKETS && old->record)
		for (uint32_t i = 0; i < old->tickets->keys_count; i++)
			wipe(old->tickets->keys[i]);
	arena_blocks_free(old->blocks);
}

enum { SHOWN_BYTES = 7 + 2 * CRYPT_SHA256_BYTES };

/* "sha256:" and the digest: whether two keys differ can be seen. */
static struct slice
shown_key(struct slice key, char out[SHOWN_BYTES])
{
	uint8_t digest[CRYPT_SHA256_BYTES];
	size_t length = 7;

	if (!slice_is_set(key))
		return key;
	crypt_sha256(&key, 1, digest);
	memcpy(out, "sha256:", length);
	for (unsigned i = 0; i < CRYPT_SHA256_BYTES; i++) {
		out[length++] = "0123456789abcdef"[digest[i] >> 4];
		out[length++] = "0123456789abcdef"[digest[i] & 15];
	}
	return slice_make(out, length);
}

void
snap_unit_dump(struct text *out, const struct unit *unit)
{
	char texts[UNIT_TICKET_KEYS_MAX][SHOWN_BYTES];
	struct slice keys[UNIT_TICKET_KEYS_MAX];
	struct unit_tickets tickets = {.keys = keys};
	struct unit_certificate shown;
	const void *record = unit->record;

	if (unit->kind == UNIT_CERTIFICATE) {
		shown = *unit->certificate;
		shown.key = shown_key(shown.key, texts[0]);
		record = &shown;
	} else if (unit->kind == UNIT_TICKETS) {
		tickets.keys_count = unit->tickets->keys_count;
		for (uint32_t i = 0; i < tickets.keys_count; i++)
			keys[i] = shown_key(unit->tickets->keys[i], texts[i]);
		record = &tickets;
	}
	wire_record_to_json(out, snap_unit_type(unit->kind), record);
}
