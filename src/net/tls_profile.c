/* What handshakes are made from: profiles (an SSL_CTX each), identities, sets
 * of authorities, the keys of tickets. It never touches a connection but from
 * the callbacks of its own. */
#include "net/tls_openssl_priv.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "core/reader.h"
#include "crypt/staple.h"

enum {
	CERTIFICATES_BYTES_MAX = 65536,
	/* Of authorities that clients are told of, about 200: the protocol has
	 * room for 64 KiB, clients for less, and each handshake sends them. */
	NAMES_BYTES_MAX = 16384,
};

/* Forward secrecy and authenticated encryption alone; the cheap one first. */
static const struct net_tls_settings ours = {
    .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
               "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
               "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
    .ciphersuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                    "TLS_CHACHA20_POLY1305_SHA256",
    .groups = "X25519:P-256:P-384",
};

static int on_server_name(SSL *, int *, void *);
static int on_protocols(SSL *, const unsigned char **, unsigned char *,
    const unsigned char *, unsigned int, void *);
static int on_ticket(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *,
    EVP_MAC_CTX *, int);
static int on_session(SSL *, SSL_SESSION *);

struct net_tls_shared *
net_tls_profile_shared(struct net_tls_profile *profile)
{
	return &profile->shared;
}

static int
version_number(enum net_tls_version version)
{
	switch (version) {
	case NET_TLS_1_2:
		return TLS1_2_VERSION;
	case NET_TLS_1_3:
		return TLS1_3_VERSION;
	default:
		return 0;
	}
}

static char *
copy_string(const char *string)
{
	struct text text;

	text_init(&text);
	text_push_string(&text, string);
	text_push_byte(&text, 0);
	return text_take(&text);
}

/* OpenSSL passes over names that it does not know as long as it knows one. */
static bool
are_ciphers(SSL_CTX *context, const char *ciphers)
{
	struct slice rest = slice_from_string(ciphers), name;
	bool good = true;

	while (good && slice_cut(&rest, ':', &name)) {
		struct text text;

		text_init(&text);
		text_push(&text, name);
		good = name.length > 0 &&
		    slice_find(name, '!') == name.length &&
		    SSL_CTX_set_cipher_list(context, text.data);
		text_fini(&text);
	}
	return good && SSL_CTX_set_cipher_list(context, ciphers);
}

static const char *
apply_settings(
    struct net_tls_profile *profile, const struct net_tls_settings *settings)
{
	SSL_CTX *context = profile->context;

	profile->version_min = settings->version_min
	    ? version_number(settings->version_min)
	    : TLS1_2_VERSION;
	profile->version_max = version_number(settings->version_max);
	profile->ciphers =
	    copy_string(settings->ciphers ? settings->ciphers : ours.ciphers);
	profile->ciphersuites =
	    copy_string(settings->ciphersuites ? settings->ciphersuites
	                                       : ours.ciphersuites);
	profile->groups =
	    copy_string(settings->groups ? settings->groups : ours.groups);
	text_push(&profile->protocols, settings->protocols);
	if (settings->wipes)
		SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
	if (!SSL_CTX_set_min_proto_version(context, profile->version_min) ||
	    !SSL_CTX_set_max_proto_version(context, profile->version_max) ||
	    (profile->version_max &&
	        profile->version_min > profile->version_max))
		return "versions";
	if (!are_ciphers(context, profile->ciphers))
		return "ciphers";
	if (!SSL_CTX_set_ciphersuites(context, profile->ciphersuites))
		return "ciphersuites";
	if (!SSL_CTX_set1_groups_list(context, profile->groups))
		return "groups";
	/* Zero is success here. */
	if (settings->protocols.length > 0 &&
	    SSL_CTX_set_alpn_protos(context,
	        (const unsigned char *)settings->protocols.data,
	        (unsigned)settings->protocols.length) != 0)
		return "protocols";
	return NULL;
}

