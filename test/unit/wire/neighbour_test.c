/* ARP and neighbour discovery: frames as other hosts send them, what we send,
 * and what a host must drop. */
#include "wire/neighbour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/text.h"

#define US "\x02\x00\x00\x00\x00\x01"
#define THEM "\x02\x00\x00\x00\x00\x02"
#define NOWHERE "\0\0\0\0\0\0"
#define EVERYBODY "\xff\xff\xff\xff\xff\xff"
#define ARP_HEAD "\x08\x06\0\1\x08\0\6\4"
#define IP_A "\xc0\0\2\1"
#define IP_B "\xc0\0\2\2"
#define IP_NONE "\0\0\0\0"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff"
#define IP6_A "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\xab\xcd"
#define IP6_B "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\2"
#define IP6_NONE "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define GROUP_A "\xff\2\0\0\0\0\0\0\0\0\0\1\xff\0\xab\xcd"
#define ALL_NODES "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define IP6_HEAD(length) "\x86\xdd\x60\0\0\0\0" length "\x3a\xff"
#define OPTION(kind, hardware) kind "\1" hardware

/* How a frame and a value go with each other. */
struct row {
	const char *what;
	struct slice frame; /* an ICMPv6 checksum of 0 is filled in */
	const char *subject, *other, *hardware, *to;
	bool is_ipv6, is_tell, is_solicited, overrides;
	bool is_odd; /* we would send it otherwise */
};

static const struct row rows[] = {
    {"an ask", SLICE(EVERYBODY THEM ARP_HEAD "\0\1" THEM IP_B NOWHERE IP_A),
        MAPPED IP_A, MAPPED IP_B, THEM, EVERYBODY},
    {"a probe", SLICE(EVERYBODY THEM ARP_HEAD "\0\1" THEM IP_NONE NOWHERE IP_A),
        MAPPED IP_A, IP6_NONE, THEM, EVERYBODY},
    {"an announcement that asks",
        SLICE(EVERYBODY THEM ARP_HEAD "\0\1" THEM IP_A NOWHERE IP_A),
        MAPPED IP_A, MAPPED IP_A, THEM, EVERYBODY},
    {"an announcement that tells",
        SLICE(EVERYBODY THEM ARP_HEAD "\0\2" THEM IP_A THEM IP_A), MAPPED IP_A,
        IP6_NONE, THEM, EVERYBODY, .is_tell = true},
    {"an announcement as MetalLB sends it",
        SLICE(EVERYBODY THEM ARP_HEAD "\0\2" THEM IP_A EVERYBODY IP_A),
        MAPPED IP_A, IP6_NONE, THEM, EVERYBODY, .is_tell = true,
        .is_odd = true},
    {"an answer", SLICE(US THEM ARP_HEAD "\0\2" THEM IP_A US IP_B), MAPPED IP_A,
        MAPPED IP_B, THEM, US, .is_tell = true},
    {"an answer to a probe",
        SLICE(US THEM ARP_HEAD "\0\2" THEM IP_A US IP_NONE), MAPPED IP_A,
        IP6_NONE, THEM, US, .is_tell = true},
    {"padded to Ethernet's least",
        SLICE(EVERYBODY THEM ARP_HEAD "\0\1" THEM IP_B NOWHERE IP_A
                                      "\0\0\0\0\0\0\0\0"),
        MAPPED IP_A, MAPPED IP_B, THEM, EVERYBODY, .is_odd = true},
    {"IPv6: an ask",
        SLICE("\x33\x33\xff\0\xab\xcd" THEM IP6_HEAD("\x20") IP6_B GROUP_A
            "\x87\0\0\0\0\0\0\0" IP6_A OPTION("\1", THEM)),
        IP6_A, IP6_B, THEM, "\x33\x33\xff\0\xab\xcd", .is_ipv6 = true},
    {"IPv6: an ask of one that knows where we are",
        SLICE(US THEM IP6_HEAD("\x18") IP6_B IP6_A "\x87\0\0\0\0\0\0\0" IP6_A),
        IP6_A, IP6_B, THEM, US, .is_ipv6 = true, .is_odd = true},
    {"IPv6: a probe",
        SLICE("\x33\x33\xff\0\xab\xcd" THEM IP6_HEAD("\x18") IP6_NONE GROUP_A
            "\x87\0\0\0\0\0\0\0" IP6_A),
        IP6_A, IP6_NONE, THEM, "\x33\x33\xff\0\xab\xcd", .is_ipv6 = true},
    {"IPv6: an announcement",
        SLICE("\x33\x33\0\0\0\1" THEM IP6_HEAD("\x20") IP6_A ALL_NODES
            "\x88\0\0\0\x20\0\0\0" IP6_A OPTION("\2", THEM)),
        IP6_A, IP6_NONE, THEM, "\x33\x33\0\0\0\1", .is_ipv6 = true,
        .is_tell = true, .overrides = true},
    {"IPv6: an answer",
        SLICE(US THEM IP6_HEAD("\x20") IP6_A IP6_B
            "\x88\0\0\0\x60\0\0\0" IP6_A OPTION("\2", THEM)),
        IP6_A, IP6_B, THEM, US, .is_ipv6 = true, .is_tell = true,
        .is_solicited = true, .overrides = true},
    {"IPv6: an option that nobody knows (a nonce, RFC 3971)",
        SLICE("\x33\x33\xff\0\xab\xcd" THEM IP6_HEAD("\x20") IP6_NONE GROUP_A
            "\x87\0\0\0\0\0\0\0" IP6_A "\x0e\1\1\2\3\4\5\6"),
        IP6_A, IP6_NONE, THEM, "\x33\x33\xff\0\xab\xcd", .is_ipv6 = true,
        .is_odd = true},
};

