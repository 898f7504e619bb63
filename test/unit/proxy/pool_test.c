/* The pool of an endpoint: who gets which connection, bounds, failures, and
 * what is closed when. */
#include "proxy/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/memory.h"
#include "fake_client.h"

#define WAITERS 8

struct customer {
	struct proxy_waiter waiter;
	struct http_stream *stream;
	enum error error;
	unsigned told;
};

struct setting {
	struct net_loop *loop;
	struct http_worker http;
	struct metrics metrics;
	struct proxy_backend backend;
	struct proxy_endpoint endpoint;
	bool settled;
	struct customer customers[WAITERS];
};

/* Instead of proxy/backend.c. */
static struct setting *current;
void
proxy_endpoint_settle(struct proxy_endpoint *endpoint)
{
	current->settled = endpoint->gone && endpoint->in_flight == 0 &&
	    endpoint->connections == 0 && endpoint->waiting_count == 0;
}

static void
on_stream(
    struct proxy_waiter *waiter, struct http_stream *stream, enum error error)
{
	struct customer *customer =
	    container_of(waiter, struct customer, waiter);

	customer->stream = stream;
	customer->error = error;
	customer->told++;
}

static int
set_up(void **state)
{
	struct setting *setting = memory_zero(1, sizeof(*setting));

	fake_reset();
	setting->loop = net_loop_new();
	metrics_init(&setting->metrics);
	setting->http.loop = setting->loop;
	setting->http.metrics = &setting->metrics;
	setting->endpoint.backend = &setting->backend;
	setting->endpoint.http = &setting->http;
	proxy_pool_init(&setting->endpoint);
	for (unsigned i = 0; i < WAITERS; i++)
		setting->customers[i].waiter.on_stream = on_stream;
	*state = current = setting;
	return 0;
}

static int
tear_down(void **state)
{
	struct setting *setting = *state;

	for (unsigned i = 0; i < WAITERS; i++)
		proxy_pool_cancel(&setting->customers[i].waiter);
	proxy_pool_fini(&setting->endpoint);
	metrics_fini(&setting->metrics);
	net_loop_free(setting->loop);
	memory_free(setting);
	return 0;
}

static void
turn(struct setting *setting)
{
	assert_int_equal(net_loop_turn(setting->loop, 0), ERROR_OK);
}

static struct http_stream *
take(struct setting *setting, unsigned who, bool fresh)
{
	enum error error;
	struct http_stream *stream = proxy_pool_take(
	    &setting->endpoint, &setting->customers[who].waiter, fresh, &error);

	assert_int_equal(error, ERROR_OK);
	return stream;
}

/* One connection, connected and idle. */
static struct http_client *
make_idle(struct setting *setting)
{
	struct http_client *client = &fake.clients[fake.opened];

	/* fresh, so that a new one is opened */
	assert_null(take(setting, 0, true));
	fake_connected(client, ERROR_OK);
	turn(setting);
	assert_ptr_equal(fake_of(setting->customers[0].stream), client);
	return client;
}

static void
test_connect(void **state)
{
	struct setting *setting = *state;

	assert_null(take(setting, 0, false));
	turn(setting);
	assert_int_equal(setting->customers[0].told, 0);
	assert_int_equal(setting->endpoint.connections, 1);
	fake_connected(&fake.clients[0], ERROR_OK);
	/* Not from within the call, but in this turn. */
	assert_int_equal(setting->customers[0].told, 0);
	turn(setting);
	assert_int_equal(setting->customers[0].told, 1);
	assert_ptr_equal(setting->customers[0].stream, &fake.clients[0].stream);
	assert_int_equal(setting->endpoint.waiting_count, 0);
	assert_null(setting->customers[0].waiter.endpoint);
}

/* Newest first, so that those that load does not need rest. */
static void
test_lifo(void **state)
{
	struct setting *setting = *state;
	struct http_client *a = make_idle(setting), *b = make_idle(setting);

	fake_done(a);
	fake_done(b);
	assert_ptr_equal(fake_of(take(setting, 1, false)), b);
	assert_ptr_equal(fake_of(take(setting, 1, false)), a);
	assert_int_equal(fake.opened, 2);
	fake_done(b);
	assert_ptr_equal(fake_of(take(setting, 1, false)), b);
	assert_int_equal(setting->endpoint.connections, 2);
	assert_int_equal(setting->endpoint.idle_count, 0);
}

/* A connection that comes free serves who waits; the one that was opened for
 * it is kept. */
static void
test_free_before_connected(void **state)
{
	struct setting *setting = *state;
	struct http_client *a = make_idle(setting);

	assert_null(take(setting, 1, false));
	assert_null(take(setting, 2, false));
	fake_done(a);
	turn(setting);
	assert_ptr_equal(fake_of(setting->customers[1].stream), a);
	assert_int_equal(setting->customers[2].told, 0);
	fake_connected(&fake.clients[1], ERROR_OK);
	turn(setting);
	assert_ptr_equal(
	    fake_of(setting->customers[2].stream), &fake.clients[1]);
	fake_connected(&fake.clients[2], ERROR_OK);
	turn(setting);
	assert_int_equal(setting->endpoint.idle_count, 1);
	assert_int_equal(setting->endpoint.connections, 3);
}

