/* Any datagram: what is understood as a beat can be said again, and is
 * understood alike; whatever it says, members stay as they must be. */
#include "announce/members.h"

#include "core/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
say_again(const struct wire_beat *first)
{
	char bytes[WIRE_BEAT_BYTES];
	struct wire_beat again;

	unsigned length = wire_beat_encode(first, bytes);
	must(wire_beat_decode(slice_make(bytes, length), &again) == ERROR_OK);
	must(slice_equal(again.node, first->node));
	must(again.life == first->life && again.asked == first->asked);
	must(again.heard_count == first->heard_count);
	must(again.unable.count == first->unable.count &&
	    again.unable.more == first->unable.more);
	for (unsigned i = 0; i < first->heard_count; i++)
		must(again.heard[i].life == first->heard[i].life &&
		    again.heard[i].sequence == first->heard[i].sequence);
}

/* What they hear of one machine twice is not believed unless it hears them. */
static void
hear(const struct wire_beat *beat)
{
	static const uint8_t hardware[6] = {2};
	struct announce_members members;
	struct wire_beat sent;

	announce_members_init(&members, SLICE("us"), 1);
	announce_members_begin(&members, hardware, 1000);
	must(announce_members_tick(&members, 1000, &sent));
	enum announce_heard heard = announce_members_hear(&members, beat, 1001);
	must((heard == ANNOUNCE_HEARD) == (members.live_count == 1));
	must(announce_members_hear(&members, beat, 1002) != ANNOUNCE_HEARD);
	/* Its life, and one that it may have begun since. */
	for (uint64_t now = 1003; now < 3000; now += 7)
		while (announce_members_tick(&members, now, &sent))
			must(sent.heard_count <= 2);
	must(members.live_count == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body, seal;
	struct wire_beat beat;

	if (wire_beat_split(
	        slice_make((const char *)data, size), &body, &seal) ||
	    wire_beat_decode(body, &beat))
		return 0;
	say_again(&beat);
	hear(&beat);
	return 0;
}
