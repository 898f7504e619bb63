/* Announcers whose claims differ, as one of them has no controller: one has an
 * address within the bound, by the claims of who has its controller, and others
 * when that one is gone. While nobody knows better they are several, who do not
 * fill the link. Whoever has no claims yet is not waited for. */
#include "sim/announce_world.h"
#include "sim/seeds.h"

#define FAILOVER_MS 800
#define HEAL_MS 1000
/* That claims of an address reach the client in so long, one after another's;
 * one announces it 5 times in 3.7 s then, and at first more often. */
#define FIGHT_MS 20000
#define FLIPS_MAX 150

static void
go_by(struct world *world, unsigned at, enum wire_beat_claims claims)
{
	struct node *node = &world->nodes[at];

	announce_members_claims(
	    &node->members, claims, world_clock(world, node));
}

/* By its claims nobody else may have them. */
static void
differ(struct world *world, unsigned at)
{
	world->nodes[at].only = true;
	world->nodes[at].members.version++;
	world->nodes[at].members.beat_ms = 0;
}

static void
begin(struct world *world, uint64_t seed, unsigned count)
{
	world_init(world, seed);
	world->count = count;
	world->delay_ms = random_below(&world->random, 40);
	for (unsigned i = 0; i < count; i++)
		world_begin(world, i);
	world_run(world, 5000);
}

/* It has them alone. */
static void
run_alone(struct world *world, unsigned at, uint64_t length_ms)
{
	memset(world->astray, 0, sizeof(world->astray));
	for (uint64_t end = world->now_ms + length_ms; world->now_ms < end;) {
		world_turn(world);
		world_check(world, true);
		for (unsigned i = 0; i < ADDRESSES; i++)
			if (!world_is_there(world, at, i))
				world_fail(world, i, "the other one has it");
	}
}

/* Both have all, and say so. */
static void
run_fight(struct world *world)
{
	unsigned flips = 0, before = world->client[0];

	for (uint64_t end = world->now_ms + FIGHT_MS; world->now_ms < end;) {
		world_turn(world);
		flips += world->client[0] != before;
		before = world->client[0];
	}
	for (unsigned i = 0; i < 2; i++)
		if (!world_is_there(world, i, 0))
			world_fail(world, 0, "not both have it");
	if (flips > FLIPS_MAX)
		world_fail(world, 0, "announced without a break");
}

static void
run_old(struct world *world, uint64_t seed)
{
	begin(world, seed, 2);
	go_by(world, 0, WIRE_BEAT_CLAIMS_OLD);
	world_run(world, 1000);
	differ(world, 0);
	differ(world, 1);
	world_run(world, HEAL_MS);
	run_alone(world, 1, 100000);
	world->nodes[1].alive = false;
	world_run(world, FAILOVER_MS);
	run_alone(world, 0, 1000);
	/* It comes back, and by its claims the others may not. */
	world_begin(world, 1);
	differ(world, 1);
	world_run(world, 400 + HEAL_MS);
	run_alone(world, 1, 5000);
	/* The other one has its controller again, and the same claims. */
	go_by(world, 0, WIRE_BEAT_CLAIMS_NEW);
	world->nodes[0].only = world->nodes[1].only = false;
	world->nodes[1].members.version++;
	world_run(world, 5000);
	memset(world->astray, 0, sizeof(world->astray));
	world_check(world, true);
}

static void
run_unknown(struct world *world, uint64_t seed, enum wire_beat_claims claims)
{
	begin(world, seed, 2);
	for (unsigned i = 0; i < 2; i++) {
		go_by(world, i, claims);
		differ(world, i);
	}
	run_fight(world);
	/* One of them comes to know that its claims are old. */
	go_by(world, 0, WIRE_BEAT_CLAIMS_OLD);
	go_by(world, 1, WIRE_BEAT_CLAIMS_NEW);
	world_run(world, 2 * HEAL_MS);
	run_alone(world, 1, 10000);
}

static void
run_none(struct world *world, uint64_t seed)
{
	begin(world, seed, 2);
	world_begin(world, 2);
	world->count = 3;
	go_by(world, 2, WIRE_BEAT_CLAIMS_NONE);
	world_run(world, 5000);
	world->nodes[1].alive = false;
	world_run(world, FAILOVER_MS);
	run_alone(world, 0, 5000);
	/* Now they have come. */
	go_by(world, 2, WIRE_BEAT_CLAIMS_NEW);
	world->nodes[0].alive = false;
	world_run(world, FAILOVER_MS);
	run_alone(world, 2, 1000);
}

static void
run_seed(uint64_t seed)
{
	static struct world world;

	run_old(&world, seed);
	run_unknown(&world, seed, WIRE_BEAT_CLAIMS_NEW);
	run_unknown(&world, seed, WIRE_BEAT_CLAIMS_OLD);
	run_none(&world, seed);
}

int
main(int argc, char **argv)
{
	return sim_seeds(argc, argv, "announce_stale", 20, run_seed);
}
