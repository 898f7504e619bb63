/* Explain: what would become of a request, told without sending it. It reads
 * the request as a worker does (the same parser, host, canonical path), asks
 * the same decide(), and tells each near candidate with why it lost. Pure: it
 * reads the set and the units, nothing else, and changes nothing. */
#ifndef YUMEN_PROXY_EXPLAIN_H
#define YUMEN_PROXY_EXPLAIN_H

#include "core/text.h"
#include "snap/decide.h"
#include "snap/set.h"

struct proxy_explain {
	const struct snap_store *store;
	const struct snap_set *set; /* the store's newest */
	struct slice head; /* as a client sends it, the empty line included */
	struct slice address; /* that it connects to; empty: it is not said */
	uint16_t port;
	bool tls; /* https: it begins with a handshake */
	struct slice server_name; /* with tls: its SNI, or empty */
	bool unresolved; /* nobody looks up the names of external backends */
	uint32_t units_max; /* looked at for candidates; 0: all */
	/* Whether a listener's sockets are open, else why not; NULL: nobody
	 * knows. */
	enum error (*listens)(
	    void *context, const struct unit *listener, struct slice *why);
	void *context;
};

/* Appends a JSON object:
 *
 *	verdict     "backend", "redirect", "answer" or "refused"; "depends": on
 *	            which backend is chosen; "nowhere": nobody listens there;
 *	            "ambiguous": several sockets would take it, name the
 *address; "handshake": that of TLS fails, why says why status      null where a
 *backend says it; reason, meaning: of reason.def request     method, host,
 *path, query, as they were read tls         serverName, certificates,
 *clientCertificate socket, gateway, listener, listenerHostname, route, rule,
 *match filters, location backends    target, port, weight, share, status,
 *reason, why, endpoints candidates  route, rule, match, why; candidatesLeft:
 *how many more sockets     with nowhere and ambiguous; listeners: where none
 *takes the host */
void proxy_explain(struct text *out, const struct proxy_explain *explain);

#endif
