/* Inside explain: one explanation on its way. */
#ifndef YUMEN_PROXY_EXPLAIN_PRIV_H
#define YUMEN_PROXY_EXPLAIN_PRIV_H

#include "core/arena.h"
#include "proxy/explain.h"
#include "wire/host.h"

#define EXPLAIN_CANDIDATES 16 /* that are told */
#define EXPLAIN_LIST 16 /* listeners, endpoints */

/* A match that did not get the request. */
struct explain_candidate {
	const struct unit *route;
	const struct unit_rule *rule; /* NULL: the route as a whole */
	const struct unit_match *match;
	struct slice why;
	uint32_t nearness; /* the nearest are told */
};

struct explaining {
	const struct proxy_explain *explain;
	struct text *out;
	struct arena arena;
	struct wire_head *head;
	struct snap_matcher *matcher;
	struct snap_socket socket;
	struct slice host, path;
	struct snap_decision hello; /* with TLS: what the SNI decides */
	struct snap_request request;
	struct snap_decision decision;
	struct explain_candidate candidates[EXPLAIN_CANDIDATES];
	uint32_t candidate_count, candidates_left;
	char host_storage[WIRE_HOST_BYTES + 3];
	char scratch[LIMIT_VALUE_REQUEST_TARGET_BYTES];
};

/* decide(), and the candidates that it and the units tell of. */
void explain_decide(struct explaining *explaining);
/* "PathPrefix /cart, method GET, header x-canary: 1", in the arena. */
struct slice explain_match(
    struct explaining *explaining, const struct unit_match *match);

/* Does a listener of HTTPS on the socket take the server name? With TLS alone.
 */
bool explain_takes_hello(struct explaining *explaining, uint32_t socket,
    struct snap_decision *decision);
/* The handshake on the socket. False: it fails, and the verdict is told. */
bool explain_handshake(struct explaining *explaining);
void explain_tls(struct explaining *explaining);

/* `, "name": value` */
void explain_member(struct text *out, const char *name, struct slice value);
void explain_filters(struct explaining *explaining);
/* The backends of the rule, and what they make of the verdict. */
void explain_backends(struct explaining *explaining);
void explain_verdict(
    struct text *out, const char *verdict, int status, enum reason reason);

#endif
