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
/* Of IPv4 and its last byte 0 or 255: some old machines take no such one. */
bool addr_ip_is_buggy(const struct addr_ip *ip);

#endif
