/* Inside snap: what a set is made of, as decide() reads it.
 *
 *	set.sockets[socket]     -> tree of listener hostnames -> claims
 *	set.listeners[listener] -> its tree of route hostnames
 *	                        -> tree of paths -> entries, in order
 *	                           (and snap_more, at a few hostnames)
 *	set.backends[backend]   -> struct snap_backend
 *	set.credentials[number] -> the unit
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
	/* NULL: it has none. Else by enum snap_pattern_place, NULL where there
	 * is a text. */
	struct snap_pattern *const *patterns;
	uint32_t rule_index, match_index;
};
enum snap_pattern_place {
	SNAP_PATTERN_PATH, /* or a call's service */
	SNAP_PATTERN_METHOD, /* a call's */
	SNAP_PATTERN_HEADERS, /* as many as headers, then queries */
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

/* What few hostnames have besides paths, as the value of a path that no request
 * has, so that the others need not say that they have none. */
enum snap_list {
	SNAP_LIST_PATHS, /* paths that are patterns, longest first */
	SNAP_LIST_SERVICES, /* calls with a pattern for the service */
	SNAP_LIST_METHODS, /* calls with a pattern for the method alone */
	SNAP_LIST_NAMES, /* TLSRoutes; TCPRoutes and UDPRoutes have no name */
	SNAP_LIST__COUNT
};
struct snap_more {
	struct snap_limbo_block block;
	struct snap_radix *calls; /* by snap_call_key */
	struct snap_entries *lists[SNAP_LIST__COUNT];
};
#define SNAP_MORE_KEY SLICE("")
#define SNAP_MORE_PLACE SNAP_RADIX_EXACT

/* NULL: a hostname with paths alone. */
static inline const struct snap_more *
snap_more_of(const struct snap_radix *paths)
{
	return unlikely(paths->values[SNAP_MORE_PLACE] != NULL) &&
	        paths->label_length == 0
	    ? paths->values[SNAP_MORE_PLACE]
	    : NULL;
}

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
	struct snap_array sockets, listeners, backends, credentials;
	const struct snap_sockets *socket_list;
};

/* What wire_authority_parse gives, and names, fit. */
#define SNAP_HOST_BYTES (WIRE_HOST_BYTES + 3)

static inline void
snap_bytes_reverse8(const char *from, char *to)
{
	uint64_t word;

	memcpy(&word, from, 8);
	word = __builtin_bswap64(word);
	memcpy(to, &word, 8);
}

/* Host names are looked up from their end. out has room for SNAP_HOST_BYTES.
 * Eight bytes at a time; the last eight overlap those before. */
static inline struct slice
snap_host_reverse(struct slice host, char *out)
{
	size_t length = host.length;

	if (likely(length >= 8)) {
		for (size_t at = 8; at < length; at += 8)
			snap_bytes_reverse8(
			    host.data + length - at, out + at - 8);
		snap_bytes_reverse8(host.data, out + length - 8);
	} else {
		for (size_t at = 0; at < length; at++)
			out[at] = host.data[length - 1 - at];
	}
	return slice_make(out, length);
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

/* The key and place of a call that is no pattern: "/service/method", then
 * "/service", then "method", then any; out has room for SNAP_RADIX_KEY_BYTES.
 * Neither part has a '/', so that no two of them are one. */
static inline struct slice
snap_call_key(struct slice service, struct slice method, char *out,
    enum snap_radix_place *place)
{
	size_t length = 0;

	*place = method.length > 0 ? SNAP_RADIX_EXACT : SNAP_RADIX_PREFIX;
	if (service.length > 0) {
		out[length++] = '/';
		memcpy(out + length, service.data, service.length);
		length += service.length;
		if (method.length > 0)
			out[length++] = '/';
	}
	if (method.length > 0)
		memcpy(out + length, method.data, method.length);
	return slice_make(out, length + method.length);
}

#endif
