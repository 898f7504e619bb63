/* TLS listeners of a worker: which certificate an SNI gets, whom a client must
 * be vouched for by, what changes with the units, what is resumed. Real
 * handshakes over loopback; the set is made by a real store. */
#include "proxy/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/memory.h"
#include "net/listener.h"
#include "snap/decide.h"
#include "tls/end.h"
#include "wire/record_binary.h"

static struct tls_keys keys; /* trust, and who clients are */

struct rig {
	struct snap_store *store;
	const struct snap_set *set;
	struct proxy_tls *tls;
	struct metrics metrics;
	struct net_loop *loop;
	struct net_address address;
	int fd;
	struct net_tls_profile *client_profile;
	struct net_tls_session session;
	struct net_tls_client client;
	struct crypt_name name;
	struct tls_end near, far; /* client, server */
	uint64_t tag; /* of the last handshake that was done */
	bool was_for[3]; /* is_for of the listeners a, b, c by then */
};

static void
put(struct rig *rig, const char *name, const void *record)
{
	struct slice text = slice_from_string(name);
	enum unit_kind kind;
	struct text bytes;

	assert_true(snap_unit_kind(text, &kind));
	text_init(&bytes);
	wire_record_encode(&bytes, snap_unit_type(kind), record);
	assert_int_equal(
	    snap_store_put(rig->store, text, text_slice(&bytes)), ERROR_OK);
	text_fini(&bytes);
}

static void
publish(struct rig *rig)
{
	rig->set = snap_store_commit(rig->store);
	while (proxy_tls_sweep(rig->tls, rig->set, 3))
		;
	snap_store_quiet(rig->store, snap_set_number(rig->set), NULL, 0);
}

/* A certificate that says by a URI which one it is. */
static void
put_certificate(struct rig *rig, const char *name, const char *key,
    const char *dns, const char *uri, int64_t not_after)
{
	const char *const names[] = {dns, NULL};
	struct authority_wish wish = {.key = key,
	    .subject = "server",
	    .dns = dns ? names : NULL,
	    .uri = uri,
	    .not_after = not_after,
	    .issuer = &keys.root};
	struct authority_pair pair = authority_make(&wish);
	struct text chain, pkey;

	text_init(&chain);
	text_init(&pkey);
	authority_push_certificate(&pair, &chain);
	authority_push_key(&pair, AUTHORITY_PKCS8, &pkey);
	put(rig, name,
	    &(struct unit_certificate){
	        .chain = text_slice(&chain), .key = text_slice(&pkey)});
	text_fini(&chain);
	text_fini(&pkey);
	authority_pair_free(&pair);
}

static struct unit_listener
listener_of(const char *hostname, struct slice *certificates, uint32_t count)
{
	return (struct unit_listener){.gateway_namespace = SLICE("ns"),
	    .gateway_name = SLICE("gw"),
	    .port = 443,
	    .protocol = UNIT_PROTOCOL_HTTPS,
	    .hostname = slice_from_string(hostname),
	    .certificates = certificates,
	    .certificates_count = count,
	    .tickets = SLICE("tickets/ns/gw")};
}

/* Keys of tickets, of which the newest is made of this word. */
static void
put_tickets(struct rig *rig, const char *word)
{
	struct net_tls_ticket_key key = {"name", "", "mac"};
	struct slice keys_of = slice_make((const char *)&key, sizeof(key));

	snprintf((char *)key.cipher, sizeof(key.cipher), "%s", word);
	snprintf((char *)key.name, sizeof(key.name), "%s", word);
	put(rig, "tickets/ns/gw",
	    &(struct unit_tickets){.keys = &keys_of, .keys_count = 1});
}

/* "listener/ns/gw/<name>", of one certificate "certificate/ns/<name>". */
static void
put_listener(struct rig *rig, const char *name, const char *hostname)
{
	char unit[64], certificate[64];
	struct slice certificates;
	struct unit_listener listener;

	snprintf(unit, sizeof(unit), "listener/ns/gw/%s", name);
	snprintf(certificate, sizeof(certificate), "certificate/ns/%s", name);
	certificates = slice_from_string(certificate);
	listener = listener_of(hostname, &certificates, 1);
	put(rig, unit, &listener);
}

static uint32_t
socket_of(const struct rig *rig)
{
	const struct snap_socket *sockets;

	assert_int_equal(snap_set_sockets(rig->set, &sockets), 1);
	assert_true(sockets[0].tls);
	return sockets[0].id;
}

