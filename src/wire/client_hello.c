/* Reads a ClientHello: RFC 8446 4.1.2 and 5.1, RFC 5246 7.4.1.2. Records are
 * walked as they come; the message is read once it is whole. It decides nothing
 * and answers nothing. */
#include "wire/client_hello.h"

#include "core/limit.h"
#include "core/reader.h"

enum {
	RECORD_HEADER_BYTES = 5,
	RECORD_BYTES_MAX = 16384,
	RECORD_HANDSHAKE = 22,
	MESSAGE_HEADER_BYTES = 4,
	MESSAGE_CLIENT_HELLO = 1,
	VERSION_TLS_1_3 = 0x0304,
	RANDOM_BYTES = 32,
	SESSION_ID_BYTES_MAX = 32,
	NAME_HOST = 0,
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_VERSIONS = 43,
};

void
wire_client_hello_init(struct wire_client_hello *hello)
{
	*hello = (struct wire_client_hello){0};
	text_init(&hello->joined);
}

void
wire_client_hello_fini(struct wire_client_hello *hello)
{
	text_fini(&hello->joined);
}

static uint8_t
byte_at(struct slice raw, size_t at)
{
	return (uint8_t)raw.data[at];
}

/* A reader over the next so many bytes. */
static struct reader
sub(struct reader *reader, size_t length)
{
	struct reader inner;

	reader_init(&inner, reader_bytes(reader, length));
	inner.error = reader->error;
	return inner;
}

/* Does what came of the record header, and of the message's behind it, look
 * like a ClientHello? Each byte is judged as soon as it is there. */
static bool
is_plausible(const struct wire_client_hello *hello, struct slice raw)
{
	static const uint8_t begin[] = {RECORD_HANDSHAKE, 3};
	size_t left = raw.length - hello->at;

	for (size_t i = 0; i < sizeof(begin) && i < left; i++)
		if (byte_at(raw, hello->at + i) != begin[i])
			return false;
	if (left >= RECORD_HEADER_BYTES) {
		unsigned length = (unsigned)(byte_at(raw, hello->at + 3) << 8 |
		    byte_at(raw, hello->at + 4));
		if (length == 0 || length > RECORD_BYTES_MAX)
			return false;
	}
	return hello->at > 0 || left <= RECORD_HEADER_BYTES ||
	    byte_at(raw, RECORD_HEADER_BYTES) == MESSAGE_CLIENT_HELLO;
}

/* RFC 6066 3: at most one name of a kind, and host_name is the only kind there
 * is; others are passed over. */
static void
read_names(struct reader *extension, struct slice *server_name)
{
	struct reader list = sub(extension, reader_u16(extension));

	if (slice_is_set(*server_name) || reader_left(&list) == 0)
		reader_fail(&list, ERROR_INVALID);
	while (reader_left(&list) > 0) {
		uint8_t kind = reader_u8(&list);
		struct slice name = reader_bytes(&list, reader_u16(&list));

		if (kind != NAME_HOST)
			continue;
		if (slice_is_set(*server_name) || name.length == 0 ||
		    memchr(name.data, 0, name.length))
			reader_fail(&list, ERROR_INVALID);
		else
			*server_name = name;
	}
	if (list.error != ERROR_OK)
		reader_fail(extension, list.error);
}

/* RFC 7301 3.1: one name at least, none of them empty. */
static void
read_protocols(struct reader *extension, struct slice *protocols)
{
	struct slice bytes = reader_bytes(extension, reader_u16(extension));
	struct reader list;

	reader_init(&list, bytes);
	if (slice_is_set(*protocols) || bytes.length == 0)
		reader_fail(&list, ERROR_INVALID);
	while (reader_left(&list) > 0)
		if (reader_bytes(&list, reader_u8(&list)).length == 0)
			reader_fail(&list, ERROR_INVALID);
	if (list.error != ERROR_OK)
		reader_fail(extension, list.error);
	else
		*protocols = bytes;
}

static void
read_versions(struct reader *extension, bool *has_tls13)
{
	struct reader list = sub(extension, reader_u8(extension));

	while (reader_left(&list) > 0)
		if (reader_u16(&list) == VERSION_TLS_1_3)
			*has_tls13 = true;
	if (list.error != ERROR_OK)
		reader_fail(extension, list.error);
}

static void
read_extension(struct wire_client_hello *hello, struct reader *all)
{
	uint16_t kind = reader_u16(all);
	struct reader extension = sub(all, reader_u16(all));

	switch (kind) {
	case EXTENSION_SERVER_NAME:
		read_names(&extension, &hello->server_name);
		break;
	case EXTENSION_ALPN:
		read_protocols(&extension, &hello->protocols);
		break;
	case EXTENSION_VERSIONS:
		read_versions(&extension, &hello->has_tls13);
		break;
	default:
		return;
	}
	if (extension.error == ERROR_OK && reader_left(&extension) > 0)
		extension.error = ERROR_INVALID;
	if (extension.error != ERROR_OK)
		reader_fail(all, extension.error);
}

