/* Ethernet frames of ARP and neighbour discovery: the head that both have, and
 * which of the two it is. */
#include "wire/neighbour_priv.h"

#include <stdio.h>

#include "core/must.h"

const uint8_t wire_hardware_everybody[WIRE_HARDWARE_BYTES] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool
wire_ip_is_zero(const uint8_t ip[WIRE_IP_BYTES])
{
	static const uint8_t zero[WIRE_IP_BYTES];
	return memcmp(ip, zero, sizeof(zero)) == 0;
}

bool
wire_ip_is_ipv4(const uint8_t ip[WIRE_IP_BYTES])
{
	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

void
wire_ip_group(const uint8_t ip[WIRE_IP_BYTES], uint8_t group[WIRE_IP_BYTES])
{
	static const uint8_t head[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};
	memcpy(group, head, sizeof(head));
	memcpy(group + sizeof(head), ip + sizeof(head),
	    WIRE_IP_BYTES - sizeof(head));
}

void
wire_hardware_format(
    const uint8_t hardware[WIRE_HARDWARE_BYTES], char out[WIRE_HARDWARE_TEXT])
{
	snprintf(out, WIRE_HARDWARE_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x",
	    hardware[0], hardware[1], hardware[2], hardware[3], hardware[4],
	    hardware[5]);
}

/* Nobody is at a group's hardware address, or at none. */
static bool
is_of_a_machine(const uint8_t hardware[WIRE_HARDWARE_BYTES])
{
	static const uint8_t none[WIRE_HARDWARE_BYTES];

	return (hardware[0] & 1) == 0 &&
	    memcmp(hardware, none, WIRE_HARDWARE_BYTES) != 0;
}

enum error
wire_neighbour_decode(struct slice frame, struct wire_neighbour *neighbour)
{
	struct reader in;
	enum error error;

	*neighbour = (struct wire_neighbour){0};
	reader_init(&in, frame);
	struct slice to = reader_bytes(&in, WIRE_HARDWARE_BYTES);
	struct slice from = reader_bytes(&in, WIRE_HARDWARE_BYTES);
	uint16_t ethertype = reader_u16(&in);
	if (in.error)
		return in.error;
	memcpy(neighbour->to, to.data, WIRE_HARDWARE_BYTES);
	memcpy(neighbour->hardware, from.data, WIRE_HARDWARE_BYTES);
	if (ethertype == ETHERTYPE_ARP)
		error = wire_arp_decode(&in, neighbour);
	else if (ethertype == ETHERTYPE_IPV6)
		error = wire_ndp_decode(
		    reader_bytes(&in, reader_left(&in)), neighbour);
	else
		return ERROR_UNSUPPORTED;
	if (!error && !is_of_a_machine(neighbour->hardware))
		return ERROR_INVALID;
	return error;
}

unsigned
wire_neighbour_encode(const struct wire_neighbour *neighbour,
    char out[WIRE_NEIGHBOUR_FRAME_BYTES])
{
	must(neighbour->is_ipv6 != wire_ip_is_ipv4(neighbour->subject));
	return neighbour->is_ipv6 ? wire_ndp_encode(neighbour, out)
	                          : wire_arp_encode(neighbour, out);
}

bool
wire_neighbour_claims(
    const struct wire_neighbour *neighbour, const uint8_t ip[WIRE_IP_BYTES])
{
	const uint8_t *claimed =
	    neighbour->is_tell ? neighbour->subject : neighbour->other;
	return memcmp(claimed, ip, WIRE_IP_BYTES) == 0;
}

bool
wire_neighbour_probes(
    const struct wire_neighbour *neighbour, const uint8_t ip[WIRE_IP_BYTES])
{
	return !neighbour->is_tell && wire_ip_is_zero(neighbour->other) &&
	    memcmp(neighbour->subject, ip, WIRE_IP_BYTES) == 0;
}

char *
wire_frame_head(const uint8_t to[WIRE_HARDWARE_BYTES],
    const uint8_t from[WIRE_HARDWARE_BYTES], uint16_t ethertype, char *out)
{
	memcpy(out, to, WIRE_HARDWARE_BYTES);
	memcpy(out + WIRE_HARDWARE_BYTES, from, WIRE_HARDWARE_BYTES);
	out[12] = (char)(ethertype >> 8);
	out[13] = (char)(ethertype & 0xff);
	return out + FRAME_HEAD_BYTES;
}
