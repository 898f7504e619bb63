/* What yumen answers itself: reasons to statuses, fields and bodies. All texts
 * are built at compile time from reason.def. */
#ifndef YUMEN_PROXY_ANSWER_H
#define YUMEN_PROXY_ANSWER_H

#include "core/error.h"
#include "http/exchange.h"
#include "snap/reason.h"

/* Where an error came up: the same one means something else there. */
enum proxy_place {
	PROXY_PLACE_CONNECT, /* on the way to a connection */
	PROXY_PLACE_BACKEND, /* on the backend's connection */
	PROXY_PLACE_CLIENT, /* on the client's */
};

enum reason proxy_reason_of(enum error error, enum proxy_place place);

/* Answer with the reason's own status, Proxy-Status and a line of text. */
void proxy_answer(struct http_exchange *exchange, enum reason reason);
/* The same with another status and, when field is not NULL, one field more. */
void proxy_answer_with(struct http_exchange *exchange, enum reason reason,
    uint16_t status, const struct field *field);

#endif
