/* Addresses of sockets: IPv4, IPv6, or a Unix path. A value. */
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

enum error net_address_parse(struct slice ip, uint16_t port,
    struct net_address *address) must_check;
/* "10.0.0.1:80" or "[::1]:80"; returns the length. */
unsigned net_address_format(
    const struct net_address *address, char out[NET_ADDRESS_TEXT]);
/* The address alone, no brackets, no port. */
unsigned net_address_format_ip(
    const struct net_address *address, char out[NET_ADDRESS_TEXT]);
bool net_address_equal(
    const struct net_address *a, const struct net_address *b);
socklen_t net_address_to_sockaddr(
    const struct net_address *address, struct sockaddr_storage *out);
void net_address_from_sockaddr(
    const struct sockaddr *in, struct net_address *address);

#endif
