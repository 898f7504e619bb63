/* Sets the request's own fields in one pass over what came. */
#include "proxy/stamp.h"

#include "core/must.h"

#define REQUEST_ID_BYTES_MAX 128

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "put_hex writes words as they lie");

/* A bit for each field that no client is believed. */
static const uint64_t trust =
#define FIELD(name, text, flags) \
	((flags)&FIELD_TRUST ? UINT64_C(1) << FIELD_##name : 0) |
#include "wire/field.def"
#undef FIELD
    0;
_Static_assert(FIELD__COUNT <= 64, "the field ids fit in one word");

bool
proxy_is_request_id(struct slice s)
{
	static const bool good[256] = {
	    ['A' ... 'Z'] = true,
	    ['a' ... 'z'] = true,
	    ['0' ... '9'] = true,
	    ['.'] = true,
	    ['_'] = true,
	    [':'] = true,
	    ['+'] = true,
	    ['/'] = true,
	    ['='] = true,
	    ['-'] = true,
	};
	if (s.length == 0 || s.length > REQUEST_ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < s.length; i++)
		if (!good[(uint8_t)s.data[i]])
			return false;
	return true;
}

/* Eight hex digits of 32 bits, most significant first: each nibble gets a byte
 * of its own, then all become digits at once. */
static inline void
put_hex(char *out, uint32_t bits)
{
	uint64_t word = __builtin_bswap32(bits);
	word = (word | word << 16) & UINT64_C(0x0000ffff0000ffff);
	word = (word | word << 8) & UINT64_C(0x00ff00ff00ff00ff);
	word = ((word >> 4) & UINT64_C(0x000f000f000f000f)) |
	    ((word & UINT64_C(0x000f000f000f000f)) << 8);
	uint64_t letters = ((word + UINT64_C(0x0606060606060606)) >> 4) &
	    UINT64_C(0x0101010101010101);
	word += UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
	memcpy(out, &word, 8);
}

void
proxy_uuid_make(struct random *random, char out[PROXY_UUID_BYTES])
{
	uint64_t high = random_next(random), low = random_next(random);
	char digits[32];
	high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
	low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
	put_hex(digits, (uint32_t)(high >> 32));
	put_hex(digits + 8, (uint32_t)high);
	put_hex(digits + 16, (uint32_t)(low >> 32));
	put_hex(digits + 24, (uint32_t)low);
	memcpy(out, digits, 8);
	memcpy(out + 9, digits + 8, 4);
	memcpy(out + 14, digits + 12, 4);
	memcpy(out + 19, digits + 16, 4);
	memcpy(out + 24, digits + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
}

static inline void
push(struct wire_head *head, enum field_id id, struct slice name,
    struct slice value)
{
	struct field *field = &head->fields[head->field_count++];
	field->name = name.data;
	field->name_length = (uint16_t)name.length;
	field->value = value.data;
	field->value_length = (uint32_t)value.length;
	field->id = (uint16_t)id;
}

/* Take out what no client is believed; note what is of use. */
static void
scrub(struct wire_head *head, struct proxy_stamp *stamp)
{
	struct field *field = head->fields, *end = field + head->field_count;
	for (; field < end; field++) {
		if (likely(field->id == FIELD_OTHER))
			continue;
		if (unlikely(trust >> field->id & 1)) {
			field->id = FIELD_REMOVED;
		} else if (field->id == FIELD_USER_AGENT) {
			stamp->user_agent = field_value(field);
		} else if (field->id == FIELD_X_REQUEST_ID) {
			struct slice value = field_value(field);
			if (!slice_is_set(stamp->request_id) &&
			    proxy_is_request_id(value))
				stamp->request_id = value;
			else
				field->id = FIELD_REMOVED;
		}
	}
}

bool
proxy_stamp_request(struct wire_head *head, struct proxy_stamp *stamp)
{
	must(head->field_count <= HEAD_FIELDS_MAX);
	stamp->request_id = stamp->user_agent = SLICE_NONE;
	scrub(head, stamp);
	if (unlikely(head->field_count > HEAD_FIELDS_MAX - 5))
		return false;
	if (likely(stamp->client.length > 0))
		push(head, FIELD_X_FORWARDED_FOR, SLICE("X-Forwarded-For"),
		    stamp->client);
	push(head, FIELD_X_FORWARDED_PROTO, SLICE("X-Forwarded-Proto"),
	    stamp->secure ? SLICE("https") : SLICE("http"));
	push(head, FIELD_X_FORWARDED_PORT, SLICE("X-Forwarded-Port"),
	    stamp->port);
	if (likely(head->authority.length > 0)) {
		push(head, FIELD_X_FORWARDED_HOST, SLICE("X-Forwarded-Host"),
		    head->authority);
	} else {
		/* HTTP/1.0 may come without Host, HTTP/1.1 must not go so. */
		wire_head_remove(head, FIELD_HOST);
		push(head, FIELD_HOST, SLICE("Host"), stamp->local);
	}
	if (!slice_is_set(stamp->request_id)) {
		proxy_uuid_make(stamp->random, stamp->uuid);
		stamp->request_id = slice_make(stamp->uuid, PROXY_UUID_BYTES);
		push(head, FIELD_X_REQUEST_ID, SLICE("X-Request-Id"),
		    stamp->request_id);
	}
	return true;
}
