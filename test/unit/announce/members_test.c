/* Who is there: two that find each other, silence and asks, old beats, new
 * lives, a third one who hears both, and one that stood still. */
#include "announce/members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

enum { NODES = 3 };
struct setup {
	struct announce_members nodes[NODES];
	/* cut[a][b]: b does not hear a */
	bool cut[NODES][NODES], frozen[NODES];
	uint64_t now_ms;
	struct wire_beat last[NODES];
	unsigned beats[NODES], asks[NODES];
};

static void
begin(struct setup *s, unsigned at, uint64_t life)
{
	const uint8_t hardware[6] = {2, 0, 0, 0, 0, (uint8_t)(at + 1)};
	char name[8];

	snprintf(name, sizeof(name), "node%u", at);
	announce_members_init(&s->nodes[at], slice_from_string(name), life);
	announce_members_claims(&s->nodes[at], WIRE_BEAT_CLAIMS_NEW, s->now_ms);
	announce_members_begin(&s->nodes[at], hardware, s->now_ms);
}

static void
hear_all(struct setup *s, unsigned from, const struct wire_beat *beat)
{
	for (unsigned to = 0; to < NODES; to++)
		if (to != from && !s->cut[from][to] && !s->frozen[to] &&
		    s->nodes[to].on)
			(void)announce_members_hear(
			    &s->nodes[to], beat, s->now_ms);
}

static void
run(struct setup *s, uint64_t length_ms)
{
	struct wire_beat beat;

	for (uint64_t end = s->now_ms + length_ms; s->now_ms < end;
	     s->now_ms++) {
		for (unsigned i = 0; i < NODES; i++) {
			if (!s->nodes[i].on || s->frozen[i])
				continue;
			(void)announce_members_note(&s->nodes[i], s->now_ms);
			while (announce_members_tick(
			    &s->nodes[i], s->now_ms, &beat)) {
				s->last[i] = beat;
				s->beats[i]++;
				s->asks[i] += beat.asked != 0;
				hear_all(s, i, &beat);
			}
		}
	}
}

static void
start(struct setup *s, unsigned count)
{
	*s = (struct setup){.now_ms = 1000};
	for (unsigned i = 0; i < count; i++)
		begin(s, i, 100 + i);
}

static void
test_meet(void **state)
{
	struct setup s;

	(void)state;
	start(&s, 2);
	run(&s, 50);
	assert_int_equal(s.nodes[0].live_count, 1);
	assert_int_equal(s.nodes[1].live_count, 1);
	assert_false(announce_members_is_decided(&s.nodes[0], s.now_ms));
	run(&s, LIMIT_VALUE_ANNOUNCE_LISTEN_MS);
	assert_true(announce_members_is_decided(&s.nodes[0], s.now_ms));
	assert_int_equal(s.nodes[0].us.standing, WIRE_BEAT_SETTLING);
	run(&s, LIMIT_VALUE_ANNOUNCE_SETTLE_MS);
	assert_int_equal(s.nodes[0].us.standing, WIRE_BEAT_READY);
	assert_int_equal(s.nodes[1].others[0].standing, WIRE_BEAT_READY);
	assert_int_equal(s.nodes[1].others[0].claims, WIRE_BEAT_CLAIMS_NEW);
	announce_members_claims(&s.nodes[0], WIRE_BEAT_CLAIMS_OLD, s.now_ms);
	run(&s, 20);
	assert_int_equal(s.nodes[1].others[0].claims, WIRE_BEAT_CLAIMS_OLD);
	assert_ptr_equal(
	    announce_members_at(&s.nodes[0], s.nodes[1].us.hardware),
	    &s.nodes[0].others[0]);
	/* Ten a second, and no asks. */
	s.beats[0] = s.asks[0] = 0;
	run(&s, 10000);
	assert_in_range(s.beats[0], 99, 101);
	assert_int_equal(s.asks[0], 0);
}

static void
test_dies(void **state)
{
	struct setup s;

	(void)state;
	start(&s, 2);
	run(&s, 5000);
	uint64_t version = s.nodes[0].version;
	announce_members_end(&s.nodes[1]);
	uint64_t died_ms = s.now_ms;
	while (s.nodes[0].live_count > 0)
		run(&s, 1);
	assert_in_range(s.now_ms - died_ms,
	    LIMIT_VALUE_ANNOUNCE_SILENCE_MS - LIMIT_VALUE_ANNOUNCE_BEAT_MS,
	    LIMIT_VALUE_ANNOUNCE_SILENCE_MS);
	assert_true(s.nodes[0].version > version);
	assert_in_range(s.asks[0], 5, 6);
}

