/* An address on a link that another machine claims as well. */
#include "hold_setup.h"

/* Whoever has it no more tells of no rival: it would not hear of its end. */
static void
test_rival_is_left(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct setup s;
		start(&s, ip4, false);
		run_until(&s, 5000);
		hear(&s, message(true, ip4, nobody));
		assert_true(announce_hold_is_contested(&s.hold, s.now_ms));
		if (i == 0)
			announce_hold_drop(&s.hold);
		else if (i == 1)
			announce_hold_cede(&s.hold);
		else if (i == 2)
			announce_hold_disown(&s.hold);
		else
			announce_hold_yield(&s.hold, them, s.now_ms);
		if (i == 3) {
			assert_true(
			    announce_hold_is_contested(&s.hold, s.now_ms));
			hear_from(&s, true, message(true, ip4, nobody));
		}
		assert_int_equal(s.hold.state, ANNOUNCE_IDLE);
		assert_false(announce_hold_is_contested(&s.hold, s.now_ms));
	}
}

/* One of ours that came to be known after its claim is none. */
static void
test_rival_is_peer(void **state)
{
	(void)state;
	for (int is_heard = 0; is_heard < 2; is_heard++) {
		struct setup s;
		start(&s, ip4, true);
		run_until(&s, 1000 + HELD_MS + ANNOUNCED_MS);
		assert_int_equal(s.hold.state, ANNOUNCE_HELD);
		hear(&s, message(true, ip4, nobody));
		assert_true(announce_hold_is_contested(&s.hold, s.now_ms));
		if (is_heard)
			hear_from(&s, true, message(false, ip4, nobody));
		else
			announce_hold_know(&s.hold, them, s.now_ms);
		assert_false(announce_hold_is_contested(&s.hold, s.now_ms));
		assert_int_equal(s.hold.state, ANNOUNCE_HELD);
		/* Nor is it looked for. */
		forget(&s);
		run_until(&s, s.now_ms + 5 * LIMIT_VALUE_ANNOUNCE_LOOK_MS);
		assert_in_range(s.probes, 0, 1);
	}
}

/* Its own frames, come back from a switch, are no rival's. */
static void
test_echo(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, true);
	run_until(&s, 1000 + LIMIT_VALUE_ANNOUNCE_PROBE_MS);
	struct wire_neighbour echo = message(false, ip4, nobody);
	memcpy(echo.hardware, us, sizeof(echo.hardware));
	announce_hold_hear(&s.hold, &echo, false, s.now_ms, &s.random, &s.out);
	assert_int_equal(s.hold.state, ANNOUNCE_PROBING);
}

static void
test_defends(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, false);
	run_until(&s, 5000);
	forget(&s);
	/* A rival that repeats itself each millisecond for two seconds. */
	for (unsigned i = 0; i < 2000; i++) {
		run_until(&s, s.now_ms + 1);
		hear(&s, message(true, ip4, nobody));
	}
	assert_int_equal(s.hold.state, ANNOUNCE_HELD);
	/* In both ways now and then. */
	assert_in_range(s.asks, 950, 1005);
	assert_in_range(s.tells, 19, 21);
	assert_in_range(s.probes, 1, 3);
	assert_int_equal(s.hold.counts.claims, 2000);
	/* What it said last is answered too. */
	forget(&s);
	run_until(&s, s.now_ms + LIMIT_VALUE_ANNOUNCE_DEFEND_MS);
	assert_int_equal(s.tells, 1);
	assert_true(announce_hold_is_contested(&s.hold, s.now_ms));
	s.now_ms += LIMIT_VALUE_ANNOUNCE_RIVAL_MS;
	assert_false(announce_hold_is_contested(&s.hold, s.now_ms));
}

/* What neighbours believe while a rival speaks so often: for how long they are
 * wrong at most, and in all. */
struct believed {
	unsigned longest_ms, wrong_ms;
};

static struct believed
speak(struct setup *s, unsigned each_ms, unsigned length_ms)
{
	struct believed believed = {0};
	unsigned wrong_ms = 0;
	bool wrong = false;

	for (uint64_t end = s->now_ms + length_ms; s->now_ms < end;) {
		unsigned said = s->tells + s->asks;

		run_until(s, s->now_ms + 1);
		wrong = wrong && s->tells + s->asks == said;
		wrong_ms = wrong ? wrong_ms + 1 : 0;
		believed.wrong_ms += wrong;
		if (wrong_ms > believed.longest_ms)
			believed.longest_ms = wrong_ms;
		if (s->now_ms % each_ms != 0)
			continue;
		said = s->tells + s->asks;
		hear(s, message(true, s->hold.ip, nobody));
		wrong = s->tells + s->asks == said;
	}
	return believed;
}

/* Whoever speaks 50 times a second is outdone each time, at once unless it was
 * just announced anyway; who does so more often is most of the time, by as many
 * frames as it sends, as long as those are 500 a second. */
