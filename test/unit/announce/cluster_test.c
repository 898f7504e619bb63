/* Announcers on one link that loses, delays and is cut, with nodes that die,
 * freeze, flap and leave: one of them has an address again within the bound,
 * and the client's frames go there. A pure function of a seed. */
#include "announce/election.h"
#include "announce/hold.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/must.h"
#include "wire/neighbour.h"

enum { NODES = 5, ADDRESSES = 3, IN_FLIGHT = 4096, ROUNDS = 12 };
#define FAILOVER_MS 800
#define HEAL_MS 1000
/* What arrives in another order may send a frame to the wrong node for so long
 * at most beyond the link's own delay. */
#define SLACK_MS 120

struct flying {
	bool is_beat;
	struct wire_beat beat;
	struct wire_neighbour message;
	unsigned address;
	uint64_t at_ms;
	unsigned to; /* NODES: the client */
};

struct node {
	char name[8];
	uint8_t hardware[6];
	struct announce_members members;
	struct announce_hold holds[ADDRESSES];
	struct announce_budget budget;
	unsigned returns[ADDRESSES];
	bool alive, link, frozen;
	uint64_t version, clock_ms; /* its clock is ahead by that */
	bool decided;
};

struct world {
	struct node nodes[NODES];
	struct flying flying[IN_FLIGHT];
	unsigned flying_count;
	unsigned client[ADDRESSES]; /* the node that frames go to */
	unsigned astray[ADDRESSES]; /* ms in a row that nobody was there */
	uint64_t now_ms, seed;
	struct random random;
	unsigned count, loss_percent, delay_ms;
	unsigned side[NODES]; /* of a cut link */
	unsigned deaf; /* NODES: none; else it hears nobody */
	uint64_t moves;
};

static const uint8_t ips[ADDRESSES][WIRE_IP_BYTES] = {
    {[10] = 0xff, 0xff, 10, 0, 0, 1}, {[10] = 0xff, 0xff, 10, 0, 0, 2},
    {0xfd, 0, [15] = 3}};
static const char *const texts[ADDRESSES] = {"10.0.0.1", "10.0.0.2", "fd00::3"};

static uint64_t
clock_of(const struct world *world, const struct node *node)
{
	return world->now_ms + node->clock_ms;
}

static bool
is_lost(struct world *world, unsigned from, unsigned to)
{
	const struct node *sender = &world->nodes[from];

	if (!sender->link)
		return true;
	if (to < NODES &&
	    (to == from || !world->nodes[to].alive || !world->nodes[to].link ||
	        world->side[from] != world->side[to] || world->deaf == to))
		return true;
	/* The client is on the first node's side. */
	if (to == NODES && world->side[from] != 0)
		return true;
	return random_below(&world->random, 100) < world->loss_percent;
}

static void
fly(struct world *world, unsigned from, const struct flying *what)
{
	for (unsigned to = 0; to <= NODES; to++) {
		if (is_lost(world, from, to) || (to == NODES && what->is_beat))
			continue;
		must(world->flying_count < IN_FLIGHT);
		struct flying *one = &world->flying[world->flying_count++];
		*one = *what;
		one->to = to;
		one->at_ms = world->now_ms +
		    random_below(&world->random, world->delay_ms + 1);
	}
}

static void
send_all(struct world *world, unsigned from, unsigned address,
    const struct announce_output *out)
{
	for (unsigned i = 0; i < out->count; i++) {
		struct flying what = {
		    .message = out->messages[i], .address = address};
		fly(world, from, &what);
	}
}

static void
decide(struct world *world, struct node *node, unsigned address)
{
	const struct announce_ballot ballot = {
	    .address = slice_from_string(texts[address])};
	uint64_t now = clock_of(world, node);
	const struct announce_member *winner =
	    announce_elect(&node->members, &ballot);

	if (node->members.returns != node->returns[address])
		announce_hold_repeat(&node->holds[address], now);
	node->returns[address] = node->members.returns;
	if (winner == NULL) {
		announce_hold_drop(&node->holds[address]);
	} else if (winner == &node->members.us) {
		announce_hold_take(&node->holds[address], now, &world->random);
	} else {
		announce_hold_yield(
		    &node->holds[address], winner->hardware, now);
	}
}

/* As announce/peers.c and announce/announcer.c do it. */
static void
note(struct world *world, struct node *node)
{
	if (!announce_members_note(&node->members, clock_of(world, node)))
		return;
	for (unsigned i = 0; i < ADDRESSES && node->members.live_count; i++)
		announce_hold_drop(&node->holds[i]);
}

static void
go_on(struct world *world, unsigned at)
{
	struct node *node = &world->nodes[at];
	struct flying what = {.is_beat = true};
	uint64_t now = clock_of(world, node);

	while (announce_members_tick(&node->members, now, &what.beat))
		fly(world, at, &what);
	bool decided = announce_members_is_decided(&node->members, now);
	if (node->version == node->members.version && decided == node->decided)
		return;
	node->version = node->members.version;
	node->decided = decided;
	for (unsigned i = 0; decided && i < ADDRESSES; i++)
		decide(world, node, i);
}

