/* TLS over loopback: what is agreed upon, who is believed, what is resumed. */
#include "net/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/must.h"
#include "net/listener.h"
#include "net/tls_heap.h"
#include "tls/end.h"

static struct tls_keys keys;
static const struct net_tls_ticket_key ticket_keys[] = {
    {"name of key one", "secret of the first key 4567890", "mac 1"},
    {"name of key two", "secret of the second key 567890", "mac 2"},
};

struct rig {
	struct net_loop *loop;
	struct metrics metrics;
	struct net_address address;
	int fd;
	struct net_tls_profile *server_profile, *client_profile;
	struct net_tls_server server;
	struct net_tls_choice choice; /* what the server chooses */
	enum error refusal;
	struct slice asked_for; /* SNI as choose saw it */
	char asked_bytes[256];
	struct net_tls_session session;
	struct crypt_name name;
	struct net_tls_client client;
	struct tls_end near, far; /* client, server */
};

static enum error
choose(void *context, struct slice server_name, struct net_tls_choice *choice)
{
	struct rig *rig = context;

	rig->asked_for = SLICE_NONE;
	if (slice_is_set(server_name)) {
		memcpy(rig->asked_bytes, server_name.data, server_name.length);
		rig->asked_for =
		    slice_make(rig->asked_bytes, server_name.length);
	}
	*choice = rig->choice;
	return rig->refusal;
}

static struct net_tls_profile *
profile_new(struct rig *rig, const struct net_tls_settings *settings)
{
	struct net_tls_profile *profile;
	const char *wrong;

	assert_int_equal(
	    net_tls_profile_new(settings, &rig->metrics, &profile, &wrong),
	    ERROR_OK);
	return profile;
}

static void
rig_init(struct rig *rig, const struct net_tls_settings *server,
    const struct net_tls_settings *client)
{
	static const struct net_tls_settings plain;

	*rig = (struct rig){0};
	rig->loop = net_loop_new();
	metrics_init(&rig->metrics);
	assert_int_equal(
	    net_address_parse(SLICE("127.0.0.1"), 0, &rig->address), ERROR_OK);
	assert_int_equal(net_listen_tcp(&rig->address, 16, &rig->fd), ERROR_OK);
	assert_int_equal(net_address_local(rig->fd, &rig->address), ERROR_OK);
	rig->server_profile = profile_new(rig, server ? server : &plain);
	rig->client_profile = profile_new(rig, client ? client : &plain);
	net_tls_profile_set_ticket_keys(rig->server_profile, ticket_keys, 1);
	rig->server = (struct net_tls_server){
	    .profile = rig->server_profile, .choose = choose, .context = rig};
	rig->choice = (struct net_tls_choice){
	    .identities = &keys.servers[TLS_P256],
	    .identity_count = 1,
	    .session_context = SLICE("one"),
	};
	rig->name = (struct crypt_name){CRYPT_NAME_DNS, SLICE("a.example")};
	rig->client = (struct net_tls_client){
	    .profile = rig->client_profile,
	    .server_name = "a.example",
	    .names = &rig->name,
	    .name_count = 1,
	    .trust = keys.trust,
	    .session = &rig->session,
	};
	tls_end_init(&rig->near);
	tls_end_init(&rig->far);
}

static void
rig_fini(struct rig *rig)
{
	tls_end_fini(&rig->near);
	tls_end_fini(&rig->far);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(net_loop_turn(rig->loop, 0), ERROR_OK);
	net_tls_session_fini(&rig->session);
	net_tls_profile_unref(rig->server_profile);
	net_tls_profile_unref(rig->client_profile);
	net_loop_free(rig->loop);
	metrics_fini(&rig->metrics);
	close(rig->fd);
}

