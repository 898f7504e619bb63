/* The store: what is in force, and the line of sets. A change goes into the
 * structures of the next set at once; a commit gives that set out and starts
 * anew from it. Two things wait for the workers: blocks that only older sets
 * use (limbo), and units, which requests in flight may hold besides. */
#include "snap/store_priv.h"

#include "core/memory.h"
#include "core/must.h"
#include "snap/unit_priv.h"

static struct slice
name_of(const void *unit)
{
	return ((const struct unit *)unit)->name;
}

struct snap_store *
snap_store_new(void)
{
	struct snap_store *store = memory_zero(1, sizeof(*store));

	snap_limbo_init(&store->limbo);
	map_init_keyed(&store->units, name_of);
	list_init(&store->holds);
	snap_listeners_init(store);
	snap_hostnames_init(store);
	snap_backends_init(store);
	snap_credentials_init(store);
	snap_patterns_init(&store->patterns);
	return store;
}

void
snap_store_free(struct snap_store **store)
{
	struct snap_store *old = *store;
	struct slice name;
	void *value;
	size_t at = 0;

	*store = NULL;
	if (!old)
		return;
	snap_listeners_fini(old);
	snap_backends_fini(old);
	snap_hostnames_fini(old);
	snap_credentials_fini(old);
	snap_limbo_fini(&old->limbo);
	memory_free(old->current);
	for (size_t i = 0; i < old->retired_count; i++)
		snap_unit_free(&old->retired[i].unit);
	memory_free(old->retired);
	while (map_next(&old->units, &at, &name, &value)) {
		struct unit *unit = value;

		snap_unit_free(&unit);
	}
	map_fini(&old->units);
	snap_patterns_fini(&old->patterns);
	snap_holds_fini(old);
	memory_free(old->free_slots);
	memory_free(old);
}

static void
take_slot(struct snap_store *store, struct unit *unit)
{
	if (store->free_slot_count > 0) {
		unit->slot = store->free_slots[--store->free_slot_count];
		return;
	}
	unit->slot = store->slot_limit++;
	snap_holds_grow(store);
}

static void
give_slot(struct snap_store *store, uint32_t slot)
{
	if (store->free_slot_count == store->slot_capacity) {
		store->slot_capacity =
		    store->slot_capacity ? store->slot_capacity * 2 : 16;
		store->free_slots = memory_resize(store->free_slots,
		    store->slot_capacity, sizeof(store->free_slots[0]));
	}
	store->free_slots[store->free_slot_count++] = slot;
}

/* A unit that is in force no longer: freed when no worker can have it. */
static void
retire(struct snap_store *store, struct unit *unit)
{
	if (store->retired_count == store->retired_capacity) {
		store->retired_capacity =
		    store->retired_capacity ? store->retired_capacity * 2 : 16;
		store->retired = memory_resize(store->retired,
		    store->retired_capacity, sizeof(store->retired[0]));
	}
	store->retired[store->retired_count++] = (struct snap_retired){
	    .unit = unit,
	    .last = store->limbo.current,
	};
}

/* Put unit (or NULL: none) in the place of old (or NULL). */
static void
replace(struct snap_store *store, struct unit *old, struct unit *unit)
{
	const struct unit *any = unit ? unit : old;

	switch (any->kind) {
	case UNIT_LISTENER:
		snap_listener_replace(store, old, unit);
		break;
	case UNIT_ROUTE:
		if (old)
			snap_index_remove(store, old);
		if (unit)
			snap_index_add(store, unit);
		break;
	case UNIT_SERVICE:
	case UNIT_ENDPOINTS:
	case UNIT_EXTERNAL:
		snap_backends_replace(store, old, unit);
		break;
	case UNIT_CERTIFICATE:
	case UNIT_AUTHORITY:
	case UNIT_TICKETS:
		snap_credential_replace(store, old, unit);
		break;
	case UNIT_CLAIM:
		break; /* announcers look at it, workers do not */
	case UNIT__COUNT:
		must(any->kind != UNIT__COUNT);
	}
	if (unit) {
		map_add(&store->units, unit);
		feed_generation_add(&store->generation, &unit->digest);
	} else {
		map_remove(&store->units, old->name);
	}
	if (old) {
		feed_generation_remove(&store->generation, &old->digest);
		retire(store, old);
	}
	store->changed = true;
}

