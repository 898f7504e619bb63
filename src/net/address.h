/* Addresses of TCP sockets: IPv4 or IPv6, and a port. A value. */
#ifndef YUMEN_NET_ADDRESS_H
#define YUMEN_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "core/error.h"
#include "core/slice.h"

/* 20 bytes: it stands in every connection. IPv4 is kept as ::ffff:a.b.c.d. */
struct net_address {
	uint8_t ip[16];
	uint16_t port; /* host order */
	uint16_t family; /* AF_INET, AF_INET6; 0: none */
};

#define NET_ADDRESS_TEXT 56 /* "[v6]:65535" and NUL */

/* No zone, no port, no brackets in ip. INVALID. */
enum error net_address_parse(
    struct slice ip, uint16_t port, struct net_address *address) must_check;
/* "10.0.0.1:80" or "[::1]:80"; the port is not 0. INVALID. */
enum error net_address_parse_port(
    struct slice text, struct net_address *address) must_check;
/* "10.0.0.1:80" or "[::1]:80"; returns the length. */
unsigned net_address_format(
    const struct net_address *address, char out[NET_ADDRESS_TEXT]);
/* The address alone, no brackets, no port. */
unsigned net_address_format_ip(
    const struct net_address *address, char out[NET_ADDRESS_TEXT]);
bool net_address_equal(
    const struct net_address *a, const struct net_address *b);
/* <0, 0, >0: IPv4 first, then by address and port. */
int net_address_compare(
    const struct net_address *a, const struct net_address *b);
socklen_t net_address_to_sockaddr(
    const struct net_address *address, struct sockaddr_storage *out);
/* family 0 when it is neither. */
void net_address_from_sockaddr(
    const struct sockaddr *in, struct net_address *address);
/* The address that a socket is bound to: which port 0 became, and at which of
 * its addresses a connection came in. */
enum error net_address_local(int fd, struct net_address *address) must_check;

#endif
