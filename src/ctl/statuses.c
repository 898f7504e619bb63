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
#include "ctl/kept.h"
#include "ctl/statuses_priv.h"
#include "ctl/waits.h"

/* Offers that are remembered; an older one is confirmed by a later one. */
#define OFFERS 64
#define STATUS_BLOCK_BYTES 1024

struct entry {
	struct list waiting; /* in one of the statuses' lists, or empty */
	struct ctl_kept *shown, *next; /* NULL: none */
	uint64_t offer; /* that next waits for */
	uint64_t deadline_ms;
	uint64_t change; /* that shown came by */
	bool late; /* shown as pending */
	char *gateway; /* of a ListenerSet: "namespace/name"; or NULL */
	enum gw_kind kind;
	uint32_t key_length;
	char key[]; /* "kind/namespace/name" */
};

/* What was shown last in the place of what: the next entry is often like it. */
struct shown {
	enum gw_kind kind;
	bool pending;
	struct slice message; /* only compared: what it says may be gone */
	struct ctl_kept *before, *next, *now; /* counted, or NULL */
	int64_t wall_s;
};

struct ctl_statuses {
	struct ctl_changes *changes;
	struct map entries; /* by key */
	struct map kept; /* by bytes: ctl/kept.h */
	struct shown last;
	struct arena *read; /* of what was asked for last */
	struct list fresh; /* put since the last offer */
	struct list waiting; /* for a confirmation or the deadline */
	struct list late; /* for a confirmation, and shown as pending */
	struct ctl_waits waits; /* Gateways, with entries that are confirmed but
	                         * for them */
	struct feed_generation offers[OFFERS]; /* by number % OFFERS */
	uint64_t offered, confirmed; /* numbers; 0: none yet */
};

static const struct slice pending_message =
    SLICE("not every worker serves this configuration yet");

static void show_next(
    struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms);
static void show_pending(
    struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms);
static void show_confirmed_of(
    struct ctl_statuses *statuses, struct list *list, int64_t wall_ms);
static void show_confirmed(struct ctl_statuses *statuses, int64_t wall_ms);

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
	ctl_waits_init(&statuses->waits);
	return statuses;
}

static void
free_entry(struct ctl_statuses *statuses, struct entry *entry)
{
	list_remove(&entry->waiting);
	ctl_kept_unref(&statuses->kept, &entry->shown);
	ctl_kept_unref(&statuses->kept, &entry->next);
	memory_free(entry->gateway);
	memory_free(entry);
}

static void
forget_last(struct ctl_statuses *statuses)
{
	ctl_kept_unref(&statuses->kept, &statuses->last.before);
	ctl_kept_unref(&statuses->kept, &statuses->last.next);
	ctl_kept_unref(&statuses->kept, &statuses->last.now);
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
	ctl_waits_fini(&old->waits);
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
	ctl_kept_unref(&statuses->kept, &entry->next);
	if (entry->shown != NULL)
		entry->change = ctl_changes_next(statuses->changes);
	ctl_kept_unref(&statuses->kept, &entry->shown);
}

static void
set_gateway(struct entry *entry, const struct gw_object *object)
{
	const struct gw_object_reference *parent =
	    object->listenerset->spec != NULL
	    ? object->listenerset->spec->parent_ref
	    : NULL;
	struct text text;

	memory_free(entry->gateway);
	entry->gateway = NULL;
	if (parent == NULL)
		return;
	text_init(&text);
	text_push(&text,
	    parent->namespace.length > 0 ? parent->namespace
	                                 : object->namespace);
	text_push_byte(&text, '/');
	text_push(&text, parent->name);
	entry->gateway = text_take(&text);
}

/* The Gateway that the entry's own proxies are of: of a Gateway itself. */
static struct slice
gateway_of(const struct entry *entry)
{
	if (entry->kind == GW_GATEWAY)
		return slice_make(entry->key + 2, entry->key_length - 2);
	return slice_from_string(entry->gateway);
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

	if (object->kind == GW_LISTENERSET)
		set_gateway(entry, object);
	ctl_kept_replace(&statuses->kept, &entry->next,
	    ctl_kept_keep(&statuses->kept, type, status));
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
		entry->late = false;
		entry->deadline_ms = now_ms + LIMIT_VALUE_CONFIRM_MS;
		list_remove(&entry->waiting);
		list_insert(&statuses->waiting, &entry->waiting);
	}
	show_confirmed(statuses, wall_ms);
}

