/* An address on a link: steps by the clock, and seeds of machines that want the
 * same address on a link that loses and delays. */
#include "announce/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/limit.h"
#include "core/must.h"

#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"
static const uint8_t ip4[] = MAPPED "\xc0\0\2\1";
static const uint8_t ip6[] = "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1";
static const uint8_t other4[] = MAPPED "\xc0\0\2\2";
static const uint8_t nobody[WIRE_IP_BYTES];
static const uint8_t us[] = "\2\0\0\0\0\1", them[] = "\2\0\0\0\0\2";

/* The longest that an address which nobody has takes to be held. */
#define HELD_MS \
	((uint64_t)LIMIT_VALUE_ANNOUNCE_PROBE_FIRST_MS + \
	    LIMIT_VALUE_ANNOUNCE_PROBE_MS * LIMIT_VALUE_ANNOUNCE_PROBES)

/* And until it has been announced so often as it is at first. */
#define ANNOUNCED_MS 2400

struct setup {
	struct announce_hold hold;
	struct random random;
	struct announce_budget budget;
	struct announce_output out;
	uint64_t now_ms;
	unsigned probes, asks, tells; /* that went out since the last look */
};

static void
count(struct setup *s)
{
	for (unsigned i = 0; i < s->out.count; i++) {
		const struct wire_neighbour *message = &s->out.messages[i];
		if (message->is_tell)
			s->tells++;
		else if (wire_ip_is_zero(message->other))
			s->probes++;
		else
			s->asks++;
	}
}

static void
run_until(struct setup *s, uint64_t until_ms)
{
	while (s->hold.due_ms <= until_ms) {
		s->now_ms = s->hold.due_ms;
		announce_hold_tick(&s->hold, s->now_ms, &s->random, &s->out);
		count(s);
		assert_true(s->hold.due_ms > s->now_ms ||
		    s->hold.state == ANNOUNCE_HELD);
	}
	s->now_ms = until_ms;
}

static void
hear_from(struct setup *s, bool is_peer, struct wire_neighbour message)
{
	memcpy(message.hardware, them, sizeof(message.hardware));
	announce_hold_hear(
	    &s->hold, &message, is_peer, s->now_ms, &s->random, &s->out);
	count(s);
}

static void
hear(struct setup *s, struct wire_neighbour message)
{
	hear_from(s, false, message);
}

static struct wire_neighbour
message(bool is_tell, const uint8_t *subject, const uint8_t *other)
{
	struct wire_neighbour value = {
	    .is_tell = is_tell, .is_ipv6 = !wire_ip_is_ipv4(subject)};
	memcpy(value.subject, subject, WIRE_IP_BYTES);
	memcpy(value.other, other, WIRE_IP_BYTES);
	return value;
}

/* probe: nothing of ours is known to have had it. */
static void
start(struct setup *s, const uint8_t *ip, bool probe)
{
	*s = (struct setup){.now_ms = 1000};
	random_init_seed(&s->random, 1);
	announce_hold_init(&s->hold, ip, us, &s->budget);
	announce_hold_yield(&s->hold, them, s->now_ms);
	if (!probe)
		hear_from(s, true, message(true, ip, nobody));
	announce_hold_take(&s->hold, s->now_ms, &s->random);
}

static void
forget(struct setup *s)
{
	s->probes = s->asks = s->tells = 0;
}

static void
test_nobody_has_it(void **state)
{
	(void)state;
	for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		struct setup s;
		start(&s, is_ipv6 ? ip6 : ip4, true);
		run_until(&s, 1000 + HELD_MS);
		assert_int_equal(s.hold.state, ANNOUNCE_HELD);
		assert_int_equal(s.probes, LIMIT_VALUE_ANNOUNCE_PROBES);
		run_until(&s, 1000 + HELD_MS + ANNOUNCED_MS);
		assert_int_equal(s.tells, 5);
		assert_int_equal(s.asks, is_ipv6 ? 0 : 5);
		forget(&s);
		run_until(&s, s.now_ms + 10 * LIMIT_VALUE_ANNOUNCE_REFRESH_MS);
		assert_int_equal(s.tells, 10);
		/* and looked for elsewhere as often */
		assert_int_equal(s.probes, 10);
	}
}