static const struct {
	const char *what;
	struct slice frame;
	enum error error;
} refused[] = {
    {"nothing", SLICE(""), ERROR_TRUNCATED},
    {"a head alone", SLICE(EVERYBODY THEM), ERROR_TRUNCATED},
    {"another protocol", SLICE(EVERYBODY THEM "\x08\0\x45"), ERROR_UNSUPPORTED},
    {"ARP of another hardware",
        SLICE(
            EVERYBODY THEM "\x08\x06\0\6\x08\0\6\4\0\1" THEM IP_B NOWHERE IP_A),
        ERROR_UNSUPPORTED},
    {"reverse ARP",
        SLICE(EVERYBODY THEM ARP_HEAD "\0\3" THEM IP_B NOWHERE IP_A),
        ERROR_UNSUPPORTED},
    {"ARP cut short",
        SLICE(EVERYBODY THEM ARP_HEAD "\0\1" THEM IP_B NOWHERE "\xc0\0\2"),
        ERROR_TRUNCATED},
    {"a group as the sender",
        SLICE(EVERYBODY THEM ARP_HEAD "\0\2" EVERYBODY IP_A US IP_B),
        ERROR_INVALID},
    {"nobody is at", SLICE(EVERYBODY THEM ARP_HEAD "\0\2" THEM IP_NONE US IP_B),
        ERROR_INVALID},
    {"IPv6: another protocol",
        SLICE(US THEM "\x86\xdd\x60\0\0\0\0\0\x11\xff" IP6_B IP6_A),
        ERROR_UNSUPPORTED},
    {"IPv6: an echo",
        SLICE(US THEM IP6_HEAD("\x08") IP6_B IP6_A "\x80\0\0\0\0\0\0\0"),
        ERROR_UNSUPPORTED},
    {"IPv6: from beyond a router",
        SLICE(US THEM "\x86\xdd\x60\0\0\0\0\x18\x3a\xfe" IP6_B IP6_A
                      "\x87\0\0\0\0\0\0\0" IP6_A),
        ERROR_INVALID},
    {"IPv6: a code",
        SLICE(US THEM IP6_HEAD("\x18") IP6_B IP6_A "\x87\1\0\0\0\0\0\0" IP6_A),
        ERROR_INVALID},
    {"IPv6: a group as the subject",
        SLICE(US THEM IP6_HEAD("\x18") IP6_B IP6_A
            "\x87\0\0\0\0\0\0\0" ALL_NODES),
        ERROR_INVALID},
    {"IPv6: an option of no length",
        SLICE(US THEM IP6_HEAD("\x20") IP6_B IP6_A "\x87\0\0\0\0\0\0\0" IP6_A
                                                   "\1\0" THEM),
        ERROR_INVALID},
    {"IPv6: an option that is longer than the message",
        SLICE(US THEM IP6_HEAD("\x20") IP6_B IP6_A "\x87\0\0\0\0\0\0\0" IP6_A
                                                   "\1\2" THEM),
        ERROR_INVALID},
    {"IPv6: a probe that does not ask the group",
        SLICE(
            US THEM IP6_HEAD("\x18") IP6_NONE IP6_A "\x87\0\0\0\0\0\0\0" IP6_A),
        ERROR_INVALID},
    {"IPv6: a probe that says where it is",
        SLICE(US THEM IP6_HEAD("\x20") IP6_NONE GROUP_A
            "\x87\0\0\0\0\0\0\0" IP6_A OPTION("\1", THEM)),
        ERROR_INVALID},
    {"IPv6: an answer for everybody",
        SLICE(US THEM IP6_HEAD("\x20") IP6_A ALL_NODES
            "\x88\0\0\0\x60\0\0\0" IP6_A OPTION("\2", THEM)),
        ERROR_INVALID},
    {"IPv6: a packet that is longer than the frame",
        SLICE(US THEM IP6_HEAD("\x19") IP6_B IP6_A "\x87\0\0\0\0\0\0\0" IP6_A),
        ERROR_TRUNCATED},
};

enum { HEAD = 14, PACKET_HEAD = 40, CHECKSUM_AT = HEAD + PACKET_HEAD + 2 };

/* The checksum by its definition, 16 bits a time, with the carry at once. */
static void
add(unsigned *sum, unsigned word)
{
	*sum += word;
	if (*sum > 0xffff)
		*sum -= 0xffff;
}

