/* How a backend is spoken to in TLS: what a set keeps of it, the keys by which
 * two of them are told apart, and which backends a credential concerns. */
#include "core/memory.h"
#include "core/must.h"
#include "crypt/digest.h"
#include "snap/store_priv.h"

/* Lengths before texts, so that no two say the same. */
static void
push(struct text *text, struct slice value)
{
	uint64_t length = value.length;

	text_push(text, slice_make((const char *)&length, sizeof(length)));
	text_push(text, value);
}

static void
digest(const struct text *text, uint8_t key[SNAP_TLS_KEY_BYTES])
{
	struct slice whole = text_slice(text);

	crypt_sha256(&whole, 1, key);
}

/* Of what the authorities are now. */
static void
digest_trust(const struct snap_store *store, struct snap_tls_source *source)
{
	static const struct unit_digest nothing;
	struct text text;

	text_init(&text);
	text_push_byte(&text, source->record->system ? 's' : ' ');
	for (uint32_t i = 0; i < source->record->authorities_count; i++) {
		const struct unit *unit = snap_array_get(
		    &store->credentials, source->authority_ids[i]);
		const struct unit_digest *is = unit ? &unit->digest : &nothing;

		text_push(&text,
		    slice_make((const char *)is->bytes, sizeof(is->bytes)));
	}
	digest(&text, source->trust_key);
	text_fini(&text);
}

void
snap_tls_source_init(struct snap_tls_source *source,
    const struct snap_store *store, const struct unit_backend_tls *record,
    const uint32_t *authority_ids)
{
	struct text text;

	*source = (struct snap_tls_source){.record = record,
	    .authority_ids = authority_ids,
	    .certificate_id = SNAP_ID_NONE};
	if (slice_is_set(record->certificate))
		source->certificate_id =
		    authority_ids[record->authorities_count];
	digest_trust(store, source);
	text_init(&text);
	push(&text, record->refused);
	push(&text, record->hostname);
	push(&text, record->certificate);
	push(&text,
	    slice_make(
	        (const char *)source->trust_key, sizeof(source->trust_key)));
	for (uint32_t i = 0; i < record->names_count; i++) {
		text_push_byte(&text, (char)record->names[i].type);
		push(&text, record->names[i].value);
	}
	digest(&text, source->key);
	text_fini(&text);
}

bool
snap_tls_is_same(
    const struct snap_backend_tls *tls, const struct snap_tls_source *source)
{
	uint32_t count = tls->authority_count;

	return memcmp(tls->key, source->key, sizeof(tls->key)) == 0 &&
	    count == source->record->authorities_count &&
	    tls->certificate_id == source->certificate_id &&
	    (count == 0 ||
	        memcmp(tls->authority_ids, source->authority_ids,
	            count * sizeof(*tls->authority_ids)) == 0);
}

size_t
snap_tls_copy_bytes(const struct snap_tls_source *source)
{
	const struct unit_backend_tls *record = source->record;
	size_t bytes = sizeof(struct snap_backend_tls) +
	    record->names_count * sizeof(*record->names) +
	    record->authorities_count * sizeof(*source->authority_ids) +
	    record->hostname.length + record->refused.length;

	for (uint32_t i = 0; i < record->names_count; i++)
		bytes += record->names[i].value.length;
	return bytes;
}

static struct slice
copy(char **text, struct slice value)
{
	struct slice made = slice_make(*text, value.length);

	if (value.length > 0)
		memcpy(*text, value.data, value.length);
	*text += value.length;
	return made;
}

const struct snap_backend_tls *
snap_tls_copy(const struct snap_tls_source *source, void *memory)
{
	const struct unit_backend_tls *record = source->record;
	struct snap_backend_tls *made = memory;
	struct unit_tls_name *names = (void *)(made + 1);
	uint32_t *ids = (void *)(names + record->names_count);
	char *text = (char *)(ids + record->authorities_count);

	*made = (struct snap_backend_tls){
	    .hostname = copy(&text, record->hostname),
	    .refused = copy(&text, record->refused),
	    .system = record->system,
	    .names = names,
	    .name_count = record->names_count,
	    .authority_ids = ids,
	    .authority_count = record->authorities_count,
	    .certificate_id = source->certificate_id,
	};
	for (uint32_t i = 0; i < record->names_count; i++)
		names[i] = (struct unit_tls_name){.type = record->names[i].type,
		    .value = copy(&text, record->names[i].value)};
	if (record->authorities_count > 0)
		memcpy(ids, source->authority_ids,
		    record->authorities_count * sizeof(*ids));
	memcpy(made->key, source->key, sizeof(made->key));
	memcpy(made->trust_key, source->trust_key, sizeof(made->trust_key));
	return made;
}

/* ---- whom a credential concerns ---- */

static struct list *
users_get(struct snap_store *store, uint32_t id)
{
	uint32_t old = store->users_capacity, capacity = old ? old : 16;

	while (capacity <= id)
		capacity *= 2;
	if (capacity > old) {
		store->users = memory_resize(
		    store->users, capacity, sizeof(*store->users));
		memset(&store->users[old], 0,
		    (capacity - old) * sizeof(*store->users));
		store->users_capacity = capacity;
	}
	if (!store->users[id]) {
		store->users[id] = memory_alloc(sizeof(*store->users[id]));
		list_init(store->users[id]);
	}
	return store->users[id];
}

void
snap_target_use(struct snap_store *store, struct snap_target *target)
{
	const struct unit *unit = target->unit;
	uint32_t count = unit ? snap_credentials_count(unit) : 0;

	for (uint32_t i = 0; i < target->use_count; i++)
		list_remove(&target->uses[i].link);
	memory_free(target->uses);
	target->uses = count ? memory_zero(count, sizeof(*target->uses)) : NULL;
	target->use_count = count;
	for (uint32_t i = 0; i < count; i++) {
		target->uses[i].target = target;
		list_init(&target->uses[i].link);
		list_insert(users_get(store, unit->credential_ids[i]),
		    &target->uses[i].link);
	}
}

void
snap_credential_users(struct snap_store *store, uint32_t id,
    void (*fn)(struct snap_store *store, const struct snap_target *target))
{
	if (id >= store->users_capacity || !store->users[id])
		return;
	LIST_FOR_EACH(at, store->users[id])
	{
		fn(store, container_of(at, struct snap_use, link)->target);
	}
}

void
snap_credential_users_fini(struct snap_store *store)
{
	for (uint32_t id = 0; id < store->users_capacity; id++)
		memory_free(store->users[id]);
	memory_free(store->users);
}
