/* Elections: the order that MetalLB's speakers have (its golden vectors), what
 * comes before it, and how little moves. */
#include "announce/election.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

static void
start(struct announce_members *members, const char *us)
{
	announce_members_init(members, slice_from_string(us), 1);
	members->us.standing = WIRE_BEAT_READY;
	members->us.claims = WIRE_BEAT_CLAIMS_NEW;
}

static struct announce_member *
add(struct announce_members *members, const char *node)
{
	struct announce_member *member =
	    &members->others[members->place_count++];

	member->node_length = (uint8_t)strlen(node);
	memcpy(member->node, node, member->node_length);
	member->live = true;
	member->standing = WIRE_BEAT_READY;
	member->claims = WIRE_BEAT_CLAIMS_NEW;
	return member;
}

static void
assert_winner(const struct announce_members *members,
    struct announce_ballot ballot, const char *wanted)
{
	const struct announce_member *winner = announce_elect(members, &ballot);
	struct slice node = winner
	    ? slice_make(winner->node, winner->node_length)
	    : SLICE("nobody");

	if (!slice_equal(node, slice_from_string(wanted)))
		fail_msg("%.*s, not %s", SLICE_ARGS(node), wanted);
}

static void
test_order(void **state)
{
	static const struct {
		const char *address, *first, *second, *third;
	} rows[] = {
	    {"172.18.0.200", "kind-control-plane", "kind-worker2",
	        "kind-worker"},
	    {"172.18.0.201", "kind-worker", "kind-worker2",
	        "kind-control-plane"},
	    {"192.168.1.240", "kind-control-plane", "kind-worker2",
	        "kind-worker"},
	    {"fc00:f853:ccd:e793::1", "kind-worker", "kind-worker2",
	        "kind-control-plane"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct announce_ballot ballot = {
		    .address = slice_from_string(rows[i].address)};
		struct announce_members members;
		start(&members, rows[i].third);
		assert_winner(&members, ballot, rows[i].third);
		add(&members, rows[i].second);
		assert_winner(&members, ballot, rows[i].second);
		add(&members, rows[i].first)->live = false;
		assert_winner(&members, ballot, rows[i].second);
		members.others[1].live = true;
		assert_winner(&members, ballot, rows[i].first);
		/* However it is seen. */
		start(&members, rows[i].first);
		add(&members, rows[i].third);
		add(&members, rows[i].second);
		assert_winner(&members, ballot, rows[i].first);
	}
}

static void
test_standing(void **state)
{
	const struct announce_ballot ballot = {
	    .address = SLICE("172.18.0.200")};
	struct announce_members members;

	(void)state;
	start(&members, "kind-control-plane");
	struct announce_member *other = add(&members, "kind-worker");
	members.us.standing = WIRE_BEAT_SETTLING;
	assert_winner(&members, ballot, "kind-worker");
	other->standing = WIRE_BEAT_SETTLING;
	assert_winner(&members, ballot, "kind-control-plane");
	/* Whoever has no claims takes nothing, whoever has old ones does. */
	members.us.claims = WIRE_BEAT_CLAIMS_NONE;
	assert_winner(&members, ballot, "kind-worker");
	other->claims = WIRE_BEAT_CLAIMS_NONE;
	assert_winner(&members, ballot, "nobody");
	members.us.claims = other->claims = WIRE_BEAT_CLAIMS_OLD;
	assert_winner(&members, ballot, "kind-control-plane");
	members.us.standing = WIRE_BEAT_LEAVING;
	assert_winner(&members, ballot, "kind-worker");
	other->standing = WIRE_BEAT_LEAVING;
	assert_winner(&members, ballot, "nobody");
}

static void
test_nodes(void **state)
{
	const struct announce_preference nodes[] = {
	    {.node = SLICE("b"), .weight = 10},
	    {.node = SLICE("c"), .weight = 20},
	    {.node = SLICE("d"), .weight = 20}};
	struct announce_ballot ballot = {.address = SLICE("10.0.0.1"),
	    .nodes = nodes,
	    .node_count = 1,
	    .restricted = true};
	struct announce_members members;

	(void)state;
	start(&members, "a");
	assert_winner(&members, ballot, "nobody");
	add(&members, "b");
	assert_winner(&members, ballot, "b");
	/* Preferred only: without it any will do. */
	ballot.restricted = false;
	assert_winner(&members, ballot, "b");
	members.others[0].live = false;
	assert_winner(&members, ballot, "a");
	members.others[0].live = true;
	add(&members, "c");
	ballot.node_count = 3;
	assert_winner(&members, ballot, "c");
	/* Standing comes before preference. */
	members.others[1].standing = WIRE_BEAT_SETTLING;
	assert_winner(&members, ballot, "b");
}

/* By their own names for their ends of the link. */
static void
test_interfaces(void **state)
{
	const struct slice first[] = {SLICE("eth0"), SLICE("eth1")};
	const struct slice second[] = {SLICE("ens3")};
	const struct announce_preference nodes[] = {
	    {.node = SLICE("b"), .weight = 1, .on = {second, 1}},
	    {.node = SLICE("c"), .weight = 2}};
	struct announce_ballot ballot = {
	    .address = SLICE("10.0.0.1"), .on = {first, 2}};
	struct announce_members members;

	(void)state;
	start(&members, "a");
	struct announce_member *b = add(&members, "b"), *c = add(&members, "c");
	assert_winner(&members, ballot, "nobody");
	announce_members_name(&members, SLICE("eth1"));
	memcpy(b->interface, "ens3", 5);
	memcpy(c->interface, "ens3", 5);
	assert_winner(&members, ballot, "a");
	ballot.nodes = nodes;
	ballot.node_count = 2;
	assert_winner(&members, ballot, "b");
	memcpy(c->interface, "eth0", 5);
	assert_winner(&members, ballot, "c");
	b->live = c->live = false;
	ballot.restricted = true;
	assert_winner(&members, ballot, "nobody");
	assert_true(announce_is_on(&ballot.on, SLICE("eth0")));
	assert_false(announce_is_on(&ballot.on, SLICE("eth")));
}

/* A node's ends of the link in the order of their names, however it is seen. */
static void
test_ends(void **state)
{
	const struct announce_ballot ballot = {.address = SLICE("10.0.0.1")};
	struct announce_members members;

	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		start(&members, "a");
		members.us.standing = WIRE_BEAT_SETTLING;
		memcpy(
		    add(&members, "b")->interface, first ? "eth0" : "eth1", 5);
		memcpy(
		    add(&members, "b")->interface, first ? "eth1" : "eth0", 5);
		assert_string_equal(
		    announce_elect(&members, &ballot)->interface, "eth0");
	}
}

