/* Inside snap: what a set is made of, as decide() reads it.
 *
 *	set.sockets[socket]     -> tree of listener hostnames -> claims
 *	set.listeners[listener] -> its tree of route hostnames
 *	                        -> tree of paths -> entries, in order of
 *precedence set.backends[backend]   -> struct snap_backend
 *
 * A listener has its own tree of hosts, so that isolation costs nothing, and is
 * found by its number, so that a change below it copies no socket. */
#ifndef YUMEN_SNAP_SET_PRIV_H
#define YUMEN_SNAP_SET_PRIV_H

#include "snap/array_priv.h"
#include "snap/decide.h"
#include "snap/radix_priv.h"
#include "snap/set.h"
#include "wire/host.h"

/* A rule and a match of a route, made ready. In the unit's arena: they live as
 * long as a request holds the unit. */
struct snap_rule {
	const struct unit *unit;
	const struct unit_rule *rule;
	const uint32_t *backend_ids;
	uint32_t weight_sum;
};
struct snap_match {
	const struct unit_match *match;
	const struct snap_rule *rule;
	const uint16_t *header_ids; /* enum field_id of match->headers */
	uint32_t rule_index, match_index;
};

/* One match of one route on one listener, hostname and path. */
struct snap_entry {
	const struct snap_match *match;
	uint32_t rule_id;
	bool conditional; /* asks for more than host and path */
};
struct snap_entries {
	struct snap_limbo_block block;
	uint32_t count;
	struct snap_entry entries[]; /* first in precedence first */
};

/* The listeners on one socket with one hostname: one, but for a mistake of who
 * made them; then the first by name serves. */
struct snap_claims {
	struct snap_limbo_block block;
	uint32_t count;
	uint32_t ids[];
};

struct snap_listener {
	struct snap_limbo_block block;
	uint32_t id;
	const struct unit *unit; /* NULL: routes name it, but it is not there */
	struct snap_radix *hosts;
};

struct snap_sockets {
	struct snap_limbo_block block;
	unsigned count;
	struct snap_socket sockets[]; /* then their addresses */
};

struct snap_set {
	struct snap_limbo_block block;
	uint64_t number;
	struct snap_array sockets, listeners, backends;
	const struct snap_sockets *socket_list;
};

/* What wire_authority_parse gives, and names, fit. */
#define SNAP_HOST_BYTES (WIRE_HOST_BYTES + 3)

/* Host names are looked up from their end. out has room for SNAP_HOST_BYTES. */
static inline struct slice
snap_host_reverse(struct slice host, char *out)
{
	size_t left = host.length;
	char *to = out;

	for (; left >= 8; left -= 8, to += 8) {
		uint64_t word;

		memcpy(&word, host.data + left - 8, 8);
		word = __builtin_bswap64(word);
		memcpy(to, &word, 8);
	}
	while (left > 0)
		*to++ = host.data[--left];
	return slice_make(out, host.length);
}

/* The key and place of a hostname as routes and listeners have it. */
static inline struct slice
snap_hostname_key(
    struct slice hostname, char *out, enum snap_radix_place *place)
{
	*place = SNAP_RADIX_EXACT;
	if (hostname.length == 0) {
		*place = SNAP_RADIX_PREFIX;
	} else if (hostname.data[0] == '*') {
		*place = SNAP_RADIX_PREFIX;
		hostname = slice_skip(hostname, 2);
	}
	return snap_host_reverse(hostname, out);
}

/* The key and place of a path match. "/v2/" means what "/v2" does. */
static inline struct slice
snap_path_key(const struct unit_match *match, enum snap_radix_place *place)
{
	struct slice key = match->path;

	*place = SNAP_RADIX_EXACT;
	if (match->path_type == UNIT_PATH_PREFIX) {
		*place = SNAP_RADIX_PREFIX;
		if (key.length > 0 && key.data[key.length - 1] == '/')
			key.length--;
	}
	return key;
}

#endif
