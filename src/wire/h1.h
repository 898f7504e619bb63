/* HTTP/1.0 and 1.1 heads on the wire (RFC 9112), strict: what is malformed or
 * ambiguous is an error, in this one place, for requests and responses alike.
 * Errors are the HTTP_ rows of error.def; wire_h1_status gives the answer. */
#ifndef YUMEN_WIRE_H1_H
#define YUMEN_WIRE_H1_H

#include <sys/types.h>
#include "core/error.h"
#include "core/text.h"
#include "wire/head.h"

struct wire_h1_limits {
	uint32_t head_bytes, target_bytes, fields;
};

/* Parses heads, one after the other. Bytes of one head are given again from its
 * start each time more have come (they may have moved); each line is judged
 * once, when it is complete or holds a byte that it cannot, so that a head that
 * drips in costs its length twice at most, and fails as it does in one piece.
 * After anything but 0 the parser is ready for the next head. */
struct wire_h1_parser {
	struct wire_h1_limits limits;
	uint32_t line; /* where the first line begins that is not complete */
	uint32_t scanned; /* how far it was looked at */
	uint16_t fields; /* of the lines before it */
	bool started; /* the request or status line is before it */
};

void wire_h1_parser_init(
    struct wire_h1_parser *parser, const struct wire_h1_limits *limits);

/* >0: the head's length, empty lines before it included, *head is filled with
 * slices of bytes; 0: more is wanted; <0: -(enum error). Never more than the
 * head is consumed. Also decides the framing (RFC 9112 6.3), and takes
 * hop-by-hop fields out (see wire/head.h). */
ssize_t wire_h1_request_feed(
    struct wire_h1_parser *parser, struct slice bytes, struct wire_head *head);
/* method: of the request that is answered; HEAD and CONNECT change the framing.
 */
ssize_t wire_h1_response_feed(struct wire_h1_parser *parser, struct slice bytes,
    enum method_id method, struct wire_head *head);

/* The status for a request that failed so: 400, 413, 414, 431, 501, 505. */
int wire_h1_status(enum error error);

/* Trailer fields after the last chunk, up to and with the empty line: as the
 * feeds above; entries are added to fields[0..*count), max room for them.
 * Framing, routing and hop-by-hop fields (RFC 9110 6.5.1) are an error. */
ssize_t wire_h1_trailers_feed(struct wire_h1_parser *parser, struct slice bytes,
    struct field *fields, unsigned max, unsigned *count);

/* How a head is to be framed on this connection. */
struct wire_h1_framing {
	bool chunked; /* Transfer-Encoding: chunked */
	bool close; /* Connection: close */
	bool keep_alive_1_0; /* Connection: keep-alive, to an HTTP/1.0 client */
};
/* Write a head, the empty line included. Returns the bytes written, or 0 when
 * it does not fit in capacity. Names and values were checked when they came in
 * or when configuration was admitted; must() holds it for CR, LF and NUL. */
size_t wire_h1_request_write(char *out, size_t capacity,
    const struct wire_head *head, const struct wire_h1_framing *framing);
size_t wire_h1_response_write(char *out, size_t capacity,
    const struct wire_head *head, const struct wire_h1_framing *framing);

#endif
