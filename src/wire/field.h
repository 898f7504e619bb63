/* Header fields: names that yumen knows, and lists of fields as slices. */
#ifndef YUMEN_WIRE_FIELD_H
#define YUMEN_WIRE_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include "core/slice.h"

enum field_flag { FIELD_HOP = 1, FIELD_FRAMING = 2, FIELD_TRUST = 4 };

enum field_id {
	FIELD_OTHER, /* a name that is not in the table */
	FIELD_REMOVED, /* an entry that is there no more */
#define FIELD(name, text, flags) FIELD_##name,
#include "wire/field.def"
#undef FIELD
	FIELD__COUNT
};

struct field {
	const char *name; /* as it came; compare without case */
	const char *value; /* trimmed */
	uint32_t value_length;
	uint16_t name_length;
	uint16_t id; /* enum field_id */
};

static inline struct slice
field_name(const struct field *field)
{
	return slice_make(field->name, field->name_length);
}

static inline struct slice
field_value(const struct field *field)
{
	return slice_make(field->value, field->value_length);
}

/* The id of a name in any case, FIELD_OTHER when it is not in the table. */
enum field_id wire_field_id(struct slice name);
struct slice wire_field_name(enum field_id id); /* in lower case, static */
unsigned wire_field_flags(enum field_id id);

/* X-Forwarded- and anything behind it, in any case: there are more of these in
 * use than the table knows, and no client is believed any of them. */
static inline bool
wire_is_forwarded(struct slice name)
{
	const struct slice prefix = SLICE("x-forwarded-");
	return name.length >= prefix.length && (name.data[0] | 0x20) == 'x' &&
	    slice_equal_nocase(slice_make(name.data, prefix.length), prefix);
}

/* RFC 9110 5.6.2: all bytes are tchar, at least one. */
bool wire_is_token(struct slice s);
/* RFC 9110 5.5: no control bytes but HTAB; obs-text is allowed. */
bool wire_is_field_value(struct slice s);
/* Does the comma-separated list hold token (without case)? */
bool wire_list_has(struct slice list, struct slice token);

#endif
