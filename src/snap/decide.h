/* decide(): which listener, route and rule a request, a ClientHello, a
 *connection or a datagram belongs to. The one place where that is decided:
 *workers, explain and the golden tests call it. Pure: it reads the set and what
 *is asked, nothing else.
 *
 * Order (Gateway API v1.7): the most specific listener of the socket that takes
 * the host, then only its routes; among them the longest hostname (exact before
 * wildcard) as the route has it, falling through to shorter ones when no rule
 * matches. At one hostname:
 *
 *	gRPC requests (by their Content-Type) first look among GRPCRoutes, which
 *	take no others: service, then method (each: by name, then the longest
 *	pattern, then any); then as any request among HTTPRoutes: Exact path,
 *	longest pattern (RegularExpression, as Envoy Gateway has it), longest
 *	prefix; then the HTTP method;
 *	then, of both, most headers, most query parameters, oldest route,
 *	namespace/name, first rule.
 *
 * Of TLSRoutes the hostname and age decide, as above. */
#ifndef YUMEN_SNAP_DECIDE_H
#define YUMEN_SNAP_DECIDE_H

#include "snap/pattern.h"
#include "snap/reason.h"
#include "snap/set.h"
#include "wire/head.h"

/* A socket: the listeners that share one address and port. Those in TLS and
 * those in plain text share none: a port that changes from one to the other is
 * another socket, and no connection of the one is ever served as the other's.
 */
struct snap_socket {
	struct slice address; /* absent or empty: every address of the host */
	uint16_t port;
	bool tls; /* it begins with a ClientHello */
	enum unit_protocol flow; /* TCP or UDP; 0: it carries requests */
	uint32_t id; /* for snap_decide; stable while the socket exists */
};
/* The sockets that the set's listeners ask for, sorted; borrowed. */
unsigned snap_set_sockets(
    const struct snap_set *set, const struct snap_socket **sockets);

/* What a request looks like to decide(). */
struct snap_request {
	uint32_t socket; /* snap_socket.id */
	struct slice
	    host; /* lower case, no port; absent: HTTP/1.0 without one */
	struct slice path; /* canonical; "/" for OPTIONS * */
	struct slice query;
	struct slice method;
	const struct field *fields;
	unsigned field_count;
	char *scratch; /* query.length bytes, for decoding */
	struct snap_matcher *matcher; /* where routes may have patterns */
};

struct snap_decision {
	enum reason reason; /* NONE: rule is set; NO_LISTENER, NO_ROUTE */
	const struct unit *listener_unit; /* NULL with NO_LISTENER */
	const struct unit *route_unit; /* NULL with NO_ROUTE */
	const struct unit_rule *rule;
	const struct unit_match *match; /* whose prefix a filter may replace */
	const uint32_t *backend_ids; /* as many as rule->backends_count */
	uint32_t weight_sum; /* of rule->backends */
	uint32_t listener_id, rule_id; /* for counters; SNAP_ID_NONE */
};

/* A candidate that lost, for explain. why is static. */
typedef void (*snap_trace_fn)(void *context, const struct unit *route,
    const struct unit_rule *rule, const struct unit_match *match,
    const char *why);

/* Requests: of HTTPRoutes and GRPCRoutes. */
void snap_decide(const struct snap_set *set, const struct snap_request *request,
    struct snap_decision *decision);
/* The same, telling each candidate that was looked at. */
void snap_decide_traced(const struct snap_set *set,
    const struct snap_request *request, struct snap_decision *decision,
    snap_trace_fn trace, void *context);

/* A ClientHello: its listener, and which TLSRoute's rule where it has any (as
 * only listeners of protocol TLS do). server_name: in lower case, without a
 * trailing dot; absent when there is none. */
void snap_decide_sni(const struct snap_set *set, uint32_t socket,
    struct slice server_name, struct snap_decision *decision);
/* A connection of a TCP listener, or a datagram: the first rule of the oldest
 * TCPRoute or UDPRoute takes all. */
void snap_decide_flow(const struct snap_set *set, uint32_t socket,
    struct snap_decision *decision);

#endif
