/* The table of known field names, for the parser's sake inline: what it costs
 * to know a name is paid by each field of each message. */
#ifndef YUMEN_WIRE_FIELD_PRIV_H
#define YUMEN_WIRE_FIELD_PRIV_H

#include "wire/field.h"

#define FIELD_NAME_BYTES 24

struct field_row {
	char name[FIELD_NAME_BYTES]; /* in lower case; the rest is zero */
	uint8_t length;
	uint8_t flags;
	uint8_t padding[6]; /* a row's place is a shift away */
};

extern const struct field_row field_rows[FIELD__COUNT];

/* A name's slot comes of its last four bytes, in lower case, and its length.
 * The multiplier gives each name of the table a slot of its own: two that want
 * one slot do not compile, and then another multiplier is to be found. */
#define FIELD_SLOTS 256
#define FIELD_SLOT(last_bytes, length) \
	((uint32_t)(((last_bytes) + (uint32_t)(length)) * 0x91b7584bu) >> 24)
#define FIELD_LAST_BYTES(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
	    (uint32_t)(d) << 24)

/* The ids by slot; FIELD_OTHER where none is. */
extern const uint8_t field_slots[FIELD_SLOTS];

/* Is the token, in any case, the lower-case text? Letters, '-', '2' and control
 * bytes are the only ones that are in a known name once their bit 5 is set. */
static inline bool
field_equal_8(const char *token, const char *text)
{
	uint64_t a, b;
	memcpy(&a, token, sizeof(a));
	memcpy(&b, text, sizeof(b));
	return (a | 0x2020202020202020u) == b;
}

static inline bool
field_equal_4(const char *token, const char *text)
{
	uint32_t a, b;
	memcpy(&a, token, sizeof(a));
	memcpy(&b, text, sizeof(b));
	return (a | 0x20202020u) == b;
}

static inline bool
field_row_is(const struct field_row *row, const char *token, size_t length)
{
	const char *name = row->name;
	if (row->length != length)
		return false;
	if (length < 8)
		return field_equal_4(token, name) &&
		    field_equal_4(token + length - 4, name + length - 4);
	if (length > 16 && !field_equal_8(token + 8, name + 8))
		return false;
	return field_equal_8(token, name) &&
	    field_equal_8(token + length - 8, name + length - 8);
}

/* As wire_field_id, for what has no control byte: of such, only letters, digits
 * and '-' are ever taken for those of a known name, so that what is known is a
 * token. */
static inline enum field_id
field_id_of_token(const char *token, size_t length)
{
	if (length < 4)
		return length == 2 && (token[0] | 0x20) == 't' &&
		        (token[1] | 0x20) == 'e'
		    ? FIELD_TE
		    : FIELD_OTHER;
	const char *last = token + length - 4;
	uint32_t last_bytes =
	    FIELD_LAST_BYTES((unsigned char)last[0], (unsigned char)last[1],
	        (unsigned char)last[2], (unsigned char)last[3]) |
	    0x20202020u;
	enum field_id id =
	    (enum field_id)field_slots[FIELD_SLOT(last_bytes, length)];
	return field_row_is(&field_rows[id], token, length) ? id : FIELD_OTHER;
}

#endif
