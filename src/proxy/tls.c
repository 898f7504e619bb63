/* The worker's side of TLS listeners: their state by number, brought up to the
 * set's when a handshake or request looks at it. */
#include "proxy/tls.h"

#include <assert.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/must.h"
#include "proxy/reading.h"
#include "snap/decide.h"
#include "snap/secret.h"
#include "wire/base64.h"
#include "wire/field.h"

static_assert(sizeof(struct net_tls_ticket_key) == UNIT_TICKET_KEY_BYTES,
    "as units have it");
static_assert(UNIT_TICKET_KEYS_MAX <= NET_TLS_TICKET_KEYS_MAX, "all are taken");

#define KEY_BYTES CRYPT_SHA256_BYTES

/* What several listeners may have in common, by a digest of what it is made of;
 * libssl and libcrypto count what handshakes have of it. */
struct shared {
	struct list link;
	unsigned references;
	uint8_t key[KEY_BYTES];
	struct net_tls_profile *profile; /* NULL: it cannot be made */
	struct unit_digest tickets; /* of the unit that its keys are from */
	struct net_tls_trust *trust; /* NULL: none can be read */
};

struct listener {
	uint64_t set_number; /* of the set that it is up to; 0: never used */
	uint64_t serial; /* connections know it by; never given twice */
	struct unit_digest digest; /* of the unit */
	uint8_t context[KEY_BYTES]; /* what the serial stands for */
	struct shared *profile, *trust; /* NULL: not made yet */
};

struct proxy_tls {
	struct metrics *metrics;
	struct shared *base; /* what sockets accept with */
	struct list profiles, trusts;
	struct listener *listeners; /* by listener id */
	uint32_t capacity, sweep_next;
	uint64_t serial; /* the one given last */
	struct proxy_credentials credentials;
	struct net_tls_identity *chosen[PROXY_IDENTITIES_MAX];
};

static struct shared *
shared_get(struct list *list, const uint8_t *key)
{
	struct shared *made;

	LIST_FOR_EACH(at, list)
	{
		struct shared *shared = container_of(at, struct shared, link);

		if (memcmp(shared->key, key, KEY_BYTES) == 0) {
			shared->references++;
			return shared;
		}
	}
	made = memory_zero(1, sizeof(*made));
	memcpy(made->key, key, KEY_BYTES);
	list_insert(list, &made->link);
	return made;
}

static void
shared_unref(struct shared **place)
{
	struct shared *shared = *place;

	*place = NULL;
	if (!shared || --shared->references > 0)
		return;
	if (shared->profile)
		net_tls_profile_unref(shared->profile);
	net_tls_trust_free(shared->trust);
	list_remove(&shared->link);
	memory_free(shared);
}

/* ---- profiles ---- */

/* TLS 1.3 has cipher suites of its own, which OpenSSL wants apart. */
static void
join(struct text *out, const struct slice *names, uint32_t count, bool suites)
{
	for (uint32_t i = 0; i < count; i++) {
		if (slice_starts_with(names[i], SLICE("TLS_")) != suites)
			continue;
		if (out->length > 0)
			text_push_byte(out, ':');
		text_push(out, names[i]);
	}
}

static void
profile_make(struct proxy_tls *tls, struct shared *shared,
    const struct unit_listener *listener)
{
	struct text ciphers, suites, groups;
	const char *wrong;

	text_init(&ciphers);
	text_init(&suites);
	text_init(&groups);
	join(&ciphers, listener->ciphers, listener->ciphers_count, false);
	join(&suites, listener->ciphers, listener->ciphers_count, true);
	join(&groups, listener->curves, listener->curves_count, false);

	struct net_tls_settings settings = {
	    .version_min = listener->version_min == UNIT_TLS_VERSION_1_3
	        ? NET_TLS_1_3
	        : NET_TLS_ANY,
	    .ciphers = ciphers.data,
	    .ciphersuites = suites.data,
	    .groups = groups.data,
	    .protocols = SLICE("\10http/1.1"),
	};

	/* What OpenSSL does not know was told by who made the unit; here the
	 * listener has no way of speaking TLS. */
	(void)!net_tls_profile_new(
	    &settings, tls->metrics, &shared->profile, &wrong);
	text_fini(&ciphers);
	text_fini(&suites);
	text_fini(&groups);
}

