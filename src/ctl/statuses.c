/* An entry an object: the status that is shown, and the next one while it
 * waits. Statuses are kept encoded, equal ones once: those of many routes
 * differ in nothing. Offers are numbered; an entry waits for a number, and the
 * confirmation of a generation is that of the newest offer which named it.
 * Lists of waiting entries are in the order of numbers, so that each step costs
 * what it changes.
 */
#include "ctl/statuses.h"

#include "core/limit.h"
#include "core/list.h"
#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/statuses_priv.h"
#include "wire/record_binary.h"

/* Offers that are remembered; an older one is confirmed by a later one. */
#define OFFERS 64
#define STATUS_BLOCK_BYTES 1024

/* A status, encoded, of as many entries as have it. */
struct kept {
	uint32_t references;
	uint32_t length;
	char bytes[];
};

struct entry {
	struct list waiting; /* in one of the statuses' lists, or empty */
	struct kept *shown, *next; /* NULL: none */
	uint64_t offer; /* that next waits for */
	uint64_t deadline_ms;
	uint64_t change; /* that shown came by */
	enum gw_kind kind;
	uint32_t key_length;
	char key[]; /* "kind/namespace/name" */
};

/* What was shown last in the place of what: the next entry is often like it. */
struct shown {
	enum gw_kind kind;
	bool pending;
	struct kept *before, *next, *now; /* counted, or NULL */
	int64_t wall_s;
};

struct ctl_statuses {
	struct ctl_changes *changes;
	struct map entries; /* by key */
	struct map kept; /* by bytes */
	struct shown last;
	struct arena *read; /* of what was asked for last */
	struct list fresh; /* put since the last offer */
	struct list waiting; /* for a confirmation or the deadline */
	struct list late; /* for a confirmation, and shown as pending */
	struct feed_generation offers[OFFERS]; /* by number % OFFERS */
	uint64_t offered, confirmed; /* numbers; 0: none yet */
};

static const struct slice pending_message =
    SLICE("not every worker serves this configuration yet");

static void show_next(
    struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms);
static void show_pending(
    struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms);
static void show_confirmed(struct ctl_statuses *statuses, int64_t wall_ms);

/* ---- statuses that are kept ---- */

static struct slice
bytes_of(const struct kept *kept)
{
	return slice_make(kept->bytes, kept->length);
}

/* One reference more, for the caller. */
static struct kept *
keep(struct ctl_statuses *statuses, const struct record_type *type,
    const void *record)
{
	struct text text;

	text_init(&text);
	wire_record_encode(&text, type, record);
	struct slice bytes = text_slice(&text);
	struct kept *kept = map_get(&statuses->kept, bytes);

	if (kept == NULL) {
		must(bytes.length <= UINT32_MAX);
		kept = memory_zero(1, sizeof(*kept) + bytes.length);
		kept->length = (uint32_t)bytes.length;
		if (bytes.length > 0)
			memcpy(kept->bytes, bytes.data, bytes.length);
		(void)map_put(&statuses->kept, bytes_of(kept), kept);
	}
	kept->references++;
	text_fini(&text);
	return kept;
}

static struct kept *
keep_too(struct kept *kept)
{
	if (kept != NULL)
		kept->references++;
	return kept;
}

static void
let_go(struct ctl_statuses *statuses, struct kept **kept)
{
	struct kept *old = *kept;

	*kept = NULL;
	if (old == NULL || --old->references > 0)
		return;
	(void)map_remove(&statuses->kept, bytes_of(old));
	memory_free(old);
}

static void
replace(struct ctl_statuses *statuses, struct kept **place, struct kept *kept)
{
	let_go(statuses, place);
	*place = kept;
}

static void *
read_kept(enum gw_kind kind, const struct kept *kept, struct arena *arena)
{
	void *record = NULL;

	if (kept == NULL)
		return NULL;
	enum error error = wire_record_decode(
	    bytes_of(kept), gw_status_type(kind), arena, &record);

	must(error == ERROR_OK);
	return record;
}

/* ---- entries ---- */

struct ctl_statuses *
ctl_statuses_new(struct ctl_changes *changes)
{
	must(changes != NULL);
	struct ctl_statuses *statuses = memory_zero(1, sizeof(*statuses));

	statuses->changes = changes;
	map_init(&statuses->entries);
	map_init(&statuses->kept);
	statuses->read = memory_zero(1, sizeof(*statuses->read));
	arena_init(statuses->read, STATUS_BLOCK_BYTES);
	list_init(&statuses->fresh);
	list_init(&statuses->waiting);
	list_init(&statuses->late);
	return statuses;
}