enum error
snap_store_put(struct snap_store *store, struct slice name, struct slice bytes)
{
	struct unit *old = map_get(&store->units, name);
	struct unit *unit;

	if (old) {
		struct unit_digest digest = snap_unit_digest(name, bytes);

		if (memcmp(&digest, &old->digest, sizeof(digest)) == 0)
			return ERROR_OK;
	}

	struct arena arena;
	enum error error = snap_unit_borrow(name, bytes, &arena, &unit);

	if (error != ERROR_OK)
		return error;
	/* The new plan before the old one goes: what both use stays. */
	if (unit->kind == UNIT_ROUTE)
		error = snap_plan_make(store, unit, bytes);
	else
		snap_unit_own(unit, bytes);
	if (error != ERROR_OK) {
		arena_fini(&arena);
		return error;
	}
	snap_credentials_ref(store, unit);
	snap_unit_settle(unit);
	take_slot(store, unit);
	replace(store, old, unit);
	return ERROR_OK;
}

void
snap_store_drop(struct snap_store *store, struct slice name)
{
	struct unit *old = map_get(&store->units, name);

	if (old)
		replace(store, old, NULL);
}

const struct snap_set *
snap_store_commit(struct snap_store *store)
{
	struct snap_limbo *limbo = &store->limbo;
	struct snap_set *set;

	snap_backends_commit(store);
	if (store->current && !store->changed)
		return store->current;
	snap_listeners_commit(store);
	set = snap_limbo_new(limbo, sizeof(*set));
	set->number = limbo->current + 1;
	set->sockets = store->sockets;
	set->listeners = store->listeners;
	set->backends = store->backends;
	set->credentials = store->credentials;
	set->socket_list = store->socket_list;
	snap_limbo_push(limbo, store->current);
	store->current = set;
	store->changed = false;
	limbo->current = set->number;
	snap_rule_ids_epoch(store->rule_ids, set->number);
	snap_ids_epoch(store->socket_ids, set->number);
	snap_ids_epoch(store->backend_ids, set->number);
	snap_ids_epoch(store->credential_ids, set->number);
	return set;
}

struct feed_generation
snap_store_generation(const struct snap_store *store)
{
	return store->generation;
}

uint64_t
snap_set_number(const struct snap_set *set)
{
	return set->number;
}

static bool
is_held(
    const struct unit *unit, struct snap_holds *const *holds, unsigned workers)
{
	for (unsigned i = 0; i < workers; i++)
		if (snap_holds_count(holds[i], unit->slot) > 0)
			return true;
	return false;
}

static void
free_unit(struct snap_store *store, struct unit *unit)
{
	if (unit->plan)
		snap_plan_release(store, unit);
	snap_credentials_unref(store, unit);
	give_slot(store, unit->slot);
	snap_unit_free(&unit);
}

void
snap_store_quiet(struct snap_store *store, uint64_t number,
    struct snap_holds *const *holds, unsigned workers)
{
	size_t kept = 0, at = 0;

	must(number <= store->limbo.current);
	snap_limbo_release(&store->limbo, number);
	for (; at < store->retired_count; at++) {
		struct snap_retired *retired = &store->retired[at];

		if (retired->last >= number)
			break;
		if (is_held(retired->unit, holds, workers))
			store->retired[kept++] = *retired;
		else
			free_unit(store, retired->unit);
	}
	if (kept < at) {
		memmove(&store->retired[kept], &store->retired[at],
		    (store->retired_count - at) * sizeof(store->retired[0]));
		store->retired_count -= at - kept;
	}
	snap_rule_ids_reclaim(store->rule_ids, number);
	snap_ids_reclaim(store->socket_ids, number);
	snap_ids_reclaim(store->backend_ids, number);
	snap_ids_reclaim(store->credential_ids, number);
}

bool
snap_store_has_garbage(const struct snap_store *store)
{
	return snap_limbo_has_garbage(&store->limbo) ||
	    (store->retired_count > 0 &&
	        store->retired[0].last < store->limbo.current);
}

const struct unit *
snap_store_unit(const struct snap_store *store, struct slice name)
{
	return map_get(&store->units, name);
}

bool
snap_store_next(
    const struct snap_store *store, size_t *at, const struct unit **unit)
{
	struct slice name;
	void *value;

	if (!map_next(&store->units, at, &name, &value))
		return false;
	*unit = value;
	return true;
}

const struct snap_rule_ids *
snap_store_rule_ids(const struct snap_store *store)
{
	return store->rule_ids;
}
