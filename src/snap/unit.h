/* Units: the immutable pieces that a snapshot is made of. Each is named by what
 * it is and known by the digest of its bytes:
 *
 *	listener/<namespace>/<gateway>/<listener>
 *	listener/<namespace>/<gateway>/<namespace>/<listenerset>/<listener>
 *	route/<kind>/<namespace>/<name>     HTTPRoute ... UDPRoute
 *	service/<namespace>/<name>          ports by number
 *	endpoints/<namespace>/<slice>       an EndpointSlice
 *	external/<namespace>/<name>         an XBackend with a hostname
 *	certificate/<namespace>/<secret>    a chain and its key
 *	authority/<kind>/<namespace>/<name> certificates to trust: a configmap,
 *	                                    or clustertrustbundle ("_")
 *	tickets/<namespace>/<gateway>       keys of its session tickets
 *	claim/<address>                     an address that shall answer
 *
 * The word before the first '/' is the kind. Texts in a unit are final:
 * hostnames in lower case, paths canonical, references judged. */
#ifndef YUMEN_SNAP_UNIT_H
#define YUMEN_SNAP_UNIT_H

#include "core/arena.h"
#include "core/error.h"
#include "core/record.h"
#include "core/text.h"

enum unit_kind {
	UNIT_LISTENER,
	UNIT_ROUTE,
	UNIT_SERVICE,
	UNIT_ENDPOINTS,
	UNIT_EXTERNAL,
	UNIT_CERTIFICATE,
	UNIT_AUTHORITY,
	UNIT_TICKETS,
	UNIT_CLAIM,
	UNIT__COUNT
};
/* HTTPS terminates, whether tls_mode says so or nothing. */
enum unit_protocol {
	UNIT_PROTOCOL_HTTP = 1,
	UNIT_PROTOCOL_HTTPS = 2,
	UNIT_PROTOCOL_TLS = 3,
	UNIT_PROTOCOL_TCP = 4,
	UNIT_PROTOCOL_UDP = 5,
};
enum unit_tls_mode { UNIT_TLS_NONE, UNIT_TLS_PASSTHROUGH, UNIT_TLS_TERMINATE };
enum unit_tls_version {
	UNIT_TLS_VERSION_DEFAULT = 0,
	UNIT_TLS_VERSION_1_2 = 12,
	UNIT_TLS_VERSION_1_3 = 13,
};
/* VALID: no connection without a valid certificate. INSECURE_FALLBACK: one is
 * asked for, and whatever comes of it the client is served. */
enum unit_client_validation {
	UNIT_CLIENTS_NONE,
	UNIT_CLIENTS_VALID,
	UNIT_CLIENTS_INSECURE_FALLBACK,
};
enum unit_tls_name_type { UNIT_TLS_NAME_DNS, UNIT_TLS_NAME_URI };
enum unit_path_type { UNIT_PATH_PREFIX, UNIT_PATH_EXACT, UNIT_PATH_PATTERN };
enum unit_pair_type { UNIT_PAIR_EXACT, UNIT_PAIR_PATTERN };
enum unit_call_type { UNIT_CALL_EXACT, UNIT_CALL_PATTERN };
/* of a route, as its unit's name says */
enum unit_route_kind {
	UNIT_ROUTE_HTTP,
	UNIT_ROUTE_GRPC,
	UNIT_ROUTE_TLS,
	UNIT_ROUTE_TCP,
	UNIT_ROUTE_UDP,
};
enum unit_filter_kind {
	UNIT_FILTER_REQUEST_HEADERS = 1,
	UNIT_FILTER_RESPONSE_HEADERS = 2,
	UNIT_FILTER_REDIRECT = 3,
};
enum unit_path_change {
	UNIT_PATH_KEEP = 0,
	UNIT_PATH_REPLACE_FULL = 1,
	UNIT_PATH_REPLACE_PREFIX = 2,
};
/* unit_endpoint.conditions */
enum unit_endpoint_condition {
	UNIT_ENDPOINT_READY = 1,
	UNIT_ENDPOINT_SERVING = 2,
	UNIT_ENDPOINT_TERMINATING = 4,
};

#define RECORD_FILE "snap/unit.def"
#include "core/record_structs.h"
#undef RECORD_FILE

#define UNIT_DIGEST_BYTES 16 /* as generations, which add them up */
struct unit_digest {
	uint8_t bytes[UNIT_DIGEST_BYTES];
};

/* The kind that a name's first word says; false when it says none that is
 * known, or has nothing behind it. */
bool snap_unit_kind(struct slice name, enum unit_kind *kind);
struct slice snap_unit_kind_word(enum unit_kind kind);
const struct record_type *snap_unit_type(enum unit_kind kind);
/* The first half of the SHA-256 of name, a NUL, and the encoded bytes. */
struct unit_digest snap_unit_digest(struct slice name, struct slice bytes);

/* A decoded unit, in memory of its own. */
struct snap_plan;
struct unit {
	union {
		struct arena *arena; /* while it is made */
		struct arena_block *blocks; /* it lies in them itself */
	};
	struct slice name;
	enum unit_kind kind;
	uint32_t slot; /* the store's: dense number for the workers' counts */
	struct snap_plan *plan; /* the store's: a route, ready to be indexed */
	/* The store's: numbers of a listener's certificates, of its
	 * authorities, of its backend certificate; of a service's or external
	 * unit's authorities, port by port. For snap_set_credential. */
	const uint32_t *credential_ids;
	struct unit_digest digest;
	union {
		const void *record;
		const struct unit_listener *listener;
		const struct unit_route *route;
		const struct unit_service *service;
		const struct unit_endpoints *endpoints;
		const struct unit_external *external;
		const struct unit_certificate *certificate;
		const struct unit_authority *authority;
		const struct unit_tickets *tickets;
		const struct unit_claim *claim;
	};
};

/* Decodes and checks, so that nothing behind it has to: every enumeration is
 * known, hostnames, paths, field names and values are well formed, numbers in
 * range. Whether patterns can be compiled is the store's to say. What may be
 * left out is filled in: a rule without matches gets one of every path, a match
 * without a path gets "/". Listeners and hostnames are sorted, each once.
 * ERROR_UNKNOWN (kind), UNSUPPORTED (a critical field or an enumeration's value
 * that is not known here), LIMIT (UNIT_BYTES, UNIT_NAME_BYTES,
 * MATCH_PATH_BYTES), INVALID, TRUNCATED. */
enum error snap_unit_new(
    struct slice name, struct slice bytes, struct unit **unit) must_check;
/* Wipes a key that is in it. */
void snap_unit_free(struct unit **unit);
/* One line of JSON, for dumps: of a key its digest alone. */
void snap_unit_dump(struct text *out, const struct unit *unit);

#endif
