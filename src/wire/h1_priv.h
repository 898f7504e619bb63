/* What the files of the HTTP/1 head codec share: h1.c cuts lines and reads
 * fields, h1_start.c reads first lines, h1_meaning.c says what the fields mean
 * together, h1_write.c writes heads. */
#ifndef YUMEN_WIRE_H1_PRIV_H
#define YUMEN_WIRE_H1_PRIV_H

#include <assert.h>
#include "wire/h1.h"

#define VERSION_BYTES 8 /* "HTTP/1.1" */

/* Sets of fields, a bit an id. */
typedef uint64_t h1_set;
static_assert(FIELD__COUNT <= 64, "a bit an id");
#define H1_BIT(id) ((h1_set)1 << (id))

/* The fields that have a flag. */
#define H1_FIELDS_HERE(id, flags, flag) \
	| ((h1_set)(((flags) & (flag)) != 0) << FIELD_##id)
#define FIELD(id, text, flags) H1_FIELDS_HERE(id, flags, FIELD_HOP)
static const h1_set h1_hop_fields = 0
#include "wire/field.def"
    ;
#undef FIELD
#define FIELD(id, text, flags) H1_FIELDS_HERE(id, flags, FIELD_FRAMING)
static const h1_set h1_framing_fields = 0
#include "wire/field.def"
    ;
#undef FIELD
#define FIELD(id, text, flags) H1_FIELDS_HERE(id, flags, FIELD_TRUST)
static const h1_set h1_trust_fields = 0
#include "wire/field.def"
    ;
#undef FIELD

/* Which known fields a head has, and which it has more than once. */
struct h1_seen {
	h1_set once, again;
};

/* Reads what is before the CRLF at end. bytes: the memory that can be read. */
enum error h1_request_line(const struct wire_h1_limits *limits, const char *at,
    const char *end, struct slice bytes, struct wire_head *head);
enum error h1_status_line(
    const char *at, const char *end, struct wire_head *head);

/* Framing, connection, host: fills the members, takes out what must not be sent
 * on. The start line and the fields are in the head already. */
enum error h1_request_meaning(
    struct wire_head *head, const struct h1_seen *seen);
enum error h1_response_meaning(
    struct wire_head *head, const struct h1_seen *seen, enum method_id method);

#endif