static void
meet(struct rig *rig)
{
	assert_int_equal(net_tls_connect(&rig->near.stream, rig->loop,
	                     &rig->address, tls_end_on_ready, &rig->client),
	    ERROR_OK);
	int fd;
	while ((fd = accept4(
	            rig->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0)
		usleep(1000);
	assert_int_equal(net_tls_accept(&rig->far.stream, rig->loop, fd,
	                     tls_end_on_ready, &rig->server),
	    ERROR_OK);
}

/* Connect, exchange what out holds, end both sides. */
static void
run(struct rig *rig)
{
	meet(rig);
	rig->near.ends = rig->far.ends = true;
	for (unsigned i = 0; i < 2000 &&
	     !(tls_end_is_over(&rig->near) && tls_end_is_over(&rig->far));
	     i++)
		assert_int_equal(net_loop_turn(rig->loop, 10), ERROR_OK);
	assert_true(tls_end_is_over(&rig->near));
	assert_true(tls_end_is_over(&rig->far));
}

static void
again(struct rig *rig)
{
	tls_end_fini(&rig->near);
	tls_end_fini(&rig->far);
	tls_end_init(&rig->near);
	tls_end_init(&rig->far);
	run(rig);
}

static void
assert_up(const struct rig *rig)
{
	assert_true(rig->near.is_up && rig->far.is_up);
	assert_int_equal(rig->near.error, ERROR_CLOSED);
	assert_int_equal(rig->far.error, ERROR_CLOSED);
}

static void
test_exchange(void **state)
{
	static const enum net_tls_version versions[] = {
	    NET_TLS_1_2, NET_TLS_1_3};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct net_tls_settings server = {
		    .protocols = SLICE("\10http/1.1\2h2")};
		struct net_tls_settings client = {.version_max = versions[i],
		    .protocols = SLICE("\2h2\10http/1.1\1x")};
		struct rig rig;

		rig_init(&rig, &server, &client);
		for (unsigned j = 0; j < 300000; j++)
			text_printf(&rig.near.out, "%u ", j);
		text_push_string(&rig.far.out, "hello");
		run(&rig);
		assert_up(&rig);
		assert_string_equal(rig.near.in.data, "hello");
		assert_true(slice_equal(
		    text_slice(&rig.far.in), text_slice(&rig.near.out)));
		assert_int_equal(rig.near.facts.version, versions[i]);
		assert_int_equal(rig.far.facts.version, versions[i]);
		assert_int_equal(rig.far.facts.protocol.length, 8);
		assert_int_equal(rig.near.facts.protocol.length, 8);
		assert_int_equal(rig.far.facts.server_name.length, 9);
		assert_true(rig.near.facts.has_peer);
		assert_null(rig.near.facts.peer_fault);
		assert_false(rig.far.facts.has_peer);
		assert_true(slice_equal(rig.asked_for, SLICE("a.example")));
		assert_int_equal(
		    metrics_total(METRIC_TLS_SERVER_HANDSHAKES), i + 1);
		rig_fini(&rig);
	}
}

static bool
is_resumed(struct rig *rig)
{
	again(rig);
	assert_up(rig);
	assert_int_equal(rig->near.facts.resumed, rig->far.facts.resumed);
	return rig->near.facts.resumed;
}

/* Only for the same name and the same demands, and while a key is known. */
static void
test_resumption(void **state)
{
	static const enum net_tls_version versions[] = {
	    NET_TLS_1_2, NET_TLS_1_3};
	static const struct net_tls_ticket_key rotated[] = {
	    {"name of key two", "secret of the second key 567890", "mac 2"},
	    {"name of key one", "secret of the first key 4567890", "mac 1"},
	};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct net_tls_settings client = {.version_max = versions[i]};
		struct rig rig;

		rig_init(&rig, NULL, &client);
		run(&rig);
		assert_false(rig.near.facts.resumed);
		assert_true(is_resumed(&rig));
		assert_true(is_resumed(&rig));
		/* another name, of the same certificate */
		rig.client.server_name = "x.b.example";
		rig.name.value = SLICE("x.b.example");
		assert_false(is_resumed(&rig));
		assert_true(is_resumed(&rig));
		rig.client.server_name = NULL;
		assert_false(is_resumed(&rig));
		/* another listener, or other demands on clients */
		rig.choice.session_context = SLICE("two");
		assert_false(is_resumed(&rig));
		assert_true(is_resumed(&rig));
		/* keys are rotated, then the old one goes */
		net_tls_profile_set_ticket_keys(rig.server_profile, rotated, 2);
		assert_true(is_resumed(&rig));
		net_tls_profile_set_ticket_keys(rig.server_profile, rotated, 1);
		assert_true(is_resumed(&rig));
		net_tls_profile_set_ticket_keys(
		    rig.server_profile, rotated + 1, 1);
		assert_false(is_resumed(&rig));
		net_tls_profile_set_ticket_keys(rig.server_profile, NULL, 0);
		assert_false(is_resumed(&rig));
		assert_false(is_resumed(&rig));
		/* a context that is absent is no context at all */
		net_tls_profile_set_ticket_keys(rig.server_profile, rotated, 1);
		rig.choice.session_context = SLICE_NONE;
		assert_false(is_resumed(&rig));
		assert_false(is_resumed(&rig));
		rig_fini(&rig);
	}
}

