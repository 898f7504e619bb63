/* Makes what connections to backends are opened with in TLS. It never decides
 * which backend that is, nor what is answered when it fails. */
#include "proxy/backend_tls.h"

#include "core/list.h"
#include "core/memory.h"
#include "core/must.h"
#include "proxy/credential.h"

/* By a digest of what it is made of. */
struct proxy_shared {
	struct list link;
	unsigned references;
	uint8_t key[SNAP_TLS_KEY_BYTES];
	struct net_tls_trust *trust;
	struct net_tls_identity *identity;
};

struct proxy_backends_tls {
	struct net_tls_profile *profile;
	const struct net_tls_system *system;
	struct list trusts, identities;
};

struct proxy_backends_tls *
proxy_backends_tls_new(
    struct metrics *metrics, const struct net_tls_system *system)
{
	struct net_tls_settings settings = {.protocols = SLICE("\10http/1.1")};
	struct proxy_backends_tls *shared = memory_zero(1, sizeof(*shared));
	const char *wrong;

	shared->system = system;
	list_init(&shared->trusts);
	list_init(&shared->identities);
	must(net_tls_profile_new(
	         &settings, metrics, &shared->profile, &wrong) == ERROR_OK);
	return shared;
}

void
proxy_backends_tls_free(struct proxy_backends_tls **place)
{
	struct proxy_backends_tls *shared = *place;

	*place = NULL;
	if (!shared)
		return;
	must(list_is_empty(&shared->trusts) &&
	    list_is_empty(&shared->identities));
	net_tls_profile_cut(shared->profile);
	net_tls_profile_unref(shared->profile);
	memory_free(shared);
}

/* One reference more; with none before it is yet to be made. */
static struct proxy_shared *
shared_get(struct list *list, const uint8_t key[SNAP_TLS_KEY_BYTES])
{
	struct proxy_shared *made;

	LIST_FOR_EACH(at, list)
	{
		made = container_of(at, struct proxy_shared, link);
		if (memcmp(made->key, key, sizeof(made->key)) == 0) {
			made->references++;
			return made;
		}
	}
	made = memory_zero(1, sizeof(*made));
	memcpy(made->key, key, sizeof(made->key));
	list_insert(list, &made->link);
	made->references = 1;
	return made;
}

static void
shared_unref(struct proxy_shared **place)
{
	struct proxy_shared *shared = *place;

	*place = NULL;
	if (!shared || --shared->references > 0)
		return;
	net_tls_trust_free(shared->trust);
	net_tls_identity_free(shared->identity);
	list_remove(&shared->link);
	memory_free(shared);
}

static void
take_trust(struct proxy_backend_tls *tls, const struct snap_set *set,
    const struct snap_backend_tls *settings)
{
	struct proxy_shared *trust =
	    shared_get(&tls->shared->trusts, settings->trust_key);

	if (trust->references == 1)
		trust->trust = settings->system
		    ? net_tls_system_trust(tls->shared->system)
		    : proxy_credentials_trust(set, settings->authority_ids,
		          settings->authority_count);
	tls->trust = trust;
	tls->client.trust = trust->trust;
}

static void
take_identity(struct proxy_backend_tls *tls, const struct snap_set *set)
{
	const struct unit *unit = snap_set_credential(set, tls->certificate_id);
	struct crypt_certificates *chain = NULL;
	uint8_t key[SNAP_TLS_KEY_BYTES] = {0};

	if (!unit)
		return;
	must(unit->kind == UNIT_CERTIFICATE);
	tls->certificate = unit->digest;
	memcpy(key, unit->digest.bytes, sizeof(unit->digest.bytes));
	tls->identity = shared_get(&tls->shared->identities, key);
	if (tls->identity->references == 1)
		tls->identity->identity =
		    proxy_credential_identity(unit->certificate, &chain);
	crypt_certificates_free(chain);
	tls->client.identity = tls->identity->identity;
}

/* What the peer's certificate must have: one of the names, where there are any,
 * else the host name. */
static void
take_names(
    struct proxy_backend_tls *tls, const struct snap_backend_tls *settings)
{
	struct arena *arena = &tls->arena;
	uint32_t count = settings->name_count ? settings->name_count : 1;
	struct crypt_name *names = arena_zero(arena, count, sizeof(*names));

	tls->client.server_name =
	    arena_format(arena, "%.*s", SLICE_ARGS(settings->hostname)).data;
	names[0] = (struct crypt_name){
	    CRYPT_NAME_DNS, slice_from_string(tls->client.server_name)};
	for (uint32_t i = 0; i < settings->name_count; i++)
		names[i] = (struct crypt_name){
		    .kind = settings->names[i].type == UNIT_TLS_NAME_URI
		        ? CRYPT_NAME_URI
		        : CRYPT_NAME_DNS,
		    .value = arena_copy(arena, settings->names[i].value)};
	tls->client.names = names;
	tls->client.name_count = count;
}

struct proxy_backend_tls *
proxy_backend_tls_new(struct proxy_backends_tls *shared,
    const struct snap_set *set, const struct snap_backend_tls *settings,
    uint32_t certificate_id)
{
	struct proxy_backend_tls *tls = memory_zero(1, sizeof(*tls));

	arena_init(&tls->arena, 256);
	tls->shared = shared;
	memcpy(tls->key, settings->key, sizeof(tls->key));
	tls->client.profile = shared->profile;
	tls->certificate_id = certificate_id;
	take_trust(tls, set, settings);
	take_names(tls, settings);
	if (certificate_id != SNAP_ID_NONE)
		take_identity(tls, set);
	tls->is_usable = tls->client.trust &&
	    (certificate_id == SNAP_ID_NONE || tls->client.identity);
	return tls;
}

void
proxy_backend_tls_free(struct proxy_backend_tls **place)
{
	struct proxy_backend_tls *tls = *place;

	*place = NULL;
	if (!tls)
		return;
	shared_unref(&tls->trust);
	shared_unref(&tls->identity);
	arena_fini(&tls->arena);
	memory_free(tls);
}

bool
proxy_backend_tls_is(const struct proxy_backend_tls *tls,
    const struct snap_backend_tls *settings)
{
	return memcmp(tls->key, settings->key, sizeof(tls->key)) == 0;
}

bool
proxy_backend_tls_shows(const struct proxy_backend_tls *tls,
    const struct snap_set *set, uint32_t certificate_id)
{
	static const struct unit_digest nothing;
	const struct unit *unit;

	if (tls->certificate_id != certificate_id)
		return false;
	if (certificate_id == SNAP_ID_NONE)
		return true;
	unit = snap_set_credential(set, certificate_id);
	return memcmp(unit ? &unit->digest : &nothing, &tls->certificate,
	           sizeof(nothing)) == 0;
}

struct proxy_endpoint_tls *
proxy_endpoint_tls_new(const struct proxy_backend_tls *tls)
{
	struct proxy_endpoint_tls *made = memory_zero(1, sizeof(*made));

	made->client = tls->client;
	made->client.session = &made->session;
	return made;
}

void
proxy_endpoint_tls_free(struct proxy_endpoint_tls **place)
{
	struct proxy_endpoint_tls *tls = *place;

	*place = NULL;
	if (!tls)
		return;
	net_tls_session_fini(&tls->session);
	memory_free(tls);
}
