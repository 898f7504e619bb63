/* The announcers of one link, as one of them knows them: who is there, and
 * since when. A node that is on it by several interfaces is several members. A
 * pure machine: times and randomness come in as arguments, beats go out as
 * values. All that matters is told in beats, so that all who hear each other
 * come to the same.
 *
 * A member is live while it proves that it hears us and we hear it: its beats
 * name numbers that we sent of late (so that no old beat is taken for a new
 * one), or another member hears it. One that falls silent is asked, several
 * times, before it is given up: a lost datagram gives nobody up, and a machine
 * that has died is given up after ANNOUNCE_SILENCE_MS.
 *
 * Whoever comes, or comes back, settles for a while, in which those that stayed
 * come first; for longer when it has gone and come often. Whoever finds that
 * it stood still, or was alone and is not any more, counts as come back. */
#ifndef YUMEN_ANNOUNCE_MEMBERS_H
#define YUMEN_ANNOUNCE_MEMBERS_H

#include "core/limit.h"
#include "core/random.h"
#include "wire/beat.h"

struct announce_member {
	char node[WIRE_BEAT_NODE_BYTES];
	uint8_t node_length; /* 0: a free place */
	uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES];
	char interface[WIRE_BEAT_INTERFACE_BYTES + 1]; /* its end of the link */
	struct wire_beat_marks own, unable; /* addresses, of its host */
	bool live;
	enum wire_beat_standing standing;
	enum wire_beat_claims claims;
	uint64_t life; /* proven; 0: none yet */
	uint32_t sequence; /* the newest of its own beats in that life */
	uint32_t told; /* the newest that others heard of it */
	uint64_t next_life; /* told, not proven; 0: none */
	uint32_t next_sequence;
	uint64_t next_ms; /* when a beat of that came last */
	uint64_t proven_ms; /* when it was last known to be there */
	uint64_t spoke_ms; /* when a beat of its life came last */
	uint64_t asked_ms;
};

struct announce_members {
	struct announce_member
	    us; /* node, hardware, life, standing, claims, sequence */
	struct announce_member others[LIMIT_VALUE_ANNOUNCE_MEMBERS];
	unsigned place_count; /* of others that are looked at */
	unsigned live_count;
	/* Changes with whatever an election depends on. */
	uint64_t version;
	/* Rises when one comes, which is to hear what is held here, or comes
	 * back that was given up: it may have held that. */
	unsigned returns;
	uint64_t listened_ms; /* until then nothing is decided */
	uint64_t settled_ms; /* READY from then on */
	uint64_t broke_ms; /* when it came back last */
	unsigned breaks; /* of late */
	uint64_t last_ms; /* announce_members_note */
	uint64_t beat_ms; /* when the next beat is due */
	uint64_t sent_ms;
	unsigned again; /* beats that follow the next one at once */
	bool on; /* the link is up */
	bool leaving;
};

/* node: at most WIRE_BEAT_NODE_BYTES, not empty; life: drawn at random. Off
 * until _begin, and without claims until _claims. */
void announce_members_init(
    struct announce_members *members, struct slice node, uint64_t life);
/* Our name for our end of the link, which others are told. */
void announce_members_name(
    struct announce_members *members, struct slice interface);
/* The link has come up: nobody is known, everything begins. */
void announce_members_begin(struct announce_members *members,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES], uint64_t now_ms);
/* These addresses our host has on interfaces of its own; those that are too
 * many for a beat are not told. */
void announce_members_own(struct announce_members *members,
    const struct wire_beat_marks *own, uint64_t now_ms);
/* What comes for these our host does not take, or cannot lead on: others come
 * before us; with more than a beat names, for all addresses. */
void announce_members_unable(struct announce_members *members,
    const struct wire_beat_marks *unable, uint64_t now_ms);
/* What we go by from now on. */
void announce_members_claims(struct announce_members *members,
    enum wire_beat_claims claims, uint64_t now_ms);
/* The link is down: nobody is there, nothing is sent. */
void announce_members_end(struct announce_members *members);
/* Before anything else that comes in: true when so much time has passed since
 * the last call that the others will have given us up. All is then as after
 * _begin, but for who is known; what is held must be given up unless nobody
 * else was there. */
bool announce_members_note(struct announce_members *members, uint64_t now_ms);

enum announce_heard {
	ANNOUNCE_HEARD, /* it is there */
	ANNOUNCE_HEARD_UNPROVEN, /* not, or not yet, known to hear us */
	ANNOUNCE_HEARD_OLD, /* said before */
	ANNOUNCE_HEARD_SELF, /* ours */
	/* Of our node's name: another machine, or ours by another interface or
	 * of a former life. */
	ANNOUNCE_HEARD_NAMESAKE,
	ANNOUNCE_HEARD_FULL, /* LIMIT_ANNOUNCE_MEMBERS */
};
/* beat: one whose seal is right. */
enum announce_heard announce_members_hear(struct announce_members *members,
    const struct wire_beat *beat, uint64_t now_ms);
/* True: this beat is to be sent to all, and _tick is to be called again at
 * once. False: nothing is due until announce_members_due_ms. */
bool announce_members_tick(
    struct announce_members *members, uint64_t now_ms, struct wire_beat *beat);
uint64_t announce_members_due_ms(const struct announce_members *members);
/* Take nothing any more: the others are told with the next beat, due now. */
void announce_members_leave(struct announce_members *members, uint64_t now_ms);

/* May elections be held, or is it still being listened who is there? */
bool announce_members_is_decided(
    const struct announce_members *members, uint64_t now_ms);
/* The live member at this hardware address, or NULL. */
const struct announce_member *announce_members_at(
    const struct announce_members *members,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES]);
/* Was one at this hardware address, and is given up? */
bool announce_members_had(const struct announce_members *members,
    const uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES]);

#endif
