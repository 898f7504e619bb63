/* Inside `yumen explain`: the request of the command line, and what is
 * printed. */
#ifndef YUMEN_CMD_EXPLAIN_PRIV_H
#define YUMEN_CMD_EXPLAIN_PRIV_H

#include <jansson.h>

#include "core/text.h"

/* A request as a client would send it, and where to. */
struct explain_request {
	struct text head; /* "GET / HTTP/1.1\r\n..." */
	struct text address; /* an IP address, or empty: it is not said */
	uint16_t port;
	bool tls; /* https */
	struct text server_name; /* of https: its SNI; empty: none */
};
/* headers: as curl takes them. address: "IP", "IP:PORT" or NULL. False: it is
 * no request, and why says why. */
bool explain_request_make(struct explain_request *request, const char *url,
    const char *method, const char *const *headers, unsigned header_count,
    const char *address, struct text *why);
void explain_request_fini(struct explain_request *request);

/* "problems": what the statuses say is wrong with the route that was chosen,
 * or, where none was, with Gateways and routes. answer: of /api/v1/problems, or
 * NULL; it is freed. */
void explain_add_problems(json_t *told, json_t *answer);

/* What proxy/explain.h tells, for people. */
void explain_print(struct text *out, const json_t *told);

#endif
