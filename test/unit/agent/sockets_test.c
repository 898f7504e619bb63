/* Listening sockets: opened for every worker, kept through changes, taken back,
 * closed when nobody accepts on them, tried again when they were in use. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "rig.h"

static void
listen_on(struct rig *rig, const char *name, const char *address, uint16_t port,
    bool whole)
{
	struct feed_batch *batch = feed_batch_new();

	rig_put_listener(batch, name, address, port);
	rig_offer(rig, &batch, whole, 1);
	rig_serve(rig);
}

static void
drop(struct rig *rig, const char *name)
{
	struct feed_batch *batch = feed_batch_new();

	feed_batch_drop(batch, slice_from_string(name));
	rig_offer(rig, &batch, false, 2);
	rig_serve(rig);
}

static void
test_open(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();
	const struct proxy_worker *one = rig_asked.workers[0];
	const struct proxy_worker *two = rig_asked.workers[1];
	const struct snap_socket *sockets;

	assert_false(rig_connects(port));
	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", port, true);
	assert_true(rig_connects(port));
	assert_int_equal(one->lent_count, 1);
	assert_int_equal(two->lent_count, 1);
	assert_int_not_equal(one->lent[0].fd, two->lent[0].fd);
	assert_int_equal(one->lent[0].port, port);
	assert_int_equal(snap_set_sockets(one->wanted, &sockets), 1);
	assert_int_equal(one->lent[0].socket, sockets[0].id);
	assert_int_equal(two->lent[0].socket, sockets[0].id);
	assert_int_equal(rig_lent_count(), 1);
}

/* Two listeners on one socket; one goes: nothing is touched. The last one takes
 * another name in one change: nothing is touched either. */
static void
test_keep(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();
	struct feed_batch *batch;

	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", port, true);
	listen_on(rig, "listener/ns/gate/b", "127.0.0.1", port, false);
	drop(rig, "listener/ns/gate/a");
	batch = feed_batch_new();
	feed_batch_drop(batch, SLICE("listener/ns/gate/b"));
	rig_put_listener(batch, "listener/ns/gate/c", "127.0.0.1", port);
	rig_offer(rig, &batch, false, 3);
	rig_serve(rig);
	assert_int_equal(rig_asked.workers[0]->lent_count, 1);
	assert_int_equal(rig_lent_count(), 1);
	assert_true(rig_connects(port));
}

/* Each descriptor is closed when its worker accepts no more, and not before,
 * although connections may still be served: nobody may wait in its queue. */
static void
test_remove(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();

	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", port, true);
	drop(rig, "listener/ns/gate/a");
	assert_int_equal(rig_lent_count(), 0);
	assert_int_equal(rig_lent_count(), 0);
	assert_true(rig_connects(port));
	rig_give_back(rig, 0);
	assert_int_equal(fcntl(rig_asked.workers[0]->lent[0].fd, F_GETFD), -1);
	assert_true(rig_connects(port));
	rig_give_back(rig, 1);
	assert_false(rig_connects(port));
}

/* To another port and back, before the workers have given anything back. */
static void
test_move(void **state)
{
	struct rig *rig = *state;
	uint16_t here = rig_free_port(), there = rig_free_port();
	const struct feed_reply *reply;

	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", here, true);
	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", there, false);
	assert_true(rig_connects(there));
	assert_int_equal(rig_lent_count(), 1);
	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", here, false);
	/* It opens as soon as the old one is closed, without waiting for the
	 * next try. */
	rig_give_back(rig, 0);
	rig_give_back(rig, 1);
	assert_int_equal(rig_lent_count(), 1);
	assert_true(rig_connects(here));
	assert_false(rig_connects(there));
	rig_replies(rig, FEED_REPORT, "listener/ns/gate/a", &reply);
	assert_int_equal(reply->error, ERROR_OK);
}

/* A number that comes again is another socket: the old one's descriptors are
 * taken back alone. */
static void
test_number_again(void **state)
{
	struct rig *rig = *state;
	uint16_t ports[8];

	for (unsigned i = 0; i < 8; i++) {
		ports[i] = rig_free_port();
		listen_on(
		    rig, "listener/ns/gate/a", "127.0.0.1", ports[i], i == 0);
		assert_true(rig_connects(ports[i]));
		assert_int_equal(rig_lent_count(), 1);
	}
	assert_int_equal(rig_asked.workers[0]->lent[7].taken, false);
	rig_give_back(rig, 0);
	rig_give_back(rig, 1);
	for (unsigned i = 0; i < 7; i++)
		assert_false(rig_connects(ports[i]));
	assert_true(rig_connects(ports[7]));
}

