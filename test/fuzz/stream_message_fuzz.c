/* Fuzz: bytes of a stream, cut into messages by both bounds. What is taken
 * says the same after it was written out and read again. */
#include <stdint.h>

#include "core/limit.h"
#include "core/must.h"
#include "stream/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_again(const struct stream_message *message)
{
	struct stream_message again;
	struct text first, second;
	struct arena arena;
	size_t used;

	text_init(&first);
	text_init(&second);
	arena_init(&arena, 4096);
	stream_message_push(&first, message->kind, message->record);
	enum error error = stream_message_take(text_slice(&first),
	    LIMIT_VALUE_STREAM_FRAME_BYTES, &arena, &again, &used);

	must(error == ERROR_OK && used == first.length &&
	    again.kind == message->kind);
	stream_message_push(&second, again.kind, again.record);
	must(slice_equal(text_slice(&first), text_slice(&second)));
	arena_fini(&arena);
	text_fini(&first);
	text_fini(&second);
}

static void
take_all(struct slice rest, size_t frame_bytes_max)
{
	struct stream_message message;
	struct arena arena;
	enum error error;
	size_t used;

	arena_init(&arena, 4096);
	do {
		error = stream_message_take(
		    rest, frame_bytes_max, &arena, &message, &used);
		must(used <= rest.length);
		must(error != ERROR_OK || used >= STREAM_FRAME_BYTES);
		if (error == ERROR_OK && message.kind != STREAM_UNKNOWN)
			check_again(&message);
		rest = slice_skip(rest, used);
		arena_reset(&arena);
	} while (error == ERROR_OK);
	arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_make((const char *)data, size);

	take_all(bytes, LIMIT_VALUE_STREAM_FRAME_BYTES);
	take_all(bytes, LIMIT_VALUE_STREAM_HELLO_BYTES);
	return 0;
}
