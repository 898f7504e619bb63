/* Liveness by beats that prove each other. */
#include "announce/members.h"

#include <string.h>

#include "core/must.h"

/* A number that we sent so many beats ago at most is of late: some seconds'
 * worth, and in the worst case, as asks go out more often, half a second's. */
#define LATE_BEATS 64
#define SETTLE_DOUBLINGS 4
/* One who is not proven is forgotten after this: it may have been an old beat
 * that somebody said again. */
#define UNPROVEN_MS 5000
/* Asks and answers go out no closer together than this. */
#define GAP_MS 10
/* So often an answer is said again: one datagram that is lost is common. */
#define ANSWERS_AGAIN 1
/* An ask is answered though so many beats of its sender came before it. */
#define OVERTAKEN_MAX 4

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void
announce_members_init(
    struct announce_members *members, struct slice node, uint64_t life)
{
	must(node.length > 0 && node.length <= WIRE_BEAT_NODE_BYTES);
	*members = (struct announce_members){0};
	memcpy(members->us.node, node.data, node.length);
	members->us.node_length = (uint8_t)node.length;
	members->us.life = life ? life : 1;
	members->us.standing = WIRE_BEAT_SETTLING;
	members->us.claims = WIRE_BEAT_CLAIMS_NONE;
}

void
announce_members_name(struct announce_members *members, struct slice interface)
{
	char *name = members->us.interface;

	must(interface.length < sizeof(members->us.interface));
	memset(name, 0, sizeof(members->us.interface));
	memcpy(name, interface.data, interface.length);
}

/* Counted from now: longer for who has come back often of late. */
static void
settle(struct announce_members *members, uint64_t now_ms)
{
	uint64_t settle_ms = (uint64_t)LIMIT_VALUE_ANNOUNCE_SETTLE_MS
	    << members->breaks;

	members->settled_ms = now_ms + settle_ms;
	if (!members->leaving)
		members->us.standing = WIRE_BEAT_SETTLING;
	members->version++;
}

static void
come_back(struct announce_members *members, uint64_t now_ms)
{
	if (members->broke_ms > 0 &&
	    now_ms - members->broke_ms >= LIMIT_VALUE_ANNOUNCE_BREAK_MS)
		members->breaks = 0;
	else if (members->broke_ms > 0 && members->breaks < SETTLE_DOUBLINGS)
		members->breaks++;
	members->broke_ms = now_ms;
	settle(members, now_ms);
}

void
announce_members_begin(struct announce_members *members,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES], uint64_t now_ms)
{
	memcpy(members->us.hardware, hardware, WIRE_BEAT_HARDWARE_BYTES);
	members->on = true;
	members->last_ms = members->beat_ms = now_ms;
	members->listened_ms = now_ms + LIMIT_VALUE_ANNOUNCE_LISTEN_MS;
	come_back(members, now_ms);
}

static void
lose(struct announce_members *members, struct announce_member *member)
{
	if (!member->live)
		return;
	member->live = false;
	members->live_count--;
	members->version++;
}

void
announce_members_end(struct announce_members *members)
{
	members->on = false;
	for (unsigned i = 0; i < members->place_count; i++)
		lose(members, &members->others[i]);
}

bool
announce_members_note(struct announce_members *members, uint64_t now_ms)
{
	uint64_t gap = now_ms - members->last_ms;

	members->last_ms = now_ms;
	if (!members->on || gap < LIMIT_VALUE_ANNOUNCE_SILENCE_MS)
		return false;
	/* Those that were there have not been listened to. */
	for (unsigned i = 0; i < members->place_count; i++)
		members->others[i].proven_ms += gap;
	members->listened_ms = now_ms + LIMIT_VALUE_ANNOUNCE_LISTEN_MS;
	members->beat_ms = now_ms;
	come_back(members, now_ms);
	return true;
}

static struct slice
node_of(const struct announce_member *member)
{
	return slice_make(member->node, member->node_length);
}

/* Of that node's ends of the link: it may be on it by several interfaces. */
static bool
is_of(const struct announce_member *member, const struct wire_beat *beat)
{
	return slice_equal(node_of(member), beat->node) &&
	    slice_equal(slice_from_string(member->interface), beat->interface);
}

/* When anything came of it last, proven or not. */
static uint64_t
heard_ms(const struct announce_member *member)
{
	return later(member->spoke_ms, member->next_ms);
}

/* A place for one more: a free one, or that of who is gone for the longest
 * time, or NULL. */