/* What a host has itself it keeps, whatever else is said. */
static void
test_own(void **state)
{
	const struct announce_preference nodes[] = {{.node = SLICE("a")}};
	const struct announce_ballot ballot = {.address = SLICE("10.0.0.1"),
	    .mark = announce_mark(SLICE("10.0.0.1")),
	    .restricted = true,
	    .nodes = nodes,
	    .node_count = 1};
	const struct wire_beat_marks marks = {
	    .items = {announce_mark(SLICE("10.0.0.2")), ballot.mark},
	    .count = 2};
	struct announce_members members;

	(void)state;
	start(&members, "a");
	struct announce_member *b = add(&members, "b");
	assert_winner(&members, ballot, "a");
	b->own = marks;
	b->own.count = 1;
	assert_winner(&members, ballot, "a");
	b->own.count = 2;
	assert_winner(&members, ballot, "b");
	assert_true(announce_is_own(b, &ballot));
	b->standing = WIRE_BEAT_LEAVING;
	assert_winner(&members, ballot, "b");
	announce_members_own(&members, &marks, 1000);
	assert_true(announce_is_own(&members.us, &ballot));
	uint64_t version = members.version;
	announce_members_own(&members, &marks, 1000);
	assert_true(members.version == version);
}

/* Whom its host refuses an address comes last for that one; whom it refuses
 * more than can be named, for all. */
static void
test_unable(void **state)
{
	const struct announce_ballot ballot = {.address = SLICE("172.18.0.200"),
	    .mark = announce_mark(SLICE("172.18.0.200"))};
	const struct announce_ballot next = {.address = SLICE("192.168.1.240"),
	    .mark = announce_mark(SLICE("192.168.1.240"))};
	const struct wire_beat_marks marks = {
	    .items = {ballot.mark}, .count = 1};
	const struct wire_beat_marks more = {.more = true};
	struct announce_members members;

	(void)state;
	start(&members, "kind-control-plane");
	struct announce_member *other = add(&members, "kind-worker");
	assert_winner(&members, ballot, "kind-control-plane");
	assert_winner(&members, next, "kind-control-plane");
	announce_members_unable(&members, &marks, 1000);
	uint64_t version = members.version;
	assert_winner(&members, ballot, "kind-worker");
	assert_winner(&members, next, "kind-control-plane");
	/* It has come of late, but can have it. */
	other->standing = WIRE_BEAT_SETTLING;
	assert_winner(&members, ballot, "kind-worker");
	announce_members_unable(&members, &more, 1000);
	assert_true(members.version != version);
	assert_winner(&members, ballot, "kind-worker");
	assert_winner(&members, next, "kind-worker");
	/* Where all are, it is as if none were. */
	other->standing = WIRE_BEAT_READY;
	other->unable = marks;
	assert_winner(&members, ballot, "kind-control-plane");
	assert_winner(&members, next, "kind-worker");
	other->live = false;
	assert_winner(&members, next, "kind-control-plane");
}

