/* ARP for IPv4 over Ethernet (RFC 826). */
#include "wire/neighbour_priv.h"

/* Hardware Ethernet, protocol IPv4, their lengths. */
static const char head[6] = {0, 1, 8, 0, 6, 4};
enum { REQUEST = 1, REPLY = 2 };
#define IPV4_BYTES 4
#define IPV4_AT (WIRE_IP_BYTES - IPV4_BYTES)

/* 0.0.0.0 is nobody, which is all zero here. */
static void
read_ip(struct reader *in, uint8_t ip[WIRE_IP_BYTES])
{
	struct slice bytes = reader_bytes(in, IPV4_BYTES);
	if (in->error || memcmp(bytes.data, "\0\0\0", IPV4_BYTES) == 0)
		return;
	ip[10] = ip[11] = 0xff;
	memcpy(ip + IPV4_AT, bytes.data, IPV4_BYTES);
}

enum error
wire_arp_decode(struct reader *in, struct wire_neighbour *neighbour)
{
	uint8_t sender[WIRE_IP_BYTES] = {0}, target[WIRE_IP_BYTES] = {0};

	struct slice kind = reader_bytes(in, sizeof(head));
	uint16_t operation = reader_u16(in);
	struct slice hardware = reader_bytes(in, WIRE_HARDWARE_BYTES);
	read_ip(in, sender);
	reader_bytes(in, WIRE_HARDWARE_BYTES);
	read_ip(in, target);
	if (in->error)
		return in->error;
	if (memcmp(kind.data, head, sizeof(head)) != 0)
		return ERROR_UNSUPPORTED;
	if (operation != REQUEST && operation != REPLY)
		return ERROR_UNSUPPORTED;
	neighbour->is_tell = operation == REPLY;
	memcpy(neighbour->hardware, hardware.data, WIRE_HARDWARE_BYTES);
	const uint8_t *subject = neighbour->is_tell ? sender : target;
	const uint8_t *other = neighbour->is_tell ? target : sender;
	if (wire_ip_is_zero(subject))
		return ERROR_INVALID;
	memcpy(neighbour->subject, subject, WIRE_IP_BYTES);
	/* A reply for oneself is for everybody. */
	if (!neighbour->is_tell || memcmp(sender, target, WIRE_IP_BYTES) != 0)
		memcpy(neighbour->other, other, WIRE_IP_BYTES);
	return ERROR_OK;
}

static char *
put(char *out, const void *bytes, size_t length)
{
	memcpy(out, bytes, length);
	return out + length;
}

static bool
is_for_everybody(const struct wire_neighbour *neighbour)
{
	return wire_ip_is_zero(neighbour->other) &&
	    memcmp(neighbour->to, wire_hardware_everybody,
	        WIRE_HARDWARE_BYTES) == 0;
}

/* A tell for everybody names itself as the one told, hardware too: Linux takes
 * such a one at once, even one that had another within the last second. */
unsigned
wire_arp_encode(const struct wire_neighbour *neighbour, char *out)
{
	static const uint8_t nowhere[WIRE_HARDWARE_BYTES];
	bool is_tell = neighbour->is_tell;
	const uint8_t *target = neighbour->subject, *target_hardware = nowhere;

	if (is_tell && is_for_everybody(neighbour)) {
		target_hardware = neighbour->hardware;
	} else if (is_tell) {
		target = neighbour->other;
		target_hardware = neighbour->to;
	}
	const uint8_t *sender = is_tell ? neighbour->subject : neighbour->other;
	char *at =
	    wire_frame_head(is_tell ? neighbour->to : wire_hardware_everybody,
	        neighbour->hardware, ETHERTYPE_ARP, out);
	at = put(at, head, sizeof(head));
	*at++ = 0;
	*at++ = is_tell ? REPLY : REQUEST;
	at = put(at, neighbour->hardware, WIRE_HARDWARE_BYTES);
	at = put(at, sender + IPV4_AT, IPV4_BYTES);
	at = put(at, target_hardware, WIRE_HARDWARE_BYTES);
	at = put(at, target + IPV4_AT, IPV4_BYTES);
	return (unsigned)(at - out);
}
