/* The way of a batch: applied, published, served, confirmed; refused units, a
 * whole batch that replaces, slices of time, and the drain. */
#include "agent/agent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/memory.h"
#include "rig.h"

static void
put_service(struct feed_batch *batch, const char *name, int64_t port)
{
	struct unit_service_port ports[] = {{.number = port}};
	struct unit_service service = {.ports = ports, .ports_count = 1};

	rig_put(batch, name, &service);
}

static unsigned
count_units(const struct rig *rig)
{
	const struct unit *unit;
	size_t at = 0;
	unsigned count = 0;

	while (snap_store_next(agent_store(rig->agent), &at, &unit))
		count++;
	return count;
}

static bool
has_unit(const struct rig *rig, const char *name)
{
	return snap_store_unit(
	           agent_store(rig->agent), slice_from_string(name)) != NULL;
}

/* Nothing is confirmed before every worker serves it. */
static void
test_confirm(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	const struct feed_reply *reply;

	put_service(batch, "service/ns/a", 80);
	rig_offer(rig, &batch, true, 7);
	assert_true(has_unit(rig, "service/ns/a"));
	assert_non_null(rig_asked.workers[0]->wanted);
	assert_ptr_equal(
	    rig_asked.workers[0]->wanted, rig_asked.workers[1]->wanted);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 0);
	assert_false(agent_is_ready(rig->agent));

	rig_asked.workers[0]->served =
	    snap_set_number(rig_asked.workers[0]->wanted);
	net_loop_wake(rig->loop);
	rig_settle(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 0);
	assert_int_equal(rig->served, 0);

	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", &reply), 1);
	assert_int_equal(reply->generation.bytes[0], 7);
	assert_int_equal(rig->served, 1);
	assert_true(agent_is_ready(rig->agent));
	/* Once. */
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 1);
}

/* What came while workers were behind is confirmed by its last generation. */
static void
test_confirm_latest(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	const struct feed_reply *reply;

	put_service(batch, "service/ns/a", 80);
	rig_offer(rig, &batch, true, 1);
	for (unsigned char i = 2; i < 6; i++) {
		batch = feed_batch_new();
		put_service(batch, "service/ns/a", 80 + i);
		rig_offer(rig, &batch, false, i);
	}
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 0);
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", &reply), 1);
	assert_int_equal(reply->generation.bytes[15], 5);
}

/* A batch that changes nothing that is served is confirmed too. */
static void
test_confirm_same(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	const struct feed_reply *reply;

	put_service(batch, "service/ns/a", 80);
	rig_offer(rig, &batch, true, 1);
	rig_serve(rig);
	batch = feed_batch_new();
	put_service(batch, "service/ns/a", 80);
	rig_offer(rig, &batch, false, 1);
	rig_serve(rig);
	rig_replies(rig, FEED_CONFIRM, "", &reply);
	assert_int_equal(reply->generation.bytes[0], 1);
	assert_true(agent_is_ready(rig->agent));
}

/* Before a whole batch came nothing is published: a restarted agent must not
 * serve a part. */
static void
test_not_whole(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	put_service(batch, "service/ns/a", 80);
	rig_offer(rig, &batch, false, 1);
	assert_null(rig_asked.workers[0]->wanted);
	rig_serve(rig);
	assert_false(agent_is_ready(rig->agent));
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 0);
}

static void
test_empty(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	rig_offer(rig, &batch, true, 0);
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 1);
	assert_true(agent_is_ready(rig->agent));
}

/* One bad unit is left out, named, and harms no other. */
static void
test_refuse(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	const struct feed_reply *reply;

	put_service(batch, "service/ns/a", 80);
	feed_batch_put(batch, SLICE("service/ns/bad"), SLICE("\xff\xff\xff"));
	feed_batch_put(batch, SLICE("strange/ns/x"), SLICE(""));
	put_service(batch, "service/ns/b", 80);
	rig_offer(rig, &batch, true, 3);
	rig_serve(rig);
	assert_int_equal(
	    rig_replies(rig, FEED_REFUSE, "service/ns/bad", &reply), 1);
	assert_int_not_equal(reply->error, ERROR_OK);
	assert_true(reply->why.length > 0);
	assert_int_equal(
	    rig_replies(rig, FEED_REFUSE, "strange/ns/x", &reply), 1);
	assert_int_equal(reply->error, ERROR_UNKNOWN);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 1);
	assert_true(has_unit(rig, "service/ns/a"));
	assert_true(has_unit(rig, "service/ns/b"));

	/* A bad change leaves what was there. */
	batch = feed_batch_new();
	feed_batch_put(batch, SLICE("service/ns/a"), SLICE("\xff"));
	rig_offer(rig, &batch, false, 4);
	assert_int_equal(
	    rig_replies(rig, FEED_REFUSE, "service/ns/a", NULL), 1);
	assert_true(has_unit(rig, "service/ns/a"));
}