/* Of many addresses that are taken together only the first announcements come
 * together. */
static void
test_spread(void **state)
{
	(void)state;
	enum { MANY = 1000, EACH_MS_MOST = 60 };
	static struct setup all[MANY];
	static unsigned at_ms[ANNOUNCED_MS + LIMIT_VALUE_ANNOUNCE_REFRESH_MS];
	for (unsigned i = 0; i < MANY; i++) {
		struct setup *s = &all[i];
		start(s, ip4, false);
		random_init_seed(&s->random, i);
		run_until(s, s->hold.due_ms);
		assert_int_equal(s->hold.step, 1);
		uint64_t began_ms = s->now_ms;
		while (s->hold.due_ms - began_ms <
		    LIMIT_VALUE_ANNOUNCE_REFRESH_MS) {
			at_ms[s->hold.due_ms - began_ms]++;
			run_until(s, s->hold.due_ms);
		}
	}
	for (unsigned ms = 0; ms < sizeof(at_ms) / sizeof(at_ms[0]); ms++)
		assert_in_range(at_ms[ms], 0, EACH_MS_MOST);
}

/* Who takes over from a node of ours announces at once. */
static void
test_take_over(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, false);
	assert_int_equal(s.hold.due_ms, 1000);
	run_until(&s, 1000);
	assert_int_equal(s.hold.state, ANNOUNCE_HELD);
	assert_int_equal(s.probes, 0);
	assert_int_equal(s.tells, 1);
	assert_int_equal(s.asks, 1);
}

static void
test_answers(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, false);
	run_until(&s, 5000);
	forget(&s);
	hear(&s, message(false, ip4, other4));
	assert_int_equal(s.out.count, 1);
	assert_true(s.out.messages[0].is_tell);
	assert_true(s.out.messages[0].is_solicited);
	assert_memory_equal(s.out.messages[0].to, them, 6);
	assert_memory_equal(s.out.messages[0].hardware, us, 6);
	assert_memory_equal(s.out.messages[0].other, other4, WIRE_IP_BYTES);
	/* who probes is told as well */
	hear(&s, message(false, ip4, nobody));
	assert_int_equal(s.out.count, 1);
	assert_false(s.out.messages[0].is_solicited);
	/* nothing for what is not ours */
	hear(&s, message(false, other4, ip6));
	hear(&s, message(true, other4, nobody));
	assert_int_equal(s.tells, 2);
	assert_int_equal(s.hold.rival_ms, 0);
	/* and nothing before it is held */
	start(&s, ip4, true);
	hear(&s, message(false, ip4, other4));
	assert_int_equal(s.out.count, 0);
}

/* Each way in which another machine may show that it has the address, or wants
 * it. */
static void
test_taken(void **state)
{
	(void)state;
	const struct wire_neighbour shows[] = {message(true, ip4, other4),
	    message(true, ip4, nobody), message(false, other4, ip4),
	    message(false, ip4, ip4), message(false, ip4, nobody)};
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		struct setup s;
		start(&s, ip4, true);
		run_until(&s, 1000 + HELD_MS / 2);
		assert_false(announce_hold_is_taken(&s.hold));
		hear(&s, shows[i]);
		assert_int_equal(s.hold.state, ANNOUNCE_TAKEN);
		assert_memory_equal(s.hold.rival, them, 6);
		assert_true(announce_hold_is_contested(&s.hold, s.now_ms));
		assert_int_equal(s.tells + s.asks, 0);
		forget(&s);
		/* It has gone, which is not known until it was asked again. */
		uint64_t until =
		    s.now_ms + 2 * LIMIT_VALUE_ANNOUNCE_RETRY_MS + HELD_MS;
		while (!announce_hold_is_here(&s.hold)) {
			assert_true(announce_hold_is_taken(&s.hold));
			run_until(&s, s.hold.due_ms);
			assert_true(s.now_ms <= until);
		}
		assert_false(announce_hold_is_taken(&s.hold));
		assert_in_range(s.probes, LIMIT_VALUE_ANNOUNCE_PROBES,
		    LIMIT_VALUE_ANNOUNCE_PROBES + 1);
		assert_int_equal(s.hold.state, ANNOUNCE_HELD);
		assert_false(announce_hold_is_contested(&s.hold, s.now_ms));
	}
}

