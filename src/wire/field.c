/* Header fields: the table of known names, and what the grammar of RFC 9110
 * section 5 says about names, values and lists. */
#include "wire/field.h"

#include "core/must.h"
#include "wire/field_priv.h"
#include "wire/scan.h"

const struct field_row field_rows[FIELD__COUNT] = {
#define FIELD(id, text, row_flags) \
	[FIELD_##id] = {text, sizeof(text) - 1, row_flags, {0}},
#include "wire/field.def"
#undef FIELD
};

/* Each name's length and last four letters. Shorter names are not looked up so;
 * the unit test finds a row that is missing here. */
#define SLOT(id, length, a, b, c, d) \
	[FIELD_SLOT(FIELD_LAST_BYTES(a, b, c, d), length)] = FIELD_##id

const uint8_t field_slots[FIELD_SLOTS] = {
    SLOT(HOST, 4, 'h', 'o', 's', 't'),
    SLOT(CONTENT_LENGTH, 14, 'n', 'g', 't', 'h'),
    SLOT(TRANSFER_ENCODING, 17, 'd', 'i', 'n', 'g'),
    SLOT(CONNECTION, 10, 't', 'i', 'o', 'n'),
    SLOT(KEEP_ALIVE, 10, 'l', 'i', 'v', 'e'),
    SLOT(PROXY_CONNECTION, 16, 't', 'i', 'o', 'n'),
    SLOT(TRAILER, 7, 'i', 'l', 'e', 'r'),
    SLOT(UPGRADE, 7, 'r', 'a', 'd', 'e'),
    SLOT(HTTP2_SETTINGS, 14, 'i', 'n', 'g', 's'),
    SLOT(EXPECT, 6, 'p', 'e', 'c', 't'),
    SLOT(DATE, 4, 'd', 'a', 't', 'e'),
    SLOT(SERVER, 6, 'r', 'v', 'e', 'r'),
    SLOT(USER_AGENT, 10, 'g', 'e', 'n', 't'),
    SLOT(LOCATION, 8, 't', 'i', 'o', 'n'),
    SLOT(MAX_FORWARDS, 12, 'a', 'r', 'd', 's'),
    SLOT(FORWARDED, 9, 'r', 'd', 'e', 'd'),
    SLOT(X_FORWARDED_FOR, 15, '-', 'f', 'o', 'r'),
    SLOT(X_FORWARDED_PROTO, 17, 'r', 'o', 't', 'o'),
    SLOT(X_FORWARDED_HOST, 16, 'h', 'o', 's', 't'),
    SLOT(X_FORWARDED_PORT, 16, 'p', 'o', 'r', 't'),
    SLOT(X_FORWARDED_PREFIX, 18, 'e', 'f', 'i', 'x'),
    SLOT(CLIENT_CERT, 11, 'c', 'e', 'r', 't'),
    SLOT(CLIENT_CERT_CHAIN, 17, 'h', 'a', 'i', 'n'),
    SLOT(X_REAL_IP, 9, 'l', '-', 'i', 'p'),
    SLOT(X_REQUEST_ID, 12, 't', '-', 'i', 'd'),
    SLOT(PROXY_STATUS, 12, 'a', 't', 'u', 's'),
    SLOT(ACCEPT, 6, 'c', 'e', 'p', 't'),
    SLOT(ACCEPT_ENCODING, 15, 'd', 'i', 'n', 'g'),
    SLOT(ACCEPT_LANGUAGE, 15, 'u', 'a', 'g', 'e'),
    SLOT(ACCEPT_RANGES, 13, 'n', 'g', 'e', 's'),
    SLOT(AUTHORIZATION, 13, 't', 'i', 'o', 'n'),
    SLOT(CACHE_CONTROL, 13, 't', 'r', 'o', 'l'),
    SLOT(CONTENT_ENCODING, 16, 'd', 'i', 'n', 'g'),
    SLOT(CONTENT_LANGUAGE, 16, 'u', 'a', 'g', 'e'),
    SLOT(CONTENT_TYPE, 12, 't', 'y', 'p', 'e'),
    SLOT(COOKIE, 6, 'o', 'k', 'i', 'e'),
    SLOT(ETAG, 4, 'e', 't', 'a', 'g'),
    SLOT(IF_MODIFIED_SINCE, 17, 'i', 'n', 'c', 'e'),
    SLOT(IF_NONE_MATCH, 13, 'a', 't', 'c', 'h'),
    SLOT(LAST_MODIFIED, 13, 'f', 'i', 'e', 'd'),
    SLOT(ORIGIN, 6, 'i', 'g', 'i', 'n'),
    SLOT(PRAGMA, 6, 'a', 'g', 'm', 'a'),
    SLOT(PRIORITY, 8, 'r', 'i', 't', 'y'),
    SLOT(RANGE, 5, 'a', 'n', 'g', 'e'),
    SLOT(REFERER, 7, 'e', 'r', 'e', 'r'),
    SLOT(SEC_FETCH_DEST, 14, 'd', 'e', 's', 't'),
    SLOT(SEC_FETCH_MODE, 14, 'm', 'o', 'd', 'e'),
    SLOT(SEC_FETCH_SITE, 14, 's', 'i', 't', 'e'),
    SLOT(SET_COOKIE, 10, 'o', 'k', 'i', 'e'),
    SLOT(VARY, 4, 'v', 'a', 'r', 'y'),
};

/* RFC 9110 5.6.2, by bytes of 32 to 127. */
static const uint32_t token_bytes[4] = {
    0,
    /* ! # $ % & ' * + - . 0-9 */
    0x03ff6cfa,
    /* A-Z ^ _ */
    0xc7fffffe,
    /* ` a-z | ~ */
    0x57ffffff,
};

static inline bool
is_token_byte(unsigned char byte)
{
	return byte < 128 && (token_bytes[byte / 32] >> byte % 32 & 1);
}

enum field_id
wire_field_id(struct slice name)
{
	return wire_is_token(name) ? field_id_of_token(name.data, name.length)
	                           : FIELD_OTHER;
}

struct slice
wire_field_name(enum field_id id)
{
	must((unsigned)id < FIELD__COUNT);
	return slice_make(field_rows[id].name, field_rows[id].length);
}

unsigned
wire_field_flags(enum field_id id)
{
	must((unsigned)id < FIELD__COUNT);
	return field_rows[id].flags;
}

bool
wire_is_token(struct slice s)
{
	for (size_t i = 0; i < s.length; i++)
		if (!is_token_byte((unsigned char)s.data[i]))
			return false;
	return s.length > 0;
}

bool
wire_is_field_value(struct slice s)
{
	if (s.length == 0) /* absent too */
		return true;
	const char *end = s.data + s.length;
	return wire_scan_line(s.data, end, s.data) == end;
}

bool
wire_list_has(struct slice list, struct slice token)
{
	struct slice part;
	while (slice_cut(&list, ',', &part))
		if (slice_equal_nocase(slice_trim(part), token))
			return true;
	return false;
}
