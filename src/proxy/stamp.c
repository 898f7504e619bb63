/* Sets the request's own fields in one pass over what came. They are laid out
 * in one block, each "name: value" and CRLF behind the other, as fields lie in
 * a head that was read: so the codec writes all of them with one copy. */
#include "proxy/stamp.h"

#include "core/must.h"

#define REQUEST_ID_BYTES_MAX 128

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

/* Both compilers turn these into the vectors of the machine. */
typedef uint8_t octets __attribute__((vector_size(16)));

static inline octets
digits_of(octets nibbles)
{
	return nibbles + '0' + ((octets)(nibbles > 9) & ('a' - '0' - 10));
}

/* 32 hex digits of 16 bytes. */
static inline void
put_hex(char out[32], octets bytes)
{
	octets high = bytes >> 4, low = bytes & 15;
	octets front = digits_of(__builtin_shufflevector(
	    high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
	octets back = digits_of(__builtin_shufflevector(high, low, 8, 24, 9, 25,
	    10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
	memcpy(out, &front, sizeof(front));
	memcpy(out + sizeof(front), &back, sizeof(back));
}

void
proxy_uuid_make(struct random *random, char out[PROXY_UUID_BYTES])
{
	uint64_t halves[2] = {random_next(random), random_next(random)};
	char digits[32];
	octets bytes;
	memcpy(&bytes, halves, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	put_hex(digits, bytes);
	memcpy(out, digits, 8);
	memcpy(out + 9, digits + 8, 4);
	memcpy(out + 14, digits + 12, 4);
	memcpy(out + 19, digits + 16, 4);
	memcpy(out + 24, digits + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
}

/* Is this field to be taken out? Notes what is of use. */
static bool
is_unwanted(const struct field *field, struct proxy_stamp *stamp)
{
	struct slice value = field_value(field);
	switch (field->id) {
	case FIELD_OTHER:
		return wire_is_forwarded(field_name(field));
	case FIELD_USER_AGENT:
		stamp->user_agent = value;
		return false;
	case FIELD_X_REQUEST_ID:
		if (slice_is_set(stamp->request_id) ||
		    !proxy_is_request_id(value))
			return true;
		stamp->request_id = value;
		return false;
	default:
		return true;
	}
}

/* Take out what no client is believed. */
static void
scrub(struct wire_head *head, struct proxy_stamp *stamp)
{
	const uint64_t looked_at = trust | UINT64_C(1) << FIELD_OTHER |
	    UINT64_C(1) << FIELD_USER_AGENT | UINT64_C(1) << FIELD_X_REQUEST_ID;
	for (unsigned i = 0; i < head->field_count; i++) {
		struct field *field = &head->fields[i];
		if ((looked_at >> field->id & 1) &&
		    unlikely(is_unwanted(field, stamp))) {
			field->id = FIELD_REMOVED;
			wire_head_touch(head, i);
		}
	}
}

/* The block while it is filled, and the entry that is next. */
struct filling {
	struct field *next;
	char *at;
};

/* The field's name at the end of the block; returns where its value goes. */
#define PUT_NAME(filling, name) \
	(memcpy((filling)->at, name ": ", sizeof(name ": ") - 1), \
	    (filling)->at + sizeof(name ": ") - 1)

/* A field whose name was put and whose value lies behind it. */
static inline struct slice
put_field(struct filling *filling, enum field_id id, size_t name_length,
    size_t length)
{
	char *value = filling->at + name_length + 2;
	*filling->next++ = (struct field){
	    .name = filling->at,
	    .name_length = (uint16_t)name_length,
	    .value = value,
	    .value_length = (uint32_t)length,
	    .id = (uint16_t)id,
	};
	memcpy(value + length, "\r\n", 2);
	filling->at = value + length + 2;
	return slice_make(value, length);
}
#define PUT_FIELD(filling, id, name, length) \
	put_field((filling), (id), sizeof(name) - 1, (length))

static inline void
put_forwarded(struct filling *filling, struct proxy_stamp *stamp)
{
	char *value;
	if (likely(stamp->peer != NULL)) {
		value = PUT_NAME(filling, "X-Forwarded-For");
		stamp->client =
		    PUT_FIELD(filling, FIELD_X_FORWARDED_FOR, "X-Forwarded-For",
		        net_address_format_ip(stamp->peer, value));
	}
	value = PUT_NAME(filling, "X-Forwarded-Proto");
	memcpy(value, "https", 5);
	(void)PUT_FIELD(filling, FIELD_X_FORWARDED_PROTO, "X-Forwarded-Proto",
	    stamp->secure ? 5 : 4);
	value = PUT_NAME(filling, "X-Forwarded-Port");
	memcpy(value, stamp->port, PROXY_PORT_BYTES);
	(void)PUT_FIELD(filling, FIELD_X_FORWARDED_PORT, "X-Forwarded-Port",
	    stamp->port_length);
}

/* What the block cannot hold in any case: the longest is the authority. */
_Static_assert(PROXY_STAMP_BYTES >= 5 * sizeof("X-Forwarded-Proto: \r\n") +
            NET_ADDRESS_TEXT + 5 + PROXY_PORT_BYTES + PROXY_UUID_BYTES +
            WIRE_HOST_BYTES + sizeof("[]:65535"),
    "the block holds every field at its longest");

/* HTTP/1.0 may come without Host, HTTP/1.1 must not go so. */
static void
add_host(struct wire_head *head, struct slice local)
{
	wire_head_remove(head, FIELD_HOST);
	(void)wire_head_add(head, FIELD_HOST, SLICE("Host"), local);
}

bool
proxy_stamp_request(struct wire_head *head, struct proxy_stamp *stamp)
{
	struct slice authority = head->authority;
	must(head->field_count <= HEAD_FIELDS_MAX);
	must(stamp->port_length < PROXY_PORT_BYTES);
	stamp->client = stamp->request_id = stamp->user_agent = SLICE_NONE;
	scrub(head, stamp);
	if (unlikely(head->field_count > HEAD_FIELDS_MAX - 5 ||
	        authority.length > WIRE_HOST_BYTES + sizeof("[]:65535")))
		return false;
	if (unlikely(authority.length == 0))
		add_host(head, stamp->local);
	struct field *first = head->fields + head->field_count;
	struct filling filling = {first, stamp->block};
	put_forwarded(&filling, stamp);
	if (likely(authority.length > 0)) {
		char *value = PUT_NAME(&filling, "X-Forwarded-Host");
		memcpy(value, authority.data, authority.length);
		(void)PUT_FIELD(&filling, FIELD_X_FORWARDED_HOST,
		    "X-Forwarded-Host", authority.length);
	}
	if (!slice_is_set(stamp->request_id)) {
		proxy_uuid_make(
		    stamp->random, PUT_NAME(&filling, "X-Request-Id"));
		stamp->request_id = PUT_FIELD(&filling, FIELD_X_REQUEST_ID,
		    "X-Request-Id", PROXY_UUID_BYTES);
	}
	head->made_first = head->field_count;
	head->made_count = (uint16_t)(filling.next - first);
	head->field_count += head->made_count;
	return true;
}
