/* A request as the proxy sees it: what was decided, where it stands, what its
 * log line will say. Lives from on_request to on_end; taken from a list of the
 * worker's, so that a request costs no malloc. */
#ifndef YUMEN_PROXY_REQUEST_H
#define YUMEN_PROXY_REQUEST_H

#include "core/limit.h"
#include "http/exchange.h"
#include "proxy/backend.h"
#include "proxy/pool.h"
#include "proxy/stamp.h"
#include "snap/decide.h"
#include "wire/host.h"

struct proxy_worker;
struct proxy_socket;
struct proxy_tls_facts;

enum proxy_stage {
	PROXY_STAGE_ROUTE_FILTERS,
	PROXY_STAGE_BACKEND_FILTERS,
	PROXY_STAGE_ATTEMPTS,
};

struct proxy_request {
	struct proxy_request *next_free;
	struct http_exchange *exchange;
	struct proxy_worker *worker;
	const struct proxy_socket *socket;
	/* For the log; NULL: none, or plain text. */
	const struct proxy_tls_facts *tls;

	/* The decision. The units are held, the rest lies in them. */
	const struct unit *listener, *route; /* NULL: none */
	const struct unit_rule *rule;
	const struct unit_match *match;
	const struct unit_backend *backend_ref;
	uint32_t count_id; /* of the rule, or the listener; SNAP_ID_NONE */
	enum reason refusal; /* instead of a backend */

	/* The way to the backend. */
	struct proxy_backend *backend; /* counted */
	struct proxy_endpoint *endpoint; /* of this attempt, counted */
	struct proxy_endpoint *tried[LIMIT_VALUE_ATTEMPTS]; /* compared only */
	struct proxy_waiter waiter;
	uint64_t give_up_ms; /* endpoints that go away are tries then; 0: no one
	                      * has gone away yet */
	uint64_t sent_ms; /* this attempt was forwarded */
	uint32_t upstream_ms; /* until its response head */
	uint32_t filter_next;
	uint8_t stage; /* enum proxy_stage */
	uint8_t attempts;
	bool reused; /* the attempt's connection had served before */
	bool responded; /* a final response head of the backend came */
	bool filters_response;

	enum reason reason; /* NONE: the backend answered */

	/* For the log and the fields that are set. */
	struct slice host; /* lower case, no port; absent: none */
	struct slice path, query; /* canonical */
	struct slice client, request_id, user_agent;
	struct slice endpoint_text; /* of the last attempt */
	/* What is from here on is not cleared at the start. */
	char endpoint_storage[NET_ADDRESS_TEXT];
	char host_storage[WIRE_HOST_BYTES + 3];
	char stamp[PROXY_STAMP_BYTES];
};

struct proxy_request *proxy_request_take(struct proxy_worker *worker);
void proxy_request_free(struct proxy_request *request);
/* A filter's wait is over: go on behind it. */
void proxy_request_resume(struct proxy_request *request);

#endif