static void
test_dead_idle(void **state)
{
	struct setting *setting = *state;
	struct http_client *a = make_idle(setting), *b = make_idle(setting);

	fake_done(a);
	fake_done(b);
	/* b was closed by the peer, its owner is told later. */
	b->state = FAKE_DEAD;
	assert_ptr_equal(fake_of(take(setting, 1, false)), a);
	b->ops->on_closed(b, b->owner);
	assert_int_equal(setting->endpoint.connections, 1);
	assert_int_equal(setting->endpoint.idle_count, 0);
	fake_done(a);
	fake_gone(a);
	assert_int_equal(setting->endpoint.connections, 0);
	assert_int_equal(setting->endpoint.idle_count, 0);
	/* A lent one that ends. */
	a = make_idle(setting);
	fake_gone(a);
	assert_int_equal(setting->endpoint.connections, 0);
}

static void
test_connect_fails(void **state)
{
	struct setting *setting = *state;

	assert_null(take(setting, 1, false));
	assert_null(take(setting, 2, false));
	assert_int_equal(setting->endpoint.ejected_until_ms, 0);
	fake_connected(&fake.clients[0], ERROR_REFUSED);
	turn(setting);
	assert_int_equal(setting->customers[1].told, 1);
	assert_null(setting->customers[1].stream);
	assert_int_equal(setting->customers[1].error, ERROR_REFUSED);
	assert_int_equal(setting->customers[2].told, 0);
	assert_true(setting->endpoint.ejected_until_ms >
	    net_loop_now_ms(setting->loop));
	fake_connected(&fake.clients[1], ERROR_OK);
	turn(setting);
	assert_non_null(setting->customers[2].stream);
	assert_int_equal(setting->endpoint.ejected_until_ms, 0);
	assert_int_equal(setting->endpoint.connections, 1);
}

static void
test_cannot_connect(void **state)
{
	struct setting *setting = *state;
	enum error error;

	fake.refuse = ERROR_SYSTEM;
	assert_null(proxy_pool_take(
	    &setting->endpoint, &setting->customers[0].waiter, false, &error));
	assert_int_equal(error, ERROR_SYSTEM);
	assert_int_equal(setting->endpoint.waiting_count, 0);
	assert_int_equal(setting->endpoint.connections, 0);
}

static void
test_cancel(void **state)
{
	struct setting *setting = *state;

	assert_null(take(setting, 1, false));
	assert_null(take(setting, 2, false));
	proxy_pool_cancel(&setting->customers[1].waiter);
	proxy_pool_cancel(&setting->customers[1].waiter);
	fake_connected(&fake.clients[0], ERROR_OK);
	fake_connected(&fake.clients[1], ERROR_OK);
	turn(setting);
	assert_int_equal(setting->customers[1].told, 0);
	assert_int_equal(setting->customers[2].told, 1);
	assert_int_equal(setting->endpoint.idle_count, 1);
}

/* At the bound requests wait, and so many of them. */
static void
test_bounds(void **state)
{
	struct setting *setting = *state;
	struct customer *crowd = memory_zero(
	    LIMIT_VALUE_BACKEND_WAITERS + 1, sizeof(struct customer));
	enum error error;

	setting->endpoint.connections = LIMIT_VALUE_BACKEND_CONNECTIONS;
	for (unsigned i = 0; i <= LIMIT_VALUE_BACKEND_WAITERS; i++) {
		crowd[i].waiter.on_stream = on_stream;
		assert_null(proxy_pool_take(
		    &setting->endpoint, &crowd[i].waiter, false, &error));
		assert_int_equal(error,
		    i < LIMIT_VALUE_BACKEND_WAITERS ? ERROR_OK : ERROR_LIMIT);
	}
	assert_int_equal(fake.opened, 0);
	assert_int_equal(setting->metrics.limit_hits[LIMIT_BACKEND_CONNECTIONS],
	    LIMIT_VALUE_BACKEND_WAITERS + 1);
	assert_int_equal(setting->metrics.limit_hits[LIMIT_BACKEND_WAITERS], 1);
	/* One goes: another is opened, for the first in line. */
	setting->endpoint.connections--;
	net_loop_defer(setting->loop, &setting->endpoint.task);
	turn(setting);
	assert_int_equal(fake.opened, 1);
	fake_connected(&fake.clients[0], ERROR_OK);
	turn(setting);
	assert_int_equal(crowd[0].told, 1);
	assert_int_equal(crowd[1].told, 0);
	for (unsigned i = 1; i < LIMIT_VALUE_BACKEND_WAITERS; i++)
		proxy_pool_cancel(&crowd[i].waiter);
	assert_int_equal(setting->endpoint.waiting_count, 0);
	memory_free(crowd);
}