static void
arrive(struct world *world, const struct flying *what)
{
	struct announce_output out;

	if (what->to == NODES) {
		/* Whoever says last where it is, is believed. */
		if (wire_neighbour_claims(&what->message, ips[what->address]))
			world->client[what->address] =
			    what->message.hardware[5];
		return;
	}
	struct node *node = &world->nodes[what->to];
	uint64_t now = clock_of(world, node);
	note(world, node);
	if (what->is_beat) {
		(void)announce_members_hear(&node->members, &what->beat, now);
		go_on(world, what->to);
		return;
	}
	bool is_peer =
	    announce_members_at(&node->members, what->message.hardware) != NULL;
	announce_hold_hear(&node->holds[what->address], &what->message, is_peer,
	    now, &world->random, &out);
	send_all(world, what->to, what->address, &out);
}

static void
deliver(struct world *world)
{
	for (unsigned i = 0; i < world->flying_count;) {
		struct flying what = world->flying[i];
		bool waits = what.at_ms > world->now_ms ||
		    (what.to < NODES && world->nodes[what.to].frozen);
		if (waits) {
			i++;
			continue;
		}
		/* In order, as far as they came in order. */
		world->flying_count--;
		memmove(&world->flying[i], &world->flying[i + 1],
		    (world->flying_count - i) * sizeof(what));
		if (what.to == NODES || world->nodes[what.to].alive)
			arrive(world, &what);
	}
}

static void
tick_holds(struct world *world, unsigned at)
{
	struct node *node = &world->nodes[at];
	struct announce_output out;
	uint64_t now = clock_of(world, node);

	for (unsigned i = 0; i < ADDRESSES; i++) {
		if (node->holds[i].due_ms > now)
			continue;
		announce_hold_tick(&node->holds[i], now, &world->random, &out);
		send_all(world, at, i, &out);
	}
}

static void
turn(struct world *world)
{
	deliver(world);
	for (unsigned i = 0; i < world->count; i++) {
		struct node *node = &world->nodes[i];
		if (!node->alive || node->frozen || !node->link)
			continue;
		note(world, node);
		if (announce_members_due_ms(&node->members) <=
		    clock_of(world, node))
			go_on(world, i);
		tick_holds(world, i);
	}
	world->now_ms++;
}

static void
begin(struct world *world, unsigned at)
{
	struct node *node = &world->nodes[at];

	*node = (struct node){.clock_ms = random_below(&world->random, 100000)};
	snprintf(node->name, sizeof(node->name), "node%u", at);
	memcpy(node->hardware, (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)at}, 6);
	announce_members_init(&node->members, slice_from_string(node->name),
	    random_next(&world->random));
	node->alive = node->link = true;
	for (unsigned i = 0; i < ADDRESSES; i++)
		announce_hold_init(
		    &node->holds[i], ips[i], node->hardware, &node->budget);
	announce_members_begin(
	    &node->members, node->hardware, clock_of(world, node));
}

static void
set_link(struct world *world, unsigned at, bool up)
{
	struct node *node = &world->nodes[at];

	if (node->link == up || !node->alive)
		return;
	node->link = up;
	for (unsigned i = 0; i < ADDRESSES; i++)
		announce_hold_drop(&node->holds[i]);
	announce_members_end(&node->members);
	if (up)
		announce_members_begin(
		    &node->members, node->hardware, clock_of(world, node));
}

static bool
is_there(const struct world *world, unsigned at, unsigned address)
{
	const struct node *node = &world->nodes[at];

	return node->alive && node->link &&
	    announce_hold_is_here(&node->holds[address]);
}

static void
fail(const struct world *world, unsigned address, const char *what)
{
	printf("seed %llu, at %llu ms, address %u: %s; the client's frames go "
	       "to %u\n",
	    (unsigned long long)world->seed, (unsigned long long)world->now_ms,
	    address, what, world->client[address]);
	for (unsigned i = 0; i < world->count; i++)
		printf("node%u: %s%s hold %d standing %d live %u\n", i,
		    world->nodes[i].alive ? "" : "dead ",
		    world->nodes[i].frozen ? "frozen" : "",
		    world->nodes[i].holds[address].state,
		    world->nodes[i].members.us.standing,
		    world->nodes[i].members.live_count);
	fflush(stdout);
	abort();
}

/* One node has it, or two while it is handed over; frames go to one that does.
 */
static void
check(struct world *world, bool one_alone)
{
	for (unsigned address = 0; address < ADDRESSES; address++) {
		unsigned owners = 0;
		for (unsigned i = 0; i < world->count; i++)
			owners += !world->nodes[i].frozen &&
			    is_there(world, i, address);
		unsigned to = world->client[address];
		bool there = to < world->count && !world->nodes[to].frozen &&
		    is_there(world, to, address);
		world->astray[address] = there ? 0 : world->astray[address] + 1;
		if (one_alone && owners != 1)
			fail(world, address, "more than one have it");
		if (world->astray[address] > world->delay_ms + SLACK_MS)
			fail(world, address,
			    owners == 0 ? "nobody has it" : "frames go astray");
	}
}