/* A peer was elected, but another machine keeps it from it: whoever comes after
 * the peer asks for it too. */
static void
test_peer_never_had_it(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, true);
	assert_int_equal(s.hold.state, ANNOUNCE_PROBING);
	run_until(&s, 1000 + HELD_MS / 2);
	hear(&s, message(true, ip4, nobody));
	assert_int_equal(s.hold.state, ANNOUNCE_TAKEN);
	announce_hold_yield(&s.hold, them, s.now_ms);
	assert_int_equal(s.hold.state, ANNOUNCE_IDLE);
	hear_from(&s, true, message(false, ip4, nobody)); /* it only asks */
	announce_hold_take(&s.hold, s.now_ms, &s.random);
	assert_int_equal(s.hold.state, ANNOUNCE_PROBING);
}

/* It was a peer's that was not known for one: it is taken over from it. */
static void
test_peer_is_known_late(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, true);
	run_until(&s, 1000 + HELD_MS / 2);
	hear(&s, message(true, ip4, nobody));
	assert_int_equal(s.hold.state, ANNOUNCE_TAKEN);
	hear_from(&s, true, message(true, ip4, nobody));
	assert_int_equal(s.hold.state, ANNOUNCE_HELD);
}

/* A peer had it, and another machine has it since. */
static void
test_ours_no_more(void **state)
{
	(void)state;
	struct setup s;
	const uint64_t near_ms = LIMIT_VALUE_ANNOUNCE_SILENCE_MS;

	for (int answered = 0; answered < 2; answered++) {
		start(&s, ip4, true);
		announce_hold_yield(&s.hold, them, s.now_ms);
		hear_from(&s, true, message(true, ip4, nobody));
		s.now_ms += LIMIT_VALUE_ANNOUNCE_REFRESH_MS;
		hear(&s, message(true, ip4, nobody));
		assert_int_equal(s.hold.counts.claims, 0);
		if (answered)
			hear_from(&s, true, message(true, ip4, nobody));
		/* It goes on while the peer dies and is given up. */
		s.now_ms += near_ms;
		hear(&s, message(true, ip4, nobody));
		announce_hold_take(&s.hold, s.now_ms, &s.random);
		assert_int_equal(
		    s.hold.state, answered ? ANNOUNCE_HELD : ANNOUNCE_PROBING);
	}
}

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

/* Given up to a peer, once that has it. */
static void
test_yields(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, false);
	run_until(&s, 5000);
	forget(&s);
	announce_hold_yield(&s.hold, them, s.now_ms);
	assert_true(announce_hold_is_here(&s.hold));
	/* Asked for, and answered meanwhile, but not announced. */
	run_until(&s, s.now_ms + 450);
	assert_int_equal(s.probes, 5);
	assert_int_equal(s.tells, 0);
	struct wire_neighbour ask = message(false, ip4, other4);
	memcpy(ask.hardware, them, 5);
	announce_hold_hear(&s.hold, &ask, false, s.now_ms, &s.random, &s.out);
	assert_int_equal(s.out.count, 1);
	/* Another's claim is not the successor's. */
	struct wire_neighbour claim = message(true, ip4, nobody);
	memcpy(claim.hardware, them, 5);
	announce_hold_hear(&s.hold, &claim, true, s.now_ms, &s.random, &s.out);
	assert_int_equal(s.hold.state, ANNOUNCE_YIELDING);
	hear_from(&s, true, message(true, ip4, nobody));
	assert_int_equal(s.hold.state, ANNOUNCE_IDLE);
	assert_true(s.hold.due_ms == UINT64_MAX);
	hear(&s, message(false, ip4, other4));
	assert_int_equal(s.out.count, 0);
	/* The successor is gone before it has it. */
	start(&s, ip4, false);
	run_until(&s, 5000);
	announce_hold_yield(&s.hold, them, s.now_ms);
	run_until(&s, s.now_ms + 50);
	forget(&s);
	announce_hold_take(&s.hold, s.now_ms, &s.random);
	run_until(&s, s.now_ms);
	assert_int_equal(s.tells, 1);
	/* What is not held yet is not kept. */
	start(&s, ip4, true);
	assert_int_equal(s.hold.state, ANNOUNCE_PROBING);
	announce_hold_yield(&s.hold, them, s.now_ms);
	assert_int_equal(s.hold.state, ANNOUNCE_IDLE);
}

