/* xoshiro256** 1.0 (Blackman and Vigna), seeded through splitmix64. */
#include "core/random.h"

#include <sys/random.h>

#include "core/must.h"

void
random_init(struct random *random)
{
	ssize_t got = getrandom(random->state, sizeof(random->state), 0);

	/* Up to 256 bytes come whole, once the kernel is seeded: getrandom(2).
	 */
	must(got == sizeof(random->state));
	random->state[0] |= 1; /* all zero would stay zero */
}

void
random_init_seed(struct random *random, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++) {
		seed += 0x9e3779b97f4a7c15;
		uint64_t word = seed;

		word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9;
		word = (word ^ word >> 27) * 0x94d049bb133111eb;
		random->state[i] = word ^ word >> 31;
	}
}

static inline uint64_t
rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

uint64_t
random_next(struct random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

uint32_t
random_below(struct random *random, uint32_t bound)
{
	must(bound > 0);
	/* The high half of a product is uniform but for the low halves below
	 * 2^32 mod bound (Lemire); those are drawn again. */
	for (;;) {
		uint64_t product = (random_next(random) >> 32) * bound;

		if ((uint32_t)product >= bound ||
		    (uint32_t)product >= -bound % bound)
			return (uint32_t)(product >> 32);
	}
}
