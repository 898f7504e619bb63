/* Turns of the world: what flies arrives, what is due goes out. Nodes do as
 * announce/peers.c, announce/link.c and announce/place.c do. */
#include "sim/announce_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/must.h"

/* What goes to the controller, or comes from it, is so late at most. */
#define CONTROLLER_MS_MAX 60

static const uint8_t ips[ADDRESSES][WIRE_IP_BYTES] = {
    {[10] = 0xff, 0xff, 10, 0, 0, 1}, {[10] = 0xff, 0xff, 10, 0, 0, 2},
    {0xfd, 0, [15] = 3}};
static const char *const texts[ADDRESSES] = {"10.0.0.1", "10.0.0.2", "fd00::3"};

uint64_t
world_clock(const struct world *world, const struct node *node)
{
	return world->now_ms + node->clock_ms +
	    world->now_ms * node->fast_ppm / 1000000;
}

static bool
is_lost(struct world *world, unsigned from, unsigned to, bool is_beat)
{
	const struct node *sender = &world->nodes[from];
	bool is_cut = is_beat || !world->muffled;

	if (!sender->link)
		return true;
	if (to < NODES &&
	    (to == from || !world->nodes[to].alive || !world->nodes[to].link ||
	        (is_cut && world->side[from] != world->side[to]) ||
	        world->deaf == to))
		return true;
	/* The client is on the first node's side. */
	if (to == NODES && world->side[from] != 0 && is_cut)
		return true;
	return random_below(&world->random, 100) < world->loss_percent;
}