/* The number of the newest offer of that generation; 0: it is not known. */
static uint64_t
number_of(const struct ctl_statuses *statuses,
    const struct feed_generation *generation)
{
	for (uint64_t number = statuses->offered;
	     number > 0 && number + OFFERS > statuses->offered; number--)
		if (feed_generation_equal(
		        &statuses->offers[number % OFFERS], generation))
			return number;
	return 0;
}

void
ctl_statuses_confirm(struct ctl_statuses *statuses,
    const struct feed_generation *generation, int64_t wall_ms)
{
	must(statuses != NULL && generation != NULL);
	uint64_t number = number_of(statuses, generation);

	if (number > statuses->confirmed)
		statuses->confirmed = number;
	show_confirmed(statuses, wall_ms);
}

void
ctl_statuses_wait(struct ctl_statuses *statuses, struct slice gateway,
    const struct feed_generation *generation, struct slice why, int64_t wall_ms)
{
	must(statuses != NULL && generation != NULL);
	uint64_t number = number_of(statuses, generation);

	if (gateway.length == 0)
		return;
	/* One that is too old to be known is not confirmed yet, either. */
	struct ctl_wait *wait = ctl_waits_begin(&statuses->waits, gateway,
	    number > 0 ? number : statuses->confirmed + 1, why);

	if (why.length == 0)
		return;
	LIST_FOR_EACH(at, &wait->late)
	show_pending(
	    statuses, container_of(at, struct entry, waiting), wall_ms);
}

void
ctl_statuses_served(struct ctl_statuses *statuses, struct slice gateway,
    const struct feed_generation *generation, int64_t wall_ms)
{
	must(statuses != NULL && generation != NULL);
	struct ctl_wait *wait = ctl_waits_get(&statuses->waits, gateway);
	uint64_t number = number_of(statuses, generation);

	if (wait == NULL)
		return;
	/* It was confirmed before, and forgotten since. */
	if (number == 0)
		number = statuses->confirmed;
	if (number > wait->served)
		wait->served = number;
	show_confirmed_of(statuses, &wait->late, wall_ms);
	show_confirmed_of(statuses, &wait->waiting, wall_ms);
	if (wait->served >= wait->wanted && list_is_empty(&wait->late) &&
	    list_is_empty(&wait->waiting))
		ctl_waits_end(&statuses->waits, wait);
}

static struct ctl_wait *
wait_for(const struct ctl_statuses *statuses, const struct entry *entry)
{
	struct arena arena;
	struct ctl_wait *wait;

	if (statuses->waits.by_gateway.count == 0)
		return NULL;
	arena_init(&arena, STATUS_BLOCK_BYTES);
	wait = ctl_waits_for(&statuses->waits, entry->kind, gateway_of(entry),
	    ctl_kept_read(gw_status_type(entry->kind), entry->next, &arena),
	    entry->offer);
	arena_fini(&arena);
	return wait;
}

/* In the lists of a wait, of statuses that are confirmed but for it, those that
 * it does not block any more are shown, or go to the wait that does. */
static void
show_confirmed_of(
    struct ctl_statuses *statuses, struct list *list, int64_t wall_ms)
{
	while (!list_is_empty(list)) {
		struct entry *entry =
		    container_of(list->next, struct entry, waiting);

		if (entry->offer > statuses->confirmed)
			return;
		struct ctl_wait *wait = wait_for(statuses, entry);

		if (wait != NULL &&
		    (list == &wait->waiting || list == &wait->late))
			return;
		list_remove(&entry->waiting);
		if (wait == NULL)
			show_next(statuses, entry, wall_ms);
		else
			list_insert(entry->late ? &wait->late : &wait->waiting,
			    &entry->waiting);
	}
}

static void
show_confirmed(struct ctl_statuses *statuses, int64_t wall_ms)
{
	show_confirmed_of(statuses, &statuses->late, wall_ms);
	show_confirmed_of(statuses, &statuses->waiting, wall_ms);
}