static void
test_outdoes(void **state)
{
	(void)state;
	enum { LENGTH_MS = 60000 };
	static const struct {
		const uint8_t *ip;
		unsigned each_ms, longest_ms, wrong_percent, said_max;
	} rows[] = {
	    {ip4, 20, 10, 2, 51},
	    {ip6, 20, 10, 2, 51},
	    {ip4, 5, 10, 35, 205},
	    {ip6, 5, 10, 35, 205},
	    {ip4, 2, 10, 35, 505},
	    {ip6, 2, 10, 35, 505},
	    {ip4, 1, 10, 65, 505},
	    {ip6, 1, 10, 65, 505},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct setup s;
		start(&s, rows[i].ip, false);
		run_until(&s, 5000);
		forget(&s);
		struct believed was = speak(&s, rows[i].each_ms, LENGTH_MS);
		unsigned said =
		    (rows[i].ip == ip4 ? s.asks : s.tells) * 1000 / LENGTH_MS;
		assert_in_range(was.longest_ms, 0, rows[i].longest_ms);
		assert_in_range(
		    was.wrong_ms * 100 / LENGTH_MS, 0, rows[i].wrong_percent);
		assert_in_range(said, 49, rows[i].said_max);
	}
}

/* Two that defend an address alike fill no link, however near they are. */
static void
test_two_defend(void **state)
{
	(void)state;
	enum { LENGTH_MS = 60000 };
	struct setup two[2];
	unsigned heard[2] = {0, 0}, all = 0;

	for (unsigned i = 0; i < 2; i++) {
		start(&two[i], ip6, false);
		run_until(&two[i], 5000);
	}
	forget(&two[0]);
	forget(&two[1]);
	for (unsigned ms = 5000; ms < 5000 + LENGTH_MS; ms++) {
		for (unsigned i = 0; i < 2; i++) {
			struct setup *s = &two[i];

			run_until(s, ms);
			for (; heard[i] < two[!i].tells + two[!i].asks;
			     heard[i]++)
				hear(s, message(true, s->hold.ip, nobody));
		}
	}
	all = two[0].tells + two[1].tells;
	assert_in_range(all, LENGTH_MS / 1000,
	    2 *
	        (LIMIT_VALUE_ANNOUNCE_DEFENCES + 10 +
	            LENGTH_MS / LIMIT_VALUE_ANNOUNCE_DEFEND_EACH_MS));
}

/* All addresses of a link together: what is said is bounded, and none is left
 * to its rival. */
static void
test_many_are_claimed(void **state)
{
	(void)state;
	enum { HOLDS = 50, LENGTH_MS = 10000 };
	static struct setup all[HOLDS];
	struct announce_budget budget = {0};
	unsigned tells = 0;

	for (unsigned i = 0; i < HOLDS; i++) {
		start(&all[i], ip4, false);
		all[i].hold.budget = &budget;
		run_until(&all[i], 10000);
		forget(&all[i]);
	}
	for (unsigned ms = 0; ms < LENGTH_MS; ms++) {
		for (unsigned i = 0; i < HOLDS; i++) {
			run_until(&all[i], 10000 + ms);
			hear(&all[i], message(true, ip4, nobody));
		}
	}
	for (unsigned i = 0; i < HOLDS; i++) {
		assert_in_range(all[i].tells,
		    LENGTH_MS / LIMIT_VALUE_ANNOUNCE_DEFEND_MS - 1,
		    LENGTH_MS / LIMIT_VALUE_ANNOUNCE_DEFEND_SOON_MS);
		tells += all[i].tells;
	}
	assert_in_range(tells, 1,
	    LIMIT_VALUE_ANNOUNCE_DEFENCES +
	        LENGTH_MS / LIMIT_VALUE_ANNOUNCE_DEFEND_EACH_MS +
	        LENGTH_MS / LIMIT_VALUE_ANNOUNCE_DEFEND_SOON_EACH_MS +
	        HOLDS * (LENGTH_MS / LIMIT_VALUE_ANNOUNCE_DEFEND_MS + 1));
}

/* A rival that answers whoever asks, and us alone when we do. */
static void
test_silent_rival(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, false);
	run_until(&s, 5000);
	forget(&s);
	struct wire_neighbour ask = message(false, ip4, other4);
	memcpy(ask.to, wire_hardware_everybody, sizeof(ask.to));
	hear(&s, ask);
	assert_int_equal(s.tells, 1);
	assert_int_equal(s.probes, 1);
	/* While it answers it is looked for, each second, and answered. */
	for (unsigned i = 0; i < 10; i++) {
		forget(&s);
		hear(&s, message(true, ip4, nobody));
		assert_int_equal(s.tells, 1);
		run_until(&s, s.now_ms + LIMIT_VALUE_ANNOUNCE_LOOK_MS);
		assert_int_equal(s.probes, 1);
	}
	forget(&s);
	run_until(&s, s.now_ms + 5 * LIMIT_VALUE_ANNOUNCE_LOOK_MS);
	assert_int_equal(s.probes, 0);
	/* Not for everyone who asks. */
	for (unsigned i = 0; i < 100; i++)
		hear(&s, ask);
	assert_int_equal(s.probes, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rival_is_left),
	    cmocka_unit_test(test_rival_is_peer),
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_defends),
	    cmocka_unit_test(test_outdoes),
	    cmocka_unit_test(test_two_defend),
	    cmocka_unit_test(test_many_are_claimed),
	    cmocka_unit_test(test_silent_rival),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
