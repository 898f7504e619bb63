/* Beats: what is written is read, and what is cut or odd is refused. */
#include "wire/beat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct wire_beat
sample(unsigned heard)
{
	struct wire_beat beat = {
	    .node = SLICE("node-1"),
	    .life = 0x0102030405060708,
	    .sequence = 0xfffefdfc,
	    .asked = 77,
	    .standing = WIRE_BEAT_READY,
	    .claims = WIRE_BEAT_CLAIMS_OLD,
	    .hardware = {2, 0, 0, 0, 0, 9},
	    .heard_count = heard,
	    .interface = heard % 2 ? SLICE("enp0s31f6-lan-1") : SLICE(""),
	    .own = {.count = heard % (WIRE_BEAT_MARKS + 1),
	        .more = heard % 3 == 1},
	    .unable = {.count = (heard + 2) % (WIRE_BEAT_MARKS + 1),
	        .more = heard % 2 == 1},
	};
	for (unsigned i = 0; i < beat.own.count; i++)
		beat.own.items[i] = 0xfedcba98 + i;
	for (unsigned i = 0; i < beat.unable.count; i++)
		beat.unable.items[i] = 0x89abcdef + i;
	for (unsigned i = 0; i < heard; i++)
		beat.heard[i] = (struct wire_beat_heard){i + 1, i * 1000};
	return beat;
}

static void
assert_marks(
    const struct wire_beat_marks *read, const struct wire_beat_marks *said)
{
	assert_int_equal(read->count, said->count);
	assert_int_equal(read->more, said->more);
	assert_memory_equal(
	    read->items, said->items, sizeof(said->items[0]) * said->count);
}

static void
test_both_ways(void **state)
{
	char bytes[WIRE_BEAT_BYTES];
	struct wire_beat read;

	(void)state;
	for (unsigned heard = 0; heard <= WIRE_BEAT_HEARD; heard++) {
		struct wire_beat beat = sample(heard);
		unsigned length = wire_beat_encode(&beat, bytes);
		assert_int_equal(
		    wire_beat_decode(slice_make(bytes, length), &read),
		    ERROR_OK);
		assert_true(slice_equal(read.node, beat.node));
		assert_true(read.life == beat.life);
		assert_int_equal(read.sequence, beat.sequence);
		assert_int_equal(read.asked, beat.asked);
		assert_int_equal(read.standing, beat.standing);
		assert_int_equal(read.claims, beat.claims);
		assert_memory_equal(read.hardware, beat.hardware, 6);
		assert_true(slice_equal(read.interface, beat.interface));
		assert_marks(&read.own, &beat.own);
		assert_marks(&read.unable, &beat.unable);
		assert_int_equal(read.heard_count, heard);
		for (unsigned i = 0; i < heard; i++) {
			assert_true(read.heard[i].life == i + 1);
			assert_int_equal(read.heard[i].sequence, i * 1000);
		}
	}
}

static void
test_cut(void **state)
{
	char bytes[WIRE_BEAT_BYTES];
	struct wire_beat beat = sample(2), read;
	struct slice body, seal;

	(void)state;
	unsigned length = wire_beat_encode(&beat, bytes);
	/* An older version ends there. */
	unsigned older = length - 1 - beat.unable.count * 4;
	assert_true(beat.unable.count > 0);
	for (unsigned i = 0; i < length; i++)
		assert_int_equal(wire_beat_decode(slice_make(bytes, i), &read),
		    i == older ? ERROR_OK : ERROR_TRUNCATED);
	assert_int_equal(
	    wire_beat_decode(slice_make(bytes, older), &read), ERROR_OK);
	assert_marks(&read.unable, &(struct wire_beat_marks){0});
	/* What a later version says behind it is nothing to us. */
	bytes[length] = 0;
	assert_int_equal(
	    wire_beat_decode(slice_make(bytes, length + 1), &read), ERROR_OK);
	assert_int_equal(
	    wire_beat_split(
	        slice_make(bytes, WIRE_BEAT_SEAL_BYTES - 1), &body, &seal),
	    ERROR_TRUNCATED);
	assert_int_equal(
	    wire_beat_split(
	        slice_make(bytes, WIRE_BEAT_SEAL_BYTES + 3), &body, &seal),
	    ERROR_OK);
	assert_int_equal(body.length, 3);
	assert_int_equal(seal.length, WIRE_BEAT_SEAL_BYTES);
}

static void
test_odd(void **state)
{
	enum {
		VERSION_AT = 3,
		STANDING_AT = 4,
		CLAIMS_AT = 5,
		LIFE_AT = 6,
		NODE_AT = 32
	};
	char bytes[WIRE_BEAT_BYTES];
	struct wire_beat beat = sample(1), read;

	(void)state;
	unsigned length = wire_beat_encode(&beat, bytes);
	struct slice body = slice_make(bytes, length);
	assert_int_equal(bytes[NODE_AT], 6);
	bytes[VERSION_AT] = 2;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_UNSUPPORTED);
	bytes[VERSION_AT] = 3;
	bytes[STANDING_AT] = 4;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_INVALID);
	bytes[STANDING_AT] = 0;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_INVALID);
	bytes[STANDING_AT] = 1;
	bytes[CLAIMS_AT] = 4;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_INVALID);
	bytes[CLAIMS_AT] = 0;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_INVALID);
	bytes[CLAIMS_AT] = 1;
	memset(bytes + LIFE_AT, 0, 8);
	assert_int_equal(wire_beat_decode(body, &read), ERROR_INVALID);
	bytes[LIFE_AT] = 1;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_OK);
	/* An interface's name with an end in it. */
	char name = bytes[NODE_AT + 8];
	bytes[NODE_AT + 8] = 0;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_INVALID);
	bytes[NODE_AT + 8] = name;
	/* More than there may be: marks, heard, bytes of an interface. */
	assert_int_equal(bytes[NODE_AT + 7], 15);
	assert_int_equal(beat.unable.count, 3);
	bytes[length - 13] = (char)(0x80 | (WIRE_BEAT_MARKS + 1));
	assert_int_equal(wire_beat_decode(body, &read), ERROR_LIMIT);
	assert_int_equal(beat.own.count, 1);
	bytes[length - 18] = WIRE_BEAT_MARKS + 1;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_LIMIT);
	bytes[NODE_AT + 23] = WIRE_BEAT_HEARD + 1;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_LIMIT);
	bytes[NODE_AT + 7] = 16;
	bytes[NODE_AT + 24] = 0;
	assert_int_equal(wire_beat_decode(body, &read), ERROR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_odd),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