/* A ticket takes no packet of its own: it comes with what is said first. */
static void
test_ticket_with_data(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL, NULL);
	meet(&rig);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(net_loop_turn(rig.loop, 1), ERROR_OK);
	assert_true(rig.near.is_up && rig.far.is_up);
	assert_null(rig.session.newest);
	text_push_string(&rig.far.out, "first");
	tls_end_on_ready(&rig.far.stream.watch, NET_WRITABLE);
	for (unsigned i = 0; i < 2000 && rig.near.in.length < 5; i++)
		assert_int_equal(net_loop_turn(rig.loop, 1), ERROR_OK);
	assert_string_equal(rig.near.in.data, "first");
	assert_non_null(rig.session.newest);
	rig_fini(&rig);
}

/* Of several, the client's abilities choose. */
static void
test_identities(void **state)
{
	static const struct {
		const char *ciphers;
		const char *cipher;
	} rows[] = {
	    {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
	    {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
	};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct net_tls_settings client = {
		    .version_max = NET_TLS_1_2, .ciphers = rows[i].ciphers};
		struct rig rig;

		rig_init(&rig, NULL, &client);
		rig.choice.identity_count = 2; /* P-256 and RSA */
		run(&rig);
		assert_up(&rig);
		assert_string_equal(rig.near.facts.cipher, rows[i].cipher);
		rig_fini(&rig);
	}
}

static void
test_servers_believed(void **state)
{
	const struct {
		struct net_tls_identity *const *identity;
		struct net_tls_trust *trust;
		struct crypt_name name;
		enum error error; /* of the client */
	} rows[] = {
	    {&keys.servers[TLS_RSA], keys.trust,
	        {CRYPT_NAME_DNS, SLICE("A.example")}, ERROR_OK},
	    {&keys.servers[TLS_ED25519], keys.trust,
	        {CRYPT_NAME_DNS, SLICE("y.b.example")}, ERROR_OK},
	    {&keys.servers[TLS_ED25519], keys.trust,
	        {CRYPT_NAME_URI, SLICE("spiffe://server")}, ERROR_OK},
	    {&keys.servers[TLS_ED25519], keys.trust,
	        {CRYPT_NAME_DNS, SLICE("b.example")},
	        ERROR_TLS_CERTIFICATE_NAME},
	    {&keys.servers[TLS_ED25519], keys.trust,
	        {CRYPT_NAME_DNS, SLICE("server")}, ERROR_TLS_CERTIFICATE_NAME},
	    {&keys.servers[TLS_ED25519], keys.other_trust,
	        {CRYPT_NAME_DNS, SLICE("a.example")},
	        ERROR_TLS_CERTIFICATE_UNTRUSTED},
	    {&keys.expired, keys.trust, {CRYPT_NAME_DNS, SLICE("a.example")},
	        ERROR_TLS_CERTIFICATE_EXPIRED},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig;

		rig_init(&rig, NULL, NULL);
		rig.choice.identities = rows[i].identity;
		rig.client.trust = rows[i].trust;
		rig.name = rows[i].name;
		run(&rig);
		if (rows[i].error == ERROR_OK) {
			assert_up(&rig);
		} else {
			assert_false(rig.near.is_up);
			assert_int_equal(rig.near.error, rows[i].error);
			assert_int_equal(rig.far.error, ERROR_TLS_ALERT);
		}
		rig_fini(&rig);
	}
}

static void
test_clients_believed(void **state)
{
	const struct {
		struct net_tls_identity *identity;
		enum net_tls_clients clients;
		enum error far_error;
		bool has_peer, has_fault;
	} rows[] = {
	    {keys.client, NET_TLS_CLIENTS_ANY, ERROR_CLOSED, false, false},
	    {NULL, NET_TLS_CLIENTS_ASKED, ERROR_CLOSED, false, false},
	    {keys.client, NET_TLS_CLIENTS_ASKED, ERROR_CLOSED, true, false},
	    {keys.stranger, NET_TLS_CLIENTS_ASKED, ERROR_CLOSED, true, true},
	    {keys.client, NET_TLS_CLIENTS_VALID, ERROR_CLOSED, true, false},
	    {NULL, NET_TLS_CLIENTS_VALID, ERROR_TLS_CERTIFICATE_MISSING, false,
	        false},
	    {keys.stranger, NET_TLS_CLIENTS_VALID,
	        ERROR_TLS_CERTIFICATE_UNTRUSTED, false, false},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct net_tls_settings client = {
		    .version_max = i % 2 ? NET_TLS_1_2 : NET_TLS_1_3};
		struct rig rig;

		rig_init(&rig, NULL, &client);
		rig.client.identity = rows[i / 2].identity;
		rig.choice.clients = rows[i / 2].clients;
		rig.choice.trust = keys.trust;
		run(&rig);
		assert_int_equal(rig.far.error, rows[i / 2].far_error);
		assert_int_equal(rig.far.facts.has_peer, rows[i / 2].has_peer);
		assert_int_equal(
		    rig.far.facts.peer_fault != NULL, rows[i / 2].has_fault);
		rig_fini(&rig);
	}
}

static void
test_refused(void **state)
{
	struct net_tls_settings old = {.version_max = NET_TLS_1_2};
	struct net_tls_settings young = {.version_min = NET_TLS_1_3};
	struct net_tls_settings h2 = {.protocols = SLICE("\2h2")};
	struct net_tls_settings h1 = {.protocols = SLICE("\10http/1.1")};
	struct rig rig;

	(void)state;
	rig_init(&rig, NULL, NULL);
	rig.refusal = ERROR_TLS_NAME_REFUSED;
	run(&rig);
	assert_int_equal(rig.far.error, ERROR_TLS_NAME_REFUSED);
	assert_int_equal(rig.near.error, ERROR_TLS_ALERT);
	rig_fini(&rig);

	rig_init(&rig, NULL, NULL);
	rig.refusal = ERROR_TLS_NO_CERTIFICATE;
	run(&rig);
	assert_int_equal(rig.far.error, ERROR_TLS_NO_CERTIFICATE);
	assert_int_equal(rig.near.error, ERROR_TLS_ALERT);
	rig_fini(&rig);

	rig_init(&rig, &young, &old);
	run(&rig);
	assert_int_equal(rig.far.error, ERROR_TLS_NOTHING_SHARED);
	assert_int_equal(rig.near.error, ERROR_TLS_ALERT);
	rig_fini(&rig);

	rig_init(&rig, &h2, &h1);
	run(&rig);
	assert_int_equal(rig.far.error, ERROR_TLS_NOTHING_SHARED);
	assert_int_equal(rig.near.error, ERROR_TLS_ALERT);
	rig_fini(&rig);

	/* The profile that the name asks for counts. */
	rig_init(&rig, NULL, &old);
	rig.choice.profile = profile_new(&rig, &young);
	run(&rig);
	assert_int_equal(rig.far.error, ERROR_TLS_NOTHING_SHARED);
	net_tls_profile_unref(rig.choice.profile);
	rig_fini(&rig);
}

static void
test_settings(void **state)
{
	static const struct {
		struct net_tls_settings settings;
		const char *wrong;
	} rows[] = {
	    {{.ciphers = "ECDHE-RSA-AES128-GCM-SHA256:NO-SUCH"}, "ciphers"},
	    {{.ciphers = ""}, "ciphers"},
	    {{.ciphers = "ALL:!aNULL"}, "ciphers"},
	    {{.ciphersuites = "TLS_NO_SUCH"}, "ciphersuites"},
	    {{.groups = "X25519:nope"}, "groups"},
	    {{.protocols = SLICE("\5h2")}, "protocols"},
	    {{.version_min = NET_TLS_1_3, .version_max = NET_TLS_1_2},
	        "versions"},
	};
	struct metrics metrics;
	struct net_tls_profile *profile;
	const char *wrong;

	(void)state;
	metrics_init(&metrics);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(net_tls_profile_new(&rows[i].settings,
		                     &metrics, &profile, &wrong),
		    ERROR_INVALID);
		assert_string_equal(wrong, rows[i].wrong);
		assert_null(profile);
	}
	metrics_fini(&metrics);
}

