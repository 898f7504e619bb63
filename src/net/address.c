/* Addresses as text and as the kernel has them. */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "core/must.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* An IPv4 address in IPv6's clothes is that IPv4 address. */
static void
set_ip6(struct net_address *address, const void *ip)
{
	memcpy(address->ip, ip, sizeof(address->ip));
	address->family =
	    memcmp(ip, mapped, sizeof(mapped)) == 0 ? AF_INET : AF_INET6;
}

static void
set_ip4(struct net_address *address, const void *ip)
{
	memcpy(address->ip, mapped, sizeof(mapped));
	memcpy(address->ip + sizeof(mapped), ip, 4);
	address->family = AF_INET;
}

enum error
net_address_parse(struct slice ip, uint16_t port, struct net_address *address)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	*address = (struct net_address){0};
	if (ip.length == 0 || ip.length >= sizeof(text) ||
	    slice_find(ip, '\0') < ip.length)
		return ERROR_INVALID;
	memcpy(text, ip.data, ip.length);
	text[ip.length] = '\0';
	if (inet_pton(AF_INET, text, bytes) == 1)
		set_ip4(address, bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		set_ip6(address, bytes);
	else
		return ERROR_INVALID;
	address->port = port;
	return ERROR_OK;
}

enum error
net_address_parse_port(struct slice text, struct net_address *address)
{
	struct slice ip = text;
	uint64_t port;

	*address = (struct net_address){0};
	while (ip.length > 0 && ip.data[ip.length - 1] != ':')
		ip.length--;
	if (ip.length == 0 ||
	    !slice_to_number(slice_skip(text, ip.length), UINT16_MAX, &port) ||
	    port == 0)
		return ERROR_INVALID;
	ip.length--;
	if (ip.length > 2 && ip.data[0] == '[' && ip.data[ip.length - 1] == ']')
		ip = slice_make(ip.data + 1, ip.length - 2);
	return net_address_parse(ip, (uint16_t)port, address);
}

/* Decimal digits of number at out; returns where they end. */
static char *
put_number(unsigned number, char *out)
{
	char digits[5];
	unsigned count = 0;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count > 0)
		*out++ = digits[--count];
	return out;
}

/* A byte as an address says it, with the dot behind it: each request tells its
 * client's. */
#define DIGIT(n) ('0' + (n) % 10)
#define OCTET_TEXT(n) \
	{ \
		(n) > 99      ? DIGIT((n) / 100) \
		    : (n) > 9 ? DIGIT((n) / 10) \
		              : DIGIT(n), \
		    (n) > 99  ? DIGIT((n) / 10) \
		    : (n) > 9 ? DIGIT(n) \
		              : '.', \
		    (n) > 99 ? DIGIT(n) : '.', '.' \
	}
#define OCTETS_4(n) \
	OCTET_TEXT(n), OCTET_TEXT((n) + 1), OCTET_TEXT((n) + 2), \
	    OCTET_TEXT((n) + 3)
#define OCTETS_16(n) \
	OCTETS_4(n), OCTETS_4((n) + 4), OCTETS_4((n) + 8), OCTETS_4((n) + 12)
#define OCTETS_64(n) \
	OCTETS_16(n), OCTETS_16((n) + 16), OCTETS_16((n) + 32), \
	    OCTETS_16((n) + 48)

static const char octets[256][4] = {
    OCTETS_64(0), OCTETS_64(64), OCTETS_64(128), OCTETS_64(192)};

static inline char *
put_octet(uint8_t octet, char *out)
{
	memcpy(out, octets[octet], sizeof(octets[octet]));
	return out + 2 + (octet > 9) + (octet > 99);
}

unsigned
net_address_format_ip(
    const struct net_address *address, char out[NET_ADDRESS_TEXT])
{
	if (address->family == AF_INET6) {
		must(inet_ntop(AF_INET6, address->ip, out, NET_ADDRESS_TEXT));
		return (unsigned)strlen(out);
	}
	if (address->family != AF_INET) {
		out[0] = '-';
		out[1] = '\0';
		return 1;
	}
	char *end = out;
	for (unsigned i = 12; i < 16; i++)
		end = put_octet(address->ip[i], end);
	*--end = '\0';
	return (unsigned)(end - out);
}

unsigned
net_address_format(
    const struct net_address *address, char out[NET_ADDRESS_TEXT])
{
	bool bracket = address->family == AF_INET6;
	unsigned length =
	    net_address_format_ip(address, out + (bracket ? 1 : 0));
	if (address->family == 0)
		return length;
	if (bracket) {
		out[0] = '[';
		out[++length] = ']';
		length++;
	}
	out[length++] = ':';
	char *end = put_number(address->port, out + length);
	*end = '\0';
	return (unsigned)(end - out);
}

bool
net_address_equal(const struct net_address *a, const struct net_address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

int
net_address_compare(const struct net_address *a, const struct net_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	int order = memcmp(a->ip, b->ip, sizeof(a->ip));
	if (order == 0)
		order = (a->port > b->port) - (a->port < b->port);
	return order;
}

socklen_t
net_address_to_sockaddr(
    const struct net_address *address, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	out->ss_family = address->family;
	if (address->family == AF_INET) {
		struct sockaddr_in *ip4 = (void *)out;
		ip4->sin_port = htons(address->port);
		memcpy(&ip4->sin_addr, address->ip + sizeof(mapped), 4);
		return sizeof(*ip4);
	}
	must(address->family == AF_INET6);
	struct sockaddr_in6 *ip6 = (void *)out;
	ip6->sin6_port = htons(address->port);
	memcpy(&ip6->sin6_addr, address->ip, sizeof(address->ip));
	return sizeof(*ip6);
}

void
net_address_from_sockaddr(
    const struct sockaddr *in, struct net_address *address)
{
	*address = (struct net_address){0};
	if (in->sa_family == AF_INET) {
		const struct sockaddr_in *ip4 = (const void *)in;
		set_ip4(address, &ip4->sin_addr);
		address->port = ntohs(ip4->sin_port);
	} else if (in->sa_family == AF_INET6) {
		const struct sockaddr_in6 *ip6 = (const void *)in;
		set_ip6(address, &ip6->sin6_addr);
		address->port = ntohs(ip6->sin6_port);
	}
}

enum error
net_address_local(int fd, struct net_address *address)
{
	struct sockaddr_storage at = {0};
	socklen_t size = sizeof(at);
	*address = (struct net_address){0};
	if (getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		return error_from_errno(errno);
	net_address_from_sockaddr((struct sockaddr *)&at, address);
	return ERROR_OK;
}
