/* Seeds, one after another. */
#include "sim/seeds.h"

#include <stdio.h>

#include "core/log.h"
#include "core/must.h"
#include "core/slice.h"

static uint64_t
argument(int argc, char **argv, int at, uint64_t fallback)
{
	uint64_t number = fallback;

	if (argc > at)
		must(slice_to_number(
		    slice_from_string(argv[at]), UINT32_MAX, &number));
	return number;
}

int
sim_seeds(int argc, char **argv, const char *name, uint64_t count,
    void (*run)(uint64_t seed))
{
	uint64_t first = argument(argc, argv, 1, 1);

	count = argument(argc, argv, 2, count);
	log_set_level(LOG_LEVEL_ERROR);
	for (uint64_t seed = first; seed < first + count; seed++)
		run(seed);
	printf("sim %s: %llu seeds\n", name, (unsigned long long)count);
	return 0;
}