/* A peer that had it too, as after a link was cut: neighbours are told again.
 */
static void
test_peers(void **state)
{
	(void)state;
	const struct wire_neighbour had[] = {
	    message(true, ip4, nobody), message(false, ip4, nobody)};
	for (size_t i = 0; i < 2; i++) {
		struct setup s;
		start(&s, ip4, false);
		run_until(&s, 5000);
		forget(&s);
		hear_from(&s, true, had[i]);
		assert_int_equal(s.hold.state, ANNOUNCE_HELD);
		run_until(&s, s.now_ms + ANNOUNCED_MS);
		assert_in_range(s.tells, 5, 6);
		assert_int_equal(s.hold.counts.claims, 0);
	}
	/* Asked for while a peer has it: ours, so it is taken. */
	struct setup s;
	start(&s, ip4, true);
	hear_from(&s, true, message(false, ip4, nobody));
	assert_int_equal(s.hold.state, ANNOUNCE_PROBING);
	hear_from(&s, true, message(true, ip4, nobody));
	assert_int_equal(s.hold.state, ANNOUNCE_HELD);
}

/* A process that stood still announces as one that has just begun. */
static void
test_late(void **state)
{
	(void)state;
	struct setup s;
	start(&s, ip4, false);
	run_until(&s, 10000);
	forget(&s);
	s.now_ms = s.hold.due_ms + 3600000;
	announce_hold_tick(&s.hold, s.now_ms, &s.random, &s.out);
	count(&s);
	run_until(&s, s.now_ms + ANNOUNCED_MS);
	assert_int_equal(s.tells, 5);
	forget(&s);
	announce_hold_renew(&s.hold, them, s.now_ms);
	run_until(&s, s.now_ms + ANNOUNCED_MS);
	assert_int_equal(s.tells, 5);
	assert_memory_equal(s.out.messages[0].hardware, them, 6);
	/* One that still asks asks from the beginning. */
	start(&s, ip4, true);
	run_until(&s, 1000 + HELD_MS / 2);
	forget(&s);
	announce_hold_renew(&s.hold, us, s.now_ms);
	run_until(&s, s.now_ms + HELD_MS);
	assert_int_equal(s.probes, LIMIT_VALUE_ANNOUNCE_PROBES);
	assert_int_equal(s.hold.state, ANNOUNCE_HELD);
}

/* A link with machines that all want one address. */
enum { MACHINES = 4, IN_FLIGHT = 64 };
struct flying {
	struct wire_neighbour message;
	uint64_t at_ms;
	unsigned to;
};
struct link {
	struct announce_hold holds[MACHINES];
	struct announce_budget budgets[MACHINES];
	bool here[MACHINES];
	struct flying flying[IN_FLIGHT];
	unsigned flying_count;
	struct random random;
	unsigned loss_percent, delay_ms;
	unsigned held, aware; /* as of the last step */
};

static void
send_all(struct link *link, unsigned from, uint64_t now_ms,
    const struct announce_output *out)
{
	for (unsigned i = 0; i < out->count; i++) {
		for (unsigned to = 0; to < MACHINES; to++) {
			if (to == from || !link->here[to] ||
			    random_below(&link->random, 100) <
			        link->loss_percent ||
			    link->flying_count == IN_FLIGHT)
				continue;
			link->flying[link->flying_count++] = (struct flying){
			    .message = out->messages[i],
			    .at_ms = now_ms +
			        random_below(&link->random, link->delay_ms + 1),
			    .to = to};
		}
	}
}

