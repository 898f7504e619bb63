/* Rendezvous hashing. */
#include "announce/election.h"

#include <string.h>

#include "crypt/digest.h"

/* What a candidate is compared by, the first difference deciding. */
struct rank {
	bool settling;
	int64_t weight;
	uint8_t digest[CRYPT_SHA256_BYTES];
};

static struct slice
node_of(const struct announce_member *member)
{
	return slice_make(member->node, member->node_length);
}

/* False: it may not have it. */
static bool
weigh(const struct announce_ballot *ballot,
    const struct announce_member *member, int64_t *weight)
{
	*weight = 0;
	for (unsigned i = 0; i < ballot->node_count; i++) {
		if (!slice_equal(ballot->nodes[i].node, node_of(member)))
			continue;
		*weight = ballot->nodes[i].weight;
		return true;
	}
	return !ballot->restricted;
}

static void
digest_of(const struct announce_ballot *ballot,
    const struct announce_member *member, uint8_t out[CRYPT_SHA256_BYTES])
{
	const struct slice parts[] = {
	    node_of(member), SLICE("#"), ballot->address};

	crypt_sha256(parts, 3, out);
}

static bool
is_before(const struct rank *a, const struct rank *b)
{
	if (a->settling != b->settling)
		return b->settling;
	if (a->weight != b->weight)
		return a->weight > b->weight;
	return memcmp(a->digest, b->digest, sizeof(a->digest)) < 0;
}

struct election {
	const struct announce_ballot *ballot;
	const struct announce_member *first;
	struct rank rank; /* of the first */
};

static void
stand(struct election *election, const struct announce_member *member)
{
	struct rank rank = {.settling = member->standing == WIRE_BEAT_SETTLING};

	if (member->standing == WIRE_BEAT_LEAVING ||
	    !weigh(election->ballot, member, &rank.weight))
		return;
	digest_of(election->ballot, member, rank.digest);
	if (election->first != NULL && !is_before(&rank, &election->rank))
		return;
	election->first = member;
	election->rank = rank;
}

const struct announce_member *
announce_elect(const struct announce_members *members,
    const struct announce_ballot *ballot)
{
	struct election election = {.ballot = ballot};

	stand(&election, &members->us);
	for (unsigned i = 0; i < members->place_count; i++)
		if (members->others[i].live)
			stand(&election, &members->others[i]);
	return election.first;
}
