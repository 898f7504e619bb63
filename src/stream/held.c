/* What a peer says it holds: digests, in its order, and an order of ours to
 * look them up in. Kept until the peer is caught up. */
#include <stdlib.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "stream/server_priv.h"

/* qsort_r's. */
static int
compare(const void *a, const void *b, void *context)
{
	const struct stream_peer *peer = context;

	return memcmp(&peer->held[*(const uint32_t *)a],
	    &peer->held[*(const uint32_t *)b], UNIT_DIGEST_BYTES);
}

/* Its index in held, or listed: it is not there. */
static uint64_t
find(const struct stream_peer *peer, const struct unit_digest *digest)
{
	uint64_t low = 0, high = peer->listed;

	while (low < high) {
		uint64_t middle = (low + high) / 2;
		int order = memcmp(&peer->held[peer->order[middle]], digest,
		    UNIT_DIGEST_BYTES);

		if (order == 0)
			return peer->order[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return peer->listed;
}

bool
stream_peer_has(
    const struct stream_peer *peer, const struct unit_digest *digest)
{
	return peer->order != NULL && find(peer, digest) < peer->listed;
}

struct keeping {
	const struct stream_peer *peer;
	uint8_t *bits;
};

static void
keep(void *context, const struct unit_digest *digest)
{
	struct keeping *keeping = context;
	uint64_t index = find(keeping->peer, digest);

	if (index < keeping->peer->listed)
		keeping->bits[index / 8] |= (uint8_t)(1u << index % 8);
}

/* All was listed: say what to keep. */
static void
answer(struct stream_peer *peer)
{
	size_t bytes = (size_t)(peer->listed + 7) / 8;
	struct keeping keeping = {peer, memory_zero(bytes, 1)};
	struct stream_keep message = {
	    .bits = slice_make((const char *)keeping.bits, bytes)};

	peer->order = memory_zero((size_t)peer->listed, sizeof(peer->order[0]));
	for (uint32_t i = 0; i < peer->listed; i++)
		peer->order[i] = i;
	qsort_r(peer->order, (size_t)peer->listed, sizeof(peer->order[0]),
	    compare, peer);
	peer->from_serial = stream_views_serial(peer->server->views);
	stream_view_each(peer->audience->view, keep, &keeping);
	stream_link_send(&peer->stream, STREAM_KEEP, &message);
	memory_free(keeping.bits);
	peer->state = STREAM_PEER_LIVE;
}

void
stream_peer_list(struct stream_peer *peer, struct slice digests)
{
	uint64_t count = digests.length / UNIT_DIGEST_BYTES;

	if (count == 0 || count > peer->held_count - peer->listed) {
		stream_link_end(&peer->stream, ERROR_INVALID);
		return;
	}
	/* As it comes, not as it was promised. */
	peer->held = memory_resize(
	    peer->held, (size_t)(peer->listed + count), sizeof(peer->held[0]));
	memcpy(&peer->held[peer->listed], digests.data, digests.length);
	peer->listed += count;
	if (peer->listed == peer->held_count)
		answer(peer);
}

void
stream_peer_forget_held(struct stream_peer *peer)
{
	memory_free(peer->held);
	memory_free(peer->order);
	peer->held = NULL;
	peer->order = NULL;
	peer->listed = 0;
}