/* What is not TLS is not, from its first byte; nothing is answered as plain. */
static void
test_plain_text(void **state)
{
	struct rig rig;
	int pair[2];

	(void)state;
	rig_init(&rig, NULL, NULL);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(net_tls_accept(&rig.far.stream, rig.loop, pair[0],
	                     tls_end_on_ready, &rig.server),
	    ERROR_OK);
	assert_int_equal(write(pair[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	for (unsigned i = 0; i < 100 && !tls_end_is_over(&rig.far); i++)
		assert_int_equal(net_loop_turn(rig.loop, 10), ERROR_OK);
	assert_int_equal(rig.far.error, ERROR_TLS_BAD_HELLO);
	close(pair[1]);
	rig_fini(&rig);
}

static int
set_up(void **state)
{
	(void)state;
	net_tls_heap_open();
	tls_keys_init(&keys, true);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tls_keys_fini(&keys);
	net_tls_heap_close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exchange),
	    cmocka_unit_test(test_resumption),
	    cmocka_unit_test(test_ticket_with_data),
	    cmocka_unit_test(test_identities),
	    cmocka_unit_test(test_servers_believed),
	    cmocka_unit_test(test_clients_believed),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_settings),
	    cmocka_unit_test(test_plain_text),
	};

	net_tls_heap_install();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