static struct announce_member *
find_place(struct announce_members *members)
{
	struct announce_member *oldest = NULL;

	if (members->place_count < LIMIT_VALUE_ANNOUNCE_MEMBERS)
		return &members->others[members->place_count++];
	for (unsigned i = 0; i < members->place_count; i++) {
		struct announce_member *member = &members->others[i];
		if (!member->live &&
		    (oldest == NULL || heard_ms(member) < heard_ms(oldest)))
			oldest = member;
	}
	return oldest;
}

static struct announce_member *
find_or_add(struct announce_members *members, const struct wire_beat *beat)
{
	for (unsigned i = 0; i < members->place_count; i++)
		if (is_of(&members->others[i], beat))
			return &members->others[i];
	struct announce_member *free_place = find_place(members);
	if (free_place == NULL)
		return NULL;
	*free_place =
	    (struct announce_member){.node_length = (uint8_t)beat->node.length};
	memcpy(free_place->node, beat->node.data, beat->node.length);
	if (beat->interface.length > 0)
		memcpy(free_place->interface, beat->interface.data,
		    beat->interface.length);
	return free_place;
}

/* Does it name a number that we sent of late? */
static bool
hears_us(const struct announce_members *members, const struct wire_beat *beat)
{
	for (unsigned i = 0; i < beat->heard_count; i++)
		if (beat->heard[i].life == members->us.life &&
		    beat->heard[i].sequence <= members->us.sequence &&
		    members->us.sequence - beat->heard[i].sequence <=
		        LATE_BEATS)
			return true;
	return false;
}

/* To be sent soon, out of turn. */
static void
hurry(struct announce_members *members, uint64_t now_ms)
{
	uint64_t soonest = members->sent_ms + GAP_MS;

	if (soonest < now_ms)
		soonest = now_ms;
	if (soonest < members->beat_ms)
		members->beat_ms = soonest;
}

static void
answer(struct announce_members *members, const struct wire_beat *beat,
    uint64_t now_ms)
{
	if (beat->asked != members->us.life)
		return;
	hurry(members, now_ms);
	members->again = ANSWERS_AGAIN;
}

/* It is known to be there, though it may have been given up before. */
static void
prove(struct announce_members *members, struct announce_member *member,
    enum wire_beat_standing standing, uint64_t now_ms)
{
	member->proven_ms = now_ms;
	if (member->live)
		return;
	member->live = true;
	hurry(members, now_ms);
	members->returns += member->spoke_ms > 0;
	/* Whom we had lost while all were lost may have had others meanwhile:
	 * it is as if we had gone, unless it says that it had. */
	if (members->live_count++ == 0 && member->spoke_ms > 0 &&
	    standing == WIRE_BEAT_READY && now_ms >= members->listened_ms)
		come_back(members, now_ms);
	members->version++;
}

static bool
are_same(const struct wire_beat_marks *a, const struct wire_beat_marks *b)
{
	return a->count == b->count && a->more == b->more &&
	    memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0;
}

static void
take_standing(struct announce_members *members, struct announce_member *member,
    const struct wire_beat *beat)
{
	if (member->standing == beat->standing &&
	    member->claims == beat->claims &&
	    memcmp(member->hardware, beat->hardware,
	        sizeof(member->hardware)) == 0 &&
	    are_same(&member->own, &beat->own) &&
	    are_same(&member->unable, &beat->unable))
		return;
	member->standing = beat->standing;
	member->claims = beat->claims;
	memcpy(member->hardware, beat->hardware, sizeof(member->hardware));
	member->own = beat->own;
	member->unable = beat->unable;
	members->version++;
}

static void
set_marks(struct announce_members *members, struct wire_beat_marks *ours,
    const struct wire_beat_marks *marks, uint64_t now_ms)
{
	if (are_same(ours, marks))
		return;
	*ours = *marks;
	members->version++;
	hurry(members, now_ms);
}

void
announce_members_own(struct announce_members *members,
    const struct wire_beat_marks *own, uint64_t now_ms)
{
	set_marks(members, &members->us.own, own, now_ms);
}

void
announce_members_unable(struct announce_members *members,
    const struct wire_beat_marks *unable, uint64_t now_ms)
{
	set_marks(members, &members->us.unable, unable, now_ms);
}

void
announce_members_claims(struct announce_members *members,
    enum wire_beat_claims claims, uint64_t now_ms)
{
	if (members->us.claims == claims)
		return;
	members->us.claims = claims;
	members->version++;
	hurry(members, now_ms);
}

