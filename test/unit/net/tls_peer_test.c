/* A server's handshakes with clients that OpenSSL alone can be: forged and deep
 * chains, a name that changes on the way, bytes one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limit.h"
#include "core/must.h"
#include "tls/end.h"

enum { TURNS = 4000, DEEPEST = LIMIT_VALUE_CHAIN_CERTIFICATES + 2 };

static struct tls_keys keys;
static const struct net_tls_ticket_key ticket_key = {
    "name of the key.", "secret of the key 4567890123456", "mac"};

struct rig {
	struct net_loop *loop;
	struct metrics metrics;
	struct net_tls_profile *profile;
	struct net_tls_server server;
	struct net_tls_choice choice; /* for any name but "b.example" */
	struct tls_end end;
	SSL_CTX *context;
	SSL *ssl; /* the client */
	int fd; /* its side of the connection */
	size_t piece; /* bytes that are sent at once */
	bool is_over; /* the client's handshake, well or not */
	bool is_up;
};

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	struct rig *rig = context;

	*choice = rig->choice;
	if (slice_equal(server_name, SLICE("b.example"))) {
		choice->identities = &keys.servers[TLS_ED25519];
		choice->identity_count = 1;
	}
	return ERROR_OK;
}

/* Macros of OpenSSL cast to what changes. */
static void
name(SSL *ssl, const char *host)
{
	assert_true(SSL_set_tlsext_host_name(ssl, (void *)(uintptr_t)host));
}

static void
rig_init(struct rig *rig)
{
	static const struct net_tls_settings settings;
	const char *wrong;
	int pair[2];

	*rig = (struct rig){.loop = net_loop_new(), .piece = 1000};
	metrics_init(&rig->metrics);
	assert_int_equal(net_tls_profile_new(
	                     &settings, &rig->metrics, &rig->profile, &wrong),
	    ERROR_OK);
	rig->server = (struct net_tls_server){
	    .profile = rig->profile, .choose = choose, .context = rig};
	rig->choice = (struct net_tls_choice){
	    .identities = keys.servers,
	    .identity_count = TLS_KEY__COUNT,
	    .session_context = SLICE("one"),
	};
	tls_end_init(&rig->end);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(net_tls_accept(&rig->end.stream, rig->loop, pair[0],
	                     tls_end_on_ready, &rig->server),
	    ERROR_OK);
	rig->fd = pair[1];
	rig->context = SSL_CTX_new(TLS_client_method());
	rig->ssl = SSL_new(rig->context);
	SSL_set_bio(rig->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_set_mem_eof_return(SSL_get_rbio(rig->ssl), -1);
	name(rig->ssl, "a.example");
	SSL_set_connect_state(rig->ssl);
}

static void
rig_fini(struct rig *rig)
{
	close(rig->fd);
	tls_end_fini(&rig->end);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(net_loop_turn(rig->loop, 0), ERROR_OK);
	SSL_free(rig->ssl);
	SSL_CTX_free(rig->context);
	net_tls_profile_unref(rig->profile);
	net_loop_free(rig->loop);
	metrics_fini(&rig->metrics);
}

/* What the server does leaves no error to whoever is served next. */
static void
serve(struct rig *rig)
{
	ERR_clear_error();
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(net_loop_turn(rig->loop, 0), ERROR_OK);
	assert_int_equal(ERR_peek_error(), 0);
}

/* One step of the client, and all that comes of it. */
static void
step(struct rig *rig)
{
	char bytes[4096];
	int length;
	ssize_t got;

	if (!rig->is_over) {
		int result = SSL_do_handshake(rig->ssl);

		rig->is_up = result == 1;
		rig->is_over = result == 1 ||
		    SSL_get_error(rig->ssl, result) != SSL_ERROR_WANT_READ;
	}
	while ((length = BIO_read(SSL_get_wbio(rig->ssl), bytes,
	            rig->piece < sizeof(bytes) ? (int)rig->piece
	                                       : (int)sizeof(bytes))) > 0) {
		/* It may have been refused meanwhile. */
		(void)!send(rig->fd, bytes, (size_t)length, MSG_NOSIGNAL);
		serve(rig);
	}
	serve(rig);
	while ((got = read(rig->fd, bytes, sizeof(bytes))) > 0)
		BIO_write(SSL_get_rbio(rig->ssl), bytes, (int)got);
}

static void
shake(struct rig *rig)
{
	for (unsigned i = 0; i < 20; i++)
		step(rig);
}

static void
show(struct rig *rig, const struct authority_pair *pair)
{
	assert_true(SSL_use_certificate(rig->ssl, pair->x509));
	assert_true(SSL_use_PrivateKey(rig->ssl, pair->pkey));
}

/* Its issuer's name, but not its issuer's signature. Where it is overlooked, it
 * is so without a trace, whatever of the flight has come by then. */
static void
test_forged(void **state)
{
	const struct authority_pair forger = {keys.root.x509, keys.other.pkey};
	const struct authority_wish wish = {
	    .key = "P-256", .subject = "forged", .issuer = &forger};
	struct authority_pair forged = authority_make(&wish);

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		struct rig rig;

		rig_init(&rig);
		rig.piece = i & 1 ? 1 : 4096;
		rig.choice.clients =
		    i & 2 ? NET_TLS_CLIENTS_ASKED : NET_TLS_CLIENTS_VALID;
		rig.choice.trust = keys.trust;
		if (i & 4)
			SSL_set_max_proto_version(rig.ssl, TLS1_2_VERSION);
		show(&rig, &forged);
		shake(&rig);
		assert_int_equal(rig.end.is_up, (i & 2) != 0);
		if (rig.end.is_up) {
			assert_true(rig.end.facts.has_peer);
			assert_int_equal(rig.end.error, ERROR_OK);
		} else {
			assert_int_equal(
			    rig.end.error, ERROR_TLS_CERTIFICATE_UNTRUSTED);
		}
		rig_fini(&rig);
	}
	authority_pair_free(&forged);
}