static void
test_wait_ends(void **state)
{
	struct setting *setting = *state;
	struct net_timer *timer = &setting->endpoint.wait_timer;

	setting->endpoint.connections = LIMIT_VALUE_BACKEND_CONNECTIONS;
	assert_null(take(setting, 1, false));
	assert_null(take(setting, 2, false));
	assert_true(net_timer_is_set(timer));
	setting->customers[1].waiter.deadline_ms =
	    net_loop_now_ms(setting->loop);
	timer->on_expire(timer);
	assert_int_equal(setting->customers[1].told, 1);
	assert_int_equal(setting->customers[1].error, ERROR_LIMIT);
	assert_int_equal(setting->customers[2].told, 0);
	assert_true(net_timer_is_set(timer));
	assert_int_equal(setting->metrics.limit_hits[LIMIT_BACKEND_WAIT_MS], 1);
}

/* Those that were never needed in a period are closed at its end. */
static void
test_idle_ends(void **state)
{
	struct setting *setting = *state;
	struct net_timer *timer = &setting->endpoint.idle_timer;
	struct http_client *clients[4];

	for (unsigned i = 0; i < 4; i++)
		clients[i] = make_idle(setting);
	for (unsigned i = 0; i < 4; i++)
		fake_done(clients[i]);
	assert_true(net_timer_is_set(timer));
	timer->on_expire(timer); /* they came in this period */
	assert_int_equal(setting->endpoint.idle_count, 4);
	assert_ptr_equal(fake_of(take(setting, 1, false)), clients[3]);
	fake_done(clients[3]);
	timer->on_expire(timer);
	assert_int_equal(setting->endpoint.idle_count, 1);
	assert_int_equal(setting->endpoint.connections, 1);
	assert_int_equal(clients[3]->state, FAKE_IDLE);
	assert_int_equal(fake_count(FAKE_DEAD), 3);
	timer->on_expire(timer);
	assert_int_equal(setting->endpoint.connections, 0);
}

static void
test_idle_bound(void **state)
{
	struct setting *setting = *state;
	struct http_client *clients[LIMIT_VALUE_BACKEND_IDLE_CONNECTIONS + 3];
	unsigned count = sizeof(clients) / sizeof(clients[0]);

	for (unsigned i = 0; i < count; i++)
		clients[i] = make_idle(setting);
	for (unsigned i = 0; i < count; i++)
		fake_done(clients[i]);
	turn(setting);
	assert_int_equal(
	    setting->endpoint.idle_count, LIMIT_VALUE_BACKEND_IDLE_CONNECTIONS);
	assert_int_equal(clients[0]->state, FAKE_DEAD);
	assert_int_equal(clients[2]->state, FAKE_DEAD);
	assert_int_equal(clients[3]->state, FAKE_IDLE);
}

/* The endpoint goes away: idle ones at once, waiters are told, what is lent
 * ends in its time. */
static void
test_retire(void **state)
{
	struct setting *setting = *state;
	struct http_client *a = make_idle(setting), *b = make_idle(setting);

	setting->endpoint.in_flight = 1;
	setting->backend.candidate_count = 1; /* another one */
	fake_done(a);
	assert_null(take(setting, 3, true));
	proxy_pool_retire(&setting->endpoint);
	turn(setting);
	assert_int_equal(setting->customers[3].error, ERROR_CANCELLED);
	assert_int_equal(a->state, FAKE_DEAD);
	assert_int_equal(b->state, FAKE_LENT);
	assert_false(setting->settled);
	fake_connected(&fake.clients[2], ERROR_OK);
	turn(setting);
	assert_int_equal(fake.clients[2].state, FAKE_DEAD);
	fake_done(b);
	turn(setting);
	assert_int_equal(b->state, FAKE_DEAD);
	assert_false(setting->settled);
	proxy_pool_leave(&setting->endpoint);
	turn(setting);
	assert_true(setting->settled);
}

/* The whole backend goes away: who chose it is still served. */
static void
test_retire_all(void **state)
{
	struct setting *setting = *state;

	assert_null(take(setting, 1, false));
	proxy_pool_retire(&setting->endpoint);
	turn(setting);
	assert_int_equal(setting->customers[1].told, 0);
	fake_connected(&fake.clients[0], ERROR_OK);
	turn(setting);
	assert_non_null(setting->customers[1].stream);
	fake_done(&fake.clients[0]);
	turn(setting);
	assert_int_equal(fake.clients[0].state, FAKE_DEAD);
	assert_true(setting->settled);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_connect),
	    TEST(test_lifo),
	    TEST(test_free_before_connected),
	    TEST(test_dead_idle),
	    TEST(test_connect_fails),
	    TEST(test_cannot_connect),
	    TEST(test_cancel),
	    TEST(test_bounds),
	    TEST(test_wait_ends),
	    TEST(test_idle_ends),
	    TEST(test_idle_bound),
	    TEST(test_retire),
	    TEST(test_retire_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
