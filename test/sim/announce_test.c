/* One of the announcers has an address again within the bound, whatever happens
 * to them, and the client's frames go there. */
#include "sim/announce_world.h"
#include "sim/seeds.h"

#define ROUNDS 12
#define FAILOVER_MS 800
#define HEAL_MS 1000

enum fault { KILL, FREEZE, UNPLUG, FLAP, CUT, JUMP, LEAVE, DEAF, FAULTS };

static void
unplug_a_while(struct world *world, unsigned at)
{
	world_set_link(world, at, false);
	world_run(world, 20 + random_below(&world->random, 1500));
	world_set_link(world, at, true);
}

/* The others have its addresses within the bound, while it is gone. */
static void
lose(struct world *world, unsigned at, bool *gone, bool value)
{
	*gone = value;
	world_run(world, FAILOVER_MS);
	world_run_checked(world, 200 + random_below(&world->random, 2000));
	(void)at;
}

static void
leave(struct world *world, unsigned at)
{
	struct node *node = &world->nodes[at];

	announce_members_leave(&node->members, world_clock(world, node));
	world_run_checked(world, 500);
	for (unsigned i = 0; i < ADDRESSES; i++)
		if (world_is_there(world, at, i))
			world_fail(world, i, "it has left and still has it");
	node->alive = false;
	world_run_checked(world, 500);
	world_begin(world, at);
}

static void
suffer(struct world *world, enum fault fault, unsigned at)
{
	struct node *node = &world->nodes[at];

	switch (fault) {
	case KILL:
		lose(world, at, &node->alive, false);
		world_begin(world, at);
		return;
	case FREEZE:
		lose(world, at, &node->frozen, true);
		node->frozen = false;
		return;
	case UNPLUG:
		world_set_link(world, at, false);
		lose(world, at, &node->link, false);
		world_set_link(world, at, true);
		return;
	case FLAP:
		for (unsigned i = 0; i < 5; i++) {
			unplug_a_while(world, at);
			world_run(world, random_below(&world->random, 1500));
		}
		return;
	case CUT:
		for (unsigned i = 0; i < world->count; i++)
			world->side[i] = random_below(&world->random, 2);
		/* The client is cut off from some, not from all. */
		world->side[at] = 0;
		world_run(world, random_below(&world->random, 5000));
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
		world_run(world, random_below(&world->random, 3000));
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
	world_run_checked(world, 40000);
	for (unsigned i = 0; i < ADDRESSES; i++)
		before[i] = world_owner(world, i);
	world->loss_percent = random_below(&world->random, 11);
	for (unsigned i = 0; i < 20000; i++) {
		world_turn(world);
		for (unsigned k = 0; k < ADDRESSES; k++)
			if (!world_is_there(world, before[k], k))
				world_fail(world, k, "it moved for nothing");
	}
	world->loss_percent = 0;
}

static void
run_seed(uint64_t seed)
{
	static struct world world;

	world_init(&world, seed);
	world.count = 2 + random_below(&world.random, NODES - 1);
	world.delay_ms = random_below(&world.random, 40);
	world.controlled = random_below(&world.random, 2);
	for (unsigned i = 0; i < world.count; i++) {
		world_begin(&world, i);
		world_run(&world, random_below(&world.random, 3000));
	}
	world_run(&world, 3000);
	for (unsigned round = 0; round < ROUNDS; round++) {
		enum fault fault = random_below(&world.random, FAULTS);
		unsigned at = random_below(&world.random, world.count);
		suffer(&world, fault, at);
		world_run(&world, HEAL_MS);
		world_check(&world, false);
		world_run_checked(&world, random_below(&world.random, 4000));
	}
	idle(&world);
	world_check(&world, true);
}

int
main(int argc, char **argv)
{
	return sim_seeds(argc, argv, "announce", 20, run_seed);
}
