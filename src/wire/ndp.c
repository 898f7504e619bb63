/* Neighbour solicitations and advertisements (RFC 4861 4.3, 4.4), in IPv6
 * packets. */
#include "wire/neighbour_priv.h"

enum { SOLICITATION = 135, ADVERTISEMENT = 136 };
enum { OPTION_SOURCE = 1, OPTION_TARGET = 2 };
enum { NEXT_ICMPV6 = 58, HOPS = 255 };
enum { FLAG_SOLICITED = 0x40, FLAG_OVERRIDE = 0x20 };
#define PACKET_HEAD_BYTES 40
#define OPTION_UNIT_BYTES 8
#define MESSAGE_BYTES 32 /* with one option */

static const uint8_t all_nodes[WIRE_IP_BYTES] = {
    0xff, 0x02, [WIRE_IP_BYTES - 1] = 1};

static uint32_t
sum_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (length % 2)
		sum += (uint32_t)bytes[length - 1] << 8;
	return sum;
}

/* RFC 4443 2.3: over the addresses, the length, the protocol and the message;
 * 0xffff of one whose checksum is right. addresses: source and destination, as
 * they stand in the packet. A packet has less than 64 KiB: 32 bits are enough.
 */
static uint16_t
sum_message(const uint8_t *addresses, const uint8_t *message, size_t length)
{
	uint32_t sum = sum_words(0, addresses, (size_t)2 * WIRE_IP_BYTES);
	sum += (uint32_t)length + NEXT_ICMPV6;
	sum = sum_words(sum, message, length);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static bool
is_group(const uint8_t ip[WIRE_IP_BYTES])
{
	return ip[0] == 0xff;
}

static bool
ip_equal(const void *a, const void *b)
{
	return memcmp(a, b, WIRE_IP_BYTES) == 0;
}

/* The link-layer address among the options; false: one is malformed. */
static bool
read_options(struct reader *in, uint8_t wanted, struct slice *hardware)
{
	*hardware = SLICE_NONE;
	while (reader_left(in) > 0) {
		uint8_t kind = reader_u8(in);
		size_t length = (size_t)reader_u8(in) * OPTION_UNIT_BYTES;
		if (length == 0)
			return false;
		struct slice value = reader_bytes(in, length - 2);
		if (kind == wanted && !in->error &&
		    value.length == WIRE_HARDWARE_BYTES)
			*hardware = value;
	}
	return !in->error;
}

/* RFC 4861 7.1.1: one that has no address yet asks the group alone, and does
 * not say where it is. */
static bool
may_ask(const uint8_t *source, const uint8_t *destination,
    const uint8_t *subject, struct slice hardware)
{
	uint8_t group[WIRE_IP_BYTES];

	if (!wire_ip_is_zero(source))
		return true;
	wire_ip_group(subject, group);
	return ip_equal(destination, group) && !slice_is_set(hardware);
}

/* in: behind the checksum. */
static enum error
read_message(struct reader *in, uint8_t kind, const uint8_t *source,
    const uint8_t *destination, struct wire_neighbour *neighbour)
{
	struct slice hardware;
	bool is_tell = kind == ADVERTISEMENT;

	uint32_t flags = reader_u32(in) >> 24;
	struct slice subject = reader_bytes(in, WIRE_IP_BYTES);
	if (in->error)
		return in->error;
	if (!read_options(
	        in, is_tell ? OPTION_TARGET : OPTION_SOURCE, &hardware))
		return ERROR_INVALID;
	neighbour->is_ipv6 = true;
	neighbour->is_tell = is_tell;
	memcpy(neighbour->subject, subject.data, WIRE_IP_BYTES);
	if (is_group(neighbour->subject) ||
	    wire_ip_is_zero(neighbour->subject) ||
	    wire_ip_is_ipv4(neighbour->subject) || is_group(source))
		return ERROR_INVALID;
	if (slice_is_set(hardware))
		memcpy(neighbour->hardware, hardware.data, WIRE_HARDWARE_BYTES);
	if (!is_tell) {
		memcpy(neighbour->other, source, WIRE_IP_BYTES);
		return may_ask(
		           source, destination, neighbour->subject, hardware)
		    ? ERROR_OK
		    : ERROR_INVALID;
	}
	neighbour->is_solicited = flags & FLAG_SOLICITED;
	neighbour->overrides = flags & FLAG_OVERRIDE;
	if (!is_group(destination))
		memcpy(neighbour->other, destination, WIRE_IP_BYTES);
	else if (neighbour->is_solicited)
		return ERROR_INVALID; /* 7.1.2 */
	return ERROR_OK;
}

enum error
wire_ndp_decode(struct slice packet, struct wire_neighbour *neighbour)
{
	struct reader in;

	reader_init(&in, packet);
	uint32_t version = reader_u32(&in) >> 28;
	uint16_t length = reader_u16(&in);
	uint8_t next = reader_u8(&in);
	uint8_t hops = reader_u8(&in);
	struct slice addresses = reader_bytes(&in, (size_t)2 * WIRE_IP_BYTES);
	struct slice message = reader_bytes(&in, length);
	if (in.error)
		return in.error;
	if (version != 6)
		return ERROR_INVALID;
	if (next != NEXT_ICMPV6)
		return ERROR_UNSUPPORTED;
	reader_init(&in, message);
	uint8_t kind = reader_u8(&in);
	uint8_t code = reader_u8(&in);
	reader_u16(&in);
	if (in.error)
		return in.error;
	if (kind != SOLICITATION && kind != ADVERTISEMENT)
		return ERROR_UNSUPPORTED;
	const uint8_t *source = (const uint8_t *)addresses.data;
	if (hops != HOPS || code != 0 ||
	    sum_message(source, (const uint8_t *)message.data,
	        message.length) != 0xffff)
		return ERROR_INVALID;
	return read_message(
	    &in, kind, source, source + WIRE_IP_BYTES, neighbour);
}

/* Where it goes: an ask to the group of who may have the address; a tell to who
 * asked, or to all nodes. */
static void
choose_destination(
    const struct wire_neighbour *neighbour, uint8_t destination[WIRE_IP_BYTES])
{
	if (!neighbour->is_tell)
		wire_ip_group(neighbour->subject, destination);
	else if (wire_ip_is_zero(neighbour->other))
		memcpy(destination, all_nodes, WIRE_IP_BYTES);
	else
		memcpy(destination, neighbour->other, WIRE_IP_BYTES);
}

/* Returns the length. One that has no address yet does not say where it is. */
static size_t
put_message(const struct wire_neighbour *neighbour, uint8_t *out)
{
	bool is_tell = neighbour->is_tell;

	memset(out, 0, MESSAGE_BYTES);
	out[0] = is_tell ? ADVERTISEMENT : SOLICITATION;
	if (is_tell)
		out[4] =
		    (uint8_t)((neighbour->is_solicited ? FLAG_SOLICITED : 0) |
		        (neighbour->overrides ? FLAG_OVERRIDE : 0));
	memcpy(out + 8, neighbour->subject, WIRE_IP_BYTES);
	if (!is_tell && wire_ip_is_zero(neighbour->other))
		return MESSAGE_BYTES - OPTION_UNIT_BYTES;
	out[24] = is_tell ? OPTION_TARGET : OPTION_SOURCE;
	out[25] = 1;
	memcpy(out + 26, neighbour->hardware, WIRE_HARDWARE_BYTES);
	return MESSAGE_BYTES;
}

/* A tell comes from the address that it is about. */
unsigned
wire_ndp_encode(const struct wire_neighbour *neighbour, char *out)
{
	uint8_t destination[WIRE_IP_BYTES], group[WIRE_HARDWARE_BYTES];
	const uint8_t *to = neighbour->to;

	choose_destination(neighbour, destination);
	if (is_group(destination)) {
		group[0] = group[1] = 0x33; /* RFC 2464 7 */
		memcpy(group + 2, destination + 12, 4);
		to = group;
	}
	char *head =
	    wire_frame_head(to, neighbour->hardware, ETHERTYPE_IPV6, out);
	uint8_t *packet = (uint8_t *)head;
	uint8_t *addresses = packet + 8, *message = packet + PACKET_HEAD_BYTES;
	size_t length = put_message(neighbour, message);
	memset(packet, 0, 8);
	packet[0] = 6 << 4;
	packet[5] = (uint8_t)length;
	packet[6] = NEXT_ICMPV6;
	packet[7] = HOPS;
	memcpy(addresses,
	    neighbour->is_tell ? neighbour->subject : neighbour->other,
	    WIRE_IP_BYTES);
	memcpy(addresses + WIRE_IP_BYTES, destination, WIRE_IP_BYTES);
	uint16_t sum = (uint16_t)~sum_message(addresses, message, length);
	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)(sum & 0xff);
	return (unsigned)(FRAME_HEAD_BYTES + PACKET_HEAD_BYTES + length);
}
