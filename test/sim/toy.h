/* A second codec, a toy, so that the exchange is seen to know none. A message
 *is frames: a type, four bytes of length, the payload.
 *
 *	I	an interim head, as the text of one in HTTP/1 without the empty
 *		line
 *	H	a final one; a body follows
 *	N	a final one without a body: the message is whole
 *	B	some of the body
 *	E	the end, with the lines of the trailers
 *
 * Both sides of it take the place of http_server and http_client: one message
 *at a time, connections are used again. */
#ifndef YUMEN_SIM_TOY_H
#define YUMEN_SIM_TOY_H

#include "core/random.h"
#include "http/client.h"
#include "sim/plain.h"

struct toy; /* a connection */

/* *count is of open connections. */
void toy_server_open(struct http_worker *worker,
    const struct http_handler *handler, void *handler_context, int fd,
    unsigned *count);
/* As the functions of http/client.h; the callbacks get no client. */
struct toy *toy_client_open(struct http_worker *worker,
    const struct net_address *address, const struct http_client_owner_ops *ops,
    void *owner);
struct http_stream *toy_client_lend(struct toy *toy);
void toy_client_close(struct toy *toy);

/* For the peers: as plain_read; and a message as frames, body pieces at
 * random. */
void toy_plain_read(struct plain *message, struct slice bytes,
    enum plain_kind kind, bool ended);
void toy_plain_push(
    struct text *out, const struct plain *message, struct random *random);

#endif