/* An old beat, a forged number and a beat of an old life are no proof. */
static void
test_said_again(void **state)
{
	struct setup s;
	struct wire_beat old;

	(void)state;
	start(&s, 2);
	run(&s, 3000);
	old = s.last[1];
	run(&s, 1000);
	assert_int_equal(announce_members_hear(&s.nodes[0], &old, s.now_ms),
	    ANNOUNCE_HEARD_OLD);
	/* Node 1 dies; what it said is said again, with and without a new
	 * number. */
	announce_members_end(&s.nodes[1]);
	old = s.last[1];
	for (unsigned i = 0; i < 400; i++) {
		run(&s, 1);
		(void)announce_members_hear(&s.nodes[0], &old, s.now_ms);
	}
	assert_int_equal(s.nodes[0].live_count, 0);
	run(&s, 10000);
	/* It says that it hears us, but a number of long ago. */
	old.sequence += 1000;
	assert_int_equal(announce_members_hear(&s.nodes[0], &old, s.now_ms),
	    ANNOUNCE_HEARD_UNPROVEN);
	assert_int_equal(s.nodes[0].live_count, 0);
	/* It comes back as another life, which an old beat does not undo. */
	begin(&s, 1, 999);
	run(&s, 500);
	assert_int_equal(s.nodes[0].live_count, 1);
	assert_int_equal(announce_members_hear(&s.nodes[0], &old, s.now_ms),
	    ANNOUNCE_HEARD_UNPROVEN);
	run(&s, 1000);
	assert_int_equal(s.nodes[0].live_count, 1);
	assert_int_equal(s.nodes[0].others[0].life, 999);
	/* Nor does it keep node 1 from hearing that it is heard, once or again
	 * and again. */
	assert_int_equal(s.nodes[1].live_count, 1);
	for (unsigned i = 0; i < 1000; i++) {
		old.sequence++;
		(void)announce_members_hear(&s.nodes[0], &old, s.now_ms);
		run(&s, 1);
		assert_int_equal(s.nodes[1].live_count, 1);
	}
}

/* A node that is on the link by two interfaces is two members, and none to
 * itself. */
static void
test_two_ends(void **state)
{
	const uint8_t hardware[6] = {2, 0, 0, 0, 0, 9};
	struct setup s;

	(void)state;
	start(&s, 2);
	announce_members_name(&s.nodes[1], SLICE("eth0"));
	announce_members_init(&s.nodes[2], SLICE("node1"), 777);
	announce_members_name(&s.nodes[2], SLICE("eth1"));
	announce_members_begin(&s.nodes[2], hardware, s.now_ms);
	run(&s, 5000);
	unsigned returns = s.nodes[0].returns;
	uint64_t version = s.nodes[0].version;
	run(&s, 10000);
	assert_int_equal(s.nodes[0].returns, returns);
	assert_int_equal(s.nodes[0].version, version);
	assert_int_equal(s.nodes[0].live_count, 2);
	assert_int_equal(s.nodes[1].live_count, 1);
	assert_int_equal(s.nodes[2].live_count, 1);
}

/* Two that do not hear each other, and one that hears both. */
static void
test_third(void **state)
{
	struct setup s;

	(void)state;
	start(&s, 3);
	run(&s, 5000);
	s.cut[0][1] = s.cut[1][0] = true;
	run(&s, 5000);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(s.nodes[i].live_count, 2);
	/* One direction: who is not heard counts as gone. */
	s.cut[1][0] = false;
	s.cut[0][2] = true;
	run(&s, 1000);
	assert_int_equal(s.nodes[1].live_count, 1);
	assert_int_equal(s.nodes[2].live_count, 1);
}

/* Both were alone, and neither knows who was cut off: not both go on as if
 * nothing had been. */
static void
test_cut(void **state)
{
	struct setup s;

	(void)state;
	start(&s, 2);
	run(&s, 5000);
	s.cut[0][1] = s.cut[1][0] = true;
	run(&s, 1000);
	assert_int_equal(s.nodes[0].live_count + s.nodes[1].live_count, 0);
	s.cut[0][1] = s.cut[1][0] = false;
	run(&s, 200);
	assert_int_equal(s.nodes[0].live_count + s.nodes[1].live_count, 2);
	assert_true(s.nodes[0].us.standing == WIRE_BEAT_SETTLING ||
	    s.nodes[1].us.standing == WIRE_BEAT_SETTLING);
	assert_int_equal(s.nodes[0].us.standing, s.nodes[1].others[0].standing);
	assert_int_equal(s.nodes[1].us.standing, s.nodes[0].others[0].standing);
}