static void
note(struct rig *rig)
{
	static const char *const names[] = {"a.example", "x.b.example", "none"};
	struct snap_decision decision;

	assert_true(slice_equal(rig->far.facts.protocol, SLICE("http/1.1")));
	rig->tag = net_tls_tag(&rig->far.stream);
	for (unsigned i = 0; i < 3; i++) {
		snap_decide_sni(rig->set, socket_of(rig),
		    slice_from_string(names[i]), &decision);
		rig->was_for[i] = decision.listener_unit &&
		    proxy_tls_is_for(rig->tls, rig->set, decision.listener_id,
		        &rig->far.stream);
	}
}

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	struct rig *rig = context;

	return proxy_tls_choose(
	    rig->tls, rig->set, socket_of(rig), server_name, choice);
}

static int
rig_set_up(void **state)
{
	static const struct net_tls_settings settings = {
	    .protocols = SLICE("\2h2\10http/1.1")};
	struct rig *rig = memory_zero(1, sizeof(*rig));
	const char *wrong;

	metrics_init(&rig->metrics);
	rig->store = snap_store_new();
	rig->tls = proxy_tls_new(&rig->metrics);
	put_tickets(rig, "secret");
	rig->loop = net_loop_new();
	assert_int_equal(
	    net_address_parse(SLICE("127.0.0.1"), 0, &rig->address), ERROR_OK);
	assert_int_equal(net_listen_tcp(&rig->address, 16, &rig->fd), ERROR_OK);
	assert_int_equal(net_address_local(rig->fd, &rig->address), ERROR_OK);
	assert_int_equal(net_tls_profile_new(&settings, &rig->metrics,
	                     &rig->client_profile, &wrong),
	    ERROR_OK);
	rig->client = (struct net_tls_client){.profile = rig->client_profile,
	    .names = &rig->name,
	    .name_count = 1,
	    .trust = keys.trust,
	    .session = &rig->session};
	*state = rig;
	return 0;
}

static int
rig_tear_down(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(net_loop_turn(rig->loop, 0), ERROR_OK);
	proxy_tls_free(&rig->tls);
	net_tls_session_fini(&rig->session);
	net_tls_profile_unref(rig->client_profile);
	net_loop_free(rig->loop);
	snap_store_free(&rig->store);
	metrics_fini(&rig->metrics);
	close(rig->fd);
	memory_free(rig);
	return 0;
}

/* A handshake for a name that wants a certificate with this URI. What the
 * server says of it; the client's is in near.error. */
