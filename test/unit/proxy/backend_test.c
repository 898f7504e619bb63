/* What a worker keeps of backends while sets come and go. */
#include "proxy/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "authority/authority.h"
#include "core/memory.h"
#include "fake_client.h"
#include "proxy/pool.h"
#include "snap/unit.h"

struct setting {
	struct net_loop *loop;
	struct http_worker http;
	struct metrics metrics;
	struct proxy_backends backends;
};

#define BACKENDS 4
/* What the set has, instead of the snap room. */
static const struct snap_backend *in_set[BACKENDS];

const struct snap_backend *
snap_set_backend(const struct snap_set *set, uint32_t id)
{
	(void)set;
	return id < BACKENDS ? in_set[id] : NULL;
}

/* ... and its credentials, by number. */
static struct unit in_credentials[4];

const struct unit *
snap_set_credential(const struct snap_set *set, uint32_t id)
{
	(void)set;
	return in_credentials[id].record ? &in_credentials[id] : NULL;
}

static int
set_up(void **state)
{
	struct setting *setting = memory_zero(1, sizeof(*setting));

	fake_reset();
	memset(in_set, 0, sizeof(in_set));
	memset(in_credentials, 0, sizeof(in_credentials));
	setting->loop = net_loop_new();
	metrics_init(&setting->metrics);
	setting->http.loop = setting->loop;
	setting->http.metrics = &setting->metrics;
	proxy_backends_init(&setting->backends, &setting->http);
	*state = setting;
	return 0;
}

static int
tear_down(void **state)
{
	struct setting *setting = *state;

	proxy_backends_fini(&setting->backends);
	metrics_fini(&setting->metrics);
	net_loop_free(setting->loop);
	memory_free(setting);
	return 0;
}

#define READY UNIT_ENDPOINT_READY
#define ENDING (UNIT_ENDPOINT_SERVING | UNIT_ENDPOINT_TERMINATING)

static struct snap_backend
make(uint64_t serial, const struct snap_endpoint *endpoints, uint32_t count)
{
	return (struct snap_backend){.serial = serial,
	    .id = 2,
	    .target = SLICE("service/ns/b"),
	    .port = 80,
	    .exists = true,
	    .endpoints = endpoints,
	    .endpoint_count = count};
}

static unsigned
count_endpoints(const struct setting *setting)
{
	unsigned count = 0;

	LIST_FOR_EACH(at, &setting->backends.endpoints)
	{
		count++;
	}
	return count;
}

static const struct snap_endpoint three[] = {
    {SLICE("10.0.0.10"), 80, READY},
    {SLICE("10.0.0.2"), 80, READY},
    {SLICE("fd00::1"), 80, READY},
};

static void
test_first(void **state)
{
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 3);
	struct proxy_backend *backend =
	    proxy_backends_get(&setting->backends, &snap);

	assert_true(slice_equal(backend->name, SLICE("service/ns/b:80")));
	assert_int_equal(backend->candidate_count, 3);
	assert_string_equal(backend->endpoints[0]->text, "10.0.0.2:80");
	assert_string_equal(backend->endpoints[1]->text, "10.0.0.10:80");
	assert_string_equal(backend->endpoints[2]->text, "[fd00::1]:80");
	assert_ptr_equal(
	    proxy_backends_get(&setting->backends, &snap), backend);
}

