/* Heartbeats of announcers on one link: who speaks, since which start of its
 * process, how it stands, and whom it hears. What it hears is the proof that a
 * beat is no old one said again: it names a number that its reader has sent
 * within the last moments. Of numbers alone, no clock is in it. Pure; the seal
 * is the caller's to make and to hold against its key. */
#ifndef YUMEN_WIRE_BEAT_H
#define YUMEN_WIRE_BEAT_H

#include <stdbool.h>
#include <stdint.h>
#include "core/error.h"
#include "core/slice.h"

#define WIRE_BEAT_HARDWARE_BYTES 6
#define WIRE_BEAT_SEAL_BYTES 16
#define WIRE_BEAT_NODE_BYTES 253
#define WIRE_BEAT_INTERFACE_BYTES 15
#define WIRE_BEAT_MARKS 6
/* As many as fit in one datagram of an Ethernet frame. */
#define WIRE_BEAT_HEARD 91
#define WIRE_BEAT_BYTES 1472

enum wire_beat_standing {
	WIRE_BEAT_SETTLING = 1, /* it has come of late: others come first */
	WIRE_BEAT_READY = 2,
	WIRE_BEAT_LEAVING = 3, /* it takes nothing any more */
};

/* What it goes by when it says whose an address is. */
enum wire_beat_claims {
	WIRE_BEAT_CLAIMS_NONE = 1, /* not all have come: it takes nothing */
	WIRE_BEAT_CLAIMS_OLD = 2, /* its controller is away, they may differ */
	WIRE_BEAT_CLAIMS_NEW = 3,
};

struct wire_beat_heard {
	uint64_t life;
	uint32_t sequence; /* the newest heard */
};

/* Of addresses; more: there are others beside these. */
struct wire_beat_marks {
	uint32_t items[WIRE_BEAT_MARKS];
	uint8_t count;
	bool more;
};

struct wire_beat {
	struct slice node; /* borrowed */
	struct slice interface; /* its name for its end of the link; borrowed */
	uint64_t life; /* drawn at random by its process at its start; not 0 */
	uint32_t sequence; /* of its beats, each one more */
	uint64_t asked; /* the life that shall answer at once; 0: none */
	enum wire_beat_standing standing;
	enum wire_beat_claims claims;
	uint8_t hardware[WIRE_BEAT_HARDWARE_BYTES]; /* of its link */
	struct wire_beat_heard heard[WIRE_BEAT_HEARD];
	unsigned heard_count;
	/* Those that its host has on interfaces of its own. */
	struct wire_beat_marks own;
	/* Those whose traffic its host does not take or cannot lead. An older
	 * version says nothing of them. */
	struct wire_beat_marks unable;
};

/* body: all but the seal, borrowed; seal: WIRE_BEAT_SEAL_BYTES. TRUNCATED:
 * shorter than a seal. */
enum error wire_beat_split(
    struct slice datagram, struct slice *body, struct slice *seal) must_check;
/* Of a body whose seal is right, though it may come of another version.
 * UNSUPPORTED: not a beat, or not of this version. TRUNCATED, INVALID, LIMIT:
 * too many are heard in it. */
enum error wire_beat_decode(
    struct slice body, struct wire_beat *beat) must_check;
/* The body; returns its length, at most WIRE_BEAT_BYTES without the seal. */
unsigned wire_beat_encode(
    const struct wire_beat *beat, char out[WIRE_BEAT_BYTES]);

#endif
