/* Thousands of runs of the scenarios, each with a seed of its own, in two
 * processes at once. SIM_SEEDS=n makes it so many, SIM_FIRST=n begins with that
 * one, SIM_SCENARIO=name runs seeds of that scenario alone. SIM_SEED=n reruns
 * one in this process, for a debugger, and prints what everybody got. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/must.h"
#include "sim/http_world.h"

enum { SEEDS = 5000, PROCESSES = 2, FAILURES_MAX = 10 };

/* What the processes tell, even those that die. */
struct board {
	uint64_t seed[PROCESSES];
	unsigned failures[PROCESSES];
};

static bool
run(uint64_t seed, bool prints)
{
	static struct sim_world world;
	const struct sim_scenario *scenario =
	    &sim_scenarios[seed % sim_scenario_count];
	if (sim_world_run(&world, scenario, seed, prints))
		return true;
	fprintf(stderr,
	    "SIM_SEED=%llu (%s; fault %d, calls %u, which %u, round %u): %s\n",
	    (unsigned long long)seed, scenario->name, world.fault.kind,
	    world.fault.calls, world.fault.which, world.fault.round,
	    world.wrong);
	return false;
}

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);
	uint64_t number = otherwise;
	if (value)
		must(slice_to_number(
		    slice_from_string(value), UINT32_MAX, &number));
	return number;
}

/* The seed that comes after so many. */
static uint64_t
seed_at(uint64_t place)
{
	const char *name = getenv("SIM_SCENARIO");
	unsigned i = 0;
	if (!name)
		return place;
	while (strcmp(sim_scenarios[i].name, name) != 0)
		must(++i < sim_scenario_count);
	return place * sim_scenario_count + i;
}

static void
run_share(struct board *board, unsigned process, uint64_t first, uint64_t seeds)
{
	for (uint64_t i = process; i < seeds; i += PROCESSES) {
		uint64_t seed = seed_at(first + i);
		board->seed[process] = seed;
		if (!run(seed, false) &&
		    ++board->failures[process] >= FAILURES_MAX)
			break;
	}
}

static bool
run_all(uint64_t first, uint64_t seeds)
{
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[PROCESSES];
	bool good = true;
	must(board != MAP_FAILED);
	for (unsigned i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		must(pids[i] >= 0);
		if (pids[i] == 0) {
			run_share(board, i, first, seeds);
			if (board->failures[i] > 0)
				_exit(1); /* leaks were told already */
			exit(0);
		}
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		int status;
		must(waitpid(pids[i], &status, 0) == pids[i]);
		if (status != 0 &&
		    (WIFSIGNALED(status) || board->failures[i] == 0))
			fprintf(stderr, "SIM_SEED=%llu died\n",
			    (unsigned long long)board->seed[i]);
		good = good && status == 0;
	}
	munmap(board, sizeof(*board));
	return good;
}

int
main(void)
{
	uint64_t seeds = number_of("SIM_SEEDS", SEEDS);
	uint64_t first = number_of("SIM_FIRST", 0);
	if (getenv("SIM_SEED"))
		return !run(number_of("SIM_SEED", 0), true);
	if (!run_all(first, seeds))
		return 1;
	printf("sim http: %llu seeds of %u scenarios\n",
	    (unsigned long long)seeds, sim_scenario_count);
	return 0;
}