static void
set_up(struct net_tls_profile *profile)
{
	SSL_CTX *context = profile->context;

	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_options(context,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	        SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	        SSL_OP_NO_TICKET);
	/* An idle connection has no buffers: 33 KiB of 47. */
	SSL_CTX_set_mode(context,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One call of the kernel for a record, not one for its header too. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_max_cert_list(context, CERTIFICATES_BYTES_MAX);
	SSL_CTX_set_cert_verify_callback(context, net_tls_on_chain, NULL);
	/* Between a certificate and who is believed. */
	SSL_CTX_set_verify_depth(context, LIMIT_VALUE_CHAIN_CERTIFICATES - 1);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(
	    context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_session);
	SSL_CTX_set_client_hello_cb(context, net_tls_on_client_hello, NULL);
	SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
	SSL_CTX_set_alpn_select_cb(context, on_protocols, profile);
	SSL_CTX_set_tlsext_status_cb(context, net_tls_on_status);
	must(SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket));
}

enum error
net_tls_profile_new(const struct net_tls_settings *settings,
    struct metrics *metrics, struct net_tls_profile **profile,
    const char **wrong)
{
	struct net_tls_profile *made = memory_zero(1, sizeof(*made));

	must(metrics);
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	made->references = 1;
	made->shared.metrics = metrics;
	list_init(&made->shared.closing);
	text_init(&made->protocols);
	made->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "net_stream");
	must(made->method);
	net_tls_bio_init(made->method);
	made->context = SSL_CTX_new(TLS_method());
	must(made->context);
	set_up(made);
	*wrong = apply_settings(made, settings);
	*profile = made;
	if (!*wrong)
		return ERROR_OK;
	ERR_clear_error();
	net_tls_profile_unref(made);
	*profile = NULL;
	return ERROR_INVALID;
}

struct net_tls_profile *
net_tls_profile_ref(struct net_tls_profile *profile)
{
	profile->references++;
	return profile;
}

void
net_tls_profile_unref(struct net_tls_profile *profile)
{
	must(profile->references > 0);
	if (--profile->references > 0)
		return;
	SSL_CTX_free(profile->context);
	BIO_meth_free(profile->method);
	memory_wipe(profile->keys, sizeof(profile->keys));
	memory_free(profile->ciphers);
	memory_free(profile->ciphersuites);
	memory_free(profile->groups);
	text_fini(&profile->protocols);
	memory_free(profile);
}

void
net_tls_profile_set_ticket_keys(struct net_tls_profile *profile,
    const struct net_tls_ticket_key *keys, unsigned count)
{
	must(count <= NET_TLS_TICKET_KEYS_MAX);
	memory_wipe(profile->keys, sizeof(profile->keys));
	if (count > 0)
		memcpy(profile->keys, keys, count * sizeof(*keys));
	profile->key_count = count;
	/* Two, as is usual, cost a seventh of a handshake. */
	SSL_CTX_set_num_tickets(profile->context, count > 0);
	if (count > 0)
		SSL_CTX_clear_options(profile->context, SSL_OP_NO_TICKET);
	else
		SSL_CTX_set_options(profile->context, SSL_OP_NO_TICKET);
}

struct net_tls_identity *
net_tls_identity_new(
    const struct crypt_certificates *chain, const struct crypt_key *key)
{
	struct net_tls_identity *identity = memory_zero(1, sizeof(*identity));

	must(chain->count > 0);
	identity->x509 = chain->items[0]->x509;
	identity->pkey = key->pkey;
	must(X509_up_ref(identity->x509) && EVP_PKEY_up_ref(identity->pkey));
	if (chain->count > 1)
		identity->chain = sk_X509_new_null();
	for (unsigned i = 1; i < chain->count; i++)
		must(X509_add_cert(identity->chain, chain->items[i]->x509,
		    X509_ADD_FLAG_UP_REF));
	/* Ask once what each handshake would be told. */
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	must(context);
	SSL_CTX_set_security_level(context, 2);
	int good = SSL_CTX_use_cert_and_key(
	    context, identity->x509, identity->pkey, identity->chain, 1);
	SSL_CTX_free(context);
	if (good)
		return identity;
	ERR_clear_error();
	net_tls_identity_free(identity);
	return NULL;
}

static void
staple_free(void *parent, void *staple, CRYPTO_EX_DATA *data, int index,
    long number, void *pointer)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)number;
	(void)pointer;
	memory_free(staple);
}

