/* Messages to frames and back. It keeps nothing and knows no connection. */
#include "stream/message.h"

#include "core/limit.h"
#include "core/must.h"
#include "core/reader.h"
#include "core/writer.h"
#include "wire/record_binary.h"

#define RECORD_FILE "stream/message.def"
#include "core/record_tables.h"
#undef RECORD_FILE

static const struct {
	enum stream_kind kind;
	const struct record_type *type;
} kinds[] = {
    {STREAM_HELLO, &stream_hello_type},
    {STREAM_WELCOME, &stream_welcome_type},
    {STREAM_HELD, &stream_held_type},
    {STREAM_KEEP, &stream_keep_type},
    {STREAM_PUT, &stream_put_type},
    {STREAM_DROP, &stream_drop_type},
    {STREAM_COMMIT, &stream_commit_type},
    {STREAM_CONFIRM, &stream_confirm_type},
    {STREAM_REFUSE, &stream_refuse_type},
    {STREAM_REPORT, &stream_report_type},
    {STREAM_PING, &stream_ping_type},
    {STREAM_BYE, &stream_bye_type},
    {STREAM_LEADER, &stream_leader_type},
};

static const struct record_type *
type_of(enum stream_kind kind)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind)
			return kinds[i].type;
	return NULL;
}

void
stream_message_push(struct text *out, enum stream_kind kind, const void *record)
{
	const struct record_type *type = type_of(kind);
	size_t start = out->length;

	must(type != NULL && record != NULL);
	writer_u32(out, 0);
	writer_u16(out, (uint16_t)kind);
	wire_record_encode(out, type, record);
	uint64_t length = out->length - start - 4;

	must(length <= UINT32_MAX);
	for (unsigned i = 0; i < 4; i++)
		out->data[start + i] = (char)(length >> (24 - 8 * i));
}

static bool
is_generation(struct slice bytes)
{
	return bytes.length == sizeof(struct feed_generation);
}

static bool
is_name(struct slice name)
{
	return name.length > 0 && name.length <= LIMIT_VALUE_UNIT_NAME_BYTES &&
	    slice_find(name, '\0') == name.length;
}

/* Has it what its kind needs? */
static bool
is_whole(const struct stream_message *message)
{
	switch (message->kind) {
	case STREAM_HELLO:
		return message->hello->major > 0 &&
		    (!slice_is_set(message->hello->generation) ||
		        is_generation(message->hello->generation));
	case STREAM_WELCOME:
		return message->welcome->major > 0;
	case STREAM_HELD:
		return message->held->digests.length % UNIT_DIGEST_BYTES == 0;
	case STREAM_PUT:
		return is_name(message->put->name) &&
		    message->put->bytes.length <= LIMIT_VALUE_UNIT_BYTES;
	case STREAM_DROP:
		return is_name(message->drop->name);
	case STREAM_COMMIT:
		return is_generation(message->commit->generation);
	case STREAM_CONFIRM:
		return is_generation(message->confirm->generation);
	case STREAM_REFUSE:
		return is_name(message->refuse->name);
	case STREAM_REPORT:
		return is_name(message->report->name);
	case STREAM_KEEP:
	case STREAM_PING:
	case STREAM_BYE:
	case STREAM_LEADER:
	case STREAM_UNKNOWN:
		return true;
	}
	return false;
}

static enum error
decode(struct slice record, enum stream_kind kind, struct arena *arena,
    struct stream_message *message)
{
	const struct record_type *type = type_of(kind);
	void *made = NULL;

	*message = (struct stream_message){.kind = STREAM_UNKNOWN};
	if (type == NULL)
		return kind & STREAM_CRITICAL ? ERROR_UNSUPPORTED : ERROR_OK;
	enum error error = wire_record_borrow(record, type, arena, &made);

	if (error != ERROR_OK)
		return error;
	message->kind = kind;
	message->record = made;
	return is_whole(message) ? ERROR_OK : ERROR_INVALID;
}

enum error
stream_message_take(struct slice bytes, size_t frame_bytes_max,
    struct arena *arena, struct stream_message *message, size_t *used)
{
	struct reader in;

	must(arena != NULL && message != NULL && used != NULL);
	*used = 0;
	if (bytes.length < STREAM_FRAME_BYTES)
		return ERROR_AGAIN;
	reader_init(&in, bytes);
	size_t length = reader_u32(&in);
	enum stream_kind kind = (enum stream_kind)reader_u16(&in);

	if (length < 2)
		return ERROR_INVALID;
	if (length + 4 > frame_bytes_max)
		return ERROR_LIMIT;
	if (length + 4 > bytes.length)
		return ERROR_AGAIN;
	*used = length + 4;
	return decode(reader_bytes(&in, length - 2), kind, arena, message);
}

enum error
stream_error_parse(struct slice label)
{
	for (unsigned i = 0; i < ERROR__COUNT; i++)
		if (slice_equal(
		        label, slice_from_string(error_label((enum error)i))))
			return (enum error)i;
	return ERROR_UNKNOWN;
}

struct slice
stream_generation_slice(const struct feed_generation *generation)
{
	return slice_make(
	    (const char *)generation->bytes, sizeof(generation->bytes));
}

struct feed_generation
stream_generation_parse(struct slice bytes)
{
	struct feed_generation generation;

	must(is_generation(bytes));
	memcpy(generation.bytes, bytes.data, sizeof(generation.bytes));
	return generation;
}

unsigned
stream_kinds_parse(const struct slice *names, uint32_t count)
{
	unsigned mask = 0;

	for (unsigned kind = 0; kind < UNIT__COUNT; kind++)
		for (uint32_t i = 0; i < count; i++)
			if (slice_equal(names[i],
			        snap_unit_kind_word((enum unit_kind)kind)))
				mask |= 1u << kind;
	return mask;
}
