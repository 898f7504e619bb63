/* An entry an object, in its tag: the status that is shown, and the next one
 * while that waits. Statuses are kept encoded, equal ones once: those of many
 * routes differ in nothing. Offers are numbered; an entry waits for a number,
 * and the confirmation of a generation is that of the newest offer which named
 * it. Lists of waiting entries are in the order of numbers, so that each step
 * costs what it changes.
 */
#include "ctl/statuses.h"

#include <assert.h>
#include <stdalign.h>

#include "core/limit.h"
#include "core/list.h"
#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"
#include "ctl/kept.h"
#include "ctl/next_priv.h"
#include "ctl/statuses_priv.h"
#include "ctl/waits.h"

/* Offers that are remembered; an older one is confirmed by a later one. */
#define OFFERS 64
#define STATUS_BLOCK_BYTES 1024

struct entry {
	struct ctl_kept *shown; /* NULL: none */
	struct ctl_next *next; /* NULL: nothing waits */
	uint64_t change; /* that shown came by */
};
static_assert(sizeof(struct entry) == sizeof(struct gw_status_tag) &&
        alignof(struct entry) == alignof(struct gw_status_tag),
    "an entry is a tag");

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
	void (*on_shown)(void *context, enum gw_kind kind,
	    struct slice namespace, struct slice name);
	void *on_shown_context;
	struct ctl_nexts nexts;
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
    struct ctl_statuses *statuses, struct ctl_next *next, int64_t wall_ms);
static void show_pending(
    struct ctl_statuses *statuses, struct ctl_next *next, int64_t wall_ms);
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
	ctl_nexts_init(&statuses->nexts);
	map_init(&statuses->kept);
	statuses->read = memory_zero(1, sizeof(*statuses->read));
	arena_init(statuses->read, STATUS_BLOCK_BYTES);
	list_init(&statuses->fresh);
	list_init(&statuses->waiting);
	list_init(&statuses->late);
	ctl_waits_init(&statuses->waits);
	return statuses;
}

void
ctl_statuses_on_shown(struct ctl_statuses *statuses,
    void (*on_shown)(void *context, enum gw_kind kind, struct slice namespace,
        struct slice name),
    void *context)
{
	must(statuses != NULL);
	statuses->on_shown = on_shown;
	statuses->on_shown_context = context;
}

/* What waits of the entry, made when nothing does. */
static struct ctl_next *
get_next(struct ctl_statuses *statuses, struct entry *entry, enum gw_kind kind)
{
	if (entry->next == NULL) {
		entry->next = ctl_nexts_take(&statuses->nexts);
		entry->next->entry = entry;
		entry->next->kind = kind;
	}
	return entry->next;
}

static void
drop_next(struct ctl_statuses *statuses, struct ctl_next **place)
{
	struct ctl_next *next = *place;

	*place = NULL;
	if (next == NULL)
		return;
	ctl_kept_unref(&statuses->kept, &next->status);
	ctl_nexts_give(&statuses->nexts, next);
}

static void
drop_waiting(struct ctl_statuses *statuses, struct list *list)
{
	while (!list_is_empty(list)) {
		struct ctl_next *next =
		    container_of(list->next, struct ctl_next, waiting);

		drop_next(statuses, &next->entry->next);
	}
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
	struct ctl_wait *wait;
	struct slice key;
	void *value;

	*statuses = NULL;
	if (old == NULL)
		return;
	drop_waiting(old, &old->fresh);
	drop_waiting(old, &old->waiting);
	drop_waiting(old, &old->late);
	for (size_t at = 0;
	     (wait = ctl_waits_next(&old->waits, &at)) != NULL;) {
		drop_waiting(old, &wait->waiting);
		drop_waiting(old, &wait->late);
	}
	ctl_nexts_fini(&old->nexts);
	forget_last(old);
	/* Those that are shown are in the objects' tags. */
	for (size_t at = 0; map_next(&old->kept, &at, &key, &value);)
		memory_free(value);
	map_fini(&old->kept);
	ctl_waits_fini(&old->waits);
	arena_fini(old->read);
	memory_free(old->read);
	memory_free(old);
}

static struct entry *
entry_of(struct gw_status_tag *tag)
{
	return (struct entry *)(void *)tag;
}