/* The message without its header. */
static bool
read_message(struct wire_client_hello *hello, struct slice message)
{
	struct reader reader;

	reader_init(&reader, message);
	hello->version = reader_u16(&reader);
	reader_bytes(&reader, RANDOM_BYTES);
	if (reader_bytes(&reader, reader_u8(&reader)).length >
	    SESSION_ID_BYTES_MAX)
		reader_fail(&reader, ERROR_INVALID);
	struct slice ciphers = reader_bytes(&reader, reader_u16(&reader));
	if (ciphers.length < 2 || ciphers.length % 2 != 0)
		reader_fail(&reader, ERROR_INVALID);
	if (reader_bytes(&reader, reader_u8(&reader)).length == 0)
		reader_fail(&reader, ERROR_INVALID); /* compression methods */
	/* TLS 1.2 knows a hello without extensions. */
	if (reader.error == ERROR_OK && reader_left(&reader) > 0) {
		struct reader all = sub(&reader, reader_u16(&reader));

		while (reader_left(&all) > 0)
			read_extension(hello, &all);
		if (all.error != ERROR_OK)
			reader_fail(&reader, all.error);
	}
	if (reader_left(&reader) > 0)
		reader_fail(&reader, ERROR_INVALID);
	return reader.error == ERROR_OK;
}

static size_t
record_bytes(struct slice raw, size_t at)
{
	return (size_t)(byte_at(raw, at + 3) << 8 | byte_at(raw, at + 4));
}

/* What lies in the records that came whole, as one run. */
static struct slice
join(struct wire_client_hello *hello, struct slice raw)
{
	size_t first = record_bytes(raw, 0);

	if (RECORD_HEADER_BYTES + first == hello->at)
		return slice_make(raw.data + RECORD_HEADER_BYTES, first);
	text_reset(&hello->joined);
	for (size_t at = 0; at < hello->at;) {
		size_t length = record_bytes(raw, at);

		at += RECORD_HEADER_BYTES;
		text_push(&hello->joined, slice_make(raw.data + at, length));
		at += length;
	}
	return text_slice(&hello->joined);
}

/* Byte n of the message, which may lie in any of the whole records. */
static uint8_t
message_byte(struct slice raw, size_t n)
{
	size_t at = 0;

	for (size_t length; (length = record_bytes(raw, at)) <= n; n -= length)
		at += RECORD_HEADER_BYTES + length;
	return byte_at(raw, at + RECORD_HEADER_BYTES + n);
}

static ssize_t
finish(struct wire_client_hello *hello, struct slice raw, size_t length)
{
	struct slice message =
	    slice_skip(join(hello, raw), MESSAGE_HEADER_BYTES);

	/* Nothing follows a ClientHello in its record. */
	if (message.length != length || !read_message(hello, message))
		return -(ssize_t)ERROR_TLS_BAD_HELLO;
	return (ssize_t)hello->at;
}

ssize_t
wire_client_hello_feed(struct wire_client_hello *hello, struct slice raw)
{
	for (;;) {
		if (!is_plausible(hello, raw))
			return -(ssize_t)ERROR_TLS_BAD_HELLO;
		size_t left = raw.length - hello->at;
		size_t length = left < RECORD_HEADER_BYTES
		    ? 0
		    : record_bytes(raw, hello->at);
		if (length == 0 || left < RECORD_HEADER_BYTES + length)
			return 0;
		hello->at += RECORD_HEADER_BYTES + length;
		hello->message_bytes += length;
		/* Headers count: a byte a record costs six. */
		if (hello->at > LIMIT_VALUE_CLIENT_HELLO_BYTES)
			return -(ssize_t)ERROR_LIMIT;
		if (hello->message_bytes < MESSAGE_HEADER_BYTES)
			continue;
		size_t wanted = (size_t)message_byte(raw, 1) << 16 |
		    (size_t)message_byte(raw, 2) << 8 | message_byte(raw, 3);
		if (wanted > LIMIT_VALUE_CLIENT_HELLO_BYTES)
			return -(ssize_t)ERROR_LIMIT;
		if (hello->message_bytes >= MESSAGE_HEADER_BYTES + wanted)
			return finish(hello, raw, wanted);
	}
}

bool
wire_client_hello_offers(
    const struct wire_client_hello *hello, struct slice protocol)
{
	struct reader list;

	reader_init(&list, hello->protocols);
	while (reader_left(&list) > 0)
		if (slice_equal(
		        reader_bytes(&list, reader_u8(&list)), protocol))
			return true;
	return false;
}