/* A whole batch drops what it does not name. */
static void
test_whole_again(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	put_service(batch, "service/ns/a", 80);
	put_service(batch, "service/ns/b", 80);
	rig_offer(rig, &batch, true, 1);
	batch = feed_batch_new();
	put_service(batch, "service/ns/b", 80);
	put_service(batch, "service/ns/c", 80);
	rig_offer(rig, &batch, true, 2);
	assert_false(has_unit(rig, "service/ns/a"));
	assert_true(has_unit(rig, "service/ns/b"));
	assert_true(has_unit(rig, "service/ns/c"));
	batch = feed_batch_new();
	feed_batch_drop(batch, SLICE("service/ns/b"));
	feed_batch_drop(batch, SLICE("service/ns/never"));
	rig_offer(rig, &batch, false, 3);
	assert_int_equal(count_units(rig), 1);
}

/* A great batch is applied in several turns, and published whole: no worker
 * ever sees a part of it. Time runs by the test: each look at the clock is 1
 * ms later. */
static bool clock_runs;
static int64_t passed_ms;

int
clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = (int)syscall(SYS_clock_gettime, clock, time);

	passed_ms += clock_runs;
	time->tv_sec += passed_ms / 1000;
	time->tv_nsec += passed_ms % 1000 * 1000000;
	if (time->tv_nsec >= 1000000000) {
		time->tv_nsec -= 1000000000;
		time->tv_sec++;
	}
	return result;
}

static void
test_slices(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	unsigned turns = 0, before = 0;

	for (unsigned i = 0; i < 1000; i++) {
		char name[64];

		snprintf(name, sizeof(name), "service/ns/s%u", i);
		put_service(batch, name, 80);
	}
	batch->whole = true;
	clock_runs = true;
	feed_offer(rig->feed, &batch);
	while (rig_asked.workers[0]->wanted == NULL) {
		unsigned count;

		assert_true(turns++ < 1000);
		assert_int_equal(net_loop_turn(rig->loop, 1000), ERROR_OK);
		count = count_units(rig);
		assert_true(count - before < 200);
		before = count;
	}
	clock_runs = false;
	assert_true(turns > 5);
	assert_int_equal(count_units(rig), 1000);
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 1);
}

/* Nothing of it is served before its end, though all is built by then. */
static void
test_parts(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();

	put_service(batch, "service/ns/a", 80);
	batch->part = true;
	rig_offer(rig, &batch, false, 1);
	assert_null(rig_asked.workers[0]->wanted);
	assert_int_equal(count_units(rig), 1);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 0);
	batch = feed_batch_new();
	put_service(batch, "service/ns/b", 80);
	rig_offer(rig, &batch, true, 2);
	assert_non_null(rig_asked.workers[0]->wanted);
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 1);
	assert_int_equal(count_units(rig), 2);

	/* A later one too, whatever wakes the agent in between. */
	const struct snap_set *before = rig_asked.workers[0]->wanted;

	batch = feed_batch_new();
	feed_batch_drop(batch, SLICE("service/ns/a"));
	batch->part = true;
	rig_offer(rig, &batch, false, 3);
	agent_wake(rig->agent);
	assert_ptr_equal(rig_asked.workers[0]->wanted, before);
	batch = feed_batch_new();
	rig_offer(rig, &batch, false, 4);
	assert_ptr_not_equal(rig_asked.workers[0]->wanted, before);
	rig_serve(rig);
	assert_int_equal(rig_replies(rig, FEED_CONFIRM, "", NULL), 2);
	assert_int_equal(count_units(rig), 1);
}