static void
test_stood_still(void **state)
{
	struct setup s;

	(void)state;
	start(&s, 2);
	run(&s, 5000);
	s.frozen[1] = true;
	run(&s, 3000);
	assert_int_equal(s.nodes[0].live_count, 0);
	s.frozen[1] = false;
	assert_true(announce_members_note(&s.nodes[1], s.now_ms));
	assert_int_equal(s.nodes[1].us.standing, WIRE_BEAT_SETTLING);
	assert_false(announce_members_is_decided(&s.nodes[1], s.now_ms));
	run(&s, 200);
	assert_int_equal(s.nodes[0].live_count, 1);
	assert_int_equal(s.nodes[0].others[0].standing, WIRE_BEAT_SETTLING);
	assert_int_equal(s.nodes[1].live_count, 1);
	/* It was alone, but it is the other one that has come back. */
	assert_int_equal(s.nodes[0].us.standing, WIRE_BEAT_READY);
}

/* A link that flaps settles for longer each time; one that is quiet for a while
 * does not. */
static void
test_flaps(void **state)
{
	struct setup s;
	uint64_t settles[6];

	(void)state;
	start(&s, 2);
	run(&s, 5000);
	for (unsigned i = 0; i < 6; i++) {
		announce_members_end(&s.nodes[1]);
		run(&s, 500);
		announce_members_begin(
		    &s.nodes[1], s.nodes[1].us.hardware, s.now_ms);
		settles[i] = s.nodes[1].settled_ms - s.now_ms;
		run(&s, 500);
	}
	assert_int_equal(settles[0], 2 * LIMIT_VALUE_ANNOUNCE_SETTLE_MS);
	assert_int_equal(settles[1], 4 * LIMIT_VALUE_ANNOUNCE_SETTLE_MS);
	assert_int_equal(settles[5], 16 * LIMIT_VALUE_ANNOUNCE_SETTLE_MS);
	run(&s, LIMIT_VALUE_ANNOUNCE_BREAK_MS);
	announce_members_end(&s.nodes[1]);
	announce_members_begin(&s.nodes[1], s.nodes[1].us.hardware, s.now_ms);
	assert_int_equal(
	    s.nodes[1].settled_ms - s.now_ms, LIMIT_VALUE_ANNOUNCE_SETTLE_MS);
}

/* More than there is room for; then those that were not proven are gone. */
static void
test_strangers(void **state)
{
	struct setup s;
	char name[16];

	(void)state;
	start(&s, 2);
	run(&s, 3000);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "stranger%u", i);
		struct wire_beat beat = {.node = slice_from_string(name),
		    .life = 5000 + i,
		    .sequence = 1,
		    .standing = WIRE_BEAT_READY};
		assert_int_equal(
		    announce_members_hear(&s.nodes[0], &beat, s.now_ms),
		    ANNOUNCE_HEARD_UNPROVEN);
	}
	assert_int_equal(s.nodes[0].live_count, 1);
	run(&s, 10000);
	assert_int_equal(s.nodes[0].live_count, 1);
	/* A machine with our name. */
	struct wire_beat beat = {.node = SLICE("node0"), .life = 7};
	assert_int_equal(announce_members_hear(&s.nodes[0], &beat, s.now_ms),
	    ANNOUNCE_HEARD_NAMESAKE);
	beat.life = s.nodes[0].us.life;
	assert_int_equal(announce_members_hear(&s.nodes[0], &beat, s.now_ms),
	    ANNOUNCE_HEARD_SELF);
}

static void
test_leaves(void **state)
{
	struct setup s;

	(void)state;
	start(&s, 2);
	run(&s, 5000);
	announce_members_leave(&s.nodes[1], s.now_ms);
	run(&s, 2);
	assert_int_equal(s.nodes[0].others[0].standing, WIRE_BEAT_LEAVING);
	run(&s, 5000);
	assert_int_equal(s.nodes[0].others[0].standing, WIRE_BEAT_LEAVING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_meet),
	    cmocka_unit_test(test_dies),
	    cmocka_unit_test(test_said_again),
	    cmocka_unit_test(test_two_ends),
	    cmocka_unit_test(test_third),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_stood_still),
	    cmocka_unit_test(test_flaps),
	    cmocka_unit_test(test_strangers),
	    cmocka_unit_test(test_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