static enum error
shake(struct rig *rig, const char *server_name, const char *uri)
{
	struct net_tls_server server = {.profile = proxy_tls_profile(rig->tls),
	    .choose = choose,
	    .context = rig};
	enum error error;
	bool noted = false;
	int fd;

	tls_end_init(&rig->near);
	tls_end_init(&rig->far);
	rig->name = (struct crypt_name){CRYPT_NAME_URI, slice_from_string(uri)};
	rig->client.server_name = server_name;
	rig->tag = 0;
	assert_int_equal(net_tls_connect(&rig->near.stream, rig->loop,
	                     &rig->address, tls_end_on_ready, &rig->client),
	    ERROR_OK);
	while ((fd = accept4(
	            rig->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
		usleep(1000);
	assert_int_equal(net_tls_accept(&rig->far.stream, rig->loop, fd,
	                     tls_end_on_ready, &server),
	    ERROR_OK);
	for (unsigned i = 0; i < 2000 &&
	     !(tls_end_is_over(&rig->near) && tls_end_is_over(&rig->far));
	     i++) {
		assert_int_equal(net_loop_turn(rig->loop, 10), ERROR_OK);
		if (!rig->far.is_up || noted)
			continue;
		noted = true;
		note(rig);
		rig->near.ends = rig->far.ends = true;
		tls_end_act(&rig->near);
		tls_end_act(&rig->far);
	}
	error = rig->far.error;
	tls_end_fini(&rig->near);
	tls_end_fini(&rig->far);
	return error;
}

/* It gets that one. */
static void
assert_gets(struct rig *rig, const char *server_name, const char *uri)
{
	enum error e_ = shake(rig, server_name, uri);
	if (e_ != ERROR_CLOSED)
		printf("wanted %s\n", uri);
	assert_int_equal(e_, ERROR_CLOSED);
	if (rig->near.error != ERROR_CLOSED)
		printf("wanted %s\n", uri);
	assert_int_equal(rig->near.error, ERROR_CLOSED);
}

static void
forget(struct rig *rig)
{
	net_tls_session_fini(&rig->session);
}

static void
test_names(void **state)
{
	static const struct {
		const char *server_name, *uri;
	} cases[] = {
	    {"a.example", "spiffe://a"},
	    {"A.Example", "spiffe://a"},
	    {"x.b.example", "spiffe://b"},
	    {"x.y.b.example", "spiffe://b"},
	    {"b.example", "spiffe://c"},
	    {"other", "spiffe://c"},
	    {NULL, "spiffe://c"},
	};
	struct rig *rig = *state;

	put_certificate(
	    rig, "certificate/ns/a", "P-256", "a.example", "spiffe://a", 0);
	put_certificate(
	    rig, "certificate/ns/b", "P-256", "*.b.example", "spiffe://b", 0);
	put_certificate(
	    rig, "certificate/ns/c", "ED25519", NULL, "spiffe://c", 0);
	put_listener(rig, "a", "a.example");
	put_listener(rig, "b", "*.b.example");
	put_listener(rig, "c", "");
	publish(rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_gets(rig, cases[i].server_name, cases[i].uri);
		/* Of its own listener, and of no other. */
		for (unsigned j = 0; j < 3; j++)
			assert_int_equal(
			    rig->was_for[j], cases[i].uri[9] == "abc"[j]);
		forget(rig);
	}
	snap_store_drop(rig->store, SLICE("listener/ns/gw/c"));
	publish(rig);
	assert_int_equal(
	    shake(rig, "other", "spiffe://c"), ERROR_TLS_NAME_REFUSED);
	assert_int_equal(rig->near.error, ERROR_TLS_ALERT);
	assert_int_equal(
	    shake(rig, NULL, "spiffe://c"), ERROR_TLS_NAME_REFUSED);
}

/* Another certificate, none, and one again: each from the next handshake on. */
static void
test_changes(void **state)
{
	struct rig *rig = *state;
	const struct unit_certificate broken = {
	    .chain = SLICE("-----BEGIN"), .key = SLICE("no key")};

	put_listener(rig, "a", "a.example");
	publish(rig);
	assert_int_equal(
	    shake(rig, "a.example", "spiffe://1"), ERROR_TLS_NO_CERTIFICATE);
	assert_int_equal(rig->near.error, ERROR_TLS_ALERT);
	put_certificate(
	    rig, "certificate/ns/a", "P-256", "a.example", "spiffe://1", 0);
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://1");
	forget(rig);
	put_certificate(
	    rig, "certificate/ns/a", "ED25519", "a.example", "spiffe://2", 0);
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://2");
	forget(rig);
	put(rig, "certificate/ns/a", &broken);
	publish(rig);
	assert_int_equal(
	    shake(rig, "a.example", "spiffe://2"), ERROR_TLS_NO_CERTIFICATE);
	snap_store_drop(rig->store, SLICE("certificate/ns/a"));
	publish(rig);
	assert_int_equal(
	    shake(rig, "a.example", "spiffe://2"), ERROR_TLS_NO_CERTIFICATE);
	put_certificate(
	    rig, "certificate/ns/a", "P-256", "a.example", "spiffe://3", 0);
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://3");
	/* The listener's name is another one's, with its number. */
	snap_store_drop(rig->store, SLICE("listener/ns/gw/a"));
	put_listener(rig, "b", "a.example");
	publish(rig);
	forget(rig);
	assert_int_equal(
	    shake(rig, "a.example", "spiffe://3"), ERROR_TLS_NO_CERTIFICATE);
}

static void
test_several(void **state)
{
	struct slice names[] = {SLICE("certificate/ns/expired"),
	    SLICE("certificate/ns/other"), SLICE("certificate/ns/rsa"),
	    SLICE("certificate/ns/ecdsa"), SLICE("certificate/ns/second")};
	struct unit_listener listener = listener_of("*.b.example", names, 5);
	struct net_tls_choice choice;
	struct rig *rig = *state;

	put_certificate(rig, "certificate/ns/expired", "P-256", "*.b.example",
	    "spiffe://expired", 1000);
	put_certificate(
	    rig, "certificate/ns/other", "P-256", "other", "spiffe://other", 0);
	put_certificate(
	    rig, "certificate/ns/rsa", "RSA", "*.b.example", "spiffe://rsa", 0);
	put_certificate(rig, "certificate/ns/ecdsa", "P-256", "*.b.example",
	    "spiffe://ecdsa", 0);
	put_certificate(rig, "certificate/ns/second", "P-256", "*.b.example",
	    "spiffe://second", 0);
	put(rig, "listener/ns/gw/a", &listener);
	publish(rig);
	/* The cheap one, though RSA comes first. */
	assert_gets(rig, "x.b.example", "spiffe://ecdsa");
	choice = (struct net_tls_choice){0};
	assert_int_equal(choose(rig, SLICE("x.b.example"), &choice), ERROR_OK);
	assert_int_equal(choice.identity_count, 2);
	forget(rig);
	/* What is left: none that is valid and has the name. */
	snap_store_drop(rig->store, names[2]);
	snap_store_drop(rig->store, names[3]);
	snap_store_drop(rig->store, names[4]);
	publish(rig);
	choice = (struct net_tls_choice){0};
	assert_int_equal(choose(rig, SLICE("x.b.example"), &choice), ERROR_OK);
	assert_int_equal(choice.identity_count, 1);
	assert_int_equal(shake(rig, "x.b.example", "spiffe://expired"),
	    ERROR_TLS_ALERT); /* the client minds */
	snap_store_drop(rig->store, names[0]);
	publish(rig);
	assert_gets(rig, "x.b.example", "spiffe://other");
}

static void
put_authority(
    struct rig *rig, const char *name, const struct authority_pair *pair)
{
	struct text pem;

	text_init(&pem);
	authority_push_certificate(pair, &pem);
	put(rig, name, &(struct unit_authority){.bundle = text_slice(&pem)});
	text_fini(&pem);
}

static void
put_asking(struct rig *rig, enum unit_client_validation validation)
{
	struct slice certificate = SLICE("certificate/ns/a");
	struct slice authorities[] = {SLICE("authority/configmap/ns/one"),
	    SLICE("authority/configmap/ns/two")};
	struct unit_listener listener =
	    listener_of("a.example", &certificate, 1);

	listener.client_validation = validation;
	listener.authorities = authorities;
	listener.authorities_count = 2;
	put(rig, "listener/ns/gw/a", &listener);
	publish(rig);
}

static void
test_clients(void **state)
{
	struct rig *rig = *state;
	uint64_t tag;

	put_certificate(
	    rig, "certificate/ns/a", "P-256", "a.example", "spiffe://a", 0);
	rig->client.session = NULL;
	/* Whoever must be vouched for and can be by nobody is not let in. */
	put_asking(rig, UNIT_CLIENTS_VALID);
	rig->client.identity = keys.client;
	assert_int_equal(
	    shake(rig, "a.example", "spiffe://a"), ERROR_TLS_NO_CERTIFICATE);
	put_asking(rig, UNIT_CLIENTS_INSECURE_FALLBACK);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_false(rig->far.facts.has_peer);

	put_authority(rig, "authority/configmap/ns/two", &keys.root);
	put_asking(rig, UNIT_CLIENTS_VALID);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_true(rig->far.facts.has_peer);
	tag = rig->tag;
	/* A change that asks nothing else of clients. */
	put_certificate(
	    rig, "certificate/ns/b", "P-256", "b.example", "spiffe://b", 0);
	put_asking(rig, UNIT_CLIENTS_VALID);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_int_equal(rig->tag, tag);
	rig->client.identity = keys.stranger;
	assert_int_equal(shake(rig, "a.example", "spiffe://a"),
	    ERROR_TLS_CERTIFICATE_UNTRUSTED);
	rig->client.identity = NULL;
	assert_int_equal(shake(rig, "a.example", "spiffe://a"),
	    ERROR_TLS_CERTIFICATE_MISSING);

	/* Another authority beside the one: another connection. */
	put_authority(rig, "authority/configmap/ns/one", &keys.other);
	publish(rig);
	rig->client.identity = keys.stranger;
	assert_gets(rig, "a.example", "spiffe://a");
	assert_int_not_equal(rig->tag, tag);
	tag = rig->tag;

	put_asking(rig, UNIT_CLIENTS_INSECURE_FALLBACK);
	rig->client.identity = NULL;
	assert_gets(rig, "a.example", "spiffe://a");
	assert_int_not_equal(rig->tag, tag);
	assert_false(rig->far.facts.has_peer);
	put_listener(rig, "a", "a.example");
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_true(rig->was_for[0]);
}

/* A session is of use where it was begun, and nowhere else. */
static void
test_resumption(void **state)
{
	struct rig *rig = *state;

	put_certificate(
	    rig, "certificate/ns/a", "P-256", "*.example", "spiffe://a", 0);
	put_certificate(
	    rig, "certificate/ns/b", "P-256", "*.example", "spiffe://a", 0);
	put_listener(rig, "a", "a.example");
	put_listener(rig, "b", "b.example");
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_false(rig->far.facts.resumed);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_true(rig->far.facts.resumed);
	assert_true(rig->was_for[0]);
	assert_gets(rig, "b.example", "spiffe://a");
	assert_false(rig->far.facts.resumed);
	assert_gets(rig, "b.example", "spiffe://a");
	assert_true(rig->far.facts.resumed);
	/* Now it asks for certificates. */
	put_asking(rig, UNIT_CLIENTS_INSECURE_FALLBACK);
	forget(rig);
	assert_gets(rig, "a.example", "spiffe://a");
	put_authority(rig, "authority/configmap/ns/two", &keys.root);
	put_asking(rig, UNIT_CLIENTS_VALID);
	rig->client.identity = keys.client;
	assert_gets(rig, "a.example", "spiffe://a");
	assert_false(rig->far.facts.resumed);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_true(rig->far.facts.resumed);
	assert_true(rig->far.facts.has_peer);
}

/* The keys are the unit's as it is now. */
static void
test_ticket_keys(void **state)
{
	struct rig *rig = *state;

	put_certificate(
	    rig, "certificate/ns/a", "P-256", "*.example", "spiffe://a", 0);
	put_listener(rig, "a", "a.example");
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_gets(rig, "a.example", "spiffe://a");
	assert_true(rig->far.facts.resumed);
	put_tickets(rig, "other");
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_false(rig->far.facts.resumed);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_true(rig->far.facts.resumed);
	/* Without there are no tickets. */
	snap_store_drop(rig->store, SLICE("tickets/ns/gw"));
	publish(rig);
	for (unsigned i = 0; i < 3; i++) {
		assert_gets(rig, "a.example", "spiffe://a");
		assert_false(rig->far.facts.resumed);
	}
	put_tickets(rig, "other");
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_gets(rig, "a.example", "spiffe://a");
	assert_true(rig->far.facts.resumed);
}

static void
test_settings(void **state)
{
	struct slice certificate = SLICE("certificate/ns/a");
	struct slice ciphers[] = {SLICE("TLS_CHACHA20_POLY1305_SHA256"),
	    SLICE("ECDHE-ECDSA-CHACHA20-POLY1305")};
	struct slice curves[] = {SLICE("P-384"), SLICE("X25519")};
	struct slice unknown = SLICE("ROT13");
	struct unit_listener listener =
	    listener_of("a.example", &certificate, 1);
	struct rig *rig = *state;

	put_certificate(
	    rig, "certificate/ns/a", "P-256", "a.example", "spiffe://a", 0);
	listener.version_min = UNIT_TLS_VERSION_1_3;
	listener.ciphers = ciphers;
	listener.ciphers_count = 2;
	listener.curves = curves;
	listener.curves_count = 2;
	put(rig, "listener/ns/gw/a", &listener);
	publish(rig);
	assert_gets(rig, "a.example", "spiffe://a");
	assert_int_equal(rig->near.facts.version, NET_TLS_1_3);
	assert_string_equal(
	    rig->near.facts.cipher, "TLS_CHACHA20_POLY1305_SHA256");
	listener.ciphers = &unknown;
	listener.ciphers_count = 1;
	put(rig, "listener/ns/gw/a", &listener);
	publish(rig);
	forget(rig);
	assert_int_equal(
	    shake(rig, "a.example", "spiffe://a"), ERROR_TLS_NO_CERTIFICATE);
	listener.protocol = UNIT_PROTOCOL_TLS;
	listener.tls_mode = UNIT_TLS_TERMINATE;
	listener.ciphers_count = 0;
	put(rig, "listener/ns/gw/a", &listener);
	publish(rig);
	assert_int_equal(
	    shake(rig, "a.example", "spiffe://a"), ERROR_TLS_NAME_REFUSED);
}

static int
set_up(void **state)
{
	(void)state;
	tls_keys_init(&keys, false);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_keys_fini(&keys);
	return 0;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_names),
	    TEST(test_changes),
	    TEST(test_several),
	    TEST(test_clients),
	    TEST(test_resumption),
	    TEST(test_ticket_keys),
	    TEST(test_settings),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
