/* Credentials: certificates and authorities, found by a number, so that a
 * worker finds its own state of one by an array index. A number belongs to the
 * name: to the listeners that name it and to the unit itself, in whatever order
 * they come and go. */
#include "core/must.h"
#include "snap/store_priv.h"

void
snap_credentials_init(struct snap_store *store)
{
	store->credential_ids = snap_ids_new();
}

void
snap_credentials_fini(struct snap_store *store)
{
	snap_array_free(&store->credentials, NULL);
	snap_ids_free(store->credential_ids);
}

void
snap_credentials_ref(struct snap_store *store, struct unit *unit)
{
	const struct unit_listener *listener = unit->listener;
	uint32_t count =
	    listener->certificates_count + listener->authorities_count;
	uint32_t *ids = arena_zero(&unit->arena, count, sizeof(*ids));

	must(unit->kind == UNIT_LISTENER);
	for (uint32_t i = 0; i < listener->certificates_count; i++)
		ids[i] = snap_ids_ref(
		    store->credential_ids, listener->certificates[i]);
	for (uint32_t i = 0; i < listener->authorities_count; i++)
		ids[listener->certificates_count + i] = snap_ids_ref(
		    store->credential_ids, listener->authorities[i]);
	unit->credential_ids = ids;
}

void
snap_credentials_unref(struct snap_store *store, const struct unit *unit)
{
	const struct unit_listener *listener = unit->listener;
	uint32_t count =
	    listener->certificates_count + listener->authorities_count;

	for (uint32_t i = 0; i < count; i++)
		snap_ids_unref(store->credential_ids, unit->credential_ids[i]);
}

/* The unit holds its number from when it comes until it goes. */
void
snap_credential_replace(
    struct snap_store *store, struct unit *old, struct unit *unit)
{
	uint32_t id =
	    snap_ids_ref(store->credential_ids, unit ? unit->name : old->name);

	snap_array_put(&store->limbo, &store->credentials, id, unit);
	if (old)
		snap_ids_unref(store->credential_ids, id);
	if (!unit)
		snap_ids_unref(store->credential_ids, id);
}

const struct unit *
snap_set_credential(const struct snap_set *set, uint32_t id)
{
	return snap_array_get(&set->credentials, id);
}
