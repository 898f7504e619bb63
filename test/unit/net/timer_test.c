/* Timers against the plainest model: an array of deadlines. */
#include "net/timer_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/memory.h"
#include "core/random.h"
#include "net/loop_priv.h"

enum { TIMERS = 300, STEPS = 3000, SEEDS = 20 };

static const struct net_loop_ops no_ops;

struct probe {
	struct net_timer timer;
	struct model *model;
	uint64_t deadline_ms; /* 0: not set */
};

struct model {
	struct net_loop loop;
	struct random random;
	struct probe probes[TIMERS];
	unsigned fired;
};

/* From ms to weeks, each size as likely. */
static uint64_t
draw_ms(struct random *random)
{
	unsigned bits = random_below(random, 32);
	return random_next(random) & (((uint64_t)1 << bits) - 1);
}

static void
act(struct model *model)
{
	struct probe *probe =
	    &model->probes[random_below(&model->random, TIMERS)];
	uint64_t after_ms = draw_ms(&model->random);
	switch (random_below(&model->random, 6)) {
	case 0:
		net_timer_clear(&probe->timer);
		probe->deadline_ms = 0;
		break;
	case 1:
		net_timer_pause(&probe->timer);
		probe->deadline_ms = 0;
		break;
	default:
		net_timer_set(&model->loop, &probe->timer, after_ms);
		probe->deadline_ms = model->loop.now_ms + after_ms;
		break;
	}
}

static void
on_expire(struct net_timer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);
	assert_int_not_equal(probe->deadline_ms, 0);
	assert_true(probe->deadline_ms <= probe->model->loop.now_ms);
	assert_false(net_timer_is_set(timer));
	probe->deadline_ms = 0;
	probe->model->fired++;
	for (unsigned i = random_below(&probe->model->random, 3); i > 0; i--)
		act(probe->model);
}

/* Let time pass, and look for a timer that should have fired. */
static void
advance(struct model *model)
{
	struct net_loop *loop = &model->loop;
	uint64_t next_ms = loop->wheel.next_ms;
	if (random_below(&model->random, 2) && next_ms != UINT64_MAX &&
	    next_ms > loop->now_ms)
		loop->now_ms = next_ms - random_below(&model->random, 2);
	else
		loop->now_ms += draw_ms(&model->random) >> 6;
	if (loop->now_ms >= loop->wheel.next_ms)
		net_wheel_advance(loop);
	assert_true(loop->wheel.next_ms > loop->now_ms);

	for (unsigned i = 0; i < TIMERS; i++) {
		const struct probe *probe = &model->probes[i];
		if (!probe->deadline_ms)
			continue;
		assert_int_equal(probe->timer.deadline_ms, probe->deadline_ms);
		assert_true(
		    probe->deadline_ms + NET_TIMER_TICK_MS > loop->now_ms);
		assert_true(loop->wheel.next_ms <=
		    probe->deadline_ms + NET_TIMER_TICK_MS);
	}
}

static void
test_model(void **state)
{
	struct model *model = memory_zero(1, sizeof(*model));
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		random_init_seed(&model->random, seed);
		model->fired = 0;
		net_loop_init(&model->loop, &no_ops,
		    1 + (random_next(&model->random) >> (28 + seed)));
		for (unsigned i = 0; i < TIMERS; i++) {
			model->probes[i].model = model;
			model->probes[i].deadline_ms = 0;
			net_timer_init(&model->probes[i].timer, on_expire);
		}
		for (unsigned i = 0; i < STEPS; i++) {
			for (unsigned j = 0; j < 4; j++)
				act(model);
			advance(model);
		}
		assert_true(model->fired > STEPS / 4);
	}
	memory_free(model);
}

static unsigned count;
static struct net_loop loop;
static struct net_timer other;

static void
on_count(struct net_timer *timer)
{
	(void)timer;
	count++;
}

static void
on_set_again(struct net_timer *timer)
{
	count++;
	net_timer_set(&loop, timer, 0);
}

static void
on_clear_other(struct net_timer *timer)
{
	(void)timer;
	count++;
	net_timer_clear(&other);
}

static void
pass(uint64_t ms)
{
	loop.now_ms += ms;
	if (loop.now_ms >= loop.wheel.next_ms)
		net_wheel_advance(&loop);
}

static void
test_moved_later_is_one_store(void **state)
{
	struct net_timer timer;
	(void)state;
	net_loop_init(&loop, &no_ops, 1000);
	net_timer_init(&timer, on_count);
	count = 0;
	net_timer_set(&loop, &timer, 100);
	uint64_t wheel_ms = timer.wheel_ms;
	for (unsigned i = 0; i < 50; i++) {
		net_timer_set(&loop, &timer, 100);
		if (i == 0)
			assert_int_equal(timer.wheel_ms, wheel_ms);
		pass(50);
	}
	assert_int_equal(count, 0);
	pass(50);
	pass(8);
	assert_int_equal(count, 1);
	pass(1000000);
	assert_int_equal(count, 1);
	assert_int_equal(loop.wheel.next_ms, UINT64_MAX);
}

/* An expiring timer that sets itself to now fires once a turn, not for ever. */
static void
test_set_by_itself(void **state)
{
	struct net_timer timer;
	(void)state;
	net_loop_init(&loop, &no_ops, 1000);
	net_timer_init(&timer, on_set_again);
	count = 0;
	net_timer_set(&loop, &timer, 0);
	assert_int_equal(count, 0);
	for (unsigned i = 1; i < 10; i++) {
		pass(NET_TIMER_TICK_MS);
		assert_int_equal(count, i);
	}
	net_timer_clear(&timer);
}

/* Of two that are due at once, the first clears the second, whose memory may
 * then go. */
static void
test_clear_while_due(void **state)
{
	struct net_timer timer;
	(void)state;
	net_loop_init(&loop, &no_ops, 1000);
	net_timer_init(&timer, on_clear_other);
	net_timer_init(&other, on_count);
	count = 0;
	net_timer_set(&loop, &timer, 10);
	net_timer_set(&loop, &other, 10);
	pass(20);
	assert_int_equal(count, 1);
	pass(1000);
	assert_int_equal(count, 1);
}

static void
test_longest(void **state)
{
	struct net_timer timer;
	(void)state;
	net_loop_init(&loop, &no_ops, (uint64_t)1 << 38);
	net_timer_init(&timer, on_count);
	count = 0;
	net_timer_set(&loop, &timer, NET_TIMER_MS_MAX);
	pass(NET_TIMER_MS_MAX - 1);
	assert_int_equal(count, 0);
	pass(1 + NET_TIMER_TICK_MS);
	assert_int_equal(count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_moved_later_is_one_store),
	    cmocka_unit_test(test_set_by_itself),
	    cmocka_unit_test(test_clear_while_due),
	    cmocka_unit_test(test_longest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
