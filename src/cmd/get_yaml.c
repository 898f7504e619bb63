/* JSON values as YAML, written by libyaml's emitter. */
#include <string.h>

#include <yaml.h>

#include "cmd/get_priv.h"
#include "core/must.h"

/* What is not a text must not be quoted; a text that reads as something else
 * must. */
static bool
reads_as_text(const char *s)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL",
	    "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes",
	    "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "y",
	    "Y", "n", "N", "=", "<<", ".inf", ".Inf", ".nan", ".NaN"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(s, words[i]) == 0)
			return false;
	return strchr("+-.0123456789", s[0]) == NULL;
}

static void
emit(yaml_emitter_t *emitter, yaml_event_t *event)
{
	/* Out of memory is all that can fail: the sink takes everything. */
	must(yaml_emitter_emit(emitter, event));
}

static void
emit_scalar(yaml_emitter_t *emitter, const char *s, bool text)
{
	yaml_event_t event;
	yaml_scalar_style_t style = text && !reads_as_text(s)
	    ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
	    : YAML_ANY_SCALAR_STYLE;

	must(yaml_scalar_event_initialize(&event, NULL, NULL,
	    (const yaml_char_t *)s, (int)strlen(s), 1, 1, style));
	emit(emitter, &event);
}

/* Depth is bounded by jansson's parser (2,048). */
static void
emit_value(yaml_emitter_t *emitter, json_t *value)
{
	yaml_event_t event;
	const char *key;
	json_t *item;
	size_t index;
	char *plain;

	if (json_is_object(value)) {
		must(yaml_mapping_start_event_initialize(
		    &event, NULL, NULL, 1, YAML_ANY_MAPPING_STYLE));
		emit(emitter, &event);
		json_object_foreach(value, key, item)
		{
			emit_scalar(emitter, key, true);
			emit_value(emitter, item);
		}
		must(yaml_mapping_end_event_initialize(&event));
		emit(emitter, &event);
		return;
	}
	if (json_is_array(value)) {
		must(yaml_sequence_start_event_initialize(
		    &event, NULL, NULL, 1, YAML_ANY_SEQUENCE_STYLE));
		emit(emitter, &event);
		json_array_foreach(value, index, item)
		    emit_value(emitter, item);
		must(yaml_sequence_end_event_initialize(&event));
		emit(emitter, &event);
		return;
	}
	if (json_is_string(value)) {
		emit_scalar(emitter, json_string_value(value), true);
		return;
	}
	plain = json_dumps(value, JSON_ENCODE_ANY);
	must(plain != NULL);
	emit_scalar(emitter, plain, false);
	free(plain);
}

static int
take(void *context, unsigned char *bytes, size_t length)
{
	text_push(context, slice_make((const char *)bytes, length));
	return 1;
}

void
get_yaml(struct text *out, json_t *items)
{
	yaml_emitter_t emitter;
	yaml_event_t event;
	json_t *item;
	size_t index;

	must(yaml_emitter_initialize(&emitter));
	yaml_emitter_set_output(&emitter, take, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	must(yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(&emitter, &event);
	json_array_foreach(items, index, item)
	{
		must(yaml_document_start_event_initialize(
		    &event, NULL, NULL, NULL, index == 0));
		emit(&emitter, &event);
		emit_value(&emitter, item);
		must(yaml_document_end_event_initialize(&event, 1));
		emit(&emitter, &event);
	}
	must(yaml_stream_end_event_initialize(&event));
	emit(&emitter, &event);
	yaml_emitter_delete(&emitter);
}