/* An endpoint that stays is the same object, with its counts. */
static void
test_merge(void **state)
{
	static const struct snap_endpoint next[] = {
	    {SLICE("10.0.0.1"), 80, READY},
	    {SLICE("10.0.0.10"), 80, READY},
	    {SLICE("10.0.0.10"), 81, READY},
	    {SLICE("fd00::1"), 80, ENDING},
	};
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 3);
	struct proxy_backend *backend =
	    proxy_backends_get(&setting->backends, &snap);
	struct proxy_endpoint *gone = backend->endpoints[0];
	struct proxy_endpoint *ten = backend->endpoints[1];
	struct proxy_endpoint *six = backend->endpoints[2];

	gone->in_flight = 1;
	snap = make(2, next, 4);
	assert_ptr_equal(
	    proxy_backends_get(&setting->backends, &snap), backend);
	assert_int_equal(backend->endpoint_count, 4);
	assert_ptr_equal(backend->endpoints[1], ten);
	assert_ptr_equal(backend->endpoints[3], six);
	assert_string_equal(backend->endpoints[2]->text, "10.0.0.10:81");
	assert_int_equal(backend->candidate_count, 3);
	assert_true(gone->gone);
	assert_false(ten->gone);
	assert_int_equal(net_loop_turn(setting->loop, 0), ERROR_OK);
	assert_int_equal(count_endpoints(setting), 5);
	proxy_pool_leave(gone);
	assert_int_equal(net_loop_turn(setting->loop, 0), ERROR_OK);
	assert_int_equal(count_endpoints(setting), 4);
}

/* As kube-proxy's ProxyTerminatingEndpoints. */
static void
test_candidates(void **state)
{
	static const struct {
		uint8_t conditions[3];
		unsigned candidates;
	} cases[] = {
	    {{READY, READY, 0}, 2},
	    {{READY, ENDING, ENDING}, 1},
	    {{ENDING, ENDING, 0}, 2},
	    {{UNIT_ENDPOINT_TERMINATING, UNIT_ENDPOINT_SERVING, 0}, 0},
	    {{READY | UNIT_ENDPOINT_SERVING, 0, 0}, 1},
	};
	struct setting *setting = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snap_endpoint endpoints[3];

		memcpy(endpoints, three, sizeof(three));
		for (unsigned e = 0; e < 3; e++)
			endpoints[e].conditions = cases[i].conditions[e];
		struct snap_backend snap = make(10 + i, endpoints, 3);
		assert_int_equal(proxy_backends_get(&setting->backends, &snap)
		                     ->candidate_count,
		    cases[i].candidates);
	}
}

/* What is no address, or is there twice in two spellings. */
static void
test_odd_addresses(void **state)
{
	static const struct snap_endpoint odd[] = {
	    {SLICE("10.0.0.1"), 80, READY},
	    {SLICE("::ffff:10.0.0.1"), 80, READY},
	    {SLICE("example.com"), 80, READY},
	    {SLICE("fd00:0::1"), 80, READY},
	    {SLICE("fd00::1"), 80, READY},
	};
	struct setting *setting = *state;
	struct snap_backend snap = make(1, odd, 5);

	assert_int_equal(
	    proxy_backends_get(&setting->backends, &snap)->endpoint_count, 2);
}

/* A number that another backend got: the old one lives on for who holds it. */
static void
test_reuse(void **state)
{
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 3);
	struct proxy_backend *old =
	    proxy_backends_get(&setting->backends, &snap);

	old->references++;
	snap.serial = 2;
	snap.target = SLICE("service/ns/other");
	struct proxy_backend *other =
	    proxy_backends_get(&setting->backends, &snap);
	assert_ptr_not_equal(other, old);
	assert_true(slice_equal(other->name, SLICE("service/ns/other:80")));
	assert_int_equal(old->candidate_count, 0);
	assert_int_equal(other->candidate_count, 3);
	assert_int_equal(net_loop_turn(setting->loop, 0), ERROR_OK);
	assert_int_equal(count_endpoints(setting), 3);
	proxy_backend_unref(old);
}