static struct slice
with_checksum(struct slice frame, char out[128])
{
	assert_in_range(frame.length, 0, 128);
	memcpy(out, frame.data, frame.length);
	const uint8_t *bytes = (const uint8_t *)out;
	if (frame.length <= CHECKSUM_AT + 2 || bytes[12] != 0x86)
		return slice_make(out, frame.length);
	size_t length = frame.length - HEAD - PACKET_HEAD;
	unsigned sum = 58;
	add(&sum, (unsigned)length);
	for (size_t i = HEAD + 8; i < frame.length; i += 2)
		add(&sum,
		    (unsigned)bytes[i] << 8 |
		        (i + 1 < frame.length ? bytes[i + 1] : 0));
	sum = ~sum & 0xffff;
	out[CHECKSUM_AT] = (char)(sum >> 8);
	out[CHECKSUM_AT + 1] = (char)(sum & 0xff);
	return slice_make(out, frame.length);
}

static void
test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct wire_neighbour got;
		char room[128];
		print_message("%s\n", row->what);
		assert_int_equal(wire_neighbour_decode(
		                     with_checksum(row->frame, room), &got),
		    ERROR_OK);
		assert_memory_equal(got.subject, row->subject, WIRE_IP_BYTES);
		assert_memory_equal(got.other, row->other, WIRE_IP_BYTES);
		assert_memory_equal(
		    got.hardware, row->hardware, WIRE_HARDWARE_BYTES);
		assert_memory_equal(got.to, row->to, WIRE_HARDWARE_BYTES);
		assert_int_equal(got.is_ipv6, row->is_ipv6);
		assert_int_equal(got.is_tell, row->is_tell);
		assert_int_equal(got.is_solicited, row->is_solicited);
		assert_int_equal(got.overrides, row->overrides);
	}
}

static void
test_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct wire_neighbour value;
		char room[128], out[WIRE_NEIGHBOUR_FRAME_BYTES];
		print_message("%s\n", row->what);
		struct slice frame = with_checksum(row->frame, room);
		assert_int_equal(
		    wire_neighbour_decode(frame, &value), ERROR_OK);
		unsigned length = wire_neighbour_encode(&value, out);
		bool same = slice_equal(slice_make(out, length), frame);
		assert_int_equal(same, !row->is_odd);
	}
}

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct wire_neighbour got;
		char room[128];
		print_message("%s\n", refused[i].what);
		assert_int_equal(
		    wire_neighbour_decode(
		        with_checksum(refused[i].frame, room), &got),
		    refused[i].error);
	}
}

/* Any bit that is turned in an IPv6 message is seen by its checksum. */
static void
test_checksum(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[128];
		struct wire_neighbour got;
		struct slice frame = with_checksum(rows[i].frame, room);
		if (!rows[i].is_ipv6)
			continue;
		for (size_t bit = 8 * (HEAD + 8); bit < 8 * frame.length;
		     bit++) {
			room[bit / 8] ^= (char)(1 << bit % 8);
			assert_int_not_equal(
			    wire_neighbour_decode(frame, &got), ERROR_OK);
			room[bit / 8] ^= (char)(1 << bit % 8);
		}
	}
}

/* Cut anywhere, it is refused, and nothing behind the cut is read. */
static void
test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice frame = rows[i].frame;
		size_t whole = rows[i].is_ipv6 ? frame.length : 42;
		for (size_t length = 0; length < whole; length++) {
			struct wire_neighbour got;
			struct text copy;
			text_init(&copy);
			text_push(&copy, slice_make(frame.data, length));
			assert_int_not_equal(
			    wire_neighbour_decode(text_slice(&copy), &got),
			    ERROR_OK);
			text_fini(&copy);
		}
	}
}

static void
test_claims(void **state)
{
	(void)state;
	static const uint8_t a[] = MAPPED IP_A, b[] = MAPPED IP_B;
	struct wire_neighbour ask, probe, announcement, answer;
	char out[WIRE_HARDWARE_TEXT];

	assert_int_equal(wire_neighbour_decode(rows[0].frame, &ask), 0);
	assert_int_equal(wire_neighbour_decode(rows[1].frame, &probe), 0);
	assert_int_equal(
	    wire_neighbour_decode(rows[2].frame, &announcement), 0);
	assert_int_equal(wire_neighbour_decode(rows[5].frame, &answer), 0);
	assert_false(wire_neighbour_claims(&ask, a));
	assert_true(wire_neighbour_claims(&ask, b));
	assert_false(wire_neighbour_claims(&probe, a));
	assert_true(wire_neighbour_claims(&announcement, a));
	assert_true(wire_neighbour_claims(&answer, a));
	assert_false(wire_neighbour_claims(&answer, b));
	assert_true(wire_neighbour_probes(&probe, a));
	assert_false(wire_neighbour_probes(&probe, b));
	assert_false(wire_neighbour_probes(&ask, a));
	wire_hardware_format(ask.hardware, out);
	assert_string_equal(out, "02:00:00:00:00:02");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_decode),
	    cmocka_unit_test(test_encode),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_checksum),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_claims),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
