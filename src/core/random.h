/* Random numbers for choices (balancing, jitter, request ids): xoshiro256**,
 * seeded from the kernel or, in tests, from a given seed. Never for keys. */
#ifndef YUMEN_CORE_RANDOM_H
#define YUMEN_CORE_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state[4];
};

void random_init(struct random *random); /* from getrandom(2) */
void random_init_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* Uniform in [0, bound); bound > 0. */
uint32_t random_below(struct random *random, uint32_t bound);

#endif
