/* Values are found by their brackets, outside of texts. Bytes go on in runs: a
 * run ends where a value does. Three places matter: outside of all (depth 0),
 * in the list itself (depth 1), in its items (depth 2 of KUBE_LIST); what is
 * deeper belongs to the value that it is in. */
#include "kube/decode.h"

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"

/* What a decoder keeps of its memory from one body to the next. */
#define KEPT_BYTES 65536

void
kube_decoder_init(struct kube_decoder *decoder, enum kube_body body,
    void (*on_value)(void *context, struct slice json), void *context)
{
	must(decoder != NULL && (body == KUBE_WHOLE || on_value != NULL));
	*decoder = (struct kube_decoder){
	    .body = body,
	    .value_bytes_max = LIMIT_VALUE_KUBE_OBJECT_BYTES,
	    .rest_bytes_max = LIMIT_VALUE_KUBE_REST_BYTES,
	    .on_value = on_value,
	    .context = context,
	};
	text_init(&decoder->value);
	text_init(&decoder->rest);
}

/* Secrets are among what comes. */
static void
empty(struct text *text)
{
	if (text->capacity > KEPT_BYTES) {
		text_wipe(text);
		return;
	}
	memory_wipe(text->data, text->length);
	text_reset(text);
}

void
kube_decoder_fini(struct kube_decoder *decoder)
{
	empty(&decoder->value);
	empty(&decoder->rest);
	text_fini(&decoder->value);
	text_fini(&decoder->rest);
}

void
kube_decoder_reset(struct kube_decoder *decoder, enum kube_body body)
{
	must(decoder != NULL &&
	    (body == KUBE_WHOLE || decoder->on_value != NULL));
	empty(&decoder->value);
	empty(&decoder->rest);
	decoder->body = body;
	decoder->depth = 0;
	decoder->in_text = decoder->escaped = false;
	decoder->names_items = decoder->in_items = decoder->ended = false;
	decoder->error = ERROR_OK;
}

static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Is what is read now part of a value that will be told? */
static bool
is_in_value(const struct kube_decoder *decoder)
{
	if (decoder->body == KUBE_EVENTS)
		return decoder->depth > 0;
	return decoder->in_items && decoder->depth > 2;
}

static void
push(struct kube_decoder *decoder, struct slice run)
{
	bool is_value = is_in_value(decoder);
	struct text *text = is_value ? &decoder->value : &decoder->rest;
	size_t most =
	    is_value ? decoder->value_bytes_max : decoder->rest_bytes_max;

	if (run.length > most - text->length) {
		decoder->error = ERROR_LIMIT;
		return;
	}
	text_push(text, run);
}

static void
tell_value(struct kube_decoder *decoder)
{
	decoder->on_value(decoder->context, text_slice(&decoder->value));
	empty(&decoder->value);
}

/* A bracket that opens, and is pushed by the caller, who counts it. */
static void
on_open(struct kube_decoder *decoder, char byte)
{
	if (decoder->body == KUBE_LIST && decoder->depth == 1 &&
	    decoder->names_items && byte == '[')
		decoder->in_items = true;
	decoder->depth++;
}

static void
on_close(struct kube_decoder *decoder)
{
	decoder->depth--;
	if (decoder->depth == 1)
		decoder->in_items = false;
	if (decoder->depth == 0)
		decoder->ended = true;
}

/* The list's own texts: which of them is "items"? */
static void
on_text_end(struct kube_decoder *decoder)
{
	if (decoder->body == KUBE_LIST && decoder->depth == 1)
		decoder->names_items = slice_equal(
		    slice_skip(text_slice(&decoder->rest), decoder->text_at),
		    SLICE("\"items\""));
}

/* The bytes of a text that begin a run, to its end. */
static size_t
text_run(struct kube_decoder *decoder, struct slice bytes)
{
	size_t i = 0;

	while (i < bytes.length) {
		char byte = bytes.data[i++];

		if (decoder->escaped)
			decoder->escaped = false;
		else if (byte == '\\')
			decoder->escaped = true;
		else if (byte == '"') {
			decoder->in_text = false;
			break;
		}
	}
	push(decoder, slice_make(bytes.data, i));
	if (!decoder->in_text)
		on_text_end(decoder);
	return i;
}

/* Outside of all values, and between items: what may stand there. */
static bool
take_between(struct kube_decoder *decoder, char byte)
{
	bool between_items = decoder->in_items && decoder->depth == 2;

	if (!between_items && decoder->depth > 0)
		return false;
	if (is_blank(byte) || (between_items && byte == ','))
		return true;
	if (byte == '{' && (decoder->body == KUBE_EVENTS || !decoder->ended))
		return false;
	if (byte == ']' && between_items)
		return false;
	decoder->error = ERROR_INVALID;
	return true;
}

/* One byte outside of texts, which is not between values. */
static void
take_byte(struct kube_decoder *decoder, char byte)
{
	struct slice run = slice_make(&byte, 1);
	bool was_in_value;

	switch (byte) {
	case '{':
	case '[':
		on_open(decoder, byte);
		push(decoder, run);
		return;
	case '}':
	case ']':
		was_in_value = is_in_value(decoder);
		push(decoder, run);
		on_close(decoder);
		if (was_in_value && !is_in_value(decoder) &&
		    decoder->error == ERROR_OK)
			tell_value(decoder);
		return;
	case '"':
		decoder->in_text = true;
		decoder->text_at = decoder->rest.length;
		break;
	case ',':
		decoder->names_items &= decoder->depth != 1;
		break;
	default:
		break;
	}
	push(decoder, run);
}

/* What is neither a text nor a bracket nor a comma. */
static size_t
plain_run(const struct kube_decoder *decoder, struct slice bytes)
{
	size_t i = 0;

	if (decoder->depth == 0 || (decoder->in_items && decoder->depth == 2))
		return 0;
	while (i < bytes.length && bytes.data[i] != '"' &&
	    bytes.data[i] != '{' && bytes.data[i] != '}' &&
	    bytes.data[i] != '[' && bytes.data[i] != ']' &&
	    bytes.data[i] != ',')
		i++;
	return i;
}

enum error
kube_decoder_feed(struct kube_decoder *decoder, struct slice bytes)
{
	must(decoder != NULL);
	size_t i = 0;

	while (i < bytes.length && decoder->error == ERROR_OK) {
		struct slice left = slice_skip(bytes, i);

		if (decoder->in_text) {
			i += text_run(decoder, left);
			continue;
		}
		size_t plain = plain_run(decoder, left);

		if (plain > 0) {
			push(decoder, slice_make(left.data, plain));
			i += plain;
			continue;
		}
		if (!take_between(decoder, left.data[0]))
			take_byte(decoder, left.data[0]);
		i++;
	}
	return decoder->error;
}

enum error
kube_decoder_end(const struct kube_decoder *decoder)
{
	must(decoder != NULL);
	if (decoder->error != ERROR_OK)
		return decoder->error;
	if (decoder->depth > 0)
		return ERROR_TRUNCATED;
	if (decoder->body != KUBE_EVENTS && !decoder->ended)
		return ERROR_TRUNCATED;
	return ERROR_OK;
}