/* Whom a member hears is there, though we may not hear it. */
static void
hear_of_others(struct announce_members *members, const struct wire_beat *beat,
    uint64_t now_ms)
{
	for (unsigned i = 0; i < members->place_count; i++) {
		struct announce_member *member = &members->others[i];
		uint32_t known = member->sequence > member->told
		    ? member->sequence
		    : member->told;

		if (member->life == 0 || member->life == beat->life)
			continue;
		for (unsigned k = 0; k < beat->heard_count; k++) {
			if (beat->heard[k].life != member->life ||
			    beat->heard[k].sequence <= known)
				continue;
			member->told = beat->heard[k].sequence;
			prove(members, member, member->standing, now_ms);
		}
	}
}

/* Its process has started anew, or it is a stranger: no old beat, once it hears
 * us. */
static enum announce_heard
hear_new_life(struct announce_members *members, struct announce_member *member,
    const struct wire_beat *beat, uint64_t now_ms)
{
	if (member->next_life == beat->life &&
	    beat->sequence <= member->next_sequence)
		return ANNOUNCE_HEARD_OLD;
	if (!hears_us(members, beat)) {
		/* So that it can prove itself, it is told that we hear it. */
		if (member->next_life != beat->life)
			hurry(members, now_ms);
		member->next_life = beat->life;
		member->next_sequence = beat->sequence;
		member->next_ms = now_ms;
		return ANNOUNCE_HEARD_UNPROVEN;
	}
	lose(members, member);
	member->life = beat->life;
	member->sequence = beat->sequence;
	member->told = 0;
	member->next_life = 0;
	/* It has just begun; what it was before is over. */
	member->spoke_ms = 0;
	prove(members, member, beat->standing, now_ms);
	members->returns++;
	member->spoke_ms = now_ms;
	take_standing(members, member, beat);
	return ANNOUNCE_HEARD;
}

static enum announce_heard
hear_known(struct announce_members *members, struct announce_member *member,
    const struct wire_beat *beat, uint64_t now_ms)
{
	if (beat->sequence <= member->sequence) {
		if (member->sequence - beat->sequence <= OVERTAKEN_MAX)
			answer(members, beat, now_ms);
		return ANNOUNCE_HEARD_OLD;
	}
	member->sequence = beat->sequence;
	if (!hears_us(members, beat)) {
		member->spoke_ms = now_ms;
		hurry(members, now_ms);
		return ANNOUNCE_HEARD_UNPROVEN;
	}
	prove(members, member, beat->standing, now_ms);
	member->spoke_ms = now_ms;
	take_standing(members, member, beat);
	return ANNOUNCE_HEARD;
}

enum announce_heard
announce_members_hear(struct announce_members *members,
    const struct wire_beat *beat, uint64_t now_ms)
{
	if (beat->life == members->us.life)
		return ANNOUNCE_HEARD_SELF;
	if (slice_equal(beat->node, node_of(&members->us)))
		return ANNOUNCE_HEARD_NAMESAKE;
	struct announce_member *member = find_or_add(members, beat);
	if (member == NULL)
		return ANNOUNCE_HEARD_FULL;
	enum announce_heard heard = member->life == beat->life
	    ? hear_known(members, member, beat, now_ms)
	    : hear_new_life(members, member, beat, now_ms);
	if (heard != ANNOUNCE_HEARD)
		return heard;
	hear_of_others(members, beat, now_ms);
	answer(members, beat, now_ms);
	return heard;
}

static void
look_at(struct announce_members *members, struct announce_member *member,
    uint64_t now_ms)
{
	if (member->live &&
	    now_ms >= member->proven_ms + LIMIT_VALUE_ANNOUNCE_SILENCE_MS)
		lose(members, member);
	if (!member->live && member->life == 0 &&
	    now_ms >= member->next_ms + UNPROVEN_MS)
		*member = (struct announce_member){0};
}

/* When it is to be asked next; UINT64_MAX: not. */
static uint64_t
ask_ms(const struct announce_member *member)
{
	if (!member->live)
		return UINT64_MAX;
	return later(member->proven_ms + LIMIT_VALUE_ANNOUNCE_ASK_MS,
	    member->asked_ms + LIMIT_VALUE_ANNOUNCE_ASK_GAP_MS);
}

/* Names one whose beat came at that time, while that was of late. */
static void
name_heard(struct wire_beat *beat, uint64_t life, uint32_t sequence,
    uint64_t came_ms, uint64_t now_ms)
{
	if (life == 0 || came_ms == 0 ||
	    now_ms >= came_ms + LIMIT_VALUE_ANNOUNCE_SILENCE_MS ||
	    beat->heard_count == WIRE_BEAT_HEARD)
		return;
	beat->heard[beat->heard_count++] =
	    (struct wire_beat_heard){life, sequence};
}

