/* SipHash-1-3 (Aumasson and Bernstein; one round a word, three at the end, as
 * Rust and the Linux kernel use for tables). */
#include "core/hash.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/hash_priv.h"

/* Written once, before main, by draw_seed. */
static uint64_t seed[2];

__attribute__((constructor)) static void
draw_seed(void)
{
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		abort();
}

static inline uint64_t
rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void
round_once(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static inline void
mix(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	round_once(v);
	v[0] ^= word;
}

/* The last length % 8 bytes as the low ones of a word. */
static inline uint64_t
load_rest(const char *data, size_t length)
{
	size_t rest = length & 7;
	uint64_t word = 0;

	if (rest == 0)
		return 0;
	if (length >= 8) {
		/* The last eight, without those that were mixed before. */
		memcpy(&word, data + length - 8, 8);
		return word >> (64 - 8 * rest);
	}
	while (rest > 0)
		word = word << 8 | (unsigned char)data[--rest];
	return word;
}

static inline void
begin(uint64_t v[4], const uint64_t key[2])
{
	v[0] = key[0] ^ 0x736f6d6570736575;
	v[1] = key[1] ^ 0x646f72616e646f6d;
	v[2] = key[0] ^ 0x6c7967656e657261;
	v[3] = key[1] ^ 0x7465646279746573;
}

static inline void
mix_bytes(uint64_t v[4], struct slice bytes)
{
	size_t whole = bytes.length & ~(size_t)7;

	for (size_t at = 0; at < whole; at += 8) {
		uint64_t word;

		memcpy(&word, bytes.data + at, 8);
		mix(v, word);
	}
	mix(v,
	    load_rest(bytes.data, bytes.length) | (uint64_t)bytes.length << 56);
}

static inline uint64_t
end(uint64_t v[4])
{
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		round_once(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t
hash_bytes_seeded(struct slice bytes, const uint64_t key[2])
{
	uint64_t v[4];

	begin(v, key);
	mix_bytes(v, bytes);
	return end(v);
}

uint64_t
hash_bytes(struct slice bytes)
{
	return hash_bytes_seeded(bytes, seed);
}

void
hash_init(struct hash *hash)
{
	begin(hash->state, seed);
}

/* The length goes first: the low byte of it, which mix_bytes has, is too
 * little to tell where a part ends. */
void
hash_push(struct hash *hash, struct slice part)
{
	mix(hash->state, part.length);
	mix_bytes(hash->state, part);
}

void
hash_push_number(struct hash *hash, uint64_t number)
{
	mix(hash->state, number);
}

uint64_t
hash_take(const struct hash *hash)
{
	uint64_t v[4];

	memcpy(v, hash->state, sizeof(v));
	return end(v);
}