static void
test_sweep(void **state)
{
	struct setting *setting = *state;
	struct snap_backend first = make(1, three, 3), second = first;

	second.id = 3;
	second.target = SLICE("external/ns/e");
	second.port = 0;
	(void)proxy_backends_get(&setting->backends, &first);
	assert_true(
	    slice_equal(proxy_backends_get(&setting->backends, &second)->name,
	        SLICE("external/ns/e")));
	assert_int_equal(count_endpoints(setting), 6);
	/* first has changed, second is gone; nobody asks for either. */
	struct snap_backend changed = make(5, three, 1);
	in_set[2] = &changed;
	unsigned rounds = 1;
	while (proxy_backends_sweep(&setting->backends, NULL, 2))
		rounds++;
	assert_in_range(rounds, 2, 16);
	assert_int_equal(net_loop_turn(setting->loop, 0), ERROR_OK);
	assert_int_equal(count_endpoints(setting), 1);
	assert_null(setting->backends.by_id[3]);
	assert_int_equal(setting->backends.by_id[2]->serial, 5);
}

/* ---- in TLS ---- */

enum { AUTHORITY, FIRST_SHOWN, SECOND_SHOWN };

static struct unit_authority authority;
static struct unit_certificate shown;
static struct text authority_pem, key_pem;

static int
make_credentials(void **state)
{
	struct authority_wish wish = {
	    .key = "ED25519", .subject = "root", .is_authority = true};
	struct authority_pair pair = authority_make(&wish);

	(void)state;
	text_init(&authority_pem);
	text_init(&key_pem);
	authority_push_certificate(&pair, &authority_pem);
	authority_push_key(&pair, AUTHORITY_PKCS8, &key_pem);
	authority_pair_free(&pair);
	authority.bundle = text_slice(&authority_pem);
	shown.chain = authority.bundle;
	shown.key = text_slice(&key_pem);
	return 0;
}

static int
drop_credentials(void **state)
{
	(void)state;
	text_fini(&authority_pem);
	text_fini(&key_pem);
	return 0;
}

static void
put_credential(unsigned id, unsigned version)
{
	in_credentials[id] = (struct unit){
	    .kind = id == AUTHORITY ? UNIT_AUTHORITY : UNIT_CERTIFICATE,
	    .digest = {{(uint8_t)id, (uint8_t)version}}};
	if (id == AUTHORITY)
		in_credentials[id].authority = &authority;
	else
		in_credentials[id].certificate = &shown;
}

static const uint32_t authority_ids[] = {AUTHORITY};

/* key: what tells settings apart. */
static struct snap_backend_tls
settings_of(uint8_t key)
{
	return (struct snap_backend_tls){.hostname = SLICE("a.test"),
	    .authority_ids = authority_ids,
	    .authority_count = 1,
	    .certificate_id = SNAP_ID_NONE,
	    .key = {key}};
}

static struct proxy_backend *
get(struct setting *setting, const struct snap_backend *snap, uint32_t id)
{
	return proxy_backends_get_tls(&setting->backends, NULL, snap, id);
}

/* With other settings it is another backend with endpoints of its own; with the
 * same ones it stays, whatever else changes. */
static void
test_tls_settings(void **state)
{
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 3);
	struct snap_backend_tls first = settings_of(1), second = settings_of(2);
	struct proxy_backend *plain =
	    proxy_backends_get(&setting->backends, &snap);

	plain->references++;
	put_credential(AUTHORITY, 1);
	snap.tls = &first;
	snap.serial = 2;
	struct proxy_backend *one = get(setting, &snap, SNAP_ID_NONE);
	assert_ptr_not_equal(one, plain);
	assert_true(plain->superseded);
	assert_int_equal(plain->candidate_count, 0);
	assert_non_null(one->tls);
	assert_true(one->tls->is_usable);
	assert_string_equal(one->tls->client.server_name, "a.test");
	assert_int_equal(one->tls->client.name_count, 1);
	assert_non_null(one->endpoints[0]->tls);
	assert_null(plain->endpoints[0]->tls);
	proxy_backend_unref(plain);
	assert_int_equal(net_loop_turn(setting->loop, 0), ERROR_OK);
	assert_int_equal(count_endpoints(setting), 3);

	snap.serial = 3;
	snap.endpoint_count = 2;
	assert_ptr_equal(get(setting, &snap, SNAP_ID_NONE), one);
	assert_int_equal(one->candidate_count, 2);
	one->references++;
	snap.serial = 4;
	snap.tls = &second;
	struct proxy_backend *two = get(setting, &snap, SNAP_ID_NONE);
	assert_ptr_not_equal(two, one);
	assert_true(one->superseded);
	proxy_backend_unref(one);

	/* And back to plain text. */
	snap.serial = 5;
	snap.tls = NULL;
	two->references++;
	plain = proxy_backends_get(&setting->backends, &snap);
	assert_null(plain->tls);
	assert_true(two->superseded);
	proxy_backend_unref(two);
	assert_null(plain->next);
}