static void
run(struct world *world, uint64_t length_ms)
{
	for (uint64_t end = world->now_ms + length_ms; world->now_ms < end;)
		turn(world);
}

static void
run_checked(struct world *world, uint64_t length_ms)
{
	memset(world->astray, 0, sizeof(world->astray));
	for (uint64_t end = world->now_ms + length_ms; world->now_ms < end;) {
		turn(world);
		check(world, false);
	}
}

static unsigned
owner_of(const struct world *world, unsigned address)
{
	for (unsigned i = 0; i < world->count; i++)
		if (is_there(world, i, address))
			return i;
	return NODES;
}

enum fault { KILL, FREEZE, UNPLUG, FLAP, CUT, JUMP, LEAVE, DEAF, FAULTS };

static void
unplug_a_while(struct world *world, unsigned at)
{
	set_link(world, at, false);
	run(world, 20 + random_below(&world->random, 1500));
	set_link(world, at, true);
}

/* The others have its addresses within the bound, while it is gone. */
static void
lose(struct world *world, unsigned at, bool *gone, bool value)
{
	*gone = value;
	run(world, FAILOVER_MS);
	run_checked(world, 200 + random_below(&world->random, 2000));
	(void)at;
}

static void
leave(struct world *world, unsigned at)
{
	struct node *node = &world->nodes[at];

	announce_members_leave(&node->members, clock_of(world, node));
	run_checked(world, 500);
	for (unsigned i = 0; i < ADDRESSES; i++)
		if (is_there(world, at, i))
			fail(world, i, "it has left and still has it");
	node->alive = false;
	run_checked(world, 500);
	begin(world, at);
}

static void
suffer(struct world *world, enum fault fault, unsigned at)
{
	struct node *node = &world->nodes[at];

	switch (fault) {
	case KILL:
		lose(world, at, &node->alive, false);
		begin(world, at);
		return;
	case FREEZE:
		lose(world, at, &node->frozen, true);
		node->frozen = false;
		return;
	case UNPLUG:
		set_link(world, at, false);
		lose(world, at, &node->link, false);
		set_link(world, at, true);
		return;
	case FLAP:
		for (unsigned i = 0; i < 5; i++) {
			unplug_a_while(world, at);
			run(world, random_below(&world->random, 1500));
		}
		return;
	case CUT:
		for (unsigned i = 0; i < world->count; i++)
			world->side[i] = random_below(&world->random, 2);
		/* The client is cut off from some, not from all. */
		world->side[at] = 0;
		run(world, random_below(&world->random, 5000));
		memset(world->side, 0, sizeof(world->side));
		return;
	case JUMP:
		node->clock_ms += random_below(&world->random, 3600000);
		return;
	case LEAVE:
		leave(world, at);
		return;
	case DEAF:
		world->deaf = at;
		run(world, random_below(&world->random, 3000));
		world->deaf = NODES;
		return;
	case FAULTS:
		break;
	}
}

/* While nothing is wrong but losses and delays, nothing moves. */
static void
idle(struct world *world)
{
	unsigned before[ADDRESSES];
	/* Whoever came back has settled. */
	run_checked(world, 40000);
	for (unsigned i = 0; i < ADDRESSES; i++)
		before[i] = owner_of(world, i);
	world->loss_percent = random_below(&world->random, 11);
	for (unsigned i = 0; i < 20000; i++) {
		turn(world);
		for (unsigned k = 0; k < ADDRESSES; k++)
			if (!is_there(world, before[k], k))
				fail(world, k, "it moved for nothing");
	}
	world->loss_percent = 0;
}

static void
run_seed(uint64_t seed)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.seed = seed;
	world.deaf = NODES;
	world.now_ms = 1000;
	random_init_seed(&world.random, seed);
	world.count = 2 + random_below(&world.random, NODES - 1);
	world.delay_ms = random_below(&world.random, 40);
	memset(world.client, 0xff, sizeof(world.client));
	for (unsigned i = 0; i < world.count; i++) {
		begin(&world, i);
		run(&world, random_below(&world.random, 3000));
	}
	run(&world, 3000);
	for (unsigned round = 0; round < ROUNDS; round++) {
		enum fault fault = random_below(&world.random, FAULTS);
		unsigned at = random_below(&world.random, world.count);
		suffer(&world, fault, at);
		run(&world, HEAL_MS);
		check(&world, false);
		run_checked(&world, random_below(&world.random, 4000));
	}
	idle(&world);
	check(&world, true);
}

int
main(int argc, char **argv)
{
	uint64_t first = 1, count = 20;

	if (argc > 1)
		must(slice_to_number(
		    slice_from_string(argv[1]), UINT32_MAX, &first));
	if (argc > 2)
		must(slice_to_number(
		    slice_from_string(argv[2]), UINT32_MAX, &count));
	for (uint64_t seed = first; seed < first + count; seed++)
		run_seed(seed);
	printf("announcers: %llu seeds\n", (unsigned long long)count);
	return 0;
}
