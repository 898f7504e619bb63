/* Rendezvous hashing. */
#include "announce/election.h"

#include <string.h>

#include "crypt/digest.h"

/* A peer that has left an address meanwhile does not answer to whoever yields
 * it to that one, nor say again that it has it. */
#define YIELDED_MS 1000
#define BEGUN_MS 1000
#define AGAIN_MS 1500
/* Whoever has it says so each ANNOUNCE_REFRESH_MS; two of these may be lost. */
#define CLAIM_MS (3 * (uint64_t)LIMIT_VALUE_ANNOUNCE_REFRESH_MS)

/* What a candidate is compared by, the first difference deciding. */
struct rank {
	bool is_own;
	bool unable;
	bool settling;
	int64_t weight;
	uint8_t digest[CRYPT_SHA256_BYTES];
	struct slice interface; /* of one node's ends */
};

static struct slice
node_of(const struct announce_member *member)
{
	return slice_make(member->node, member->node_length);
}

static const struct announce_preference *
preference_of(const struct announce_ballot *ballot, struct slice node)
{
	for (unsigned i = 0; i < ballot->node_count; i++)
		if (slice_equal(ballot->nodes[i].node, node))
			return &ballot->nodes[i];
	return NULL;
}

bool
announce_is_on(const struct announce_interfaces *on, struct slice name)
{
	for (unsigned i = 0; i < on->count; i++)
		if (slice_equal(on->names[i], name))
			return true;
	return on->count == 0;
}

const struct announce_interfaces *
announce_may_on(const struct announce_ballot *ballot, struct slice node)
{
	const struct announce_preference *preference =
	    preference_of(ballot, node);

	if (!preference && ballot->restricted)
		return NULL;
	return preference && preference->on.count > 0 ? &preference->on
	                                              : &ballot->on;
}

static bool
may_have(
    const struct announce_ballot *ballot, const struct announce_member *member)
{
	const struct announce_interfaces *on =
	    announce_may_on(ballot, node_of(member));

	return on != NULL &&
	    announce_is_on(on, slice_from_string(member->interface));
}

uint32_t
announce_mark(struct slice address)
{
	uint8_t digest[CRYPT_SHA256_BYTES];
	uint32_t mark = 0;

	crypt_sha256(&address, 1, digest);
	for (unsigned i = 0; i < sizeof(mark); i++)
		mark = mark << 8 | digest[i];
	return mark;
}

static bool
names(const struct wire_beat_marks *marks, uint32_t mark)
{
	for (unsigned i = 0; i < marks->count; i++)
		if (marks->items[i] == mark)
			return true;
	return false;
}

bool
announce_is_own(
    const struct announce_member *member, const struct announce_ballot *ballot)
{
	return names(&member->own, ballot->mark);
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
	if (a->is_own != b->is_own)
		return a->is_own;
	if (a->unable != b->unable)
		return b->unable;
	if (a->settling != b->settling)
		return b->settling;
	if (a->weight != b->weight)
		return a->weight > b->weight;
	int by_digest = memcmp(a->digest, b->digest, sizeof(a->digest));

	if (by_digest != 0)
		return by_digest < 0;
	return slice_compare(a->interface, b->interface) < 0;
}

struct election {
	const struct announce_ballot *ballot;
	const struct announce_member *first;
	struct rank rank; /* of the first */
};

static void
stand(struct election *election, const struct announce_member *member)
{
	const struct announce_preference *preference =
	    preference_of(election->ballot, node_of(member));
	struct rank rank = {
	    .is_own = announce_is_own(member, election->ballot),
	    .unable = member->unable.more ||
	        names(&member->unable, election->ballot->mark),
	    .settling = member->standing == WIRE_BEAT_SETTLING,
	    .weight = preference ? preference->weight : 0,
	    .interface = slice_from_string(member->interface),
	};

	/* It keeps what is its own, whether it may, or leaves, or not. */
	if (!rank.is_own &&
	    (member->standing == WIRE_BEAT_LEAVING ||
	        member->claims == WIRE_BEAT_CLAIMS_NONE ||
	        !may_have(election->ballot, member)))
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

/* That one, where it was on the link and is not heard any more. */
static const struct announce_member *
find_unheard(
    const struct announce_members *members, const struct announce_fence *fence)
{
	for (unsigned i = 0; i < members->place_count; i++) {
		const struct announce_member *member = &members->others[i];

		if (member->life != 0 && !member->live &&
		    slice_equal(node_of(member), fence->node) &&
		    announce_is_on(
		        &fence->on, slice_from_string(member->interface)))
			return member;
	}
	return NULL;
}

/* What it said last may be on its way for a moment. */
static uint64_t
silent_ms(const struct announce_member *member)
{
	return member->proven_ms + LIMIT_VALUE_ANNOUNCE_SILENCE_MS;
}

bool
announce_fence_see(const struct announce_members *members,
    struct announce_fence *fence,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES], uint64_t now_ms)
{
	const struct announce_member *member =
	    fence->node.length > 0 ? find_unheard(members, fence) : NULL;

	if (member == NULL || now_ms < silent_ms(member) ||
	    memcmp(member->hardware, hardware, WIRE_BEAT_HARDWARE_BYTES) != 0)
		return false;
	fence->seen_ms = now_ms;
	return true;
}

bool
announce_is_fenced(
    const struct announce_members *members, const struct announce_fence *fence)
{
	const struct announce_member *member =
	    fence->node.length > 0 ? find_unheard(members, fence) : NULL;

	return member != NULL && fence->seen_ms >= silent_ms(member);
}

bool
announce_fence_is_for(const struct announce_members *members,
    const struct announce_fence *fence,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES])
{
	return slice_equal(fence->node, node_of(&members->us)) &&
	    announce_members_had(members, hardware);
}

bool
announce_fence_is_news(
    const struct announce_members *members, struct announce_fence *fence)
{
	bool is_new = fence->is_new;

	fence->is_new = false;
	return is_new && slice_equal(fence->node, node_of(&members->us));
}

static const struct announce_member *
find_claimant(const struct announce_members *members,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES])
{
	const struct announce_member *member =
	    announce_members_at(members, hardware);

	return members->us.claims == WIRE_BEAT_CLAIMS_OLD && member != NULL &&
	        member->claims == WIRE_BEAT_CLAIMS_NEW
	    ? member
	    : NULL;
}

bool
announce_claimant_hear(const struct announce_members *members,
    struct announce_claimant *claimant,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES], bool is_here,
    uint64_t now_ms)
{
	if ((!is_here && claimant->heard_ms == 0) ||
	    find_claimant(members, hardware) == NULL)
		return false;
	if (claimant->heard_ms == 0)
		claimant->since_ms = now_ms;
	memcpy(claimant->hardware, hardware, WIRE_BEAT_HARDWARE_BYTES);
	claimant->heard_ms = now_ms;
	return is_here;
}

const struct announce_member *
announce_claimant_of(const struct announce_members *members,
    struct announce_claimant *claimant, bool is_here, uint64_t now_ms)
{
	bool begins = claimant->heard_ms - claimant->since_ms < BEGUN_MS;
	uint64_t length_ms = is_here ? YIELDED_MS
	    : begins                 ? AGAIN_MS
	                             : CLAIM_MS;
	const struct announce_member *member =
	    claimant->heard_ms > 0 && now_ms - claimant->heard_ms < length_ms
	    ? find_claimant(members, claimant->hardware)
	    : NULL;

	if (member == NULL)
		claimant->heard_ms = 0;
	return member;
}