static void
free_entry(struct ctl_statuses *statuses, struct entry *entry)
{
	list_remove(&entry->waiting);
	let_go(statuses, &entry->shown);
	let_go(statuses, &entry->next);
	memory_free(entry);
}

static void
forget_last(struct ctl_statuses *statuses)
{
	let_go(statuses, &statuses->last.before);
	let_go(statuses, &statuses->last.next);
	let_go(statuses, &statuses->last.now);
}

void
ctl_statuses_free(struct ctl_statuses **statuses)
{
	struct ctl_statuses *old = *statuses;
	struct slice key;
	void *value;

	*statuses = NULL;
	if (old == NULL)
		return;
	for (size_t at = 0; map_next(&old->entries, &at, &key, &value);)
		free_entry(old, value);
	forget_last(old);
	must(old->kept.count == 0);
	map_fini(&old->kept);
	map_fini(&old->entries);
	arena_fini(old->read);
	memory_free(old->read);
	memory_free(old);
}

/* The longest: a digit or two, two names of 253 bytes, two slashes. */
#define KEY_BYTES 640

static struct slice
make_key(char out[KEY_BYTES], enum gw_kind kind, struct slice namespace,
    struct slice name)
{
	must(namespace.length + name.length + 3 <= KEY_BYTES);
	out[0] = (char)('A' + kind);
	out[1] = '/';
	memcpy(out + 2, namespace.data ? namespace.data : "", namespace.length);
	out[2 + namespace.length] = '/';
	memcpy(out + 3 + namespace.length, name.data, name.length);
	return slice_make(out, 3 + namespace.length + name.length);
}

static struct entry *
get_entry(struct ctl_statuses *statuses, const struct gw_object *object)
{
	char bytes[KEY_BYTES];
	struct slice key =
	    make_key(bytes, object->kind, object->namespace, object->name);
	struct entry *entry = map_get(&statuses->entries, key);

	if (entry != NULL)
		return entry;
	entry = memory_zero(1, sizeof(*entry) + key.length);
	memcpy(entry->key, key.data, key.length);
	entry->key_length = (uint32_t)key.length;
	entry->kind = object->kind;
	list_init(&entry->waiting);
	(void)map_put(&statuses->entries,
	    slice_make(entry->key, entry->key_length), entry);
	return entry;
}

/* The object stays, and its entry, which says since when there is none. */
static void
show_none(struct ctl_statuses *statuses, const struct gw_object *object)
{
	char bytes[KEY_BYTES];
	struct entry *entry = map_get(&statuses->entries,
	    make_key(bytes, object->kind, object->namespace, object->name));

	if (entry == NULL)
		return;
	list_remove(&entry->waiting);
	let_go(statuses, &entry->next);
	if (entry->shown != NULL)
		entry->change = ctl_changes_next(statuses->changes);
	let_go(statuses, &entry->shown);
}

void
ctl_statuses_put(struct ctl_statuses *statuses, const struct gw_object *object,
    const void *status)
{
	must(statuses != NULL && object != NULL);
	const struct record_type *type = gw_status_type(object->kind);

	if (type == NULL || status == NULL) {
		show_none(statuses, object);
		return;
	}
	struct entry *entry = get_entry(statuses, object);

	replace(statuses, &entry->next, keep(statuses, type, status));
	list_remove(&entry->waiting);
	list_insert(&statuses->fresh, &entry->waiting);
}

void
ctl_statuses_remove(struct ctl_statuses *statuses, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(statuses != NULL);
	char bytes[KEY_BYTES];
	struct entry *entry = map_remove(
	    &statuses->entries, make_key(bytes, kind, namespace, name));

	if (entry != NULL)
		free_entry(statuses, entry);
}

void
ctl_statuses_offer(struct ctl_statuses *statuses,
    const struct feed_generation *generation, uint64_t now_ms, int64_t wall_ms)
{
	must(statuses != NULL && generation != NULL);
	const struct feed_generation *last =
	    &statuses->offers[statuses->offered % OFFERS];

	if (statuses->offered == 0 || !feed_generation_equal(last, generation))
		statuses->offers[++statuses->offered % OFFERS] = *generation;
	while (!list_is_empty(&statuses->fresh)) {
		struct entry *entry =
		    container_of(statuses->fresh.next, struct entry, waiting);

		entry->offer = statuses->offered;
		entry->deadline_ms = now_ms + LIMIT_VALUE_CONFIRM_MS;
		list_remove(&entry->waiting);
		list_insert(&statuses->waiting, &entry->waiting);
	}
	show_confirmed(statuses, wall_ms);
}