/* The object stays, and its entry, which says since when there is none. */
static void
show_none(struct ctl_statuses *statuses, const struct gw_object *object,
    struct entry *entry)
{
	drop_next(statuses, &entry->next);
	if (entry->shown != NULL)
		entry->change = ctl_changes_next(statuses->changes);
	ctl_kept_unref(&statuses->kept, &entry->shown);
	if (statuses->on_shown != NULL)
		statuses->on_shown(statuses->on_shown_context, object->kind,
		    object->namespace, object->name);
}

static char *
join(struct slice namespace, struct slice name)
{
	struct text text;

	text_init(&text);
	text_push(&text, namespace);
	text_push_byte(&text, '/');
	text_push(&text, name);
	return text_take(&text);
}

void
ctl_statuses_put(struct ctl_statuses *statuses, const struct gw_object *object,
    const void *status, struct gw_status_tag *tag)
{
	must(statuses != NULL && object != NULL && tag != NULL);
	const struct record_type *type = gw_status_type(object->kind);

	if (type == NULL || status == NULL) {
		show_none(statuses, object, entry_of(tag));
		return;
	}
	struct ctl_next *next = get_next(statuses, entry_of(tag), object->kind);

	if (object->kind == GW_LISTENERSET || object->kind == GW_GATEWAY)
		ctl_next_set_gateway(next, object);
	if (statuses->on_shown != NULL && next->object == NULL)
		next->object = join(object->namespace, object->name);
	ctl_kept_replace(&statuses->kept, &next->status,
	    ctl_kept_keep(&statuses->kept, type, status));
	list_remove(&next->waiting);
	list_insert(&statuses->fresh, &next->waiting);
}

void
ctl_statuses_remove(struct ctl_statuses *statuses, struct gw_status_tag *tag)
{
	must(statuses != NULL);
	if (tag == NULL)
		return;
	struct entry *entry = entry_of(tag);

	drop_next(statuses, &entry->next);
	ctl_kept_unref(&statuses->kept, &entry->shown);
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
		struct ctl_next *next = container_of(
		    statuses->fresh.next, struct ctl_next, waiting);

		next->offer = statuses->offered;
		next->late = false;
		next->deadline_ms = now_ms + LIMIT_VALUE_CONFIRM_MS;
		list_remove(&next->waiting);
		list_insert(&statuses->waiting, &next->waiting);
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
	    statuses, container_of(at, struct ctl_next, waiting), wall_ms);
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
wait_for(const struct ctl_statuses *statuses, const struct ctl_next *next)
{
	struct arena arena;
	struct ctl_wait *wait;

	if (statuses->waits.by_gateway.count == 0)
		return NULL;
	arena_init(&arena, STATUS_BLOCK_BYTES);
	wait = ctl_waits_for(&statuses->waits, next->kind,
	    slice_from_string(next->gateway ? next->gateway->name : NULL),
	    ctl_kept_read(gw_status_type(next->kind), next->status, &arena),
	    next->offer);
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
		struct ctl_next *next =
		    container_of(list->next, struct ctl_next, waiting);

		if (next->offer > statuses->confirmed)
			return;
		struct ctl_wait *wait = wait_for(statuses, next);

		if (wait != NULL &&
		    (list == &wait->waiting || list == &wait->late))
			return;
		list_remove(&next->waiting);
		if (wait == NULL)
			show_next(statuses, next, wall_ms);
		else
			list_insert(next->late ? &wait->late : &wait->waiting,
			    &next->waiting);
	}
}

static void
show_confirmed(struct ctl_statuses *statuses, int64_t wall_ms)
{
	show_confirmed_of(statuses, &statuses->late, wall_ms);
	show_confirmed_of(statuses, &statuses->waiting, wall_ms);
}

void
ctl_statuses_hold(
    struct ctl_statuses *statuses, struct slice gateway, struct slice why)
{
	must(statuses != NULL);
	ctl_waits_hold(&statuses->waits, gateway, why);
}

void
ctl_statuses_release(
    struct ctl_statuses *statuses, struct slice gateway, int64_t wall_ms)
{
	must(statuses != NULL);
	struct ctl_wait *wait = ctl_waits_held(&statuses->waits, gateway);

	if (wait == NULL)
		return;
	wait->served = UINT64_MAX;
	show_confirmed_of(statuses, &wait->late, wall_ms);
	show_confirmed_of(statuses, &wait->waiting, wall_ms);
	ctl_waits_end(&statuses->waits, wait);
}