/* Where an X509 keeps its staple. */
static int
staple_index(void)
{
	static _Atomic int index = -1;
	int known = atomic_load(&index), other = -1;

	if (known >= 0)
		return known;
	known = X509_get_ex_new_index(0, NULL, NULL, NULL, staple_free);
	must(known >= 0);
	/* Another thread may have been first: one index then stays unused. */
	return atomic_compare_exchange_strong(&index, &other, known) ? known
	                                                             : other;
}

const struct net_tls_staple *
net_tls_staple_of(X509 *x509, int64_t now)
{
	const struct net_tls_staple *staple =
	    x509 ? X509_get_ex_data(x509, staple_index()) : NULL;

	return staple && now < staple->until ? staple : NULL;
}

bool
net_tls_identity_staple(struct net_tls_identity *identity,
    const struct crypt_certificates *chain, struct slice ocsp)
{
	struct crypt_staple parsed;
	struct crypt_fault fault;

	must(chain->count > 0 && chain->items[0]->x509 == identity->x509);
	if (!crypt_staple_parse(ocsp, chain, &parsed, &fault))
		return false;

	struct net_tls_staple *staple =
	    memory_alloc(sizeof(*staple) + ocsp.length);

	staple->until = parsed.until;
	staple->length = ocsp.length;
	memcpy(staple->bytes, ocsp.data, ocsp.length);
	memory_free(X509_get_ex_data(identity->x509, staple_index()));
	must(X509_set_ex_data(identity->x509, staple_index(), staple));
	return true;
}

void
net_tls_identity_free(struct net_tls_identity *identity)
{
	if (!identity)
		return;
	X509_free(identity->x509);
	EVP_PKEY_free(identity->pkey);
	sk_X509_pop_free(identity->chain, X509_free);
	memory_free(identity);
}

struct net_tls_trust *
net_tls_trust_new(const struct crypt_certificates *authorities)
{
	struct net_tls_trust *trust = memory_zero(1, sizeof(*trust));
	size_t bytes = 0;

	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	trust->store = X509_STORE_new();
	trust->names = sk_X509_NAME_new_null();
	must(trust->store && trust->names);
	for (unsigned i = 0; i < authorities->count; i++) {
		X509 *x509 = authorities->items[i]->x509;
		X509_NAME *name = X509_NAME_dup(X509_get_subject_name(x509));

		must(X509_STORE_add_cert(trust->store, x509) && name &&
		    sk_X509_NAME_push(trust->names, name));
		bytes += (size_t)i2d_X509_NAME(name, NULL);
	}
	/* Clients then choose without. */
	if (bytes > NAMES_BYTES_MAX) {
		sk_X509_NAME_pop_free(trust->names, X509_NAME_free);
		trust->names = NULL;
	}
	X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
	return trust;
}

void
net_tls_trust_free(struct net_tls_trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	sk_X509_NAME_pop_free(trust->names, X509_NAME_free);
	memory_free(trust);
}

void
net_tls_session_fini(struct net_tls_session *session)
{
	SSL_SESSION_free(session->newest);
	session->newest = NULL;
}

/* Most are: they differ by the keys of tickets alone, and setting the others
 * anew costs a fifteenth of a handshake. */
bool
net_tls_profile_is_like(
    const struct net_tls_profile *a, const struct net_tls_profile *b)
{
	return a == b ||
	    (a->version_min == b->version_min &&
	        a->version_max == b->version_max &&
	        strcmp(a->ciphers, b->ciphers) == 0 &&
	        strcmp(a->ciphersuites, b->ciphersuites) == 0 &&
	        strcmp(a->groups, b->groups) == 0 &&
	        slice_equal(
	            text_slice(&a->protocols), text_slice(&b->protocols)));
}

void
net_tls_profile_apply_tickets(SSL *ssl, const struct net_tls_profile *profile)
{
	SSL_set_num_tickets(ssl, profile->key_count > 0);
	if (profile->key_count > 0)
		SSL_clear_options(ssl, SSL_OP_NO_TICKET);
	else
		SSL_set_options(ssl, SSL_OP_NO_TICKET);
}