static struct shared *
profile_get(struct proxy_tls *tls, const struct unit_listener *listener)
{
	uint8_t key[KEY_BYTES];
	struct shared *shared;
	struct text text;
	struct slice whole;

	text_init(&text);
	text_push_byte(
	    &text, listener->version_min == UNIT_TLS_VERSION_1_3 ? '3' : '2');
	for (unsigned suites = 0; suites < 2; suites++) {
		text_push_byte(&text, ' ');
		join(&text, listener->ciphers, listener->ciphers_count, suites);
	}
	text_push_byte(&text, ' ');
	join(&text, listener->curves, listener->curves_count, false);
	text_push_byte(&text, ' ');
	text_push(&text, listener->tickets);
	whole = text_slice(&text);
	crypt_sha256(&whole, 1, key);
	text_fini(&text);
	shared = shared_get(&tls->profiles, key);
	if (shared->references == 0) {
		shared->references = 1;
		profile_make(tls, shared, listener);
	}
	return shared;
}

struct proxy_tls *
proxy_tls_new(struct metrics *metrics)
{
	static const struct unit_listener defaults;
	struct proxy_tls *tls = memory_zero(1, sizeof(*tls));

	tls->metrics = metrics;
	list_init(&tls->profiles);
	list_init(&tls->trusts);
	tls->base = profile_get(tls, &defaults);
	must(tls->base->profile);
	return tls;
}

void
proxy_tls_free(struct proxy_tls **tls)
{
	struct proxy_tls *old = *tls;

	*tls = NULL;
	if (!old)
		return;
	for (uint32_t id = 0; id < old->capacity; id++) {
		shared_unref(&old->listeners[id].profile);
		shared_unref(&old->listeners[id].trust);
	}
	net_tls_profile_cut(old->base->profile);
	shared_unref(&old->base);
	must(list_is_empty(&old->profiles) && list_is_empty(&old->trusts));
	proxy_credentials_fini(&old->credentials);
	memory_free(old->listeners);
	memory_free(old);
}

struct net_tls_profile *
proxy_tls_profile(struct proxy_tls *tls)
{
	return tls->base->profile;
}

/* ---- listeners ---- */

static const uint32_t *
authority_ids(const struct unit *unit)
{
	return unit->credential_ids + unit->listener->certificates_count;
}

/* Of what the authorities are now. */
static void
digest_authorities(
    const struct snap_set *set, const struct unit *unit, uint8_t key[KEY_BYTES])
{
	static const struct unit_digest nothing;
	struct slice parts[LIMIT_VALUE_LISTENER_CERTIFICATES];
	uint32_t count = unit->listener->authorities_count;

	must(count <= LIMIT_VALUE_LISTENER_CERTIFICATES);
	for (uint32_t i = 0; i < count; i++) {
		const struct unit *one =
		    snap_set_credential(set, authority_ids(unit)[i]);
		const struct unit_digest *digest =
		    one ? &one->digest : &nothing;

		parts[i] = slice_make(
		    (const char *)digest->bytes, sizeof(digest->bytes));
	}
	crypt_sha256(parts, count, key);
}

/* What the listener asks of its clients: another serial when it changes, so
 * that what was let in under the old one is not served under the new. */
static void
bring_clients(struct proxy_tls *tls, const struct snap_set *set,
    struct listener *listener, const struct unit *unit)
{
	uint8_t key[KEY_BYTES], context[KEY_BYTES];
	char mode = (char)unit->listener->client_validation;
	struct slice parts[] = {unit->name, slice_make(&mode, 1),
	    slice_make((const char *)key, sizeof(key))};
	bool asks = mode != UNIT_CLIENTS_NONE;

	memset(key, 0, sizeof(key));
	if (asks)
		digest_authorities(set, unit, key);
	crypt_sha256(parts, 3, context);
	if (memcmp(context, listener->context, sizeof(context)) == 0)
		return;
	memcpy(listener->context, context, sizeof(context));
	listener->serial = ++tls->serial;
	shared_unref(&listener->trust);
	if (!asks)
		return;
	listener->trust = shared_get(&tls->trusts, key);
	if (listener->trust->references > 0)
		return;
	listener->trust->references = 1;
	listener->trust->trust = proxy_credentials_trust(
	    set, authority_ids(unit), unit->listener->authorities_count);
}

