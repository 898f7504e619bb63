/* A message's head, as every codec presents it and takes it: independent of
 * the HTTP version. Slices point into the buffer it was read from or into an
 * arena; whoever holds the head holds those too.
 *
 * A head that a codec presents has no hop-by-hop and no framing field left
 * (their entries are FIELD_REMOVED): what they said is in the members below. */
#ifndef YUMEN_WIRE_HEAD_H
#define YUMEN_WIRE_HEAD_H

#include <stdbool.h>
#include <stdint.h>
#include "core/limit.h"
#include "core/slice.h"
#include "wire/field.h"

enum head_body {
	HEAD_BODY_NONE, /* no body at all, also with Content-Length: 0 */
	HEAD_BODY_LENGTH, /* content_length bytes, at least one */
	HEAD_BODY_UNTIL_END, /* length unknown: chunked, or until close */
	HEAD_BODY_TUNNEL, /* raw bytes both ways after 101 or CONNECT */
};

enum method_id {
	METHOD_OTHER,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_CONNECT,
	METHOD_OPTIONS,
	METHOD_TRACE,
	METHOD_PATCH,
};

/* Entries that yumen adds beyond what a peer may send. */
#define HEAD_FIELDS_OWN 32
#define HEAD_FIELDS_MAX (LIMIT_VALUE_REQUEST_FIELDS + HEAD_FIELDS_OWN)

struct wire_head {
	/* request */
	struct slice method; /* as written */
	struct slice
	    authority; /* host[:port] of the target or the Host field */
	struct slice target; /* origin-form: path[?query]; "*" for OPTIONS *;
	                      * absent: path and query hold it in pieces */
	struct slice path; /* target's path, as it came */
	struct slice query; /* after '?'; absent when there is none */
	enum method_id method_id;
	bool plain_host; /* authority is a host as wire_authority_parse gives */
	/* response */
	uint16_t status;
	struct slice reason; /* may be empty; absent: the usual one is sent */
	/* both */
	struct slice start_line; /* as it came, CRLF behind it; absent when it
	                          * did not, or is not to go on so */
	uint8_t version_minor; /* of HTTP/1: 0 or 1; what the peer speaks */
	enum head_body body;
	uint64_t content_length; /* for HEAD_BODY_LENGTH; for an answer to HEAD
	                          * and 304 what the field said */
	bool has_content_length;
	bool chunked; /* HTTP/1: UNTIL_END ends with the last chunk */
	bool keep_alive; /* the peer's connection may serve another message */
	bool expect_continue;
	bool te_trailers; /* TE: trailers was there */
	struct slice upgrade; /* "websocket", when it was asked for or agreed
	                       * to by Upgrade and Connection; else absent */
	/* Entries that lie in memory as HTTP/1 writes them, line behind line,
	 * the last one's CRLF too: the first came_count (and start_line before
	 * them), and made_count from made_first on, which yumen has made. They
	 * are written with one copy each, so whoever changes an entry in place
	 * calls wire_head_touch; entries behind it end such a stretch. */
	uint16_t came_count, made_first, made_count;
	uint16_t field_count;
	struct field fields[HEAD_FIELDS_MAX];
};

/* Everything but the fields array, which costs time to clear. */
void wire_head_reset(struct wire_head *head);
/* The first field with this id, or NULL. */
struct field *wire_head_find(struct wire_head *head, enum field_id id);
/* The first field with this name (any case), or NULL. */
struct field *wire_head_find_name(struct wire_head *head, struct slice name);
/* Append; false when the table is full. name and value are borrowed. */
bool wire_head_add(struct wire_head *head, enum field_id id, struct slice name,
    struct slice value);
bool wire_head_add_field(struct wire_head *head, const struct field *field);
/* The same for one that lies in memory as HTTP/1 writes it, CRLF and all. */
bool wire_head_add_line(struct wire_head *head, const struct field *field);
/* Entry i, which is there, is not as it came or was made. */
static inline void
wire_head_touch(struct wire_head *head, unsigned i)
{
	if (i < head->came_count)
		head->came_count = (uint16_t)i;
	if (i >= head->made_first)
		head->made_count = 0;
}
void wire_head_remove(struct wire_head *head, enum field_id id);
void wire_head_remove_name(struct wire_head *head, struct slice name);

#endif