/* The chain of a stranger is not looked at any further, where it is overlooked
 * too: no signature of it is verified. */
static void
test_strangers_chain(void **state)
{
	const struct authority_wish wish = {.key = "P-256",
	    .subject = "middle",
	    .issuer = &keys.other,
	    .is_authority = true};
	struct authority_pair middle = authority_make(&wish);
	struct authority_pair other = authority_make(&wish);
	const struct authority_pair forger = {middle.x509, other.pkey};
	const struct authority_wish own = {
	    .key = "P-256", .subject = "own", .issuer = &forger};
	struct authority_pair forged = authority_make(&own);
	struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.choice.clients = NET_TLS_CLIENTS_ASKED;
	rig.choice.trust = keys.trust;
	show(&rig, &forged);
	assert_true(SSL_add1_chain_cert(rig.ssl, middle.x509));
	shake(&rig);
	assert_true(rig.end.is_up);
	assert_string_equal(rig.end.facts.peer_fault,
	    X509_verify_cert_error_string(
	        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY));
	rig_fini(&rig);
	authority_pair_free(&forged);
	authority_pair_free(&middle);
	authority_pair_free(&other);
}

/* As many as a chain of ours may have, and not more: each costs a signature. */
static void
test_deep(void **state)
{
	struct authority_pair pairs[DEEPEST];
	struct authority_wish wish = {
	    .key = "ED25519", .issuer = &keys.root, .is_authority = true};

	(void)state;
	for (unsigned i = 0; i < DEEPEST; i++) {
		char subject[] = {'s', (char)('a' + i), '\0'};

		wish.subject = subject;
		wish.is_authority = i + 1 < DEEPEST;
		pairs[i] = authority_make(&wish);
		wish.issuer = &pairs[i];
	}
	for (unsigned skipped = 0; skipped < 4; skipped++) {
		unsigned count = DEEPEST - skipped; /* of the chain shown */
		const struct authority_pair anchor =
		    skipped ? pairs[skipped - 1] : keys.root;
		struct crypt_certificate *root =
		    crypt_certificate_from_x509(anchor.x509);
		const struct crypt_certificates list = {&root, 1};
		struct net_tls_trust *trust = net_tls_trust_new(&list);
		struct rig rig;

		rig_init(&rig);
		rig.choice.clients = NET_TLS_CLIENTS_VALID;
		rig.choice.trust = trust;
		show(&rig, &pairs[DEEPEST - 1]);
		for (unsigned i = DEEPEST - 1; i-- > skipped;)
			assert_true(
			    SSL_add1_chain_cert(rig.ssl, pairs[i].x509));
		shake(&rig);
		assert_int_equal(
		    rig.end.is_up, count <= LIMIT_VALUE_CHAIN_CERTIFICATES);
		if (!rig.end.is_up)
			assert_int_equal(
			    rig.end.error, ERROR_TLS_CERTIFICATE_REFUSED);
		rig_fini(&rig);
		net_tls_trust_free(trust);
		crypt_certificate_free(root);
	}
	for (unsigned i = 0; i < DEEPEST; i++)
		authority_pair_free(&pairs[i]);
}

