/* A beat: "ymb", the version, standing, claims, life, sequence, asked,
 * hardware, the names of the node and of the interface, each behind its length,
 * a count and what is heard, a count (and a bit: there are more) and marks, of
 * what is its own and of what it is unable to have. What follows is another
 * version's to say and is passed over. */
#include "wire/beat.h"

#include <assert.h>

#include "core/must.h"
#include "core/reader.h"
#include "core/writer.h"

#define MORE 0x80

static const char head[4] = {'y', 'm', 'b', 3};

static_assert(sizeof(head) + 2 + 8 + 4 + 8 + WIRE_BEAT_HARDWARE_BYTES + 1 +
            WIRE_BEAT_NODE_BYTES + 1 + WIRE_BEAT_INTERFACE_BYTES + 1 +
            WIRE_BEAT_HEARD * 12 + 2 * (1 + WIRE_BEAT_MARKS * 4) +
            WIRE_BEAT_SEAL_BYTES <=
        WIRE_BEAT_BYTES,
    "a beat fits in a datagram");

enum error
wire_beat_split(struct slice datagram, struct slice *body, struct slice *seal)
{
	if (datagram.length < WIRE_BEAT_SEAL_BYTES)
		return ERROR_TRUNCATED;
	*body =
	    slice_make(datagram.data, datagram.length - WIRE_BEAT_SEAL_BYTES);
	*seal = slice_skip(datagram, body->length);
	return ERROR_OK;
}

static void
read_heard(struct reader *in, struct wire_beat *beat)
{
	beat->heard_count = reader_u8(in);
	if (beat->heard_count > WIRE_BEAT_HEARD) {
		reader_fail(in, ERROR_LIMIT);
		return;
	}
	for (unsigned i = 0; i < beat->heard_count; i++) {
		beat->heard[i].life = reader_u64(in);
		beat->heard[i].sequence = reader_u32(in);
	}
}

static void
read_marks(struct reader *in, struct wire_beat_marks *marks)
{
	uint8_t count = reader_u8(in);

	marks->more = (count & MORE) != 0;
	marks->count = count & ~MORE;
	if (marks->count > WIRE_BEAT_MARKS) {
		reader_fail(in, ERROR_LIMIT);
		return;
	}
	for (unsigned i = 0; i < marks->count; i++)
		marks->items[i] = reader_u32(in);
}

enum error
wire_beat_decode(struct slice body, struct wire_beat *beat)
{
	struct reader in;

	reader_init(&in, body);
	struct slice kind = reader_bytes(&in, sizeof(head));
	if (in.error == ERROR_OK && memcmp(kind.data, head, sizeof(head)) != 0)
		return ERROR_UNSUPPORTED;
	beat->standing = reader_u8(&in);
	beat->claims = reader_u8(&in);
	beat->life = reader_u64(&in);
	beat->sequence = reader_u32(&in);
	beat->asked = reader_u64(&in);
	struct slice hardware = reader_bytes(&in, WIRE_BEAT_HARDWARE_BYTES);
	beat->node = reader_bytes(&in, reader_u8(&in));
	beat->interface = reader_bytes(&in, reader_u8(&in));
	read_heard(&in, beat);
	read_marks(&in, &beat->own);
	beat->unable = (struct wire_beat_marks){0};
	if (reader_left(&in) > 0)
		read_marks(&in, &beat->unable);
	if (in.error)
		return in.error;
	memcpy(beat->hardware, hardware.data, WIRE_BEAT_HARDWARE_BYTES);
	if (beat->standing < WIRE_BEAT_SETTLING ||
	    beat->standing > WIRE_BEAT_LEAVING ||
	    beat->claims < WIRE_BEAT_CLAIMS_NONE ||
	    beat->claims > WIRE_BEAT_CLAIMS_NEW || beat->life == 0 ||
	    beat->node.length == 0 ||
	    beat->node.length > WIRE_BEAT_NODE_BYTES ||
	    beat->interface.length > WIRE_BEAT_INTERFACE_BYTES ||
	    slice_find(beat->interface, '\0') < beat->interface.length)
		return ERROR_INVALID;
	return ERROR_OK;
}

static void
write_marks(struct text *text, const struct wire_beat_marks *marks)
{
	must(marks->count <= WIRE_BEAT_MARKS);
	writer_u8(text, (uint8_t)(marks->count | (marks->more ? MORE : 0)));
	for (unsigned i = 0; i < marks->count; i++)
		writer_u32(text, marks->items[i]);
}

unsigned
wire_beat_encode(const struct wire_beat *beat, char out[WIRE_BEAT_BYTES])
{
	struct text text;

	must(beat->heard_count <= WIRE_BEAT_HEARD && beat->life != 0);
	must(
	    beat->node.length > 0 && beat->node.length <= WIRE_BEAT_NODE_BYTES);
	must(beat->interface.length <= WIRE_BEAT_INTERFACE_BYTES);
	text_init(&text);
	text_push(&text, slice_make(head, sizeof(head)));
	writer_u8(&text, (uint8_t)beat->standing);
	writer_u8(&text, (uint8_t)beat->claims);
	writer_u64(&text, beat->life);
	writer_u32(&text, beat->sequence);
	writer_u64(&text, beat->asked);
	text_push(&text,
	    slice_make((const char *)beat->hardware, sizeof(beat->hardware)));
	writer_u8(&text, (uint8_t)beat->node.length);
	text_push(&text, beat->node);
	writer_u8(&text, (uint8_t)beat->interface.length);
	if (beat->interface.length > 0)
		text_push(&text, beat->interface);
	writer_u8(&text, (uint8_t)beat->heard_count);
	for (unsigned i = 0; i < beat->heard_count; i++) {
		writer_u64(&text, beat->heard[i].life);
		writer_u32(&text, beat->heard[i].sequence);
	}
	write_marks(&text, &beat->own);
	write_marks(&text, &beat->unable);
	unsigned length = (unsigned)text.length;
	must(length <= WIRE_BEAT_BYTES - WIRE_BEAT_SEAL_BYTES);
	memcpy(out, text.data, length);
	text_fini(&text);
	return length;
}
