/* What a worker keeps of backends while sets come and go. */
#include "proxy/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
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

static int
set_up(void **state)
{
	struct setting *setting = memory_zero(1, sizeof(*setting));

	fake_reset();
	memset(in_set, 0, sizeof(in_set));
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
test_refresh(void **state)
{
	struct setting *setting = *state;
	struct snap_backend snap = make(1, three, 1);
	struct proxy_backend *backend =
	    proxy_backends_get(&setting->backends, &snap);
	struct snap_backend newer = make(2, three, 3);
	struct snap_backend other = newer;

	proxy_backends_refresh(&setting->backends, NULL, backend);
	assert_int_equal(backend->candidate_count, 1);
	in_set[2] = &newer;
	proxy_backends_refresh(&setting->backends, NULL, backend);
	assert_int_equal(backend->candidate_count, 3);
	/* The number is another's now. */
	other.serial = 3;
	other.port = 81;
	in_set[2] = &other;
	proxy_backends_refresh(&setting->backends, NULL, backend);
	assert_int_equal(backend->candidate_count, 3);
	backend->references++;
	(void)proxy_backends_get(&setting->backends, &other);
	proxy_backends_refresh(&setting->backends, NULL, backend);
	assert_int_equal(backend->candidate_count, 0);
	proxy_backend_unref(backend);
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
	    TEST(test_refresh),
	    TEST(test_sweep),
	    TEST(test_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