/* Another process has the port: said why, tried again, served when free. */
static void
test_in_use(void **state)
{
	struct rig *rig = *state;
	uint16_t port = 0;
	int other = rig_occupy(&port);
	const struct feed_reply *reply;
	char want[64];

	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", port, true);
	assert_int_equal(rig_lent_count(), 0);
	assert_int_equal(rig_lent_count(), 0);
	assert_int_equal(
	    rig_replies(rig, FEED_REPORT, "listener/ns/gate/a", &reply), 1);
	assert_int_equal(reply->error, ERROR_IN_USE);
	snprintf(want, sizeof(want),
	    "cannot listen on 127.0.0.1:%u: address in use", port);
	assert_true(slice_equal(reply->why, slice_from_string(want)));
	/* What else there is, is served and confirmed. */
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 1);

	close(other);
	for (unsigned i = 0; rig_lent_count() == 0; i++) {
		assert_true(i < 1000);
		assert_int_equal(net_loop_turn(rig->loop, 100), ERROR_OK);
	}
	assert_int_equal(
	    rig_replies(rig, FEED_REPORT, "listener/ns/gate/a", &reply), 2);
	assert_int_equal(reply->error, ERROR_OK);
	assert_int_equal(reply->why.length, 0);
	assert_true(rig_connects(port));
}

/* One that was in use is not asked for any more: it is forgotten. */
static void
test_in_use_removed(void **state)
{
	struct rig *rig = *state;
	uint16_t port = 0;
	int other = rig_occupy(&port);

	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", port, true);
	drop(rig, "listener/ns/gate/a");
	close(other);
	assert_int_equal(rig_lent_count(), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(net_loop_turn(rig->loop, 100), ERROR_OK);
	assert_false(rig_connects(port));
}

/* An address that this host does not have. */
static void
test_no_such_address(void **state)
{
	struct rig *rig = *state;
	const struct feed_reply *reply;

	listen_on(rig, "listener/ns/gate/a", "192.0.2.1", 8080, true);
	assert_int_equal(
	    rig_replies(rig, FEED_REPORT, "listener/ns/gate/a", &reply), 1);
	assert_int_equal(reply->error, ERROR_NOT_FOUND);
}

/* Every address of the host, IPv4 and, where there is any, IPv6. */
static void
test_every_address(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();
	const struct feed_reply *reply;

	listen_on(rig, "listener/ns/gate/a", "", port, true);
	assert_int_equal(
	    rig_replies(rig, FEED_REPORT, "listener/ns/gate/a", &reply), 1);
	assert_int_equal(reply->error, ERROR_OK);
	assert_true(rig_connects(port));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

/* A port that speaks TLS from now on is another socket; TCP has none. */
static void
test_tls(void **state)
{
	struct rig *rig = *state;
	uint16_t port = rig_free_port();
	struct proxy_worker *one = rig_asked.workers[0];
	struct slice address = SLICE("127.0.0.1");
	struct unit_listener listener = {.addresses = &address,
	    .addresses_count = 1,
	    .port = port,
	    .protocol = UNIT_PROTOCOL_HTTPS};
	struct feed_batch *batch = feed_batch_new();

	listen_on(rig, "listener/ns/gate/a", "127.0.0.1", port, true);
	assert_false(one->lent[0].tls);
	rig_put(batch, "listener/ns/gate/a", &listener);
	rig_offer(rig, &batch, false, 2);
	rig_serve(rig);
	assert_true(one->lent[0].taken);
	rig_give_back(rig, 0);
	rig_give_back(rig, 1);
	assert_int_equal(one->lent_count, 2);
	assert_true(one->lent[1].tls);
	assert_int_equal(one->lent[1].port, port);
	assert_true(rig_connects(port));
	batch = feed_batch_new();
	listener.protocol = UNIT_PROTOCOL_TCP;
	rig_put(batch, "listener/ns/gate/b", &listener);
	rig_offer(rig, &batch, false, 3);
	rig_serve(rig);
	assert_int_equal(one->lent_count, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_open),
	    TEST(test_keep),
	    TEST(test_remove),
	    TEST(test_move),
	    TEST(test_number_again),
	    TEST(test_in_use),
	    TEST(test_in_use_removed),
	    TEST(test_no_such_address),
	    TEST(test_every_address),
	    TEST(test_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
