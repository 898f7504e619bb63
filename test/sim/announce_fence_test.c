/* Announcers whose beats do not reach some of the others, while their frames
 * reach all and the client, and a controller that hears each: one has an
 * address again within the bound, and keeps it; when it dies another has it
 * when the controller knows; healed, all is as it was. Without the controller
 * they are several, which is what it is for. */
#include "sim/announce_world.h"
#include "sim/seeds.h"

#define ROUNDS 6
/* They are given up, take, tell, and are told. */
#define FENCED_MS 700
#define HEAL_MS 1000
/* Whoever leaves it has said last that it has it: it is said again soon. */
#define SLACK_MS 250

static void
part(struct world *world)
{
	unsigned other = 1 + random_below(&world->random, world->count - 1);

	for (unsigned i = 0; i < world->count; i++)
		world->side[i] = random_below(&world->random, 3);
	world->side[0] = 0;
	world->side[other] = 1;
	world->muffled = true;
}

static void
heal(struct world *world)
{
	memset(world->side, 0, sizeof(world->side));
	world_run_checked(world, HEAL_MS);
	world->muffled = false;
	for (unsigned i = 0; i < 2000; i++) {
		world_turn(world);
		world_check(world, false);
	}
}

/* One alone, and the same one, unless it dies. */
static void
run_fenced(struct world *world, uint64_t length_ms)
{
	unsigned owners[ADDRESSES];

	for (unsigned i = 0; i < ADDRESSES; i++)
		owners[i] = world_owner(world, i);
	for (uint64_t end = world->now_ms + length_ms; world->now_ms < end;) {
		world_turn(world);
		world_check(world, true);
		for (unsigned i = 0; i < ADDRESSES; i++)
			if (!world_is_there(world, owners[i], i))
				world_fail(world, i, "it moved for nothing");
	}
}

/* Those that did not hear it are told by the controller alone. */
static void
lose_one(struct world *world)
{
	unsigned at = world_owner(world, 0);

	world->nodes[at].alive = false;
	world_run(world,
	    LIMIT_VALUE_STREAM_SILENT_MS + FENCED_MS +
	        LIMIT_VALUE_ANNOUNCE_SILENCE_MS);
	run_fenced(world, 2000);
	world_begin(world, at);
	world_run(world, 3000);
}

static void
run_seed(uint64_t seed)
{
	static struct world world;

	world_init(&world, seed);
	world.count = 2 + random_below(&world.random, NODES - 1);
	world.delay_ms = random_below(&world.random, 40);
	world.controlled = true;
	world.slack_ms = SLACK_MS;
	for (unsigned i = 0; i < world.count; i++)
		world_begin(&world, i);
	world_run(&world, 5000);
	for (unsigned round = 0; round < ROUNDS; round++) {
		/* Whoever came back has settled. */
		world_run_checked(&world, 40000);
		part(&world);
		world_run_checked(&world, FENCED_MS);
		run_fenced(&world, random_below(&world.random, 5000));
		if (world.count > 2 && random_below(&world.random, 2) == 0)
			lose_one(&world);
		heal(&world);
	}
	world_run(&world, 40000);
	world_check(&world, true);
}

int
main(int argc, char **argv)
{
	return sim_seeds(argc, argv, "announce_fence", 20, run_seed);
}