static void
expire_list(struct ctl_statuses *statuses, struct list *waiting,
    struct list *late, uint64_t now_ms, int64_t wall_ms)
{
	while (!list_is_empty(waiting)) {
		struct entry *entry =
		    container_of(waiting->next, struct entry, waiting);

		if (entry->deadline_ms > now_ms)
			return;
		list_remove(&entry->waiting);
		list_insert(late, &entry->waiting);
		entry->late = true;
		show_pending(statuses, entry, wall_ms);
	}
}

void
ctl_statuses_expire(
    struct ctl_statuses *statuses, uint64_t now_ms, int64_t wall_ms)
{
	must(statuses != NULL);
	struct ctl_wait *wait;

	expire_list(
	    statuses, &statuses->waiting, &statuses->late, now_ms, wall_ms);
	for (size_t at = 0;
	     (wait = ctl_waits_next(&statuses->waits, &at)) != NULL;)
		expire_list(
		    statuses, &wait->waiting, &wait->late, now_ms, wall_ms);
}

/* The earlier one of at_ms (0: never) and the first in the list. */
static uint64_t
earliest(const struct list *waiting, uint64_t at_ms)
{
	if (list_is_empty(waiting))
		return at_ms;
	uint64_t first_ms =
	    container_of(waiting->next, struct entry, waiting)->deadline_ms;

	return at_ms == 0 || first_ms < at_ms ? first_ms : at_ms;
}

uint64_t
ctl_statuses_deadline_ms(const struct ctl_statuses *statuses)
{
	must(statuses != NULL);
	const struct ctl_wait *wait;
	uint64_t at_ms = earliest(&statuses->waiting, 0);

	for (size_t at = 0;
	     (wait = ctl_waits_next(&statuses->waits, &at)) != NULL;)
		at_ms = earliest(&wait->waiting, at_ms);
	return at_ms;
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
	return ctl_kept_read(
	    gw_status_type(entry->kind), entry->shown, statuses->read);
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

static struct slice
message_of(const struct ctl_statuses *statuses, const struct entry *entry)
{
	const struct ctl_wait *wait = wait_for(statuses, entry);

	return wait != NULL && wait->why.length > 0 ? wait->why
	                                            : pending_message;
}

/* next (with a message: as it is until it is served) in the place of what is
 * shown. */
static struct ctl_kept *
make_shown(struct ctl_statuses *statuses, const struct entry *entry,
    struct slice message, int64_t wall_ms)
{
	struct arena arena;

	arena_init(&arena, STATUS_BLOCK_BYTES);
	void *status =
	    ctl_kept_read(gw_status_type(entry->kind), entry->next, &arena);

	if (slice_is_set(message))
		status =
		    gw_status_pending(entry->kind, status, message, &arena);
	ctl_status_times(entry->kind, status,
	    ctl_kept_read(gw_status_type(entry->kind), entry->shown, &arena),
	    wall_ms, &arena);
	struct ctl_kept *made =
	    ctl_kept_keep(&statuses->kept, gw_status_type(entry->kind), status);

	arena_fini(&arena);
	return made;
}

static void
show(struct ctl_statuses *statuses, struct entry *entry, bool pending,
    int64_t wall_ms)
{
	must(entry->next != NULL);
	struct shown *last = &statuses->last;
	struct slice message =
	    pending ? message_of(statuses, entry) : SLICE_NONE;
	bool same = last->message.data == message.data && last->now != NULL &&
	    last->kind == entry->kind && last->pending == pending &&
	    last->before == entry->shown && last->next == entry->next &&
	    last->wall_s == wall_ms / 1000;

	if (!same) {
		forget_last(statuses);
		*last = (struct shown){
		    .kind = entry->kind,
		    .pending = pending,
		    .message = message,
		    .wall_s = wall_ms / 1000,
		    .before = ctl_kept_ref(entry->shown),
		    .next = ctl_kept_ref(entry->next),
		    .now = make_shown(statuses, entry, message, wall_ms),
		};
	}
	if (last->now != entry->shown)
		entry->change = ctl_changes_next(statuses->changes);
	ctl_kept_replace(
	    &statuses->kept, &entry->shown, ctl_kept_ref(last->now));
}

static void
show_next(struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms)
{
	show(statuses, entry, false, wall_ms);
	ctl_kept_unref(&statuses->kept, &entry->next);
}

static void
show_pending(
    struct ctl_statuses *statuses, struct entry *entry, int64_t wall_ms)
{
	show(statuses, entry, true, wall_ms);
}
