/* Hosts and authorities (RFC 3986 3.2, RFC 9110 7.2). */
#ifndef YUMEN_WIRE_HOST_H
#define YUMEN_WIRE_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include "core/error.h"
#include "core/slice.h"

#define WIRE_HOST_BYTES 253

/* Split host[:port]; host is checked (name characters, IPv4, or [IPv6]) and
 * written in lower case, without a trailing dot, to out (WIRE_HOST_BYTES + 3).
 * *port is 0 when absent. Userinfo is an error. HTTP_BAD_HOST. */
enum error wire_authority_parse(struct slice authority, char *out,
    struct slice *host, uint16_t *port) must_check;
/* Is it a name or IPv4 address that wire_authority_parse would give as it is?
 * begin: the start of the memory that may be read, at or before it. */
bool wire_is_plain_host(struct slice authority, const char *begin);
/* RFC 1123 name as Gateway API writes it, lower case; wildcard: "*." first. */
bool wire_is_hostname(struct slice s, bool wildcard_allowed);
/* Do two hostname patterns (name, "*.name", or empty for any) share a name? */
bool wire_hostnames_intersect(struct slice a, struct slice b);
/* Does pattern (name, "*.name", or empty) cover this plain name? */
bool wire_hostname_covers(struct slice pattern, struct slice name);

#endif
