/* An hour of announcers that have nothing to fear but a bad link and busy
 * machines: datagrams and frames are lost and late, nodes get no CPU for a
 * while, clocks are fast. Nobody is given up, and no address moves. */
#include "sim/announce_world.h"
#include "sim/seeds.h"

#define MINUTE_MS ((uint64_t)60 * 1000)
enum {
	MINUTES = 60,
	LOSS_PERCENT_MAX = 2,
	DELAY_MS_MAX = 30,
	STALL_MS_MAX = 100, /* often */
	STALL_LONG_MS_MAX = 150, /* now and then */
	FAST_PPM_MAX = 10000,
};

/* Each second, on the average, a node stands still for a moment; each minute
 * for longer. */
static void
stall(struct world *world)
{
	for (unsigned i = 0; i < world->count; i++) {
		struct node *node = &world->nodes[i];
		unsigned longest = 0;

		if (random_below(&world->random, 1000) == 0)
			longest = STALL_MS_MAX;
		if (random_below(&world->random, 60000) == 0)
			longest = STALL_LONG_MS_MAX;
		if (longest > 0 && node->stalls_until_ms < world->now_ms)
			node->stalls_until_ms = world->now_ms +
			    random_below(&world->random, longest + 1);
	}
}

static void
run_minute(struct world *world, const unsigned owners[ADDRESSES])
{
	world->loss_percent =
	    random_below(&world->random, LOSS_PERCENT_MAX + 1);
	world->delay_ms = random_below(&world->random, DELAY_MS_MAX + 1);
	for (uint64_t end = world->now_ms + MINUTE_MS; world->now_ms < end;) {
		stall(world);
		world_turn(world);
		for (unsigned i = 0; i < ADDRESSES; i++)
			if (!world_is_there(world, owners[i], i))
				world_fail(world, i, "it moved for nothing");
		for (unsigned i = 0; i < world->count; i++)
			if (world->nodes[i].members.live_count !=
			    world->count - 1)
				world_fail(world, 0, "a node was given up");
	}
}

static void
run_seed(uint64_t seed)
{
	static struct world world;
	unsigned owners[ADDRESSES];

	world_init(&world, seed);
	world.count = 2 + random_below(&world.random, NODES - 1);
	for (unsigned i = 0; i < world.count; i++) {
		world_begin(&world, i);
		world.nodes[i].fast_ppm =
		    random_below(&world.random, FAST_PPM_MAX + 1);
	}
	world_run(&world, 10000);
	for (unsigned i = 0; i < ADDRESSES; i++)
		owners[i] = world_owner(&world, i);
	for (unsigned minute = 0; minute < MINUTES; minute++)
		run_minute(&world, owners);
	world_check(&world, true);
}

int
main(int argc, char **argv)
{
	return sim_seeds(argc, argv, "announce_hour", 2, run_seed);
}