static void
expire_list(struct ctl_statuses *statuses, struct list *waiting,
    struct list *late, uint64_t now_ms, int64_t wall_ms)
{
	while (!list_is_empty(waiting)) {
		struct ctl_next *next =
		    container_of(waiting->next, struct ctl_next, waiting);

		if (next->deadline_ms > now_ms)
			return;
		list_remove(&next->waiting);
		list_insert(late, &next->waiting);
		next->late = true;
		show_pending(statuses, next, wall_ms);
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
	    container_of(waiting->next, struct ctl_next, waiting)->deadline_ms;

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
    const struct gw_status_tag *tag)
{
	must(statuses != NULL);
	const struct entry *entry = (const void *)tag;

	if (entry == NULL)
		return NULL;
	arena_reset(statuses->read);
	return ctl_kept_read(
	    gw_status_type(kind), entry->shown, statuses->read);
}

bool
ctl_statuses_is_waiting(const struct gw_status_tag *tag)
{
	const struct entry *entry = (const void *)tag;

	return entry != NULL && entry->next != NULL && entry->shown == NULL;
}

bool
ctl_statuses_is_late(const struct gw_status_tag *tag)
{
	const struct entry *entry = (const void *)tag;

	return entry != NULL && entry->next != NULL && entry->next->late;
}

uint64_t
ctl_statuses_change(const struct gw_status_tag *tag)
{
	const struct entry *entry = (const void *)tag;

	return entry != NULL ? entry->change : 0;
}

static struct slice
message_of(const struct ctl_statuses *statuses, const struct ctl_next *next)
{
	const struct ctl_wait *wait = wait_for(statuses, next);

	return wait != NULL && wait->why.length > 0 ? wait->why
	                                            : pending_message;
}

/* next (with a message: as it is until it is served) in the place of what is
 * shown. */
static struct ctl_kept *
make_shown(struct ctl_statuses *statuses, const struct ctl_next *next,
    struct slice message, int64_t wall_ms)
{
	struct arena arena;

	arena_init(&arena, STATUS_BLOCK_BYTES);
	const struct record_type *type = gw_status_type(next->kind);
	void *status = ctl_kept_read(type, next->status, &arena);
	void *before = ctl_kept_read(type, next->entry->shown, &arena);

	if (slice_is_set(message))
		status = gw_status_pending(next->kind, status,
		    next->kind == GW_GATEWAY
		        ? ctl_next_told(next, before, &arena)
		        : NULL,
		    message, &arena);
	ctl_status_times(next->kind, status, before, wall_ms, &arena);
	struct ctl_kept *made = ctl_kept_keep(&statuses->kept, type, status);

	arena_fini(&arena);
	return made;
}

static void
tell_shown(const struct ctl_statuses *statuses, const struct ctl_next *next)
{
	struct slice name = slice_from_string(next->object), namespace;

	if (next->object == NULL || !slice_cut(&name, '/', &namespace))
		return;
	statuses->on_shown(
	    statuses->on_shown_context, next->kind, namespace, name);
}

static void
show(struct ctl_statuses *statuses, const struct ctl_next *next, bool pending,
    int64_t wall_ms)
{
	must(next->status != NULL);
	struct entry *entry = next->entry;
	struct shown *last = &statuses->last;
	struct slice message =
	    pending ? message_of(statuses, next) : SLICE_NONE;
	bool told = next->gateway != NULL && next->gateway->told.length > 0;
	bool same = !told && last->message.data == message.data &&
	    last->now != NULL && last->kind == next->kind &&
	    last->pending == pending && last->before == entry->shown &&
	    last->next == next->status && last->wall_s == wall_ms / 1000;

	if (!same) {
		forget_last(statuses);
		*last = (struct shown){
		    .kind = next->kind,
		    .pending = pending,
		    .message = message,
		    .wall_s = wall_ms / 1000,
		    .before = ctl_kept_ref(entry->shown),
		    .next = ctl_kept_ref(next->status),
		    .now = make_shown(statuses, next, message, wall_ms),
		};
	}
	if (last->now != entry->shown)
		entry->change = ctl_changes_next(statuses->changes);
	ctl_kept_replace(
	    &statuses->kept, &entry->shown, ctl_kept_ref(last->now));
	tell_shown(statuses, next);
}

static void
show_next(struct ctl_statuses *statuses, struct ctl_next *next, int64_t wall_ms)
{
	show(statuses, next, false, wall_ms);
	drop_next(statuses, &next->entry->next);
}

static void
show_pending(
    struct ctl_statuses *statuses, struct ctl_next *next, int64_t wall_ms)
{
	show(statuses, next, true, wall_ms);
}