/* Each certificate that is shown has connections of its own, until it says
 * something else; what shows one that is gone is let go of. */
static void
test_tls_shown(void **state)
{
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 1);
	struct snap_backend_tls settings = settings_of(1);
	struct proxy_backend *none, *first, *second, *renewed;

	snap.tls = &settings;
	in_set[2] = &snap;
	put_credential(AUTHORITY, 1);
	put_credential(FIRST_SHOWN, 1);
	put_credential(SECOND_SHOWN, 1);
	none = get(setting, &snap, SNAP_ID_NONE);
	first = get(setting, &snap, FIRST_SHOWN);
	second = get(setting, &snap, SECOND_SHOWN);
	assert_null(none->tls->client.identity);
	assert_non_null(first->tls->client.identity);
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(first->tls->client.trust, second->tls->client.trust);
	assert_ptr_equal(get(setting, &snap, FIRST_SHOWN), first);
	assert_ptr_equal(get(setting, &snap, SNAP_ID_NONE), none);
	assert_int_equal(count_endpoints(setting), 3);

	put_credential(FIRST_SHOWN, 2);
	renewed = get(setting, &snap, FIRST_SHOWN);
	assert_ptr_not_equal(renewed, first);
	assert_ptr_equal(get(setting, &snap, FIRST_SHOWN), renewed);
	in_credentials[SECOND_SHOWN].record = NULL;
	while (proxy_backends_sweep(&setting->backends, NULL, 2))
		;
	assert_int_equal(net_loop_turn(setting->loop, 0), ERROR_OK);
	assert_int_equal(count_endpoints(setting), 2);
	assert_ptr_equal(get(setting, &snap, FIRST_SHOWN), renewed);
	assert_ptr_equal(get(setting, &snap, SNAP_ID_NONE), none);

	/* What is to be shown and is not there is no way to speak to it. */
	assert_false(get(setting, &snap, SECOND_SHOWN)->tls->is_usable);
}

static void
test_tls_nobody(void **state)
{
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 1);
	struct snap_backend_tls settings = settings_of(1);

	snap.tls = &settings;
	assert_false(get(setting, &snap, SNAP_ID_NONE)->tls->is_usable);
}

/* The end, with connections open. */
static void
test_end(void **state)
{
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 3);
	struct proxy_backend *backend =
	    proxy_backends_get(&setting->backends, &snap);
	struct proxy_waiter waiter = {.on_stream = NULL};
	enum error error;

	assert_null(
	    proxy_pool_take(backend->endpoints[0], &waiter, false, &error));
	assert_int_equal(error, ERROR_OK);
	proxy_pool_cancel(&waiter);
	assert_int_equal(fake_count(FAKE_OPENING), 1);
	proxy_backends_fini(&setting->backends);
	assert_int_equal(fake_count(FAKE_OPENING), 0);
	proxy_backends_init(&setting->backends, &setting->http);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_first),
	    TEST(test_merge),
	    TEST(test_candidates),
	    TEST(test_odd_addresses),
	    TEST(test_reuse),
	    TEST(test_sweep),
	    TEST(test_tls_settings),
	    TEST(test_tls_shown),
	    TEST(test_tls_nobody),
	    TEST(test_end),
	};
	return cmocka_run_group_tests(
	    tests, make_credentials, drop_credentials);
}
