/* Choices among backends and endpoints. It changes none of them. */
#include "proxy/balancer.h"

#include "core/must.h"

uint32_t
proxy_balancer_weigh(const struct unit_backend *backends, uint32_t count,
    uint32_t sum, struct random *random)
{
	if (sum == 0)
		return count;
	if (count == 1)
		return 0;
	uint32_t at = random_below(random, sum);
	for (uint32_t i = 0; i < count; i++) {
		int64_t weight = backends[i].weight;
		if (weight <= 0)
			continue;
		if (at < weight)
			return i;
		at -= (uint32_t)weight;
	}
	return count;
}

static bool
is_ejected(const struct proxy_endpoint *endpoint, uint64_t now_ms)
{
	return endpoint->ejected_until_ms > now_ms;
}

static bool
was_tried(const struct proxy_endpoint *endpoint,
    struct proxy_endpoint *const *tried, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (tried[i] == endpoint)
			return true;
	return false;
}

/* The rare case, after a failure: all are looked at, from a random one on. */
static struct proxy_endpoint *
pick_best(const struct proxy_backend *backend, struct random *random,
    uint64_t now_ms, struct proxy_endpoint *const *tried, unsigned tried_count)
{
	uint32_t count = backend->candidate_count;
	uint32_t at = random_below(random, count);
	struct proxy_endpoint *best = NULL;
	unsigned best_rank = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct proxy_endpoint *endpoint = backend->candidates[at];
		at = at + 1 < count ? at + 1 : 0;
		unsigned rank =
		    (was_tried(endpoint, tried, tried_count) ? 0 : 2) +
		    (is_ejected(endpoint, now_ms) ? 0 : 1);
		if (!best || rank > best_rank ||
		    (rank == best_rank &&
		        endpoint->in_flight < best->in_flight)) {
			best = endpoint;
			best_rank = rank;
		}
	}
	return best;
}

struct proxy_endpoint *
proxy_balancer_pick(const struct proxy_backend *backend, struct random *random,
    uint64_t now_ms, struct proxy_endpoint *const *tried, unsigned tried_count)
{
	uint32_t count = backend->candidate_count;
	if (count == 0)
		return NULL;
	if (unlikely(tried_count > 0))
		return pick_best(backend, random, now_ms, tried, tried_count);
	if (count == 1)
		return backend->candidates[0];
	/* Two different ones out of one random number. */
	uint64_t bits = random_next(random);
	uint32_t first = (uint32_t)(((bits & UINT32_MAX) * count) >> 32);
	uint32_t second = (uint32_t)(((bits >> 32) * (count - 1)) >> 32);
	if (second >= first)
		second++;
	struct proxy_endpoint *one = backend->candidates[first];
	struct proxy_endpoint *other = backend->candidates[second];
	if (other->in_flight < one->in_flight) {
		struct proxy_endpoint *swap = one;
		one = other;
		other = swap;
	}
	if (likely(!is_ejected(one, now_ms)))
		return one;
	if (!is_ejected(other, now_ms))
		return other;
	return pick_best(backend, random, now_ms, tried, tried_count);
}
