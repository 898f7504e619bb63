/* The stream's codec: messages in frames, pure. A frame is
 *
 *	length of what follows    4 bytes, network order
 *	kind                      2 bytes, network order
 *	record                    as in wire/record_binary.h
 *
 * A kind that is not known here is passed over, unless its highest bit is set:
 * then the stream cannot be understood without it. Fields go by the same rule.
 *
 * A conversation: the proxy says hello, the controller welcome; where that asks
 * for it, the proxy lists the digests that it holds and learns which of them to
 * keep. Then come puts and drops, and a commit when they make a whole, for as
 * long as the stream lasts; and the other way confirm, refuse and report, the
 * replies of snap/feed.h. Of several controllers any serves a proxy; one that
 *does not lead tells it who does, and it goes there. */
#ifndef YUMEN_STREAM_MESSAGE_H
#define YUMEN_STREAM_MESSAGE_H

#include "core/arena.h"
#include "core/error.h"
#include "core/record.h"
#include "core/text.h"
#include "snap/feed.h"

#define STREAM_MAJOR 1
#define STREAM_MINOR 1
#define STREAM_FRAME_BYTES 6 /* before the record */
#define STREAM_CRITICAL 0x8000

/* Numbers are the stream's. */
enum stream_kind {
	STREAM_UNKNOWN = 0, /* passed over */
	STREAM_HELLO = STREAM_CRITICAL | 1,
	STREAM_WELCOME = STREAM_CRITICAL | 2,
	STREAM_HELD = STREAM_CRITICAL | 3,
	STREAM_KEEP = STREAM_CRITICAL | 4,
	STREAM_PUT = STREAM_CRITICAL | 5,
	STREAM_DROP = STREAM_CRITICAL | 6,
	STREAM_COMMIT = STREAM_CRITICAL | 7,
	STREAM_CONFIRM = STREAM_CRITICAL | 8,
	STREAM_REFUSE = 9,
	STREAM_REPORT = 10,
	STREAM_PING = 11,
	STREAM_BYE = 12,
	STREAM_LEADER = 13,
};

#define RECORD_FILE "stream/message.def"
#include "core/record_structs.h"
#undef RECORD_FILE

struct stream_message {
	enum stream_kind kind;
	union {
		const void *record;
		const struct stream_hello *hello;
		const struct stream_welcome *welcome;
		const struct stream_held *held;
		const struct stream_keep *keep;
		const struct stream_put *put;
		const struct stream_drop *drop;
		const struct stream_commit *commit;
		const struct stream_confirm *confirm;
		const struct stream_refuse *refuse;
		const struct stream_report *report;
		const struct stream_ping *ping;
		const struct stream_bye *bye;
		const struct stream_leader *leader;
	};
};

/* Append a frame; record is of that kind's struct. */
void stream_message_push(
    struct text *out, enum stream_kind kind, const void *record);
/* The first frame of bytes, decoded in arena. *used: its length, 0 with AGAIN.
 * AGAIN: more bytes are wanted; LIMIT: it is longer than frame_bytes_max;
 * UNSUPPORTED: critical and not known; INVALID, TRUNCATED. What is taken has
 * all that its kind needs: digests are whole, generations 16 bytes, unit names
 * and bytes within their limits. */
enum error stream_message_take(struct slice bytes, size_t frame_bytes_max,
    struct arena *arena, struct stream_message *message,
    size_t *used) must_check;

/* ERROR_UNKNOWN when it is none's. */
enum error stream_error_parse(struct slice label);
struct slice stream_generation_slice(const struct feed_generation *generation);
/* bytes: 16 of them. */
struct feed_generation stream_generation_parse(struct slice bytes);
/* A bit for each kind of unit that names say and that is known here. */
unsigned stream_kinds_parse(const struct slice *names, uint32_t count);

#endif