/* Lives that are told beside those that are known, never in their place: they
 * may be old ones that somebody says again. */
static void
fill_heard(const struct announce_members *members, uint64_t now_ms,
    struct wire_beat *beat)
{
	for (unsigned i = 0; i < members->place_count; i++) {
		const struct announce_member *member = &members->others[i];
		name_heard(beat, member->life, member->sequence,
		    member->spoke_ms, now_ms);
	}
	for (unsigned i = 0; i < members->place_count; i++) {
		const struct announce_member *member = &members->others[i];
		name_heard(beat, member->next_life, member->next_sequence,
		    member->next_ms, now_ms);
	}
}

static void
fill(const struct announce_members *members, uint64_t now_ms,
    struct wire_beat *beat)
{
	const struct announce_member *us = &members->us;

	*beat = (struct wire_beat){
	    .node = node_of(us),
	    .life = us->life,
	    .sequence = us->sequence,
	    .standing = us->standing,
	    .claims = us->claims,
	};
	memcpy(beat->hardware, us->hardware, sizeof(beat->hardware));
	beat->interface = slice_from_string(us->interface);
	beat->own = us->own;
	beat->unable = us->unable;
	fill_heard(members, now_ms, beat);
}

/* The first one whose ask is due, or NULL. */
static struct announce_member *
find_silent(struct announce_members *members, uint64_t now_ms)
{
	if (now_ms < members->sent_ms + GAP_MS)
		return NULL;
	for (unsigned i = 0; i < members->place_count; i++)
		if (ask_ms(&members->others[i]) <= now_ms)
			return &members->others[i];
	return NULL;
}

bool
announce_members_tick(
    struct announce_members *members, uint64_t now_ms, struct wire_beat *beat)
{
	if (!members->on)
		return false;
	for (unsigned i = 0; i < members->place_count; i++)
		look_at(members, &members->others[i], now_ms);
	if (members->us.standing == WIRE_BEAT_SETTLING &&
	    now_ms >= members->settled_ms) {
		members->us.standing = WIRE_BEAT_READY;
		members->beat_ms = now_ms;
		members->version++;
	}
	struct announce_member *silent = find_silent(members, now_ms);
	if (silent == NULL && now_ms < members->beat_ms)
		return false;
	members->us.sequence++;
	fill(members, now_ms, beat);
	members->sent_ms = now_ms;
	if (silent != NULL) {
		beat->asked = silent->life;
		silent->asked_ms = now_ms;
		return true;
	}
	members->beat_ms = now_ms +
	    (members->again > 0 ? GAP_MS : LIMIT_VALUE_ANNOUNCE_BEAT_MS);
	members->again -= members->again > 0;
	return true;
}

uint64_t
announce_members_due_ms(const struct announce_members *members)
{
	uint64_t due = members->beat_ms;

	if (!members->on)
		return UINT64_MAX;
	if (members->us.standing == WIRE_BEAT_SETTLING)
		due = earlier(due, members->settled_ms);
	if (members->listened_ms > members->last_ms)
		due = earlier(due, members->listened_ms);
	for (unsigned i = 0; i < members->place_count; i++) {
		const struct announce_member *member = &members->others[i];
		if (!member->live)
			continue;
		due = earlier(
		    due, later(ask_ms(member), members->sent_ms + GAP_MS));
		due = earlier(
		    due, member->proven_ms + LIMIT_VALUE_ANNOUNCE_SILENCE_MS);
	}
	return due;
}

void
announce_members_leave(struct announce_members *members, uint64_t now_ms)
{
	members->leaving = true;
	members->us.standing = WIRE_BEAT_LEAVING;
	members->beat_ms = now_ms;
	members->version++;
}

bool
announce_members_is_decided(
    const struct announce_members *members, uint64_t now_ms)
{
	return members->on && now_ms >= members->listened_ms;
}

const struct announce_member *
announce_members_at(const struct announce_members *members,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES])
{
	for (unsigned i = 0; i < members->place_count; i++)
		if (members->others[i].live &&
		    memcmp(members->others[i].hardware, hardware,
		        WIRE_BEAT_HARDWARE_BYTES) == 0)
			return &members->others[i];
	return NULL;
}

bool
announce_members_had(const struct announce_members *members,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES])
{
	for (unsigned i = 0; i < members->place_count; i++)
		if (members->others[i].life != 0 && !members->others[i].live &&
		    memcmp(members->others[i].hardware, hardware,
		        WIRE_BEAT_HARDWARE_BYTES) == 0)
			return true;
	return false;
}
