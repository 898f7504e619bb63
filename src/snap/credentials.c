/* Credentials: certificates, authorities and keys of tickets, found by a
 * number, so that a worker finds its own state of one by an array index. A
 * number belongs to the name: to the units that name it and to the unit itself,
 * in whatever order they come and go. */
#include "core/memory.h"
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
	snap_credential_users_fini(store);
	snap_ids_free(store->credential_ids);
}

/* Behind the others at out, which may be NULL. */
static uint32_t
add(struct slice *out, uint32_t at, const struct slice *names, uint32_t count)
{
	if (out && count > 0)
		memcpy(&out[at], names, count * sizeof(*names));
	return at + count;
}

static uint32_t
add_backend(struct slice *out, uint32_t at, const struct unit_backend_tls *tls)
{
	if (!tls)
		return at;
	at = add(out, at, tls->authorities, tls->authorities_count);
	return add(out, at, &tls->certificate, slice_is_set(tls->certificate));
}

uint32_t
snap_credentials_of_backend(const struct unit_backend_tls *tls)
{
	return add_backend(NULL, 0, tls);
}

/* The names of a unit's credentials, in the order of its numbers. */
static uint32_t
collect(const struct unit *unit, struct slice *out)
{
	const struct unit_listener *listener = unit->listener;
	uint32_t count = 0;

	switch (unit->kind) {
	case UNIT_LISTENER:
		count = add(out, count, listener->certificates,
		    listener->certificates_count);
		count = add(out, count, listener->authorities,
		    listener->authorities_count);
		count = add(out, count, &listener->tickets,
		    slice_is_set(listener->tickets));
		return add(out, count, &listener->backend_certificate,
		    slice_is_set(listener->backend_certificate));
	case UNIT_SERVICE:
		for (uint32_t i = 0; i < unit->service->ports_count; i++)
			count = add_backend(
			    out, count, unit->service->ports[i].tls);
		return count;
	case UNIT_EXTERNAL:
		return add_backend(out, 0, unit->external->tls);
	default:
		return 0;
	}
}

uint32_t
snap_credentials_count(const struct unit *unit)
{
	return collect(unit, NULL);
}

void
snap_credentials_ref(struct snap_store *store, struct unit *unit)
{
	uint32_t count = collect(unit, NULL);

	if (count == 0)
		return;

	struct slice *names = memory_zero(count, sizeof(*names));
	uint32_t *ids = arena_zero(unit->arena, count, sizeof(*ids));

	(void)collect(unit, names);
	for (uint32_t i = 0; i < count; i++)
		ids[i] = snap_ids_ref(store->credential_ids, names[i]);
	unit->credential_ids = ids;
	memory_free(names);
}

void
snap_credentials_unref(struct snap_store *store, const struct unit *unit)
{
	uint32_t count = collect(unit, NULL);

	for (uint32_t i = 0; i < count; i++)
		snap_ids_unref(store->credential_ids, unit->credential_ids[i]);
}

bool
snap_listener_certificate(const struct unit *listener, uint32_t *id)
{
	if (!slice_is_set(listener->listener->backend_certificate))
		return false;
	*id = listener->credential_ids[collect(listener, NULL) - 1];
	return true;
}

bool
snap_listener_tickets(const struct unit *listener, uint32_t *id)
{
	const struct unit_listener *record = listener->listener;

	if (!slice_is_set(record->tickets))
		return false;
	*id = listener->credential_ids[record->certificates_count +
	    record->authorities_count];
	return true;
}

/* The unit holds its number from when it comes until it goes. */
void
snap_credential_replace(
    struct snap_store *store, struct unit *old, struct unit *unit)
{
	uint32_t id =
	    snap_ids_ref(store->credential_ids, unit ? unit->name : old->name);

	snap_array_put(&store->limbo, &store->credentials, id, unit);
	snap_backends_mark_users(store, id);
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
