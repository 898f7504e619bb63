/* Reads certificates and authorities for a worker. It never judges who may use
 * them: that is the listener's, whose unit names them. */
#include "proxy/credential.h"

#include "core/memory.h"
#include "core/must.h"

static void
certificate_free(struct proxy_certificate *certificate)
{
	if (!certificate)
		return;
	net_tls_identity_free(certificate->identity);
	crypt_certificates_free(certificate->chain);
	memory_free(certificate);
}

void
proxy_credentials_fini(struct proxy_credentials *credentials)
{
	for (uint32_t id = 0; id < credentials->capacity; id++)
		certificate_free(credentials->by_id[id]);
	memory_free(credentials->by_id);
	*credentials = (struct proxy_credentials){0};
}

static void
make_room(struct proxy_credentials *credentials, uint32_t id)
{
	uint32_t old = credentials->capacity, capacity = old ? old : 16;

	if (id < old)
		return;
	while (capacity <= id)
		capacity *= 2;
	credentials->by_id = memory_resize(
	    credentials->by_id, capacity, sizeof(*credentials->by_id));
	memset(&credentials->by_id[old], 0,
	    (capacity - old) * sizeof(*credentials->by_id));
	credentials->capacity = capacity;
}

struct net_tls_identity *
proxy_credential_identity(
    const struct unit_certificate *record, struct crypt_certificates **chain)
{
	struct net_tls_identity *identity = NULL;
	struct crypt_fault fault;
	struct crypt_key *key = crypt_key_parse(record->key, &fault);

	*chain = crypt_chain_parse(record->chain, &fault);
	if (key && *chain)
		identity = net_tls_identity_new(*chain, key);
	if (identity && record->ocsp.length > 0)
		(void)net_tls_identity_staple(identity, *chain, record->ocsp);
	crypt_key_free(key);
	return identity;
}

/* Also one that is of no use is remembered. */
static struct proxy_certificate *
certificate_new(const struct unit *unit)
{
	struct proxy_certificate *made = memory_zero(1, sizeof(*made));

	made->digest = unit->digest;
	made->identity =
	    proxy_credential_identity(unit->certificate, &made->chain);
	return made;
}

static bool
is_of(const struct proxy_certificate *certificate, const struct unit *unit)
{
	return memcmp(&certificate->digest, &unit->digest,
	           sizeof(unit->digest)) == 0;
}

const struct proxy_certificate *
proxy_credentials_certificate(struct proxy_credentials *credentials,
    const struct snap_set *set, uint32_t id)
{
	const struct unit *unit = snap_set_credential(set, id);
	struct proxy_certificate **place;

	if (!unit)
		return NULL;
	must(unit->kind == UNIT_CERTIFICATE);
	make_room(credentials, id);
	place = &credentials->by_id[id];
	if (!*place || !is_of(*place, unit)) {
		certificate_free(*place);
		*place = certificate_new(unit);
	}
	return (*place)->identity ? *place : NULL;
}

enum fitness { FITS_ANY, FITS_NAME, FITS_TIME_TOO };

static enum fitness
fitness_of(const struct proxy_certificate *certificate, struct slice name,
    int64_t now_seconds)
{
	const struct crypt_certificate *own = certificate->chain->items[0];
	struct crypt_name wanted = {CRYPT_NAME_DNS, name};

	if (slice_is_set(name) && !crypt_certificate_has(own, wanted))
		return FITS_ANY;
	return own->not_before <= now_seconds && now_seconds <= own->not_after
	    ? FITS_TIME_TOO
	    : FITS_NAME;
}

unsigned
proxy_credentials_choose(struct proxy_credentials *credentials,
    const struct snap_set *set, const uint32_t *ids, uint32_t count,
    struct slice name, int64_t now_seconds,
    struct net_tls_identity *chosen[PROXY_IDENTITIES_MAX])
{
	enum crypt_key_kind kinds[PROXY_IDENTITIES_MAX];
	enum fitness best = FITS_ANY;
	unsigned found = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct proxy_certificate *one =
		    proxy_credentials_certificate(credentials, set, ids[i]);
		unsigned at = 0;

		if (!one)
			continue;

		enum fitness fitness = fitness_of(one, name, now_seconds);

		if (fitness < best)
			continue;
		if (fitness > best) {
			best = fitness;
			found = 0;
		}
		while (
		    at < found && kinds[at] != one->chain->items[0]->key_kind)
			at++;
		if (at < found || found == PROXY_IDENTITIES_MAX)
			continue;
		kinds[found] = one->chain->items[0]->key_kind;
		chosen[found++] = one->identity;
	}
	return found;
}

bool
proxy_credentials_sweep(struct proxy_credentials *credentials,
    const struct snap_set *set, uint32_t count)
{
	for (; count > 0 && credentials->sweep_next < credentials->capacity;
	     count--) {
		uint32_t id = credentials->sweep_next++;
		struct proxy_certificate **place = &credentials->by_id[id];
		const struct unit *unit = snap_set_credential(set, id);

		if (!*place || (unit && is_of(*place, unit)))
			continue;
		certificate_free(*place);
		*place = NULL;
	}
	if (credentials->sweep_next < credentials->capacity)
		return true;
	credentials->sweep_next = 0;
	return false;
}

struct net_tls_trust *
proxy_credentials_trust(
    const struct snap_set *set, const uint32_t *ids, uint32_t count)
{
	struct crypt_certificates **bundles =
	    memory_zero((size_t)count + 1, sizeof(*bundles));
	struct crypt_certificates all = {0};
	struct net_tls_trust *trust = NULL;

	for (uint32_t i = 0; i < count; i++) {
		const struct unit *unit = snap_set_credential(set, ids[i]);
		struct crypt_fault fault;

		if (unit)
			bundles[i] =
			    crypt_bundle_parse(unit->authority->bundle, &fault);
		if (!bundles[i])
			continue;
		all.items = memory_resize(all.items,
		    all.count + bundles[i]->count, sizeof(*all.items));
		memcpy(&all.items[all.count], bundles[i]->items,
		    bundles[i]->count * sizeof(*all.items));
		all.count += bundles[i]->count;
	}
	if (all.count > 0)
		trust = net_tls_trust_new(&all);
	memory_free(all.items);
	for (uint32_t i = 0; i < count; i++)
		crypt_certificates_free(bundles[i]);
	memory_free(bundles);
	return trust;
}
