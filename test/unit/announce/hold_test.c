/* An address on a link: steps by the clock, and seeds of machines that want the
 * same address on a link that loses and delays. */
#include "hold_setup.h"

#include <stdlib.h>

#include "core/must.h"

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
	assert_false(announce_hold_is_contested(&s.hold, s.now_ms));
	/* Known by its heartbeat alone. */
	start(&s, ip4, true);
	run_until(&s, 1000 + HELD_MS / 2);
	hear(&s, message(true, ip4, nobody));
	announce_hold_know(&s.hold, us, s.now_ms);
	assert_int_equal(s.hold.state, ANNOUNCE_TAKEN);
	announce_hold_know(&s.hold, them, s.now_ms);
	assert_int_equal(s.hold.state, ANNOUNCE_HELD);
	assert_false(announce_hold_is_contested(&s.hold, s.now_ms));
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
	    cmocka_unit_test(test_yields),
	    cmocka_unit_test(test_peers),
	    cmocka_unit_test(test_late),
	    cmocka_unit_test(test_seeds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