/* The keys of tickets are the profile's: those of the unit as it is now. */
static void
bring_tickets(
    const struct snap_set *set, struct shared *profile, const struct unit *unit)
{
	static const struct unit_digest nothing;
	struct net_tls_ticket_key keys[NET_TLS_TICKET_KEYS_MAX];
	const struct unit *tickets = NULL;
	uint32_t id, count = 0;

	if (snap_listener_tickets(unit, &id))
		tickets = snap_set_credential(set, id);

	const struct unit_digest *digest =
	    tickets ? &tickets->digest : &nothing;

	if (!profile->profile ||
	    memcmp(&profile->tickets, digest, sizeof(*digest)) == 0)
		return;
	profile->tickets = *digest;
	if (tickets)
		count = tickets->tickets->keys_count;
	must(count <= NET_TLS_TICKET_KEYS_MAX);
	for (uint32_t i = 0; i < count; i++)
		memcpy(
		    &keys[i], tickets->tickets->keys[i].data, sizeof(keys[i]));
	net_tls_profile_set_ticket_keys(profile->profile, keys, count);
	memory_wipe(keys, sizeof(keys));
}

static void
bring_up(struct proxy_tls *tls, const struct snap_set *set,
    struct listener *listener, const struct unit *unit)
{
	if (memcmp(&listener->digest, &unit->digest, sizeof(unit->digest)) !=
	        0 ||
	    !listener->profile) {
		struct shared *old = listener->profile;

		listener->profile = profile_get(tls, unit->listener);
		shared_unref(&old);
		listener->digest = unit->digest;
	}
	bring_tickets(set, listener->profile, unit);
	bring_clients(tls, set, listener, unit);
	listener->set_number = snap_set_number(set);
}

static void
make_room(struct proxy_tls *tls, uint32_t id)
{
	uint32_t old = tls->capacity, capacity = old ? old : 16;

	if (id < old)
		return;
	while (capacity <= id)
		capacity *= 2;
	tls->listeners =
	    memory_resize(tls->listeners, capacity, sizeof(*tls->listeners));
	memset(&tls->listeners[old], 0,
	    (capacity - old) * sizeof(*tls->listeners));
	tls->capacity = capacity;
}

static struct listener *
listener_get(struct proxy_tls *tls, const struct snap_set *set, uint32_t id,
    const struct unit *unit)
{
	struct listener *listener;

	make_room(tls, id);
	listener = &tls->listeners[id];
	if (listener->set_number != snap_set_number(set))
		bring_up(tls, set, listener, unit);
	return listener;
}

/* Whose certificate is asked for, and believed. OK, or NO_CERTIFICATE: a client
 * that must show one cannot when nobody is believed. */
static enum error
choose_clients(const struct listener *listener,
    const struct unit_listener *unit, struct net_tls_choice *choice)
{
	switch ((enum unit_client_validation)unit->client_validation) {
	case UNIT_CLIENTS_NONE:
		return ERROR_OK;
	case UNIT_CLIENTS_VALID:
		choice->clients = NET_TLS_CLIENTS_VALID;
		break;
	case UNIT_CLIENTS_INSECURE_FALLBACK:
		choice->clients = NET_TLS_CLIENTS_ASKED;
		break;
	}
	choice->trust = listener->trust->trust;
	if (choice->trust)
		return ERROR_OK;
	if (choice->clients == NET_TLS_CLIENTS_VALID)
		return ERROR_TLS_NO_CERTIFICATE;
	/* Without anybody to believe, asking would say nothing. */
	choice->clients = NET_TLS_CLIENTS_ANY;
	return ERROR_OK;
}

