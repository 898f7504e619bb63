/* A table by number, each entry in a chain of those with the same hash. */
#include "snap/rule_ids.h"

#include "core/hash.h"
#include "core/memory.h"
#include "core/must.h"
#include "snap/numbers.h"

#define ROUTE_PREFIX (sizeof("route/") - 1)
#define NONE UINT32_MAX

enum entry_kind { ENTRY_FREE, ENTRY_LISTENER, ENTRY_RULE };

struct entry {
	union {
		struct slice name; /* of a listener */
		struct {
			const struct unit *unit; /* NULL: nobody tells */
			uint32_t listener, rule;
		};
	};
	uint32_t references;
	uint32_t hash;
	uint32_t next; /* in its chain; NONE: the last */
	enum entry_kind kind;
};

struct snap_rule_ids {
	struct entry *entries; /* by number */
	uint32_t *chains; /* their first, by hash */
	uint32_t capacity; /* of both: 0, or a power of two */
	struct snap_numbers numbers;
};

struct snap_rule_ids *
snap_rule_ids_new(void)
{
	return memory_zero(1, sizeof(struct snap_rule_ids));
}

void
snap_rule_ids_free(struct snap_rule_ids *ids)
{
	if (!ids)
		return;
	snap_numbers_fini(&ids->numbers);
	memory_free(ids->entries);
	memory_free(ids->chains);
	memory_free(ids);
}

static void
link_entry(struct snap_rule_ids *ids, uint32_t id)
{
	struct entry *entry = &ids->entries[id];
	uint32_t *chain = &ids->chains[entry->hash & (ids->capacity - 1)];

	entry->next = *chain;
	*chain = id;
}

static void
unlink_entry(struct snap_rule_ids *ids, uint32_t id)
{
	const struct entry *entry = &ids->entries[id];
	uint32_t *at = &ids->chains[entry->hash & (ids->capacity - 1)];

	while (*at != id)
		at = &ids->entries[*at].next;
	*at = entry->next;
}

static bool
is_linked(const struct entry *entry)
{
	return entry->kind == ENTRY_LISTENER ||
	    (entry->kind == ENTRY_RULE && entry->unit != NULL);
}

static void
grow(struct snap_rule_ids *ids)
{
	uint32_t old = ids->capacity;

	ids->capacity = old ? old * 2 : 16;
	ids->entries =
	    memory_resize(ids->entries, ids->capacity, sizeof(*ids->entries));
	ids->chains =
	    memory_resize(ids->chains, ids->capacity, sizeof(*ids->chains));
	for (uint32_t i = old; i < ids->capacity; i++)
		ids->entries[i] = (struct entry){0};
	for (uint32_t i = 0; i < ids->capacity; i++)
		ids->chains[i] = NONE;
	for (uint32_t i = 0; i < old; i++)
		if (is_linked(&ids->entries[i]))
			link_entry(ids, i);
}

static uint32_t
add(struct snap_rule_ids *ids, const struct entry *entry)
{
	uint32_t id = snap_numbers_take(&ids->numbers);

	if (id >= ids->capacity)
		grow(ids);
	ids->entries[id] = *entry;
	link_entry(ids, id);
	return id;
}

static void
remove_entry(struct snap_rule_ids *ids, uint32_t id)
{
	if (is_linked(&ids->entries[id]))
		unlink_entry(ids, id);
	ids->entries[id] = (struct entry){0};
	snap_numbers_give(&ids->numbers, id);
}

uint32_t
snap_rule_ids_listener(struct snap_rule_ids *ids, struct slice name)
{
	return add(ids,
	    &(struct entry){.kind = ENTRY_LISTENER,
	        .name = name,
	        .references = 1,
	        .hash = (uint32_t)hash_bytes(name)});
}

void
snap_rule_ids_unref_listener(struct snap_rule_ids *ids, uint32_t id)
{
	must(id < ids->capacity && ids->entries[id].kind == ENTRY_LISTENER);
	remove_entry(ids, id);
}

struct slice
snap_rule_ids_listener_name(const struct snap_rule_ids *ids, uint32_t id)
{
	must(id < ids->capacity && ids->entries[id].kind == ENTRY_LISTENER);
	return ids->entries[id].name;
}

static struct slice
identity_of(const struct unit *unit, uint32_t rule)
{
	return unit->route->rules[rule].identity;
}

static uint32_t
hash_rule(uint32_t listener, const struct unit *unit, uint32_t rule)
{
	struct hash hash;

	hash_init(&hash);
	hash_push_number(&hash, listener);
	hash_push(&hash, unit->name);
	hash_push(&hash, identity_of(unit, rule));
	return (uint32_t)hash_take(&hash);
}

static uint32_t
find_rule(const struct snap_rule_ids *ids, uint32_t listener,
    const struct unit *unit, uint32_t rule, uint32_t hash)
{
	uint32_t at =
	    ids->capacity ? ids->chains[hash & (ids->capacity - 1)] : NONE;

	for (; at != NONE; at = ids->entries[at].next) {
		const struct entry *entry = &ids->entries[at];

		if (entry->hash == hash && entry->kind == ENTRY_RULE &&
		    entry->listener == listener &&
		    slice_equal(entry->unit->name, unit->name) &&
		    slice_equal(identity_of(entry->unit, entry->rule),
		        identity_of(unit, rule)))
			break;
	}
	return at;
}

uint32_t
snap_rule_ids_ref(struct snap_rule_ids *ids, uint32_t listener,
    const struct unit *unit, uint32_t rule)
{
	uint32_t hash = hash_rule(listener, unit, rule);
	uint32_t id = find_rule(ids, listener, unit, rule, hash);

	if (id == NONE)
		return add(ids,
		    &(struct entry){.kind = ENTRY_RULE,
		        .listener = listener,
		        .unit = unit,
		        .rule = rule,
		        .references = 1,
		        .hash = hash});
	struct entry *entry = &ids->entries[id];

	must(entry->references < UINT32_MAX);
	entry->references++;
	entry->unit = unit;
	entry->rule = rule;
	return id;
}

void
snap_rule_ids_unref(
    struct snap_rule_ids *ids, uint32_t id, const struct unit *unit)
{
	must(id < ids->capacity && ids->entries[id].kind == ENTRY_RULE);
	struct entry *entry = &ids->entries[id];

	if (--entry->references == 0) {
		remove_entry(ids, id);
	} else if (entry->unit == unit) {
		unlink_entry(ids, id);
		entry->unit = NULL;
	}
}

bool
snap_rule_ids_name(
    const struct snap_rule_ids *ids, uint32_t id, struct text *out)
{
	if (id >= ids->capacity || !is_linked(&ids->entries[id]))
		return false;
	const struct entry *entry = &ids->entries[id];

	if (entry->kind == ENTRY_LISTENER) {
		text_push(out, entry->name);
		return true;
	}
	text_push(out, ids->entries[entry->listener].name);
	text_push_byte(out, ' ');
	text_push(out, slice_skip(entry->unit->name, ROUTE_PREFIX));
	text_push_byte(out, ' ');
	text_push(out, identity_of(entry->unit, entry->rule));
	return true;
}

void
snap_rule_ids_epoch(struct snap_rule_ids *ids, uint64_t epoch)
{
	snap_numbers_epoch(&ids->numbers, epoch);
}

void
snap_rule_ids_reclaim(struct snap_rule_ids *ids, uint64_t epoch)
{
	snap_numbers_reclaim(&ids->numbers, epoch);
}

uint32_t
snap_rule_ids_limit(const struct snap_rule_ids *ids)
{
	return ids->numbers.limit;
}
