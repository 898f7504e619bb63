/* A message in memory that stands where a codec would: the client side of an
 * exchange that is answered locally, or (kube, tests) the server side of an
 * exchange that yumen itself starts. */
#ifndef YUMEN_HTTP_MESSAGE_H
#define YUMEN_HTTP_MESSAGE_H

#include "http/exchange.h"

/* A response to be read by the exchange. Fields and body are borrowed until the
 * exchange ends (its arena is a place for them). What has come of the request's
 * body is thrown away. Content-Length is added, as status and method want it.
 */
struct http_stream *http_message_answer(struct http_exchange *exchange,
    uint16_t status, const struct field *fields, unsigned field_count,
    struct slice body);
/* As above, but the response's body is the request's body, as it comes (echo).
 */
struct http_stream *http_message_reflect(struct http_exchange *exchange,
    uint16_t status, const struct field *fields, unsigned field_count,
    struct slice first);

/* Is stream one of these? */
bool http_message_is(const struct http_stream *stream);
/* ... which wants the request's body? */
bool http_message_reflects(struct http_stream *stream);

#endif