/* RFC 8446 4.1.2 has the second hello repeat the name. One that does not gets
 * nothing of what the first was chosen for. */
static void
test_name_changes(void **state)
{
	char groups[] = "P-521:X25519", signatures[] = "rsa_pss_rsae_sha256";
	struct rig rig;

	(void)state;
	for (unsigned changes = 0; changes < 2; changes++) {
		rig_init(&rig);
		assert_true(SSL_set1_groups_list(rig.ssl, groups));
		assert_true(SSL_set1_sigalgs_list(rig.ssl, signatures));
		step(&rig);
		assert_false(rig.is_over);
		if (changes)
			name(rig.ssl, "b.example");
		shake(&rig);
		assert_int_equal(rig.end.is_up, !changes);
		if (changes)
			assert_int_equal(
			    rig.end.error, ERROR_TLS_NOTHING_SHARED);
		rig_fini(&rig);
	}
}

/* The keys of tickets go while a handshake is under way: there is no ticket,
 * but a connection. */
static void
test_keys_go(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct rig rig;

		rig_init(&rig);
		if (i)
			SSL_set_max_proto_version(rig.ssl, TLS1_2_VERSION);
		net_tls_profile_set_ticket_keys(rig.profile, &ticket_key, 1);
		step(&rig);
		assert_false(rig.is_over);
		net_tls_profile_set_ticket_keys(rig.profile, NULL, 0);
		shake(&rig);
		assert_true(rig.is_up && rig.end.is_up);
		assert_int_equal(rig.end.error, ERROR_OK);
		rig_fini(&rig);
	}
}

/* So many that their names do not fit in what asks for a certificate. */
static void
test_many_authorities(void **state)
{
	enum { COUNT = LIMIT_VALUE_BUNDLE_CERTIFICATES };
	static struct crypt_certificate *items[COUNT];
	const struct authority_wish wish = {.key = "ED25519",
	    .subject =
	        "an authority whose name is as long as a name may be 1234",
	    .is_authority = true};
	const struct authority_wish client = {
	    .key = "ED25519", .subject = "client", .issuer = &keys.root};
	struct authority_pair pair = authority_make(&wish);
	struct authority_pair own = authority_make(&client);
	const struct crypt_certificates list = {items, COUNT};

	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		items[i] =
		    crypt_certificate_from_x509(i ? pair.x509 : keys.root.x509);
	struct net_tls_trust *trust = net_tls_trust_new(&list);

	for (unsigned i = 0; i < 2; i++) {
		struct rig rig;

		rig_init(&rig);
		rig.choice.clients = NET_TLS_CLIENTS_VALID;
		rig.choice.trust = trust;
		if (i)
			SSL_set_max_proto_version(rig.ssl, TLS1_2_VERSION);
		show(&rig, &own);
		shake(&rig);
		assert_true(rig.is_up && rig.end.is_up);
		assert_true(rig.end.facts.has_peer);
		rig_fini(&rig);
	}
	net_tls_trust_free(trust);
	for (unsigned i = 0; i < COUNT; i++)
		crypt_certificate_free(items[i]);
	authority_pair_free(&pair);
	authority_pair_free(&own);
}

static int
set_up(void **state)
{
	(void)state;
	tls_keys_init(&keys, true);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_keys_fini(&keys);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forged),
	    cmocka_unit_test(test_strangers_chain),
	    cmocka_unit_test(test_deep),
	    cmocka_unit_test(test_name_changes),
	    cmocka_unit_test(test_keys_go),
	    cmocka_unit_test(test_many_authorities),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