static void
deliver(struct link *link, uint64_t now_ms)
{
	struct announce_output out;
	for (unsigned i = 0; i < link->flying_count;) {
		struct flying flying = link->flying[i];
		if (flying.at_ms > now_ms) {
			i++;
			continue;
		}
		link->flying[i] = link->flying[--link->flying_count];
		if (!link->here[flying.to])
			continue;
		announce_hold_hear(&link->holds[flying.to], &flying.message,
		    false, now_ms, &link->random, &out);
		send_all(link, flying.to, now_ms, &out);
	}
}

static void
step(struct link *link, uint64_t now_ms)
{
	struct announce_output out;
	deliver(link, now_ms);
	link->held = link->aware = 0;
	for (unsigned i = 0; i < MACHINES; i++) {
		struct announce_hold *hold = &link->holds[i];
		if (!link->here[i])
			continue;
		if (hold->due_ms <= now_ms) {
			announce_hold_tick(hold, now_ms, &link->random, &out);
			send_all(link, i, now_ms, &out);
		}
		link->held += hold->state == ANNOUNCE_HELD;
		link->aware +=
		    hold->state == ANNOUNCE_HELD && hold->counts.claims > 0;
	}
}

static void
join(struct link *link, unsigned machine, uint64_t now_ms)
{
	const uint8_t hardware[WIRE_HARDWARE_BYTES] = {
	    2, 0, 0, 0, 0, (uint8_t)(machine + 1)};
	link->here[machine] = true;
	announce_hold_init(
	    &link->holds[machine], ip4, hardware, &link->budgets[machine]);
	announce_hold_take(&link->holds[machine], now_ms, &link->random);
}

/* Without loss one machine has it, never two, and another when that goes. With
 * loss two may; then each that has it comes to know of the other. */
static void
run_seed(uint64_t seed)
{
	struct link link = {0};
	uint64_t now_ms = 1000, end_ms;
	unsigned owner = MACHINES;

	random_init_seed(&link.random, seed);
	link.loss_percent = seed % 2 ? random_below(&link.random, 60) : 0;
	link.delay_ms = random_below(&link.random, 50);
	for (unsigned i = 0; i < MACHINES; i++)
		if (random_below(&link.random, 2))
			join(&link, i, now_ms);
	if (!link.here[0])
		join(&link, 0, now_ms);
	for (unsigned round = 0; round < 4; round++) {
		end_ms = now_ms + 120000;
		for (; now_ms < end_ms; now_ms++) {
			step(&link, now_ms);
			must(link.loss_percent > 0 || link.held <= 1);
		}
		must(link.held >= 1);
		must(link.held == 1 || link.aware == link.held);
		for (unsigned i = 0; i < MACHINES; i++)
			if (link.here[i] &&
			    link.holds[i].state == ANNOUNCE_HELD)
				owner = i;
		must(owner < MACHINES);
		link.here[owner] = false;
		for (unsigned i = 0; i < MACHINES; i++)
			if (!link.here[i] && i != owner)
				join(&link, i, now_ms);
	}
}

static void
test_seeds(void **state)
{
	(void)state;
	const char *text = getenv("SIM_SEEDS");
	uint64_t seeds = 2000;
	if (text)
		assert_true(slice_to_number(
		    slice_from_string(text), 1000000000, &seeds));
	seeds /= 50; /* eight minutes each */
	for (uint64_t seed = 1; seed <= seeds; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		run_seed(seed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nobody_has_it),
	    cmocka_unit_test(test_spread),
	    cmocka_unit_test(test_take_over),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_taken),
	    cmocka_unit_test(test_peer_never_had_it),
	    cmocka_unit_test(test_peer_is_known_late),
	    cmocka_unit_test(test_ours_no_more),
	    cmocka_unit_test(test_rival_is_left),
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_defends),
	    cmocka_unit_test(test_outdoes),
	    cmocka_unit_test(test_two_defend),
	    cmocka_unit_test(test_many_are_claimed),
	    cmocka_unit_test(test_silent_rival),
	    cmocka_unit_test(test_yields),
	    cmocka_unit_test(test_peers),
	    cmocka_unit_test(test_late),
	    cmocka_unit_test(test_seeds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
