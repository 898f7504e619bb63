/* A message in memory that stands where a codec would: the client side of an
 * exchange that is answered locally, or (kube, tests) the server side of an
 * exchange that yumen itself starts. */
#ifndef YUMEN_HTTP_MESSAGE_H
#define YUMEN_HTTP_MESSAGE_H

#include "core/text.h"
#include "http/exchange.h"

/* A response to be read by the exchange; lives in its arena, body borrowed for
 * as long. The request's body is read and thrown away. */
struct http_stream *http_message_answer(struct http_exchange *exchange,
    uint16_t status, const struct field *fields, unsigned field_count,
    struct slice body);
/* As above, but the response's body is the request's body, as it comes (echo). */
struct http_stream *http_message_reflect(struct http_exchange *exchange,
    uint16_t status, const struct field *fields, unsigned field_count,
    struct slice first);

#endif