/* Another that announces, as the controller says. */
static void
test_fence(void **state)
{
	static const uint8_t at_b[] = {2, 0, 0, 0, 0, 2},
	                     other[] = {2, 0, 0, 0, 0, 3};
	const uint64_t given_up_ms = 1000 + LIMIT_VALUE_ANNOUNCE_SILENCE_MS;
	const struct slice names[] = {SLICE("eth1"), SLICE("eth0")};
	struct announce_fence fence = {.node = SLICE("b"), .on = {names, 1}};
	struct announce_members members;

	(void)state;
	start(&members, "a");
	/* One that was never there may be on another link. */
	assert_false(announce_fence_see(&members, &fence, at_b, 5000));
	struct announce_member *b = add(&members, "b");
	memcpy(b->interface, "eth0", 5);
	memcpy(b->hardware, at_b, sizeof(at_b));
	b->proven_ms = 1000;
	b->live = false;
	assert_false(announce_fence_see(&members, &fence, at_b, 5000));
	b->life = 7;
	assert_false(announce_fence_see(&members, &fence, at_b, 5000));
	fence.on.count = 2;
	/* Frames are wanted of it, that it sent when it was given up. */
	assert_false(announce_is_fenced(&members, &fence));
	assert_false(announce_fence_see(&members, &fence, other, 5000));
	assert_false(
	    announce_fence_see(&members, &fence, at_b, given_up_ms - 1));
	assert_true(announce_fence_see(&members, &fence, at_b, given_up_ms));
	assert_true(announce_is_fenced(&members, &fence));
	/* What is heard of it is worth more than what is said of it. */
	b->live = true;
	assert_false(announce_is_fenced(&members, &fence));
	b->live = false;
	b->proven_ms = 2000;
	assert_false(announce_is_fenced(&members, &fence));
	b->proven_ms = 1000;
	assert_true(announce_is_fenced(&members, &fence));
	fence.is_new = true;
	assert_false(announce_fence_is_news(&members, &fence));
	assert_false(announce_fence_is_for(&members, &fence, at_b));
	fence.node = SLICE("a");
	assert_false(announce_is_fenced(&members, &fence));
	assert_true(announce_fence_is_for(&members, &fence, at_b));
	assert_false(announce_fence_is_for(&members, &fence, other));
	b->live = true;
	assert_false(announce_fence_is_for(&members, &fence, at_b));
	assert_false(announce_fence_is_news(&members, &fence));
	fence.is_new = true;
	assert_true(announce_fence_is_news(&members, &fence));
	assert_false(announce_fence_is_news(&members, &fence));
	fence.node = SLICE("");
	assert_false(announce_is_fenced(&members, &fence));
}

/* Each has its share, and one that goes moves its own alone. */
static void
test_shares(void **state)
{
	enum { MEMBERS = 5, KEYS = 1000 };
	unsigned shares[MEMBERS] = {0}, moved = 0;
	struct announce_members members;
	char text[32];

	(void)state;
	start(&members, "node-0");
	for (unsigned i = 1; i < MEMBERS; i++) {
		snprintf(text, sizeof(text), "node-%u", i);
		add(&members, text);
	}
	for (unsigned i = 0; i < KEYS; i++) {
		snprintf(text, sizeof(text), "10.1.%u.%u", i / 256, i % 256);
		const struct announce_ballot ballot = {
		    .address = slice_from_string(text)};
		const struct announce_member *first =
		    announce_elect(&members, &ballot);
		shares[first->node[5] - '0']++;
		members.others[2].live = false; /* node-3 */
		const struct announce_member *then =
		    announce_elect(&members, &ballot);
		members.others[2].live = true;
		assert_true(first == then || first == &members.others[2]);
		moved += first != then;
	}
	for (unsigned i = 0; i < MEMBERS; i++)
		assert_in_range(shares[i], 150, 250);
	assert_int_equal(moved, shares[3]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_standing),
	    cmocka_unit_test(test_nodes),
	    cmocka_unit_test(test_interfaces),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_own),
	    cmocka_unit_test(test_unable),
	    cmocka_unit_test(test_fence),
	    cmocka_unit_test(test_shares),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