void
ctl_statuses_confirm(struct ctl_statuses *statuses,
    const struct feed_generation *generation, int64_t wall_ms)
{
	must(statuses != NULL && generation != NULL);
	uint64_t number = statuses->offered;

	for (; number > statuses->confirmed &&
	     number + OFFERS > statuses->offered;
	     number--)
		if (feed_generation_equal(
		        &statuses->offers[number % OFFERS], generation)) {
			statuses->confirmed = number;
			break;
		}
	show_confirmed(statuses, wall_ms);
}

static void
show_confirmed_of(
    struct ctl_statuses *statuses, struct list *list, int64_t wall_ms)
{
	while (!list_is_empty(list)) {
		struct entry *entry =
		    container_of(list->next, struct entry, waiting);

		if (entry->offer > statuses->confirmed)
			return;
		list_remove(&entry->waiting);
		show_next(statuses, entry, wall_ms);
	}
}

static void
show_confirmed(struct ctl_statuses *statuses, int64_t wall_ms)
{
	show_confirmed_of(statuses, &statuses->late, wall_ms);
	show_confirmed_of(statuses, &statuses->waiting, wall_ms);
}

void
ctl_statuses_expire(
    struct ctl_statuses *statuses, uint64_t now_ms, int64_t wall_ms)
{
	must(statuses != NULL);
	while (!list_is_empty(&statuses->waiting)) {
		struct entry *entry =
		    container_of(statuses->waiting.next, struct entry, waiting);

		if (entry->deadline_ms > now_ms)
			return;
		list_remove(&entry->waiting);
		list_insert(&statuses->late, &entry->waiting);
		show_pending(statuses, entry, wall_ms);
	}
}

uint64_t
ctl_statuses_deadline_ms(const struct ctl_statuses *statuses)
{
	must(statuses != NULL);
	if (list_is_empty(&statuses->waiting))
		return 0;
	return container_of(statuses->waiting.next, struct entry, waiting)
	    ->deadline_ms;
}

const void *
ctl_statuses_get(const struct ctl_statuses *statuses, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(statuses != NULL);
	char bytes[KEY_BYTES];
	const struct entry *entry =
	    map_get(&statuses->entries, make_key(bytes, kind, namespace, name));

	if (entry == NULL)
		return NULL;
	arena_reset(statuses->read);
	return read_kept(entry->kind, entry->shown, statuses->read);
}

uint64_t
ctl_statuses_change(const struct ctl_statuses *statuses, enum gw_kind kind,
    struct slice namespace, struct slice name)
{
	must(statuses != NULL);
	char bytes[KEY_BYTES];
	const struct entry *entry =
	    map_get(&statuses->entries, make_key(bytes, kind, namespace, name));

	return entry != NULL ? entry->change : 0;
}

/* next (pending: as it is until it is served) in the place of what is shown. */
static struct kept *
make_shown(struct ctl_statuses *statuses, const struct entry *entry,
    bool pending, int64_t wall_ms)
{
	struct arena arena;

	arena_init(&arena, STATUS_BLOCK_BYTES);
	void *status = read_kept(entry->kind, entry->next, &arena);

	if (pending)
		status = gw_status_pending(
		    entry->kind, status, pending_message, &arena);
	ctl_status_times(entry->kind, status,
	    read_kept(entry->kind, entry->shown, &arena), wall_ms, &arena);
	struct kept *made = keep(statuses, gw_status_type(entry->kind), status);

	arena_fini(&arena);
	return made;
}

static void
show(struct ctl_statuses *statuses, struct entry *entry, bool pending,
    int64_t wall_ms)
{
	must(entry->next != NULL);
	struct shown *last = &statuses->last;
	bool same = last->now != NULL && last->kind == entry->kind &&
	    last->pending == pending && last->before == entry->shown &&
	    last->next == entry->next && last->wall_s == wall_ms / 1000;

	if (!same) {
		forget_last(statuses);
		*last = (struct shown){
		    .kind = entry->kind,
		    .pending = pending,
		    .wall_s = wall_ms / 1000,
		    .before = keep_too(entry->shown),
		    .next = keep_too(entry->next),
		    .now = make_shown(statuses, entry, pending, wall_ms),
		};
	}
	if (last->now != entry->shown)
		entry->change = ctl_changes_next(statuses->changes);
	replace(statuses, &entry->shown, keep_too(last->now));
}

static void
show_next(struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms)
{
	show(statuses, entry, false, wall_ms);
	let_go(statuses, &entry->next);
}

static void
show_pending(
    struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms)
{
	show(statuses, entry, true, wall_ms);
}