bool
net_tls_profile_switch(SSL *ssl, const struct net_tls_profile *profile)
{
	return SSL_set_SSL_CTX(ssl, profile->context) &&
	    SSL_set_min_proto_version(ssl, profile->version_min) &&
	    SSL_set_max_proto_version(ssl, profile->version_max) &&
	    SSL_set_cipher_list(ssl, profile->ciphers) &&
	    SSL_set_ciphersuites(ssl, profile->ciphersuites) &&
	    SSL_set1_groups_list(ssl, profile->groups);
}

/* The session is the callback's to keep when it returns 1. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct net_tls *tls = tls_of(ssl);

	if (!tls->session)
		return 0;
	SSL_SESSION_free(tls->session->newest);
	tls->session->newest = session;
	return 1;
}

/* It was looked at already; this is to say that it was of use. */
static int
on_server_name(SSL *ssl, int *alert, void *context)
{
	(void)ssl;
	(void)alert;
	(void)context;
	return SSL_TLSEXT_ERR_OK;
}

static int
on_protocols(SSL *ssl, const unsigned char **out, unsigned char *out_length,
    const unsigned char *offered, unsigned int offered_length, void *context)
{
	const struct net_tls_profile *profile = context;
	struct reader mine, theirs;

	(void)ssl;
	if (profile->protocols.length == 0)
		return SSL_TLSEXT_ERR_NOACK;
	reader_init(&mine, text_slice(&profile->protocols));
	while (reader_left(&mine) > 0) {
		struct slice wanted = reader_bytes(&mine, reader_u8(&mine));

		reader_init(
		    &theirs, slice_make((const char *)offered, offered_length));
		while (reader_left(&theirs) > 0) {
			struct slice name =
			    reader_bytes(&theirs, reader_u8(&theirs));

			if (!slice_equal(name, wanted))
				continue;
			*out = (const unsigned char *)name.data;
			*out_length = (unsigned char)name.length;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 3.2 */
}

static bool
set_mac(EVP_MAC_CTX *mac, const struct net_tls_ticket_key *key)
{
	static char sha256[] = "SHA256";
	OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
	        (void *)(uintptr_t)key->mac, sizeof(key->mac)),
	    OSSL_PARAM_construct_utf8_string(
	        OSSL_MAC_PARAM_DIGEST, sha256, sizeof(sha256) - 1),
	    OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, parameters);
}

/* What a new ticket is sealed with. */
static int
seal(const struct net_tls_ticket_key *key, unsigned char *name,
    unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const EVP_CIPHER *aes = EVP_aes_256_cbc();

	memcpy(name, key->name, sizeof(key->name));
	return RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) > 0 &&
	        EVP_EncryptInit_ex(cipher, aes, NULL, key->cipher, iv) &&
	        set_mac(mac, key)
	    ? 1
	    : -1;
}

/* A ticket was promised, but the keys have gone meanwhile: one that nobody can
 * open. */
static int
seal_for_nobody(unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac)
{
	struct net_tls_ticket_key key;
	int result = -1;

	if (RAND_bytes((unsigned char *)&key, sizeof(key)) > 0)
		result = seal(&key, name, iv, cipher, mac);
	memory_wipe(&key, sizeof(key));
	return result;
}

/* Returns as OpenSSL wants it: -1 an error, 0 no such key, 1 good, 2 good but
 * make a new one. */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int is_new)
{
	/* OpenSSL asks the first context, but who was chosen has the keys. */
	const struct net_tls_wait *wait = tls_of(ssl)->wait;
	const struct net_tls_profile *profile =
	    wait && wait->chosen ? wait->chosen : tls_of(ssl)->profile;

	if (is_new)
		return profile->key_count > 0
		    ? seal(&profile->keys[0], name, iv, cipher, mac)
		    : seal_for_nobody(name, iv, cipher, mac);
	for (unsigned i = 0; i < profile->key_count; i++) {
		const struct net_tls_ticket_key *key = &profile->keys[i];

		if (memcmp(name, key->name, sizeof(key->name)) != 0)
			continue;
		if (!EVP_DecryptInit_ex(
		        cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) ||
		    !set_mac(mac, key))
			return -1;
		/* RFC 8446 C.4: clients use a ticket once. */
		return i > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
	}
	return 0;
}
