/* IP addresses as numbers; it asks nobody and keeps nothing. */
#include "addr/ip.h"

#include <arpa/inet.h>
#include "core/must.h"

enum { IPV4_BITS = 32, IPV6_BITS = 128, BYTE_BITS = 8, BYTE_MAX = 255 };

static unsigned
bits_of(unsigned family)
{
	return family == 4 ? IPV4_BITS : IPV6_BITS;
}

bool
addr_ip_parse(struct slice s, struct addr_ip *ip)
{
	char text[ADDR_IP_BYTES];
	uint8_t bytes[IPV6_BITS / BYTE_BITS];
	unsigned family = slice_find(s, ':') < s.length ? 6 : 4;

	if (s.length == 0 || s.length >= sizeof(text))
		return false;
	memcpy(text, s.data, s.length);
	text[s.length] = 0;
	if (strlen(text) != s.length ||
	    inet_pton(family == 6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return false;
	*ip = (struct addr_ip){.family = family};
	for (unsigned i = 0; i < bits_of(family) / BYTE_BITS; i++)
		ip->number = ip->number << BYTE_BITS | bytes[i];
	return family == 4 || ip->number >> IPV4_BITS != 0xffff;
}

struct slice
addr_ip_print(const struct addr_ip *ip, char *out)
{
	uint8_t bytes[IPV6_BITS / BYTE_BITS];
	unsigned count = bits_of(ip->family) / BYTE_BITS;
	unsigned __int128 rest = ip->number;

	for (unsigned i = count; i-- > 0; rest >>= BYTE_BITS)
		bytes[i] = (uint8_t)rest;
	must(inet_ntop(ip->family == 6 ? AF_INET6 : AF_INET, bytes, out,
	         ADDR_IP_BYTES) != NULL);
	return slice_from_string(out);
}

int
addr_ip_compare(const struct addr_ip *a, const struct addr_ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return 0;
}

static const char *
parse_prefix(
    struct slice address, struct slice length, struct addr_range *range)
{
	uint64_t prefix;

	if (!addr_ip_parse(slice_trim(address), &range->first))
		return "what stands before \"/\" is no IP address";

	unsigned bits = bits_of(range->first.family);

	if (!slice_to_number(slice_trim(length), bits, &prefix))
		return bits == IPV4_BITS
		    ? "what follows \"/\" is not from 0 to 32"
		    : "what follows \"/\" is not from 0 to 128";

	unsigned __int128 host = bits == prefix
	    ? 0
	    : ~(unsigned __int128)0 >> (IPV6_BITS - (bits - (unsigned)prefix));

	range->last = range->first;
	range->first.number &= ~host;
	range->last.number |= host;
	/* Of two both are machines' (RFC 6164). */
	range->is_subnet = bits == IPV6_BITS && host > 1;
	return NULL;
}

const char *
addr_range_parse(struct slice s, struct addr_range *range)
{
	struct slice rest = s, first;

	range->is_subnet = false;
	if (slice_find(s, '/') < s.length) {
		slice_cut(&rest, '/', &first);
		return parse_prefix(first, rest, range);
	}
	if (slice_find(s, '-') == s.length)
		return "it is neither a prefix (10.0.0.0/24) nor a range "
		       "(10.0.0.1-10.0.0.9)";
	slice_cut(&rest, '-', &first);
	if (!addr_ip_parse(slice_trim(first), &range->first) ||
	    !addr_ip_parse(slice_trim(rest), &range->last))
		return "its ends are not both IP addresses";
	if (range->first.family != range->last.family)
		return "its ends are of two families";
	return addr_ip_compare(&range->first, &range->last) > 0
	    ? "it ends before it begins"
	    : NULL;
}

bool
addr_range_has(const struct addr_range *range, const struct addr_ip *ip)
{
	return addr_ip_compare(&range->first, ip) <= 0 &&
	    addr_ip_compare(ip, &range->last) <= 0;
}

/* ---- what can be given ---- */

#define WIDE(high, low) ((addr_number)(high) << 64 | (low))
#define NO_MACHINE "stands for no machine"
#define LOOPBACK "is of loopback, and each machine's own"
#define MULTICAST "is of multicast"

struct block {
	unsigned family;
	addr_number first, last;
	const char *fault;
	bool loopback;
};

/* In order. */
static const struct block blocks[] = {
    {4, 0, 0x00ffffff, NO_MACHINE, false},
    {4, 0x7f000000, 0x7fffffff, LOOPBACK, true},
    {4, 0xe0000000, 0xefffffff, MULTICAST, false},
    {4, 0xf0000000, 0xffffffff, "is reserved, or for broadcasts", false},
    {6, 0, 0, NO_MACHINE, false},
    {6, 1, 1, LOOPBACK, true},
    {6, WIDE(0, 0xffff00000000), WIDE(0, 0xffffffffffff),
        "is one of IPv4 written as one of IPv6", false},
    {6, WIDE(0xff00000000000000, 0), WIDE(UINT64_MAX, UINT64_MAX), MULTICAST,
        false},
};
enum { BLOCKS = sizeof(blocks) / sizeof(blocks[0]) };

const char *
addr_ip_fault(const struct addr_ip *ip, bool loopback)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		if (blocks[i].family == ip->family &&
		    blocks[i].first <= ip->number &&
		    ip->number <= blocks[i].last)
			return blocks[i].loopback && loopback ? NULL
			                                      : blocks[i].fault;
	return NULL;
}

struct addr_parts
addr_range_parts(const struct addr_range *range, bool loopback)
{
	struct addr_parts parts = {.count = 0};
	struct addr_range rest = {.first = range->first, .last = range->last};

	rest.first.number += range->is_subnet;
	for (unsigned i = 0; i < BLOCKS; i++) {
		const struct block *block = &blocks[i];

		if (block->family != rest.first.family ||
		    block->last < rest.first.number ||
		    (block->loopback && loopback))
			continue;
		if (block->first > rest.last.number)
			break;
		if (block->first > rest.first.number) {
			parts.items[parts.count] = rest;
			parts.items[parts.count++].last.number =
			    block->first - 1;
		}
		if (block->last >= rest.last.number)
			return parts;
		rest.first.number = block->last + 1;
	}
	parts.items[parts.count++] = rest;
	return parts;
}

bool
addr_ip_is_buggy(const struct addr_ip *ip)
{
	unsigned last = (unsigned)(ip->number & BYTE_MAX);

	return ip->family == 4 && (last == 0 || last == BYTE_MAX);
}