/* It waits for connections, or for the deadline. */
static void
test_drain(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	uint16_t port = rig_free_port();

	rig_put_listener(batch, "listener/ns/gate/http", "127.0.0.1", port);
	rig_offer(rig, &batch, true, 1);
	rig_serve(rig);
	assert_true(rig_connects(port));
	agent_drain(rig->agent);
	agent_drain(rig->agent);
	assert_false(agent_is_ready(rig->agent));
	assert_true(rig_asked.workers[1]->draining);
	/* Nobody is kept waiting in a queue that is not served any more. */
	rig_give_back(rig, 0);
	rig_give_back(rig, 1);
	assert_false(rig_connects(port));
	assert_int_equal(rig->drained, 0);
	rig_asked.workers[0]->idle = true;
	rig_serve(rig);
	assert_int_equal(rig->drained, 0);
	rig_asked.workers[1]->idle = true;
	rig_serve(rig);
	assert_int_equal(rig->drained, 1);
	rig_serve(rig);
	assert_int_equal(rig->drained, 1);
}

/* A change that comes while it drains opens nothing. */
static void
test_drain_opens_nothing(void **state)
{
	struct rig *rig = *state;
	struct feed_batch *batch = feed_batch_new();
	uint16_t port = rig_free_port();

	rig_offer(rig, &batch, true, 1);
	agent_drain(rig->agent);
	batch = feed_batch_new();
	rig_put_listener(batch, "listener/ns/gate/http", "127.0.0.1", port);
	rig_offer(rig, &batch, false, 2);
	assert_int_equal(rig_lent_count(), 0);
	assert_false(rig_connects(port));
}

static void
on_end(void *context)
{
	(*(unsigned *)context)++;
}

static void
test_deadline(void **state)
{
	unsigned ended = 0;
	struct agent_options options = {
	    .loop = net_loop_new(),
	    .feed = feed_new(),
	    .workers = RIG_WORKERS,
	    .drain_ms = 10,
	    .on_drained = on_end,
	    .on_served = on_end,
	    .context = &ended,
	};
	struct agent *agent;

	(void)state;
	memset(&rig_asked, 0, sizeof(rig_asked));
	assert_int_equal(agent_new(&options, &agent), ERROR_OK);
	agent_drain(agent);
	for (unsigned i = 0; i < 1000 && ended == 0; i++)
		assert_int_equal(net_loop_turn(options.loop, 100), ERROR_OK);
	assert_int_equal(ended, 1);
	agent_free(&agent);
	feed_free(options.feed);
	net_loop_free(options.loop);
}

/* The second worker does not start: the first is stopped, nothing is left. */
static void
test_no_start(void **state)
{
	struct agent_options options = {
	    .loop = net_loop_new(),
	    .feed = feed_new(),
	    .workers = RIG_WORKERS,
	    .on_drained = on_end,
	    .on_served = on_end,
	};
	struct agent *agent;

	(void)state;
	memset(&rig_asked, 0, sizeof(rig_asked));
	rig_asked.start_error = ERROR_SYSTEM;
	assert_int_equal(agent_new(&options, &agent), ERROR_SYSTEM);
	assert_null(agent);
	assert_null(rig_asked.workers[0]);
	agent_free(&agent);
	feed_free(options.feed);
	net_loop_free(options.loop);
}

/* It ends in the middle of a batch, with more behind it. */
static void
test_end_in_batch(void **state)
{
	struct rig *rig = *state;

	clock_runs = true;
	for (unsigned k = 0; k < 3; k++) {
		struct feed_batch *batch = feed_batch_new();

		for (unsigned i = 0; i < 500; i++) {
			char name[64];

			snprintf(name, sizeof(name), "service/ns/s%u", i);
			put_service(batch, name, 80 + k);
		}
		feed_offer(rig->feed, &batch);
	}
	assert_int_equal(net_loop_turn(rig->loop, 1000), ERROR_OK);
	clock_runs = false;
	assert_true(count_units(rig) < 500);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_confirm),
	    TEST(test_confirm_latest),
	    TEST(test_confirm_same),
	    TEST(test_not_whole),
	    TEST(test_empty),
	    TEST(test_refuse),
	    TEST(test_whole_again),
	    TEST(test_slices),
	    TEST(test_parts),
	    TEST(test_drain),
	    TEST(test_drain_opens_nothing),
	    cmocka_unit_test(test_deadline),
	    cmocka_unit_test(test_no_start),
	    TEST(test_end_in_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
