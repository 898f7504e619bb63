/* IP addresses as numbers, and ranges of them: what can be counted on and
 * compared, whatever its family. */
#ifndef YUMEN_ADDR_IP_H
#define YUMEN_ADDR_IP_H

#include <stdbool.h>
#include <stdint.h>
#include "core/slice.h"

#define ADDR_IP_BYTES 46

/* As it may lie in an arena (ARENA_ALIGN). */
typedef unsigned __int128 addr_number __attribute__((aligned(8)));

/* An address of IPv4 is the number in the low 32 bits. */
struct addr_ip {
	addr_number number;
	unsigned family; /* 4, 6 */
};

/* first <= last, of one family. */
struct addr_range {
	struct addr_ip first, last;
	/* Of a prefix of IPv6: all its routers answer for the first, the
	 * Subnet-Router anycast address (RFC 4291 2.6.1). */
	bool is_subnet;
};

/* Of a range, what can be given. */
enum { ADDR_PARTS = 5 };
struct addr_parts {
	struct addr_range items[ADDR_PARTS]; /* in order */
	unsigned count;
};

/* False: it is none. An address of IPv4 inside one of IPv6 is none. */
bool addr_ip_parse(struct slice s, struct addr_ip *ip);
/* The one canonical form, in out (ADDR_IP_BYTES). */
struct slice addr_ip_print(const struct addr_ip *ip, char *out);
/* By family, then by number: <0, 0, >0. */
int addr_ip_compare(const struct addr_ip *a, const struct addr_ip *b);
/* "10.0.0.0/8" (its host bits do not matter) or "10.0.0.1-10.0.0.9". NULL, or
 * what is wrong with it, for people. */
const char *addr_range_parse(struct slice s, struct addr_range *range);
bool addr_range_has(const struct addr_range *range, const struct addr_ip *ip);
/* Why it cannot be one machine's, to be reached from others, for people; NULL:
 * it can. loopback: nobody else is to reach it. */
const char *addr_ip_fault(const struct addr_ip *ip, bool loopback);
/* Without those that have a fault, and a subnet's first. */
struct addr_parts addr_range_parts(
    const struct addr_range *range, bool loopback);
/* Of IPv4 and its last byte 0 or 255: some old machines take no such one. */
bool addr_ip_is_buggy(const struct addr_ip *ip);

#endif