enum error
proxy_tls_choose(struct proxy_tls *tls, const struct snap_set *set,
    uint32_t socket, struct slice server_name, struct net_tls_choice *choice)
{
	char storage[PROXY_SERVER_NAME_BYTES];
	struct slice name = proxy_read_server_name(server_name, storage);
	struct snap_decision decision;
	struct listener *listener;

	if (!set)
		return ERROR_TLS_NAME_REFUSED;
	snap_decide_sni(set, socket, name, &decision);
	if (!decision.listener_unit ||
	    decision.listener_unit->listener->protocol != UNIT_PROTOCOL_HTTPS)
		return ERROR_TLS_NAME_REFUSED;

	const struct unit *unit = decision.listener_unit;

	listener = listener_get(tls, set, decision.listener_id, unit);
	choice->identities = tls->chosen;
	choice->identity_count = proxy_credentials_choose(&tls->credentials,
	    set, unit->credential_ids, unit->listener->certificates_count, name,
	    clock_wall_ms() / 1000, tls->chosen);
	choice->profile = listener->profile->profile;
	choice->session_context = slice_make(
	    (const char *)listener->context, sizeof(listener->context));
	choice->tag = listener->serial;
	if (choice->identity_count == 0 || !choice->profile)
		return ERROR_TLS_NO_CERTIFICATE;
	return choose_clients(listener, unit->listener, choice);
}

bool
proxy_tls_is_for(struct proxy_tls *tls, const struct snap_set *set, uint32_t id,
    const struct net_stream *stream)
{
	/* No handshake was done with it: no connection is for it. */
	if (id >= tls->capacity || tls->listeners[id].set_number == 0)
		return false;

	const struct listener *listener = &tls->listeners[id];

	if (unlikely(listener->set_number != snap_set_number(set)))
		listener =
		    listener_get(tls, set, id, snap_set_listener(set, id));
	return listener->serial == net_tls_tag(stream);
}

static bool
sweep_listeners(
    struct proxy_tls *tls, const struct snap_set *set, uint32_t count)
{
	for (; count > 0 && tls->sweep_next < tls->capacity; count--) {
		uint32_t id = tls->sweep_next++;
		struct listener *listener = &tls->listeners[id];
		const struct unit *unit = snap_set_listener(set, id);

		if (listener->set_number == 0)
			continue;
		if (unit && unit->listener->protocol == UNIT_PROTOCOL_HTTPS) {
			bring_up(tls, set, listener, unit);
			continue;
		}
		shared_unref(&listener->profile);
		shared_unref(&listener->trust);
		*listener = (struct listener){0};
	}
	if (tls->sweep_next < tls->capacity)
		return true;
	tls->sweep_next = 0;
	return false;
}

bool
proxy_tls_sweep(
    struct proxy_tls *tls, const struct snap_set *set, uint32_t count)
{
	bool more = sweep_listeners(tls, set, count);

	return proxy_credentials_sweep(&tls->credentials, set, count) || more;
}

/* ---- what is told of a connection ---- */

const struct proxy_tls_facts *
proxy_tls_facts(struct http_exchange *exchange, const struct net_stream *stream)
{
	struct proxy_tls_facts *told =
	    arena_alloc(&exchange->arena, sizeof(*told));
	struct net_tls_facts facts;

	net_tls_facts(stream, &facts);
	told->version =
	    facts.version == NET_TLS_1_3 ? SLICE("1.3") : SLICE("1.2");
	told->cipher = slice_from_string(facts.cipher);
	told->server_name = arena_copy(&exchange->arena, facts.server_name);
	return told;
}

bool
proxy_tls_tell_client(struct http_exchange *exchange,
    const struct net_stream *stream, struct metrics *metrics)
{
	struct text der, value;
	bool fits = true;

	text_init(&der);
	if (!net_tls_peer_der(stream, &der))
		return true;
	text_init(&value);
	if (der.length > LIMIT_VALUE_CLIENT_CERTIFICATE_BYTES) {
		limit_hit(metrics, LIMIT_CLIENT_CERTIFICATE_BYTES);
	} else {
		text_push_byte(&value, ':');
		wire_base64_push(&value, text_slice(&der));
		text_push_byte(&value, ':');
		fits = wire_head_add(exchange->request, FIELD_CLIENT_CERT,
		    SLICE("Client-Cert"),
		    arena_copy(&exchange->arena, text_slice(&value)));
	}
	text_fini(&value);
	text_fini(&der);
	return fits;
}