static void
fly(struct world *world, unsigned from, const struct flying *what)
{
	for (unsigned to = 0; to <= NODES; to++) {
		if (is_lost(world, from, to, what->is_beat) ||
		    (to == NODES && what->is_beat))
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
	const struct announce_preference us = {
	    .node = slice_from_string(node->name)};
	const struct announce_ballot ballot = {
	    .address = slice_from_string(texts[address]),
	    .restricted = node->only,
	    .nodes = &us,
	    .node_count = node->only};
	uint64_t now = world_clock(world, node);
	const struct announce_member *winner =
	    announce_claimant_of(&node->members, &node->claimants[address],
	        announce_hold_is_here(&node->holds[address]), now);

	if (winner == NULL)
		winner = announce_elect(&node->members, &ballot);

	if (announce_fence_is_news(&node->members, &node->fences[address]))
		announce_hold_repeat(
		    &node->holds[address], now, &world->random);
	if (announce_is_fenced(&node->members, &node->fences[address])) {
		announce_hold_cede(&node->holds[address]);
		return;
	}
	if (node->members.returns != node->returns[address])
		announce_hold_repeat(
		    &node->holds[address], now, &world->random);
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

static void
note(struct world *world, struct node *node)
{
	if (!announce_members_note(&node->members, world_clock(world, node)))
		return;
	for (unsigned i = 0; i < ADDRESSES && node->members.live_count; i++)
		announce_hold_drop(&node->holds[i]);
}

static void
go_on(struct world *world, unsigned at)
{
	struct node *node = &world->nodes[at];
	struct flying what = {.is_beat = true};
	uint64_t now = world_clock(world, node);

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

/* What was left to others is looked at again. */
static void
look(struct world *world, struct node *node)
{
	if (node->members.us.claims != WIRE_BEAT_CLAIMS_OLD ||
	    world->now_ms % 1000 != 0)
		return;
	for (unsigned i = 0; node->decided && i < ADDRESSES; i++)
		decide(world, node, i);
}

static void
hear_fenced(struct world *world, struct node *node, const struct flying *what,
    uint64_t now)
{
	struct announce_fence *fence = &node->fences[what->address];
	const uint8_t *hardware = what->message.hardware;

	if (announce_fence_see(&node->members, fence, hardware, now) &&
	    node->decided)
		decide(world, node, what->address);
	if (announce_fence_is_for(&node->members, fence, hardware))
		announce_hold_repeat(
		    &node->holds[what->address], now, &world->random);
}

static void
hear_claimant(struct world *world, struct node *node, const struct flying *what)
{
	unsigned address = what->address;

	if (wire_neighbour_claims(&what->message, ips[address]) &&
	    announce_claimant_hear(&node->members, &node->claimants[address],
	        what->message.hardware,
	        announce_hold_is_here(&node->holds[address]),
	        world_clock(world, node)))
		decide(world, node, address);
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
	uint64_t now = world_clock(world, node);
	note(world, node);
	if (what->is_beat) {
		(void)announce_members_hear(&node->members, &what->beat, now);
		go_on(world, what->to);
		return;
	}
	bool is_peer =
	    announce_members_at(&node->members, what->message.hardware) != NULL;
	if (wire_neighbour_claims(&what->message, ips[what->address]))
		hear_fenced(world, node, what, now);
	if (node->holds[what->address].state == ANNOUNCE_IDLE &&
	    announce_members_had(&node->members, what->message.hardware))
		return;
	announce_hold_hear(&node->holds[what->address], &what->message, is_peer,
	    now, &world->random, &out);
	send_all(world, what->to, what->address, &out);
	hear_claimant(world, node, what);
}

static bool
is_asleep(const struct world *world, const struct node *node)
{
	return node->frozen || node->stalls_until_ms > world->now_ms;
}

static void
deliver(struct world *world)
{
	for (unsigned i = 0; i < world->flying_count;) {
		struct flying what = world->flying[i];
		bool waits = what.at_ms > world->now_ms ||
		    (what.to < NODES &&
		        is_asleep(world, &world->nodes[what.to]));
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
	uint64_t now = world_clock(world, node);

	for (unsigned i = 0; i < ADDRESSES; i++) {
		if (node->holds[i].due_ms > now)
			continue;
		announce_hold_tick(&node->holds[i], now, &world->random, &out);
		send_all(world, at, i, &out);
	}
}

/* Its word is there: it has taken the address, or has it no more. */
static void
take_word(struct world *world, unsigned at, unsigned address)
{
	struct node *node = &world->nodes[at];
	unsigned before = world->fences[address], holders = 0, first = NODES;

	node->told[address] = world_is_there(world, at, address);
	if (before == at && !node->told[address])
		world->fences[address] = NODES;
	for (unsigned i = world->count; i-- > 0;) {
		holders += world->nodes[i].told[address];
		if (i != at && world->nodes[i].told[address])
			first = i;
	}
	if (world->fences[address] == NODES && holders > 1)
		world->fences[address] = first;
	for (unsigned i = 0; i < world->count; i++)
		if (world->fences[address] != before)
			world->nodes[i].hears_ms[address] = world->now_ms + 1 +
			    random_below(&world->random, CONTROLLER_MS_MAX);
}

static void
hear_controller(struct world *world, struct node *node, unsigned address)
{
	unsigned fence = world->fences[address];

	node->fences[address] = (struct announce_fence){.node = fence == NODES
	        ? SLICE("")
	        : slice_from_string(world->nodes[fence].name),
	    .is_new = true};
	if (node->decided)
		decide(world, node, address);
}

/* Words go and come; a node that is dead says nothing any more, which is known
 * when its connection is given up. */
static void
control(struct world *world)
{
	for (unsigned i = 0; i < world->count; i++) {
		struct node *node = &world->nodes[i];

		for (unsigned k = 0; k < ADDRESSES; k++) {
			uint64_t late = node->alive && node->link
			    ? random_below(&world->random, CONTROLLER_MS_MAX)
			    : LIMIT_VALUE_STREAM_SILENT_MS;

			if (world_is_there(world, i, k) != node->told[k] &&
			    node->tells_ms[k] == 0)
				node->tells_ms[k] = world->now_ms + 1 + late;
			if (node->tells_ms[k] > 0 &&
			    node->tells_ms[k] <= world->now_ms) {
				node->tells_ms[k] = 0;
				take_word(world, i, k);
			}
			if (node->hears_ms[k] == 0 ||
			    node->hears_ms[k] > world->now_ms || !node->alive ||
			    is_asleep(world, node))
				continue;
			node->hears_ms[k] = 0;
			hear_controller(world, node, k);
		}
	}
}

void
world_turn(struct world *world)
{
	deliver(world);
	for (unsigned i = 0; i < world->count; i++) {
		struct node *node = &world->nodes[i];
		if (!node->alive || is_asleep(world, node) || !node->link)
			continue;
		note(world, node);
		if (announce_members_due_ms(&node->members) <=
		    world_clock(world, node))
			go_on(world, i);
		look(world, node);
		tick_holds(world, i);
	}
	if (world->controlled)
		control(world);
	world->now_ms++;
}

void
world_begin(struct world *world, unsigned at)
{
	struct node *node = &world->nodes[at];

	*node = (struct node){.clock_ms = random_below(&world->random, 100000)};
	snprintf(node->name, sizeof(node->name), "node%u", at);
	memcpy(node->hardware, (uint8_t[6]){2, 0, 0, 0, 0, (uint8_t)at}, 6);
	announce_members_init(&node->members, slice_from_string(node->name),
	    random_next(&world->random));
	announce_members_claims(
	    &node->members, WIRE_BEAT_CLAIMS_NEW, world_clock(world, node));
	node->alive = node->link = true;
	for (unsigned i = 0; i < ADDRESSES; i++)
		announce_hold_init(
		    &node->holds[i], ips[i], node->hardware, &node->budget);
	announce_members_begin(
	    &node->members, node->hardware, world_clock(world, node));
}

void
world_set_link(struct world *world, unsigned at, bool up)
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
		    &node->members, node->hardware, world_clock(world, node));
}

bool
world_is_there(const struct world *world, unsigned at, unsigned address)
{
	const struct node *node = &world->nodes[at];

	return node->alive && node->link &&
	    announce_hold_is_here(&node->holds[address]);
}

void
world_fail(const struct world *world, unsigned address, const char *what)
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
void
world_check(struct world *world, bool one_alone)
{
	for (unsigned address = 0; address < ADDRESSES; address++) {
		unsigned owners = 0;
		for (unsigned i = 0; i < world->count; i++)
			owners += !world->nodes[i].frozen &&
			    world_is_there(world, i, address);
		unsigned to = world->client[address];
		bool there = to < world->count && !world->nodes[to].frozen &&
		    world_is_there(world, to, address);
		world->astray[address] = there ? 0 : world->astray[address] + 1;
		if (one_alone && owners != 1)
			world_fail(world, address, "more than one have it");
		if (world->astray[address] > world->delay_ms + world->slack_ms)
			world_fail(world, address,
			    owners == 0 ? "nobody has it" : "frames go astray");
	}
}

void
world_run(struct world *world, uint64_t length_ms)
{
	for (uint64_t end = world->now_ms + length_ms; world->now_ms < end;)
		world_turn(world);
}

void
world_run_checked(struct world *world, uint64_t length_ms)
{
	memset(world->astray, 0, sizeof(world->astray));
	for (uint64_t end = world->now_ms + length_ms; world->now_ms < end;) {
		world_turn(world);
		world_check(world, false);
	}
}

unsigned
world_owner(const struct world *world, unsigned address)
{
	for (unsigned i = 0; i < world->count; i++)
		if (world_is_there(world, i, address))
			return i;
	return NODES;
}

void
world_init(struct world *world, uint64_t seed)
{
	memset(world, 0, sizeof(*world));
	world->seed = seed;
	world->deaf = NODES;
	world->slack_ms = 120;
	world->now_ms = 1000;
	random_init_seed(&world->random, seed);
	memset(world->client, 0xff, sizeof(world->client));
	for (unsigned i = 0; i < ADDRESSES; i++)
		world->fences[i] = NODES;
}
